/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The throw-away VM of the probe: one vCPU in 64-bit mode, 64 KiB of RAM with
 * its own tables, and a watchdog on every run.
 *
 *   page 0: code, ring 3 and ring 0    page 6: page directory, low
 *   page 1: GDT, TSS at 0x1800         page 7: page table, low
 *   page 2: TSS' I/O bitmap            page 8: page directory pointers, high
 *   page 3: LSTAR stub                 page 9: page directory, high
 *   page 4: PML4                       page 10: page table, high
 *   page 5: page directory pointers    page 11: stack
 *
 * The IDT is empty, so that any unexpected event ends in KVM_EXIT_SHUTDOWN.
 */
#ifndef CPU_KVM_KVM_PROBE_VM_H
#define CPU_KVM_KVM_PROBE_VM_H

#include "base/compiler.h"
#include "cpu/kvm/kvm_host.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    KVM_PROBE_RAM_SIZE = 0x10000,
    KVM_PROBE_PORT = 0x80, /* open to ring 3 */
};

struct kvm_probe_vm {
    const struct kvm_host *host;
    int vm_fd, vcpu_fd;
    struct kvm_run *run;
    uint8_t *ram;
};

enum kvm_probe_ring { KVM_PROBE_RING0 = 0, KVM_PROBE_RING3 = 3 };

struct kvm_probe_code {
    enum kvm_probe_ring ring;
    uint64_t stub_addr; /* where LSTAR points; upper half */
    uint64_t rcx;
    size_t len;
    uint8_t bytes[48];
};

/** kvm_probe_vm_create() - a VM ready for code.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_probe_vm_create(struct kvm_host *host,
                                       struct kvm_probe_vm *vm);
void kvm_probe_vm_destroy(struct kvm_probe_vm *vm);
/** kvm_probe_vm_load() - tables, code and registers anew. */
SIM_MUST_CHECK int kvm_probe_vm_load(struct kvm_probe_vm *vm,
                                     const struct kvm_probe_code *code);
/** kvm_probe_vm_run() - KVM_RUN, ended after 20 ms.
 *  Returns: the exit reason, or -errno. */
int kvm_probe_vm_run(struct kvm_probe_vm *vm);

#ifdef __cplusplus
}
#endif

#endif
