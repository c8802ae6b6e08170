/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/se_workload.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"
#include "mem/system.h"
#include "sim/checkpoint.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"

/* ------------------------------------------------------- the kernel's host
 * side */

static tick_t se_now(void *ctx)
{
    const struct se_workload *workload = ctx;

    return sim_now(workload->base.base.sim);
}

static void se_set_timer(void *ctx, tick_t when)
{
    struct se_workload *workload = ctx;
    struct eventq *queue = sim_eventq(workload->base.base.sim);
    tick_t now = eventq_now(queue);

    if (when == TICK_MAX)
        eventq_deschedule(queue, &workload->timer);
    else
        eventq_reschedule(queue, &workload->timer, when > now ? when : now);
}

static void se_exit(void *ctx, const char *cause, int64_t code)
{
    const struct se_workload *workload = ctx;
    struct sim *sim = workload->base.base.sim;
    tick_t now = kernel_now(workload->kernel);

    /* The CPU's slice began earlier: the exit belongs to its last instruction.
     */
    sim_exit_at(sim, cause, code, now > sim_now(sim) ? now : sim_now(sim), 0);
}

/* The stream of the Process that started as @pid. */
static int se_open_stdio(void *ctx, uint32_t pid, int number)
{
    const struct se_workload *workload = ctx;
    struct sim_object *root = sim_root(workload->base.base.sim);

    for (struct sim_object *obj = root; obj; obj = sim_object_next(root, obj)) {
        const struct process_object *process;

        if (!sim_object_is_a(obj, &process_type))
            continue;
        process = SIM_CAST(struct process_object, process_type, obj);
        if (process->pid == pid)
            return process_object_reopen(process, number);
    }
    return -ESRCH;
}

static const char *se_scratch_dir(void *ctx)
{
    const struct se_workload *workload = ctx;
    const char *outdir = sim_outdir(workload->base.base.sim);

    return access(outdir, W_OK) == 0 ? outdir : "/tmp";
}

static void se_timer_fired(struct sim_event *event, tick_t now)
{
    struct se_workload *workload =
        SIM_CONTAINER_OF(event, struct se_workload, timer);

    if (workload->kernel)
        kernel_timer_fired(workload->kernel, now);
}

/* ------------------------------------------------------------------ mounts */

static void se_mount(struct se_workload *workload, const char *guest,
                     const char *host, enum vfs_access access)
{
    int error = vfs_add_host(&workload->kernel->vfs, guest, host, access);

    if (error)
        sim_fatal(&workload->base.base, "cannot show %s at %s: %s", host, guest,
                  strerrordesc_np(-error));
}

/* A directory of the host that the guest may write, at its own name. */
static void se_mount_writable(struct se_workload *workload, const char *path)
{
    char real[PATH_MAX];

    if (!realpath(path, real))
        sim_fatal(&workload->base.base, "%s, to be writable: %s", path,
                  strerrordesc_np(errno));
    /* Never the whole file system by accident. */
    if (strcmp(real, "/") != 0)
        se_mount(workload, real, real, VFS_WRITABLE);
}

/* /tmp: a private directory in front of the host's. */
static void se_mount_tmp(struct se_workload *workload)
{
    const char *outdir = sim_outdir(workload->base.base.sim);
    char *path = *workload->private_tmp ? alloc_strdup(workload->private_tmp)
                                        : alloc_printf("%s/tmp", outdir);

    if (mkdir(path, 0700) < 0 && errno != EEXIST && errno != ENOENT)
        sim_fatal(&workload->base.base, "%s: %s", path, strerrordesc_np(errno));
    if (access(path, F_OK) == 0) {
        se_mount(workload, "/tmp", path, VFS_WRITABLE);
        se_mount(workload, "/tmp", "/tmp", VFS_READ_ONLY);
    }
    mem_free(path);
}

