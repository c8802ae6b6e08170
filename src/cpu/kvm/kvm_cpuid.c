/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_cpuid.h"

#include <stdbool.h>

#include "arch/x86/cpuid.h"
#include "base/alloc.h"

enum { MAX_ENTRIES = 256, MAX_SUBLEAF = 64 };

/* Leaves that depend on ECX.  [SDM] Vol. 2A, "CPUID". */
static bool cpuid_is_indexed(uint32_t leaf)
{
    static const uint32_t indexed[] = {4,    7,    0xb,  0xd,       0xf,
                                       0x10, 0x12, 0x14, 0x8000001d};

    for (size_t i = 0; i < SIM_ARRAY_LEN(indexed); i++)
        if (indexed[i] == leaf)
            return true;
    return false;
}

static bool cpuid_is_empty(const struct x86_cpuid_regs *regs)
{
    return !(regs->eax | regs->ebx | regs->ecx | regs->edx);
}

struct cpuid_build {
    const struct x86_cpuid *cpuid;
    const struct x86_state *state;
    uint32_t apic_id;
    struct kvm_cpuid2 *out;
};

static void cpuid_add(struct cpuid_build *build, uint32_t leaf,
                      uint32_t subleaf)
{
    struct x86_cpuid_regs regs = x86_cpuid_read(build->cpuid, build->state,
                                                build->apic_id, leaf, subleaf);
    struct kvm_cpuid_entry2 *entry;

    if (build->out->nent == MAX_ENTRIES || (subleaf && cpuid_is_empty(&regs)))
        return;
    entry = &build->out->entries[build->out->nent++];
    entry->function = leaf;
    entry->index = subleaf;
    entry->flags = cpuid_is_indexed(leaf) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
    entry->eax = regs.eax;
    entry->ebx = regs.ebx;
    entry->ecx = regs.ecx;
    entry->edx = regs.edx;
}

static void cpuid_add_range(struct cpuid_build *build, uint32_t first)
{
    uint32_t last =
        x86_cpuid_read(build->cpuid, build->state, build->apic_id, first, 0)
            .eax;

    if (last < first || last - first > 0xff)
        return;
    for (uint32_t leaf = first; leaf <= last; leaf++)
        for (uint32_t sub = 0; sub < (cpuid_is_indexed(leaf) ? MAX_SUBLEAF : 1);
             sub++)
            cpuid_add(build, leaf, sub);
}

struct kvm_cpuid2 *kvm_cpuid_make(const struct x86_cpuid *cpuid,
                                  const struct x86_state *state,
                                  uint32_t apic_id)
{
    struct cpuid_build build = {cpuid, state, apic_id, NULL};

    build.out = alloc_zeroed(
        1, sizeof(*build.out) + MAX_ENTRIES * sizeof(build.out->entries[0]));
    cpuid_add_range(&build, 0);
    if (x86_cpuid_has(cpuid, X86_FEAT_HYPERVISOR))
        cpuid_add_range(&build, 0x40000000);
    cpuid_add_range(&build, 0x80000000);
    return build.out;
}
