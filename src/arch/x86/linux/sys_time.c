/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks and sleeping, in simulated time. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/types.h>
#include <time.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "arch/x86/linux/usage.h"

enum { CLOCK_TICK_NS = 10000000 };

static uint64_t ticks_to_ns(tick_t ticks)
{
    return ticks / 1000;
}

/* The reading of a clock; false if there is no such clock. */
static bool sys_clock_ns(const struct syscall *call, int clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_PROCESS_CPUTIME_ID:
        *ns = ticks_to_ns(process_run_ticks(call->process));
        return true;
    case CLOCK_THREAD_CPUTIME_ID:
        *ns = ticks_to_ns(thread_run_ticks(call->thread));
        return true;
    default:
        break;
    }
    if (clock < 0) { /* CPU clock of a process or thread, by its number */
        uint32_t id = ~(uint32_t)clock >> 3;
        const struct process *process =
            id ? kernel_find_process(call->kernel, id) : call->process;
        const struct thread *thread =
            id ? kernel_find_thread(call->kernel, id) : call->thread;

        if (clock & 4) {
            if (thread)
                *ns = ticks_to_ns(thread_run_ticks(thread));
            return thread != NULL;
        }
        if (process)
            *ns = ticks_to_ns(process_run_ticks(process));
        return process != NULL;
    }
    if (clock > CLOCK_TAI)
        return false;
    *ns = timer_clock_base(clock) == TIMER_WALL ? kernel_wall_ns(call->kernel)
                                                : kernel_boot_ns(call->kernel);
    return true;
}

static int64_t sys_clock_get(struct syscall *call, enum time_format format)
{
    uint64_t ns;

    if (!sys_clock_ns(call, (int)call->arg[0], &ns))
        return -EINVAL;
    return timer_write_time(call->mm, call->arg[1], format, ns);
}

static int64_t sys_clock_gettime(struct syscall *call)
{
    return sys_clock_get(call, TIME_SPEC64);
}

static int64_t sys_clock_gettime_32(struct syscall *call)
{
    return sys_clock_get(call, TIME_SPEC32);
}

static int64_t sys_clock_res(struct syscall *call, enum time_format format)
{
    int clock = (int)call->arg[0];
    uint64_t ns;

    if (!sys_clock_ns(call, clock, &ns))
        return -EINVAL;
    ns = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE
             ? 4000000
             : 1;
    return call->arg[1] ? timer_write_time(call->mm, call->arg[1], format, ns)
                        : 0;
}

static int64_t sys_clock_getres(struct syscall *call)
{
    return sys_clock_res(call, TIME_SPEC64);
}

static int64_t sys_clock_getres_32(struct syscall *call)
{
    return sys_clock_res(call, TIME_SPEC32);
}

static int64_t sys_gettimeofday_any(struct syscall *call,
                                    enum time_format format)
{
    uint64_t zone = 0;

    if (call->arg[0] && timer_write_time(call->mm, call->arg[0], format,
                                         kernel_wall_ns(call->kernel)))
        return -EFAULT;
    return call->arg[1] ? uaccess_put(call->mm, call->arg[1], zone) : 0;
}

static int64_t sys_gettimeofday(struct syscall *call)
{
    return sys_gettimeofday_any(call, TIME_VAL64);
}

static int64_t sys_gettimeofday_32(struct syscall *call)
{
    return sys_gettimeofday_any(call, TIME_VAL32);
}

static int64_t sys_time(struct syscall *call)
{
    int64_t seconds = (int64_t)(kernel_wall_ns(call->kernel) / 1000000000);

    if (call->arg[0] &&
        uaccess_write(call->mm, call->arg[0], &seconds, call->is_32 ? 4 : 8))
        return -EFAULT;
    return seconds;
}

static int64_t sys_times(struct syscall *call)
{
    uint64_t run = ticks_to_ns(process_run_ticks(call->process));
    uint64_t child = ticks_to_ns(call->process->child_ticks);
    uint64_t wide[4] = {run / CLOCK_TICK_NS, 0, child / CLOCK_TICK_NS, 0};
    uint32_t narrow[4] = {(uint32_t)wide[0], 0, (uint32_t)wide[2], 0};
    int error = 0;

    if (call->arg[0])
        error = call->is_32 ? uaccess_put(call->mm, call->arg[0], narrow)
                            : uaccess_put(call->mm, call->arg[0], wide);
    if (error)
        return error;
    return (int64_t)(kernel_boot_ns(call->kernel) / CLOCK_TICK_NS);
}

