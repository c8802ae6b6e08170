/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which thread runs where: one queue in order of readiness, of which real-time
 * threads come first; time slices counted in instructions, so that a run is
 * deterministic.  A core keeps the state of the thread it ran last until
 * somebody else needs the core or the state.
 */
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/rseq.h"
#include "arch/x86/linux/syscall.h"

/* How long real-time threads have a CPU while others wait: nearly a second, as
 * in sched(7), "Limiting the CPU usage of real-time". */
#define RT_RUNTIME (TICKS_PER_SECOND / 100 * 95)

/* ------------------------------------------------------------------ the queue
 */

static bool sched_may_use(const struct thread *thread, uint32_t cpu)
{
    return (thread->affinity[cpu / 64] >> (cpu % 64)) & 1;
}

/* A CPU takes one thread when it wakes, so each thread wakes another one. */
static void sched_wake_cpu(struct kernel *kernel, const struct thread *thread)
{
    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        uint32_t index = (thread->last_cpu + i) % kernel->num_cpus;
        struct linux_cpu *cpu = kernel->cpus[index];

        if (!cpu->thread && !cpu->is_woken && sched_may_use(thread, index) &&
            cpu->wake) {
            cpu->is_woken = true;
            cpu->wake(cpu);
            return;
        }
    }
}

static void sched_put_last(struct thread *thread)
{
    struct kernel *kernel = thread->process->kernel;

    thread->run_state = THREAD_RUNNABLE;
    thread->run_next = NULL;
    if (kernel->run_last)
        kernel->run_last->run_next = thread;
    else
        kernel->run_first = thread;
    kernel->run_last = thread;
}

static void sched_put_first(struct thread *thread)
{
    struct kernel *kernel = thread->process->kernel;

    thread->run_state = THREAD_RUNNABLE;
    thread->run_next = kernel->run_first;
    kernel->run_first = thread;
    if (!kernel->run_last)
        kernel->run_last = thread;
}

void sched_dequeue(struct thread *thread)
{
    struct kernel *kernel = thread->process->kernel;
    struct thread *before = NULL;

    for (struct thread *t = kernel->run_first; t; t = t->run_next) {
        if (t == thread) {
            if (before)
                before->run_next = t->run_next;
            else
                kernel->run_first = t->run_next;
            if (kernel->run_last == t)
                kernel->run_last = before;
            return;
        }
        before = t;
    }
}

/* Real-time threads may not have a CPU for themselves for ever. */
static bool sched_is_throttled(const struct linux_cpu *cpu)
{
    return cpu->rt_ran * cpu->period >= RT_RUNTIME;
}

/* Whose turn is next on @cpu, in the queue; NULL: nobody may run there. */
static struct thread *sched_first(const struct linux_cpu *cpu)
{
    struct thread *first = NULL;
    struct thread *ordinary = NULL;

    for (struct thread *t = cpu->kernel->run_first; t; t = t->run_next) {
        if (!sched_may_use(t, cpu->index))
            continue;
        if (!ordinary && !t->rt_priority)
            ordinary = t;
        if (!first || t->rt_priority > first->rt_priority)
            first = t;
    }
    return ordinary && sched_is_throttled(cpu) ? ordinary : first;
}

static struct thread *sched_pop(const struct linux_cpu *cpu)
{
    struct thread *thread = sched_first(cpu);

    if (thread)
        sched_dequeue(thread);
    return thread;
}

/* The CPU looks at the queue as soon as it can. */
static void sched_end_slice(struct linux_cpu *cpu)
{
    cpu->slice_left = 1;
    if (cpu->kernel->current == cpu)
        x86_core_stop(cpu->core);
}

/* @thread is ready: if all CPUs that it may use are busy, the one that runs the
 * least lets it run next. */
static void sched_prefer(const struct thread *thread)
{
    const struct kernel *kernel = thread->process->kernel;
    struct linux_cpu *least = NULL;

    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        struct linux_cpu *cpu = kernel->cpus[i];

        if (!sched_may_use(thread, i))
            continue;
        if (!cpu->thread)
            return;
        if (!least || cpu->thread->rt_priority < least->thread->rt_priority)
            least = cpu;
    }
    if (least && least->thread->rt_priority < thread->rt_priority &&
        !sched_is_throttled(least))
        sched_end_slice(least);
}

/* As Linux does: behind its equals, or, after a loss, before them. */
static void sched_requeue(struct thread *thread, uint32_t old)
{
    sched_dequeue(thread);
    if (thread->rt_priority < old)
        sched_put_first(thread);
    else
        sched_put_last(thread);
    if (thread->rt_priority)
        sched_prefer(thread);
}

