/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Matching of debug registers.  Leaves out: the TSX fields of DR7 and
 * IA32_DEBUGCTL (branch traps, last-branch records).
 * Sources: [SDM] Vol. 3B, "Debug Registers"; "Breakpoint Field Recognition".
 */
#include "arch/x86/debug.h"

#include "arch/x86/sysreg.h"
#include "arch/x86/vmem.h"

enum { NUM_BREAKPOINTS = 4, DR7_ENABLES = 0xff };

enum condition { /* R/W field of DR7 */
                 ON_EXECUTION,
                 ON_WRITE,
                 ON_PORT, /* with CR4.DE */
                 ON_ACCESS,
};

/* What an instruction does, for comparison with one breakpoint. */
struct event {
    uint64_t start, last; /* bytes, inclusive */
    unsigned conditions;  /* bit per enum condition */
};

bool x86_debug_is_armed(const struct x86_state *state)
{
    return state->dr[7] & DR7_ENABLES;
}

/* LEN: 1, 2, 8 or 4 bytes; the address is aligned to it. */
static unsigned length_of(uint64_t dr7, unsigned index)
{
    static const uint8_t lengths[] = {1, 2, 8, 4};

    return lengths[(dr7 >> (18 + 4 * index)) & 3];
}

static bool is_met(const struct x86_state *state, unsigned index,
                   const struct event *event)
{
    unsigned condition = (unsigned)(state->dr[7] >> (16 + 4 * index)) & 3;
    uint64_t length = length_of(state->dr[7], index);
    uint64_t start = state->dr[index] & ~(length - 1);

    if (!(event->conditions & (1U << condition)))
        return false;
    return start <= event->last && event->start <= start + length - 1;
}

/* Breakpoints that are met but not enabled are reported with those that are. */
static unsigned hits(const struct x86_state *state, const struct event *event)
{
    unsigned met = 0, enabled = 0;

    for (unsigned i = 0; i < NUM_BREAKPOINTS; i++) {
        if (!is_met(state, i, event))
            continue;
        met |= 1U << i;
        enabled |= (unsigned)(state->dr[7] >> (2 * i)) & 3;
    }
    return enabled ? met : 0;
}

unsigned x86_debug_code_hits(const struct x86_state *state, uint64_t linear)
{
    const struct event event = {linear, linear, 1U << ON_EXECUTION};

    return hits(state, &event);
}

unsigned x86_debug_data_hits(const struct x86_state *state, uint64_t linear,
                             unsigned size, unsigned access)
{
    struct event event = {linear, linear + size - 1, 1U << ON_ACCESS};

    if (access & X86_ACCESS_WRITE)
        event.conditions |= 1U << ON_WRITE;
    return hits(state, &event);
}

unsigned x86_debug_port_hits(const struct x86_state *state, uint16_t port,
                             unsigned size)
{
    const struct event event = {port, port + size - 1U, 1U << ON_PORT};

    return state->cr4 & X86_CR4_DE ? hits(state, &event) : 0;
}
