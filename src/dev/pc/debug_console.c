/* SPDX-License-Identifier: BSD-3-Clause */
/* Bochs's and QEMU's debug console: each byte that is written appears; a read
 * gives 0xE9, by which guests find it. */
#include "dev/pio_device.h"
#include "dev/terminal.h"
#include "sim/param.h"

struct debug_console {
    struct pio_device base;

    /* Parameters. */
    uint64_t port;
    struct terminal *device;
};
SIM_CHECK_BASE(struct debug_console);

extern const struct sim_type debug_console_type;

static struct debug_console *self(struct pio_device *dev)
{
    return SIM_CAST(struct debug_console, debug_console_type, &dev->base.base);
}

static uint64_t debug_console_read(struct pio_device *dev, uint64_t addr,
                                   unsigned size)
{
    (void)dev;
    (void)addr;
    (void)size;
    return 0xe9;
}

static void debug_console_write(struct pio_device *dev, uint64_t addr,
                                unsigned size, uint64_t value)
{
    (void)addr;
    (void)size;
    terminal_put(self(dev)->device, (uint8_t)value);
}

static void debug_console_ranges(struct pio_device *dev, mem_range_fn emit,
                                 void *ctx)
{
    pio_emit_port(emit, ctx, self(dev)->port, 1);
}

static const struct pio_ops debug_console_pio = {
    PIO_MEM_OPS,
    .read = debug_console_read,
    .write = debug_console_write,
    .ranges = debug_console_ranges,
};

static const struct sim_param debug_console_params[] = {
    SIM_PARAM(struct debug_console, port, "0xe9", "port", "Where bytes go",
              .max = 0xffff),
    SIM_PARAM_OBJ(struct debug_console, device, "Parent.any", terminal_type,
                  "Shows them"),
    SIM_END_PARAM,
};

static const struct sim_port_desc debug_console_ports[] = {
    PIO_PORT(struct debug_console, debug_console_pio),
    SIM_END_PORT,
};

const struct sim_type debug_console_type = {
    .name = "PcDebugConsole",
    .doc = "Debug console at port 0xE9",
    .base = &pio_device_type,
    .size = sizeof(struct debug_console),
    .params = debug_console_params,
    .ports = debug_console_ports,
};
