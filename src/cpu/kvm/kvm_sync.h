/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One architectural state in two places: the functional core and a vCPU.
 *
 * General and system registers travel with every entry and exit, through the
 * page shared with the kernel.  The rest costs a system call and travels when
 * it must: into the vCPU when the core's was changed, out of it when somebody
 * asks for the core's (x86_core_sync()).
 *
 * For programs the core's state is that of ring 3 at all times: descriptor
 * table, task register and the target of SYSCALL in the vCPU are the trap
 * pages' and never reach the core.  The same goes for ring 3 of a machine whose
 * ring 0 the core executes (kvm_machine.h).
 */
#ifndef CPU_KVM_KVM_SYNC_H
#define CPU_KVM_KVM_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "cpu/kvm/kvm_state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_trap;
struct x86_core;

struct kvm_sync {
    struct kvm_state_io io;
    struct kvm_run *run;
    struct x86_core *core;
    const struct kvm_trap *trap; /* NULL: a whole machine */
    bool is_split;               /* the core executes its ring 0 */
    uint32_t index;              /* of the CPU's trap page */
    bool is_loaded;              /* the vCPU has had a complete state */
    bool is_lent;                /* the vCPU's is newer than the core's */
    int err;                     /* of a fetch, which cannot return one */
    bool may_hold_trap;          /* KVM may have one that it does not show */
    uint64_t entry_rip;          /* RIP at the last entry */
    struct kvm_regs regs;        /* what the vCPU holds */
    struct kvm_sregs sregs;
    uint64_t pdpte[X86_NUM_PDPTES]; /* with PAE paging */
    struct kvm_vcpu_events events;  /* of a machine whose ring 0 KVM executes */
    uint8_t xsave[X86_XSAVE_SIZE];  /* the same, when last exchanged */
    uint64_t msr[X86_NUM_MSR_SLOTS];
    uint64_t num_put, num_get; /* of the extended state */
};

/** kvm_sync_init() - @fd: a vCPU with its CPUID set.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_sync_init(struct kvm_sync *sync, struct kvm_host *host,
                                 int fd, struct kvm_run *run,
                                 struct x86_core *core);
void kvm_sync_fini(struct kvm_sync *sync);

/** kvm_sync_enter() - the vCPU gets what the core has.  Returns: 0 or -errno.
 */
SIM_MUST_CHECK int kvm_sync_enter(struct kvm_sync *sync);
/** kvm_sync_exit() - after KVM_RUN: the core gets general and system registers
 *  and lends the rest.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_sync_exit(struct kvm_sync *sync);
/**
 * kvm_sync_drop_fault() - a run of ring 3 was interrupted: take back a fault
 * that is on its way
 *
 * RIP stands before the instruction, which faults again when its thread runs
 * again; another thread may be the next.  Traps stay: RIP is behind them.
 * Returns: 0 or -errno.
 */
SIM_MUST_CHECK int kvm_sync_drop_fault(struct kvm_sync *sync);
/** kvm_sync_forget() - the core's state comes from elsewhere now: give the vCPU
 *  all of it at the next entry. */
void kvm_sync_forget(struct kvm_sync *sync);

#ifdef __cplusplus
}
#endif

#endif
