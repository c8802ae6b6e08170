/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crossbars: several requestors, several responders, routed by address.
 *
 *   requestor -> cpu_side_ports[i] -> request layer j -> mem_side_ports[j]
 *   requestor <- cpu_side_ports[i] <- response layer i <-
 *
 * A request takes frontend, forward and header latency, and as many cycles more
 * as its data is wide; meanwhile it occupies the layer of the port it goes to.
 * The response likewise on the layer of the port it returns to.  So two
 * requestors contend for a memory and two memories for a requestor, but
 * different pairs do not disturb each other.
 *
 * Left out: snoops (sharers live in the caches' shared level) and the limits of
 * gem5's routing table.  An address nobody serves is the guest's error and
 * reads as all ones.
 */
#include "base/alloc.h"
#include "mem/calendar.h"
#include "mem/port.h"
#include "mem/route_table.h"
#include "mem/system.h"
#include "sim/clock.h"
#include "sim/debug.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/stat.h"

#include <string.h>

struct xbar {
    struct clocked_object base;

    /* Parameters. */
    struct sim_port_vec cpu_side_ports, mem_side_ports;
    struct sim_port default_port;
    uint64_t frontend_latency, forward_latency, response_latency;
    uint64_t header_latency;
    uint64_t snoop_response_latency;
    uint32_t width; /* [bytes per cycle] */
    uint32_t max_routing_table_size, max_outstanding_snoops;
    bool use_default_range;
    bool point_of_coherency, point_of_unification;
    struct snoop_filter *snoop_filter;

    /* Statistics. */
    struct stat_vector trans_dist;
    struct stat_vector2d pkt_count, pkt_size;
    struct stat_vector req_occupancy, resp_occupancy;
    uint64_t num_unclaimed;

    /* Derived.  The default port comes after the mem-side ports. */
    struct system *system;
    struct route_table routes;
    const struct route **last_route; /* per cpu-side port */
    struct calendar *req_layers;     /* per mem-side port */
    struct calendar *resp_layers;    /* per cpu-side port */
    const char **cpu_side_names, **mem_side_names;
    uint32_t num_targets; /* mem-side ports and default */
    bool is_collecting;   /* asking for ranges: guards against loops */
};
SIM_CHECK_BASE(struct xbar);

struct snoop_filter {
    struct sim_object base;
    uint64_t lookup_latency; /* [cycles of the crossbar] */
    uint64_t max_capacity;
};
SIM_CHECK_BASE(struct snoop_filter);

extern const struct sim_type base_xbar_type, noncoherent_xbar_type,
    coherent_xbar_type, system_xbar_type, l2_xbar_type, io_xbar_type,
    snoop_filter_type;

enum { REMEMBERED_SPANS = 256 };
#define NO_TARGET UINT32_MAX

static struct xbar *self(const struct sim_object *obj)
{
    return SIM_CAST(struct xbar, base_xbar_type, obj);
}

/* ---------------------------------------------------------------- commands */

/* gem5's command names, request then response, by enum mem_kind; a write-back
 * has no response. */
static const char *const command_names[2 * MEM_NUM_KINDS] = {
    [2 * MEM_READ] = "ReadReq",
    [2 * MEM_READ + 1] = "ReadResp",
    [2 * MEM_WRITE] = "WriteReq",
    [2 * MEM_WRITE + 1] = "WriteResp",
    [2 * MEM_FETCH] = "ReadCleanReq",
    [2 * MEM_FETCH + 1] = "ReadCleanResp",
    [2 * MEM_PREFETCH] = "HardPFReq",
    [2 * MEM_PREFETCH + 1] = "HardPFResp",
    [2 * MEM_WRITEBACK] = "WritebackDirty",
    [2 * MEM_WRITEBACK + 1] = "",
    [2 * MEM_LOCKED_RMW] = "SwapReq",
    [2 * MEM_LOCKED_RMW + 1] = "SwapResp",
};

/* Bytes of data on the way to memory. */
static uint32_t bytes_down(const struct mem_req *req)
{
    bool has_data = req->kind == MEM_WRITE || req->kind == MEM_WRITEBACK ||
                    req->kind == MEM_LOCKED_RMW;

    return has_data ? req->size : 0;
}

/* Bytes of data on the way back. */
static uint32_t bytes_up(const struct mem_req *req)
{
    bool has_data = req->kind != MEM_WRITE && req->kind != MEM_WRITEBACK;

    return has_data ? req->size : 0;
}

static bool has_response(const struct mem_req *req)
{
    return req->kind != MEM_WRITEBACK;
}

/* ------------------------------------------------------------------ routing */

struct range_collector {
    struct xbar *xbar;
    uint32_t target;
};

static struct sim_port *target_port(struct xbar *xbar, uint32_t target)
{
    return target < xbar->mem_side_ports.len
               ? xbar->mem_side_ports.ports[target]
               : &xbar->default_port;
}

static const struct sim_object *target_owner(struct xbar *xbar, uint32_t target)
{
    return target_port(xbar, target)->peer->owner;
}

static void add_route(void *ctx, const struct addr_range *range)
{
    struct range_collector *collector = ctx;
    struct xbar *xbar = collector->xbar;
    const struct route *conflict = NULL;
    int err =
        route_table_add(&xbar->routes, range, collector->target, &conflict);

    if (err != 0 && conflict == NULL)
        sim_fatal(target_owner(xbar, collector->target),
                  "serves an empty address range at %#llx",
                  (unsigned long long)range->start);
    if (err != 0)
        sim_fatal(&xbar->base.base,
                  "%s and %s both claim addresses: [%#llx, %#llx) and "
                  "[%#llx, %#llx)",
                  target_owner(xbar, conflict->port)->path,
                  target_owner(xbar, collector->target)->path,
                  (unsigned long long)conflict->range.start,
                  (unsigned long long)conflict->range.end,
                  (unsigned long long)range->start,
                  (unsigned long long)range->end);
}

static void ask_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    const struct mem_port_ops *ops = sim_port_responder(port->peer);

    if (ops->ranges != NULL)
        ops->ranges(port->peer, emit, ctx);
}