void sched_set_priority(struct thread *thread, uint32_t priority)
{
    uint32_t old = thread->rt_priority;
    const struct thread *next = NULL;

    thread->rt_priority = priority;
    if (thread->run_state == THREAD_RUNNABLE && (old || priority))
        sched_requeue(thread, old);
    else if (thread->run_state == THREAD_RUNNING)
        next = sched_first(thread->cpu);
    if (next && next->rt_priority > priority)
        sched_end_slice(thread->cpu);
}

void sched_enqueue(struct thread *thread)
{
    sched_put_last(thread);
    sched_wake_cpu(thread->process->kernel, thread);
    if (thread->rt_priority)
        sched_prefer(thread);
}

/* Interrupted by somebody of a higher priority: before its equals. */
static void sched_put_back(struct thread *thread)
{
    sched_leave(thread, THREAD_WAITING);
    sched_put_first(thread);
    sched_wake_cpu(thread->process->kernel, thread);
}

/* ------------------------------------------------------------ state in a core
 */

void sched_save(struct thread *thread)
{
    struct linux_cpu *cpu = thread->cpu;

    if (!cpu || cpu->loaded != thread)
        return;
    x86_core_sync(cpu->core);
    *thread->state = *x86_core_state(cpu->core);
    cpu->loaded = NULL;
    thread->cpu = NULL;
}

struct x86_state *sched_state(struct thread *thread)
{
    struct linux_cpu *cpu = thread->cpu;

    if (!cpu || cpu->loaded != thread)
        return thread->state;
    x86_core_sync(cpu->core);
    return x86_core_state(cpu->core);
}

void sched_state_changed(struct thread *thread)
{
    struct linux_cpu *cpu = thread->cpu;

    if (cpu && cpu->loaded == thread)
        x86_core_state_changed(cpu->core);
}

void sched_load_tls(struct linux_cpu *cpu, const struct thread *thread)
{
    uint64_t *gdt = kernel_gdt(cpu);

    for (int i = 0; i < THREAD_TLS_SLOTS; i++)
        gdt[12 + i] = thread->tls[i][0] | (uint64_t)thread->tls[i][1] << 32;
}

static void sched_load_mm(struct linux_cpu *cpu, struct mm *mm)
{
    struct mm *old = cpu->loaded_mm;

    if (old == mm)
        return;
    cpu->loaded_mm = mm_get(mm);
    x86_core_sync(cpu->core);
    x86_core_state(cpu->core)->cr3 = mm->pt.root.v;
    x86_core_state_changed(cpu->core);
    x86_core_flush_tlb(cpu->core);
    stops_update(cpu->kernel, mm);
    mm_put(old);
}

void sched_mm_changed(struct process *process)
{
    struct kernel *kernel = process->kernel;

    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        struct linux_cpu *cpu = kernel->cpus[i];

        if (cpu->thread && cpu->thread->process == process)
            sched_load_mm(cpu, process->mm);
    }
}

static void sched_load(struct linux_cpu *cpu, struct thread *thread)
{
    struct x86_state *state = x86_core_state(cpu->core);

    if (cpu->loaded != thread) {
        if (cpu->loaded)
            sched_save(cpu->loaded);
        sched_save(thread);
        x86_core_sync(cpu->core); /* of a thread that is no more */
        *state = *thread->state;
        state->gdtr.base = kernel_gdt_addr(cpu);
        state->gdtr.limit = 127;
        state->cr3 = cpu->loaded_mm ? cpu->loaded_mm->pt.root.v : 0;
        x86_core_state_changed(cpu->core);
        cpu->loaded = thread;
        thread->cpu = cpu;
        cpu->kernel->num_context_switches++;
    }
    sched_load_tls(cpu, thread);
    sched_load_mm(cpu, thread->process->mm);
}

/* ------------------------------------------------------------------ switching
 */

void sched_leave(struct thread *thread, enum thread_state state)
{
    struct linux_cpu *cpu = thread->cpu;

    if (thread->run_state == THREAD_RUNNABLE)
        sched_dequeue(thread);
    if (thread->run_state == THREAD_RUNNING) {
        tick_t now = cpu->now(cpu);

        thread->run_ticks += now - thread->run_since;
        cpu->thread = NULL;
        x86_core_stop(cpu->core);
    }
    thread->run_state = state;
    if (thread->process->cpu_timers)
        cpu_timer_update(thread->process);
}

void sched_yield_cpu(struct thread *thread)
{
    sched_leave(thread, THREAD_WAITING);
    sched_enqueue(thread);
}

