/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exits that ask for an access: ports, addresses outside RAM, MSRs, HLT.  Each
 * is completed at once by an entry that executes nothing, so that the core's
 * state is always that between two instructions.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst, "The kvm_run structure".
 */
#include "cpu/kvm/kvm_access.h"

#include <errno.h>
#include <string.h>

#include "arch/x86/fault.h"
#include "arch/x86/msr.h"
#include "cpu/kvm/kvm_cpu.h"

/* KVM takes in what was read, then sees immediate_exit.  What the access did to
 * the local APIC is in the core's state already. */
static void access_complete(struct kvm_cpu *cpu)
{
    struct x86_state *state = x86_core_state(cpu->base.core);
    uint8_t nmi_pending = state->events.nmi_pending;
    int err;

    cpu->num_half_entries++;
    cpu->run->cr8 = state->cr8;
    __atomic_store_n(&cpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    err = kvm_call_run(cpu->kvm->host, cpu->fd, 0);
    __atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (!err && cpu->run->exit_reason != KVM_EXIT_INTR) {
        kvm_cpu_serve(cpu); /* a long string instruction goes on */
        return;
    }
    if (err && err != -EINTR)
        cpu->sync.err = err;
    else
        cpu->sync.err = kvm_sync_exit(&cpu->sync);
    state->events.nmi_pending |= nmi_pending;
}

void kvm_serve_port(struct kvm_cpu *cpu)
{
    struct kvm_run *run = cpu->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    unsigned size = run->io.size;

    for (uint32_t i = 0; i < run->io.count; i++, data += size) {
        uint32_t value = 0;

        if (run->io.direction == KVM_EXIT_IO_IN) {
            value = cpu_io_read(&cpu->base, run->io.port, size);
            memcpy(data, &value, size);
        } else {
            memcpy(&value, data, size);
            cpu_io_write(&cpu->base, run->io.port, size, value);
        }
    }
    access_complete(cpu);
}

static void access_gathered(void *self, const struct kvm_coalesced_mmio *write)
{
    struct kvm_cpu *cpu = self;
    const gpa_t addr = {write->phys_addr};
    uint64_t value = 0;
    unsigned size = write->len < sizeof(value) ? write->len : sizeof(value);

    memcpy(&value, write->data, size);
    cpu->num_coalesced++;
    if (write->pio)
        cpu_io_write(&cpu->base, (uint16_t)write->phys_addr, size,
                     (uint32_t)value);
    else
        cpu_mmio_write(&cpu->base, addr, size, value);
}

void kvm_serve_gathered(struct kvm_cpu *cpu)
{
    int count = 0;

    if (cpu->use_coalesced_mmio)
        count = kvm_vm_drain(cpu->kvm->vm, cpu->run, access_gathered, cpu);
    if (count < 0)
        cpu->sync.err = count;
}

/* [KVM] says at most 8 bytes; other sizes than the powers of two are parts of
 * wider accesses. */
void kvm_serve_mmio(struct kvm_cpu *cpu)
{
    struct kvm_run *run = cpu->run;
    const gpa_t addr = {run->mmio.phys_addr};
    unsigned size = run->mmio.len < 8 ? run->mmio.len : 8;
    uint64_t value = 0;

    cpu->num_mmio++;
    if (run->mmio.is_write) {
        memcpy(&value, run->mmio.data, size);
        cpu_mmio_write(&cpu->base, addr, size, value);
    } else {
        value = cpu_mmio_read(&cpu->base, addr, size);
        memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
    }
    access_complete(cpu);
}

void kvm_serve_rdmsr(struct kvm_cpu *cpu)
{
    struct x86_core *core = cpu->base.core;
    uint32_t index = cpu->run->msr.index;
    struct x86_fault fault;
    uint64_t value = 0;
    bool is_known = cpu_msr_read(&cpu->base, index, &value);

    if (!is_known) {
        x86_core_sync(core);
        is_known = x86_msr_read_own(core, index, &value, &fault);
    }
    cpu->run->msr.error = !is_known;
    cpu->run->msr.data = value;
    access_complete(cpu);
}

/* The core's registers twice, which changes nothing more: completion brings the
 * vCPU's system registers. */
void kvm_serve_wrmsr(struct kvm_cpu *cpu)
{
    struct x86_core *core = cpu->base.core;
    uint32_t index = cpu->run->msr.index;
    uint64_t value = cpu->run->msr.data;
    struct x86_fault fault;
    bool is_own = false;
    bool is_known = cpu_msr_write(&cpu->base, index, value);

    if (!is_known) {
        x86_core_sync(core);
        is_known = is_own = x86_msr_write_own(core, index, value, &fault);
    }
    cpu->run->msr.error = !is_known;
    access_complete(cpu);
    if (!is_own || cpu->sync.err)
        return;
    x86_core_sync(core);
    (void)x86_msr_write_own(core, index, value, &fault);
    x86_core_state_changed(core);
}

void kvm_serve_halt(struct kvm_cpu *cpu)
{
    cpu->num_halts++;
    x86_core_state(cpu->base.core)->mp_state = X86_HALTED;
}
