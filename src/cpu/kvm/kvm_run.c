/* SPDX-License-Identifier: BSD-3-Clause */
/* The run loop: guest time, entries, what is better left to the core. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/core.h"
#include "base/host_clock.h"
#include "cpu/kvm/kvm_access.h"
#include "cpu/kvm/kvm_cpu.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_vcpu.h"
#include "sim/report.h"

enum {
    LEAST_CHARGE = 64,         /* part of an exit */
    KVM_CORE_STRETCH = 100000, /* instructions before others get a turn */
};

/* ---------------------------------------------------------------------- time
 */

static uint64_t kvm_cpu_exit_cycles(const struct kvm_cpu *cpu)
{
    const struct kvm_probe *probe = &cpu->kvm->probe;

    return probe->exit_ns * (uint64_t)probe->tsc_khz / 1000000;
}

/* What the guest's TSC advanced is what simulated time advances, but for what
 * entering and leaving took: else a program with quick timers would see nothing
 * but them.  Never nothing: it may wait for time to pass. */
static void kvm_cpu_charge(struct kvm_cpu *cpu, uint64_t tsc)
{
    struct base_cpu *base = &cpu->base;
    uint64_t exit = kvm_cpu_exit_cycles(cpu);
    uint64_t least = tsc < exit / LEAST_CHARGE ? tsc : exit / LEAST_CHARGE;
    uint64_t spent = tsc > exit + least ? tsc - exit : least;
    double ticks = (double)spent * cpu->ticks_per_tsc + cpu->ticks_left;
    tick_t whole = (tick_t)ticks;

    cpu->ticks_left = ticks - (double)whole;
    base_cpu_charge_time(base, whole);
}

/* Simulated time has no part in what RDTSC gives under KVM: the core goes with
 * the host's counter, too, as long as the CPU has both. */
static void kvm_cpu_take_tsc(struct kvm_cpu *cpu)
{
    struct base_cpu *base = &cpu->base;
    enum cpu_tsc kind =
        cpu->sync.io.has_tsc_offset ? CPU_TSC_MOVABLE : CPU_TSC_FIXED;
    bool is_wrong = false;

    if (!base->io.has_host_tsc)
        is_wrong = !cpu_io_take_host_tsc(base, cpu->ticks_per_tsc, kind);
    else if (kind == CPU_TSC_FIXED)
        is_wrong = x86_core_state(base->core)->tsc_offset != 0;
    if (is_wrong && !cpu->has_told_tsc)
        sim_warn(&base->base.base,
                 "this host's KVM gives every guest the host's own TSC: the "
                 "guest's goes back, or is not what the guest has set");
    cpu->has_told_tsc |= is_wrong;
}

/* Timers may not be early by the TSC: it is moved, or where it cannot be,
 * waited for. */
static void kvm_cpu_catch_up_tsc(struct kvm_cpu *cpu)
{
    struct base_cpu *base = &cpu->base;
    uint64_t lag = cpu_io_host_tsc_lag(base);

    if (lag && cpu->sync.io.has_tsc_offset) {
        x86_core_sync(base->core);
        x86_core_state(base->core)->tsc_offset += lag;
        x86_core_state_changed(base->core);
    } else if (lag) {
        host_clock_sleep(lag * 1000000 / cpu->kvm->probe.tsc_khz);
    }
    kvm_cpu_take_tsc(cpu);
    cpu_io_see_host_tsc(base);
}

/* Somebody waits for the CPU: the thread's slice is an end, too. */
static tick_t kvm_cpu_slice_end(const struct kvm_cpu *cpu, tick_t until)
{
    const struct linux_cpu *linux_cpu = &cpu->base.linux_cpu;
    tick_t now = cpu->base.runner.now;
    tick_t left;

    if (!cpu->base.is_in_se || !linux_cpu->kernel->run_first)
        return until;
    left = linux_cpu->slice_left * clock_period(&cpu->base.base);
    return until > now && until - now > left ? now + left : until;
}

/* Where the host counts: an exact end is left to the core. */
static bool kvm_cpu_is_near_stop(const struct kvm_cpu *cpu)
{
    const struct base_cpu *base = &cpu->base;

    return base->stop_insts - base->num_insts <= KVM_PERF_MARGIN;
}

static uint64_t kvm_cpu_run_limit(const struct kvm_cpu *cpu)
{
    const struct base_cpu *base = &cpu->base;

    return base->stop_insts == UINT64_MAX
               ? UINT64_MAX
               : base->stop_insts - base->num_insts - KVM_PERF_MARGIN;
}

