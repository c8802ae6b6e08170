/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the kernel's structures and struct x86_state; no system calls. */
#ifndef CPU_KVM_KVM_REGS_H
#define CPU_KVM_KVM_REGS_H

#include "arch/x86/state.h"
#include "arch/x86/xsave_layout.h"
#include "cpu/kvm/kvm_uapi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void kvm_regs_to(const struct x86_state *state, struct kvm_regs *out);
void kvm_regs_from(const struct kvm_regs *regs, struct x86_state *state);

/* The bitmap of an interrupt that is injected comes from state->events. */
void kvm_sregs_to(const struct x86_state *state, struct kvm_sregs *out);
void kvm_sregs_from(const struct kvm_sregs *sregs, struct x86_state *state);

void kvm_events_to(const struct x86_state *state, struct kvm_vcpu_events *out);
void kvm_events_from(const struct kvm_vcpu_events *events,
                     struct x86_state *state);

void kvm_debug_to(const struct x86_state *state, struct kvm_debugregs *out);
void kvm_debug_from(const struct kvm_debugregs *debug, struct x86_state *state);

/* Components that XSTATE_BV leaves out become zero. */
void kvm_xsave_to(const struct x86_state *state,
                  const struct x86_xsave_layout *layout, uint8_t *image,
                  size_t size);
void kvm_xsave_from(const uint8_t *image, size_t size,
                    const struct x86_xsave_layout *layout,
                    struct x86_state *state);

#ifdef __cplusplus
}
#endif

#endif
