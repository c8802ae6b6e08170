/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports by which a guest ends the run:
 *
 *   exit_port      QEMU's isa-debug-exit: "exit port written", with the code
 *                  (value << 1) | 1
 *   power_port     ACPI's PM1a control register: a word with the bit SLP_EN
 *                  switches the machine off, whatever the sleep type
 *   shutdown_port  Bochs's: the bytes "Shutdown", one by one, likewise
 */
#include <string.h>

#include "dev/pio_device.h"
#include "sim/param.h"
#include "sim/sim.h"

enum { SLP_EN = 1 << 13, EXIT_PORT_LEN = 4, POWER_PORT_LEN = 2 };

struct exit_device {
    struct pio_device base;

    /* Parameters. */
    uint64_t exit_port, power_port, shutdown_port;

    /* State. */
    uint16_t power_control;
    uint8_t num_matched; /* characters of the word, so far */
};
SIM_CHECK_BASE(struct exit_device);

extern const struct sim_type exit_device_type;

static struct exit_device *self(struct pio_device *dev)
{
    return SIM_CAST(struct exit_device, exit_device_type, &dev->base.base);
}

static void leave(struct exit_device *dev, const char *cause, int64_t code)
{
    sim_exit_now(dev->base.base.base.sim, cause, code);
}

static uint64_t exit_device_read(struct pio_device *dev, uint64_t addr,
                                 unsigned size)
{
    (void)size;
    return addr == (PIO_PORT_BASE | self(dev)->power_port)
               ? self(dev)->power_control
               : 0;
}

static void write_power(struct exit_device *dev, uint64_t value)
{
    dev->power_control = (uint16_t)(value & ~(uint64_t)SLP_EN);
    if (value & SLP_EN)
        leave(dev, EXIT_POWER_OFF, 0);
}

static void write_shutdown(struct exit_device *dev, uint8_t byte)
{
    static const uint8_t word[] = {'S', 'h', 'u', 't', 'd', 'o', 'w', 'n'};

    if (byte != word[dev->num_matched])
        dev->num_matched = 0;
    if (byte == word[dev->num_matched])
        dev->num_matched++;
    if (dev->num_matched < sizeof word)
        return;
    dev->num_matched = 0;
    leave(dev, EXIT_POWER_OFF, 0);
}

static void exit_device_write(struct pio_device *base, uint64_t addr,
                              unsigned size, uint64_t value)
{
    struct exit_device *dev = self(base);
    uint64_t port = addr & ~PIO_PORT_BASE;

    if (port - dev->exit_port < EXIT_PORT_LEN)
        leave(dev, EXIT_PORT, (int64_t)(value << 1 | 1));
    else if (port == dev->power_port && size == 2)
        write_power(dev, value);
    else if (port == dev->shutdown_port)
        write_shutdown(dev, (uint8_t)value);
}

static void exit_device_ranges(struct pio_device *base, mem_range_fn emit,
                               void *ctx)
{
    const struct exit_device *dev = self(base);

    if (dev->exit_port)
        pio_emit_port(emit, ctx, dev->exit_port, EXIT_PORT_LEN);
    if (dev->power_port)
        pio_emit_port(emit, ctx, dev->power_port, POWER_PORT_LEN);
    if (dev->shutdown_port)
        pio_emit_port(emit, ctx, dev->shutdown_port, 1);
}

static const struct pio_ops exit_device_pio = {
    PIO_MEM_OPS,
    .read = exit_device_read,
    .write = exit_device_write,
    .ranges = exit_device_ranges,
};

static const struct sim_param exit_device_params[] = {
    SIM_PARAM(struct exit_device, exit_port, "0xf4", "port",
              "Ends the run with a code; 0: absent", .max = 0xffff),
    SIM_PARAM(struct exit_device, power_port, "0x604", "port",
              "Power control; 0: absent", .max = 0xffff),
    SIM_PARAM(struct exit_device, shutdown_port, "0x8900", "port",
              "Takes the word Shutdown; 0: absent", .max = 0xffff),
    SIM_END_PARAM,
};

static const struct sim_field exit_device_state[] = {
    SIM_FIELD(struct exit_device, power_control, "", "Power control register"),
    SIM_FIELD(struct exit_device, num_matched, "",
              "Characters of Shutdown that were written"),
    SIM_END,
};

static const struct sim_port_desc exit_device_ports[] = {
    PIO_PORT(struct exit_device, exit_device_pio),
    SIM_END_PORT,
};

const struct sim_type exit_device_type = {
    .name = "PcExitDevice",
    .doc = "Ports by which a guest ends the run",
    .base = &pio_device_type,
    .size = sizeof(struct exit_device),
    .version = 1,
    .params = exit_device_params,
    .state = exit_device_state,
    .ports = exit_device_ports,
};
