/* SPDX-License-Identifier: BSD-3-Clause */
/* The run loop: guest time, entries, what is better left to the core. */
#include <errno.h>
#include <string.h>

#include "arch/x86/core.h"
#include "base/host_clock.h"
#include "cpu/kvm/kvm_cpu.h"
#include "sim/report.h"

/* ---------------------------------------------------------------------- time
 */

/* What the guest's TSC advanced is what simulated time advances. */
static void kvm_cpu_charge(struct kvm_cpu *cpu, uint64_t tsc)
{
    struct base_cpu *base = &cpu->base;
    double ticks = (double)tsc * cpu->ticks_per_tsc + cpu->ticks_left;
    tick_t whole = (tick_t)ticks;

    cpu->ticks_left = ticks - (double)whole;
    base_cpu_charge_time(base, whole);
}

static uint64_t kvm_cpu_ns_until(const struct kvm_cpu *cpu, tick_t until)
{
    const double ns_per_tick =
        1e9 / (double)cpu->kvm->probe.tsc_khz / 1e3 / cpu->ticks_per_tsc;
    tick_t now = cpu->base.runner.now;
    tick_t left = until > now ? until - now : 0;
    double ns = (double)left * ns_per_tick;

    return host_clock_ns() + (ns < 1e15 ? (uint64_t)ns : (uint64_t)1e15);
}

/* -------------------------------------------------------------------- entry
 */

static void kvm_cpu_bind(struct kvm_cpu *cpu)
{
    int err;

    if (cpu->timer.is_bound)
        return;
    err = kvm_timer_bind(&cpu->timer, (uint8_t *)&cpu->run->immediate_exit);
    if (err)
        sim_fatal(&cpu->base.base.base, "no timer for KVM: %s",
                  strerrordesc_np(-err));
}

/* One KVM_RUN.  Returns: 0, -EINTR, or another -errno. */
static int kvm_cpu_enter(struct kvm_cpu *cpu)
{
    uint64_t tsc;
    int err = kvm_sync_enter(&cpu->sync);

    if (err)
        return err;
    tsc = host_clock_tsc();
    err = kvm_call_run(cpu->kvm->host, cpu->fd, 0);
    tsc = host_clock_tsc() - tsc;
    __atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    cpu->num_exits++;
    kvm_cpu_charge(cpu, tsc);
    if (err && err != -EINTR && err != -EAGAIN)
        return err;
    if (kvm_sync_exit(&cpu->sync))
        return -EIO;
    return err;
}

/* What KVM would do wrong or slowly: code of other modes than the one that the
 * host executes itself. */
static bool kvm_cpu_is_for_core(const struct kvm_cpu *cpu)
{
    const struct x86_state *state = x86_core_state(cpu->base.core);

    return cpu->sync.trap && !state->seg[X86_CS].l;
}

/* The core passes a stop without meeting it again. */
static bool kvm_cpu_is_at_stop(const struct kvm_cpu *cpu)
{
    return stops_is_site(cpu->base.linux_cpu.loaded_mm,
                         x86_core_state(cpu->base.core)->rip);
}

static void kvm_cpu_run_guest(struct kvm_cpu *cpu, tick_t until)
{
    int err;

    kvm_cpu_bind(cpu);
    kvm_stops_plant(&cpu->stops, cpu->base.linux_cpu.loaded_mm);
    x86_cache_leave(x86_core_cache(cpu->base.core));
    kvm_system_settle(cpu->kvm);
    err = kvm_timer_arm(&cpu->timer, kvm_cpu_ns_until(cpu, until));
    if (!err)
        err = kvm_cpu_enter(cpu);
    kvm_stops_lift(&cpu->stops);
    x86_cache_enter(x86_core_cache(cpu->base.core));
    if (err == -EINTR || err == -EAGAIN) {
        cpu->num_signal_exits++;
        (void)kvm_timer_fired(&cpu->timer, host_clock_ns());
    } else if (err) {
        sim_warn(&cpu->base.base.base, "KVM_RUN: %s", strerrordesc_np(-err));
        kvm_cpu_fail(cpu, "KVM_RUN failed", 1);
    } else {
        kvm_cpu_serve(cpu);
    }
    if (cpu->sync.err)
        kvm_cpu_fail(cpu, "KVM does not give its state", 1);
    base_cpu_settle_slice(&cpu->base);
}

static tick_t kvm_cpu_limit(const struct kvm_cpu *cpu, tick_t until)
{
    tick_t horizon = sim_runner_horizon(&cpu->base.runner);

    return horizon < until ? horizon : until;
}

static void kvm_cpu_run_core(struct kvm_cpu *cpu, tick_t until)
{
    uint64_t budget = base_cpu_budget(&cpu->base, until);
    uint64_t before = x86_core_insts(cpu->base.core);

    base_cpu_run_core(&cpu->base, budget);
    cpu->num_core_insts += x86_core_insts(cpu->base.core) - before;
}

void kvm_cpu_execute(struct kvm_cpu *cpu, tick_t until)
{
    struct base_cpu *base = &cpu->base;

    for (;;) {
        base_cpu_begin(base);
        if (!base_cpu_has_work(base)) {
            sim_runner_suspend(base->base.base.sim, &base->runner);
            return;
        }
        if (base->runner.now >= kvm_cpu_limit(cpu, until))
            return;
        if (kvm_cpu_is_at_stop(cpu))
            kvm_cpu_step(cpu);
        else if (kvm_cpu_is_for_core(cpu))
            kvm_cpu_run_core(cpu, until);
        else
            kvm_cpu_run_guest(cpu, kvm_cpu_limit(cpu, until));
    }
}
