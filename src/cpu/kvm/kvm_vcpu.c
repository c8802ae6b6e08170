/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_vcpu.h"

#include <errno.h>
#include <string.h>

#include "base/host_clock.h"
#include "cpu/core_vcpu.h"
#include "cpu/kvm/kvm_cpu.h"
#include "sim/report.h"

enum { KHZ_NS = 1000000 }; /* kHz times ns, divided by it: cycles */

static struct kvm_cpu *kvm_cpu_of_vcpu(const struct vcpu *vcpu)
{
    const struct base_cpu *base =
        SIM_CONTAINER_OF(vcpu, const struct base_cpu, vcpu);

    return kvm_cpu_of((struct sim_object *)&base->base.base);
}

/* ----------------------------------------------------------------- operations
 */

/* Counters belong to the thread, as the timer does. */
static int kvm_vcpu_count(struct kvm_cpu *cpu)
{
    const bool is_whole = !cpu->sync.trap && !cpu->sync.is_split;
    char why[KVM_PERF_WHY_SIZE];
    int err;

    if (!kvm_cpu_counts(cpu))
        return 0;
    err = kvm_perf_open(&cpu->perf, is_whole ? KVM_PERF_ALL : KVM_PERF_USER,
                        cpu->use_perf_overflow ? KVM_PERF_INSTS_AND_CYCLES
                                               : KVM_PERF_INSTS,
                        why);
    if (err)
        sim_warn(&cpu->base.base.base, "%s", why);
    return err;
}

static int kvm_vcpu_op_bind(struct vcpu *vcpu)
{
    struct kvm_cpu *cpu = kvm_cpu_of_vcpu(vcpu);
    int err;

    if (!cpu->run)
        return -ENODEV;
    err = kvm_timer_bind(&cpu->timer, &cpu->run->immediate_exit);
    if (!err)
        err = kvm_vcpu_count(cpu);
    if (err)
        kvm_timer_unbind(&cpu->timer);
    return err;
}

static int kvm_vcpu_op_unbind(struct vcpu *vcpu)
{
    struct kvm_cpu *cpu = kvm_cpu_of_vcpu(vcpu);

    kvm_perf_close(&cpu->perf);
    kvm_timer_unbind(&cpu->timer);
    return 0;
}

static void kvm_vcpu_op_kick(struct vcpu *vcpu)
{
    kvm_timer_kick(&kvm_cpu_of_vcpu(vcpu)->timer);
}

static int kvm_vcpu_arm_slice(struct kvm_cpu *cpu, tick_t until)
{
    uint64_t ns, now;

    if (until == TICK_MAX)
        return 0;
    ns = kvm_cpu_ns_until(cpu, until);
    if (cpu->perf.cycles.fd < 0)
        return kvm_timer_arm(&cpu->timer, ns);
    now = host_clock_ns();
    ns = ns > now ? ns - now : 0;
    return kvm_perf_arm_cycles(
        &cpu->perf, (uint64_t)((double)ns * cpu->kvm->probe.tsc_khz / KHZ_NS));
}

/* Interrupted before it entered: as a signal in KVM_RUN. */
static int kvm_vcpu_arm(struct kvm_cpu *cpu, const struct vcpu_run_req *req)
{
    int err = kvm_vcpu_arm_slice(cpu, req->until);

    if (!err && kvm_perf_is_open(&cpu->perf))
        err = kvm_perf_arm_insts(&cpu->perf, req->max_insts);
    return err;
}

static int kvm_vcpu_op_run(struct vcpu *vcpu, const struct vcpu_run_req *req,
                           struct vcpu_exit *exit)
{
    struct kvm_cpu *cpu = kvm_cpu_of_vcpu(vcpu);
    uint64_t start;

    exit->kind = VCPU_EXIT_NOTHING;
    exit->raw = 0;
    if (!req->max_insts)
        return 0; /* accesses are taken in as they are served */
    cpu->run_error = kvm_vcpu_arm(cpu, req);
    if (cpu->run_error)
        return 0;
    cpu->run->request_interrupt_window = kvm_window_is_wanted(&cpu->window);
    start = host_clock_tsc();
    cpu->run_error = kvm_call_run(cpu->kvm->host, cpu->fd, 0);
    cpu->run_tsc = host_clock_tsc() - start;
    __atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (kvm_perf_is_open(&cpu->perf))
        cpu->perf.err = kvm_perf_take(&cpu->perf, &exit->insts);
    exit->raw = cpu->run->exit_reason;
    if (cpu->run_error == -EINTR || cpu->run_error == -EAGAIN)
        exit->kind = VCPU_EXIT_INTR;
    else if (cpu->run_error)
        exit->kind = VCPU_EXIT_INTERNAL_ERROR;
    else if (kvm_exit_kind(exit->raw) == VCPU_EXIT_UNKNOWN)
        exit->kind = VCPU_EXIT_UNKNOWN;
    return 0;
}

static int kvm_vcpu_op_drained(struct vcpu *vcpu)
{
    (void)vcpu;
    return 1; /* the whole state is carried, events on their way included */
}

/* Real mode and the like are the core's, where KVM would fail. */
static int kvm_vcpu_op_can_takeover(const struct vcpu *vcpu,
                                    const struct x86_state *state,
                                    char why[VCPU_WHY_SIZE])
{
    (void)vcpu;
    (void)state;
    why[0] = '\0';
    return 0;
}

#define KVM_VCPU_COMMON_OPS                                                    \
    .name = "KVM",                                                             \
    .caps = VCPU_CAP_CHECKPOINT | VCPU_CAP_NO_CACHES | VCPU_CAP_TICKS,         \
    .bind = kvm_vcpu_op_bind, .unbind = kvm_vcpu_op_unbind,                    \
    .run = kvm_vcpu_op_run, .kick = kvm_vcpu_op_kick,                          \
    .get_state = core_vcpu_get_state, .set_state = core_vcpu_set_state,        \
    .start_at = core_vcpu_start_at, .drained = kvm_vcpu_op_drained,            \
    .can_takeover = kvm_vcpu_op_can_takeover, .dump = core_vcpu_dump

const struct vcpu_ops kvm_vcpu_se_ops = {KVM_VCPU_COMMON_OPS};

const struct vcpu_ops kvm_vcpu_ops = {
    KVM_VCPU_COMMON_OPS,
    .event_kinds = 1u << VCPU_EVENT_EXCEPTION | 1u << VCPU_EVENT_NMI |
                   1u << VCPU_EVENT_INTERRUPT,
    .inject = core_vcpu_inject,
};

/* -------------------------------------------------------------------- binding
 */

int kvm_vcpu_bind(struct kvm_cpu *cpu)
{
    struct vcpu *vcpu = &cpu->base.vcpu;
    int err = 0;

    if (SIM_LIKELY(vcpu_is_ready_here(vcpu)))
        return 0;
    if (vcpu_state_of(vcpu) == VCPU_FREE)
        err = vcpu_bind(vcpu);
    else
        err = vcpu_rebind(vcpu);
    vcpu_wake(vcpu);
    return err;
}
