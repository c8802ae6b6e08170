/* SPDX-License-Identifier: BSD-3-Clause */
/* Outputs and schedule of statistics; see the header. */
#include "sim/stat_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/outfile.h"
#include "sim/eventq.h"
#include "sim/report.h"
#include "sim/sim_private.h"
#include "sim/stat_json.h"
#include "sim/stat_text.h"
#include "sim/stat_tree.h"

/* A JSON list up to this size is rewritten at each dump [bytes]. */
static const size_t SMALL_LIST = (size_t)4 << 20;

struct output;

struct output_kind {
    int (*open)(struct output *output);
    int (*write)(struct output *output, const struct stat_group *top);
    int (*flush)(struct output *output);
};

struct output {
    const struct output_kind *kind;
    struct stat_out *owner;
    struct output *next;
    char *name; /* as given */
    char *path; /* below the output directory of the time of opening */
    FILE *text;
    uint32_t options;
    /* JSON: what the file holds without its last line, and what follows. */
    size_t published;
    char *pending;
    size_t pending_len;
    bool is_synced;
    struct stat_hook hook;
};

struct stat_event {
    struct sim_event event;
    struct stat_out *owner;
    struct stat_event *next;
    uint32_t actions;
    tick_t repeat;
};

struct stat_out {
    struct sim *sim;
    struct output *outputs; /* in order of addition */
    struct stat_event *events;
    struct stat_event periodic;
    tick_t reset_tick, dump_tick;
    bool has_dumped;
};

/* -------------------------------------------------------------------- text */

static int text_open(struct output *output)
{
    if (output->text)
        (void)fclose(output->text);
    output->text = fopen(output->path, "we");
    return output->text ? 0 : -errno;
}

static int text_write(struct output *output, const struct stat_group *top)
{
    if (!output->text)
        return -EBADF;
    errno = 0;
    stat_text_write(output->text, top, sim_now(output->owner->sim),
                    output->options);
    if (fflush(output->text) || ferror(output->text))
        return errno ? -errno : -EIO;
    return 0;
}

static int text_flush(struct output *output)
{
    if (!output->text)
        return 0;
    /* EINVAL: a pipe or terminal has nothing to sync. */
    if (fsync(fileno(output->text)) && errno != EINVAL)
        return -errno;
    return 0;
}

static const struct output_kind text_kind = {text_open, text_write, text_flush};

/* -------------------------------------------------------------------- JSON */

static int copy_head(const char *path, FILE *to, size_t len)
{
    FILE *from = fopen(path, "re");
    char buffer[1 << 14];
    int err = 0;

    if (!from)
        return -errno;
    while (len && !err) {
        size_t want = len < sizeof(buffer) ? len : sizeof(buffer);
        size_t got = fread(buffer, 1, want, from);

        if (!got || fwrite(buffer, 1, got, to) != got)
            err = -EIO;
        len -= got;
    }
    (void)fclose(from);
    return err;
}

static int json_publish(struct output *output,
                        int (*finish)(struct outfile *file))
{
    struct outfile file;
    int err = outfile_open(&file, output->path);

    if (err)
        return err;
    if (output->published)
        err = copy_head(output->path, file.stream, output->published);
    if (err) {
        outfile_abort(&file);
        return err;
    }
    (void)fwrite(output->pending, 1, output->pending_len, file.stream);
    (void)fputs("\n]\n", file.stream);
    err = finish(&file);
    if (err)
        return err;
    output->published += output->pending_len;
    output->pending_len = 0;
    output->is_synced = finish == outfile_commit;
    return 0;
}

static void json_append(struct output *output, const char *text, size_t len)
{
    output->pending =
        alloc_resize(output->pending, output->pending_len + len, 1);
    memcpy(output->pending + output->pending_len, text, len);
    output->pending_len += len;
}

static int json_open(struct output *output)
{
    output->published = output->pending_len = 0;
    json_append(output, "[", 1);
    return json_publish(output, outfile_publish);
}

