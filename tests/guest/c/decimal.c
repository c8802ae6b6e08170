/* SPDX-License-Identifier: BSD-3-Clause */
/* Decimal arithmetic on every AL and AH with every AF and CF; prints a sum of
 * the results and of the flags that the manual defines.
 * guest-flags: -m32 -O1 -g -static */
#include <stdint.h>
#include <stdio.h>

enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128 };

static uint32_t flags_in;

#define DECIMAL(NAME, TEXT, DEFINED)                                           \
    static void NAME(void)                                                     \
    {                                                                          \
        uint32_t hash = 0;                                                     \
                                                                               \
        for (uint32_t i = 0; i < 0x40000; i++) {                               \
            uint32_t ax = i & 0xffff, flags;                                   \
                                                                               \
            flags_in = 2 | (i >> 16 & 1 ? CF : 0) | (i >> 17 & 1 ? AF : 0);    \
            __asm__ volatile("push %2\n popf\n" TEXT "\n pushf\n pop %1"       \
                             : "+a"(ax), "=r"(flags)                           \
                             : "m"(flags_in)                                   \
                             : "cc");                                          \
            hash = (hash * 31 + ax) * 31 + (flags & (DEFINED));                \
        }                                                                      \
        printf("%s %08x\n", #NAME, hash);                                      \
    }
DECIMAL(aaa, "aaa", AF | CF)
DECIMAL(aas, "aas", AF | CF)
DECIMAL(daa, "daa", SF | ZF | AF | PF | CF)
DECIMAL(das, "das", SF | ZF | AF | PF | CF)
DECIMAL(aam, "aam", SF | ZF | PF)
DECIMAL(aad, "aad", SF | ZF | PF)
DECIMAL(aam_by_7, "aam $7", SF | ZF | PF)
DECIMAL(aad_by_200, "aad $200", SF | ZF | PF)
DECIMAL(salc, ".byte 0xd6", CF)

int main(void)
{
    aaa();
    aas();
    daa();
    das();
    aam();
    aad();
    aam_by_7();
    aad_by_200();
    salc();
    return 0;
}
