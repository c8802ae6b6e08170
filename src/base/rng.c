/* SPDX-License-Identifier: BSD-3-Clause */
/* xoshiro256**, splitmix64 for seeds, unbiased ranges. */
#include "base/rng.h"

#include "base/log.h"

__extension__ typedef unsigned __int128 uint128_t;

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    int i;

    for (i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t value, int count)
{
    return (value << count) | (value >> (64 - count));
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    uint128_t product;
    uint64_t reject;

    SIM_ASSERT(limit > 0);
    /* 2^64 mod limit low halves would favour some results: draw again. */
    reject = (0 - limit) % limit;
    do {
        product = (uint128_t)rng_u64(rng) * limit;
    } while ((uint64_t)product < reject);
    return (uint64_t)(product >> 64);
}

uint64_t rng_range(struct rng *rng, uint64_t first, uint64_t last)
{
    uint64_t count = last - first + 1;

    SIM_ASSERT(first <= last);
    return count ? first + rng_below(rng, count) : rng_u64(rng);
}

double rng_double(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}
