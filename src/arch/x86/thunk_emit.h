/* SPDX-License-Identifier: BSD-3-Clause */
/* An assembler for the few host instructions around a thunk's own one.
 * Registers move between the host and [RDI + offset]. */
#ifndef ARCH_X86_THUNK_EMIT_H
#define ARCH_X86_THUNK_EMIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { X86_EMIT_MAX = 512 };

struct x86_emit {
    uint8_t code[X86_EMIT_MAX];
    size_t len;
};

enum x86_emit_dir { X86_EMIT_LOAD, X86_EMIT_STORE };

void x86_emit_bytes(struct x86_emit *emit, const void *bytes, size_t len);

/* MOVUPS, legacy encoding: 16 bytes, XMM0-15. */
void x86_emit_xmm(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset);
/* VMOVUPS of 16 or 32 bytes, VEX, registers 0-15. */
void x86_emit_vex(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  unsigned size, int32_t offset);
/* VMOVUPS of 64 bytes, EVEX, registers 0-31. */
void x86_emit_zmm(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset);
/* KMOVQ. */
void x86_emit_opmask(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                     int32_t offset);
/* MOV of 64 bits. */
void x86_emit_gpr(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset);
/* RFLAGS = RDX. */
void x86_emit_set_flags(struct x86_emit *emit);
/* RAX = RFLAGS. */
void x86_emit_get_flags(struct x86_emit *emit);
/* RAX = RFLAGS, of instructions that leave OF clear; faster. */
void x86_emit_get_flags_no_of(struct x86_emit *emit);
void x86_emit_vzeroupper(struct x86_emit *emit);
void x86_emit_ret(struct x86_emit *emit);

#ifdef __cplusplus
}
#endif

#endif
