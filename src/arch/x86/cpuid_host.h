/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host can execute, found out by executing it. */
#ifndef ARCH_X86_CPUID_HOST_H
#define ARCH_X86_CPUID_HOST_H

#include <stdbool.h>

#include "arch/x86/cpuid.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_cpuid_host {
    bool can[X86_NUM_FEATURES]; /* true for what needs nothing of the host */
};

/**
 * x86_cpuid_host_probe() - execute one instruction of each feature in a child
 *
 * Returns: 0; -errno if the child could not be made: then only what every
 * x86-64 processor has is true.
 */
SIM_MUST_CHECK int x86_cpuid_host_probe(struct x86_cpuid_host *out);

#ifdef __cplusplus
}
#endif

#endif
