/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an exit of KVM asks for: a row per reason, and for programs the events
 * of ring 3 that the trap pages report.
 */
#include <inttypes.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/segment.h"
#include "cpu/kvm/kvm_access.h"
#include "cpu/kvm/kvm_cpu.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_trap.h"
#include "cpu/kvm/kvm_vcpu.h"
#include "sim/report.h"

/* ------------------------------------------------------------------ failures
 */

void kvm_cpu_fail(struct kvm_cpu *cpu, const char *cause, int code)
{
    struct base_cpu *base = &cpu->base;
    const struct x86_state *state = x86_core_state(base->core);

    sim_warn(&base->base.base,
             "%s: exit reason %u, rip %#" PRIx64 ", rsp %#" PRIx64
             ", rflags %#" PRIx64 ", cr2 %#" PRIx64 ", cs %#x",
             cause, cpu->run->exit_reason, state->rip, state->gpr[X86_RSP],
             state->rflags, state->cr2, state->seg[X86_CS].selector);
    sim_runner_suspend(base->base.base.sim, &base->runner);
    sim_exit_at(base->base.base.sim, cause, code, base->runner.now, 0);
}

/* ---------------------------------------------------------------- one by one
 */

void kvm_cpu_step(struct kvm_cpu *cpu)
{
    uint64_t before = x86_core_insts(cpu->base.core);

    base_cpu_run_core(&cpu->base, 1);
    kvm_cpu_core_ran(cpu);
    cpu->num_emulation_steps += x86_core_insts(cpu->base.core) - before;
}

/* ------------------------------------------------------------ ring 3's events
 */

static void kvm_serve_syscall(struct kvm_cpu *cpu)
{
    struct base_cpu *base = &cpu->base;
    struct x86_state *state = x86_core_state(base->core);
    struct x86_env *env = &base->linux_cpu.env;

    /* [SDM] Vol. 2B, "SYSCALL": RCX has RIP, R11 has RFLAGS.  Hosts that enter
     * ring 0 have changed the segments, too. */
    state->rip = state->gpr[X86_RCX];
    state->rflags = state->gpr[X86_R11];
    (void)segment_load(state, base->linux_cpu.thread, X86_CS, SELECTOR_USER_CS);
    (void)segment_load(state, base->linux_cpu.thread, X86_SS_SEG,
                       SELECTOR_USER_DS);
    cpu->num_syscall_traps++;
    (void)env->syscall(env, base->core, X86_CALL_SYSCALL);
}

static void kvm_leave_trap(struct kvm_cpu *cpu,
                           const struct kvm_trap_frame *frame)
{
    struct x86_state *state = x86_core_state(cpu->base.core);
    const struct thread *thread = cpu->base.linux_cpu.thread;

    state->rip = frame->rip;
    state->gpr[X86_RSP] = frame->rsp;
    /* Faults push RF set; for ring 3 the instruction was not executed yet. */
    state->rflags = frame->rflags & ~(uint64_t)X86_RF;
    (void)segment_load(state, thread, X86_CS, frame->cs);
    (void)segment_load(state, thread, X86_SS_SEG, frame->ss);
}

/* Code that is the core's: it goes on there, for a while.  A page that became
 * one while another CPU was about to enter is found here, too. */
static bool kvm_serve_guard(struct kvm_cpu *cpu, uint64_t addr)
{
    const struct mm *mm = cpu->base.linux_cpu.loaded_mm;

    if (!mm || !mm_guards_has(mm, addr))
        return false;
    cpu->num_guard_traps++;
    kvm_turn_force(&cpu->turn, cpu->core_insts ? cpu->core_insts : 1);
    return true;
}

/* Page faults and traps are told as they are; every other fault is left to the
 * core, which executes the instruction again: it may know one that the host
 * does not have, or does not let ring 3 have. */
