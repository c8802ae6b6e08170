/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_sync.h"

#include <errno.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/fault.h"
#include "arch/x86/sysreg.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_regs.h"
#include "cpu/kvm/kvm_trap.h"

#define MSR_LSTAR                 0xc0000082u
#define MSR_PLATFORM_INFO         0xceu
#define MSR_MISC_FEATURES_ENABLES 0x140u
#define PLATFORM_CPUID_FAULTING   (UINT64_C(1) << 31)
#define FEATURE_CPUID_FAULTING    UINT64_C(1)

enum { SYNC_SHARED = KVM_STATE_REGS | KVM_STATE_SREGS };

int kvm_sync_init(struct kvm_sync *sync, struct kvm_host *host, int fd,
                  struct kvm_run *run, struct x86_core *core)
{
    sync->run = run;
    sync->core = core;
    sync->is_loaded = false;
    return kvm_state_init(&sync->io, host, fd);
}

void kvm_sync_fini(struct kvm_sync *sync)
{
    kvm_state_fini(&sync->io);
    sync->is_loaded = false;
}

void kvm_sync_forget(struct kvm_sync *sync)
{
    sync->is_loaded = false;
    sync->is_lent = false;
}

/* ------------------------------------------------------------------ entering
 */

static bool sync_is_shared(const struct kvm_sync *sync)
{
    const uint64_t both = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    uint64_t has = (unsigned)sync->io.host->cap_value[KVM_HAS_SYNC_REGS];

    return (has & both) == both;
}

static uint64_t sync_events_bit(const struct kvm_sync *sync)
{
    return (unsigned)sync->io.host->cap_value[KVM_HAS_SYNC_REGS] &
           KVM_SYNC_X86_EVENTS;
}

static bool sync_is_pae(const struct kvm_sync *sync)
{
    const struct x86_state *state = x86_core_state(sync->core);

    return x86_is_pae(state->cr0, state->cr4, state->efer);
}

/* Not by the page: with it KVM would load the pointers from memory. */
static int sync_put_pae(struct kvm_sync *sync)
{
    const struct x86_state *state = x86_core_state(sync->core);
    int err = kvm_call_set_sregs(sync->io.host, sync->io.fd, &sync->sregs);

    sync->run->kvm_dirty_regs &= ~(uint64_t)KVM_SYNC_X86_SREGS;
    memcpy(sync->pdpte, state->pdpte, sizeof(sync->pdpte));
    return err ? err
               : kvm_state_put_pdptes(&sync->io, &sync->sregs, sync->pdpte);
}

static int sync_put_sregs(struct kvm_sync *sync, const struct kvm_sregs *sregs)
{
    const struct x86_state *state = x86_core_state(sync->core);
    bool is_pae = sync_is_pae(sync);

    if (!memcmp(sregs, &sync->sregs, sizeof(*sregs)) &&
        (!is_pae || !memcmp(sync->pdpte, state->pdpte, sizeof(sync->pdpte))))
        return 0;
    sync->sregs = *sregs;
    /* In any case: a run that is turned back does not write the page. */
    sync->run->s.regs.sregs = *sregs;
    if (is_pae)
        return sync_put_pae(sync);
    if (!sync_is_shared(sync) || !sync->is_loaded)
        return kvm_call_set_sregs(sync->io.host, sync->io.fd, &sync->sregs);
    sync->run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    return 0;
}

static int sync_put_regs(struct kvm_sync *sync, const struct kvm_regs *regs)
{
    if (!memcmp(regs, &sync->regs, sizeof(*regs)) && sync->is_loaded)
        return 0;
    sync->regs = *regs;
    sync->run->s.regs.regs = *regs;
    if (!sync_is_shared(sync) || !sync->is_loaded)
        return kvm_call_set_regs(sync->io.host, sync->io.fd, &sync->regs);
    sync->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
    return 0;
}

/* Ring 3 changes no more than that. */
static bool sync_is_ring3(const struct kvm_sync *sync)
{
    return sync->trap || sync->is_split;
}

/* Interrupts and exceptions on their way into ring 0. */
static int sync_put_events(struct kvm_sync *sync)
{
    struct kvm_vcpu_events events;

    if (sync_is_ring3(sync))
        return 0;
    memset(&events, 0, sizeof(events));
    kvm_events_to(x86_core_state(sync->core), &events);
    if (!memcmp(&events, &sync->events, sizeof(events)))
        return 0;
    sync->events = events;
    return kvm_state_put(&sync->io, x86_core_state(sync->core),
                         KVM_STATE_EVENTS);
}

static int sync_get_events(struct kvm_sync *sync)
{
    struct x86_state *state = x86_core_state(sync->core);
    int err = 0;

    if (sync_is_ring3(sync))
        return 0;
    if (!kvm_state_get_run(&sync->io, sync->run, state, KVM_STATE_EVENTS))
        err = kvm_state_get(&sync->io, state, KVM_STATE_EVENTS);
    memset(&sync->events, 0, sizeof(sync->events));
    kvm_events_to(state, &sync->events);
    return err;
}

