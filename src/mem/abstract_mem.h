/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Base of all memories: the addresses they serve and the counting of what they
 * did.  Content lives in the system's physmem, never here.
 */
#ifndef MEM_ABSTRACT_MEM_H
#define MEM_ABSTRACT_MEM_H

#include <stdbool.h>

#include "base/addr_range.h"
#include "mem/port.h"
#include "sim/clock.h"
#include "sim/stat.h"

#ifdef __cplusplus
extern "C" {
#endif

struct system;

struct abstract_memory {
    struct clocked_object base;

    /* Parameters. */
    struct addr_range range;
    const char *image_file;
    bool null;
    bool in_addr_map;
    bool kvm_map;
    bool conf_table_reported;
    bool writeable;

    /* Statistics, by requestor. */
    struct stat_vector bytes_read, bytes_inst_read, bytes_written;
    struct stat_vector num_reads, num_writes;

    /* Derived. */
    struct system *system;
    tick_t stats_since; /* last reset of the statistics */
};

/** abstract_memory_access() - count @req and move its data, if it carries any.
 *  Takes no time. */
void abstract_memory_access(struct abstract_memory *mem, struct mem_req *req);

/** abstract_memory_ranges() - a memory's mem_port_ops.ranges. */
void abstract_memory_ranges(struct sim_port *port, mem_range_fn emit,
                            void *ctx);

/* Whether the system keeps content for it. */
static inline bool
abstract_memory_has_content(const struct abstract_memory *mem)
{
    return mem->in_addr_map && !mem->null;
}

extern const struct sim_type abstract_memory_type; /* "AbstractMemory" */

#ifdef __cplusplus
}
#endif

#endif