static void kvm_serve_exception(struct kvm_cpu *cpu,
                                const struct kvm_trap_frame *frame)
{
    struct base_cpu *base = &cpu->base;
    struct x86_env *env = &base->linux_cpu.env;
    struct x86_fault fault = {
        .vector = frame->vector,
        .has_error = frame->has_error,
        .error = frame->error,
    };

    cpu->num_fault_traps++;
    kvm_leave_trap(cpu, frame);
    switch (frame->vector) {
    case X86_PF:
        fault.addr = x86_core_state(base->core)->cr2;
        if ((fault.error & X86_PF_FETCH) && kvm_serve_guard(cpu, fault.addr))
            return;
        break;
    case X86_DB:
        fault.addr = 1 << 14; /* DR6.BS */
        fault.source = X86_FROM_TRAP;
        break;
    case X86_BP:
        if (kvm_gang_met(cpu, frame->rip)) {
            x86_core_state(base->core)->rip--;
            return;
        }
        fault.source = X86_FROM_TRAP;
        break;
    case X86_OF:
        fault.source = X86_FROM_TRAP;
        break;
    default:
        kvm_cpu_step(cpu);
        return;
    }
    (void)env->exception(env, base->core, &fault);
}

/* Returns: false if the vCPU does not stand at a stub. */
static bool kvm_serve_trap(struct kvm_cpu *cpu)
{
    struct kvm_trap_frame frame;

    kvm_trap_read(cpu->sync.trap, cpu->sync.index, &cpu->sync.regs, &frame);
    if (frame.kind == KVM_TRAP_SYSCALL) {
        kvm_window_syscall(&cpu->window);
        kvm_serve_syscall(cpu);
    }
    if (frame.kind == KVM_TRAP_EXCEPTION)
        kvm_serve_exception(cpu, &frame);
    return frame.kind != KVM_TRAP_NONE;
}

/* INT3 was executed, but its exception is still on its way to the stub.  Not
 * every host tells of it; but who stands behind an INT3 that was not where the
 * vCPU entered has executed it. */
static bool kvm_is_stop_pending(struct kvm_cpu *cpu)
{
    struct kvm_vcpu_events events = {0};

    if (!kvm_gang_met(cpu, cpu->sync.regs.rip))
        return false;
    if (cpu->sync.regs.rip != cpu->sync.entry_rip)
        return true;
    return !kvm_call_get_vcpu_events(cpu->kvm->host, cpu->fd, &events) &&
           (events.exception.injected || events.exception.pending) &&
           events.exception.nr == X86_BP;
}

/* A thread that was interrupted between its event and the stub's OUT must not
 * leave the CPU in that state: its frame lies on the CPU's stack. */
void kvm_cpu_serve_signal(struct kvm_cpu *cpu)
{
    bool is_pending;

    cpu->num_signal_exits++;
    if (!cpu->sync.trap)
        return;
    is_pending = kvm_is_stop_pending(cpu);
    if (kvm_trap_is_stub(cpu->sync.trap, cpu->sync.regs.rip)) {
        x86_core_sync(cpu->base.core);
        (void)kvm_serve_trap(cpu);
    } else if (is_pending) {
        x86_core_sync(cpu->base.core);
        x86_core_state(cpu->base.core)->rip--;
    } else {
        cpu->sync.err = kvm_sync_drop_fault(&cpu->sync);
        return;
    }
    /* The event is served: KVM must not deliver it once more. */
    kvm_sync_forget(&cpu->sync);
}

/* --------------------------------------------------------------- the reasons
 */

static void kvm_serve_io(struct kvm_cpu *cpu)
{
    cpu->num_io++;
    if (!cpu->sync.trap)
        kvm_serve_port(cpu);
    else if (!kvm_serve_trap(cpu))
        kvm_cpu_step(cpu); /* the program's own OUT: #GP */
}

