/* SPDX-License-Identifier: BSD-3-Clause */
/* struct x86_cpuid as the files cpuid*.c see it. */
#ifndef ARCH_X86_CPUID_INTERNAL_H
#define ARCH_X86_CPUID_INTERNAL_H

#include "arch/x86/cpuid.h"
#include "arch/x86/xsave_layout.h"
#include "base/log.h"

#ifdef __cplusplus
extern "C" {
#endif

enum x86_cpuid_register {
    X86_CPUID_EAX,
    X86_CPUID_EBX,
    X86_CPUID_ECX,
    X86_CPUID_EDX,
};

struct x86_cpuid_row {
    const char *text;
    uint32_t leaf, subleaf;
    uint8_t reg; /* enum x86_cpuid_register */
    uint8_t bit;
};
extern const struct x86_cpuid_row x86_cpuid_rows[X86_NUM_FEATURES];

struct x86_cpuid {
    bool has[X86_NUM_FEATURES];
    bool is_amd;
    char vendor[13];
    char brand[49];
    uint32_t signature; /* family, model, stepping as in leaf 1 */
    uint32_t num_cpus;
    uint64_t tsc_hz;
    uint8_t phys_bits;
    struct x86_xsave_layout layout;
};

#ifdef __cplusplus
}
#endif

#endif
