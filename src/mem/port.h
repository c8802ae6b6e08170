/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory ports.  An access is a function call that returns when it is done:
 * every level adds its latency and reserves its resources (bank, bus, MSHR) in
 * its calendars.  There are no packets, retries or callbacks.
 */
#ifndef MEM_PORT_H
#define MEM_PORT_H

#include "mem/req.h"
#include "sim/port.h"

#ifdef __cplusplus
extern "C" {
#endif

struct addr_range;

/* Called once per range of a responder. */
typedef void (*mem_range_fn)(void *ctx, const struct addr_range *range);

struct mem_port_ops {
    /**
     * access() - perform @req at tick @when
     *
     * Returns: the tick at which the data is back at the requestor.
     * An address that nobody claims is the guest's error: open bus, reads give
     * all ones, and the access takes the time of the levels it passed.
     */
    tick_t (*access)(struct sim_port *port, struct mem_req *req, tick_t when);
    /* Tell the address ranges that this responder serves. */
    void (*ranges)(struct sim_port *port, mem_range_fn emit, void *ctx);
};

#define MEM_PORT_KIND "mem"

/** mem_access() - send @req out of the requestor's @port. */
static inline tick_t mem_access(struct sim_port *port, struct mem_req *req,
                                tick_t when)
{
    struct sim_port *peer = port->peer;
    const struct mem_port_ops *ops =
        (const struct mem_port_ops *)sim_port_responder(peer);

    return ops->access(peer, req, when);
}

#define MEM_REQUESTOR(S, m, ...)                                               \
    SIM_PORT(S, m, MEM_PORT_KIND, SIM_REQUESTOR, __VA_ARGS__)
#define MEM_RESPONDER(S, m, ops_, ...)                                         \
    SIM_PORT(S, m, MEM_PORT_KIND, SIM_RESPONDER, __VA_ARGS__,                  \
             .responder = &(ops_))

#ifdef __cplusplus
}
#endif

#endif
