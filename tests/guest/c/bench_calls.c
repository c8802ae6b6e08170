/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: calls and returns, direct and through pointers.
 *
 * guest-flags: -O1 -fno-inline -fno-optimize-sibling-calls -static
 */
#include <stdio.h>
#include <stdlib.h>

typedef long (*step_t)(long);

static long add(long x)
{
    return x + 1;
}

static long twist(long x)
{
    return x ^ 3;
}

static step_t volatile steps[2] = {add, twist};

static long fibonacci(long n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    long sum = 0;

    for (int round = 0; round < rounds; round++) {
        sum += fibonacci(24);
        for (long i = 0; i < 300000; i++)
            sum = steps[i & 1](sum);
    }
    printf("%ld\n", sum);
    return 0;
}
