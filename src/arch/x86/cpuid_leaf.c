/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPUID instruction, leaf by leaf.  Topology: one thread per core, all
 * cores in one package, one shared L3.
 * Source: [SDM] Vol. 2A, "CPUID"; [APM] Vol. 3, "Obtaining Processor
 * Information Via the CPUID Instruction".
 */
#include "arch/x86/cpuid.h"

#include "arch/x86/cpuid_internal.h"
#include "arch/x86/state.h"
#include "base/alloc.h"

#include <string.h>

enum {
    MAX_BASIC = 0x16,
    MAX_BASIC_AMD = 0x10,
    CR4_OSXSAVE = 1 << 18,
    CR4_PKE = 1 << 22,
    APIC_BASE_ENABLE = 1 << 11,
    CLFLUSH_UNITS = 8, /* of 8 bytes */
};
#define EXTENDED       0x80000000u
#define HYPERVISOR     0x40000000u
#define MAX_HYPERVISOR 0x40000010u

struct query {
    const struct x86_cpuid *cpuid;
    const struct x86_state *state;
    uint32_t apic_id, leaf, subleaf;
};

typedef void leaf_fn(const struct query *q, struct x86_cpuid_regs *out);

/* ------------------------------------------------------------------- features
 */

static void add_bit(struct x86_cpuid_regs *out, const struct x86_cpuid_row *row)
{
    uint32_t *regs[] = {&out->eax, &out->ebx, &out->ecx, &out->edx};

    *regs[row->reg] |= UINT32_C(1) << row->bit;
}

static void add_features(const struct query *q, struct x86_cpuid_regs *out)
{
    for (size_t i = 0; i < X86_NUM_FEATURES; i++) {
        const struct x86_cpuid_row *row = &x86_cpuid_rows[i];

        if (q->cpuid->has[i] && row->leaf == q->leaf &&
            row->subleaf == q->subleaf)
            add_bit(out, row);
    }
}

static void text_regs(const char *text, struct x86_cpuid_regs *out)
{
    memcpy(&out->eax, text, 4);
    memcpy(&out->ebx, text + 4, 4);
    memcpy(&out->ecx, text + 8, 4);
    memcpy(&out->edx, text + 12, 4);
}

static void vendor_regs(const char *vendor, struct x86_cpuid_regs *out)
{
    memcpy(&out->ebx, vendor, 4);
    memcpy(&out->edx, vendor + 4, 4);
    memcpy(&out->ecx, vendor + 8, 4);
}

/* ---------------------------------------------------------------- basic leaves
 */

static uint32_t max_basic(const struct x86_cpuid *cpuid)
{
    return cpuid->is_amd ? MAX_BASIC_AMD : MAX_BASIC;
}

static void leaf_0(const struct query *q, struct x86_cpuid_regs *out)
{
    out->eax = max_basic(q->cpuid);
    vendor_regs(q->cpuid->vendor, out);
}

static void leaf_1(const struct query *q, struct x86_cpuid_regs *out)
{
    out->eax = q->cpuid->signature;
    out->ebx = q->apic_id << 24 | (q->cpuid->num_cpus & 0xff) << 16 |
               CLFLUSH_UNITS << 8;
    add_features(q, out);
    if (q->state->cr4 & CR4_OSXSAVE)
        out->ecx |= 1u << 27;
    if (!(q->state->apic_base & APIC_BASE_ENABLE))
        out->edx &= ~(1u << 9);
}

static void leaf_2(const struct query *q, struct x86_cpuid_regs *out)
{
    if (q->cpuid->is_amd)
        return;
    out->eax = 0x00feff01; /* see leaf 4 for caches, leaf 18H for TLBs */
    out->ebx = 0xf0;       /* 64-byte prefetch */
}

enum { CACHE_DATA = 1, CACHE_CODE, CACHE_UNIFIED };

struct cache {
    uint8_t type, level;
    uint32_t size, ways;
};
static const struct cache caches[] = {
    {CACHE_DATA,    1, 32 << 10, 8 },
    {CACHE_CODE,    1, 32 << 10, 8 },
    {CACHE_UNIFIED, 2, 1 << 20,  8 },
    {CACHE_UNIFIED, 3, 32 << 20, 16},
};

/* Also AMD's 8000001DH. */
static void leaf_caches(const struct query *q, struct x86_cpuid_regs *out)
{
    const struct cache *cache = NULL;
    uint32_t sharing = 0;

    if (q->subleaf >= SIM_ARRAY_LEN(caches))
        return;
    cache = &caches[q->subleaf];
    if (cache->level == 3)
        sharing = q->cpuid->num_cpus - 1;
    out->eax = cache->type | (uint32_t)cache->level << 5 | 1u << 8 |
               (sharing & 0xfff) << 14;
    if (!q->cpuid->is_amd)
        out->eax |= ((q->cpuid->num_cpus - 1) & 0x3f) << 26;
    out->ebx = (cache->ways - 1) << 22 | 63;
    out->ecx = cache->size / cache->ways / 64 - 1;
}

