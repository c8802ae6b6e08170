/* SPDX-License-Identifier: BSD-3-Clause */
/* timer_create and its kin. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/posix_timer.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

/* ------------------------------------------------------------------- expiry */

/* Send the signal; if the last one still waits, that one counts. */
static void posix_timer_notify(struct posix_timer *timer, uint64_t missed)
{
    struct signal_info info = {.signo = timer->signo,
                               .code = SI_TIMER,
                               .pid = timer->id,
                               .value = timer->value};
    struct kernel *kernel = timer->process->kernel;
    struct thread *thread =
        timer->target ? kernel_find_thread(kernel, timer->target) : NULL;
    struct signal_set *set =
        thread ? &thread->pending : &timer->process->pending;
    struct signal_info *waiting;

    if (!timer->signo)
        return;
    waiting = signal_find_timer(set, timer->signo, timer->id);
    if (waiting) {
        timer->overrun += 1 + (uint32_t)missed;
        waiting->uid = timer->overrun;
        return;
    }
    timer->overrun = (uint32_t)missed;
    info.uid = timer->overrun;
    if (thread)
        signal_send_thread(thread, &info);
    else
        signal_send_process(timer->process, &info);
}

static void posix_timer_fire(struct ktimer *ktimer, tick_t now)
{
    struct posix_timer *timer =
        SIM_CONTAINER_OF(ktimer, struct posix_timer, timer);
    uint64_t missed = 0;

    if (timer->interval) {
        missed =
            now > ktimer->when ? (now - ktimer->when) / timer->interval : 0;
        ktimer_arm(&timer->process->kernel->timers, ktimer,
                   ktimer->when + (missed + 1) * timer->interval);
    }
    posix_timer_notify(timer, missed);
}

static void posix_timer_cpu_fire(struct cpu_timer *cpu)
{
    struct posix_timer *timer = SIM_CONTAINER_OF(cpu, struct posix_timer, cpu);

    posix_timer_notify(
        timer, timer->interval ? cpu_timer_repeat(cpu, timer->interval) : 0);
}

static void posix_timer_cancel(struct posix_timer *timer)
{
    if (timer->is_cpu)
        cpu_timer_cancel(&timer->cpu);
    else
        ktimer_cancel(&timer->process->kernel->timers, &timer->timer);
}

void posix_timer_drop_all(struct process *process)
{
    while (process->timers) {
        struct posix_timer *timer = process->timers;

        process->timers = timer->next;
        posix_timer_cancel(timer);
        mem_free(timer);
    }
}

/* ----------------------------------------------------------------- creation */

/* 64-bit and 32-bit struct sigevent. */
struct timer_event {
    uint64_t value;
    int32_t signo, notify, tid;
};

static int timer_read_event(const struct syscall *call, uint64_t addr,
                            struct timer_event *event)
{
    int32_t rest[3];
    uint32_t narrow;

    if (call->is_32) {
        if (uaccess_get(call->mm, addr, narrow) ||
            uaccess_get(call->mm, addr + 4, rest))
            return -EFAULT;
        event->value = narrow;
    } else if (uaccess_get(call->mm, addr, event->value) ||
               uaccess_get(call->mm, addr + 8, rest)) {
        return -EFAULT;
    }
    event->signo = rest[0];
    event->notify = rest[1];
    event->tid = rest[2];
    return 0;
}

static const struct thread *timer_find_thread(const struct process *process,
                                              uint32_t tid)
{
    const struct thread *thread = process->threads;

    while (thread && thread->tid != tid)
        thread = thread->next;
    return thread;
}

static int timer_check_event(const struct syscall *call,
                             const struct timer_event *event)
{
    switch (event->notify) {
    case SIGEV_THREAD_ID:
        if (!timer_find_thread(call->process, (uint32_t)event->tid))
            return -EINVAL;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        break;
    case SIGEV_NONE:
        return 0;
    default:
        return -EINVAL;
    }
    return event->signo < 1 || event->signo > SIGNAL_MAX ? -EINVAL : 0;
}

/* Which clock; CPU clocks only of the process itself and its threads. */
static int timer_set_clock(const struct syscall *call, int clock,
                           struct posix_timer *timer)
{
    uint32_t id = ~(uint32_t)clock >> 3;

    timer->clock = clock;
    timer->is_cpu = clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID ||
                    clock == CLOCK_THREAD_CPUTIME_ID;
    if (!timer->is_cpu)
        return clock > CLOCK_TAI || clock == CLOCK_MONOTONIC_RAW ||
                       clock == CLOCK_REALTIME_COARSE ||
                       clock == CLOCK_MONOTONIC_COARSE
                   ? -EINVAL
                   : 0;
    if (clock == CLOCK_THREAD_CPUTIME_ID)
        timer->cpu.tid = call->thread->tid;
    if (clock >= 0)
        return 0;
    if (!(clock & 4)) /* of a process */
        return id && id != call->process->pid ? -EINVAL : 0;
    timer->cpu.tid = id ? id : call->thread->tid;
    return timer_find_thread(call->process, timer->cpu.tid) ? 0 : -EINVAL;
}

struct posix_timer *posix_timer_add(struct process *process)
{
    struct posix_timer *timer = alloc_zeroed(1, sizeof(*timer));

    timer->process = process;
    timer->timer.fire = posix_timer_fire;
    timer->cpu.process = process;
    timer->cpu.fire = posix_timer_cpu_fire;
    timer->next = process->timers;
    process->timers = timer;
    return timer;
}

static int64_t sys_timer_create(struct syscall *call)
{
    struct timer_event event = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
    struct posix_timer made = {0};
    struct posix_timer *timer;
    uint32_t id = call->process->last_timer_id;
    int error = timer_set_clock(call, (int)call->arg[0], &made);

    if (!error && call->arg[1])
        error = timer_read_event(call, call->arg[1], &event);
    if (!error)
        error = timer_check_event(call, &event);
    if (!error)
        error = uaccess_put(call->mm, call->arg[2], id);
    if (error)
        return error;
    timer = posix_timer_add(call->process);
    timer->id = call->process->last_timer_id++;
    timer->clock = made.clock;
    timer->is_cpu = made.is_cpu;
    timer->cpu.tid = made.cpu.tid;
    timer->signo = event.notify == SIGEV_NONE ? 0 : event.signo;
    timer->target = event.notify == SIGEV_THREAD_ID ? (uint32_t)event.tid : 0;
    timer->value = call->arg[1] ? event.value : timer->id;
    return 0;
}

/* ------------------------------------------------------------------ setting */

static struct posix_timer **posix_timer_find(const struct syscall *call)
{
    struct posix_timer **link = &call->process->timers;

    while (*link && (*link)->id != (uint32_t)call->arg[0])
        link = &(*link)->next;
    return link;
}

static void posix_timer_get(const struct syscall *call,
                            const struct posix_timer *timer,
                            struct timer_spec *spec)
{
    tick_t now = kernel_now(call->kernel);

    spec->interval_ns = timer->interval / 1000;
    spec->value_ns = 0;
    if (timer->is_cpu)
        spec->value_ns = (cpu_timer_left(&timer->cpu) + 999) / 1000;
    else if (timer->timer.is_armed)
        spec->value_ns =
            timer->timer.when > now ? (timer->timer.when - now) / 1000 : 1;
}

static void posix_timer_arm(struct posix_timer *timer, uint64_t ns,
                            bool is_absolute)
{
    struct kernel *kernel = timer->process->kernel;
    enum timer_base base =
        is_absolute ? timer_clock_base(timer->clock) : TIMER_RELATIVE;
    tick_t limit = TICK_MAX / 2, ticks = ns < limit / 1000 ? ns * 1000 : limit;

    if (!timer->is_cpu)
        ktimer_arm(&kernel->timers, &timer->timer,
                   timer_deadline(kernel, ns, base));
    else
        cpu_timer_arm(&timer->cpu,
                      ticks + (is_absolute ? 0 : cpu_timer_clock(&timer->cpu)));
}

static int64_t posix_timer_settime(struct syscall *call,
                                   enum time_format format)
{
    struct posix_timer *timer = *posix_timer_find(call);
    struct timer_spec spec, old;
    int error;

    if (!call->arg[2])
        return -EINVAL;
    error = timer_read_spec(call->mm, call->arg[2], format, &spec);
    if (error)
        return error;
    if (!timer)
        return -EINVAL;
    posix_timer_get(call, timer, &old);
    posix_timer_cancel(timer);
    timer->interval = spec.interval_ns * 1000;
    timer->overrun = 0;
    if (spec.value_ns)
        posix_timer_arm(timer, spec.value_ns, call->arg[1] & TIMER_ABSTIME);
    kernel_update_timer(call->kernel);
    return timer_write_spec(call->mm, call->arg[3], format, &old);
}

static int64_t sys_timer_settime(struct syscall *call)
{
    return posix_timer_settime(call, TIME_SPEC64);
}

static int64_t sys_timer_settime_32(struct syscall *call)
{
    return posix_timer_settime(call, TIME_SPEC32);
}

static int64_t posix_timer_gettime(struct syscall *call,
                                   enum time_format format)
{
    const struct posix_timer *timer = *posix_timer_find(call);
    struct timer_spec spec;

    if (!timer)
        return -EINVAL;
    posix_timer_get(call, timer, &spec);
    return call->arg[1]
               ? timer_write_spec(call->mm, call->arg[1], format, &spec)
               : -EFAULT;
}

static int64_t sys_timer_gettime(struct syscall *call)
{
    return posix_timer_gettime(call, TIME_SPEC64);
}

static int64_t sys_timer_gettime_32(struct syscall *call)
{
    return posix_timer_gettime(call, TIME_SPEC32);
}

static int64_t sys_timer_getoverrun(struct syscall *call)
{
    const struct posix_timer *timer = *posix_timer_find(call);

    return timer ? (int64_t)timer->overrun : -EINVAL;
}

static int64_t sys_timer_delete(struct syscall *call)
{
    struct posix_timer **link = posix_timer_find(call);
    struct posix_timer *timer = *link;

    if (!timer)
        return -EINVAL;
    *link = timer->next;
    posix_timer_cancel(timer);
    mem_free(timer);
    kernel_update_timer(call->kernel);
    return 0;
}

const struct syscall_row sys_posix_timer_rows[] = {
    SYSCALL_ROW(timer_create, "dpp"),
    SYSCALL_ROW_BOTH(timer_settime, "ddpp"),
    SYSCALL_ROW_BOTH(timer_gettime, "dp"),
    SYSCALL_ROW_32(timer_settime64, "ddpp", sys_timer_settime),
    SYSCALL_ROW_32(timer_gettime64, "dp", sys_timer_gettime),
    SYSCALL_ROW(timer_getoverrun, "d"),
    SYSCALL_ROW(timer_delete, "d"),
    SYSCALL_END,
};
