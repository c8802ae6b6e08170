/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Futexes: threads that wait for a word of memory.  A word of memory that
 * processes share is found by its physical frame, any other by its address in
 * the process.  Source: futex(2).
 */
#ifndef ARCH_X86_LINUX_FUTEX_H
#define ARCH_X86_LINUX_FUTEX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct mm;
struct thread;

/** futex_wake_addr() - wake up to @max waiters of the word at @addr.
 *  Returns: how many, or -EFAULT. */
int64_t futex_wake_addr(struct kernel *kernel, struct mm *mm, uint64_t addr,
                        uint32_t max);
/* The thread no longer waits for a word. */
void futex_cancel(struct thread *thread);
/* Locks that the dying thread holds are marked and their waiters told.
 * Source: set_robust_list(2). */
void futex_exit_robust(struct thread *thread);

#ifdef __cplusplus
}
#endif

#endif
