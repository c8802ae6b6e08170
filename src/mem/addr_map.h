/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who answers at a guest physical address: RAM, by its host pointer, or a
 * device, by the port that reaches it.  Regions do not overlap.  A look-up is a
 * binary search; a caller that keeps the last region it found and asks it first
 * (addr_map_find) pays one compare for most accesses.
 */
#ifndef MEM_ADDR_MAP_H
#define MEM_ADDR_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct addr_map;
struct sim_port;

struct addr_region {
    uint64_t start;
    uint64_t size;         /* [bytes], not 0 */
    const char *name;      /* for messages: path of the owner; not copied */
    uint8_t *host;         /* RAM: host address of start; else NULL */
    struct sim_port *port; /* device: where to send the access; else NULL */
};

struct addr_map *addr_map_create(void);
void addr_map_destroy(struct addr_map *map);

/**
 * addr_map_add() - add a copy of @region
 * @conflict: on -EEXIST, the region that is in the way; may be NULL
 *
 * Invalidates pointers that addr_map_find() returned.
 *
 * Returns: 0; -EINVAL (empty or wraps); -EEXIST (overlaps *@conflict).
 */
SIM_MUST_CHECK int addr_map_add(struct addr_map *map,
                                const struct addr_region *region,
                                const struct addr_region **conflict);

/** addr_map_search() - the region that holds @addr, or NULL. */
const struct addr_region *addr_map_search(const struct addr_map *map,
                                          gpa_t addr);

/** addr_map_find() - the same, asking *@last first and remembering there;
 *  *@last is NULL at the start. */
static inline const struct addr_region *
addr_map_find(const struct addr_map *map, gpa_t addr,
              const struct addr_region **last)
{
    const struct addr_region *region = *last;

    if (SIM_LIKELY(region != NULL && addr.v - region->start < region->size))
        return region;
    region = addr_map_search(map, addr);
    if (region != NULL)
        *last = region;
    return region;
}

/* Regions in ascending order. */
size_t addr_map_len(const struct addr_map *map);
const struct addr_region *addr_map_get(const struct addr_map *map,
                                       size_t index);

#ifdef __cplusplus
}
#endif

#endif
