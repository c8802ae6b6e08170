/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Restartable sequences: the kernel keeps the CPU's number in the thread's
 * memory, and a thread that loses its CPU, or takes a signal, inside a critical
 * section goes on at the section's abort address.
 * Source: Linux, include/uapi/linux/rseq.h; rseq(2) of librseq.
 */
#ifndef ARCH_X86_LINUX_RSEQ_H
#define ARCH_X86_LINUX_RSEQ_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct linux_cpu;
struct thread;

/**
 * rseq_register() - what the system call does
 * @flags: 0, or 1 to unregister
 * @signature: must stand before every abort address
 *
 * Returns: 0, -EINVAL, -EPERM (other signature), -EBUSY (registered already),
 * -EFAULT.
 */
int64_t rseq_register(struct thread *thread, uint64_t addr, uint32_t len,
                      uint32_t flags, uint32_t signature);

/** rseq_settle() - @thread, whose registers are in @cpu's core, was
 * interrupted: write the CPU's number and abort a critical section it was in.
 * A damaged area or section makes SIGSEGV pending. */
void rseq_settle(struct linux_cpu *cpu, struct thread *thread);

#ifdef __cplusplus
}
#endif

#endif
