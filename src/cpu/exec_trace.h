/* SPDX-License-Identifier: BSD-3-Clause */
/* The Exec debug flag: one line per instruction. */
#ifndef CPU_EXEC_TRACE_H
#define CPU_EXEC_TRACE_H

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;

/* Follow the flag: switch the core between its plain and its traced build. */
void exec_trace_update(struct base_cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif
