/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole machines under KVM: who executes what.
 *
 * Where the host executes ring 0 itself, KVM runs the guest and the core only
 * takes interrupts (it builds the frame and enters the handler) and what KVM's
 * emulator gives up on.  Where KVM would emulate ring 0 - slowly, and not all
 * of it - the rings are split: the core executes everything but ring 3 of
 * 64-bit mode.  Ring 3 runs with an empty descriptor table and a SYSCALL target
 * that is not mapped, so that each of its events is a shutdown with the state
 * intact; the core then executes the instruction again and does what the
 * architecture says.
 */
#ifndef CPU_KVM_KVM_MACHINE_H
#define CPU_KVM_KVM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/kvm/kvm_uapi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_cpu;
struct kvm_system;

/* KvmVM.ring0 */
enum kvm_ring0_mode {
    KVM_RING0_AUTO,
    KVM_RING0_KVM,
    KVM_RING0_SIMULATED,
    KVM_NUM_RING0_MODES
};
extern const char *const kvm_ring0_mode_names[KVM_NUM_RING0_MODES + 1];

/* Where SYSCALL of ring 3 goes in a split machine. */
#define KVM_SPLIT_LSTAR UINT64_C(0xfffffffffffe0000)

/** kvm_machine_is_split() - whether the core executes ring 0. */
bool kvm_machine_is_split(const struct kvm_system *kvm);
/** kvm_machine_put() - a split machine's tables in what the vCPU gets. */
void kvm_machine_put(struct kvm_sregs *sregs);
/** kvm_machine_is_for_core() - the next instruction is the core's: an interrupt
 *  or an exception is on its way, or the split says so. */
bool kvm_machine_is_for_core(struct kvm_cpu *cpu);
/** kvm_machine_serve_event() - after the shutdown of a split machine. */
void kvm_machine_serve_event(struct kvm_cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif
