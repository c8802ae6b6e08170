/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gem5's Terminal, without the network: output to a file named after the object
 * in the output directory, or to the simulator's own output.  The file appears
 * with the first byte.
 */
#include "dev/terminal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"
#include "sim/stat.h"

SIM_CHECK_BASE(struct terminal);

enum terminal_out { OUT_NONE, OUT_STDOUT, OUT_STDERR, OUT_FILE };

static struct terminal *self(const struct sim_object *obj)
{
    return SIM_CAST(struct terminal, terminal_type, obj);
}

static void open_file(struct terminal *terminal)
{
    struct sim_object *obj = &terminal->base;
    char *path = alloc_printf("%s/%s", sim_outdir(obj->sim), obj->path);

    terminal->stream = fopen(path, "we");
    if (!terminal->stream) {
        sim_warn(obj, "%s: %s; the output is lost", path, strerror(errno));
        terminal->outfile = OUT_NONE;
    }
    mem_free(path);
}

void terminal_put(struct terminal *terminal, uint8_t byte)
{
    if (!terminal)
        return;
    terminal->num_bytes++;
    if (terminal->outfile == OUT_FILE && !terminal->stream)
        open_file(terminal);
    if (!terminal->stream)
        return;
    (void)fputc(byte, terminal->stream);
    if (byte == '\n')
        (void)fflush(terminal->stream);
}

static void terminal_init(struct sim_object *obj)
{
    struct terminal *terminal = self(obj);

    if (terminal->outfile == OUT_STDOUT)
        terminal->stream = stdout;
    if (terminal->outfile == OUT_STDERR)
        terminal->stream = stderr;
}

static void terminal_flush(struct sim_object *obj)
{
    if (self(obj)->stream)
        (void)fflush(self(obj)->stream);
}

static enum sim_drain terminal_drain(struct sim_object *obj)
{
    terminal_flush(obj);
    return SIM_DRAINED;
}

static void terminal_close(struct terminal *terminal)
{
    if (terminal->outfile == OUT_FILE && terminal->stream)
        (void)fclose(terminal->stream);
    terminal->stream = NULL;
}

/* The child has an output directory of its own. */
static void terminal_after_fork(struct sim_object *obj)
{
    struct terminal *terminal = self(obj);

    if (terminal->outfile == OUT_FILE)
        terminal_close(terminal);
}

static void terminal_fini(struct sim_object *obj)
{
    terminal_flush(obj);
    terminal_close(self(obj));
}

static const struct sim_ops terminal_ops = {
    .init = terminal_init,
    .drain = terminal_drain,
    .after_fork = terminal_after_fork,
    .fini = terminal_fini,
};

/* gem5's TerminalDump. */
static const char *const terminal_outs[] = {
    [OUT_NONE] = "none",
    [OUT_STDOUT] = "stdoutput",
    [OUT_STDERR] = "stderror",
    [OUT_FILE] = "file",
    NULL,
};

static const struct sim_param terminal_params[] = {
    SIM_PARAM(struct terminal, outfile, "file", "",
              "Where output goes; a file has the object's path as name",
              .names = terminal_outs),
    SIM_END_PARAM,
};

static const struct sim_stat terminal_stats[] = {
    SIM_STAT(struct terminal, num_bytes, "numBytes", "Byte",
             "Bytes that the guest wrote", .flags = STAT_NO_ZERO),
    SIM_END_STAT,
};

const struct sim_type terminal_type = {
    .name = "Terminal",
    .doc = "Where the characters of a serial port go",
    .base = &sim_object_type,
    .size = sizeof(struct terminal),
    .ops = &terminal_ops,
    .params = terminal_params,
    .stats = terminal_stats,
};
