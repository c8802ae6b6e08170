/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local APIC of a CPU, as far as a machine that runs programs needs it: it
 * is wired as gem5's scripts wire it, and reports any use.  Interrupts, the
 * timer and messages between CPUs are not modelled; a program under system call
 * emulation causes none.
 *
 * Addresses are gem5's: registers of CPU n at 2 << 60 | n << 12, messages to it
 * at 0xA << 60 | n << 12.  No program can reach them: they lie beyond every
 * physical address that CPUID offers.
 */
#include <string.h>

#include "mem/port.h"
#include "sim/clock.h"
#include "sim/object.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"

#define REGISTERS_BASE (UINT64_C(2) << 60)
#define MESSAGES_BASE  (UINT64_C(0xa) << 60)

enum { APIC_PAGE = 4096 };

struct local_apic {
    struct clocked_object base;

    /* Parameters. */
    tick_t pio_latency, int_latency;
    struct sim_port pio, int_requestor, int_responder;
};
SIM_CHECK_BASE(struct local_apic);

extern const struct sim_type x86_local_apic_type;

static struct local_apic *apic_of(const struct sim_port *port)
{
    return SIM_CAST(struct local_apic, x86_local_apic_type, port->owner);
}

/* How many local APICs come before this one in the tree: the CPU's number. */
static uint64_t apic_index(const struct sim_object *apic)
{
    struct sim_object *root = sim_root(apic->sim);
    uint64_t index = 0;

    for (struct sim_object *obj = root; obj && obj != apic;
         obj = sim_object_next(root, obj))
        index += sim_object_is_a(obj, &x86_local_apic_type);
    return index;
}

static void emit_page(const struct sim_object *apic, uint64_t base,
                      mem_range_fn emit, void *ctx)
{
    uint64_t start = base | apic_index(apic) * APIC_PAGE;
    const struct addr_range range = {.start = start, .end = start + APIC_PAGE};

    emit(ctx, &range);
}

static void register_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    emit_page(port->owner, REGISTERS_BASE, emit, ctx);
}

static void message_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    emit_page(port->owner, MESSAGES_BASE, emit, ctx);
}

static tick_t register_access(struct sim_port *port, struct mem_req *req,
                              tick_t when)
{
    sim_unimplemented(port->owner,
                      "access to a register of the local APIC at offset %#x",
                      (unsigned)(req->addr.v % APIC_PAGE));
    if (req->data && req->kind == MEM_READ)
        memset(req->data, 0, req->size);
    return when + apic_of(port)->pio_latency;
}

static tick_t message_access(struct sim_port *port, struct mem_req *req,
                             tick_t when)
{
    (void)req;
    sim_unimplemented(port->owner, "interrupt message from another CPU");
    return when + apic_of(port)->int_latency;
}

static const struct mem_port_ops register_ops = {
    .access = register_access,
    .ranges = register_ranges,
};

static const struct mem_port_ops message_ops = {
    .access = message_access,
    .ranges = message_ranges,
};

static const struct sim_param local_apic_params[] = {
    SIM_PARAM(struct local_apic, pio_latency, "100ns", "ticks",
              "Time of one register access"),
    SIM_PARAM(struct local_apic, int_latency, "1ns", "ticks",
              "Time of an interrupt message"),
    SIM_END_PARAM,
};

static const struct sim_port_desc local_apic_ports[] = {
    MEM_RESPONDER(struct local_apic, pio, register_ops,
                  "Register accesses of the CPU", .is_optional = true),
    MEM_REQUESTOR(struct local_apic, int_requestor,
                  "Interrupt messages to other CPUs", .is_optional = true,
                  .old_name = "int_master"),
    MEM_RESPONDER(struct local_apic, int_responder, message_ops,
                  "Interrupt messages from other CPUs", .is_optional = true,
                  .old_name = "int_slave"),
    SIM_END_PORT,
};

const struct sim_type x86_local_apic_type = {
    .name = "X86LocalApic",
    .doc = "Local APIC of a CPU that runs programs: wired, but reports any use",
    .base = &clocked_object_type,
    .size = sizeof(struct local_apic),
    .params = local_apic_params,
    .ports = local_apic_ports,
};
