/* SPDX-License-Identifier: BSD-3-Clause */
/* gem5's Process: the parameters of a program to start. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/linux/exec.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/se_workload.h"
#include "base/alloc.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"

/* gem5's words for the simulator's own streams. */
static const struct {
    const char *names[2];
    int fd;
} process_streams[] = {
    {{"cin", "stdin"},   0},
    {{"cout", "stdout"}, 1},
    {{"cerr", "stderr"}, 2},
};

enum {
    START_OUTPUT = O_WRONLY | O_CREAT | O_TRUNC,
    REOPEN_OUTPUT = O_RDWR | O_CREAT,
};

/* The parameters that name standard streams, and how their files are opened. */
static const struct {
    const char *param;
    size_t offset; /* of the name in struct process_object */
    int start_flags, reopen_flags;
} process_stdio[] = {
    {"input",  offsetof(struct process_object, input),  O_RDONLY,     O_RDONLY},
    {"output", offsetof(struct process_object, output), START_OUTPUT,
     REOPEN_OUTPUT                                                            },
    {"errout", offsetof(struct process_object, errout), START_OUTPUT,
     REOPEN_OUTPUT                                                            },
};

static const char *process_object_name(const struct process_object *object,
                                       int number)
{
    const char *name;

    memcpy(&name, (const char *)object + process_stdio[number].offset,
           sizeof(name));
    return name;
}

/* The simulator's descriptor that stream @number is, or -1 for a file. */
static int process_object_inherited(const struct process_object *object,
                                    int number)
{
    const char *name = process_object_name(object, number);

    for (size_t i = 0; i < SIM_ARRAY_LEN(process_streams); i++) {
        if (!strcmp(name, process_streams[i].names[0]) ||
            !strcmp(name, process_streams[i].names[1]))
            return process_streams[i].fd;
    }
    return -1;
}

static int process_object_open(const struct process_object *object, int number,
                               int flags)
{
    const char *name = process_object_name(object, number);
    int fd = process_object_inherited(object, number);
    char *path;

    /* A stream that is closed reads as empty. */
    if (fd >= 0)
        return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    path = name[0] == '/' || flags == O_RDONLY
               ? alloc_strdup(name)
               : alloc_printf("%s/%s", sim_outdir(object->base.sim), name);
    fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0)
        fd = -errno;
    mem_free(path);
    return fd;
}

int process_object_reopen(const struct process_object *object, int number)
{
    int fd;

    if (number < 0 || number >= (int)SIM_ARRAY_LEN(process_stdio))
        return -EINVAL;
    fd =
        process_object_open(object, number, process_stdio[number].reopen_flags);
    if (fd < 0 && process_object_inherited(object, number) >= 0)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd;
}

/* Into start->stdio[number]. */
static void process_object_stream(const struct process_object *object,
                                  struct exec_start *start, int number)
{
    bool is_inherited = process_object_inherited(object, number) >= 0;
    int fd =
        process_object_open(object, number, process_stdio[number].start_flags);

    if (fd < 0 && !is_inherited)
        sim_fatal_param(&object->base, process_stdio[number].param, "%s: %s",
                        process_object_name(object, number),
                        strerrordesc_np(-fd));
    start->stdio[number] = fd;
    start->stdio_kind[number] =
        is_inherited ? FILE_STDIO_INHERITED : FILE_STDIO_NAMED;
}

static char **process_object_list(const struct sim_vec_str *list)
{
    char **copy = alloc_zeroed((size_t)list->len + 1, sizeof(*copy));

    for (uint32_t i = 0; i < list->len; i++)
        copy[i] = alloc_strdup(list->data[i]);
    return copy;
}

static void process_object_free(char **list)
{
    for (size_t i = 0; list[i]; i++)
        mem_free(list[i]);
    mem_free(list);
}

static char *process_object_cwd(const struct process_object *object)
{
    char cwd[PATH_MAX];

    if (*object->cwd)
        return alloc_strdup(object->cwd);
    return alloc_strdup(getcwd(cwd, sizeof(cwd)) ? cwd : "/");
}

