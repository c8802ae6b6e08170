/* SPDX-License-Identifier: BSD-3-Clause */
/* Encodings: [SDM] Vol. 2A, "Instruction Format"; the instructions' pages. */
#include "arch/x86/thunk_emit.h"

#include "base/log.h"

#include <string.h>

void x86_emit_bytes(struct x86_emit *emit, const void *bytes, size_t len)
{
    SIM_ASSERT(emit->len + len <= sizeof(emit->code));
    memcpy(emit->code + emit->len, bytes, len);
    emit->len += len;
}

/* ModRM and displacement of [RDI + offset] with @reg. */
static void emit_operand(struct x86_emit *emit, unsigned reg, int32_t offset)
{
    uint8_t modrm = (uint8_t)(0x80 | (reg & 7) << 3 | 7);

    x86_emit_bytes(emit, &modrm, 1);
    x86_emit_bytes(emit, &offset, sizeof(offset));
}

void x86_emit_xmm(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset)
{
    uint8_t rex = 0x44;
    uint8_t op[2] = {0x0f, dir == X86_EMIT_LOAD ? 0x10 : 0x11};

    if (reg >= 8)
        x86_emit_bytes(emit, &rex, 1);
    x86_emit_bytes(emit, op, 2);
    emit_operand(emit, reg, offset);
}

void x86_emit_vex(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  unsigned size, int32_t offset)
{
    uint8_t op[3] = {0xc5, 0x78, dir == X86_EMIT_LOAD ? 0x10 : 0x11};

    if (reg < 8)
        op[1] |= 0x80;
    if (size == 32)
        op[1] |= 0x04;
    x86_emit_bytes(emit, op, 3);
    emit_operand(emit, reg, offset);
}

void x86_emit_zmm(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset)
{
    uint8_t op[5] = {0x62, 0x61, 0x7c, 0x48,
                     dir == X86_EMIT_LOAD ? 0x10 : 0x11};

    op[1] |= (uint8_t)((~reg >> 3 & 1) << 7 | (~reg >> 4 & 1) << 4);
    x86_emit_bytes(emit, op, 5);
    emit_operand(emit, reg, offset);
}

void x86_emit_opmask(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                     int32_t offset)
{
    uint8_t op[4] = {0xc4, 0xe1, 0xf8, dir == X86_EMIT_LOAD ? 0x90 : 0x91};

    x86_emit_bytes(emit, op, 4);
    emit_operand(emit, reg, offset);
}

void x86_emit_gpr(struct x86_emit *emit, enum x86_emit_dir dir, unsigned reg,
                  int32_t offset)
{
    uint8_t op[2] = {reg < 8 ? 0x48 : 0x4c, dir == X86_EMIT_LOAD ? 0x8b : 0x89};

    x86_emit_bytes(emit, op, 2);
    emit_operand(emit, reg, offset);
}

void x86_emit_set_flags(struct x86_emit *emit)
{
    x86_emit_bytes(emit, "\x52\x9d", 2); /* push rdx; popfq */
}

void x86_emit_get_flags(struct x86_emit *emit)
{
    x86_emit_bytes(emit, "\x9c\x58", 2); /* pushfq; pop rax */
}

void x86_emit_get_flags_no_of(struct x86_emit *emit)
{
    x86_emit_bytes(emit, "\x9f\x0f\xb6\xc4", 4); /* lahf; movzx eax, ah */
}

void x86_emit_vzeroupper(struct x86_emit *emit)
{
    x86_emit_bytes(emit, "\xc5\xf8\x77", 3);
}

void x86_emit_ret(struct x86_emit *emit)
{
    x86_emit_bytes(emit, "\xc3", 1);
}
