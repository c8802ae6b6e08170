/* SPDX-License-Identifier: BSD-3-Clause */
/* Source: [SDM] Vol. 1, "Processor Enumeration of XSAVE Features"; Vol. 2A,
 * "CPUID", leaf 0DH. */
#include "arch/x86/xsave_layout.h"

#include "base/compiler.h"

#include <cpuid.h>
#include <stdbool.h>

static const struct x86_xcomp customary[X86_NUM_XCOMPS] = {
    [X86_XCOMP_AVX] = {256,  576,  0},
      [X86_XCOMP_OPMASK] = {64,   1088, 0},
    [X86_XCOMP_ZMM_HI] = {512,  1152, 0},
      [X86_XCOMP_HI16_ZMM] = {1024, 1664, 0},
    [X86_XCOMP_PKRU] = {8,    2688, 0},
};

void x86_xsave_layout_get(struct x86_xsave_layout *out)
{
    uint32_t a, b, c, d;

    for (unsigned i = 0; i < X86_NUM_XCOMPS; i++) {
        out->comp[i] = customary[i];
        if (!customary[i].size || !__get_cpuid_count(0xd, i, &a, &b, &c, &d) ||
            a != customary[i].size)
            continue;
        out->comp[i].offset = (uint16_t)b;
        out->comp[i].is_aligned = c >> 1 & 1;
    }
}

uint32_t x86_xsave_size(const struct x86_xsave_layout *layout, uint64_t comps)
{
    uint32_t end = X86_XSAVE_EXTENDED;

    for (unsigned i = 2; i < X86_NUM_XCOMPS; i++) {
        uint32_t comp_end =
            (uint32_t)layout->comp[i].offset + layout->comp[i].size;

        if ((comps >> i & 1) && comp_end > end)
            end = comp_end;
    }
    return end;
}

uint32_t x86_xsave_compact_offset(const struct x86_xsave_layout *layout,
                                  uint64_t comps, unsigned index)
{
    uint32_t at = X86_XSAVE_EXTENDED;

    for (unsigned i = 2; i < X86_NUM_XCOMPS; i++) {
        if (!(comps >> i & 1))
            continue;
        if (layout->comp[i].is_aligned)
            at = (at + 63) & ~UINT32_C(63);
        if (i == index)
            return at;
        at += layout->comp[i].size;
    }
    return at;
}

uint32_t x86_xsave_compact_size(const struct x86_xsave_layout *layout,
                                uint64_t comps)
{
    return x86_xsave_compact_offset(layout, comps, X86_NUM_XCOMPS);
}
