/* SPDX-License-Identifier: BSD-3-Clause */
/* What CPUID and XGETBV tell: the same on every CPU model. */
#include <cpuid.h>
#include <stdio.h>

int main(void)
{
    static const unsigned leaves[][2] = {
        {0,          0},
        {1,          0},
        {4,          0},
        {4,          1},
        {7,          0},
        {0xb,        0},
        {0xd,        0},
        {0xd,        1},
        {0x15,       0},
        {0x40000000, 0},
        {0x80000000, 0},
        {0x80000001, 0},
    };
    unsigned a, b, c, d;

    for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        __cpuid_count(leaves[i][0], leaves[i][1], a, b, c, d);
        printf("%08x.%x %08x %08x %08x %08x\n", leaves[i][0], leaves[i][1], a,
               b, c, d);
    }
    __cpuid(1, a, b, c, d);
    if (c & bit_OSXSAVE) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        printf("xcr0 %08x %08x\n", d, a);
    }
    return 0;
}
