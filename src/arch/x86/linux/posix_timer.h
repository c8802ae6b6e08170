/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers made by timer_create(), on wall clocks or CPU clocks.
 * Source: timer_create(2). */
#ifndef ARCH_X86_LINUX_POSIX_TIMER_H
#define ARCH_X86_LINUX_POSIX_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/linux/cpu_timer.h"
#include "arch/x86/linux/ktimer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct process;

struct posix_timer {
    struct ktimer timer;  /* for clocks that always run */
    struct cpu_timer cpu; /* for CPU clocks */
    struct posix_timer *next;
    struct process *process;
    uint32_t id;
    int clock;
    bool is_cpu;
    int signo;       /* 0: none */
    uint32_t target; /* thread, 0: the process */
    uint64_t value;
    tick_t interval;
    uint32_t overrun; /* expiries since the signal that waits was sent */
};

/** posix_timer_add() - a timer that is not armed, first of @process's list. */
struct posix_timer *posix_timer_add(struct process *process);
/* The process ends or becomes another program. */
void posix_timer_drop_all(struct process *process);

#ifdef __cplusplus
}
#endif

#endif