static int sync_clear_events(struct kvm_sync *sync)
{
    struct kvm_vcpu_events none = {0};

    sync->may_hold_trap = false;
    return kvm_call_set_vcpu_events(sync->io.host, sync->io.fd, &none);
}

int kvm_sync_drop_fault(struct kvm_sync *sync)
{
    struct kvm_vcpu_events events = {0};
    int err = 0;

    if (!(sync->io.groups & KVM_STATE_EVENTS))
        return 0; /* the host has said what it cannot carry */
    err = kvm_call_get_vcpu_events(sync->io.host, sync->io.fd, &events);
    if (err)
        return err;
    sync->may_hold_trap = true; /* INT3 is never shown */
    if (!events.exception.injected && !events.exception.pending)
        return 0;
    return events.exception.nr == X86_DB ? 0 : sync_clear_events(sync);
}

/* A trap of one thread is none of another's. */
static int sync_settle_trap(struct kvm_sync *sync, const struct kvm_regs *regs)
{
    if (!sync->may_hold_trap)
        return 0;
    sync->may_hold_trap = false;
    if (!memcmp(regs, &sync->regs, sizeof(*regs)))
        return 0;
    return sync_clear_events(sync);
}

static void sync_build(const struct kvm_sync *sync, struct kvm_regs *regs,
                       struct kvm_sregs *sregs)
{
    const struct x86_state *state = x86_core_state(sync->core);

    memset(regs, 0, sizeof(*regs));
    kvm_regs_to(state, regs);
    kvm_sregs_to(state, sregs);
    if (sync->trap)
        kvm_trap_put(sync->trap, sync->index, sregs);
    else if (sync->is_split)
        kvm_machine_put(sregs);
}

static uint32_t sync_later(const struct kvm_sync *sync)
{
    return sync_is_ring3(sync)
               ? KVM_STATE_XSAVE
               : KVM_STATE_ALL & ~(uint32_t)SYNC_SHARED &
                     ~(uint32_t)KVM_STATE_EVENTS & ~(uint32_t)KVM_STATE_MP;
}

static int sync_put_msrs(struct kvm_sync *sync,
                         const struct kvm_msr_entry *entries, uint32_t count)
{
    union {
        struct kvm_msrs head;
        uint64_t room[1 + KVM_TRAP_NUM_MSRS * sizeof(struct kvm_msr_entry) / 8];
    } list = {.head = {.nmsrs = count}};
    int done = 0;

    memcpy(list.head.entries, entries, count * sizeof(*entries));
    done = kvm_call_set_msrs(sync->io.host, sync->io.fd, &list.head);
    return done < 0 ? done : done == (int)count ? 0 : -EINVAL;
}

/* CPUID of ring 3 faults, and the core answers: some hosts would let it see the
 * host's processor.  Others refuse these MSRs, but use the table they have.
 * [SDM] Vol. 3A, "CPUID Faulting". */
static void sync_fault_cpuid(struct kvm_sync *sync)
{
    const struct kvm_msr_entry offer = {.index = MSR_PLATFORM_INFO,
                                        .data = PLATFORM_CPUID_FAULTING};
    const struct kvm_msr_entry enable = {.index = MSR_MISC_FEATURES_ENABLES,
                                         .data = FEATURE_CPUID_FAULTING};

    if (!sync_put_msrs(sync, &offer, 1))
        (void)sync_put_msrs(sync, &enable, 1);
}

/* What stands in the place of the guest's own kernel. */
static int sync_put_overlay(struct kvm_sync *sync)
{
    const struct kvm_msr_entry split = {.index = MSR_LSTAR,
                                        .data = KVM_SPLIT_LSTAR};
    struct kvm_msr_entry traps[KVM_TRAP_NUM_MSRS];

    if (!sync_is_ring3(sync))
        return 0;
    sync_fault_cpuid(sync);
    if (sync->is_split)
        return sync_put_msrs(sync, &split, 1);
    kvm_trap_msrs(sync->trap, traps);
    return sync_put_msrs(sync, traps, KVM_TRAP_NUM_MSRS);
}

/* The vCPU's first state, or one that comes from another CPU model. */
static int sync_put_all(struct kvm_sync *sync)
{
    const struct x86_state *state = x86_core_state(sync->core);
    uint32_t groups = KVM_STATE_ALL & ~(uint32_t)SYNC_SHARED;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    int err = 0;

    x86_core_sync(sync->core);
    sync_build(sync, &regs, &sregs);
    memset(&sync->sregs, 0xff, sizeof(sync->sregs)); /* unlike any */
    err = sync_put_sregs(sync, &sregs);
    if (!err)
        err = sync_put_regs(sync, &regs);
    if (!err)
        err = kvm_state_put(&sync->io, state, groups);
    if (!err)
        err = sync_put_overlay(sync);
    if (err)
        return err;
    memcpy(sync->xsave, state->xsave, sizeof(sync->xsave));
    memcpy(sync->msr, state->msr, sizeof(sync->msr));
    (void)x86_core_take_changed(sync->core);
    sync->run->cr8 = sregs.cr8;
    sync->may_hold_trap = false;
    sync->run->kvm_valid_regs =
        sync_is_shared(sync) ? KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS : 0;
    if (!sync_is_ring3(sync))
        sync->run->kvm_valid_regs |= sync_events_bit(sync);
    memset(&sync->events, 0, sizeof(sync->events));
    kvm_events_to(state, &sync->events);
    sync->is_loaded = true;
    return 0;
}

