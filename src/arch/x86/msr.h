/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Model-specific registers: one row each in msr.c with its number, name, where
 * it lives in struct x86_state and which values it takes.
 * Source: [SDM] Vol. 4; [APM] Vol. 2, "MSR Cross-Reference".
 */
#ifndef ARCH_X86_MSR_H
#define ARCH_X86_MSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

/** x86_msr_read(), x86_msr_write() - RDMSR and WRMSR after the CPL check
 *
 * Unknown registers are asked of the environment, then #GP(0). */
bool x86_msr_read(struct x86_core *core, uint32_t index, uint64_t *value,
                  struct x86_fault *fault);
bool x86_msr_write(struct x86_core *core, uint32_t index, uint64_t value,
                   struct x86_fault *fault);

/** x86_msr_read_own(), x86_msr_write_own() - the same without the environment,
 *  for whoever has asked it. */
bool x86_msr_read_own(struct x86_core *core, uint32_t index, uint64_t *value,
                      struct x86_fault *fault);
bool x86_msr_write_own(struct x86_core *core, uint32_t index, uint64_t value,
                       struct x86_fault *fault);

/* Numbers of all registers in the table, for KVM and checkpoints. */
size_t x86_msr_count(void);
uint32_t x86_msr_index(size_t row);
const char *x86_msr_name(size_t row);

/* IA32_TIME_STAMP_COUNTER: environment's time base plus the offset. */
uint64_t x86_tsc_read(struct x86_core *core);

#ifdef __cplusplus
}
#endif

#endif
