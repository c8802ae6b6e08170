/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a resource (a bus, a bank, a port) is busy.
 *
 * Requests do not arrive in the order of their time: an out-of-order core asks
 * for a load before an older one, and a core that runs its slice second asks
 * for times that the first has long passed.  A calendar therefore remembers
 * busy intervals, not just when the resource becomes free, and a request takes
 * the first gap that is long enough.
 *
 *    forgotten | busy |  gap  | busy |gap| busy |  free for ever
 *            floor
 *
 * It remembers a fixed number of intervals (neighbours that touch are one), so
 * that the work of a reservation is bounded.  When one more is needed, the
 * oldest is forgotten and the floor moves to the end of it.  A request before
 * the floor is granted at once and occupies nothing: intervals are forgotten
 * fast only when there are many gaps, and then the resource was mostly idle.
 * Such grants are counted, so that an experiment can see whether they matter.
 */
#ifndef MEM_CALENDAR_H
#define MEM_CALENDAR_H

#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct calendar_span {
    tick_t start, end; /* busy in [start, end) */
};

struct calendar {
    struct calendar_span *spans; /* ring, ordered by time, disjoint, no two
                                    touch */
    uint32_t mask;               /* size of the ring - 1 */
    uint32_t head;               /* position of the oldest span */
    uint32_t len;                /* spans in use */
    tick_t floor;                /* nothing is known before */
    uint64_t num_late;           /* grants before the floor */
};

/** calendar_init() - an idle resource
 *  @num_spans: intervals to remember, a power of two */
void calendar_init(struct calendar *cal, uint32_t num_spans);
void calendar_fini(struct calendar *cal);
/** calendar_clear() - idle again, as after calendar_init(). */
void calendar_clear(struct calendar *cal);

/**
 * calendar_reserve() - occupy the resource for @duration
 * @when: not before this tick
 *
 * Returns: the start of the interval taken, at or after @when.
 */
tick_t calendar_reserve(struct calendar *cal, tick_t when, tick_t duration);

/** calendar_free_at() - end of the last busy interval known, 0 if none. */
tick_t calendar_free_at(const struct calendar *cal);

#ifdef __cplusplus
}
#endif

#endif
