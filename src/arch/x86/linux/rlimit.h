/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits that are looked at while a process runs: CPU time, sizes of files,
 * numbers of processes.  Those of memory and of descriptors are kept where
 * these are given out.  Source: getrlimit(2).
 */
#ifndef ARCH_X86_LINUX_RLIMIT_H
#define ARCH_X86_LINUX_RLIMIT_H

#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cpu_timer;
struct file;
struct process;
struct thread;

/** rlimit_arm_cpu() - RLIMIT_CPU is what it is from now on. */
void rlimit_arm_cpu(struct process *process);
/* Of the process's cpu_limit: SIGKILL at the hard limit, else SIGXCPU and one
 * second more. */
void rlimit_cpu_reached(struct cpu_timer *timer);
/** rlimit_check_fork() - 0, or -EAGAIN where the user has as many processes and
 *  threads as RLIMIT_NPROC of @process allows. */
SIM_MUST_CHECK int rlimit_check_fork(const struct process *process);
/**
 * rlimit_check_write() - how far a write may go
 * @offset: where it starts; negative: at the file's position
 * @room:   receives how many bytes are allowed
 *
 * Returns: 0, or -EFBIG with SIGXFSZ sent, where RLIMIT_FSIZE allows none.
 */
int rlimit_check_write(struct thread *thread, struct file *file, int64_t offset,
                       uint64_t *room);
/** rlimit_check_size() - the same for a file that shall have @size bytes. */
SIM_MUST_CHECK int rlimit_check_size(struct thread *thread, struct file *file,
                                     uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