static void se_mount_redirected(struct se_workload *workload)
{
    for (uint32_t i = 0; i < workload->redirect_paths.len; i++) {
        const struct redirect_path *path =
            SIM_CAST(struct redirect_path, redirect_path_type,
                     workload->redirect_paths.data[i]);

        for (uint32_t h = 0; h < path->host_paths.len; h++)
            se_mount(workload, path->app_path, path->host_paths.data[h],
                     VFS_READ_ONLY);
    }
}

static void se_mount_all(struct se_workload *workload)
{
    struct vfs *vfs = &workload->kernel->vfs;
    const char *outdir = sim_outdir(workload->base.base.sim);

    se_mount(workload, "/", "/", VFS_READ_ONLY);
    vfs_add_made(vfs, "/proc");
    vfs_add_made(vfs, "/sys");
    vfs_add_made(vfs, "/dev");
    se_mount_tmp(workload);
    se_mount_redirected(workload);
    se_mount_writable(workload, ".");
    if (access(outdir, F_OK) == 0)
        se_mount_writable(workload, outdir);
    for (uint32_t i = 0; i < workload->allow_write.len; i++)
        se_mount_writable(workload, workload->allow_write.data[i]);
}

struct kernel *se_workload_kernel(struct se_workload *workload,
                                  const struct x86_cpuid *cpuid)
{
    const struct sim_object *self = &workload->base.base;
    const struct system *system = system_of(self);
    struct kernel_cfg cfg = {
        .mem = system->physmem,
        .host = {.ctx = workload,
                 .now = se_now,
                 .set_timer = se_set_timer,
                 .exit = se_exit,
                 .open_stdio = se_open_stdio,
                 .scratch_dir = se_scratch_dir},
        .owner = self,
        .cpuid = cpuid,
        .start_time_s = workload->start_time,
        .seed = workload->seed,
        .quantum_insts = workload->quantum,
        .pseudo_offset = system->m5ops_base,
        .pseudo_window = system->pseudo_window,
        .fault_around = (uint32_t)workload->fault_around,
    };

    if (workload->kernel)
        return workload->kernel;
    if (workload->fault_around & (workload->fault_around - 1))
        sim_fatal(self, "fault_around = %llu is not a power of two",
                  (unsigned long long)workload->fault_around);
    event_init(&workload->timer, "kernel timer", EVENT_PRI_DEFAULT,
               se_timer_fired);
    workload->kernel = kernel_create(&cfg);
    se_mount_all(workload);
    return workload->kernel;
}

void se_workload_drop(struct se_workload *workload)
{
    struct kernel *kernel = workload->kernel;

    workload->kernel = NULL;
    kernel_destroy(kernel);
}

/* ----------------------------------------------------------------- checkpoints
 */

/* What shared mappings wrote is in the files before these and RAM are saved. */
static enum sim_drain se_workload_drain(struct sim_object *obj)
{
    const struct se_workload *workload =
        SIM_CAST(struct se_workload, se_workload_type, obj);
    struct vm_object *first =
        workload->kernel ? workload->kernel->objects.first : NULL;

    for (struct vm_object *object = first; object; object = object->next) {
        if (object->num_shared)
            kernel_sync_object(workload->kernel, object);
    }
    return SIM_DRAINED;
}

/* A directory that the script named is the user's, and stays. */
static char *se_private_tmp(const struct se_workload *workload)
{
    return *workload->private_tmp
               ? NULL
               : alloc_printf("%s/tmp", sim_outdir(workload->base.base.sim));
}

static void se_workload_save(const struct sim_object *obj,
                             struct ckpt_writer *writer)
{
    const struct se_workload *workload =
        SIM_CAST(struct se_workload, se_workload_type, obj);
    char *tmp;

    ckpt_put_u64(writer, "has_kernel", workload->kernel != NULL);
    if (!workload->kernel)
        return;
    tmp = se_private_tmp(workload);
    kernel_save(workload->kernel, writer, tmp);
    mem_free(tmp);
}

