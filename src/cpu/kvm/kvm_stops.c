/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_stops.h"

#include "arch/x86/fault.h"
#include "arch/x86/linux/mm.h"

enum { INT3 = 0xcc, INT_N = 0xcd };

static bool stops_is_planted(const struct kvm_stops *stops, uint64_t addr)
{
    for (size_t i = 0; i < stops->count; i++) {
        if (stops->plants[i].addr == addr)
            return true;
    }
    return false;
}

void kvm_stops_plant(struct kvm_stops *stops, struct mm *mm)
{
    stops->count = 0;
    stops->mm = mm;
    for (uint32_t i = 0; mm && i < mm->num_sites; i++) {
        uint64_t addr = mm->sites[i].addr;
        uint8_t *byte;

        if (stops->count == STOPS_MAX_ADDRS || stops_is_planted(stops, addr))
            continue;
        byte = mm_own_byte(mm, addr);
        if (!byte)
            continue; /* nothing to execute there */
        stops->plants[stops->count].addr = addr;
        stops->plants[stops->count].byte = byte;
        stops->plants[stops->count++].old = *byte;
        *byte = INT3;
    }
}

void kvm_stops_lift(struct kvm_stops *stops)
{
    for (size_t i = 0; i < stops->count; i++) {
        /* Unless the program has written something else. */
        if (*stops->plants[i].byte == INT3)
            *stops->plants[i].byte = stops->plants[i].old;
    }
    stops->count = 0;
}

void kvm_stops_hide(const struct kvm_stops *stops, const struct mm *mm,
                    uint64_t addr, uint8_t *byte)
{
    for (size_t i = 0; i < stops->count && stops->mm == mm; i++) {
        if (stops->plants[i].addr == addr)
            *byte = stops->plants[i].old;
    }
}

bool kvm_stops_is_own(const uint8_t before[2])
{
    return before[1] == INT3 || (before[0] == INT_N && before[1] == X86_BP);
}
