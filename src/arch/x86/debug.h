/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hardware breakpoints: which of DR0 to DR3 an instruction, a data access or a
 * port access meets.
 *
 * A core with an enabled breakpoint (is_watching) executes in full handlers,
 * one instruction at a time; all others pay nothing.  Data and port accesses
 * are noted in core->debug_hits while the instruction executes; step.c raises
 * the exception.
 */
#ifndef ARCH_X86_DEBUG_H
#define ARCH_X86_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/state.h"

#ifdef __cplusplus
extern "C" {
#endif

enum x86_dr6_bit {
    X86_DR6_HITS = 15, /* B0 to B3 */
    X86_DR6_BD = 1 << 13,
    X86_DR6_BS = 1 << 14,
    X86_DR6_BT = 1 << 15,
};

/** x86_debug_is_armed() - whether DR7 enables any breakpoint. */
bool x86_debug_is_armed(const struct x86_state *state);

/** x86_debug_code_hits() - breakpoints on the instruction at @linear
 *  Returns: B0 to B3 for DR6; 0 unless one of them is enabled.
 *  Source:  [SDM] Vol. 3B, "Debug Registers". */
unsigned x86_debug_code_hits(const struct x86_state *state, uint64_t linear);
unsigned x86_debug_data_hits(const struct x86_state *state, uint64_t linear,
                             unsigned size, unsigned access);
unsigned x86_debug_port_hits(const struct x86_state *state, uint16_t port,
                             unsigned size);

#ifdef __cplusplus
}
#endif

#endif
