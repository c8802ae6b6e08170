/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's CPUID table for KVM: the same answers that the core gives. */
#ifndef CPU_KVM_KVM_CPUID_H
#define CPU_KVM_KVM_CPUID_H

#include <stdint.h>

#include "base/compiler.h"
#include "cpu/kvm/kvm_host.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_cpuid;
struct x86_state;

/** kvm_cpuid_make() - all leaves of @cpuid as seen by CPU @apic_id; caller
 *  frees with mem_free(). */
struct kvm_cpuid2 *kvm_cpuid_make(const struct x86_cpuid *cpuid,
                                  const struct x86_state *state,
                                  uint32_t apic_id);

#ifdef __cplusplus
}
#endif

#endif
