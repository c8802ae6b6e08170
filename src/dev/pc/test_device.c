/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kernels under test expect of a machine, at the addresses of
 * kvm-unit-tests' testdev where it has the same:
 *
 *   port 0xE0   4 bytes that keep what is written
 *   port 0xE8   a word VECTOR | WHEN << 8 requests an interrupt that needs no
 *               EOI (2: an NMI) of the bootstrap processor; at once with WHEN
 *               0, else after `delay`, when the processor has halted
 *   0xFF000000  64 KiB of registers that keep what is written
 */
#include <string.h>

#include "arch/x86/intr.h"
#include "dev/pio_device.h"
#include "mem/system.h"
#include "sim/eventq.h"
#include "sim/param.h"
#include "sim/sim.h"

enum {
    PORT_SCRATCH = 0xe0,
    PORT_INTERRUPT = 0xe8,
    SCRATCH_SIZE = 0x10000,
    VECTOR_NMI = 2,
};
#define SCRATCH_ADDR UINT64_C(0xff000000)

struct test_device {
    struct pio_device base;

    /* Parameters. */
    tick_t delay;

    /* State. */
    uint8_t port_scratch[4];
    uint8_t scratch[SCRATCH_SIZE];
    uint8_t vector; /* to be requested at request_at */
    tick_t request_at;

    /* Derived. */
    struct sim_object *system;
    struct sim_event request;
};
SIM_CHECK_BASE(struct test_device);

extern const struct sim_type test_device_type;

static struct test_device *self(const struct sim_object *obj)
{
    return SIM_CAST(struct test_device, test_device_type, obj);
}

static void request(struct test_device *dev, uint8_t vector)
{
    const struct x86_intr_msg msg = {
        .dest = 0,
        .target = X86_INTR_PHYSICAL,
        .mode = vector == VECTOR_NMI ? X86_INTR_NMI : X86_INTR_EXTERNAL,
        .vector = vector,
    };

    (void)x86_intr_send(dev->system, &msg);
}

static void request_later(struct sim_event *event, tick_t now)
{
    struct test_device *dev =
        SIM_CONTAINER_OF(event, struct test_device, request);

    (void)now;
    dev->request_at = 0;
    request(dev, dev->vector);
}

static void write_interrupt(struct test_device *dev, uint64_t value)
{
    struct sim *sim = dev->base.base.base.sim;

    if (!(value >> 8)) {
        request(dev, (uint8_t)value);
        return;
    }
    dev->vector = (uint8_t)value;
    dev->request_at = sim_now(sim) + dev->delay;
    eventq_reschedule(sim_eventq(sim), &dev->request, dev->request_at);
}

/* What keeps its value. */
struct registers {
    uint8_t *at;
    uint64_t len; /* from there on */
};

/* Registers at @addr.  Returns: false if it is none that keep a value. */
static bool find_registers(struct test_device *dev, uint64_t addr,
                           struct registers *out)
{
    uint64_t port = addr - (PIO_PORT_BASE | PORT_SCRATCH);
    uint64_t offset = addr - SCRATCH_ADDR;

    if (port < sizeof dev->port_scratch) {
        out->at = dev->port_scratch + port;
        out->len = sizeof dev->port_scratch - port;
        return true;
    }
    if (offset >= SCRATCH_SIZE)
        return false;
    out->at = dev->scratch + offset;
    out->len = SCRATCH_SIZE - offset;
    return true;
}

static uint64_t test_device_read(struct pio_device *dev, uint64_t addr,
                                 unsigned size)
{
    struct registers regs;
    uint64_t value = UINT64_MAX;

    if (find_registers(self(&dev->base.base), addr, &regs))
        memcpy(&value, regs.at, size < regs.len ? size : regs.len);
    return value;
}

static void test_device_write(struct pio_device *base, uint64_t addr,
                              unsigned size, uint64_t value)
{
    struct test_device *dev = self(&base->base.base);
    struct registers regs;

    if (find_registers(dev, addr, &regs))
        memcpy(regs.at, &value, size < regs.len ? size : regs.len);
    else
        write_interrupt(dev, value & 0xffff);
}

static void test_device_ranges(struct pio_device *dev, mem_range_fn emit,
                               void *ctx)
{
    (void)dev;
    pio_emit_port(emit, ctx, PORT_SCRATCH, 4);
    pio_emit_port(emit, ctx, PORT_INTERRUPT, 1);
    pio_emit(emit, ctx, SCRATCH_ADDR, SCRATCH_SIZE);
}

static void test_device_init(struct sim_object *obj)
{
    self(obj)->system = &system_of(obj)->base;
    event_init(&self(obj)->request, "interrupt request", EVENT_PRI_DEFAULT,
               request_later);
}

static void test_device_startup(struct sim_object *obj)
{
    struct test_device *dev = self(obj);

    if (dev->request_at)
        eventq_schedule(sim_eventq(obj->sim), &dev->request, dev->request_at);
}

static void test_device_fini(struct sim_object *obj)
{
    eventq_deschedule(sim_eventq(obj->sim), &self(obj)->request);
}

static const struct sim_ops test_device_ops = {
    .init = test_device_init,
    .startup = test_device_startup,
    .fini = test_device_fini,
};

static const struct pio_ops test_device_pio = {
    PIO_MEM_OPS,
    .read = test_device_read,
    .write = test_device_write,
    .ranges = test_device_ranges,
};

static const struct sim_param test_device_params[] = {
    SIM_PARAM(struct test_device, delay, "100us", "ticks",
              "Until a delayed interrupt"),
    SIM_END_PARAM,
};

static const struct sim_field test_device_state[] = {
    SIM_FIELD_ARRAY(struct test_device, port_scratch, "", "Port 0xE0"),
    SIM_FIELD_ARRAY(struct test_device, scratch, "", "Registers at 0xFF000000"),
    SIM_FIELD(struct test_device, vector, "", "Of the delayed interrupt"),
    SIM_FIELD(struct test_device, request_at, "ticks",
              "When it is requested; 0: none is"),
    SIM_END,
};

static const struct sim_port_desc test_device_ports[] = {
    PIO_PORT(struct test_device, test_device_pio),
    SIM_END_PORT,
};

const struct sim_type test_device_type = {
    .name = "PcTestDevice",
    .doc = "Registers and interrupts for kernels under test",
    .base = &pio_device_type,
    .size = sizeof(struct test_device),
    .version = 1,
    .ops = &test_device_ops,
    .params = test_device_params,
    .state = test_device_state,
    .ports = test_device_ports,
};
