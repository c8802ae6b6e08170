/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Map from 64-bit keys to 64-bit values: open addressing with linear probing,
 * for tables that only grow.  Zeroed memory is a valid empty map.  The order of
 * the entries depends on the keys, so nothing that is printed may follow it.
 */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hashmap_entry;

struct hashmap {
    struct hashmap_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t len;
};

/**
 * hashmap_slot() - the value of @key, created as 0 if absent
 *
 * Returns: a pointer that the next hashmap_slot() may invalidate.
 */
uint64_t *hashmap_slot(struct hashmap *map, uint64_t key);
/** hashmap_get() - the value of @key, or NULL. */
const uint64_t *hashmap_get(const struct hashmap *map, uint64_t key);
/* Frees the entries; the map is empty afterwards. */
void hashmap_clear(struct hashmap *map);

/** hash_u64() - mixes all bits; for making one key out of several values. */
static inline uint64_t hash_u64(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    return value ^ (value >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
