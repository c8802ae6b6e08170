/* SPDX-License-Identifier: BSD-3-Clause */
#include "toy_mem.h"

#include "sim/param.h"

static tick_t toy_access(struct sim_port *port, struct mem_req *req,
                         tick_t when)
{
    struct toy_responder *toy =
        SIM_CAST(struct toy_responder, toy_responder_type, port->owner);

    toy->num_asked++;
    toy->last_req = *req;
    toy->last_when = when;
    return when + toy->latency;
}

static void toy_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    struct toy_responder *toy =
        SIM_CAST(struct toy_responder, toy_responder_type, port->owner);

    emit(ctx, &toy->range);
}

static const struct mem_port_ops toy_port_ops = {
    .access = toy_access,
    .ranges = toy_ranges,
};

static const struct sim_param toy_responder_params[] = {
    SIM_PARAM(struct toy_responder, range, NULL, "addr", "Addresses"),
    SIM_PARAM(struct toy_responder, latency, "0ns", "ticks", "Fixed"),
    SIM_END_PARAM,
};

static const struct sim_port_desc toy_responder_ports[] = {
    MEM_RESPONDER(struct toy_responder, port, toy_port_ops, "Requests"),
    SIM_END_PORT,
};

static const struct sim_port_desc toy_requestor_ports[] = {
    MEM_REQUESTOR(struct toy_requestor, port, "Requests"),
    SIM_END_PORT,
};

const struct sim_type toy_requestor_type = {
    .name = "ToyRequestor",
    .doc = "Asks",
    .base = &sim_object_type,
    .size = sizeof(struct toy_requestor),
    .ports = toy_requestor_ports,
};

const struct sim_type toy_responder_type = {
    .name = "ToyResponder",
    .doc = "Answers",
    .base = &sim_object_type,
    .size = sizeof(struct toy_responder),
    .params = toy_responder_params,
    .ports = toy_responder_ports,
};
