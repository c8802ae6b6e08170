/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: three arrays of 32 MiB each, read and written in order (triad).
 *
 * guest-flags: -O2 -static
 */
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 4 << 20 };

static void triad(double *to, const double *a, const double *b, double factor)
{
    for (size_t i = 0; i < SIZE; i++)
        to[i] = a[i] + factor * b[i];
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    double *a = malloc(SIZE * sizeof(*a));
    double *b = malloc(SIZE * sizeof(*b));
    double *c = malloc(SIZE * sizeof(*c));

    if (!a || !b || !c)
        return 1;
    for (size_t i = 0; i < SIZE; i++) {
        a[i] = (double)i;
        b[i] = 2.0;
    }
    for (int round = 0; round < rounds; round++) {
        triad(c, a, b, 0.5);
        triad(a, b, c, 0.25);
    }
    printf("%.17g\n", a[SIZE / 3] + c[SIZE / 7]);
    free(a);
    free(b);
    free(c);
    return 0;
}
