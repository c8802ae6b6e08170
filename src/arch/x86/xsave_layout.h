/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where XSAVE puts its components in guest memory.  Processors differ; the
 * guest gets this host's places, so that a program's areas mean the same under
 * native execution and in the core.  (The image in struct x86_state has fixed
 * places.)
 */
#ifndef ARCH_X86_XSAVE_LAYOUT_H
#define ARCH_X86_XSAVE_LAYOUT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    X86_XCOMP_X87 = 0,
    X86_XCOMP_SSE = 1,
    X86_XCOMP_AVX = 2,
    X86_XCOMP_OPMASK = 5,
    X86_XCOMP_ZMM_HI = 6,
    X86_XCOMP_HI16_ZMM = 7,
    X86_XCOMP_PKRU = 9,
    X86_NUM_XCOMPS = 10,
    X86_XSAVE_HEADER = 512,
    X86_XSAVE_EXTENDED = 576,
};

struct x86_xcomp {
    uint16_t size;      /* 0: not an extended component */
    uint16_t offset;    /* in the standard format */
    uint8_t is_aligned; /* to 64 in the compacted format */
};

struct x86_xsave_layout {
    struct x86_xcomp comp[X86_NUM_XCOMPS];
};

/** x86_xsave_layout_get() - ask this host; what it lacks gets the manual's
 *  customary places. */
void x86_xsave_layout_get(struct x86_xsave_layout *out);

/* Bytes of an area with these components; format: the standard one. */
uint32_t x86_xsave_size(const struct x86_xsave_layout *layout, uint64_t comps);
/* The same, compacted. */
uint32_t x86_xsave_compact_size(const struct x86_xsave_layout *layout,
                                uint64_t comps);
/* Where component @index is in a compacted area with @comps. */
uint32_t x86_xsave_compact_offset(const struct x86_xsave_layout *layout,
                                  uint64_t comps, unsigned index);

#ifdef __cplusplus
}
#endif

#endif
