/* SPDX-License-Identifier: BSD-3-Clause */
/* Execution one instruction at a time by full handlers: traces, single-step
 * traps, the end of a budget, interrupt shadows. */
#ifndef ARCH_X86_STEP_H
#define ARCH_X86_STEP_H

struct x86_core;

/** x86_step_block() - execute the block at RIP or a part of it
 *
 * Leaves RIP where to go on.  Ends early when the budget is used up, an
 * instruction leaves the block, or something wants attention.
 */
void x86_step_block(struct x86_core *core);

#endif
