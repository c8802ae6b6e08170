/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/cpu_timer.h"

#include <stddef.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"

static const struct thread *cpu_timer_thread(const struct cpu_timer *timer)
{
    const struct thread *thread = timer->process->threads;

    while (thread && thread->tid != timer->tid)
        thread = thread->next;
    return thread;
}

tick_t cpu_timer_clock(const struct cpu_timer *timer)
{
    const struct thread *thread;

    if (!timer->tid)
        return process_run_ticks(timer->process);
    thread = cpu_timer_thread(timer);
    return thread ? thread_run_ticks(thread) : 0;
}

static void cpu_timer_unlink(struct cpu_timer *timer)
{
    struct cpu_timer **link = &timer->process->cpu_timers;

    if (!timer->is_armed)
        return;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->is_armed = false;
}

void cpu_timer_relink(struct cpu_timer *timer)
{
    if (!timer->is_armed)
        return;
    timer->next = timer->process->cpu_timers;
    timer->process->cpu_timers = timer;
}

void cpu_timer_arm(struct cpu_timer *timer, tick_t expires)
{
    cpu_timer_unlink(timer);
    timer->expires = expires;
    timer->is_armed = true;
    cpu_timer_relink(timer);
    cpu_timer_update(timer->process);
}

void cpu_timer_cancel(struct cpu_timer *timer)
{
    cpu_timer_unlink(timer);
    if (timer->process)
        cpu_timer_update(timer->process);
}

tick_t cpu_timer_left(const struct cpu_timer *timer)
{
    tick_t now;

    if (!timer->is_armed)
        return 0;
    now = cpu_timer_clock(timer);
    return timer->expires > now ? timer->expires - now : 1;
}

uint64_t cpu_timer_repeat(struct cpu_timer *timer, tick_t interval)
{
    tick_t late = cpu_timer_clock(timer) - timer->expires;
    uint64_t missed = late / interval;

    cpu_timer_arm(timer, timer->expires + (missed + 1) * interval);
    return missed;
}

/* How many times faster than simulated time the timer's clock runs. */
static uint32_t cpu_timer_rate(const struct cpu_timer *timer)
{
    uint32_t rate = 0;

    for (const struct thread *t = timer->process->threads; t; t = t->next) {
        if (t->run_state == THREAD_RUNNING &&
            (!timer->tid || t->tid == timer->tid))
            rate++;
    }
    return rate;
}

void cpu_timer_update(struct process *process)
{
    struct kernel *kernel = process->kernel;
    tick_t first = TICK_MAX, now;

    for (const struct cpu_timer *t = process->cpu_timers; t; t = t->next) {
        uint32_t rate = cpu_timer_rate(t);
        tick_t wait = rate ? (cpu_timer_left(t) + rate - 1) / rate : TICK_MAX;

        if (wait < first)
            first = wait;
    }
    now = kernel_now(kernel);
    if (first >= TICK_MAX - now)
        ktimer_cancel(&kernel->timers, &process->cpu_check);
    else
        ktimer_arm(&kernel->timers, &process->cpu_check, now + first);
    kernel_update_timer(kernel);
}

static struct cpu_timer *cpu_timer_due(const struct process *process)
{
    struct cpu_timer *timer = process->cpu_timers;

    while (timer && timer->expires > cpu_timer_clock(timer))
        timer = timer->next;
    return timer;
}

void cpu_timer_check(struct ktimer *check, tick_t now)
{
    struct process *process =
        SIM_CONTAINER_OF(check, struct process, cpu_check);
    struct cpu_timer *timer;

    (void)now;
    while ((timer = cpu_timer_due(process)) != NULL) {
        cpu_timer_unlink(timer);
        timer->fire(timer);
    }
    cpu_timer_update(process);
}
