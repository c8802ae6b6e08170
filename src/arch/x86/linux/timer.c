/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing times, alarms, POSIX timers.
 * Sources: clock_gettime(2), setitimer(2), timer_create(2). */
#include "arch/x86/linux/timer.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/posix_timer.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/uaccess.h"

#define NS_PER_S     UINT64_C(1000000000)
#define TICKS_PER_NS UINT64_C(1000)

uint32_t timer_format_size(enum time_format format)
{
    return format == TIME_SPEC64 || format == TIME_VAL64 ? 16 : 8;
}

static int timer_load(struct mm *mm, uint64_t addr, enum time_format format,
                      int64_t out[2])
{
    int32_t narrow[2];

    if (timer_format_size(format) == 16)
        return uaccess_read(mm, addr, out, 16);
    if (uaccess_get(mm, addr, narrow))
        return -EFAULT;
    out[0] = narrow[0];
    out[1] = narrow[1];
    return 0;
}

int timer_read_time(struct mm *mm, uint64_t addr, enum time_format format,
                    uint64_t *ns)
{
    bool is_spec = format == TIME_SPEC64 || format == TIME_SPEC32;
    int64_t parts[2], limit = is_spec ? 1000000000 : 1000000;
    int error = timer_load(mm, addr, format, parts);

    if (error)
        return error;
    if (parts[0] < 0 || parts[1] < 0 || parts[1] >= limit)
        return -EINVAL;
    if ((uint64_t)parts[0] > UINT64_MAX / NS_PER_S / 2)
        parts[0] = (int64_t)(UINT64_MAX / NS_PER_S / 2);
    *ns = (uint64_t)parts[0] * NS_PER_S +
          (uint64_t)parts[1] * (is_spec ? 1 : 1000);
    return 0;
}

int timer_write_time(struct mm *mm, uint64_t addr, enum time_format format,
                     uint64_t ns)
{
    bool is_spec = format == TIME_SPEC64 || format == TIME_SPEC32;
    uint64_t wide[2] = {ns / NS_PER_S, ns % NS_PER_S / (is_spec ? 1 : 1000)};
    uint32_t narrow[2] = {(uint32_t)wide[0], (uint32_t)wide[1]};

    if (timer_format_size(format) == 16)
        return uaccess_put(mm, addr, wide);
    return uaccess_put(mm, addr, narrow);
}

int timer_read_spec(struct mm *mm, uint64_t addr, enum time_format format,
                    struct timer_spec *spec)
{
    int error = timer_read_time(mm, addr, format, &spec->interval_ns);

    if (error)
        return error;
    return timer_read_time(mm, addr + timer_format_size(format), format,
                           &spec->value_ns);
}

int timer_write_spec(struct mm *mm, uint64_t addr, enum time_format format,
                     const struct timer_spec *spec)
{
    if (!addr)
        return 0;
    if (timer_write_time(mm, addr, format, spec->interval_ns))
        return -EFAULT;
    return timer_write_time(mm, addr + timer_format_size(format), format,
                            spec->value_ns);
}

enum timer_base timer_clock_base(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        return TIMER_WALL;
    default:
        return TIMER_SINCE_BOOT;
    }
}

tick_t timer_deadline(const struct kernel *kernel, uint64_t ns,
                      enum timer_base base)
{
    uint64_t start = kernel->cfg.start_time_s * NS_PER_S;
    uint64_t now = kernel_now(kernel);

    if (base == TIMER_WALL)
        ns = ns > start ? ns - start : 0;
    if (ns > (UINT64_MAX - now) / TICKS_PER_NS - 1)
        return TICK_MAX;
    return base == TIMER_RELATIVE ? now + ns * TICKS_PER_NS : ns * TICKS_PER_NS;
}

void timer_alarm_fired(struct ktimer *timer, tick_t now)
{
    struct process *process = SIM_CONTAINER_OF(timer, struct process, alarm);
    struct signal_info info = {.signo = SIGALRM, .code = SI_KERNEL};

    (void)now;
    if (process->alarm_interval)
        ktimer_arm(&process->kernel->timers, timer,
                   timer->when + process->alarm_interval);
    signal_send_process(process, &info);
}

static void timer_itimer_fired(struct cpu_timer *cpu)
{
    struct process_itimer *timer =
        SIM_CONTAINER_OF(cpu, struct process_itimer, cpu);
    const struct signal_info info = {.signo = timer->signo, .code = SI_KERNEL};

    if (timer->interval)
        (void)cpu_timer_repeat(cpu, timer->interval);
    signal_send_process(cpu->process, &info);
}

void timer_init_process(struct process *process)
{
    static const int signals[] = {SIGVTALRM, SIGPROF};

    process->alarm.fire = timer_alarm_fired;
    process->cpu_check.fire = cpu_timer_check;
    process->cpu_limit.process = process;
    process->cpu_limit.fire = rlimit_cpu_reached;
    for (size_t i = 0; i < SIM_ARRAY_LEN(signals); i++) {
        process->itimers[i].cpu.process = process;
        process->itimers[i].cpu.fire = timer_itimer_fired;
        process->itimers[i].signo = signals[i];
    }
}

void timer_drop_all(struct process *process)
{
    struct kernel *kernel = process->kernel;

    posix_timer_drop_all(process);
    for (size_t i = 0; i < SIM_ARRAY_LEN(process->itimers); i++)
        cpu_timer_cancel(&process->itimers[i].cpu);
    cpu_timer_cancel(&process->cpu_limit);
    ktimer_cancel(&kernel->timers, &process->alarm);
    ktimer_cancel(&kernel->timers, &process->cpu_check);
    kernel_update_timer(kernel);
}
