/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Far transfers: JMP, CALL, RET with a selector, call gates, IRET, and the fast
 * system calls.  Each returns true with CS:RIP (and SS:RSP) changed, or false
 * with the fault and nothing changed.
 * Source: [SDM] Vol. 2: CALL, JMP, RET, IRET, SYSCALL, SYSRET, SYSENTER,
 * SYSEXIT; [SDM] Vol. 3A, "Privilege Levels".
 */
#ifndef ARCH_X86_FAR_H
#define ARCH_X86_FAR_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;
struct x86_state;

/* @size: operand size, 2, 4 or 8 bytes.  RIP holds the next instruction. */
bool x86_far_jump(struct x86_core *core, uint16_t selector, uint64_t offset,
                  unsigned size, struct x86_fault *fault);
bool x86_far_call(struct x86_core *core, uint16_t selector, uint64_t offset,
                  unsigned size, struct x86_fault *fault);
/* @release: bytes of parameters that RETF imm16 drops */
bool x86_far_return(struct x86_core *core, unsigned size, uint16_t release,
                    struct x86_fault *fault);
bool x86_iret(struct x86_core *core, unsigned size, struct x86_fault *fault);

/*
 * SYSCALL and SYSRET exist in 64-bit mode, on AMD's processors in all protected
 * modes; SYSENTER and SYSEXIT not in AMD's long mode.  Otherwise #UD.
 * [SDM] Vol. 2B and [APM] Vol. 3, the instructions' pages.
 */
bool x86_has_syscall(const struct x86_state *state);
bool x86_has_sysenter(const struct x86_state *state);

/* The architecture's own SYSCALL and so on, entering the guest's kernel. */
bool x86_syscall(struct x86_core *core, struct x86_fault *fault);
/* @size: 4 or 8 (REX.W) */
bool x86_sysret(struct x86_core *core, unsigned size, struct x86_fault *fault);
bool x86_sysenter(struct x86_core *core, struct x86_fault *fault);
bool x86_sysexit(struct x86_core *core, unsigned size, struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
