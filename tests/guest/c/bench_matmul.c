/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: the product of two matrices of 512 x 512.
 *
 * guest-flags: -O2 -static
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 512 };

static double a[N][N], b[N][N], c[N][N];

static void multiply(void)
{
    memset(c, 0, sizeof(c));
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++)
            for (size_t j = 0; j < N; j++)
                c[i][j] += a[i][k] * b[k][j];
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;

    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            a[i][j] = (double)(i % 7) - (double)(j % 5);
            b[i][j] = (double)(i * j % 11) / 16;
        }
    for (int round = 0; round < rounds; round++) {
        multiply();
        a[round % N][round % N] = c[3][5] / 1024;
    }
    printf("%.17g\n", c[N / 3][N / 7]);
    return 0;
}