static void json_append_dump(struct output *output,
                             const struct stat_group *top)
{
    bool is_first = output->published + output->pending_len == 1;
    const struct stat_out *owner = output->owner;
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    struct json json;

    if (!stream)
        log_exit("out of memory: statistics as JSON");
    (void)fputs(is_first ? "\n  " : ",\n  ", stream);
    json_init(&json, stream, 1);
    stat_json_write(&json, top, owner->reset_tick, sim_now(owner->sim));
    json_fini(&json);
    (void)fclose(stream);
    json_append(output, text, len);
    mem_free(text);
}

static int json_write(struct output *output, const struct stat_group *top)
{
    json_append_dump(output, top);
    if (output->published > SMALL_LIST &&
        output->pending_len < output->published / 4)
        return 0;
    return json_publish(output, outfile_publish);
}

static int json_flush(struct output *output)
{
    if (!output->pending_len && output->is_synced)
        return 0;
    return json_publish(output, outfile_commit);
}

static const struct output_kind json_kind = {json_open, json_write, json_flush};

/* -------------------------------------------------------------------- hook */

static int hook_open(struct output *output)
{
    return output->hook.open(output->hook.ctx, output->path);
}

static int hook_write(struct output *output, const struct stat_group *top)
{
    return output->hook.write(output->hook.ctx, top,
                              sim_now(output->owner->sim));
}

/* Its dumps are complete when written. */
static int hook_flush(struct output *output)
{
    (void)output;
    return 0;
}

static const struct output_kind hook_kind = {hook_open, hook_write, hook_flush};

/* ----------------------------------------------------------------- outputs */

struct stat_out *stat_out_create(struct sim *sim)
{
    struct stat_out *out = alloc_zeroed(1, sizeof(*out));

    out->sim = sim;
    out->reset_tick = sim_now(sim);
    out->periodic.event.slot = EVENT_IDLE;
    return out;
}

struct stat_out *sim_stat_out(const struct sim *sim)
{
    return sim->stats;
}

static void output_destroy(struct output *output)
{
    if (output->text)
        (void)fclose(output->text);
    mem_free(output->pending);
    mem_free(output->path);
    mem_free(output->name);
    mem_free(output);
}

static int output_open(struct output *output)
{
    const char *dir = sim_outdir(output->owner->sim);

    mem_free(output->path);
    output->path = output->name[0] == '/'
                       ? alloc_strdup(output->name)
                       : alloc_printf("%s/%s", dir, output->name);
    return output->kind->open(output);
}

static struct output *output_create(struct stat_out *out,
                                    const struct output_kind *kind,
                                    const char *name)
{
    struct output *output = alloc_zeroed(1, sizeof(*output));

    output->kind = kind;
    output->owner = out;
    output->name = alloc_strdup(name);
    return output;
}

/* Takes @output over. */
static int add_output(struct stat_out *out, struct output *output)
{
    struct output **link = &out->outputs;
    int err = output_open(output);

    if (err) {
        output_destroy(output);
        return err;
    }
    while (*link)
        link = &(*link)->next;
    *link = output;
    return 0;
}

int stat_out_add_text(struct stat_out *out, const char *path, uint32_t options)
{
    struct output *output = output_create(out, &text_kind, path);

    output->options = options;
    return add_output(out, output);
}

int stat_out_add_json(struct stat_out *out, const char *path)
{
    return add_output(out, output_create(out, &json_kind, path));
}

int stat_out_add_hook(struct stat_out *out, const char *path,
                      const struct stat_hook *hook)
{
    struct output *output = output_create(out, &hook_kind, path);

    output->hook = *hook;
    return add_output(out, output);
}

/* Apply @visit to all outputs.  Returns: the first error. */
static int for_each_output(struct stat_out *out,
                           int (*visit)(struct output *output))
{
    int first = 0;

    for (struct output *output = out->outputs; output; output = output->next) {
        int err = visit(output);

        if (err && !first)
            first = err;
    }
    return first;
}

int stat_out_reopen(struct stat_out *out)
{
    return for_each_output(out, output_open);
}

static int output_flush(struct output *output)
{
    return output->kind->flush(output);
}

int stat_out_flush(struct stat_out *out)
{
    return for_each_output(out, output_flush);
}

/* ----------------------------------------------------------- dump and reset */

