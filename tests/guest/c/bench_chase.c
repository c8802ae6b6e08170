/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: pointers that lead through 64 MiB without order, one miss after the
 * other in caches and TLBs.
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE = 64, LINES = 1 << 20, STEPS = 1 << 20 };

struct line {
    uint32_t next;
    char rest[LINE - sizeof(uint32_t)];
};

/* One cycle through all lines (Sattolo). */
static void shuffle(struct line *lines)
{
    uint64_t seed = 1;

    for (uint32_t i = 0; i < LINES; i++)
        lines[i].next = i;
    for (uint32_t i = LINES - 1; i > 0; i--) {
        uint32_t other, kept = lines[i].next;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        other = (uint32_t)((seed >> 33) % i);
        lines[i].next = lines[other].next;
        lines[other].next = kept;
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    struct line *lines = malloc(sizeof(*lines) * LINES);
    uint32_t at = 0;

    if (!lines)
        return 1;
    shuffle(lines);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < STEPS - 1; i++)
            at = lines[at].next;
    printf("%u\n", at);
    free(lines);
    return 0;
}