static void build_routes(struct xbar *xbar)
{
    struct range_collector collector = {.xbar = xbar};
    uint32_t num_asked = xbar->mem_side_ports.len;

    if (xbar->use_default_range && xbar->default_port.peer != NULL)
        num_asked++;
    for (; collector.target < num_asked; collector.target++)
        ask_ranges(target_port(xbar, collector.target), add_route, &collector);
}

/* What is behind the crossbar, told to whoever is in front of it. */
static void xbar_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    struct xbar *xbar = self(port->owner);

    if (xbar->is_collecting)
        sim_fatal(port->owner, "is part of a loop of crossbars or bridges");
    xbar->is_collecting = true;
    for (uint32_t i = 0; i < xbar->mem_side_ports.len; i++)
        ask_ranges(xbar->mem_side_ports.ports[i], emit, ctx);
    if (xbar->use_default_range && xbar->default_port.peer != NULL)
        ask_ranges(&xbar->default_port, emit, ctx);
    xbar->is_collecting = false;
}

static uint32_t route_of(struct xbar *xbar, uint32_t source, gpa_t addr)
{
    const struct route *route =
        route_table_find(&xbar->routes, addr, &xbar->last_route[source]);

    if (SIM_LIKELY(route != NULL))
        return route->port;
    if (xbar->default_port.peer != NULL && !xbar->use_default_range)
        return xbar->mem_side_ports.len;
    return NO_TARGET;
}

/* ------------------------------------------------------------------- timing */

static tick_t to_ticks(const struct xbar *xbar, cycles_t cycles)
{
    return clock_cycles_to_ticks(&xbar->base, cycles);
}

