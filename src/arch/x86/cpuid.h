/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the simulated processor offers: one table for all CPU models.  A named
 * model ("host", "skylake", "zen3", "x86-64-v2", ...) is intersected with what
 * this host can really execute - found out by executing an instruction of each
 * feature in a child process, not from a list - and with what the core knows.
 */
#ifndef ARCH_X86_CPUID_H
#define ARCH_X86_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row per feature in cpuid_features.def:
 * X86_FEATURE(NAME, "linux_name", leaf, subleaf, register, bit). */
enum x86_feature {
#define X86_FEATURE(name, text, leaf, subleaf, reg, bit) X86_FEAT_##name,
#include "arch/x86/cpuid_features.def"
#undef X86_FEATURE
    X86_NUM_FEATURES
};

struct x86_cpuid_cfg {
    const char *model;     /* NULL: "host" */
    const char *vendor;    /* 12 characters; NULL: the model's */
    const char *brand;     /* up to 48 characters; NULL: the model's */
    bool offer_hypervisor; /* CPUID.1:ECX[31] */
    uint32_t num_cpus;
    uint64_t tsc_hz;   /* leaf 15H */
    uint8_t phys_bits; /* 0: 46 */
};

struct x86_cpuid;

/** x86_cpuid_create() - returns 0, or -ENOENT for an unknown model (@why lists
 *  the known ones). */
SIM_MUST_CHECK int x86_cpuid_create(const struct x86_cpuid_cfg *cfg,
                                    struct x86_cpuid **out, char why[256]);
void x86_cpuid_destroy(struct x86_cpuid *cpuid);

bool x86_cpuid_has(const struct x86_cpuid *cpuid, enum x86_feature feature);
uint8_t x86_cpuid_phys_bits(const struct x86_cpuid *cpuid);
/* XCR0 bits that may be set. */
uint64_t x86_cpuid_xcr0_mask(const struct x86_cpuid *cpuid);

struct x86_cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
struct x86_state;
/** x86_cpuid_read() - what the instruction returns on this core.
 * @state: for the bits that mirror it (OSXSAVE, OSPKE, XSAVE size, APIC) */
struct x86_cpuid_regs x86_cpuid_read(const struct x86_cpuid *cpuid,
                                     const struct x86_state *state,
                                     uint32_t apic_id, uint32_t leaf,
                                     uint32_t subleaf);

/** x86_cpuid_flags_text() - the "flags" line of /proc/cpuinfo; caller frees. */
char *x86_cpuid_flags_text(const struct x86_cpuid *cpuid);

#ifdef __cplusplus
}
#endif

#endif
