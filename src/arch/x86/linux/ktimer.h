/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of the emulated kernel in simulated time: time-outs of waiting
 * threads, alarms, timerfds.  A timer is embedded in what owns it.
 */
#ifndef ARCH_X86_LINUX_KTIMER_H
#define ARCH_X86_LINUX_KTIMER_H

#include <stdbool.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ktimer {
    tick_t when;
    void (*fire)(struct ktimer *timer, tick_t now);
    struct ktimer *prev, *next;
    bool is_armed;
};

/* Armed timers, earliest first. */
struct ktimer_list {
    struct ktimer *first;
};

void ktimer_arm(struct ktimer_list *list, struct ktimer *timer, tick_t when);
void ktimer_cancel(struct ktimer_list *list, struct ktimer *timer);
/* Tick of the first timer, TICK_MAX if there is none. */
tick_t ktimer_next(const struct ktimer_list *list);
/** ktimer_expire() - fire all timers due at @now, in order of their time. */
void ktimer_expire(struct ktimer_list *list, tick_t now);

#ifdef __cplusplus
}
#endif

#endif
