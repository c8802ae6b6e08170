/* SPDX-License-Identifier: BSD-3-Clause */
/* Open addressing with linear probing, at most three quarters full. */
#include "base/hashmap.h"

#include "base/alloc.h"

struct hashmap_entry {
    uint64_t key;
    uint64_t value;
    bool is_used;
};

enum { FIRST_CAPACITY = 16 };

/* The entry of @key, or the free one where it belongs. */
static struct hashmap_entry *probe(const struct hashmap *map, uint64_t key)
{
    size_t i = hash_u64(key) & (map->capacity - 1);

    while (map->entries[i].is_used && map->entries[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    return &map->entries[i];
}

static void grow(struct hashmap *map)
{
    struct hashmap old = *map;
    size_t i;

    map->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    map->entries = alloc_zeroed(map->capacity, sizeof *map->entries);
    for (i = 0; i < old.capacity; i++)
        if (old.entries[i].is_used)
            *probe(map, old.entries[i].key) = old.entries[i];
    mem_free(old.entries);
}

uint64_t *hashmap_slot(struct hashmap *map, uint64_t key)
{
    struct hashmap_entry *entry;

    if ((map->len + 1) * 4 > map->capacity * 3)
        grow(map);
    entry = probe(map, key);
    if (!entry->is_used) {
        entry->is_used = true;
        entry->key = key;
        map->len++;
    }
    return &entry->value;
}

const uint64_t *hashmap_get(const struct hashmap *map, uint64_t key)
{
    const struct hashmap_entry *entry;

    if (!map->len)
        return NULL;
    entry = probe(map, key);
    return entry->is_used ? &entry->value : NULL;
}

void hashmap_clear(struct hashmap *map)
{
    mem_free(map->entries);
    *map = (struct hashmap){0};
}
