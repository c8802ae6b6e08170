/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: a compressor that looks for repeats (LZ77).
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 200000, HASHES = 1 << 14 };

static uint8_t data[SIZE + 8];
static uint32_t last[HASHES];

static void fill(void)
{
    static const char *const words[] = {"cache ",  "memory ", "port ", "tick ",
                                        "packet ", "queue ",  "line\n"};
    uint32_t seed = 7;

    for (size_t at = 0; at < SIZE;) {
        const char *word =
            words[(seed = seed * 1103515245 + 12345) % 65521 % 7];

        while (*word && at < SIZE)
            data[at++] = (uint8_t)*word++;
    }
}

static size_t match(size_t a, size_t b)
{
    size_t len = 0;

    while (b + len < SIZE && data[a + len] == data[b + len] && len < 255)
        len++;
    return len;
}

static size_t compress(void)
{
    size_t out = 0;

    memset(last, 0, sizeof(last));
    for (size_t at = 1; at < SIZE;) {
        uint32_t key = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8 |
                       (uint32_t)data[at + 2] << 16;
        uint32_t *slot = &last[key * 2654435761U >> 18];
        size_t len = *slot ? match(*slot, at) : 0;

        *slot = (uint32_t)at;
        out += len > 3 ? 3 : 1;
        at += len > 3 ? len : 1;
    }
    return out;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    size_t sum = 0;

    fill();
    for (int round = 0; round < rounds * 20; round++) {
        data[round] ^= 1;
        sum += compress();
    }
    printf("%zu\n", sum);
    return 0;
}
