/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: scalar SSE2 with divisions, roots and conversions.
 *
 * guest-flags: -O2 -fno-math-errno -static
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    double x = 0.5, sum = 0;

    for (int i = 1; i < rounds * 1000000; i++) {
        x = 3.7 * x * (1 - x);
        sum += __builtin_sqrt(x) / i + (double)(int)(x * 100);
    }
    printf("%.12g\n", sum);
    return 0;
}
