/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/cpu_io.h"

#include <string.h>

#include "arch/x86/linux/process.h"
#include "arch/x86/msr.h"
#include "arch/x86/vmem.h"
#include "base/host_clock.h"
#include "base/rng.h"
#include "cpu/base_cpu.h"
#include "mem/port.h"
#include "mem/system.h"
#include "sim/object.h"
#include "sim/report.h"

/* IA32_APIC_BASE. */
enum { APIC_X2 = 1 << 10, APIC_ENABLED = 1 << 11 };

static struct base_cpu *cpu_of_env(struct x86_env *env)
{
    struct linux_cpu *linux_cpu = SIM_CONTAINER_OF(env, struct linux_cpu, env);

    return SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu);
}

static struct base_cpu *cpu_of_intr(struct x86_intr_cpu *intr_cpu)
{
    struct cpu_io *io = SIM_CONTAINER_OF(intr_cpu, struct cpu_io, intr_cpu);

    return SIM_CONTAINER_OF(io, struct base_cpu, io);
}

static uint64_t all_ones(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

/* ------------------------------------------------------------ ports, devices
 */

/* Time that the access takes is not charged here. */
static void cpu_request(struct base_cpu *cpu, struct mem_req *req)
{
    if (cpu->dcache_port.peer) {
        (void)mem_access(&cpu->dcache_port, req, cpu->runner.now);
        return;
    }
    cpu->io.num_unclaimed++;
    sim_guest_error(&cpu->base.base, "access to %#llx, but no bus is connected",
                    (unsigned long long)req->addr.v);
}

static uint64_t request_read(struct base_cpu *cpu, uint64_t addr, unsigned size)
{
    uint64_t value = UINT64_MAX; /* nobody drives the lines */
    struct mem_req req = {.addr = {addr},
                          .size = size,
                          .kind = MEM_READ,
                          .flags = MEM_REQ_UNCACHEABLE,
                          .core = cpu->io.requestor,
                          .data = &value};

    cpu_request(cpu, &req);
    return value & all_ones(size);
}

static void request_write(struct base_cpu *cpu, uint64_t addr, unsigned size,
                          uint64_t value)
{
    struct mem_req req = {.addr = {addr},
                          .size = size,
                          .kind = MEM_WRITE,
                          .flags = MEM_REQ_UNCACHEABLE,
                          .core = cpu->io.requestor,
                          .data = &value};

    cpu_request(cpu, &req);
}

/* A core that is not executing would take it for the next run. */
static void stop_core(struct base_cpu *cpu)
{
    if (x86_core_is_running(cpu->core))
        x86_core_stop(cpu->core);
}

/* A device may have scheduled an event or an exit at this tick: the core must
 * not run past it on its old budget. */
static void look_at_horizon(struct base_cpu *cpu)
{
    if (sim_runner_horizon(&cpu->runner) < cpu->run_until)
        stop_core(cpu);
}

uint32_t cpu_io_read(struct base_cpu *cpu, uint16_t port, unsigned size)
{
    uint32_t value;

    cpu->io.num_io++;
    (void)base_cpu_catch_up(cpu); /* devices see the instruction's time */
    value = (uint32_t)request_read(cpu, CPU_IO_PORT_BASE | port, size);
    look_at_horizon(cpu);
    return value;
}

void cpu_io_write(struct base_cpu *cpu, uint16_t port, unsigned size,
                  uint32_t value)
{
    cpu->io.num_io++;
    (void)base_cpu_catch_up(cpu);
    request_write(cpu, CPU_IO_PORT_BASE | port, size, value);
    look_at_horizon(cpu);
}

/* Number of the local APIC's register at @addr, or -1. */
static int apic_register(struct base_cpu *cpu, gpa_t addr)
{
    uint64_t base = x86_core_state(cpu->core)->apic_base;

    if (!cpu->io.intr || !(base & APIC_ENABLED) || (base & APIC_X2) ||
        (addr.v ^ base) >> 12)
        return -1;
    return (int)(addr.v & 0xfff) / 16;
}

uint64_t cpu_mmio_read(struct base_cpu *cpu, gpa_t addr, unsigned size)
{
    int reg = apic_register(cpu, addr);
    int func = system_pseudo_op_at(cpu->system, addr);
    uint64_t value = 0;

    cpu->io.num_mmio++;
    (void)base_cpu_catch_up(cpu);
    if (func >= 0)
        (void)cpu_pseudo_op(cpu, (uint16_t)func, &value);
    else if (reg >= 0)
        value = cpu->io.intr->ops->read(cpu->io.intr, (unsigned)reg) >>
                (addr.v & 3) * 8;
    else
        value = request_read(cpu, addr.v, size);
    look_at_horizon(cpu);
    return value & all_ones(size);
}

void cpu_mmio_write(struct base_cpu *cpu, gpa_t addr, unsigned size,
                    uint64_t value)
{
    int reg = apic_register(cpu, addr);
    int func = system_pseudo_op_at(cpu->system, addr);

    cpu->io.num_mmio++;
    (void)base_cpu_catch_up(cpu);
    if (func >= 0)
        (void)cpu_pseudo_op(cpu, (uint16_t)func, &value);
    else if (reg >= 0)
        cpu->io.intr->ops->write(cpu->io.intr, (unsigned)reg, (uint32_t)value);
    else
        request_write(cpu, addr.v, size, value);
    look_at_horizon(cpu);
}

/* -------------------------------------------------------- pseudo operations */

/* A program's pages come in when they are touched. */
static bool touch(struct base_cpu *cpu, uint64_t addr, uint32_t access)
{
    const struct thread *thread = cpu->linux_cpu.thread;

    return !cpu->is_in_se ||
           (thread && mm_fault(thread->process->mm, addr, access) == MM_OK);
}

static uint64_t page_part(uint64_t addr, uint64_t len)
{
    uint64_t room = FRAME_SIZE - addr % FRAME_SIZE;

    return len < room ? len : room;
}

static unsigned access_of(const struct base_cpu *cpu)
{
    return (x86_core_state(cpu->core)->seg[X86_CS].selector & 3) == 3
               ? X86_ACCESS_USER
               : 0;
}

static uint64_t pseudo_read(struct pseudo_call *call, uint64_t addr, void *data,
                            uint64_t len)
{
    struct base_cpu *cpu = call->ctx;
    uint64_t done = 0, got = 1;

    while (done < len && got && touch(cpu, addr + done, MM_READ)) {
        got = x86_vmem_read(
            cpu->core, (gva_t){addr + done}, (char *)data + done,
            page_part(addr + done, len - done), access_of(cpu), NULL);
        done += got;
    }
    return done;
}

static uint64_t pseudo_write(struct pseudo_call *call, uint64_t addr,
                             const void *data, uint64_t len)
{
    struct base_cpu *cpu = call->ctx;
    uint64_t done = 0, got = 1;

    while (done < len && got && touch(cpu, addr + done, MM_WRITE)) {
        got = x86_vmem_write(
            cpu->core, (gva_t){addr + done}, (const char *)data + done,
            page_part(addr + done, len - done), access_of(cpu), NULL);
        done += got;
    }
    return done;
}

static void activate(struct base_cpu *cpu)
{
    if (cpu->is_switched_out)
        cpu->was_active = true; /* whoever takes over will look */
    else
        sim_runner_activate(cpu->base.base.sim, &cpu->runner);
}

static void cpu_unquiesce(struct base_cpu *cpu, tick_t now)
{
    struct sim *sim = cpu->base.base.sim;

    if (!cpu->io.is_quiesced)
        return;
    cpu->io.is_quiesced = false;
    cpu->io.last_quiescence =
        now > cpu->io.quiesced_at ? now - cpu->io.quiesced_at : 0;
    eventq_deschedule(sim_eventq(sim), &cpu->io.wake);
    activate(cpu);
}

static void wake_up(struct sim_event *event, tick_t now)
{
    struct cpu_io *io = SIM_CONTAINER_OF(event, struct cpu_io, wake);

    cpu_unquiesce(SIM_CONTAINER_OF(io, struct base_cpu, io), now);
}

static void schedule_wake(struct base_cpu *cpu)
{
    struct eventq *queue = sim_eventq(cpu->base.base.sim);

    if (cpu->io.is_quiesced && cpu->io.quiesce_until != TICK_MAX)
        eventq_reschedule(queue, &cpu->io.wake, cpu->io.quiesce_until);
    else
        eventq_deschedule(queue, &cpu->io.wake);
}

static void pseudo_quiesce(struct pseudo_call *call, tick_t until)
{
    struct base_cpu *cpu = call->ctx;

    cpu->io.is_quiesced = true;
    cpu->io.quiesced_at = call->now;
    cpu->io.quiesce_until = until;
    schedule_wake(cpu);
}

static tick_t pseudo_quiesce_time(struct pseudo_call *call)
{
    return ((struct base_cpu *)call->ctx)->io.last_quiescence;
}

static tick_t pseudo_cycles_to_ticks(struct pseudo_call *call, uint64_t cycles)
{
    struct base_cpu *cpu = call->ctx;
    tick_t period = clock_period(&cpu->base);

    return cycles < TICK_MAX / period ? cycles * period : TICK_MAX;
}

static bool pseudo_wake(struct pseudo_call *call, uint64_t cpu_id)
{
    struct base_cpu *cpu = call->ctx;
    struct base_cpu *other = base_cpu_next(cpu->system, NULL);

    while (other && (other->cpu_id != cpu_id || other->is_switched_out))
        other = base_cpu_next(cpu->system, other);
    if (!other)
        return false;
    cpu_unquiesce(other, call->now);
    return true;
}

static void pseudo_count_work(struct pseudo_call *call, enum pseudo_work what)
{
    struct base_cpu *cpu = call->ctx;

    if (what == PSEUDO_WORK_BEGIN)
        cpu->io.work_started++;
    else
        cpu->io.work_completed++;
}

static const struct pseudo_cpu_ops pseudo_cpu_ops = {
    .read = pseudo_read,
    .write = pseudo_write,
    .quiesce = pseudo_quiesce,
    .quiesce_time = pseudo_quiesce_time,
    .cycles_to_ticks = pseudo_cycles_to_ticks,
    .wake = pseudo_wake,
    .count_work = pseudo_count_work,
};

bool cpu_pseudo_op(struct base_cpu *cpu, uint16_t func, uint64_t *result)
{
    static const uint8_t regs[PSEUDO_NUM_ARGS] = {X86_RDI, X86_RSI, X86_RDX,
                                                  X86_RCX, X86_R8,  X86_R9};
    const struct x86_state *state = x86_core_state(cpu->core);
    struct pseudo_call call = {
        .machine = &cpu->system->pseudo,
        .ops = &pseudo_cpu_ops,
        .ctx = cpu,
        .cpu = &cpu->base.base,
        .cpu_id = (uint32_t)cpu->cpu_id,
        .may_dump = cpu->do_statistics_insts,
        .may_checkpoint = cpu->do_checkpoint_insts,
        .now = base_cpu_catch_up(cpu),
    };
    bool is_known;

    cpu->io.num_pseudo_ops++;
    for (unsigned i = 0; i < PSEUDO_NUM_ARGS; i++)
        call.args[i] = state->gpr[regs[i]];
    is_known = pseudo_op_run(&call, func, result);
    stop_core(cpu);
    return is_known;
}

bool cpu_hypercall(struct base_cpu *cpu, uint64_t *result)
{
    uint64_t number = x86_core_state(cpu->core)->gpr[X86_RAX];

    cpu->io.num_hypercalls++;
    if (number >> 16 == CPU_HYPERCALL_PSEUDO >> 16)
        return cpu_pseudo_op(cpu, (uint16_t)number, result);
    sim_guest_error(&cpu->base.base, "unknown hypercall %#llx",
                    (unsigned long long)number);
    return false;
}

/* --------------------------------------------------------------- interrupts */

bool cpu_msr_read(struct base_cpu *cpu, uint32_t index, uint64_t *value)
{
    struct x86_intr *intr = cpu->io.intr;
    struct system_msr *other;
    bool is_known;

    (void)base_cpu_catch_up(cpu);
    if (intr && intr->ops->msr_read(intr, index, value))
        return true;
    other = system_find_msr(cpu->system, index);
    is_known = other && other->read(other, (uint32_t)cpu->cpu_id, index, value);
    look_at_horizon(cpu); /* the script may have ended the run */
    return is_known;
}

bool cpu_msr_write(struct base_cpu *cpu, uint32_t index, uint64_t value)
{
    struct x86_intr *intr = cpu->io.intr;
    bool is_known = false;

    (void)base_cpu_catch_up(cpu);
    if (intr)
        is_known = intr->ops->msr_write(intr, index, value);
    if (!is_known) {
        struct system_msr *other = system_find_msr(cpu->system, index);

        is_known =
            other && other->write(other, (uint32_t)cpu->cpu_id, index, value);
    }
    look_at_horizon(cpu);
    return is_known;
}

int cpu_interrupt_pending(struct base_cpu *cpu)
{
    struct x86_intr *intr = cpu->io.intr;

    return intr ? intr->ops->pending(intr) : -1;
}

void cpu_interrupt_taken(struct base_cpu *cpu, uint8_t vector)
{
    struct x86_intr *intr = cpu->io.intr;

    cpu->io.num_interrupts++;
    intr->ops->acknowledge(intr, vector);
}

static void cpu_wake(struct base_cpu *cpu)
{
    struct sim_runner *runner = &cpu->runner;

    x86_core_poke(cpu->core);
    cpu->io.is_poked = true;
    cpu_unquiesce(cpu, sim_now(cpu->base.base.sim));
    activate(cpu);
    if (runner->kick)
        runner->kick(runner);
}

static void intr_poke(struct x86_intr_cpu *intr_cpu)
{
    cpu_wake(cpu_of_intr(intr_cpu));
}

static void intr_nmi(struct x86_intr_cpu *intr_cpu)
{
    intr_cpu->state->events.nmi_pending = 1;
    cpu_wake(cpu_of_intr(intr_cpu));
}

/* The processor may be executing just now: it acts when it looks. */
static void intr_init(struct x86_intr_cpu *intr_cpu)
{
    struct base_cpu *cpu = cpu_of_intr(intr_cpu);

    cpu->io.has_init = true;
    cpu->io.has_start = false;
    stop_core(cpu);
    cpu_wake(cpu);
}

static void intr_start(struct x86_intr_cpu *intr_cpu, uint8_t vector)
{
    struct base_cpu *cpu = cpu_of_intr(intr_cpu);

    if (cpu->io.has_start ||
        (!cpu->io.has_init && intr_cpu->state->mp_state != X86_WAIT_SIPI))
        return;
    cpu->io.has_start = true;
    cpu->io.start_vector = vector;
    stop_core(cpu);
    cpu_wake(cpu);
}

void cpu_io_see_host_tsc(struct base_cpu *cpu)
{
    cpu->io.host_tsc_seen = host_clock_tsc();
    cpu->io.host_tsc_seen_at = cpu->runner.now;
}

uint64_t cpu_io_host_tsc_lag(const struct base_cpu *cpu)
{
    const struct cpu_io *io = &cpu->io;
    double passed = (double)(cpu->runner.now - io->host_tsc_seen_at);
    uint64_t host = host_clock_tsc();
    uint64_t wanted;

    if (!io->has_host_tsc)
        return 0;
    wanted = io->host_tsc_seen + (uint64_t)(passed / io->ticks_per_host_tsc);
    return wanted > host ? wanted - host : 0;
}

/* Both times are seen together, so that it is not there too early. */
static tick_t tick_of_host_tsc(struct base_cpu *cpu, int64_t tsc)
{
    tick_t now = base_cpu_catch_up(cpu);
    int64_t left;
    double ticks;

    cpu_io_see_host_tsc(cpu);
    left = tsc - (int64_t)cpu->io.host_tsc_seen;
    ticks = (double)left * cpu->io.ticks_per_host_tsc;
    if (left < 0)
        return 0;
    return ticks < (double)(TICK_MAX - now) ? now + (tick_t)ticks + 1
                                            : TICK_MAX;
}

/* The inverse of env_read_tsc(). */
static tick_t intr_tick_of_tsc(struct x86_intr_cpu *intr_cpu, uint64_t tsc)
{
    struct base_cpu *cpu = cpu_of_intr(intr_cpu);
    int64_t cycles = (int64_t)(tsc - intr_cpu->state->tsc_offset);
    tick_t period = cpu->linux_cpu.period;

    if (cpu->io.has_host_tsc)
        return tick_of_host_tsc(cpu, cycles);
    if (cycles < 0)
        return 0;
    return (uint64_t)cycles < TICK_MAX / period ? (uint64_t)cycles * period
                                                : TICK_MAX;
}

static const struct x86_intr_cpu_ops intr_cpu_ops = {
    .poke = intr_poke,
    .nmi = intr_nmi,
    .init = intr_init,
    .start = intr_start,
    .tick_of_tsc = intr_tick_of_tsc,
};

/* [SDM] Vol. 3A, "MP Initialization Protocol Algorithm". */
static void act_upon_messages(struct base_cpu *cpu)
{
    struct x86_state *state = x86_core_state(cpu->core);
    struct cpu_io *io = &cpu->io;

    if (!io->has_init && !io->has_start)
        return;
    x86_core_sync(cpu->core);
    if (io->has_init)
        x86_state_init(state);
    if (io->has_init && !io->intr_cpu.is_bootstrap)
        state->mp_state = X86_WAIT_SIPI;
    if (io->has_start && state->mp_state == X86_WAIT_SIPI)
        x86_state_start(state, io->start_vector);
    io->has_init = io->has_start = false;
    x86_core_state_changed(cpu->core);
}

bool cpu_io_may_run(struct base_cpu *cpu)
{
    const struct x86_state *state = x86_core_state(cpu->core);
    bool is_poked = cpu->io.is_poked;

    act_upon_messages(cpu);
    cpu->io.is_poked = false;
    if (cpu->io.is_quiesced)
        return false;
    return state->mp_state == X86_RUNNABLE ||
           (state->mp_state == X86_HALTED && is_poked);
}

/* -------------------------------------------------------------------- hooks */

static uint64_t env_read_tsc(struct x86_env *env, struct x86_core *core)
{
    struct base_cpu *cpu = cpu_of_env(env);

    (void)core;
    return cpu->io.has_host_tsc
               ? host_clock_tsc()
               : base_cpu_catch_up(cpu) / cpu->linux_cpu.period;
}

bool cpu_io_take_host_tsc(struct base_cpu *cpu, double ticks_per_host_tsc,
                          enum cpu_tsc kind)
{
    uint64_t *offset = &x86_core_state(cpu->core)->tsc_offset;
    uint64_t before = cpu->runner.now / cpu->linux_cpu.period + *offset;
    uint64_t host = host_clock_tsc();

    cpu->io.has_host_tsc = true;
    cpu->io.ticks_per_host_tsc = ticks_per_host_tsc;
    *offset = kind == CPU_TSC_FIXED ? 0 : before - host;
    return host + *offset >= before;
}

void cpu_io_leave_host_tsc(struct base_cpu *cpu)
{
    if (!cpu->io.has_host_tsc)
        return;
    cpu->io.has_host_tsc = false;
    x86_core_state(cpu->core)->tsc_offset +=
        host_clock_tsc() - cpu->runner.now / cpu->linux_cpu.period;
}

static uint64_t env_random(struct x86_env *env, struct x86_core *core)
{
    (void)core;
    return rng_u64(sim_rng(cpu_of_env(env)->base.base.sim));
}

static uint64_t env_mmio_read(struct x86_env *env, struct x86_core *core,
                              gpa_t addr, unsigned size)
{
    (void)core;
    return cpu_mmio_read(cpu_of_env(env), addr, size);
}

static void env_mmio_write(struct x86_env *env, struct x86_core *core,
                           gpa_t addr, unsigned size, uint64_t value)
{
    (void)core;
    cpu_mmio_write(cpu_of_env(env), addr, size, value);
}

static uint32_t env_io_read(struct x86_env *env, struct x86_core *core,
                            uint16_t port, unsigned size)
{
    (void)core;
    return cpu_io_read(cpu_of_env(env), port, size);
}

static void env_io_write(struct x86_env *env, struct x86_core *core,
                         uint16_t port, unsigned size, uint32_t value)
{
    (void)core;
    cpu_io_write(cpu_of_env(env), port, size, value);
}

static bool env_pseudo_op(struct x86_env *env, struct x86_core *core,
                          uint16_t func, uint64_t *result)
{
    (void)core;
    return cpu_pseudo_op(cpu_of_env(env), func, result);
}

static bool env_hypercall(struct x86_env *env, struct x86_core *core,
                          uint64_t *result)
{
    (void)core;
    return cpu_hypercall(cpu_of_env(env), result);
}

static bool env_msr_read(struct x86_env *env, struct x86_core *core,
                         uint32_t index, uint64_t *value)
{
    (void)core;
    return cpu_msr_read(cpu_of_env(env), index, value);
}

static bool env_msr_write(struct x86_env *env, struct x86_core *core,
                          uint32_t index, uint64_t value)
{
    (void)core;
    return cpu_msr_write(cpu_of_env(env), index, value);
}

static int env_take_interrupt(struct x86_env *env, struct x86_core *core)
{
    struct base_cpu *cpu = cpu_of_env(env);
    int vector = cpu_interrupt_pending(cpu);

    (void)core;
    if (vector >= 0)
        cpu_interrupt_taken(cpu, (uint8_t)vector);
    return vector;
}

void cpu_io_set_env(struct base_cpu *cpu)
{
    struct x86_env *env = &cpu->linux_cpu.env;

    env->mmio_read = env_mmio_read;
    env->mmio_write = env_mmio_write;
    env->pseudo_op = env_pseudo_op;
    env->hypercall = env_hypercall;
    if (cpu->is_in_se)
        return;
    env->io_read = env_io_read;
    env->io_write = env_io_write;
    env->read_tsc = env_read_tsc;
    env->random = env_random;
    env->msr_read = env_msr_read;
    env->msr_write = env_msr_write;
    env->take_interrupt = env_take_interrupt;
}

/* --------------------------------------------------------------- life cycle */

void cpu_io_init(struct base_cpu *cpu)
{
    struct cpu_io *io = &cpu->io;

    event_init(&io->wake, "end of quiescence", EVENT_PRI_DEFAULT, wake_up);
    io->requestor = system_add_requestor(cpu->system, &cpu->base.base, "data");
    io->intr_cpu.ops = &intr_cpu_ops;
    io->intr_cpu.state = x86_core_state(cpu->core);
    io->intr_cpu.is_bootstrap = cpu->cpu_id == 0;
    if (cpu->is_in_se || !cpu->interrupts.len)
        return;
    io->intr = x86_intr_of(cpu->interrupts.data[0]);
    io->intr->id = (uint32_t)cpu->cpu_id;
    if (!cpu->is_switched_out)
        io->intr->cpu = &io->intr_cpu;
}

void cpu_io_startup(struct base_cpu *cpu)
{
    schedule_wake(cpu);
}

void cpu_io_fini(struct base_cpu *cpu)
{
    eventq_deschedule(sim_eventq(cpu->base.base.sim), &cpu->io.wake);
}

void cpu_io_take_over(struct base_cpu *cpu, struct base_cpu *old)
{
    struct cpu_io *to = &cpu->io, *from = &old->io;

    to->intr = from->intr;
    from->intr = NULL;
    if (to->intr)
        to->intr->cpu = &to->intr_cpu;
    to->is_quiesced = from->is_quiesced;
    to->quiesced_at = from->quiesced_at;
    to->quiesce_until = from->quiesce_until;
    to->last_quiescence = from->last_quiescence;
    to->has_init = from->has_init;
    to->has_start = from->has_start;
    to->start_vector = from->start_vector;
    to->is_poked = true; /* let it look */
    from->is_quiesced = false;
    schedule_wake(cpu);
    schedule_wake(old);
}