static int sync_put_changed(struct kvm_sync *sync)
{
    const struct x86_state *state = x86_core_state(sync->core);
    uint32_t groups = 0;
    int err;

    if (memcmp(sync->xsave, state->xsave, sizeof(sync->xsave)) != 0)
        groups |= KVM_STATE_XSAVE;
    if (sync->is_split && memcmp(sync->msr, state->msr, sizeof(sync->msr)) != 0)
        groups |= KVM_STATE_MSRS | KVM_STATE_XCRS;
    if (!sync_is_ring3(sync))
        groups |= sync_later(sync) & ~(uint32_t)KVM_STATE_XSAVE;
    if (!groups)
        return 0;
    memcpy(sync->xsave, state->xsave, sizeof(sync->xsave));
    memcpy(sync->msr, state->msr, sizeof(sync->msr));
    sync->num_put++;
    err = kvm_state_put(&sync->io, state, groups);
    return err || !(groups & KVM_STATE_MSRS) ? err : sync_put_overlay(sync);
}

int kvm_sync_enter(struct kvm_sync *sync)
{
    bool is_changed = false;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    int err = 0;

    sync->entry_rip = x86_core_state(sync->core)->rip;
    if (!sync->is_loaded)
        return sync_put_all(sync);
    if (!sync->is_lent) {
        x86_core_sync(sync->core);
        is_changed = x86_core_take_changed(sync->core);
    }
    sync_build(sync, &regs, &sregs);
    sync->run->cr8 = sregs.cr8; /* KVM takes it from there at each entry */
    err = sync_settle_trap(sync, &regs);
    if (!err)
        err = sync_put_sregs(sync, &sregs);
    if (!err)
        err = sync_put_regs(sync, &regs);
    if (!err && is_changed)
        err = sync_put_changed(sync);
    return err ? err : sync_put_events(sync);
}

/* ------------------------------------------------------------------- leaving
 */

static int sync_get_shared(struct kvm_sync *sync)
{
    int err = 0;

    if (sync_is_shared(sync)) {
        sync->regs = sync->run->s.regs.regs;
        sync->sregs = sync->run->s.regs.sregs;
        return 0;
    }
    err = kvm_call_get_regs(sync->io.host, sync->io.fd, &sync->regs);
    return err ? err
               : kvm_call_get_sregs(sync->io.host, sync->io.fd, &sync->sregs);
}

/* Of ring 3 the overlay stays behind. */
static void sync_take_sregs(const struct kvm_sync *sync,
                            struct x86_state *state)
{
    struct x86_table_reg idtr = state->idtr;
    struct x86_seg tr = state->tr;
    uint64_t cr4 = state->cr4;

    kvm_sregs_from(&sync->sregs, state);
    if (!sync_is_ring3(sync))
        return;
    state->idtr = idtr;
    state->tr = tr;
    state->cr4 = cr4; /* no instruction of ring 3 changes it */
}

/* A vCPU that does not tell has what CR3 points to, as far as we know. */
static int sync_take_pdptes(struct kvm_sync *sync, struct x86_state *state)
{
    struct x86_fault fault;
    int err;

    if (!sync_is_pae(sync))
        return 0;
    err = kvm_state_get_pdptes(&sync->io, state->pdpte);
    if (err == -ENODATA) {
        (void)x86_load_pdptes(sync->core, state->cr3, &fault);
        err = 0;
    }
    memcpy(sync->pdpte, state->pdpte, sizeof(sync->pdpte));
    return err;
}

/* Somebody asks for the core's state. */
static void sync_fetch(void *ctx, struct x86_core *core)
{
    struct kvm_sync *sync = ctx;
    struct x86_state *state = x86_core_state(core);
    int err = kvm_state_get(&sync->io, state, sync_later(sync));

    sync->is_lent = false;
    sync->num_get++;
    if (err)
        sync->err = err;
    else
        memcpy(sync->xsave, state->xsave, sizeof(sync->xsave));
    if (!sync_is_ring3(sync))
        x86_core_flush_tlb(core); /* the guest may have changed its tables */
}

int kvm_sync_exit(struct kvm_sync *sync)
{
    struct x86_state *state = x86_core_state(sync->core);
    int err = sync_get_shared(sync);

    if (err)
        return err;
    kvm_regs_from(&sync->regs, state);
    sync_take_sregs(sync, state);
    err = sync_take_pdptes(sync, state);
    if (err)
        return err;
    sync->is_lent = true;
    x86_core_lend(sync->core, sync_fetch, sync);
    return sync_get_events(sync);
}
