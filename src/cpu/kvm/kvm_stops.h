/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stops at addresses (arch/x86/linux/stops.h) under KVM: INT3 at the sites of
 * the address space that a vCPU is about to run, on pages of its own, so that
 * no other process and no file sees it.  The bytes come back after each run:
 * the simulator never executes or reads them; the program itself does while it
 * runs, if it reads its own code.
 *
 * Sources: [SDM] Vol. 2A, "INT3"; ptrace(2), PTRACE_POKETEXT.
 */
#ifndef CPU_KVM_KVM_STOPS_H
#define CPU_KVM_KVM_STOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/linux/stops.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm;

struct kvm_stops {
    struct {
        uint64_t addr;
        uint8_t *byte; /* in guest RAM */
        uint8_t old;
    } plants[STOPS_MAX_ADDRS];
    size_t count;  /* planted now */
    struct mm *mm; /* of the last run */
};

/** kvm_stops_plant() - before the vCPU enters @mm; NULL: nothing. */
void kvm_stops_plant(struct kvm_stops *stops, struct mm *mm);
/** kvm_stops_lift() - after it has left. */
void kvm_stops_lift(struct kvm_stops *stops);
/** kvm_stops_hide() - give *@byte, read at @addr of @mm, as the program has it.
 */
void kvm_stops_hide(const struct kvm_stops *stops, const struct mm *mm,
                    uint64_t addr, uint8_t *byte);
/**
 * kvm_stops_is_own() - whether the program itself has INT3 before @rip
 * @before: the two bytes before @rip, as the program has them
 *
 * INT3 or INT 3; anything else was a stop, even if it is none any more.
 */
bool kvm_stops_is_own(const uint8_t before[2]);

#ifdef __cplusplus
}
#endif

#endif