/* KVM gave up on an instruction: the core executes it. */
static void kvm_serve_internal_error(struct kvm_cpu *cpu)
{
    if (cpu->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
        kvm_cpu_step(cpu);
    else
        kvm_cpu_fail(cpu, "KVM: internal error", 1);
}

/* Ring 3 of a program or of a split machine had an event that found no way out
 * of the guest; else it is a triple fault. */
static void kvm_serve_shutdown(struct kvm_cpu *cpu)
{
    if (cpu->sync.is_split)
        kvm_machine_serve_event(cpu);
    else if (cpu->sync.trap && x86_core_state(cpu->base.core)->seg[X86_CS].dpl)
        kvm_cpu_step(cpu);
    else if (cpu->sync.trap)
        kvm_cpu_fail(cpu, "KVM: a trap page was not reached", 1);
    else
        base_cpu_shut_down(&cpu->base);
}

bool kvm_exit_is_wasted(const struct kvm_cpu *cpu)
{
    return cpu->run->exit_reason == KVM_EXIT_IRQ_WINDOW_OPEN &&
           !(cpu->sync.trap &&
             kvm_trap_is_stub(cpu->sync.trap, cpu->sync.regs.rip));
}

static void kvm_serve_window(struct kvm_cpu *cpu)
{
    if (kvm_exit_is_wasted(cpu)) {
        cpu->num_wasted_exits++;
        kvm_window_wasted(&cpu->window);
    } else if (!kvm_serve_trap(cpu)) {
        kvm_cpu_fail(cpu, "KVM: a trap page was not reached", 1);
    }
}

static void kvm_serve_entry_failure(struct kvm_cpu *cpu)
{
    kvm_cpu_fail(cpu, "KVM: the processor refuses the guest's state", 1);
}

struct kvm_exit_row {
    uint32_t reason;
    enum vcpu_exit_kind kind;
    void (*serve)(struct kvm_cpu *cpu);
};

#define KVM_EXIT_ROW(reason, kind, serve)                                      \
    {                                                                          \
        KVM_EXIT_##reason, VCPU_EXIT_##kind, serve                             \
    }

static const struct kvm_exit_row kvm_exit_rows[] = {
    KVM_EXIT_ROW(IO, IO_OUT, kvm_serve_io),
    KVM_EXIT_ROW(MMIO, MMIO_WR, kvm_serve_mmio),
    KVM_EXIT_ROW(INTR, INTR, kvm_cpu_serve_signal),
    KVM_EXIT_ROW(HLT, HALT, kvm_serve_halt),
    KVM_EXIT_ROW(IRQ_WINDOW_OPEN, IRQ_WINDOW, kvm_serve_window),
    KVM_EXIT_ROW(X86_RDMSR, MSR_RD, kvm_serve_rdmsr),
    KVM_EXIT_ROW(X86_WRMSR, MSR_WR, kvm_serve_wrmsr),
    KVM_EXIT_ROW(SHUTDOWN, SHUTDOWN, kvm_serve_shutdown),
    KVM_EXIT_ROW(INTERNAL_ERROR, INTERNAL_ERROR, kvm_serve_internal_error),
    KVM_EXIT_ROW(FAIL_ENTRY, FAIL_ENTRY, kvm_serve_entry_failure),
};

static const struct kvm_exit_row *kvm_exit_row(uint32_t reason)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_exit_rows); i++)
        if (kvm_exit_rows[i].reason == reason)
            return &kvm_exit_rows[i];
    return NULL;
}

enum vcpu_exit_kind kvm_exit_kind(uint32_t reason)
{
    const struct kvm_exit_row *row = kvm_exit_row(reason);

    return row ? row->kind : VCPU_EXIT_UNKNOWN;
}

void kvm_cpu_serve(struct kvm_cpu *cpu)
{
    const struct kvm_exit_row *row = kvm_exit_row(cpu->run->exit_reason);

    if (row)
        row->serve(cpu);
    else
        kvm_cpu_fail(cpu, "KVM: unknown exit", 1);
}
