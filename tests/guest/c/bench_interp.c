/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: the loop of an interpreter: indirect jumps.
 *
 * guest-flags: -O2 -static
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum op { PUSH, ADD, MUL, XOR, DUP, SWAP, DROP, LOOP, HALT };

static const uint8_t program[] = {
    PUSH, 1,    DUP, PUSH, 7,    MUL,  PUSH, 3, ADD,  XOR,
    DUP,  PUSH, 5,   ADD,  SWAP, DROP, LOOP, 2, HALT,
};

static uint64_t run(uint64_t times)
{
    uint64_t stack[16] = {0}, *sp = stack, swap;
    const uint8_t *pc = program;

    for (;;) {
        switch ((enum op) * pc++) {
        case PUSH:
            *++sp = *pc++;
            break;
        case ADD:
            sp--;
            *sp += sp[1];
            break;
        case MUL:
            sp--;
            *sp *= sp[1];
            break;
        case XOR:
            sp--;
            *sp ^= sp[1];
            break;
        case DUP:
            sp++;
            *sp = sp[-1];
            break;
        case SWAP:
            swap = *sp;
            *sp = sp[-1];
            sp[-1] = swap;
            break;
        case DROP:
            sp--;
            break;
        case LOOP:
            pc = --times ? program + *pc : pc + 1;
            break;
        case HALT:
        default:
            return *sp;
        }
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;

    printf("%llu\n", (unsigned long long)run((uint64_t)rounds * 400000));
    return 0;
}
