/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: string instructions: REP MOVS, STOS, SCAS, CMPS.
 *
 * guest-flags: -O2 -static
 */
#include <stdio.h>
#include <stdlib.h>

static char from[4096], to[4096];

static void set(char *at, char value, size_t count)
{
    __asm__ volatile("rep stosb"
                     : "+D"(at), "+c"(count)
                     : "a"(value)
                     : "memory");
}

static void copy(char *out, const char *in, size_t count)
{
    count /= 8;
    __asm__ volatile("rep movsq"
                     : "+D"(out), "+S"(in), "+c"(count)
                     :
                     : "memory");
}

static size_t length(const char *at)
{
    size_t count = (size_t)-1;

    __asm__ volatile("repne scasb"
                     : "+D"(at), "+c"(count)
                     : "a"(0)
                     : "memory", "cc");
    return ~count - 1;
}

static size_t same(const char *a, const char *b, size_t count)
{
    __asm__ volatile("cmp %%rcx, %%rcx\n\trepe cmpsb"
                     : "+S"(a), "+D"(b), "+c"(count)
                     :
                     : "memory", "cc");
    return count;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    size_t sum = 0;

    for (int i = 0; i < rounds * 3000; i++) {
        set(from, (char)(1 + i % 100), sizeof(from) - 1);
        copy(to, from, sizeof(from));
        to[i % 4000] = 0;
        sum += length(to) + same(from, to, sizeof(to));
    }
    printf("%zu\n", sum);
    return 0;
}
