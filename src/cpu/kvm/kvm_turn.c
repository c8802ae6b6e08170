/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_turn.h"

enum {
    RUN_WORTH = 2,   /* runs shorter than so many exits are not worth one */
    MOST_TURNS = 16, /* how much longer than the first a turn may be */
    FIRST_REST = 4,
    MOST_REST = 256,
};

void kvm_turn_judge(struct kvm_turn *turn, uint64_t ran, uint64_t exit,
                    uint64_t first)
{
    if (ran > RUN_WORTH * exit) {
        turn->size = 0;
        return;
    }
    if (turn->rest) {
        turn->rest--;
        return;
    }
    turn->size *= 2;
    if (turn->size < first)
        turn->size = first;
    if (turn->size > MOST_TURNS * first)
        turn->size = MOST_TURNS * first;
    turn->left = turn->size;
    turn->insts = turn->events = turn->cycles = 0;
}

/* The host would have executed about an instruction in a cycle. */
static void turn_settle(struct kvm_turn *turn, uint64_t exit)
{
    if (turn->cycles <= turn->events * exit + turn->insts) {
        turn->last_rest = 0;
        return;
    }
    turn->size = 0;
    turn->last_rest *= 2;
    if (turn->last_rest < FIRST_REST)
        turn->last_rest = FIRST_REST;
    if (turn->last_rest > MOST_REST)
        turn->last_rest = MOST_REST;
    turn->rest = turn->last_rest;
}

void kvm_turn_charge(struct kvm_turn *turn, uint64_t insts, uint64_t events,
                     uint64_t cycles, uint64_t budget, uint64_t exit)
{
    if (!turn->left)
        return;
    turn->insts += insts;
    turn->events += events;
    turn->cycles += cycles;
    turn->left -= budget < turn->left ? budget : turn->left;
    if (!turn->left && turn->size)
        turn_settle(turn, exit);
}

void kvm_turn_force(struct kvm_turn *turn, uint64_t insts)
{
    turn->left = insts;
    turn->size = 0;
}
