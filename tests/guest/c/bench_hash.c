/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: a hash table with open addressing.
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 1 << 16 };

static struct slot {
    uint64_t key;
    uint64_t count;
} table[SLOTS];

static void count(uint64_t key)
{
    uint64_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 48;

    while (table[at].count && table[at].key != key)
        at = (at + 1) % SLOTS;
    table[at].key = key;
    table[at].count++;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint64_t seed = 1, most = 0;

    for (int i = 0; i < rounds * 500000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        count(seed % 40000);
    }
    for (size_t i = 0; i < SLOTS; i++)
        most = table[i].count > most ? table[i].count : most;
    printf("%llu\n", (unsigned long long)most);
    return 0;
}
