/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: sorting integers, by comparison and by radix: speed_sort [ROUNDS].
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 50000 };

static uint32_t numbers[ITEMS];

static void sift(uint32_t *heap, size_t at, size_t end)
{
    uint32_t value = heap[at];

    for (size_t child; (child = 2 * at + 1) < end; at = child) {
        if (child + 1 < end && heap[child + 1] > heap[child])
            child++;
        if (heap[child] <= value)
            break;
        heap[at] = heap[child];
    }
    heap[at] = value;
}

static void sort(uint32_t *items, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift(items, i, count);
    for (size_t end = count; end-- > 1;) {
        uint32_t top = items[0];

        items[0] = items[end];
        items[end] = top;
        sift(items, 0, end);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t seed = 1, sum = 0;

    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < ITEMS; i++)
            numbers[i] = seed = seed * 1664525 + 1013904223;
        sort(numbers, ITEMS);
        for (size_t i = 0; i < ITEMS; i += 1000)
            sum = sum * 31 + numbers[i];
    }
    printf("%u\n", sum);
    return 0;
}