static int se_workload_load(struct sim_object *obj, struct ckpt_reader *reader)
{
    struct se_workload *workload =
        SIM_CAST(struct se_workload, se_workload_type, obj);
    uint64_t has_kernel;
    int error = ckpt_get_u64(reader, "has_kernel", &has_kernel);
    char *tmp;

    if (!error && has_kernel != (workload->kernel != NULL))
        error = ckpt_read_failed(reader, -EINVAL,
                                 "only one of the two has CPUs for programs");
    if (error || !workload->kernel)
        return error;
    tmp = se_private_tmp(workload);
    error = kernel_load(workload->kernel, reader, tmp);
    mem_free(tmp);
    workload->is_restored = true;
    return error;
}

/* All programs had ended: say so again. */
static void se_workload_startup(struct sim_object *obj)
{
    const struct se_workload *workload =
        SIM_CAST(struct se_workload, se_workload_type, obj);

    if (workload->is_restored && workload->kernel->is_over)
        sim_exit_now(obj->sim, EXIT_LAST_THREAD, workload->kernel->exit_code);
}

static void se_workload_after_fork(struct sim_object *obj)
{
    const struct se_workload *workload =
        SIM_CAST(struct se_workload, se_workload_type, obj);
    const char *path = "";
    int error =
        workload->kernel ? file_host_unshare(workload->kernel, &path) : 0;

    if (error)
        sim_fatal(obj, "%s cannot be opened again after the fork: %s", path,
                  strerrordesc_np(-error));
}

static const struct sim_ops se_workload_ops = {
    .after_fork = se_workload_after_fork,
    .startup = se_workload_startup,
    .drain = se_workload_drain,
    .save = se_workload_save,
    .load = se_workload_load,
};

/* ------------------------------------------------------------------- tables */

static const struct sim_param se_workload_params[] = {
    SIM_PARAM(struct se_workload, start_time, "1893456000", "",
              "Wall clock of the programs at tick 0, in seconds since 1970; "
              "the default, the start of 2030, is later than any file"),
    SIM_PARAM(struct se_workload, quantum, "1000000", "",
              "Instructions of a time slice when threads share a CPU",
              .min = 1000),
    SIM_PARAM(struct se_workload, fault_around, "16", "",
              "Pages that one page fault maps where they are cheap; 1: only "
              "the one touched",
              .min = 1, .max = 512),
    SIM_PARAM(struct se_workload, seed, "1", "",
              "Of the random numbers that programs get"),
    SIM_PARAM(struct se_workload, allow_write, "[]", "",
              "Host paths that programs may change, besides the working and "
              "the output directory"),
    SIM_PARAM_OBJS(struct se_workload, redirect_paths, "[]", redirect_path_type,
                   "Names that programs find elsewhere on the host"),
    SIM_PARAM(struct se_workload, private_tmp, "", "",
              "Host directory behind the programs' /tmp; default: tmp in the "
              "output directory"),
    SIM_END_PARAM,
};

const struct sim_type se_workload_type = {
    .name = "SEWorkload",
    .doc = "Programs under an emulated kernel",
    .base = &workload_type,
    .size = sizeof(struct se_workload),
    .version = 1,
    .ops = &se_workload_ops,
    .params = se_workload_params,
};

const struct sim_type x86_emu_linux_type = {
    .name = "X86EmuLinux",
    .doc = "Linux programs of x86-64 and i386 under an emulated kernel",
    .base = &se_workload_type,
    .size = sizeof(struct se_workload),
};

static const struct sim_param redirect_path_params[] = {
    SIM_PARAM(struct redirect_path, app_path, NULL, "",
              "Name that programs use"),
    SIM_PARAM(struct redirect_path, host_paths, NULL, "",
              "Host directories; the first that has a file gives it"),
    SIM_END_PARAM,
};

const struct sim_type redirect_path_type = {
    .name = "RedirectPath",
    .doc = "Shows host directories under another name",
    .base = &sim_object_type,
    .size = sizeof(struct redirect_path),
    .params = redirect_path_params,
};
