/* SPDX-License-Identifier: BSD-3-Clause */
/* alarm, interval timers, POSIX timers, timerfd. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/posix_timer.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

#define NS_PER_S UINT64_C(1000000000)

/* it_interval and it_value. */
struct timer_spec {
    uint64_t interval_ns, value_ns;
};

static int timer_read_spec(struct mm *mm, uint64_t addr,
                           enum time_format format, struct timer_spec *spec)
{
    int error = timer_read_time(mm, addr, format, &spec->interval_ns);

    if (error)
        return error;
    return timer_read_time(mm, addr + timer_format_size(format), format,
                           &spec->value_ns);
}

static int timer_write_spec(struct mm *mm, uint64_t addr,
                            enum time_format format,
                            const struct timer_spec *spec)
{
    if (!addr)
        return 0;
    if (timer_write_time(mm, addr, format, spec->interval_ns))
        return -EFAULT;
    return timer_write_time(mm, addr + timer_format_size(format), format,
                            spec->value_ns);
}

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

static int64_t sys_setitimer_any(struct syscall *call, enum time_format format)
{
    struct timer_spec old, spec = {0, 0};
    int error = 0;

    if ((int)call->arg[0] != ITIMER_REAL)
        return (int)call->arg[0] > ITIMER_PROF ? -EINVAL : -ENOSYS;
    if (call->arg[1])
        error = timer_read_spec(call->mm, call->arg[1], format, &spec);
    if (error)
        return error;
    alarm_get(call, &old);
    alarm_set(call, &spec);
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

    if ((int)call->arg[0] > ITIMER_PROF)
        return -EINVAL;
    if ((int)call->arg[0] == ITIMER_REAL)
        alarm_get(call, &spec);
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

/* --------------------------------------------------------------- POSIX timers
 */

static void posix_timer_fire(struct ktimer *ktimer, tick_t now)
{
    struct posix_timer *timer =
        SIM_CONTAINER_OF(ktimer, struct posix_timer, timer);
    struct signal_info info = {.signo = timer->signo,
                               .code = SI_TIMER,
                               .pid = timer->id,
                               .value = timer->value};
    struct thread *thread =
        timer->target
            ? kernel_find_thread(timer->process->kernel, timer->target)
            : NULL;

    (void)now;
    if (timer->interval)
        ktimer_arm(&timer->process->kernel->timers, ktimer,
                   ktimer->when + timer->interval);
    if (!timer->signo)
        return;
    if (thread)
        signal_send_thread(thread, &info);
    else
        signal_send_process(timer->process, &info);
}

static struct posix_timer **posix_timer_find(const struct syscall *call)
{
    struct posix_timer **link = &call->process->timers;

    while (*link && (*link)->id != (uint32_t)call->arg[0])
        link = &(*link)->next;
    return link;
}

struct posix_timer *posix_timer_add(struct process *process)
{
    struct posix_timer *timer = alloc_zeroed(1, sizeof(*timer));

    timer->process = process;
    timer->timer.fire = posix_timer_fire;
    timer->next = process->timers;
    process->timers = timer;
    return timer;
}

struct timer_sigevent { /* 64-bit struct sigevent */
    uint64_t value;
    int32_t signo, notify, tid, pad[11];
};

static int64_t sys_timer_create(struct syscall *call)
{
    struct timer_sigevent event = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
    struct posix_timer *timer;
    uint32_t id = call->process->last_timer_id;

    if (call->arg[1] && uaccess_get(call->mm, call->arg[1], event))
        return -EFAULT;
    if ((int)call->arg[0] > CLOCK_TAI || event.signo < 0 ||
        event.signo > SIGNAL_MAX)
        return -EINVAL;
    if (uaccess_put(call->mm, call->arg[2], id))
        return -EFAULT;
    timer = posix_timer_add(call->process);
    timer->id = call->process->last_timer_id++;
    timer->clock = (int)call->arg[0];
    timer->signo = event.notify == SIGEV_NONE ? 0 : event.signo;
    timer->target = event.notify == SIGEV_THREAD_ID ? (uint32_t)event.tid : 0;
    timer->value = call->arg[1] ? event.value : timer->id;
    return 0;
}

static void posix_timer_get(const struct syscall *call,
                            const struct posix_timer *timer,
                            struct timer_spec *spec)
{
    tick_t now = kernel_now(call->kernel);

    spec->interval_ns = timer->interval / 1000;
    spec->value_ns = 0;
    if (timer->timer.is_armed && timer->timer.when > now)
        spec->value_ns = (timer->timer.when - now) / 1000;
}

static int64_t sys_timer_settime(struct syscall *call)
{
    struct posix_timer *timer = *posix_timer_find(call);
    struct timer_spec spec, old;
    int error;

    if (!timer)
        return -EINVAL;
    error = timer_read_spec(call->mm, call->arg[2], TIME_SPEC64, &spec);
    if (error)
        return error;
    posix_timer_get(call, timer, &old);
    timer->interval = spec.interval_ns * 1000;
    if (spec.value_ns)
        ktimer_arm(&call->kernel->timers, &timer->timer,
                   timer_deadline(call->kernel, spec.value_ns,
                                  call->arg[1] & TIMER_ABSTIME
                                      ? timer_clock_base(timer->clock)
                                      : TIMER_RELATIVE));
    else
        ktimer_cancel(&call->kernel->timers, &timer->timer);
    kernel_update_timer(call->kernel);
    return timer_write_spec(call->mm, call->arg[3], TIME_SPEC64, &old);
}

static int64_t sys_timer_gettime(struct syscall *call)
{
    const struct posix_timer *timer = *posix_timer_find(call);
    struct timer_spec spec;

    if (!timer)
        return -EINVAL;
    posix_timer_get(call, timer, &spec);
    return timer_write_spec(call->mm, call->arg[1], TIME_SPEC64, &spec);
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
    ktimer_cancel(&call->kernel->timers, &timer->timer);
    mem_free(timer);
    return 0;
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

static int64_t sys_timerfd_settime(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct timer_spec spec, old;
    tick_t left, interval, when = TICK_MAX;
    int error;

    if (!file)
        return -EBADF;
    if (!file_is_timerfd(file))
        return -EINVAL;
    error = timer_read_spec(call->mm, call->arg[2], TIME_SPEC64, &spec);
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
    return timer_write_spec(call->mm, call->arg[3], TIME_SPEC64, &old);
}

static int64_t sys_timerfd_gettime(struct syscall *call)
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
    return timer_write_spec(call->mm, call->arg[1], TIME_SPEC64, &spec);
}

const struct syscall_row sys_timer_rows[] = {
    SYSCALL_ROW(alarm, "u"),
    SYSCALL_ROW_BOTH(setitimer, "dpp"),
    SYSCALL_ROW_BOTH(getitimer, "dp"),
    SYSCALL_ROW_64(timer_create, "dpp"),
    SYSCALL_ROW_64(timer_settime, "ddpp"),
    SYSCALL_ROW_64(timer_gettime, "dp"),
    SYSCALL_ROW_64(timer_getoverrun, "d"),
    SYSCALL_ROW(timer_delete, "d"),
    SYSCALL_ROW(timerfd_create, "dx"),
    SYSCALL_ROW_64(timerfd_settime, "fxpp"),
    SYSCALL_ROW_64(timerfd_gettime, "fp"),
    SYSCALL_ROW_32(timerfd_settime64, "fxpp", sys_timerfd_settime),
    SYSCALL_ROW_32(timerfd_gettime64, "fp", sys_timerfd_gettime),
    SYSCALL_END,
};
