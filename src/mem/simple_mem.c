/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A memory of fixed latency and limited bandwidth.  A request waits until the
 * data path is free, occupies it for size * ticks per byte, and is answered
 * one latency after it entered.  Banks and rows are not modelled: see DRAM.
 */
#include "base/rng.h"
#include "mem/abstract_mem.h"
#include "mem/calendar.h"
#include "mem/system.h"
#include "sim/debug.h"
#include "sim/param.h"
#include "sim/sim.h"
#include "sim/stat.h"

struct simple_memory {
    struct abstract_memory base;

    /* Parameters. */
    struct sim_port port;
    tick_t latency;
    tick_t latency_var;
    double bandwidth; /* [ticks per byte] */

    /* Derived. */
    struct calendar data_path;
};
SIM_CHECK_BASE(struct simple_memory);

extern const struct sim_type simple_memory_type;

enum { REMEMBERED_SPANS = 256 };

/* By enum mem_kind. */
static const char *const kind_names[MEM_NUM_KINDS] = {
    [MEM_READ] = "read",
    [MEM_WRITE] = "write",
    [MEM_FETCH] = "fetch",
    [MEM_PREFETCH] = "prefetch",
    [MEM_WRITEBACK] = "write-back",
    [MEM_LOCKED_RMW] = "locked access",
};

static struct simple_memory *self(const struct sim_object *obj)
{
    return SIM_CAST(struct simple_memory, simple_memory_type, obj);
}

static tick_t latency_of(struct simple_memory *mem)
{
    struct rng *rng = sim_rng(mem->base.base.base.sim);

    if (mem->latency_var == 0)
        return mem->latency;
    return mem->latency + rng_below(rng, mem->latency_var);
}

static tick_t simple_memory_access(struct sim_port *port, struct mem_req *req,
                                   tick_t when)
{
    struct simple_memory *mem = (struct simple_memory *)(void *)port->owner;
    tick_t start = when;

    abstract_memory_access(&mem->base, req);
    if (system_is_timing(mem->base.system))
        start = calendar_reserve(&mem->data_path, when,
                                 (tick_t)(req->size * mem->bandwidth));
    TRACE(MemoryAccess, port->owner, "%s of %u bytes at 0x%lx",
          kind_names[req->kind], req->size, (unsigned long)req->addr.v);
    return start + latency_of(mem);
}

static void simple_memory_init(struct sim_object *obj)
{
    calendar_init(&self(obj)->data_path, REMEMBERED_SPANS);
}

static void simple_memory_fini(struct sim_object *obj)
{
    calendar_fini(&self(obj)->data_path);
}

static const struct sim_ops simple_memory_ops = {
    .init = simple_memory_init,
    .fini = simple_memory_fini,
};

static const struct mem_port_ops simple_memory_port_ops = {
    .access = simple_memory_access,
    .ranges = abstract_memory_ranges,
};

static const struct sim_param simple_memory_params[] = {
    SIM_PARAM(struct simple_memory, latency, "30ns", "ticks",
              "From the start of a request to its response"),
    SIM_PARAM(struct simple_memory, latency_var, "0ns", "ticks",
              "Upper bound of a random addition to the latency"),
    SIM_PARAM(struct simple_memory, bandwidth, "12.8GiB/s", "B/s",
              "Reads and writes together"),
    SIM_END_PARAM,
};

static const struct sim_stat simple_memory_stats[] = {
    SIM_STAT(struct simple_memory, data_path.num_late, "numLate", "Count",
             "Requests older than all that is remembered of the data path, "
             "which did not wait for it",
             .flags = STAT_NO_ZERO),
    SIM_END_STAT,
};

static const struct sim_port_desc simple_memory_ports[] = {
    MEM_RESPONDER(struct simple_memory, port, simple_memory_port_ops,
                  "Where requests arrive"),
    SIM_END_PORT,
};

const struct sim_type simple_memory_type = {
    .name = "SimpleMemory",
    .doc = "Memory of fixed latency and limited bandwidth",
    .base = &abstract_memory_type,
    .size = sizeof(struct simple_memory),
    .ops = &simple_memory_ops,
    .params = simple_memory_params,
    .stats = simple_memory_stats,
    .ports = simple_memory_ports,
};