static cycles_t data_cycles(const struct xbar *xbar, uint32_t bytes)
{
    return (bytes + xbar->width - 1) / xbar->width;
}

/* Occupy a layer; returns when the packet enters it. */
static tick_t enter_layer(const struct xbar *xbar, struct calendar *layer,
                          uint64_t *occupancy, tick_t when, cycles_t cycles)
{
    tick_t duration = to_ticks(xbar, cycles);

    *occupancy += duration;
    if (!system_is_timing(xbar->system))
        return when;
    return calendar_reserve(layer, when, duration);
}

static tick_t pass_request(struct xbar *xbar, uint32_t target,
                           const struct mem_req *req, tick_t when)
{
    cycles_t busy = xbar->header_latency + data_cycles(xbar, bytes_down(req));
    cycles_t latency = xbar->frontend_latency + xbar->forward_latency + busy;

    if (xbar->snoop_filter != NULL)
        latency += xbar->snoop_filter->lookup_latency;
    when = clock_edge(&xbar->base, when, 0);
    when = enter_layer(xbar, &xbar->req_layers[target],
                       &xbar->req_occupancy.data[target], when, busy);
    return when + to_ticks(xbar, latency);
}

static tick_t pass_response(struct xbar *xbar, uint32_t source,
                            const struct mem_req *req, tick_t when)
{
    cycles_t busy = xbar->header_latency + data_cycles(xbar, bytes_up(req));

    when = clock_edge(&xbar->base, when, 0);
    when = enter_layer(xbar, &xbar->resp_layers[source],
                       &xbar->resp_occupancy.data[source], when, busy);
    return when + to_ticks(xbar, xbar->response_latency + busy);
}

static void count(struct xbar *xbar, uint32_t source, uint32_t target,
                  const struct mem_req *req)
{
    uint32_t pair = source * xbar->num_targets + target;

    xbar->trans_dist.data[2 * req->kind]++;
    xbar->trans_dist.data[2 * req->kind + 1] += has_response(req);
    xbar->pkt_count.data[pair] += has_response(req) ? 2 : 1;
    xbar->pkt_size.data[pair] += bytes_down(req) + bytes_up(req);
}

/* Nobody drives the data lines: they float high. */
static tick_t open_bus(struct xbar *xbar, uint32_t source, struct mem_req *req,
                       tick_t when)
{
    xbar->num_unclaimed++;
    sim_guest_error(&xbar->base.base, "nobody answers at %#llx",
                    (unsigned long long)req->addr.v);
    if (req->data != NULL && bytes_up(req) != 0)
        memset(req->data, 0xff, req->size);
    when += to_ticks(xbar, xbar->frontend_latency + xbar->header_latency);
    return pass_response(xbar, source, req, when);
}

static tick_t xbar_access(struct sim_port *port, struct mem_req *req,
                          tick_t when)
{
    struct xbar *xbar = (struct xbar *)(void *)port->owner;
    uint32_t source = port->index;
    uint32_t target = route_of(xbar, source, req->addr);

    if (SIM_UNLIKELY(target == NO_TARGET))
        return open_bus(xbar, source, req, when);
    TRACE(XBar, port->owner, "%s 0x%llx from port %u to %u",
          command_names[2 * req->kind], (unsigned long long)req->addr.v, source,
          target);
    count(xbar, source, target, req);
    when = pass_request(xbar, target, req, when);
    when = mem_access(target_port(xbar, target), req, when);
    return has_response(req) ? pass_response(xbar, source, req, when) : when;
}

/* --------------------------------------------------------------- life cycle */

static char *peer_name(const struct sim_port *port)
{
    const struct sim_port *peer = port->peer;

    if (peer->desc->is_vector)
        return alloc_printf("%s.%s[%u]", peer->owner->path, peer->desc->name,
                            peer->index);
    return alloc_printf("%s.%s", peer->owner->path, peer->desc->name);
}

