/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which accesses of RDMSR and WRMSR leave KVM: those to registers that KVM does
 * not know or whose value it refuses, and those that a filter names.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst, "KVM_X86_SET_MSR_FILTER".
 */
#ifndef CPU_KVM_KVM_MSR_EXIT_H
#define CPU_KVM_KVM_MSR_EXIT_H

#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_host;

enum { KVM_MSR_EXIT_MAX = 16 }; /* registers in a filter; KVM's own limit */

/** kvm_msr_exit_unknown() - before vCPUs exist; nothing where the host cannot.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_msr_exit_unknown(const struct kvm_host *host, int vm_fd);
/** kvm_msr_exit_filter() - the registers @index[0 .. @count), too.
 *  Returns: 0; -ENOTSUP where the host cannot, -E2BIG for too many, other
 *  -errno. */
SIM_MUST_CHECK int kvm_msr_exit_filter(const struct kvm_host *host, int vm_fd,
                                       const uint64_t *index, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
