/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What x86 adds to the vCPU contract, over struct x86_state and so for every
 * back end: registers by name and number, processor modes, where to start,
 * dumps.  A register is one row of a table.
 */
#ifndef CPU_VCPU_X86_H
#define CPU_VCPU_X86_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vcpu;
struct x86_state;

/* [SDM] Vol. 3A, "Modes of Operation". */
enum vcpu_x86_mode {
    VCPU_MODE_REAL,
    VCPU_MODE_V86,
    VCPU_MODE_PROTECTED,
    VCPU_MODE_COMPATIBILITY,
    VCPU_MODE_64,
    VCPU_NUM_MODES
};

enum vcpu_x86_mode vcpu_x86_mode_of(const struct x86_state *state);
/** vcpu_x86_mode_name() - "real", "64-bit"; "?" beyond the enum. */
const char *vcpu_x86_mode_name(enum vcpu_x86_mode mode);

struct vcpu_x86_reg {
    const char *name;
    uint16_t offset; /* in struct x86_state */
    uint8_t size;    /* [bytes] */
    uint8_t group;   /* one bit of enum vcpu_state_group */
};

/* The 16 general registers first, by the number of the encoding. */
extern const struct vcpu_x86_reg vcpu_x86_regs[];
extern const size_t vcpu_x86_num_regs;

/** vcpu_x86_find_reg() - by name; NULL: there is none. */
const struct vcpu_x86_reg *vcpu_x86_find_reg(const char *name);
uint64_t vcpu_x86_read_reg(const struct x86_state *state,
                           const struct vcpu_x86_reg *reg);
void vcpu_x86_write_reg(struct x86_state *state, const struct vcpu_x86_reg *reg,
                        uint64_t value);

/** vcpu_get_gpr(), vcpu_set_gpr() - @index 0 (RAX) to 15 as encoded.
 *  Returns: 0; -EINVAL; or as vcpu_get_state(). */
SIM_MUST_CHECK int vcpu_get_gpr(struct vcpu *vcpu, unsigned index,
                                uint64_t *value);
SIM_MUST_CHECK int vcpu_set_gpr(struct vcpu *vcpu, unsigned index,
                                uint64_t value);
/** vcpu_set_return_value() - of a hypercall: RAX. */
SIM_MUST_CHECK int vcpu_set_return_value(struct vcpu *vcpu, uint64_t value);
/** vcpu_get_rip() - offset in CS; vcpu_get_pc() - linear address. */
SIM_MUST_CHECK int vcpu_get_rip(struct vcpu *vcpu, uint64_t *value);
SIM_MUST_CHECK int vcpu_get_pc(struct vcpu *vcpu, uint64_t *value);
SIM_MUST_CHECK int vcpu_get_mode(struct vcpu *vcpu, enum vcpu_x86_mode *mode);
/** vcpu_advance_rip() - over an instruction that somebody else has executed:
 *  RIP wraps as the mode says, RF and the interrupt shadow end. */
SIM_MUST_CHECK int vcpu_advance_rip(struct vcpu *vcpu, unsigned len);

/** vcpu_x86_copy() - @groups of @from; the rest of @to stays. */
void vcpu_x86_copy(struct x86_state *to, const struct x86_state *from,
                   uint32_t groups);
/**
 * vcpu_x86_start() - begin at the linear address @entry with @arg in RAX
 *
 * In real mode CS gets the paragraph, as after a start-up message; in other
 * modes CS stays and RIP is the offset in it.  The processor becomes runnable.
 */
void vcpu_x86_start(struct x86_state *state, uint64_t entry, uint64_t arg);

/** vcpu_x86_dump_groups() - the sections of @groups, VCPU_STATE_X. */
void vcpu_x86_dump_groups(const struct x86_state *state, uint32_t groups,
                          FILE *out);
/** vcpu_x86_dump() - all of @state, in sections. */
void vcpu_x86_dump(const struct x86_state *state, FILE *out);
/** vcpu_x86_diff() - the registers that changed, "name old -> new", one line;
 *  nothing if none did.  Returns: how many changed. */
unsigned vcpu_x86_diff(const struct x86_state *before,
                       const struct x86_state *after, char *line, size_t size);

#ifdef __cplusplus
}
#endif

#endif
