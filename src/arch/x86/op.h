/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoded code: ops, the rows that describe how an instruction form is
 * executed, and blocks.
 *
 *   row    one line of a table in exec/<group>.c: mnemonic, operand kinds and
 *          sizes, and the handler for them
 *   form   a row with both of its handlers, fast and full
 *   op     one decoded instruction: a form and its operands, resolved to byte
 *          offsets into struct x86_core
 *   block  straight-line ops of one page: entry op, instructions, exit op
 *
 * Every instruction has a full handler, which can do anything an instruction
 * may need: accesses that cross a page or go to a device, limit checks, faults,
 * trace records.  It returns the next op, or NULL after it set RIP or the
 * reason to leave.  A fast handler is a specialisation for the common case;
 * when that does not hold, it runs the full handler of the same op, before
 * having changed anything.
 */
#ifndef ARCH_X86_OP_H
#define ARCH_X86_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

struct x86_core;
struct x86_op;

typedef struct x86_op *x86_handler(struct x86_core *core, struct x86_op *op);

/* What an operand is; a row's `kinds` are up to four of them. */
enum x86_kind {
    X86_K_NONE,
    X86_K_REG, /* general register */
    X86_K_MEM,
    X86_K_IMM, /* immediate, or a relative target made absolute */
    X86_K_SEG, /* segment register */
    X86_K_CR,
    X86_K_DR,
    X86_K_FAR,  /* pointer SELECTOR:OFFSET in the instruction */
    X86_K_OTHER /* vector, mask, x87, bound registers: the host executes it */
};
#define X86_KINDS(a, b, c, d)                                                  \
    ((uint16_t)(X86_K_##a | X86_K_##b << 4 | X86_K_##c << 8 | X86_K_##d << 12))

/* How the fast handler of a row computes the address of its operand. */
enum x86_addr_kind {
    X86_ADDR_ANY,     /* no memory operand, or the full handler computes it */
    X86_ADDR_BASE,    /* base + displacement, 64-bit */
    X86_ADDR_INDEX,   /* base + index << scale + displacement, 64-bit */
    X86_ADDR_GENERAL, /* any width, any segment whose limit never matters */
};

enum x86_variant {
    X86_PLAIN,
    X86_DEAD_FLAGS, /* fast only: nobody will see the flags it would set */
    X86_LOCKED,     /* LOCK prefix */
    X86_SAME_REG,   /* both operands are one register */
    X86_FAR,        /* branch to another segment */
};

enum x86_row_flags {
    X86_ROW_ENDS = 1, /* nothing follows it in a block */
    X86_ROW_BRANCH = 2,
    X86_ROW_CALL = 4,
    X86_ROW_RETURN = 8,
    X86_ROW_SYSCALL = 16,
    X86_ROW_NO_FAULT = 32,   /* cannot fault although it touches no memory */
    X86_ROW_SETS_FLAGS = 64, /* all arithmetic flags, reading none */
};

struct x86_row {
    uint16_t mnemonic; /* ZydisMnemonic */
    uint16_t kinds;    /* X86_KINDS of the visible operands */
    uint8_t size[2];   /* of the first operands [bytes]; 0: any */
    uint8_t addr;      /* enum x86_addr_kind */
    uint8_t variant;
    uint8_t op_class; /* enum x86_op_class; memory forms become MEM_* */
    uint8_t flags;    /* enum x86_row_flags */
    x86_handler *fn;
};

struct x86_row_table {
    const struct x86_row *rows;
    size_t num;
};

struct x86_form {
    x86_handler *fn, *full;
    const struct x86_row *row;
};

enum x86_op_flags {
    X86_OP_ADDR_MASK = 3, /* address size: index of x86_addr_masks */
    X86_OP_SEG_SHIFT = 2, /* enum x86_seg_name of the memory operand */
    X86_OP_SEG_MASK = 7 << X86_OP_SEG_SHIFT,
    X86_OP_REP = 1 << 5,
    X86_OP_REPNE = 1 << 6,
    X86_OP_SIZE16 = 1 << 7, /* operand size is 16 bits where it matters */
};

/* Offsets are in bytes from the start of struct x86_core.  64 bytes: one line
 * of the host's cache. */
struct x86_op {
    x86_handler *fn;
    const struct x86_form *form;
    uint64_t imm;
    uint64_t disp;
    uint64_t next_rip; /* of the instruction behind it */
    void *aux;         /* branch: entry op of the target, or NULL; native
                          code; entry op: the block */
    uint16_t reg[3];   /* register operands in the order of the encoding */
    uint16_t base, index, seg; /* memory operand; the zero slot if absent */
    uint8_t scale;
    uint8_t len;   /* of the instruction [bytes] */
    uint8_t flags; /* enum x86_op_flags */
    uint8_t slot;  /* index in the block; 0 is the entry op */
};
SIM_STATIC_ASSERT(sizeof(struct x86_op) == 64, "one op is one cache line");

/* What an op adds to the statistics. */
struct x86_op_info {
    uint8_t op_class;
    uint8_t loads, stores;
    uint8_t flags; /* enum x86_row_flags */
};

enum {
    X86_BLOCK_MAX_OPS = 64,
    X86_NO_PAGE = 1, /* never a page address */
};

enum x86_mode_bits { /* what decoded code depends on beside its bytes */
                     X86_MODE_16 = 0,
                     X86_MODE_32 = 1,
                     X86_MODE_64 = 2,
                     X86_MODE_SIZE = 3,
                     X86_MODE_STACK32 = 4, /* SS.B; outside 64-bit mode */
                     X86_MODE_FLAT =
                         8, /* all of CS, SS, DS, ES: base 0, limit 4 GiB */
                     X86_MODE_REAL = 16, /* CR0.PE = 0 or virtual-8086 */
                     X86_NUM_MODES = 32,
};

struct x86_block {
    uint64_t gpa;       /* of the first byte */
    uint64_t rip;       /* linear address of the first byte */
    uint64_t next_page; /* gpa of the second page's start, or X86_NO_PAGE */
    uint32_t mode;      /* enum x86_mode_bits */
    uint32_t id;        /* index of its execution counter */
    uint64_t epoch;     /* it was last trusted in; see code_page.h */
    uint16_t num_insts;
    uint16_t num_bytes;
    bool is_dead; /* its code was overwritten */
    struct x86_block *hash_next;
    struct x86_block *page_next[2]; /* lists of its first and second page */
    struct x86_op_info *info;       /* [num_insts] */
    uint8_t bytes[32]; /* the instruction that crosses into next_page */
    SIM_ALIGNAS(64) struct x86_op ops[]; /* entry, instructions, exit */
};

/* The block that @op belongs to. */
static inline struct x86_block *x86_op_block(struct x86_op *op)
{
    return (struct x86_block *)(void *)((char *)(op - op->slot) -
                                        offsetof(struct x86_block, ops));
}

#endif