static void leaf_4(const struct query *q, struct x86_cpuid_regs *out)
{
    if (!q->cpuid->is_amd)
        leaf_caches(q, out);
}

static void leaf_6(const struct query *q, struct x86_cpuid_regs *out)
{
    add_features(q, out);
}

static void leaf_7(const struct query *q, struct x86_cpuid_regs *out)
{
    add_features(q, out);
    if (q->subleaf == 0)
        out->eax = 1; /* last sub-leaf */
    if (q->subleaf == 0 && q->cpuid->has[X86_FEAT_PKU] &&
        (q->state->cr4 & CR4_PKE))
        out->ecx |= 1u << 4;
}

static uint32_t bits_for(uint32_t count)
{
    uint32_t bits = 0;

    while ((UINT32_C(1) << bits) < count && bits < 31)
        bits++;
    return bits;
}

/* Level 0: threads of a core, 1: cores of the package. */
static void leaf_b(const struct query *q, struct x86_cpuid_regs *out)
{
    out->ecx = q->subleaf & 0xff;
    out->edx = q->apic_id;
    if (q->subleaf == 0) {
        out->ebx = 1;
        out->ecx |= 1u << 8;
    } else if (q->subleaf == 1) {
        out->eax = bits_for(q->cpuid->num_cpus);
        out->ebx = q->cpuid->num_cpus;
        out->ecx |= 2u << 8;
    }
}

static void leaf_d_comp(const struct query *q, struct x86_cpuid_regs *out)
{
    const struct x86_xcomp *comp;

    if (q->subleaf >= X86_NUM_XCOMPS ||
        !(x86_cpuid_xcr0_mask(q->cpuid) >> q->subleaf & 1))
        return;
    comp = &q->cpuid->layout.comp[q->subleaf];
    out->eax = comp->size;
    out->ebx = comp->offset;
    out->ecx = comp->is_aligned ? 2 : 0;
}

static void leaf_d(const struct query *q, struct x86_cpuid_regs *out)
{
    const struct x86_cpuid *cpuid = q->cpuid;
    uint64_t mask = x86_cpuid_xcr0_mask(cpuid);

    if (!cpuid->has[X86_FEAT_XSAVE])
        return;
    if (q->subleaf == 0) {
        out->eax = (uint32_t)mask;
        out->edx = (uint32_t)(mask >> 32);
        out->ebx = x86_xsave_size(&cpuid->layout, q->state->xcr0);
        out->ecx = x86_xsave_size(&cpuid->layout, mask);
    } else if (q->subleaf == 1) {
        add_features(q, out);
        if (cpuid->has[X86_FEAT_XSAVEC])
            out->ebx = x86_xsave_compact_size(&cpuid->layout, q->state->xcr0);
    } else {
        leaf_d_comp(q, out);
    }
}

/* TSC = crystal * EBX / EAX; a crystal that fits its register. */
static void leaf_15(const struct query *q, struct x86_cpuid_regs *out)
{
    uint64_t factor = 1;

    if (q->cpuid->is_amd || !q->cpuid->tsc_hz)
        return;
    while (q->cpuid->tsc_hz / factor > UINT32_MAX || q->cpuid->tsc_hz % factor)
        factor++;
    out->eax = 1;
    out->ebx = (uint32_t)factor;
    out->ecx = (uint32_t)(q->cpuid->tsc_hz / factor);
}

static void leaf_16(const struct query *q, struct x86_cpuid_regs *out)
{
    uint32_t mhz = (uint32_t)(q->cpuid->tsc_hz / 1000000);

    if (q->cpuid->is_amd || !mhz)
        return;
    out->eax = mhz & 0xffff;
    out->ebx = mhz & 0xffff;
    out->ecx = 100;
}

/* ----------------------------------------------------------- hypervisor leaves
 */

static void leaf_hypervisor(const struct query *q, struct x86_cpuid_regs *out)
{
    if (!q->cpuid->has[X86_FEAT_HYPERVISOR])
        return;
    out->eax = MAX_HYPERVISOR;
    memcpy(&out->ebx, "Gear", 4);
    memcpy(&out->ecx, "shif", 4);
    memcpy(&out->edx, "tSim", 4);
}

static void leaf_hypervisor_time(const struct query *q,
                                 struct x86_cpuid_regs *out)
{
    if (q->cpuid->has[X86_FEAT_HYPERVISOR])
        out->eax = (uint32_t)(q->cpuid->tsc_hz / 1000);
}

/* ------------------------------------------------------------- extended leaves
 */

static void leaf_ext_0(const struct query *q, struct x86_cpuid_regs *out)
{
    out->eax = EXTENDED + 8;
    if (!q->cpuid->is_amd)
        return;
    out->eax = EXTENDED + 0x1e;
    vendor_regs(q->cpuid->vendor, out);
}