static void name_ports(struct xbar *xbar)
{
    uint32_t num_sources = xbar->cpu_side_ports.len;

    xbar->cpu_side_names = alloc_zeroed(num_sources, sizeof(char *));
    for (uint32_t i = 0; i < num_sources; i++)
        xbar->cpu_side_names[i] = peer_name(xbar->cpu_side_ports.ports[i]);
    xbar->mem_side_names = alloc_zeroed(xbar->num_targets, sizeof(char *));
    for (uint32_t i = 0; i < xbar->num_targets; i++)
        xbar->mem_side_names[i] = peer_name(target_port(xbar, i));
}

static struct calendar *create_layers(uint32_t count)
{
    struct calendar *layers = alloc_zeroed(count, sizeof(*layers));

    for (uint32_t i = 0; i < count; i++)
        calendar_init(&layers[i], REMEMBERED_SPANS);
    return layers;
}

static void shape_stats(struct xbar *xbar)
{
    uint32_t num_sources = xbar->cpu_side_ports.len;

    stat_vector_init(&xbar->trans_dist, SIM_ARRAY_LEN(command_names),
                     command_names);
    stat_vector_init(&xbar->req_occupancy, xbar->num_targets,
                     xbar->mem_side_names);
    stat_vector_init(&xbar->resp_occupancy, num_sources, xbar->cpu_side_names);
    stat_vector2d_init(&xbar->pkt_count, num_sources, xbar->cpu_side_names,
                       xbar->num_targets, xbar->mem_side_names);
    stat_vector2d_init(&xbar->pkt_size, num_sources, xbar->cpu_side_names,
                       xbar->num_targets, xbar->mem_side_names);
}

static void xbar_init(struct sim_object *obj)
{
    struct xbar *xbar = self(obj);
    uint32_t num_sources = xbar->cpu_side_ports.len;

    xbar->system = system_of(obj);
    xbar->num_targets =
        xbar->mem_side_ports.len + (xbar->default_port.peer != NULL);
    build_routes(xbar);
    xbar->last_route = alloc_zeroed(num_sources, sizeof(struct route *));
    xbar->req_layers = create_layers(xbar->num_targets);
    xbar->resp_layers = create_layers(num_sources);
    name_ports(xbar);
    shape_stats(xbar);
}

static void free_names(const char **names, uint32_t count)
{
    for (uint32_t i = 0; names != NULL && i < count; i++)
        mem_free((char *)(uintptr_t)names[i]);
    mem_free(names);
}

static void free_layers(struct calendar *layers, uint32_t count)
{
    for (uint32_t i = 0; layers != NULL && i < count; i++)
        calendar_fini(&layers[i]);
    mem_free(layers);
}

static uint64_t *late_of(const struct xbar *xbar, uint32_t i)
{
    return i < xbar->num_targets
               ? &xbar->req_layers[i].num_late
               : &xbar->resp_layers[i - xbar->num_targets].num_late;
}

static double num_late(const struct sim_object *obj, uint32_t index)
{
    const struct xbar *xbar = self(obj);
    uint64_t sum = 0;

    (void)index;
    for (uint32_t i = 0; i < xbar->num_targets + xbar->cpu_side_ports.len; i++)
        sum += *late_of(xbar, i);
    return (double)sum;
}

static void xbar_reset_stats(struct sim_object *obj)
{
    struct xbar *xbar = self(obj);

    for (uint32_t i = 0; i < xbar->num_targets + xbar->cpu_side_ports.len; i++)
        *late_of(xbar, i) = 0;
}

