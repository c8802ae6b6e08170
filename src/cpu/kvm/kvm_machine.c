/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_machine.h"

#include <string.h>

#include "cpu/kvm/kvm_cpu.h"

enum { SYSCALL_SIZE = 2 };
#define EFER_LMA UINT64_C(0x400)

const char *const kvm_ring0_mode_names[KVM_NUM_RING0_MODES + 1] = {
    "auto", "kvm", "simulated", NULL};

bool kvm_machine_is_split(const struct kvm_system *kvm)
{
    if (kvm->ring0 == KVM_RING0_AUTO)
        return kvm->probe.ring0 == KVM_RING0_EMULATED;
    return kvm->ring0 == KVM_RING0_SIMULATED;
}

void kvm_machine_put(struct kvm_sregs *sregs)
{
    sregs->idt.base = 0;
    sregs->idt.limit = 0;
}

/* The core executes until it can take what waits: it knows best when. */
static bool machine_has_event(struct kvm_cpu *cpu)
{
    const struct x86_state *state = x86_core_state(cpu->base.core);

    return state->events.nmi_pending || state->mp_state == X86_HALTED ||
           cpu_interrupt_pending(&cpu->base) >= 0;
}

static bool machine_is_ring3(const struct x86_state *state)
{
    return (state->efer & EFER_LMA) && state->seg[X86_CS].l &&
           state->seg[X86_SS_SEG].dpl == 3;
}

bool kvm_machine_is_for_core(struct kvm_cpu *cpu)
{
    const struct x86_state *state = x86_core_state(cpu->base.core);

    if (machine_has_event(cpu))
        return true;
    return kvm_machine_is_split(cpu->kvm) && !machine_is_ring3(state);
}

void kvm_machine_serve_event(struct kvm_cpu *cpu)
{
    struct x86_state *state = x86_core_state(cpu->base.core);

    /* SYSCALL has been executed: back to before it. */
    if (state->rip == KVM_SPLIT_LSTAR) {
        state->rip = state->gpr[X86_RCX] - SYSCALL_SIZE;
        state->rflags = state->gpr[X86_R11];
        cpu->num_syscall_traps++;
    } else {
        cpu->num_fault_traps++;
    }
    kvm_cpu_step(cpu);
}
