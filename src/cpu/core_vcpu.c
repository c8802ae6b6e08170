/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/core_vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/deliver.h"
#include "base/alloc.h"
#include "base/log.h"
#include "cpu/base_cpu.h"
#include "cpu/vcpu.h"
#include "cpu/vcpu_x86.h"
#include "mem/system.h"
#include "sim/report.h"
#include "sim/ring.h"

static struct base_cpu *cpu_of(const struct vcpu *vcpu)
{
    return SIM_CONTAINER_OF(vcpu, struct base_cpu, vcpu);
}

static struct x86_core *core_of(const struct vcpu *vcpu)
{
    return cpu_of(vcpu)->core;
}

/* ---------------------------------------------------------------------- run
 */

static const uint8_t exit_of[] = {
    [X86_STOP_BUDGET] = VCPU_EXIT_INST_STOP,
    [X86_STOP_REQUEST] = VCPU_EXIT_INTR,
    [X86_STOP_HALT] = VCPU_EXIT_HALT,
    [X86_STOP_SHUTDOWN] = VCPU_EXIT_SHUTDOWN,
    [X86_STOP_BREAK] = VCPU_EXIT_DEBUG,
    [X86_STOP_REP] = VCPU_EXIT_TIMESLICE,
};

/* [SDM] Vol. 3A, "Masking Maskable Hardware Interrupts"; STI and MOV SS hold
 * interrupts back for one instruction. */
static bool may_interrupt(struct x86_core *core)
{
    const struct x86_state *state = x86_core_state(core);

    x86_core_sync(core);
    return (state->rflags & X86_IF) && !state->events.shadow;
}

/* Somebody waits for the window: look after each instruction. */
static enum x86_stop run_to_window(struct vcpu *vcpu, uint64_t max_insts)
{
    struct x86_core *core = core_of(vcpu);
    enum x86_stop stop = X86_STOP_BUDGET;

    while (max_insts-- && stop == X86_STOP_BUDGET && !may_interrupt(core))
        stop = x86_core_run(core, 1);
    return stop;
}

static int core_vcpu_run(struct vcpu *vcpu, const struct vcpu_run_req *req,
                         struct vcpu_exit *exit)
{
    struct x86_core *core = core_of(vcpu);
    uint64_t before = x86_core_insts(core);
    enum x86_stop stop;

    if (SIM_UNLIKELY(vcpu->is_window_open))
        stop = run_to_window(vcpu, req->max_insts);
    else
        stop = x86_core_run(core, req->max_insts);
    exit->raw = stop;
    exit->kind = (unsigned)stop < SIM_ARRAY_LEN(exit_of)
                     ? exit_of[stop]
                     : (uint32_t)VCPU_EXIT_UNKNOWN;
    exit->insts = x86_core_insts(core) - before;
    if (exit->kind == VCPU_EXIT_INST_STOP && exit->insts < req->max_insts &&
        vcpu->is_window_open)
        exit->kind = VCPU_EXIT_IRQ_WINDOW;
    return 0;
}

static void core_vcpu_kick(struct vcpu *vcpu)
{
    x86_core_stop(core_of(vcpu));
}

/* -------------------------------------------------------------------- state
 */

int core_vcpu_get_state(struct vcpu *vcpu, uint32_t groups,
                        struct x86_state *out)
{
    struct x86_core *core = core_of(vcpu);

    x86_core_sync(core);
    vcpu_x86_copy(out, x86_core_state(core), groups);
    return 0;
}

int core_vcpu_set_state(struct vcpu *vcpu, uint32_t groups,
                        const struct x86_state *state)
{
    struct x86_core *core = core_of(vcpu);

    x86_core_sync(core);
    vcpu_x86_copy(x86_core_state(core), state, groups);
    x86_core_state_changed(core);
    return 0;
}

int core_vcpu_start_at(struct vcpu *vcpu, uint64_t entry, uint64_t arg)
{
    struct x86_core *core = core_of(vcpu);

    x86_core_sync(core);
    vcpu_x86_start(x86_core_state(core), entry, arg);
    x86_core_state_changed(core);
    return 0;
}

void core_vcpu_dump(struct vcpu *vcpu, FILE *out)
{
    struct x86_core *core = core_of(vcpu);

    x86_core_sync(core);
    vcpu_x86_dump(x86_core_state(core), out);
}

/* ------------------------------------------------------------------- events
 */

