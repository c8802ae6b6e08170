/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Task state segments: stacks of inner levels, interrupt stacks, the I/O
 * permission bitmap, and hardware task switches.
 * Source: [SDM] Vol. 3A, "Task Management".
 */
#ifndef ARCH_X86_TASK_H
#define ARCH_X86_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

/* Long mode: RSPn and ISTn (1 to 7) of the 64-bit TSS. */
bool x86_task_rsp(struct x86_core *core, unsigned level, uint64_t *rsp,
                  struct x86_fault *fault);
bool x86_task_ist(struct x86_core *core, unsigned index, uint64_t *rsp,
                  struct x86_fault *fault);
/* Legacy: SSn:ESPn of a 32-bit or 16-bit TSS. */
bool x86_task_stack(struct x86_core *core, unsigned level, uint16_t *ss,
                    uint64_t *sp, struct x86_fault *fault);

/** x86_task_io_allowed() - the I/O permission bitmap allows @size ports
 *
 * Returns: true; false with @fault: #GP(0), or #PF on the TSS. */
bool x86_task_io_allowed(struct x86_core *core, uint16_t port, unsigned size,
                         struct x86_fault *fault);

enum x86_task_cause {
    X86_TASK_JUMP,
    X86_TASK_CALL, /* also interrupts: links back, sets NT */
    X86_TASK_IRET, /* along the back link */
};

/**
 * x86_task_switch() - leave the current task for the TSS @selector
 *
 * @selector names an available TSS (a busy one for IRET).  RIP must already be
 * that of the next instruction.  A fault that occurs in the new task has the
 * source X86_FROM_TRAP: RIP is that of the new task already.
 */
bool x86_task_switch(struct x86_core *core, uint16_t selector,
                     enum x86_task_cause cause, struct x86_fault *fault);
/* Interrupt through a task gate: switches and pushes the error code. */
bool x86_task_interrupt(struct x86_core *core, uint16_t selector,
                        const struct x86_fault *event, struct x86_fault *fault);
/* IRET with NT set. */
bool x86_task_return(struct x86_core *core, struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
