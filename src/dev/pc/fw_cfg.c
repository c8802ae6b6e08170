/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * QEMU's firmware configuration: a word written to the selector port chooses an
 * item, reads of the port behind it give its bytes one by one, zeroes at its
 * end.  Test kernels learn here how many processors and how much RAM there are.
 * Leaves out: files (the directory is empty) and DMA.
 *
 * Source: QEMU, docs/specs/fw_cfg.rst.
 */
#include <string.h>

#include "dev/pio_device.h"
#include "mem/system.h"
#include "sim/param.h"
#include "sim/sim.h"

enum {
    ITEM_SIGNATURE = 0x00,
    ITEM_ID = 0x01,
    ITEM_RAM_SIZE = 0x03,
    ITEM_NB_CPUS = 0x05,
    ITEM_MAX_CPUS = 0x0f,
    FEATURE_TRADITIONAL = 1,
    ITEM_LEN = 8,
};

struct fw_cfg {
    struct pio_device base;

    /* Parameters. */
    uint64_t selector_addr;
    uint32_t num_cpus;
    struct system *system;

    /* State. */
    uint16_t item;
    uint8_t position; /* of the next byte in the item */
};
SIM_CHECK_BASE(struct fw_cfg);

extern const struct sim_type fw_cfg_type;

static struct fw_cfg *self(struct pio_device *dev)
{
    return SIM_CAST(struct fw_cfg, fw_cfg_type, &dev->base.base);
}

static uint64_t ram_size(const struct fw_cfg *dev)
{
    const struct sim_vec_range *ranges = &dev->system->mem_ranges;
    uint64_t size = 0;

    for (uint32_t i = 0; i < ranges->len; i++)
        size += ranges->data[i].end - ranges->data[i].start;
    return size;
}

/* The chosen item, little-endian, with zeroes behind. */
static uint64_t item_value(const struct fw_cfg *dev)
{
    uint64_t value = 0;

    switch (dev->item) {
    case ITEM_SIGNATURE:
        memcpy(&value, "QEMU", 4);
        return value;
    case ITEM_ID:
        return FEATURE_TRADITIONAL;
    case ITEM_RAM_SIZE:
        return ram_size(dev);
    case ITEM_NB_CPUS:
    case ITEM_MAX_CPUS:
        return dev->num_cpus;
    default:
        return 0;
    }
}

static uint64_t fw_cfg_read(struct pio_device *base, uint64_t addr,
                            unsigned size)
{
    struct fw_cfg *dev = self(base);

    (void)size;
    if (addr != (PIO_PORT_BASE | (dev->selector_addr + 1)))
        return dev->item;
    if (dev->position >= ITEM_LEN)
        return 0;
    return item_value(dev) >> (8 * dev->position++) & 0xff;
}

static void fw_cfg_write(struct pio_device *base, uint64_t addr, unsigned size,
                         uint64_t value)
{
    struct fw_cfg *dev = self(base);

    if (addr != (PIO_PORT_BASE | dev->selector_addr) || size != 2)
        return; /* data cannot be written */
    dev->item = (uint16_t)value;
    dev->position = 0;
}

static void fw_cfg_ranges(struct pio_device *base, mem_range_fn emit, void *ctx)
{
    pio_emit_port(emit, ctx, self(base)->selector_addr, 2);
}

static const struct pio_ops fw_cfg_pio = {
    PIO_MEM_OPS,
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .ranges = fw_cfg_ranges,
};

static const struct sim_param fw_cfg_params[] = {
    SIM_PARAM(struct fw_cfg, selector_addr, "0x510", "port",
              "Port of the selector; data is at the next one", .max = 0xfffe),
    SIM_PARAM(struct fw_cfg, num_cpus, "1", "", "Processors of the machine",
              .min = 1, .max = 0xffff),
    SIM_PARAM_OBJ(struct fw_cfg, system, "Parent.any", system_type,
                  "The machine, whose mem_ranges are the RAM"),
    SIM_END_PARAM,
};

static const struct sim_field fw_cfg_state[] = {
    SIM_FIELD(struct fw_cfg, item, "", "Chosen item"),
    SIM_FIELD(struct fw_cfg, position, "", "Next byte of the item"),
    SIM_END,
};

static const struct sim_port_desc fw_cfg_ports[] = {
    PIO_PORT(struct fw_cfg, fw_cfg_pio),
    SIM_END_PORT,
};

const struct sim_type fw_cfg_type = {
    .name = "QemuFwCfgIo",
    .doc = "QEMU's firmware configuration on I/O ports",
    .base = &pio_device_type,
    .size = sizeof(struct fw_cfg),
    .version = 1,
    .params = fw_cfg_params,
    .state = fw_cfg_state,
    .ports = fw_cfg_ports,
};
