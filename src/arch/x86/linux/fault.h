/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions of programs: page faults are served, the rest become signals. */
#ifndef ARCH_X86_LINUX_FAULT_H
#define ARCH_X86_LINUX_FAULT_H

#ifdef __cplusplus
extern "C" {
#endif

struct linux_cpu;
struct x86_fault;

void fault_handle(struct linux_cpu *cpu, const struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
