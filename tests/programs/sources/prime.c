// SPDX-License-Identifier: BSD-3-Clause
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { LIMIT = 100000 };
    char *composite = calloc(LIMIT, 1);
    unsigned count = 0;

    if (!composite)
        return 1;
    for (unsigned i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        count++;
        for (unsigned long j = (unsigned long)i * i; j < LIMIT; j += i)
            composite[j] = 1;
    }
    printf("%u %.15g\n", count, count / 3.0);
    free(composite);
    return 42;
}
