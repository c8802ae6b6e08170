/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers on the CPU clock of a process or a thread, which advances only while
 * it runs.  The process looks at its timers when the first of them can have
 * expired at the earliest, given how many of its threads run; nothing is
 * scheduled while none does.
 */
#ifndef ARCH_X86_LINUX_CPU_TIMER_H
#define ARCH_X86_LINUX_CPU_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ktimer;
struct process;

struct cpu_timer {
    struct cpu_timer *next; /* armed ones of the process */
    struct process *process;
    uint32_t tid; /* whose clock; 0: the process's */
    bool is_armed;
    tick_t expires;                        /* reading of the clock */
    void (*fire)(struct cpu_timer *timer); /* not armed any more; may arm */
};

/** cpu_timer_clock() - what the timer's clock reads now; 0 if its thread is
 *  gone. */
tick_t cpu_timer_clock(const struct cpu_timer *timer);
/* Replaces what was armed before. */
void cpu_timer_arm(struct cpu_timer *timer, tick_t expires);
void cpu_timer_cancel(struct cpu_timer *timer);
/** cpu_timer_left() - until it expires, at least 1; 0 if it is not armed. */
tick_t cpu_timer_left(const struct cpu_timer *timer);
/** cpu_timer_repeat() - arm again for the first multiple of @interval from
 *  the last expiry on that lies ahead.  Returns: how many were missed. */
uint64_t cpu_timer_repeat(struct cpu_timer *timer, tick_t interval);

/** cpu_timer_relink() - a timer whose is_armed was read of a checkpoint: into
 *  its process's list. */
void cpu_timer_relink(struct cpu_timer *timer);
/** cpu_timer_update() - threads of @process began or ceased to run. */
void cpu_timer_update(struct process *process);
/* Of the process's cpu_check. */
void cpu_timer_check(struct ktimer *check, tick_t now);

#ifdef __cplusplus
}
#endif

#endif