/* What is left goes to the program only if a signal ended the sleep. */
static int64_t sys_sleep(struct syscall *call, enum time_format format,
                         enum timer_base base)
{
    uint64_t request = call->arg[base == TIMER_RELATIVE ? 0 : 2];
    uint64_t remain = call->arg[base == TIMER_RELATIVE ? 1 : 3];
    struct thread_wait *wait = &call->thread->wait;
    uint64_t ns, left;
    int64_t result;
    int error = timer_read_time(call->mm, request, format, &ns);

    if (error)
        return error;
    result = syscall_wait(call, wait, timer_deadline(call->kernel, ns, base));
    if (result == -ETIMEDOUT)
        return 0;
    if (result != SYSCALL_RESTART)
        return result;
    left = wait->deadline > kernel_now(call->kernel)
               ? ticks_to_ns(wait->deadline - kernel_now(call->kernel))
               : 0;
    if (base == TIMER_RELATIVE && remain &&
        timer_write_time(call->mm, remain, format, left))
        return -EFAULT;
    return SYSCALL_RESTART_NO_HANDLER;
}

static int64_t sys_nanosleep(struct syscall *call)
{
    return sys_sleep(call, TIME_SPEC64, TIMER_RELATIVE);
}

static int64_t sys_nanosleep_32(struct syscall *call)
{
    return sys_sleep(call, TIME_SPEC32, TIMER_RELATIVE);
}

static int64_t sys_clock_sleep(struct syscall *call, enum time_format format)
{
    struct syscall shifted = *call;
    int clock = (int)call->arg[0];

    if (clock > CLOCK_TAI)
        return -EINVAL;
    if (call->arg[1] & TIMER_ABSTIME)
        return sys_sleep(call, format, timer_clock_base(clock));
    shifted.arg[0] = call->arg[2];
    shifted.arg[1] = call->arg[3];
    return sys_sleep(&shifted, format, TIMER_RELATIVE);
}

static int64_t sys_clock_nanosleep(struct syscall *call)
{
    return sys_clock_sleep(call, TIME_SPEC64);
}

static int64_t sys_clock_nanosleep_32(struct syscall *call)
{
    return sys_clock_sleep(call, TIME_SPEC32);
}

static int64_t sys_no_permission(struct syscall *call)
{
    (void)call;
    return -EPERM;
}

static int64_t sys_getrusage(struct syscall *call)
{
    int who = (int)call->arg[0];
    struct usage usage;

    if (who < RUSAGE_CHILDREN || who > RUSAGE_THREAD)
        return -EINVAL;
    usage = usage_of(call->process, who);
    if (who == RUSAGE_THREAD)
        usage.ticks = thread_run_ticks(call->thread);
    return usage_put(call, call->arg[1], &usage);
}

const struct syscall_row sys_time_rows[] = {
    SYSCALL_ROW_BOTH(clock_gettime, "dp"),
    SYSCALL_ROW_32(clock_gettime64, "dp", sys_clock_gettime),
    SYSCALL_ROW_BOTH(clock_getres, "dp"),
    SYSCALL_ROW_32(clock_getres_time64, "dp", sys_clock_getres),
    SYSCALL_ROW_ANY(clock_settime, "dp", sys_no_permission, sys_no_permission),
    SYSCALL_ROW_ANY(settimeofday, "pp", sys_no_permission, sys_no_permission),
    SYSCALL_ROW_ANY(adjtimex, "p", sys_no_permission, sys_no_permission),
    SYSCALL_ROW_ANY(clock_adjtime, "dp", sys_no_permission, sys_no_permission),
    SYSCALL_ROW_BOTH(gettimeofday, "pp"),
    SYSCALL_ROW(time, "p"),
    SYSCALL_ROW(times, "p"),
    SYSCALL_ROW_BOTH(nanosleep, "pp"),
    SYSCALL_ROW_BOTH(clock_nanosleep, "ddpp"),
    SYSCALL_ROW_32(clock_nanosleep_time64, "ddpp", sys_clock_nanosleep),
    SYSCALL_ROW(getrusage, "dp"),
    SYSCALL_END,
};
