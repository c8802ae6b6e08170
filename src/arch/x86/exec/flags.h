/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic with flags, done by the host's own instructions, so that every
 * flag - undefined ones too - is what this processor gives.  LAHF and SETO
 * leave them in AX in the form of core->flags: OF in bit 0; CF, PF, AF, ZF, SF
 * in bits 8, 10, 12, 14, 15.
 */
#ifndef ARCH_X86_EXEC_FLAGS_H
#define ARCH_X86_EXEC_FLAGS_H

#include <stdint.h>

#include "arch/x86/core_internal.h"

enum {
    FLAG_OF = 1,
    FLAG_CF = 1 << 8,
    FLAG_PF = 1 << 10,
    FLAG_AF = 1 << 12,
    FLAG_ZF = 1 << 14,
    FLAG_SF = 1 << 15,
};

#define SAVE_FLAGS "\n\tlahf\n\tseto %%al"
/* AX holds core->flags: make them the processor's. */
#define LOAD_FLAGS "addb $0x7f, %%al\n\tsahf\n\t"
/* Operand 3 holds core->flags: CF only. */
#define LOAD_CARRY "btl $8, %3\n\t"

#define SUFFIX_8  "b"
#define SUFFIX_16 "w"
#define SUFFIX_32 "l"
#define SUFFIX_64 "q"

/* a = a INSN b, all flags written, none read. */
#define FLAGS_BINARY(N, NAME, INSN)                                            \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t a, uint##N##_t b) \
    {                                                                          \
        uint16_t flags;                                                        \
        __asm__(INSN SUFFIX_##N " %2, %0" SAVE_FLAGS                           \
                : "+q"(a), "=a"(flags)                                         \
                : "q"(b)                                                       \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

/* a = a INSN b + CF */
#define FLAGS_CARRY(N, NAME, INSN)                                             \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t a, uint##N##_t b) \
    {                                                                          \
        uint16_t flags;                                                        \
        __asm__(LOAD_CARRY INSN SUFFIX_##N " %2, %0" SAVE_FLAGS                \
                : "+q"(a), "=&a"(flags)                                        \
                : "q"(b), "q"((uint32_t)core->flags)                           \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

/* a = INSN a; flags it does not write stay. */
#define FLAGS_UNARY(N, NAME, INSN)                                             \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t a)                \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        __asm__("btl $8, %2\n\t" INSN SUFFIX_##N " %0" SAVE_FLAGS              \
                : "+q"(a), "=&a"(flags)                                        \
                : "q"((uint32_t)flags)                                         \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

/* a = a INSN b where flags may stay as they are. */
#define FLAGS_KEEPING(N, NAME, INSN)                                           \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t a, uint##N##_t b) \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        __asm__(LOAD_FLAGS INSN SUFFIX_##N " %2, %0" SAVE_FLAGS                \
                : "+q"(a), "+&a"(flags)                                        \
                : "q"(b)                                                       \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

/* a = a INSN CL; flags may stay as they are. */
#define FLAGS_SHIFT(N, NAME, INSN)                                             \
    static inline uint##N##_t flags_##NAME##_##N(struct x86_core *core,        \
                                                 uint##N##_t a, uint8_t count) \
    {                                                                          \
        uint16_t flags = core->flags;                                          \
        __asm__(LOAD_FLAGS INSN SUFFIX_##N " %%cl, %0" SAVE_FLAGS              \
                : "+q"(a), "+&a"(flags)                                        \
                : "c"(count)                                                   \
                : "cc");                                                       \
        core->flags = flags;                                                   \
        return a;                                                              \
    }

#define FOR_SIZES(DEFINE, ...)                                                 \
    DEFINE(8, __VA_ARGS__)                                                     \
    DEFINE(16, __VA_ARGS__)                                                    \
    DEFINE(32, __VA_ARGS__)                                                    \
    DEFINE(64, __VA_ARGS__)
#define FOR_WIDE_SIZES(DEFINE, ...)                                            \
    DEFINE(16, __VA_ARGS__)                                                    \
    DEFINE(32, __VA_ARGS__)                                                    \
    DEFINE(64, __VA_ARGS__)

/* The sixteen conditions in the order of their encoding. */
#define FOR_CONDITIONS(DEFINE)                                                 \
    DEFINE(O, o)                                                               \
    DEFINE(NO, no)                                                             \
    DEFINE(B, b)                                                               \
    DEFINE(NB, nb)                                                             \
    DEFINE(Z, z)                                                               \
    DEFINE(NZ, nz)                                                             \
    DEFINE(BE, be)                                                             \
    DEFINE(NBE, nbe)                                                           \
    DEFINE(S, s)                                                               \
    DEFINE(NS, ns)                                                             \
    DEFINE(P, p)                                                               \
    DEFINE(NP, np)                                                             \
    DEFINE(L, l)                                                               \
    DEFINE(NL, nl)                                                             \
    DEFINE(LE, le)                                                             \
    DEFINE(NLE, nle)

static inline int flags_is_less(uint32_t flags)
{
    return (int)((flags >> 15) ^ (flags & FLAG_OF));
}

/* NOLINTBEGIN(readability-identifier-naming): pasted from condition names */
#define COND_o(f)   (((f)&FLAG_OF) != 0)
#define COND_no(f)  (((f)&FLAG_OF) == 0)
#define COND_b(f)   (((f)&FLAG_CF) != 0)
#define COND_nb(f)  (((f)&FLAG_CF) == 0)
#define COND_z(f)   (((f)&FLAG_ZF) != 0)
#define COND_nz(f)  (((f)&FLAG_ZF) == 0)
#define COND_be(f)  (((f) & (FLAG_CF | FLAG_ZF)) != 0)
#define COND_nbe(f) (((f) & (FLAG_CF | FLAG_ZF)) == 0)
#define COND_s(f)   (((f)&FLAG_SF) != 0)
#define COND_ns(f)  (((f)&FLAG_SF) == 0)
#define COND_p(f)   (((f)&FLAG_PF) != 0)
#define COND_np(f)  (((f)&FLAG_PF) == 0)
#define COND_l(f)   (flags_is_less(f) != 0)
#define COND_nl(f)  (flags_is_less(f) == 0)
#define COND_le(f)  (flags_is_less(f) != 0 || ((f)&FLAG_ZF) != 0)
#define COND_nle(f) (flags_is_less(f) == 0 && ((f)&FLAG_ZF) == 0)
/* NOLINTEND(readability-identifier-naming) */

#endif
