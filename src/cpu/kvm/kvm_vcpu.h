/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * KVM as a back end of the vCPU contract: a run is one KVM_RUN on the thread
 * that the vCPU is bound to.  What the CPU model serves by itself - events of a
 * program, accesses of a machine - is an exit of kind NOTHING with the kernel's
 * number; the state is the core's whenever the vCPU is outside the guest.
 */
#ifndef CPU_KVM_KVM_VCPU_H
#define CPU_KVM_KVM_VCPU_H

#include <stdint.h>

#include "base/compiler.h"
#include "cpu/vcpu_exit.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_cpu;
struct vcpu_ops;

/* For programs, and for whole machines, where events can be injected. */
extern const struct vcpu_ops kvm_vcpu_se_ops, kvm_vcpu_ops;

/** kvm_vcpu_bind() - to the calling thread, with its timer; wakes a blocked one
 *  if it is told to run.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_vcpu_bind(struct kvm_cpu *cpu);

/** kvm_exit_kind() - kind of a KVM_EXIT_* number by itself; UNKNOWN for a
 * number without a row. */
enum vcpu_exit_kind kvm_exit_kind(uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif
