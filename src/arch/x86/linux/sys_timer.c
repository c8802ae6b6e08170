/* SPDX-License-Identifier: BSD-3-Clause */
/* alarm, interval timers, timerfd. */
#include <errno.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"

#define NS_PER_S UINT64_C(1000000000)

/* ---------------------------------------------------------------- ITIMER_REAL
 */

static void alarm_get(const struct syscall *call, struct timer_spec *spec)
{
    const struct process *process = call->process;
    tick_t now = kernel_now(call->kernel);

    spec->interval_ns = process->alarm_interval / 1000;
    spec->value_ns = 0;
    if (process->alarm.is_armed)
        spec->value_ns =
            process->alarm.when > now ? (process->alarm.when - now) / 1000 : 1;
}

static void alarm_set(const struct syscall *call, const struct timer_spec *spec)
{
    struct process *process = call->process;

    process->alarm_interval = spec->interval_ns * 1000;
    if (spec->value_ns)
        ktimer_arm(
            &call->kernel->timers, &process->alarm,
            timer_deadline(call->kernel, spec->value_ns, TIMER_RELATIVE));
    else
        ktimer_cancel(&call->kernel->timers, &process->alarm);
    kernel_update_timer(call->kernel);
}

static int64_t sys_alarm(struct syscall *call)
{
    struct timer_spec old, spec = {0, (uint32_t)call->arg[0] * NS_PER_S};

    alarm_get(call, &old);
    alarm_set(call, &spec);
    return (int64_t)((old.value_ns + NS_PER_S - 1) / NS_PER_S);
}

/* ------------------------------------------- ITIMER_VIRTUAL and ITIMER_PROF
 *
 * All time on a CPU counts as the program's own: both clocks are the same. */

static struct process_itimer *itimer_of(const struct syscall *call)
{
    return &call->process->itimers[(int)call->arg[0] == ITIMER_PROF];
}

static void itimer_get(const struct syscall *call, struct timer_spec *spec)
{
    const struct process_itimer *timer = itimer_of(call);

    spec->interval_ns = timer->interval / 1000;
    spec->value_ns = (cpu_timer_left(&timer->cpu) + 999) / 1000;
}

static void itimer_set(const struct syscall *call,
                       const struct timer_spec *spec)
{
    struct process_itimer *timer = itimer_of(call);

    timer->interval = spec->interval_ns * 1000;
    if (spec->value_ns)
        cpu_timer_arm(&timer->cpu,
                      cpu_timer_clock(&timer->cpu) + spec->value_ns * 1000);
    else
        cpu_timer_cancel(&timer->cpu);
}

static int64_t sys_setitimer_any(struct syscall *call, enum time_format format)
{
    struct timer_spec old, spec = {0, 0};
    bool is_real = (int)call->arg[0] == ITIMER_REAL;
    int error = 0;

    if ((uint32_t)call->arg[0] > ITIMER_PROF)
        return -EINVAL;
    if (call->arg[1])
        error = timer_read_spec(call->mm, call->arg[1], format, &spec);
    if (error)
        return error;
    if (is_real) {
        alarm_get(call, &old);
        alarm_set(call, &spec);
    } else {
        itimer_get(call, &old);
        itimer_set(call, &spec);
    }
    return timer_write_spec(call->mm, call->arg[2], format, &old);
}

static int64_t sys_setitimer(struct syscall *call)
{
    return sys_setitimer_any(call, TIME_VAL64);
}

static int64_t sys_setitimer_32(struct syscall *call)
{
    return sys_setitimer_any(call, TIME_VAL32);
}

static int64_t sys_getitimer_any(struct syscall *call, enum time_format format)
{
    struct timer_spec spec = {0, 0};

    if ((uint32_t)call->arg[0] > ITIMER_PROF)
        return -EINVAL;
    if ((int)call->arg[0] == ITIMER_REAL)
        alarm_get(call, &spec);
    else
        itimer_get(call, &spec);
    return timer_write_spec(call->mm, call->arg[1], format, &spec);
}

static int64_t sys_getitimer(struct syscall *call)
{
    return sys_getitimer_any(call, TIME_VAL64);
}

static int64_t sys_getitimer_32(struct syscall *call)
{
    return sys_getitimer_any(call, TIME_VAL32);
}

/* -------------------------------------------------------------------- timerfd
 */

static int64_t sys_timerfd_create(struct syscall *call)
{
    uint32_t flags = (uint32_t)call->arg[1];

    if ((int)call->arg[0] > CLOCK_TAI ||
        (flags & ~(uint32_t)(TFD_NONBLOCK | TFD_CLOEXEC)))
        return -EINVAL;
    return fd_table_add(
        call->process->files,
        file_timerfd_create(call->kernel, (int)call->arg[0], flags), 0, flags);
}

static int64_t timerfd_settime_any(struct syscall *call,
                                   enum time_format format)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct timer_spec spec, old;
    tick_t left, interval, when = TICK_MAX;
    int error;

    if (!file)
        return -EBADF;
    if (!file_is_timerfd(file))
        return -EINVAL;
    error = timer_read_spec(call->mm, call->arg[2], format, &spec);
    if (error)
        return error;
    file_timerfd_get(file, &left, &interval);
    old.value_ns = left / 1000;
    old.interval_ns = interval / 1000;
    if (spec.value_ns)
        when = timer_deadline(call->kernel, spec.value_ns,
                              call->arg[1] & TFD_TIMER_ABSTIME
                                  ? timer_clock_base(file_timerfd_clock(file))
                                  : TIMER_RELATIVE);
    file_timerfd_set(file, when, spec.interval_ns * 1000);
    return timer_write_spec(call->mm, call->arg[3], format, &old);
}

static int64_t timerfd_gettime_any(struct syscall *call,
                                   enum time_format format)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct timer_spec spec;
    tick_t left, interval;

    if (!file)
        return -EBADF;
    if (!file_is_timerfd(file))
        return -EINVAL;
    file_timerfd_get(file, &left, &interval);
    spec.value_ns = left / 1000;
    spec.interval_ns = interval / 1000;
    return timer_write_spec(call->mm, call->arg[1], format, &spec);
}

static int64_t sys_timerfd_settime(struct syscall *call)
{
    return timerfd_settime_any(call, TIME_SPEC64);
}

static int64_t sys_timerfd_settime_32(struct syscall *call)
{
    return timerfd_settime_any(call, TIME_SPEC32);
}

static int64_t sys_timerfd_gettime(struct syscall *call)
{
    return timerfd_gettime_any(call, TIME_SPEC64);
}

static int64_t sys_timerfd_gettime_32(struct syscall *call)
{
    return timerfd_gettime_any(call, TIME_SPEC32);
}

const struct syscall_row sys_timer_rows[] = {
    SYSCALL_ROW(alarm, "u"),
    SYSCALL_ROW_BOTH(setitimer, "dpp"),
    SYSCALL_ROW_BOTH(getitimer, "dp"),
    SYSCALL_ROW(timerfd_create, "dx"),
    SYSCALL_ROW_BOTH(timerfd_settime, "fxpp"),
    SYSCALL_ROW_BOTH(timerfd_gettime, "fp"),
    SYSCALL_ROW_32(timerfd_settime64, "fxpp", sys_timerfd_settime),
    SYSCALL_ROW_32(timerfd_gettime64, "fp", sys_timerfd_gettime),
    SYSCALL_END,
};