static int deliver(struct x86_core *core, const struct x86_fault *fault)
{
    x86_core_sync(core);
    x86_core_state(core)->mp_state = X86_RUNNABLE;
    /* A triple fault shows when the core runs: it waits for INIT then. */
    if (!x86_deliver(core, fault))
        x86_core_state(core)->mp_state = X86_WAIT_INIT;
    return 0;
}

static int inject_exception(struct x86_core *core,
                            const struct vcpu_event *event)
{
    struct x86_fault fault = {.vector = event->vector,
                              .source = X86_FROM_FAULT,
                              .has_error = event->has_error,
                              .error = event->error,
                              .addr = event->addr};

    return deliver(core, &fault);
}

static int inject_interrupt(struct x86_core *core,
                            const struct vcpu_event *event)
{
    struct x86_fault fault = {.vector = event->vector,
                              .source = X86_FROM_EXTERNAL};

    return may_interrupt(core) ? deliver(core, &fault) : -EAGAIN;
}

int core_vcpu_inject(struct vcpu *vcpu, const struct vcpu_event *event)
{
    struct x86_core *core = core_of(vcpu);
    struct x86_state *state = x86_core_state(core);

    if (state->mp_state == X86_WAIT_INIT || state->mp_state == X86_WAIT_SIPI)
        return -EAGAIN;
    if (event->kind == VCPU_EVENT_EXCEPTION)
        return inject_exception(core, event);
    if (event->kind == VCPU_EVENT_INTERRUPT)
        return inject_interrupt(core, event);
    state->events.nmi_pending = 1;
    x86_core_poke(core);
    return 0;
}

const struct vcpu_ops core_vcpu_ops = {
    .name = "functional core",
    .caps = VCPU_CAP_CHECKPOINT | VCPU_CAP_EXACT_INSTS,
    .event_kinds = 1u << VCPU_EVENT_EXCEPTION | 1u << VCPU_EVENT_NMI |
                   1u << VCPU_EVENT_INTERRUPT,
    .run = core_vcpu_run,
    .kick = core_vcpu_kick,
    .get_state = core_vcpu_get_state,
    .set_state = core_vcpu_set_state,
    .start_at = core_vcpu_start_at,
    .inject = core_vcpu_inject,
    .dump = core_vcpu_dump,
};

const struct vcpu_ops core_vcpu_se_ops = {
    .name = "functional core, syscall emulation",
    .caps = VCPU_CAP_CHECKPOINT | VCPU_CAP_EXACT_INSTS,
    .run = core_vcpu_run,
    .kick = core_vcpu_kick,
    .get_state = core_vcpu_get_state,
    .set_state = core_vcpu_set_state,
    .start_at = core_vcpu_start_at,
    .dump = core_vcpu_dump,
};

/* ------------------------------------------------------ life of a BaseCPU's
 */

static tick_t ring_now(void *ctx)
{
    const struct base_cpu *cpu = ctx;

    return cpu->runner.now;
}

static void woken(void *ctx, struct vcpu *vcpu)
{
    struct base_cpu *cpu = ctx;

    (void)vcpu;
    base_cpu_activate(cpu);
}

/* Only the simulator itself can call in the wrong order. */
static void expect(struct base_cpu *cpu, int error, const char *verb)
{
    char why[VCPU_ERR_SIZE];

    if (!error)
        return;
    vcpu_error(&cpu->vcpu, why);
    sim_fatal(&cpu->base.base, "%s: %s", verb,
              why[0] ? why : strerrordesc_np(-error));
}

void base_cpu_add_vcpu(struct base_cpu *cpu, const struct vcpu_ops *ops)
{
    struct sim_object *self = &cpu->base.base;
    struct vcpu_create_cfg cfg = {
        .id = vcpu_make_id(cpu->system->vm_id, (uint32_t)cpu->cpu_id),
        .ops = ops,
        .ring = self->ring,
        .hal = &cpu->vcpu_hal,
    };

    for (uint32_t i = 0; i < cpu->host_cpus.len; i++)
        if (cpu->host_cpus.data[i] >= VCPU_MAX_HOST_CPUS ||
            vcpu_host_set_add(&cfg.host_cpus, (uint32_t)cpu->host_cpus.data[i]))
            sim_fatal_param(self, "phys_cpu_set",
                            "no host has a processor %" PRIu64,
                            cpu->host_cpus.data[i]);
    if (!ops)
        cfg.ops = cpu->is_in_se ? &core_vcpu_se_ops : &core_vcpu_ops;
    cpu->vcpu_hal.ctx = cpu;
    cpu->vcpu_hal.now = ring_now;
    expect(cpu, vcpu_create(&cpu->vcpu, &cfg), "vCPU");
    vcpu_set_wake_handler(&cpu->vcpu, woken, cpu);
    self->ring = cpu->vcpu.ring; /* the report of a panic shows it */
}

