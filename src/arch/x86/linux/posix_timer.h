/* SPDX-License-Identifier: BSD-3-Clause */
/* A timer made by timer_create(). */
#ifndef ARCH_X86_LINUX_POSIX_TIMER_H
#define ARCH_X86_LINUX_POSIX_TIMER_H

#include <stdint.h>

#include "arch/x86/linux/ktimer.h"

struct process;

struct posix_timer {
    struct ktimer timer;
    struct posix_timer *next;
    struct process *process;
    uint32_t id;
    int clock;
    int signo;       /* 0: none */
    uint32_t target; /* thread, 0: the process */
    uint64_t value;
    tick_t interval;
    uint32_t overrun;
};

/** posix_timer_add() - a timer that is not armed, first of @process's list. */
struct posix_timer *posix_timer_add(struct process *process);

#endif
