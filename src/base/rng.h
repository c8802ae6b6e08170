/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers: xoshiro256** with a state seeded by splitmix64.
 * Sources: [xoshiro] "xoshiro" and "Seeding"; [Lemire] for ranges.
 * The four words are the whole state: save and restore them to go on with the
 * same sequence.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
/** rng_u64() - all 64 bits uniform. */
uint64_t rng_u64(struct rng *rng);
/** rng_below() - uniform in [0, @limit); @limit must not be 0. */
uint64_t rng_below(struct rng *rng, uint64_t limit);
/** rng_range() - uniform in [@first, @last], both included. */
uint64_t rng_range(struct rng *rng, uint64_t first, uint64_t last);
/** rng_double() - uniform in [0, 1), a multiple of 2^-53. */
double rng_double(struct rng *rng);

#ifdef __cplusplus
}
#endif

#endif