/* Others have taken the processor's counters, such as a profiler. */
static void kvm_cpu_lose_count(struct kvm_cpu *cpu)
{
    sim_warn(&cpu->base.base.base,
             "the counter of instructions was lost: %s; from here on those "
             "that KVM executes are not counted",
             strerrordesc_np(-cpu->perf.err));
    kvm_perf_close(&cpu->perf);
    cpu->perf.err = 0;
    cpu->has_lost_count = true;
    if (!cpu->base.inst_stops)
        return;
    base_cpu_forget_stops(&cpu->base); /* they would be met too late */
    kvm_cpu_fail(cpu, "KVM: a stop after instructions cannot be met", 1);
}

static void kvm_cpu_charge_insts(struct kvm_cpu *cpu)
{
    const uint64_t left = cpu->base.stop_insts - cpu->base.num_insts;

    if (cpu->perf.err)
        kvm_cpu_lose_count(cpu);
    if (cpu->run_insts > left)
        sim_warn(&cpu->base.base.base,
                 "a stop after instructions is passed by %" PRIu64
                 ": the host told of it later than KVM_PERF_MARGIN allows",
                 cpu->run_insts - left);
    base_cpu_count_insts(&cpu->base, cpu->run_insts);
    cpu->num_host_insts += cpu->run_insts;
    cpu->run_insts = 0;
}

uint64_t kvm_cpu_ns_until(const struct kvm_cpu *cpu, tick_t until)
{
    const double ns_per_tick =
        1e9 / (double)cpu->kvm->probe.tsc_khz / 1e3 / cpu->ticks_per_tsc;
    tick_t now = cpu->base.runner.now;
    tick_t end = kvm_cpu_slice_end(cpu, until);
    tick_t left = end > now ? end - now : 0;
    double ns = (double)left * ns_per_tick;

    return host_clock_ns() + cpu->kvm->probe.exit_ns +
           (ns < 1e15 ? (uint64_t)ns : (uint64_t)1e15);
}

/* -------------------------------------------------------------------- entry
 */

int kvm_cpu_prepare(struct kvm_cpu *cpu)
{
    kvm_gang_plant(cpu);
    x86_cache_leave(x86_core_cache(cpu->base.core));
    kvm_system_settle(cpu->kvm);
    if (cpu->always_sync)
        kvm_sync_forget(&cpu->sync);
    cpu->run_limit = kvm_cpu_run_limit(cpu);
    return kvm_sync_enter(&cpu->sync);
}

int kvm_cpu_enter(struct kvm_cpu *cpu, tick_t until)
{
    const struct vcpu_run_req req = {.max_insts = cpu->run_limit,
                                     .until = until};
    struct vcpu_exit exit;
    int err = kvm_vcpu_bind(cpu);

    if (!err)
        err = vcpu_run(&cpu->base.vcpu, &req, &exit);
    if (err)
        return err;
    cpu->run_insts = exit.insts;
    /* A kick that came first. */
    return exit.kind == VCPU_EXIT_INTR ? -EINTR : cpu->run_error;
}

/* The program was ended from another CPU while this one was in the guest. */
static bool kvm_cpu_is_orphan(const struct kvm_cpu *cpu)
{
    return cpu->base.is_in_se && !cpu->base.linux_cpu.thread;
}

static void kvm_cpu_tell_error(const struct kvm_cpu *cpu, int err)
{
    sim_warn(&cpu->base.base.base, "%s: %s",
             kvm_host_blame(cpu->kvm->host, err), strerrordesc_np(-err));
}

static void kvm_cpu_serve_run(struct kvm_cpu *cpu, int err)
{
    if (kvm_cpu_is_orphan(cpu))
        return;
    if (err == -EINTR || err == -EAGAIN) {
        (void)kvm_timer_fired(&cpu->timer, host_clock_ns());
        kvm_cpu_serve_signal(cpu);
    } else if (err) {
        kvm_cpu_tell_error(cpu, err);
        kvm_cpu_fail(cpu, "KVM_RUN failed", 1);
    } else {
        kvm_serve_gathered(cpu);
        kvm_cpu_serve(cpu);
    }
    if (cpu->sync.err) {
        kvm_cpu_tell_error(cpu, cpu->sync.err);
        kvm_cpu_fail(cpu, "KVM does not give its state", 1);
    }
}

void kvm_cpu_finish(struct kvm_cpu *cpu, int err)
{
    uint64_t ran = cpu->run_tsc;

    kvm_gang_lift(cpu);
    x86_cache_enter(x86_core_cache(cpu->base.core));
    base_cpu_begin(&cpu->base);
    cpu->num_exits++;
    kvm_cpu_charge(cpu, cpu->run_tsc);
    cpu->run_tsc = 0;
    if (!err || err == -EINTR || err == -EAGAIN)
        cpu->sync.err = kvm_sync_exit(&cpu->sync);
    kvm_cpu_charge_insts(cpu);
    if (!err && cpu->sync.trap && !kvm_exit_is_wasted(cpu))
        kvm_turn_judge(&cpu->turn, ran, kvm_cpu_exit_cycles(cpu),
                       cpu->core_insts);
    if (cpu->always_sync)
        x86_core_sync(cpu->base.core);
    kvm_cpu_serve_run(cpu, err);
    base_cpu_settle_slice(&cpu->base);
}