static void leaf_ext_1(const struct query *q, struct x86_cpuid_regs *out)
{
    struct query basic = *q;
    struct x86_cpuid_regs legacy = {0, 0, 0, 0};

    add_features(q, out);
    if (!q->cpuid->is_amd)
        return;
    out->eax = q->cpuid->signature;
    out->ecx |= (q->cpuid->num_cpus > 1 ? 1u : 0) << 1; /* CmpLegacy */
    basic.leaf = 1;
    leaf_1(&basic, &legacy);
    out->edx |= legacy.edx & 0x0183f3ff; /* AMD repeats them */
}

static void leaf_brand(const struct query *q, struct x86_cpuid_regs *out)
{
    text_regs(q->cpuid->brand + (size_t)16 * (q->leaf - EXTENDED - 2), out);
}

static void leaf_ext_5(const struct query *q, struct x86_cpuid_regs *out)
{
    if (!q->cpuid->is_amd)
        return;
    out->eax = 0xff40ff40; /* TLBs: 64 entries, fully associative */
    out->ebx = 0xff40ff40;
    out->ecx = 32u << 24 | 8u << 16 | 1u << 8 | 64; /* L1D: KiB, ways, line */
    out->edx = 32u << 24 | 8u << 16 | 1u << 8 | 64;
}

static void leaf_ext_6(const struct query *q, struct x86_cpuid_regs *out)
{
    out->ecx = 1024u << 16 | 6u << 12 | 64; /* L2: KiB, 8 ways, line */
    if (q->cpuid->is_amd)
        out->edx = 64u << 18 | 9u << 12 | 1u << 8 | 64; /* L3: 512 KiB units */
}

static void leaf_ext_7(const struct query *q, struct x86_cpuid_regs *out)
{
    (void)q;
    out->edx = 1u << 8; /* invariant TSC */
}

static void leaf_ext_8(const struct query *q, struct x86_cpuid_regs *out)
{
    out->eax = q->cpuid->phys_bits | 48u << 8;
    add_features(q, out);
    if (q->cpuid->is_amd)
        out->ecx = bits_for(q->cpuid->num_cpus) << 12 |
                   ((q->cpuid->num_cpus - 1) & 0xff);
}

static void leaf_ext_1d(const struct query *q, struct x86_cpuid_regs *out)
{
    if (q->cpuid->is_amd)
        leaf_caches(q, out);
}

static void leaf_ext_1e(const struct query *q, struct x86_cpuid_regs *out)
{
    if (!q->cpuid->is_amd)
        return;
    out->eax = q->apic_id;
    out->ebx = q->apic_id & 0xff;
}

static const struct {
    uint32_t leaf;
    leaf_fn *fn;
} leaves[] = {
    {0x0,             leaf_0              },
    {0x1,             leaf_1              },
    {0x2,             leaf_2              },
    {0x4,             leaf_4              },
    {0x6,             leaf_6              },
    {0x7,             leaf_7              },
    {0xb,             leaf_b              },
    {0xd,             leaf_d              },
    {0x15,            leaf_15             },
    {0x16,            leaf_16             },
    {HYPERVISOR,      leaf_hypervisor     },
    {MAX_HYPERVISOR,  leaf_hypervisor_time},
    {EXTENDED,        leaf_ext_0          },
    {EXTENDED + 1,    leaf_ext_1          },
    {EXTENDED + 2,    leaf_brand          },
    {EXTENDED + 3,    leaf_brand          },
    {EXTENDED + 4,    leaf_brand          },
    {EXTENDED + 5,    leaf_ext_5          },
    {EXTENDED + 6,    leaf_ext_6          },
    {EXTENDED + 7,    leaf_ext_7          },
    {EXTENDED + 8,    leaf_ext_8          },
    {EXTENDED + 0x1d, leaf_ext_1d         },
    {EXTENDED + 0x1e, leaf_ext_1e         },
};

/* Beyond the last leaf Intel's processors answer as the last basic leaf does,
 * AMD's with zeros. */
static uint32_t effective_leaf(const struct x86_cpuid *cpuid, uint32_t leaf)
{
    if (cpuid->is_amd || leaf <= max_basic(cpuid))
        return leaf;
    if (leaf >= EXTENDED)
        return leaf <= EXTENDED + 8 ? leaf : max_basic(cpuid);
    if (leaf >= HYPERVISOR && leaf <= MAX_HYPERVISOR &&
        cpuid->has[X86_FEAT_HYPERVISOR])
        return leaf;
    return max_basic(cpuid);
}

static bool has_subleaves(uint32_t leaf)
{
    return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd ||
           leaf == EXTENDED + 0x1d;
}

struct x86_cpuid_regs x86_cpuid_read(const struct x86_cpuid *cpuid,
                                     const struct x86_state *state,
                                     uint32_t apic_id, uint32_t leaf,
                                     uint32_t subleaf)
{
    struct query q = {cpuid, state, apic_id, effective_leaf(cpuid, leaf),
                      subleaf};
    struct x86_cpuid_regs out = {0, 0, 0, 0};

    if (!has_subleaves(q.leaf))
        q.subleaf = 0;
    for (size_t i = 0; i < SIM_ARRAY_LEN(leaves); i++) {
        if (leaves[i].leaf == q.leaf)
            leaves[i].fn(&q, &out);
    }
    return out;
}