static void xbar_fini(struct sim_object *obj)
{
    struct xbar *xbar = self(obj);
    uint32_t num_sources = xbar->cpu_side_ports.len;

    stat_vector_fini(&xbar->trans_dist);
    stat_vector_fini(&xbar->req_occupancy);
    stat_vector_fini(&xbar->resp_occupancy);
    stat_vector2d_fini(&xbar->pkt_count);
    stat_vector2d_fini(&xbar->pkt_size);
    free_names(xbar->cpu_side_names, num_sources);
    free_names(xbar->mem_side_names, xbar->num_targets);
    free_layers(xbar->req_layers, xbar->num_targets);
    free_layers(xbar->resp_layers, num_sources);
    mem_free(xbar->last_route);
    route_table_fini(&xbar->routes);
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops xbar_ops = {
    .init = xbar_init,
    .fini = xbar_fini,
    .reset_stats = xbar_reset_stats,
};

static const struct mem_port_ops xbar_port_ops = {
    .access = xbar_access,
    .ranges = xbar_ranges,
};

#define FRONTEND(default_)                                                     \
    SIM_PARAM(struct xbar, frontend_latency, default_, "cycles",               \
              "Deciding where a request goes")
#define FORWARD(default_)                                                      \
    SIM_PARAM(struct xbar, forward_latency, default_, "cycles",                \
              "Passing a request on")
#define RESPONSE(default_)                                                     \
    SIM_PARAM(struct xbar, response_latency, default_, "cycles",               \
              "Passing a response on")
#define SNOOP_RESPONSE(default_)                                               \
    SIM_PARAM(struct xbar, snoop_response_latency, default_, "cycles",         \
              "Passing a snoop's response on",                                 \
              .ignored = "snoops do not travel through crossbars")
#define WIDTH(default_)                                                        \
    SIM_PARAM(struct xbar, width, default_, "bytes",                           \
              "Data per cycle of each layer", .min = 1)
#define COHERENCY(default_)                                                    \
    SIM_PARAM(struct xbar, point_of_coherency, default_, "",                   \
              "Of no effect: coherence is kept by the shared cache level")
#define UNIFICATION(default_)                                                  \
    SIM_PARAM(struct xbar, point_of_unification, default_, "",                 \
              "Of no effect, see point_of_coherency")

static const struct sim_param base_xbar_params[] = {
    FRONTEND(NULL),
    FORWARD(NULL),
    RESPONSE(NULL),
    SIM_PARAM(struct xbar, header_latency, "1", "cycles",
              "Time that each packet occupies a layer besides its data"),
    WIDTH(NULL),
    SIM_PARAM(struct xbar, use_default_range, "False", "",
              "The default port serves only the ranges of its peer, not all "
              "unclaimed addresses"),
    SIM_END_PARAM,
};

static const struct sim_param coherent_xbar_params[] = {
    SNOOP_RESPONSE(NULL),
    SIM_PARAM_OBJ(struct xbar, snoop_filter, "NULL", snoop_filter_type,
                  "Adds its lookup latency to each request"),
    SIM_PARAM(struct xbar, max_outstanding_snoops, "512", "",
              "How many snoops may be on their way",
              .ignored = "snoops do not travel through crossbars"),
    SIM_PARAM(struct xbar, max_routing_table_size, "512", "",
              "How many responses may wait to be routed",
              .ignored = "no response waits to be routed"),
    COHERENCY("False"),
    UNIFICATION("False"),
    SIM_END_PARAM,
};

static const struct sim_param system_xbar_params[] = {
    FRONTEND("3"), FORWARD("4"),      RESPONSE("2"),       SNOOP_RESPONSE("4"),
    WIDTH("16"),   COHERENCY("True"), UNIFICATION("True"), SIM_END_PARAM,
};

static const struct sim_param l2_xbar_params[] = {
    FRONTEND("1"), FORWARD("0"),        RESPONSE("1"), SNOOP_RESPONSE("1"),
    WIDTH("32"),   UNIFICATION("True"), SIM_END_PARAM,
};

static const struct sim_param io_xbar_params[] = {
    FRONTEND("2"), FORWARD("1"), RESPONSE("2"), WIDTH("16"), SIM_END_PARAM,
};

static const struct sim_param snoop_filter_params[] = {
    SIM_PARAM(struct snoop_filter, lookup_latency, "1", "cycles",
              "Added to each request of the crossbar"),
    SIM_PARAM(struct snoop_filter, max_capacity, "8MiB", "bytes",
              "How much data of caches it follows",
              .ignored = "sharers are kept by the shared cache level"),
    SIM_END_PARAM,
};

static const struct sim_port_desc xbar_ports[] = {
    MEM_RESPONDER(struct xbar, cpu_side_ports, xbar_port_ops,
                  "Where requestors connect", .old_name = "slave"),
    MEM_REQUESTOR(struct xbar, mem_side_ports, "Where responders connect",
                  .old_name = "master"),
    {.name = "default",
                          .kind = MEM_PORT_KIND,
                          .role = SIM_REQUESTOR,
                          .is_optional = true,
                          .offset = offsetof(struct xbar, default_port),
                          .doc = "Gets the requests that nobody else claims"},
    SIM_END_PORT,
};

enum { VECTOR_FLAGS = STAT_TOTAL | STAT_NO_ZERO | STAT_NO_NAN };

static const struct sim_stat xbar_stats[] = {
    SIM_STAT(struct xbar, trans_dist, "transDist", "Count",
             "Transaction distribution", .flags = STAT_NO_ZERO),
    SIM_STAT(struct xbar, pkt_count, "pktCount", "Count",
             "Packet count per connected requestor and responder",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct xbar, pkt_size, "pktSize", "Byte",
             "Cumulative packet size per connected requestor and responder",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct xbar, req_occupancy, "reqLayerOccupancy", "Tick",
             "Time that requests occupy the layer of each responder",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct xbar, resp_occupancy, "respLayerOccupancy", "Tick",
             "Time that responses occupy the layer of each requestor",
             .flags = VECTOR_FLAGS),
    SIM_STAT(struct xbar, num_unclaimed, "numUnclaimed", "Count",
             "Requests to addresses that nobody serves"),
    SIM_STAT_FORMULA("numLate", "Count", num_late,
                     "Packets older than all that is remembered of a layer, "
                     "which did not wait for it",
                     .flags = STAT_NO_ZERO),
    SIM_END_STAT,
};

const struct sim_type snoop_filter_type = {
    .name = "SnoopFilter",
    .doc = "Latency of a crossbar's snoop filter",
    .base = &sim_object_type,
    .size = sizeof(struct snoop_filter),
    .params = snoop_filter_params,
};

const struct sim_type base_xbar_type = {
    .name = "BaseXBar",
    .doc = "Base of all crossbars",
    .base = &clocked_object_type,
    .size = sizeof(struct xbar),
    .is_abstract = true,
    .ops = &xbar_ops,
    .params = base_xbar_params,
    .stats = xbar_stats,
    .ports = xbar_ports,
};

const struct sim_type noncoherent_xbar_type = {
    .name = "NoncoherentXBar",
    .doc = "Crossbar without caches in front of it",
    .base = &base_xbar_type,
    .size = sizeof(struct xbar),
};

const struct sim_type coherent_xbar_type = {
    .name = "CoherentXBar",
    .doc = "Crossbar with caches in front of it",
    .base = &base_xbar_type,
    .size = sizeof(struct xbar),
    .params = coherent_xbar_params,
};

const struct sim_type system_xbar_type = {
    .name = "SystemXBar",
    .doc = "Crossbar between the last caches and memory",
    .base = &coherent_xbar_type,
    .size = sizeof(struct xbar),
    .params = system_xbar_params,
};

const struct sim_type l2_xbar_type = {
    .name = "L2XBar",
    .doc = "Crossbar between first-level caches and a shared second level",
    .base = &coherent_xbar_type,
    .size = sizeof(struct xbar),
    .params = l2_xbar_params,
};

const struct sim_type io_xbar_type = {
    .name = "IOXBar",
    .doc = "Crossbar for devices",
    .base = &noncoherent_xbar_type,
    .size = sizeof(struct xbar),
    .params = io_xbar_params,
};
