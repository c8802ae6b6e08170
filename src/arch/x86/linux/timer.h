/* SPDX-License-Identifier: BSD-3-Clause */
/* Times in system calls, and the timers of processes (alarm, POSIX timers). */
#ifndef ARCH_X86_LINUX_TIMER_H
#define ARCH_X86_LINUX_TIMER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct ktimer;
struct mm;
struct process;

/* How a time stands in the program's memory. */
enum time_format {
    TIME_SPEC64, /* seconds and nanoseconds, 64 bits each */
    TIME_SPEC32,
    TIME_VAL64, /* seconds and microseconds */
    TIME_VAL32,
};

enum timer_base { TIMER_RELATIVE, TIMER_SINCE_BOOT, TIMER_WALL };

/* Read a time as nanoseconds; 0, -EFAULT or -EINVAL. */
SIM_MUST_CHECK int timer_read_time(struct mm *mm, uint64_t addr,
                                   enum time_format format, uint64_t *ns);
SIM_MUST_CHECK int timer_write_time(struct mm *mm, uint64_t addr,
                                    enum time_format format, uint64_t ns);
/* it_interval and it_value. */
struct timer_spec {
    uint64_t interval_ns, value_ns;
};

SIM_MUST_CHECK int timer_read_spec(struct mm *mm, uint64_t addr,
                                   enum time_format format,
                                   struct timer_spec *spec);
/* Does nothing at address 0. */
SIM_MUST_CHECK int timer_write_spec(struct mm *mm, uint64_t addr,
                                    enum time_format format,
                                    const struct timer_spec *spec);
uint32_t timer_format_size(enum time_format format);
/* The tick that @ns means; TICK_MAX if it lies beyond the end of time. */
tick_t timer_deadline(const struct kernel *kernel, uint64_t ns,
                      enum timer_base base);
enum timer_base timer_clock_base(int clock);

void timer_alarm_fired(struct ktimer *timer, tick_t now);
/* A process begins: its alarm and interval timers, not armed. */
void timer_init_process(struct process *process);
/* The process ends. */
void timer_drop_all(struct process *process);

#ifdef __cplusplus
}
#endif

#endif
