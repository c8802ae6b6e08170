/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/ktimer.h"

#include <stddef.h>

void ktimer_cancel(struct ktimer_list *list, struct ktimer *timer)
{
    if (!timer->is_armed)
        return;
    if (timer->prev)
        timer->prev->next = timer->next;
    else
        list->first = timer->next;
    if (timer->next)
        timer->next->prev = timer->prev;
    timer->is_armed = false;
}

void ktimer_arm(struct ktimer_list *list, struct ktimer *timer, tick_t when)
{
    struct ktimer *before = NULL;
    struct ktimer *after;

    ktimer_cancel(list, timer);
    after = list->first;
    while (after && after->when <= when) {
        before = after;
        after = after->next;
    }
    timer->when = when;
    timer->prev = before;
    timer->next = after;
    timer->is_armed = true;
    if (before)
        before->next = timer;
    else
        list->first = timer;
    if (after)
        after->prev = timer;
}

tick_t ktimer_next(const struct ktimer_list *list)
{
    return list->first ? list->first->when : TICK_MAX;
}

void ktimer_expire(struct ktimer_list *list, tick_t now)
{
    while (list->first && list->first->when <= now) {
        struct ktimer *timer = list->first;

        ktimer_cancel(list, timer);
        timer->fire(timer, now);
    }
}
