/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told when a program dies by a fault. */
#ifndef ARCH_X86_LINUX_CRASH_H
#define ARCH_X86_LINUX_CRASH_H

#ifdef __cplusplus
extern "C" {
#endif

struct linux_cpu;
struct signal_info;
struct thread;

/** crash_report() - signal, registers and a back-trace with symbols. */
void crash_report(struct linux_cpu *cpu, struct thread *thread,
                  const struct signal_info *info);

#ifdef __cplusplus
}
#endif

#endif
