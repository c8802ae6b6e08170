/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: the C library sorts an array of 32 MiB, with one of the same size
 * beside it.
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 4 << 20 };

static int compare(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint64_t *values = malloc(SIZE * sizeof(*values));
    uint64_t seed = 1, sum = 0;

    if (!values)
        return 1;
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < SIZE; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            values[i] = seed >> 16;
        }
        qsort(values, SIZE, sizeof(*values), compare);
        for (size_t i = 0; i < SIZE; i += SIZE / 64)
            sum = sum * 31 + values[i];
    }
    printf("%llu\n", (unsigned long long)sum);
    free(values);
    return 0;
}