void sched_wake(struct thread *thread, enum wake_reason reason)
{
    if (thread->run_state != THREAD_WAITING)
        return;
    ktimer_cancel(&thread->process->kernel->timers, &thread->wait_timer);
    thread->wait.reason = reason;
    sched_enqueue(thread);
}

/* A round of SCHED_RR, and how long SCHED_FIFO goes without a look at who
 * waits.  Else the time slice: a quarter more for each step to a lower nice
 * value. Sources: sched(7), "The nice value"; sched_rr_get_interval(2). */
static uint64_t sched_quantum(const struct linux_cpu *cpu,
                              const struct thread *thread)
{
    uint64_t insts =
        cpu->quantum ? cpu->quantum : cpu->kernel->cfg.quantum_insts;

    if (thread->rt_priority)
        return SCHED_RR_SLICE / cpu->period;
    if (sched_is_throttled(cpu))
        return (TICKS_PER_SECOND - RT_RUNTIME) / cpu->period;
    for (int nice = thread->nice; nice < 0; nice++)
        insts += insts / 4;
    for (int nice = 0; nice < thread->nice; nice++)
        insts -= insts / 5;
    return insts;
}

static void sched_start(struct linux_cpu *cpu, struct thread *thread)
{
    sched_load(cpu, thread);
    cpu->thread = thread;
    cpu->slice_left = sched_quantum(cpu, thread);
    thread->run_state = THREAD_RUNNING;
    thread->last_cpu = cpu->index;
    thread->run_since = cpu->now(cpu);
    rseq_settle(cpu, thread);
    if (thread->process->cpu_timers)
        cpu_timer_update(thread->process);
}

/* Finish what the thread has to do inside the kernel. */
static bool sched_return_to_user(struct linux_cpu *cpu, struct thread *thread)
{
    if (thread->in_syscall)
        return syscall_continue(cpu, thread);
    if (signal_is_pending(thread) || thread->restart)
        return signal_deliver(cpu, thread);
    return true;
}

static bool sched_is_all_idle(const struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        if (kernel->cpus[i]->thread)
            return false;
    }
    return !kernel->run_first;
}

/* Everybody waits, no timer runs and no input can come: the rest of the tree
 * would wait for ever. */
static void sched_check_stuck(struct kernel *kernel)
{
    bool is_first_gone = !kernel->first_process;

    if (kernel->is_over || kernel->timers.first || !kernel->processes ||
        kernel->is_interrupted)
        return;
    kernel->is_over = true;
    if (kernel->cfg.host.exit)
        kernel->cfg.host.exit(kernel->cfg.host.ctx,
                              is_first_gone
                                  ? "exiting with last active thread context"
                                  : "all threads wait for ever",
                              is_first_gone ? kernel->exit_code : 1);
}

bool sched_run_next(struct linux_cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    bool found = false;

    kernel->current = cpu;
    kernel->is_interrupted = false;
    while (!found && !kernel->is_over) {
        struct thread *thread = cpu->thread;

        if (!thread) {
            cpu->is_woken = false;
            thread = sched_pop(cpu);
            if (thread)
                sched_start(cpu, thread);
        }
        if (thread)
            found = sched_return_to_user(cpu, thread);
        else if (!sched_is_all_idle(kernel) || !kernel_poll_host(kernel))
            break;
    }
    if (!found && sched_is_all_idle(kernel))
        sched_check_stuck(kernel);
    kernel->current = NULL;
    return found;
}

/* The slice is over.  Source: sched(7), "Scheduling policies". */
static void sched_rotate(struct linux_cpu *cpu)
{
    struct thread *thread = cpu->thread;
    const struct thread *next = sched_first(cpu);

    if (!thread->rt_priority || !next) {
        if (cpu->kernel->run_first)
            sched_yield_cpu(thread);
    } else if (next->rt_priority > thread->rt_priority ||
               (!next->rt_priority && sched_is_throttled(cpu))) {
        sched_put_back(thread);
    } else if (next->rt_priority == thread->rt_priority &&
               thread->policy == SCHED_RR) {
        sched_yield_cpu(thread);
    }
}

void sched_ran(struct linux_cpu *cpu, uint64_t insts)
{
    cpu->slice_left -= insts < cpu->slice_left ? insts : cpu->slice_left;
    if (!cpu->thread)
        return;
    cpu->rt_ran = cpu->thread->rt_priority ? cpu->rt_ran + insts : 0;
    if (cpu->slice_left)
        return;
    cpu->slice_left = sched_quantum(cpu, cpu->thread);
    sched_rotate(cpu);
}
