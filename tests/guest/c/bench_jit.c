/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: code that is written, run a little and written again.
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint32_t (*code_t)(uint32_t times);

/* eax = 0; do { eax += CONSTANT; eax ^= edi; } while (--edi); */
static void emit(uint8_t *code, uint32_t constant)
{
    static const uint8_t pattern[] = {0x31, 0xc0, 0x05, 0,    0,    0,    0,
                                      0x31, 0xf8, 0xff, 0xcf, 0x75, 0xf5, 0xc3};

    memcpy(code, pattern, sizeof(pattern));
    memcpy(code + 3, &constant, sizeof(constant));
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint8_t *code = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t sum = 0;

    if (code == MAP_FAILED)
        return 1;
    for (uint32_t i = 0; i < (uint32_t)rounds * 4000; i++) {
        uint8_t *at = code + i * 64 % 65536;

        emit(at, i);
        sum += ((code_t)(uintptr_t)at)(2000);
    }
    printf("%u\n", sum);
    return 0;
}
