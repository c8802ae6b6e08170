/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A parallel sum and a parallel sort of rows.
 *
 * guest-flags: -O2 -fopenmp
 */
#include <omp.h>
#include <stdio.h>

int main(void)
{
    double sum = 0;
    long count = 0;

    omp_set_num_threads(4);
#pragma omp parallel for reduction(+ : sum, count)
    for (int i = 0; i < 20000; i++) {
        sum += i * 0.5;
        count++;
    }
    printf("%.1f %ld\n", sum, count);
#pragma omp parallel
    {
#pragma omp for ordered
        for (int i = 0; i < 8; i++) {
#pragma omp ordered
            printf("%d\n", i);
        }
    }
    return 0;
}
