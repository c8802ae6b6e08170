/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of signal frames that 64-bit and 32-bit programs have in common. */
#ifndef ARCH_X86_LINUX_SIGFRAME_H
#define ARCH_X86_LINUX_SIGFRAME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct thread;
struct x86_state;

/* The XSAVE image at @addr, with the marks that tell its size. */
bool sigframe_put_fpu(struct thread *thread, const struct x86_state *state,
                      uint64_t addr);
bool sigframe_get_fpu(struct thread *thread, struct x86_state *state,
                      uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
