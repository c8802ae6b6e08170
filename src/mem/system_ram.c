/* SPDX-License-Identifier: BSD-3-Clause */
/* Which memory backs which addresses. */
#include "mem/system_ram.h"

#include "base/addr_range.h"
#include "mem/abstract_mem.h"
#include "mem/physmem.h"
#include "mem/system.h"
#include "sim/report.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ mapping */

static const struct abstract_memory *as_ram(const struct sim_object *obj)
{
    const struct abstract_memory *mem;

    if (!sim_object_is_a(obj, &abstract_memory_type))
        return NULL;
    mem = SIM_CAST(struct abstract_memory, abstract_memory_type, obj);
    return abstract_memory_has_content(mem) ? mem : NULL;
}

/* The next memory with content after @obj below @system. */
static const struct abstract_memory *next_ram(const struct system *system,
                                              const struct sim_object *obj)
{
    const struct abstract_memory *mem = NULL;

    while (mem == NULL && (obj = sim_object_next(&system->base, obj)) != NULL)
        mem = as_ram(obj);
    return mem;
}

#define FOR_EACH_RAM(mem, system)                                              \
    for (mem = next_ram(system, &(system)->base); mem != NULL;                 \
         mem = next_ram(system, &(mem)->base.base))

static void check_overlap(const struct system *system,
                          const struct abstract_memory *mem)
{
    const struct abstract_memory *other;

    FOR_EACH_RAM(other, system)
    {
        if (other == mem)
            return; /* pairs with later ones are theirs to check */
        if (addr_range_overlaps(&mem->range, &other->range))
            sim_fatal_param(&mem->base.base, "range",
                            "[%#llx, %#llx) overlaps [%#llx, %#llx) of %s",
                            (unsigned long long)mem->range.start,
                            (unsigned long long)mem->range.end,
                            (unsigned long long)other->range.start,
                            (unsigned long long)other->range.end,
                            other->base.base.path);
    }
}

/* Whether @mem is the first of the channels that share its addresses; counts
 * them. */
static bool is_first_channel(const struct system *system,
                             const struct abstract_memory *mem,
                             unsigned *num_channels)
{
    const struct abstract_memory *first = NULL;
    const struct abstract_memory *other;

    *num_channels = 0;
    FOR_EACH_RAM(other, system)
    {
        if (other->range.start != mem->range.start ||
            other->range.end != mem->range.end)
            continue;
        if (first == NULL)
            first = other;
        ++*num_channels;
    }
    return first == mem;
}

static void map_one(struct system *system, const struct abstract_memory *mem)
{
    const struct sim_object *obj = &mem->base.base;
    const struct addr_range *range = &mem->range;
    unsigned channels;
    int err;

    check_overlap(system, mem);
    if (!is_first_channel(system, mem, &channels))
        return;
    if (channels != 1U << range->intlv_bits)
        sim_fatal_param(
            obj, "range", "%u of %u interleaved memories at [%#llx, %#llx)",
            channels, 1U << range->intlv_bits, (unsigned long long)range->start,
            (unsigned long long)range->end);
    err = physmem_add(system->physmem, range->start, range->end - range->start);
    if (err == -EINVAL)
        sim_fatal_param(obj, "range",
                        "start and size must be multiples of 4 KiB");
    if (err != 0)
        sim_fatal_param(obj, "range", "the host cannot map %llu MiB: %s",
                        (unsigned long long)((range->end - range->start) >> 20),
                        strerror(-err));
}

void system_ram_map(struct system *system)
{
    const struct abstract_memory *mem;

    FOR_EACH_RAM(mem, system)
    map_one(system, mem);
}
