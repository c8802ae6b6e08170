/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Native thunks: the host executes SIMD, x87, MMX, AES, SHA and the like.
 *
 * For each such instruction a few bytes of host code are made once: load the
 * operand registers from the core's register file, execute the very instruction
 * with its memory operand replaced by [RSI], store what it wrote.  Identical
 * instructions share a thunk.
 *
 * The engine's fast path:
 *
 *   if (!(thunk->needs & fpu->unready) && thunk->code) {
 *       ptr = soft-TLB(operand, thunk->mem, thunk->mem_size);   aligned,
 *       flags = thunk->code(fpu, ptr, flags);                   in one page
 *       if (thunk->writes_flags) ...
 *   } else if (!x86_thunk_run(fpu, thunk, &call)) deliver call.fault;
 *
 * and x86_thunk_run() is right in every case.
 */
#ifndef ARCH_X86_THUNK_H
#define ARCH_X86_THUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include "arch/x86/fpu.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_thunk;

/* One execution. */
struct x86_thunk_call {
    struct x86_mem_operand mem; /* if thunk->mem; VSIB: without the index */
    uint64_t rip;               /* of the instruction, offset in CS */
    uint64_t flags;             /* in and out: X86_ARITH_FLAGS only */
    struct x86_fault fault;     /* out, when it returns false */
};

/* @mem: host address of the memory operand.  @flags: X86_ARITH_FLAGS, matters
 * if reads_flags.  Returns the new flags if writes_flags. */
typedef uint64_t (*x86_thunk_code)(struct x86_fpu *fpu, void *mem,
                                   uint64_t flags);
/* Written in C; reaches memory through fpu->mem. */
typedef bool (*x86_thunk_helper)(struct x86_fpu *fpu,
                                 const struct x86_thunk *thunk,
                                 struct x86_thunk_call *call);

enum x86_thunk_mem {
    X86_THUNK_NO_MEM = 0,
    X86_THUNK_READ = 1,
    X86_THUNK_WRITE = 2,
    X86_THUNK_READ_WRITE = 3,
};

enum x86_thunk_attr {
    X86_THUNK_MASKED = 1,   /* only elements the mask selects are accessed: if
                             * the fast path cannot, it must not fault itself */
    X86_THUNK_POINTERS = 2, /* x87, not control: before code() set fpu->fip
                             * and fop; fdp (offset) and fds (selector) if it
                             * has a memory operand */
    X86_THUNK_WAITING = 4,  /* x87 and MMX: raises a pending #MF */
    X86_THUNK_COMPACT = 8,  /* with MASKED: as many elements as bits are set,
                             * from the start (expand, compress) */
    X86_THUNK_FULL_CHECK = 16, /* with MASKED: faults are not suppressed */
    X86_THUNK_SAE = 32,        /* raises no SIMD exception */
    X86_THUNK_OWN_FTZ = 64,    /* heeds MXCSR.FTZ in a way of its own */
};

/* Plain moves that an engine may do itself instead of calling code(). */
enum x86_thunk_move {
    X86_MOVE_NONE,
    X86_MOVE_LOAD,  /* vec[reg] = mem, mem_size bytes; then zero up to `zero` */
    X86_MOVE_STORE, /* mem = vec[reg], mem_size bytes */
    X86_MOVE_COPY,  /* vec[reg] = vec[rm], vec_size bytes; zero up to `zero` */
    X86_MOVE_ZERO,  /* vec[reg] = 0 up to `zero`: PXOR same, same */
};

enum { X86_THUNK_VEX_MASK = 0x80 };

struct x86_thunk {
    x86_thunk_code code;                /* NULL: x86_thunk_run() only */
    x86_thunk_helper helper;            /* not NULL: x86_thunk_run() calls it */
    uint32_t needs;                     /* enum x86_fpu_need */
    uint16_t mem_size;                  /* [bytes] */
    uint8_t align;                      /* of mem, #GP(0) otherwise; 1: none */
    uint8_t mem;                        /* enum x86_thunk_mem */
    uint8_t attrs;                      /* enum x86_thunk_attr */
    uint8_t op_class;                   /* enum x86_op_class */
    uint16_t reads_flags, writes_flags; /* masks of X86_ARITH_FLAGS */
    uint16_t fop;                       /* x87 opcode, 11 bits */

    uint8_t move;     /* enum x86_thunk_move */
    uint8_t reg, rm;  /* vector register numbers */
    uint8_t zero;     /* width written to vec[reg]: 16 or 64 bytes */
    uint8_t vec_size; /* width of the operation [bytes] */

    /* For x86_thunk_run() and helpers. */
    uint16_t mnemonic;
    uint8_t operand_width;  /* 16, 32, 64: FLDENV and the like */
    uint8_t mode_bits;      /* 16, 32, 64 */
    uint8_t seg, addr_bits; /* of an implicit memory operand */
    uint8_t scale;          /* VSIB */
    uint8_t index;          /* VSIB: vec register */
    uint8_t mask;           /* opmask; VEX: vec register | X86_THUNK_VEX_MASK */
    uint8_t elem_size;      /* of memory [bytes] */
    uint8_t num_elems;      /* in memory */
    uint8_t num_mask_bits;  /* more than num_elems: elements are repeated */
    uint8_t index_size;     /* VSIB: bytes per index */
    uint8_t mask_size;      /* VEX masks: bytes per element */
    uint32_t writes_vec; /* registers whose old value the careful path keeps */
    uint8_t writes_mask; /* opmasks, the same */
    uint8_t writes_gpr;  /* enum x86_gpr + 1; 0: none */
};

struct x86_thunks;

/**
 * x86_thunks_create() - an empty cache of thunks with its own code memory
 * @gpr_offset: of gpr[0] in struct x86_state seen from struct x86_fpu [bytes]
 *
 * The register file is addressed relative to struct x86_fpu; so all cores that
 * share the cache must embed fpu and state at the same distance.  Not
 * thread-safe, neither are the thunks while one is being built.
 */
struct x86_thunks *x86_thunks_create(ptrdiff_t gpr_offset);
void x86_thunks_destroy(struct x86_thunks *thunks);

/**
 * x86_thunks_get() - the thunk for a decoded instruction
 * @operands: all of them, hidden ones too
 * @bytes:    the instruction's bytes, insn->length of them
 * @why:      reason if NULL is returned; may be NULL
 *
 * Lives until x86_thunks_destroy().  Whether the CPUID model offers the
 * instruction is the caller's question (x86_cpuid_offers).
 *
 * Returns: NULL if it is not an instruction for thunks (integer, control,
 * system), or the host cannot execute it.
 */
const struct x86_thunk *x86_thunks_get(struct x86_thunks *thunks,
                                       const ZydisDecodedInstruction *insn,
                                       const ZydisDecodedOperand *operands,
                                       const uint8_t *bytes, const char **why);

/**
 * x86_thunk_run() - execute, whatever the circumstances
 *
 * Access rules (#UD, #NM), alignment, pages, masked elements, unmasked SIMD
 * and x87 exceptions.
 *
 * Returns: true; or false with call->fault set and nothing changed, except what
 * the architecture lets a fault leave behind (gathers, sticky flags).
 */
bool x86_thunk_run(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                   struct x86_thunk_call *call);

#ifdef __cplusplus
}
#endif

#endif
