/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: the x87.
 *
 * guest-flags: -O2 -static
 */
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 96 };

static long double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int k = 0; k < SIZE; k++)
            for (int j = 0; j < SIZE; j++)
                c[i][j] += a[i][k] * b[k][j];
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;

    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (long double)(i + j) / 7;
            b[i][j] = (long double)(i - j) / 3;
        }
    for (int round = 0; round < rounds * 6; round++)
        multiply();
    printf("%.6g\n", (double)c[5][7]);
    return 0;
}
