/* SPDX-License-Identifier: BSD-3-Clause */
/* Busy intervals in a ring; see the header for the rules. */
#include "mem/calendar.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdbool.h>

void calendar_init(struct calendar *cal, uint32_t num_spans)
{
    SIM_ASSERT(num_spans >= 2 && (num_spans & (num_spans - 1)) == 0);
    *cal = (struct calendar){0};
    cal->spans = alloc_zeroed(num_spans, sizeof(*cal->spans));
    cal->mask = num_spans - 1;
}

void calendar_fini(struct calendar *cal)
{
    mem_free(cal->spans);
    cal->spans = NULL;
}

void calendar_clear(struct calendar *cal)
{
    cal->head = 0;
    cal->len = 0;
    cal->floor = 0;
    cal->num_late = 0;
}

/* The span at @index, counted from the oldest. */
static struct calendar_span *span_at(const struct calendar *cal, uint32_t index)
{
    return &cal->spans[(cal->head + index) & cal->mask];
}

static void forget_oldest(struct calendar *cal)
{
    cal->floor = span_at(cal, 0)->end;
    cal->head = (cal->head + 1) & cal->mask;
    cal->len--;
}

static void append(struct calendar *cal, tick_t start, tick_t end)
{
    if (cal->len > cal->mask)
        forget_oldest(cal);
    *span_at(cal, cal->len) = (struct calendar_span){start, end};
    cal->len++;
}

/* Index of the first span that ends after @when; len if none does. */
static uint32_t first_ending_after(const struct calendar *cal, tick_t when)
{
    uint32_t low = 0;
    uint32_t high = cal->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (span_at(cal, middle)->end > when)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert_before(struct calendar *cal, uint32_t index, tick_t start,
                          tick_t end)
{
    for (uint32_t i = cal->len; i > index; i--)
        *span_at(cal, i) = *span_at(cal, i - 1);
    *span_at(cal, index) = (struct calendar_span){start, end};
    cal->len++;
}

static void remove_at(struct calendar *cal, uint32_t index)
{
    cal->len--;
    for (uint32_t i = index; i < cal->len; i++)
        *span_at(cal, i) = *span_at(cal, i + 1);
}

/* Make [start, end) busy; it lies in the gap before span @index. */
static void fill_gap(struct calendar *cal, uint32_t index, tick_t start,
                     tick_t end)
{
    bool touches_left = index > 0 && span_at(cal, index - 1)->end == start;
    bool touches_right = index < cal->len && span_at(cal, index)->start == end;

    if (touches_left && touches_right) {
        span_at(cal, index - 1)->end = span_at(cal, index)->end;
        remove_at(cal, index);
    } else if (touches_left) {
        span_at(cal, index - 1)->end = end;
    } else if (touches_right) {
        span_at(cal, index)->start = start;
    } else if (cal->len <= cal->mask) {
        insert_before(cal, index, start, end);
    } else if (index == 0) {
        /* The new span would be the oldest: it is the one to forget. */
        cal->floor = end;
    } else {
        forget_oldest(cal);
        insert_before(cal, index - 1, start, end);
    }
}

/* Find the first gap from @when on; the slow way of calendar_reserve(). */
static tick_t reserve_gap(struct calendar *cal, tick_t when, tick_t duration)
{
    uint32_t index = first_ending_after(cal, when);
    tick_t start = when;

    while (index < cal->len && span_at(cal, index)->start < start + duration) {
        if (start < span_at(cal, index)->end)
            start = span_at(cal, index)->end;
        index++;
    }
    fill_gap(cal, index, start, start + duration);
    return start;
}

tick_t calendar_reserve(struct calendar *cal, tick_t when, tick_t duration)
{
    struct calendar_span *last;

    if (duration == 0)
        return when;
    if (SIM_UNLIKELY(when < cal->floor)) {
        cal->num_late++;
        return when;
    }
    if (cal->len == 0) {
        append(cal, when, when + duration);
        return when;
    }
    last = span_at(cal, cal->len - 1);
    if (when < last->start)
        return reserve_gap(cal, when, duration);
    if (when > last->end) {
        append(cal, when, when + duration);
        return when;
    }
    when = last->end;
    last->end += duration;
    return when;
}

tick_t calendar_free_at(const struct calendar *cal)
{
    return cal->len == 0 ? cal->floor : span_at(cal, cal->len - 1)->end;
}
