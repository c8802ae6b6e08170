/* SPDX-License-Identifier: BSD-3-Clause */
/* The stack in all widths, for full handlers and event delivery. */
#ifndef ARCH_X86_EXEC_STACK_H
#define ARCH_X86_EXEC_STACK_H

#include "arch/x86/core_internal.h"

/* Bits of RSP that the stack uses: SS.B, or all in 64-bit mode. */
uint64_t x86_stack_mask(const struct x86_core *core);
/* Change RSP, SP or ESP by @delta. */
void x86_stack_move(struct x86_core *core, int64_t delta);

/* Of 2, 4 or 8 bytes; false with core->fault set and nothing changed. */
bool x86_push(struct x86_core *core, uint64_t value, unsigned size);
bool x86_pop(struct x86_core *core, uint64_t *value, unsigned size);
/* What LEAVE does. */
bool x86_leave_frame(struct x86_core *core, unsigned size);

#endif
