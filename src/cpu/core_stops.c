/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/core_stops.h"

#include <string.h>

#include "cpu/base_cpu.h"

/* Changing breakpoints drops decoded code, maybe that which is being executed:
 * it waits until the core is outside. */
void core_stops_changed(struct linux_cpu *linux_cpu)
{
    struct base_cpu *cpu =
        SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu);

    cpu->stops.is_stale = true;
    cpu->stops.is_in_use = true;
    x86_core_stop(cpu->core);
}

void core_stops_init(struct base_cpu *cpu)
{
    cpu->linux_cpu.stops_changed = core_stops_changed;
}

void core_stops_refresh(struct base_cpu *cpu)
{
    if (cpu->linux_cpu.kernel && cpu->linux_cpu.stops_changed)
        cpu->linux_cpu.stops_changed(&cpu->linux_cpu);
}

static bool core_stops_has(const uint64_t *addrs, size_t count, uint64_t addr)
{
    while (count) {
        if (addrs[--count] == addr)
            return true;
    }
    return false;
}

static void core_stops_settle(struct base_cpu *cpu)
{
    struct core_stops *stops = &cpu->stops;
    uint64_t addrs[STOPS_MAX_ADDRS];
    size_t count = stops_collect(cpu->linux_cpu.kernel, addrs);

    stops->is_stale = false;
    for (size_t i = 0; i < stops->count; i++) {
        gva_t addr = {stops->addrs[i]};

        if (!core_stops_has(addrs, count, addr.v))
            x86_core_remove_break(cpu->core, addr);
    }
    for (size_t i = 0; i < count; i++) {
        gva_t addr = {addrs[i]};

        if (!core_stops_has(stops->addrs, stops->count, addr.v))
            x86_core_add_break(cpu->core, addr);
    }
    memcpy(stops->addrs, addrs, count * sizeof(*addrs));
    stops->count = count;
}

bool core_stops_end(struct base_cpu *cpu)
{
    if (cpu->stops.is_stale)
        core_stops_settle(cpu);
    return stops_arrive(&cpu->linux_cpu);
}

void core_stops_passed(struct base_cpu *cpu, uint64_t rip)
{
    stops_depart(&cpu->linux_cpu, rip);
}