/* What KVM would do wrong or slowly: code of other modes than the one that the
 * host executes itself. */
static bool kvm_cpu_is_for_core(struct kvm_cpu *cpu)
{
    const struct x86_state *state = x86_core_state(cpu->base.core);

    if (kvm_cpu_is_near_stop(cpu))
        return true;
    return cpu->sync.trap ? cpu->turn.left || !state->seg[X86_CS].l
                          : kvm_machine_is_for_core(cpu);
}

/* The core passes a stop without meeting it again. */
static bool kvm_cpu_is_at_stop(const struct kvm_cpu *cpu)
{
    return cpu->base.is_in_se &&
           stops_is_site(cpu->base.linux_cpu.loaded_mm,
                         x86_core_state(cpu->base.core)->rip);
}

static void kvm_cpu_run_guest(struct kvm_cpu *cpu, tick_t until)
{
    int err = kvm_cpu_prepare(cpu);

    if (!err)
        err = kvm_cpu_enter(cpu, until);
    kvm_cpu_finish(cpu, err);
}

static tick_t kvm_cpu_limit(const struct kvm_cpu *cpu, tick_t until)
{
    tick_t horizon = sim_runner_horizon(&cpu->base.runner);

    return horizon < until ? horizon : until;
}

static uint64_t kvm_cpu_core_events(const struct kvm_cpu *cpu)
{
    return cpu->base.linux_cpu.num_syscalls + cpu->base.linux_cpu.num_faults;
}

void kvm_cpu_run_core(struct kvm_cpu *cpu, tick_t until)
{
    uint64_t insts = x86_core_insts(cpu->base.core);
    uint64_t events = kvm_cpu_core_events(cpu);
    uint64_t start = host_clock_tsc();
    uint64_t budget = base_cpu_budget(&cpu->base, until);

    if (budget > KVM_CORE_STRETCH)
        budget = KVM_CORE_STRETCH;
    if (cpu->turn.left && budget > cpu->turn.left)
        budget = cpu->turn.left;
    base_cpu_run_core(&cpu->base, budget);
    kvm_cpu_core_ran(cpu);
    insts = x86_core_insts(cpu->base.core) - insts;
    cpu->num_core_insts += insts;
    kvm_turn_charge(&cpu->turn, insts, kvm_cpu_core_events(cpu) - events,
                    host_clock_tsc() - start, budget, kvm_cpu_exit_cycles(cpu));
}

/* The guest's kernel may have changed page tables, which it tells the processor
 * that it believes to have: the core. */
void kvm_cpu_core_ran(struct kvm_cpu *cpu)
{
    if (!cpu->sync.trap)
        cpu->kvm->is_all_stale = true;
}

enum kvm_next kvm_cpu_next(struct kvm_cpu *cpu, tick_t until)
{
    struct base_cpu *base = &cpu->base;

    base_cpu_begin(base);
    if (!base_cpu_has_work(base)) {
        sim_runner_suspend(base->base.base.sim, &base->runner);
        return KVM_NEXT_NOTHING;
    }
    if (base->runner.now >= until)
        return KVM_NEXT_NOTHING;
    if (kvm_cpu_is_at_stop(cpu))
        return KVM_NEXT_STEP;
    return kvm_cpu_is_for_core(cpu) ? KVM_NEXT_CORE : KVM_NEXT_GUEST;
}

static void kvm_cpu_execute_alone(struct kvm_cpu *cpu, tick_t until)
{
    for (;;) {
        tick_t limit = kvm_cpu_limit(cpu, until);

        switch (kvm_cpu_next(cpu, limit)) {
        case KVM_NEXT_NOTHING:
            return;
        case KVM_NEXT_CORE:
            kvm_cpu_run_core(cpu, limit);
            break;
        case KVM_NEXT_STEP:
            kvm_cpu_step(cpu);
            break;
        case KVM_NEXT_GUEST:
            kvm_cpu_run_guest(cpu, limit);
            break;
        }
    }
}

void kvm_cpu_execute(struct kvm_cpu *cpu, tick_t until)
{
    struct kvm_gang *gang = &cpu->kvm->gang;

    if (!cpu->run) /* in the child of a fork */
        kvm_cpu_start(cpu);
    if (!cpu->base.is_in_se && cpu->has_host_tsc)
        kvm_cpu_catch_up_tsc(cpu);
    if (kvm_gang_is_shared(gang))
        kvm_gang_execute(gang, cpu, until);
    else
        kvm_cpu_execute_alone(cpu, until);
}
