/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which port answers at an address.  Ranges may be interleaved over several
 * ports; such ranges share their first and last address.  Look-up: binary
 * search for the interval, then one test per channel of it; the caller keeps
 * the last route that it found and asks it first.
 */
#ifndef MEM_ROUTE_TABLE_H
#define MEM_ROUTE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr_range.h"
#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct route {
    struct addr_range range;
    uint32_t port; /* whatever number the caller gave */
};

struct route_table {
    struct route *routes; /* by start; channels of one interval together */
    uint32_t len;
};

void route_table_fini(struct route_table *table);

/**
 * route_table_add() - addresses of @range go to @port
 * @conflict: on -EEXIST, the route in the way; may be NULL
 *
 * Invalidates pointers to routes.
 *
 * Returns: 0; -EINVAL (empty range); -EEXIST (overlap, also of interleaved
 * ranges that share an address or have different ends).
 */
SIM_MUST_CHECK int route_table_add(struct route_table *table,
                                   const struct addr_range *range,
                                   uint32_t port,
                                   const struct route **conflict);

/** route_table_search() - the route of @addr, or NULL. */
const struct route *route_table_search(const struct route_table *table,
                                       gpa_t addr);

/** route_table_find() - the same, asking *@last first and remembering there;
 *  *@last is NULL at the start. */
static inline const struct route *
route_table_find(const struct route_table *table, gpa_t addr,
                 const struct route **last)
{
    const struct route *route = *last;

    if (SIM_LIKELY(route != NULL && addr_range_contains(&route->range, addr.v)))
        return route;
    route = route_table_search(table, addr);
    if (route != NULL)
        *last = route;
    return route;
}

#ifdef __cplusplus
}
#endif

#endif
