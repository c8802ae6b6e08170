/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who executes a program next: KVM, or the core for some instructions?
 *
 * Where an exit takes as long as thousands of instructions of the core and
 * system calls and faults follow each other, the core gets to the next one
 * sooner.  So after a quick event it gets a turn, a longer one each time; after
 * a turn that cost more than the exits that it saved it has to wait, longer
 * each time.  Times are in cycles of the host's TSC.
 */
#ifndef CPU_KVM_KVM_TURN_H
#define CPU_KVM_KVM_TURN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_turn {
    uint64_t left; /* instructions that are the core's before KVM's turn */
    uint64_t size; /* how many it got last; 0: KVM runs well */
    /* Of this turn so far. */
    uint64_t insts, events, cycles;
    uint32_t rest;      /* quick events until the core is tried again */
    uint32_t last_rest; /* 0: the last turn was worth it */
};

/**
 * kvm_turn_judge() - KVM has run until an event
 * @ran: how long, with entry and exit
 * @exit: how long an entry and an exit take
 * @first: instructions of a first turn; 0: the core never gets one
 */
void kvm_turn_judge(struct kvm_turn *turn, uint64_t ran, uint64_t exit,
                    uint64_t first);
/** kvm_turn_charge() - the core has executed @insts instructions in @cycles,
 *  and met @events that would have been exits; @budget is what it might have
 *  executed. */
void kvm_turn_charge(struct kvm_turn *turn, uint64_t insts, uint64_t events,
                     uint64_t cycles, uint64_t budget, uint64_t exit);
/** kvm_turn_force() - the next @insts are the core's in any case. */
void kvm_turn_force(struct kvm_turn *turn, uint64_t insts);

#ifdef __cplusplus
}
#endif

#endif