void base_cpu_start_vcpu(struct base_cpu *cpu)
{
    struct vcpu_setup_cfg cfg = {.aspace = cpu->system->physmem};

    if (!cpu->vcpu.ops)
        return;
    expect(cpu, vcpu_init(&cpu->vcpu, NULL), "vCPU");
    expect(cpu, vcpu_setup(&cpu->vcpu, &cfg), "vCPU");
}

void base_cpu_release_vcpu(struct base_cpu *cpu)
{
    if (cpu->vcpu.ops && cpu->vcpu.is_bound)
        expect(cpu, vcpu_unbind(&cpu->vcpu), "vCPU");
}

void base_cpu_wake_for_event(struct base_cpu *cpu)
{
    if (!cpu->is_in_se)
        base_cpu_activate(cpu);
}

bool base_cpu_has_event(const struct base_cpu *cpu)
{
    return __atomic_load_n(&cpu->vcpu.attention, __ATOMIC_RELAXED) &
           VCPU_ATTEND_NEW;
}

/* What the last run changed; before the first, everything that is not 0. */
static void trace_regs(void *ctx, struct vcpu *vcpu,
                       const struct vcpu_exit *exit)
{
    struct base_cpu *cpu = ctx;
    struct x86_state now;
    char line[512];

    (void)exit;
    memset(&now, 0, sizeof now);
    if (vcpu_get_state(vcpu, VCPU_STATE_ALL, &now))
        return;
    if (vcpu_x86_diff(cpu->traced_state, &now, line, sizeof line))
        vcpu_log(vcpu, line);
    *cpu->traced_state = now;
}

void base_cpu_trace_vcpu(struct base_cpu *cpu, int runs, int regs)
{
    if (regs && !cpu->traced_state) {
        cpu->traced_memory = alloc_zeroed(2, sizeof *cpu->traced_state);
        cpu->traced_state =
            (void *)(((uintptr_t)cpu->traced_memory + 63) & ~(uintptr_t)63);
    }
    vcpu_set_trace_handler(&cpu->vcpu, regs ? trace_regs : NULL, cpu);
    vcpu_trace_runs(&cpu->vcpu, runs || regs);
}

void base_cpu_drop_vcpu(struct base_cpu *cpu)
{
    if (!cpu->vcpu.ops)
        return;
    mem_free(cpu->traced_memory);
    cpu->traced_memory = NULL;
    cpu->traced_state = NULL;
    cpu->base.base.ring = NULL;
    if (vcpu_state_of(&cpu->vcpu) != VCPU_CREATED)
        (void)vcpu_fini(&cpu->vcpu, NULL);
    SIM_ASSERT(!vcpu_destroy(&cpu->vcpu));
}

static void make_runnable(struct base_cpu *cpu)
{
    struct vcpu *vcpu = &cpu->vcpu;

    if (vcpu_state_of(vcpu) == VCPU_FREE)
        expect(cpu, vcpu_bind(vcpu), "vCPU");
    else
        expect(cpu, vcpu_rebind(vcpu), "vCPU");
    vcpu_wake(vcpu);
}

enum x86_stop base_cpu_enter(struct base_cpu *cpu, uint64_t budget)
{
    struct vcpu *vcpu = &cpu->vcpu;
    struct vcpu_run_req req = {.max_insts = budget, .until = TICK_MAX};
    struct vcpu_exit exit;

    if (!vcpu->ops || vcpu->ops->run != core_vcpu_run)
        return x86_core_run(cpu->core, budget);
    if (SIM_UNLIKELY(!vcpu_is_ready_here(vcpu)))
        make_runnable(cpu);
    expect(cpu, vcpu_run(vcpu, &req, &exit), "vCPU");
    return exit.kind == VCPU_EXIT_INTR ? X86_STOP_REQUEST
                                       : (enum x86_stop)exit.raw;
}
