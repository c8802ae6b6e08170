/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Base of devices that a processor reaches by port I/O or by memory accesses.
 * A device sees numbers, not requests: it fills a struct pio_ops and names it
 * in its table of ports,
 *
 *     static const struct pio_ops uart_ops = {
 *         PIO_MEM_OPS, .read = uart_read, .write = uart_write,
 *         .ranges = uart_ranges,
 *     };
 *     static const struct sim_port_desc uart_ports[] = {
 *         PIO_PORT(struct uart, uart_ops), SIM_END_PORT,
 *     };
 */
#ifndef DEV_PIO_DEVICE_H
#define DEV_PIO_DEVICE_H

#include <stdint.h>

#include "mem/port.h"
#include "sim/clock.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pio_device {
    struct clocked_object base;

    /* Parameters. */
    tick_t pio_latency;
    struct sim_port pio;

    /* Statistics. */
    uint64_t num_reads, num_writes;
};

/* gem5's bus address of I/O port 0. */
#define PIO_PORT_BASE (UINT64_C(1) << 63)

/* Addresses are those of the bus, sizes 1, 2, 4 or 8 bytes. */
struct pio_ops {
    struct mem_port_ops mem; /* PIO_MEM_OPS */
    uint64_t (*read)(struct pio_device *dev, uint64_t addr, unsigned size);
    void (*write)(struct pio_device *dev, uint64_t addr, unsigned size,
                  uint64_t value);
    /* Parameters are set, init may not have run. */
    void (*ranges)(struct pio_device *dev, mem_range_fn emit, void *ctx);
};

tick_t pio_device_access(struct sim_port *port, struct mem_req *req,
                         tick_t when);
void pio_device_ranges(struct sim_port *port, mem_range_fn emit, void *ctx);

#define PIO_MEM_OPS                                                            \
    .mem = {.access = pio_device_access, .ranges = pio_device_ranges}
/* S begins with a struct pio_device called base. */
#define PIO_PORT(S, ops_)                                                      \
    {                                                                          \
        .name = "pio", .doc = "Accesses of processors", .kind = MEM_PORT_KIND, \
        .role = SIM_RESPONDER, .offset = offsetof(S, base.pio),                \
        .responder = &(ops_)                                                   \
    }

/** pio_emit() - a range of @len bytes at @addr, for pio_ops.ranges */
void pio_emit(mem_range_fn emit, void *ctx, uint64_t addr, uint64_t len);
/** pio_emit_port() - the same for I/O ports */
static inline void pio_emit_port(mem_range_fn emit, void *ctx, uint64_t port,
                                 uint64_t len)
{
    pio_emit(emit, ctx, PIO_PORT_BASE | port, len);
}

extern const struct sim_type pio_device_type; /* "PioDevice", abstract */

#ifdef __cplusplus
}
#endif

#endif
