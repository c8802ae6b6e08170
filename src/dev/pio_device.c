/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev/pio_device.h"

#include <stddef.h>
#include <string.h>

#include "base/addr_range.h"
#include "sim/object.h"
#include "sim/param.h"
#include "sim/stat.h"

SIM_CHECK_BASE(struct pio_device);

tick_t pio_device_access(struct sim_port *port, struct mem_req *req,
                         tick_t when)
{
    struct pio_device *dev =
        SIM_CAST(struct pio_device, pio_device_type, port->owner);
    const struct pio_ops *ops = sim_port_responder(port);
    unsigned size = req->size < 8 ? req->size : 8;
    uint64_t value = 0;

    if (req->data && req->kind == MEM_WRITE) {
        dev->num_writes++;
        memcpy(&value, req->data, size);
        ops->write(dev, req->addr.v, size, value);
    } else if (req->data) {
        dev->num_reads++;
        value = ops->read(dev, req->addr.v, size);
        memcpy(req->data, &value, size);
    }
    return when + dev->pio_latency;
}

void pio_device_ranges(struct sim_port *port, mem_range_fn emit, void *ctx)
{
    struct pio_device *dev =
        SIM_CAST(struct pio_device, pio_device_type, port->owner);
    const struct pio_ops *ops = sim_port_responder(port);

    ops->ranges(dev, emit, ctx);
}

void pio_emit(mem_range_fn emit, void *ctx, uint64_t addr, uint64_t len)
{
    const struct addr_range range = {.start = addr, .end = addr + len};

    emit(ctx, &range);
}

static const struct sim_param pio_device_params[] = {
    SIM_PARAM(struct pio_device, pio_latency, "100ns", "ticks",
              "Time of one access"),
    SIM_END_PARAM,
};

static const struct sim_stat pio_device_stats[] = {
    SIM_STAT(struct pio_device, num_reads, "numReads", "Count",
             "Accesses that read", .flags = STAT_NO_ZERO),
    SIM_STAT(struct pio_device, num_writes, "numWrites", "Count",
             "Accesses that wrote", .flags = STAT_NO_ZERO),
    SIM_END_STAT,
};

const struct sim_type pio_device_type = {
    .name = "PioDevice",
    .doc = "Base of devices that processors access",
    .base = &clocked_object_type,
    .size = sizeof(struct pio_device),
    .is_abstract = true,
    .params = pio_device_params,
    .stats = pio_device_stats,
};
