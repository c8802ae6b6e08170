/* SPDX-License-Identifier: BSD-3-Clause */
/* A sorted array of regions. */
#include "mem/addr_map.h"

#include "base/alloc.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

struct addr_map {
    struct addr_region *regions; /* ascending, disjoint */
    size_t len;
};

struct addr_map *addr_map_create(void)
{
    return alloc_zeroed(1, sizeof(struct addr_map));
}

void addr_map_destroy(struct addr_map *map)
{
    if (map == NULL)
        return;
    mem_free(map->regions);
    mem_free(map);
}

static uint64_t last_of(const struct addr_region *region)
{
    return region->start + (region->size - 1);
}

/* Index of the first region that ends at or after @addr; len if none does. */
static size_t lower_bound(const struct addr_map *map, uint64_t addr)
{
    size_t low = 0;
    size_t high = map->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (last_of(&map->regions[middle]) >= addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int addr_map_add(struct addr_map *map, const struct addr_region *region,
                 const struct addr_region **conflict)
{
    size_t index;

    if (region->size == 0 || last_of(region) < region->start)
        return -EINVAL;
    index = lower_bound(map, region->start);
    if (index < map->len && map->regions[index].start <= last_of(region)) {
        if (conflict != NULL)
            *conflict = &map->regions[index];
        return -EEXIST;
    }
    map->regions =
        alloc_resize(map->regions, map->len + 1, sizeof(*map->regions));
    memmove(&map->regions[index + 1], &map->regions[index],
            (map->len - index) * sizeof(*map->regions));
    map->regions[index] = *region;
    map->len++;
    return 0;
}

const struct addr_region *addr_map_search(const struct addr_map *map,
                                          gpa_t addr)
{
    size_t index = lower_bound(map, addr.v);

    if (index == map->len || addr.v < map->regions[index].start)
        return NULL;
    return &map->regions[index];
}

size_t addr_map_len(const struct addr_map *map)
{
    return map->len;
}

const struct addr_region *addr_map_get(const struct addr_map *map, size_t index)
{
    SIM_ASSERT(index < map->len);
    return &map->regions[index];
}
