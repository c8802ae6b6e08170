/* SPDX-License-Identifier: BSD-3-Clause */
/* A sorted array of routes. */
#include "mem/route_table.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void route_table_fini(struct route_table *table)
{
    mem_free(table->routes);
    *table = (struct route_table){0};
}

static bool same_interval(const struct addr_range *a,
                          const struct addr_range *b)
{
    return a->start == b->start && a->end == b->end;
}

static bool conflicts(const struct addr_range *a, const struct addr_range *b)
{
    bool intersects = a->start < b->end && b->start < a->end;

    return intersects && (!same_interval(a, b) || addr_range_overlaps(a, b));
}

/* Index of the first route that starts after @addr. */
static uint32_t first_after(const struct route_table *table, uint64_t addr)
{
    uint32_t low = 0;
    uint32_t high = table->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->routes[middle].range.start > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int route_table_add(struct route_table *table, const struct addr_range *range,
                    uint32_t port, const struct route **conflict)
{
    uint32_t index;

    if (range->start >= range->end)
        return -EINVAL;
    for (uint32_t i = 0; i < table->len; i++) {
        if (!conflicts(range, &table->routes[i].range))
            continue;
        if (conflict != NULL)
            *conflict = &table->routes[i];
        return -EEXIST;
    }
    index = first_after(table, range->start);
    table->routes =
        alloc_resize(table->routes, table->len + 1, sizeof(*table->routes));
    memmove(&table->routes[index + 1], &table->routes[index],
            (table->len - index) * sizeof(*table->routes));
    table->routes[index] = (struct route){*range, port};
    table->len++;
    return 0;
}

const struct route *route_table_search(const struct route_table *table,
                                       gpa_t addr)
{
    uint32_t index = first_after(table, addr.v);

    /* Only channels of one interval can hold the address. */
    while (index > 0 && addr.v < table->routes[index - 1].range.end) {
        const struct route *route = &table->routes[--index];

        if (addr_range_contains(&route->range, addr.v))
            return route;
    }
    return NULL;
}
