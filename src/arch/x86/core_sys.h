/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the system-level code (descriptors, gates, control registers) needs of
 * the core beyond core.h: cheap access to the flags, and telling the core that
 * mode or privilege changed.
 */
#ifndef ARCH_X86_CORE_SYS_H
#define ARCH_X86_CORE_SYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

/* RFLAGS with the lazy arithmetic flags filled in. */
uint64_t x86_core_rflags(const struct x86_core *core);
/* Set all of RFLAGS (the caller has masked what may not change). */
void x86_core_set_rflags(struct x86_core *core, uint64_t value);
/* CS, SS, CPL, CR0, CR4, EFER or the flags VM, AC changed: recompute the decode
 * mode and the view of the TLB.  Does not flush translations. */
void x86_core_mode_changed(struct x86_core *core);

#ifdef __cplusplus
}
#endif

#endif
