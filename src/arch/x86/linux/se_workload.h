/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects of syscall emulation that scripts see: the workload (gem5's
 * SEWorkload), which owns the emulated kernel, its processes and the redirected
 * paths.
 */
#ifndef ARCH_X86_LINUX_SE_WORKLOAD_H
#define ARCH_X86_LINUX_SE_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/eventq.h"
#include "sim/field.h"
#include "sim/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct sim_object;
struct x86_cpuid;

struct se_workload {
    struct workload base;

    /* Parameters. */
    uint64_t start_time; /* [s] since 1970 */
    uint64_t quantum;    /* [instructions] */
    uint64_t seed;
    uint64_t fault_around; /* [pages] */
    struct sim_vec_str allow_write;
    struct sim_vec_obj redirect_paths;
    const char *private_tmp;

    /* Derived. */
    struct kernel *kernel;
    struct sim_event timer;
    bool is_restored; /* the programs came from a checkpoint: start none */
};

/* A process to start; gem5's Process. */
struct process_object {
    struct sim_object base;

    /* Parameters. */
    const char *executable;
    struct sim_vec_str cmd, env;
    const char *cwd, *input, *output, *errout, *release;
    uint64_t pid, ppid, pgid, uid, euid, gid, egid;
    uint64_t max_stack_size;
    bool use_arch_pt, kvm_in_se;
    uint64_t simpoint;

    /* Derived. */
    bool is_started;
};

struct redirect_path {
    struct sim_object base;
    const char *app_path;
    struct sim_vec_str host_paths;
};

/** se_workload_kernel() - the kernel, made at the first call, which must come
 *  after parameters are set; @cpuid is that of the first CPU. */
struct kernel *se_workload_kernel(struct se_workload *workload,
                                  const struct x86_cpuid *cpuid);
/* The CPUs go: end all processes and the kernel; no effect the second time. */
void se_workload_drop(struct se_workload *workload);
/** process_object_reopen() - open standard stream @number (0 to 2) as the
 *  process had it at its start, but keep what an output file holds.
 *  Returns: a host descriptor or -errno. */
int process_object_reopen(const struct process_object *object, int number);
/** process_object_start() - start the program, once; an error is fatal. */
void process_object_start(struct process_object *object, struct kernel *kernel);

extern const struct sim_type se_workload_type;   /* "SEWorkload" */
extern const struct sim_type x86_emu_linux_type; /* "X86EmuLinux" */
extern const struct sim_type process_type;       /* "Process" */
extern const struct sim_type redirect_path_type; /* "RedirectPath" */

#ifdef __cplusplus
}
#endif

#endif
