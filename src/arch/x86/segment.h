/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segment descriptors: fetching, checking and loading segment registers.
 *
 * A loader either succeeds and changes exactly the registers it names, or
 * returns false with the fault and has changed nothing.
 * Source: [SDM] Vol. 3A, "Protected-Mode Memory Management", "Protection".
 */
#ifndef ARCH_X86_SEGMENT_H
#define ARCH_X86_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/x86/fault.h"
#include "arch/x86/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_core;

/* System descriptor types.  [SDM] Vol. 3A, "System Descriptor Types". */
enum x86_sys_type {
    X86_TSS16_AVAIL = 1,
    X86_LDT = 2,
    X86_TSS16_BUSY = 3,
    X86_CALL_GATE16 = 4,
    X86_TASK_GATE = 5,
    X86_INT_GATE16 = 6,
    X86_TRAP_GATE16 = 7,
    X86_TSS_AVAIL = 9,
    X86_TSS_BUSY = 11,
    X86_CALL_GATE = 12,
    X86_INT_GATE = 14,
    X86_TRAP_GATE = 15,
};

/* Bits of a code or data descriptor's type. */
enum x86_seg_type {
    X86_SEG_ACCESSED = 1,
    X86_SEG_WRITABLE = 2, /* data */
    X86_SEG_READABLE = 2, /* code */
    X86_SEG_DOWN = 4,     /* data: expand down */
    X86_SEG_CONFORMING = 4,
    X86_SEG_CODE = 8,
};

static inline bool x86_in_long_mode(const struct x86_state *state)
{
    return state->efer & (UINT64_C(1) << 10); /* EFER.LMA */
}
static inline bool x86_in_64bit_mode(const struct x86_state *state)
{
    return x86_in_long_mode(state) && state->seg[X86_CS].l;
}
static inline bool x86_in_real_mode(const struct x86_state *state)
{
    return !(state->cr0 & 1);
}
static inline bool x86_in_v86_mode(const struct x86_state *state)
{
    return state->rflags & X86_VM;
}
/* Real or virtual-8086: segments are selector * 16. */
static inline bool x86_in_8086_mode(const struct x86_state *state)
{
    return x86_in_real_mode(state) || x86_in_v86_mode(state);
}
static inline unsigned x86_cpl(const struct x86_state *state)
{
    if (x86_in_real_mode(state))
        return 0;
    return x86_in_v86_mode(state) ? 3 : state->seg[X86_CS].selector & 3;
}

/* Fill in @fault, without or with an error code; always false. */
static inline bool x86_fail_plain(struct x86_fault *fault, uint8_t vector)
{
    memset(fault, 0, sizeof(*fault));
    fault->vector = vector;
    fault->source = X86_FROM_FAULT;
    return false;
}

static inline bool x86_fail(struct x86_fault *fault, uint8_t vector,
                            uint32_t error)
{
    (void)x86_fail_plain(fault, vector);
    fault->has_error = true;
    fault->error = error;
    return false;
}

bool x86_is_canonical(uint64_t addr);

/** x86_desc_decode() - hidden part of a segment register from a descriptor */
void x86_desc_decode(uint64_t raw, uint16_t selector, struct x86_seg *seg);

/**
 * x86_desc_read() - fetch a descriptor from GDT or LDT
 * @vector: raised if the selector is outside the table
 * @raw:    8 bytes; @high receives bytes 8 to 15 of a 16-byte descriptor if not
 *          NULL
 */
bool x86_desc_read(struct x86_core *core, uint16_t selector, uint8_t vector,
                   uint64_t *raw, uint64_t *high, struct x86_fault *fault);
/* Set the accessed bit, or change the type of a TSS descriptor, in memory. */
bool x86_desc_write_type(struct x86_core *core, uint16_t selector, uint8_t type,
                         struct x86_fault *fault);

/** x86_seg_load() - MOV Sreg, POP Sreg, LDS..: ES, SS, DS, FS or GS */
bool x86_seg_load(struct x86_core *core, enum x86_seg_name name,
                  uint16_t selector, struct x86_fault *fault);
/* The SS of a privilege change: DPL and RPL must equal @cpl; errors are
 * @vector (#TS, #GP or #SS). */
bool x86_seg_check_stack(struct x86_core *core, uint16_t selector, unsigned cpl,
                         uint8_t vector, struct x86_seg *out,
                         struct x86_fault *fault);
/* Selector * 16; limit and attributes as loading in real or V86 mode does. */
void x86_seg_load_8086(struct x86_state *state, enum x86_seg_name name,
                       uint16_t selector);
/* After a return to an outer level: data segments that the new CPL may not use
 * become null. */
void x86_seg_drop_inner(struct x86_state *state, unsigned cpl);

bool x86_load_ldtr(struct x86_core *core, uint16_t selector,
                   struct x86_fault *fault);
bool x86_load_tr(struct x86_core *core, uint16_t selector,
                 struct x86_fault *fault);

/* LAR, LSL, VERR, VERW: false leaves ZF clear. */
bool x86_lar(struct x86_core *core, uint16_t selector, uint32_t *rights);
bool x86_lsl(struct x86_core *core, uint16_t selector, uint32_t *limit);
bool x86_verify(struct x86_core *core, uint16_t selector, unsigned access);

#ifdef __cplusplus
}
#endif

#endif