int stat_out_dump_below(struct stat_out *out, struct sim_object *top)
{
    struct stat_group *group;
    int first = 0;

    stat_prepare(top);
    group = stat_group_create(top);
    for (struct output *output = out->outputs; output; output = output->next) {
        int err = output->kind->write(output, group);

        if (err && !first)
            first = err;
    }
    stat_group_destroy(group);
    return first;
}

int stat_out_dump(struct stat_out *out)
{
    tick_t now = sim_now(out->sim);

    if (out->has_dumped && out->dump_tick == now)
        return 0;
    out->has_dumped = true;
    out->dump_tick = now;
    return stat_out_dump_below(out, sim_root(out->sim));
}

void stat_out_reset(struct stat_out *out)
{
    out->reset_tick = sim_now(out->sim);
    stat_reset(sim_root(out->sim), out->reset_tick);
}

/* ---------------------------------------------------------------- schedule */

static void run_event(struct sim_event *event, tick_t now)
{
    struct stat_event *self = SIM_CONTAINER_OF(event, struct stat_event, event);
    struct stat_out *out = self->owner;
    int err = self->actions & STAT_DUMP ? stat_out_dump(out) : 0;

    if (err)
        sim_fatal(sim_root(out->sim), "cannot write the statistics: %s",
                  strerror(-err));
    if (self->actions & STAT_RESET)
        stat_out_reset(out);
    if (self->repeat && now <= TICK_MAX - self->repeat)
        eventq_schedule(sim_eventq(out->sim), event, now + self->repeat);
}

static void start_event(struct stat_event *self, struct stat_out *out,
                        tick_t when)
{
    self->owner = out;
    event_init(&self->event, "statistics", EVENT_PRI_STAT, run_event);
    eventq_schedule(sim_eventq(out->sim), &self->event, when);
}

static struct stat_event *idle_event(struct stat_out *out)
{
    struct stat_event *self = out->events;

    while (self && event_is_scheduled(&self->event))
        self = self->next;
    if (self)
        return self;
    self = alloc_zeroed(1, sizeof(*self));
    self->next = out->events;
    out->events = self;
    return self;
}

void stat_out_schedule(struct stat_out *out, uint32_t actions, tick_t when,
                       tick_t repeat)
{
    struct stat_event *self = idle_event(out);

    self->actions = actions;
    self->repeat = repeat;
    start_event(self, out, when);
}

void stat_out_periodic(struct stat_out *out, tick_t period)
{
    struct eventq *queue = sim_eventq(out->sim);
    tick_t now = sim_now(out->sim);

    if (event_is_scheduled(&out->periodic.event))
        eventq_deschedule(queue, &out->periodic.event);
    if (!period)
        return;
    out->periodic.actions = STAT_DUMP | STAT_RESET;
    out->periodic.repeat = period;
    start_event(&out->periodic, out, period >= now ? period : now + period);
}

static void rebase_event(struct eventq *queue, struct sim_event *event,
                         tick_t now)
{
    if (event_is_scheduled(event) && event->when < now)
        eventq_reschedule(queue, event, event->when + now);
}

void stat_out_rebase(struct stat_out *out, tick_t now)
{
    struct eventq *queue = sim_eventq(out->sim);

    rebase_event(queue, &out->periodic.event, now);
    for (struct stat_event *self = out->events; self; self = self->next)
        rebase_event(queue, &self->event, now);
}

static void free_events(struct stat_out *out)
{
    struct eventq *queue = sim_eventq(out->sim);

    if (event_is_scheduled(&out->periodic.event))
        eventq_deschedule(queue, &out->periodic.event);
    while (out->events) {
        struct stat_event *self = out->events;

        out->events = self->next;
        if (event_is_scheduled(&self->event))
            eventq_deschedule(queue, &self->event);
        mem_free(self);
    }
}

void stat_out_destroy(struct stat_out *out)
{
    int err;

    if (!out)
        return;
    err = stat_out_flush(out);
    if (err)
        sim_warn(sim_root(out->sim), "cannot write the statistics: %s",
                 strerror(-err));
    free_events(out);
    while (out->outputs) {
        struct output *output = out->outputs;

        out->outputs = output->next;
        output_destroy(output);
    }
    mem_free(out);
}