static void process_object_check(const struct process_object *object)
{
    if (!object->cmd.len && !*object->executable)
        sim_fatal_param(&object->base, "cmd", "there is no program to start");
}

void process_object_start(struct process_object *object, struct kernel *kernel)
{
    char why[EXEC_WHY_SIZE] = "";
    struct exec_start start = {
        .path = *object->executable ? object->executable : object->cmd.data[0],
        .pid = (uint32_t)object->pid,
        .pgid = (uint32_t)object->pgid,
        .uid = (uint32_t)object->uid,
        .euid = (uint32_t)object->euid,
        .gid = (uint32_t)object->gid,
        .egid = (uint32_t)object->egid,
    };
    char *cwd;
    int error;

    if (object->is_started)
        return;
    process_object_check(object);
    object->is_started = true;
    cwd = process_object_cwd(object);
    start.cwd = cwd;
    start.argv = process_object_list(&object->cmd);
    start.envp = process_object_list(&object->env);
    for (int i = 0; i < (int)SIM_ARRAY_LEN(process_stdio); i++)
        process_object_stream(object, &start, i);
    error = exec_start_process(kernel, &start, why);
    process_object_free(start.argv);
    process_object_free(start.envp);
    mem_free(cwd);
    if (error)
        sim_fatal_param(&object->base, "cmd", "cannot start %s", why);
}

static const struct sim_param process_params[] = {
    SIM_PARAM(struct process_object, executable, "", "",
              "Program file; default: the first word of cmd"),
    SIM_PARAM(struct process_object, cmd, "[]", "",
              "Command line, the program's name first"),
    SIM_PARAM(struct process_object, env, "[]", "",
              "Environment, NAME=VALUE each"),
    SIM_PARAM(struct process_object, cwd, "", "",
              "Working directory; default: the simulator's"),
    SIM_PARAM(struct process_object, input, "cin", "",
              "Standard input: a file, or cin"),
    SIM_PARAM(struct process_object, output, "cout", "",
              "Standard output: a file in the output directory, or cout"),
    SIM_PARAM(struct process_object, errout, "cerr", "",
              "Standard error: a file in the output directory, or cerr"),
    SIM_PARAM(struct process_object, release, "", "",
              "Kernel release that uname tells; default: 6.1.0"),
    SIM_PARAM(struct process_object, pid, "100", "", "Process number"),
    SIM_PARAM(struct process_object, ppid, "0", "", "Parent's number",
              .ignored = "the first process has no parent"),
    SIM_PARAM(struct process_object, pgid, "100", "", "Process group"),
    SIM_PARAM(struct process_object, uid, "100", "", "User"),
    SIM_PARAM(struct process_object, euid, "100", "", "Effective user"),
    SIM_PARAM(struct process_object, gid, "100", "", "Group"),
    SIM_PARAM(struct process_object, egid, "100", "", "Effective group"),
    SIM_PARAM_NAMED(struct process_object, max_stack_size, "maxStackSize",
                    "64MiB", "bytes", "Upper limit of the stack",
                    .ignored = "setrlimit() alone limits the stack"),
    SIM_PARAM_NAMED(struct process_object, use_arch_pt, "useArchPT", "False",
                    "", "Of no effect: page tables are always real"),
    SIM_PARAM_NAMED(struct process_object, kvm_in_se, "kvmInSE", "False", "",
                    "Of no effect: page tables are always real"),
    SIM_PARAM(struct process_object, simpoint, "0", "",
              "Number of the interval of 100 million instructions to stop at",
              .ignored = "CPUs do not stop at SimPoints"),
    SIM_END_PARAM,
};

const struct sim_type process_type = {
    .name = "Process",
    .doc = "A program to run under the emulated kernel",
    .base = &sim_object_type,
    .size = sizeof(struct process_object),
    .params = process_params,
};
