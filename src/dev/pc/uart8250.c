/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serial port: an 8250 whose transmitter is always ready.  Loop-back works, so
 * guests can find the port.  Left out: input from outside, FIFOs (a guest that
 * enables them is told that there are none), timing by the divisor, and the
 * interrupt line: the pending interrupt can be seen in IIR only.
 * Source: [NS16450], "Registers"; names follow gem5's Uart8250.
 */
#include "dev/pio_device.h"
#include "dev/terminal.h"
#include "sim/param.h"

enum {               /* registers, by offset */
       REG_DATA = 0, /* with DLAB: divisor, low */
       REG_IER = 1,  /* with DLAB: divisor, high */
       REG_IIR = 2,  /* written: FCR */
       REG_LCR = 3,
       REG_MCR = 4,
       REG_LSR = 5,
       REG_MSR = 6,
       REG_SCR = 7,
       NUM_REGS = 8,
};

enum {
    IER_RX = 1 << 0,
    IER_TX = 1 << 1,
    IIR_NONE = 1,
    IIR_TX = 2,
    IIR_RX = 4,
    LCR_DLAB = 1 << 7,
    MCR_LOOP = 1 << 4,
    LSR_RX_READY = 1 << 0,
    LSR_TX_EMPTY = 3 << 5, /* holding and shift register */
};

struct uart8250 {
    struct pio_device base;

    /* Parameters. */
    uint64_t pio_addr;
    struct terminal *device;

    /* State. */
    uint8_t ier, lcr, mcr, scr;
    uint8_t rx_data;
    uint16_t divisor;
    bool has_rx_data;
    bool is_tx_pending; /* "holding register empty" not yet seen in IIR */
};
SIM_CHECK_BASE(struct uart8250);

extern const struct sim_type uart8250_type;

static struct uart8250 *self(struct pio_device *dev)
{
    return SIM_CAST(struct uart8250, uart8250_type, &dev->base.base);
}

static uint8_t read_data(struct uart8250 *uart)
{
    uart->has_rx_data = false;
    return uart->rx_data;
}

static void write_data(struct uart8250 *uart, uint8_t value)
{
    uart->is_tx_pending = true;
    if (!(uart->mcr & MCR_LOOP)) {
        terminal_put(uart->device, value);
        return;
    }
    uart->rx_data = value;
    uart->has_rx_data = true;
}

/* Reading the reason "transmitter empty" clears it. */
static uint8_t read_iir(struct uart8250 *uart)
{
    if ((uart->ier & IER_RX) && uart->has_rx_data)
        return IIR_RX;
    if (!(uart->ier & IER_TX) || !uart->is_tx_pending)
        return IIR_NONE;
    uart->is_tx_pending = false;
    return IIR_TX;
}

/* The outputs come back as inputs in loop-back: DTR as DSR, RTS as CTS, OUT1 as
 * RI, OUT2 as DCD.  Otherwise somebody is there: DCD, DSR, CTS. */
static uint8_t read_msr(const struct uart8250 *uart)
{
    uint8_t mcr = uart->mcr;

    if (!(mcr & MCR_LOOP))
        return 0xb0;
    return (uint8_t)((mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 |
                     (mcr & 8) << 4);
}

static uint8_t read_register(struct uart8250 *uart, unsigned reg)
{
    bool is_divisor = uart->lcr & LCR_DLAB;

    switch (reg) {
    case REG_DATA:
        return is_divisor ? (uint8_t)uart->divisor : read_data(uart);
    case REG_IER:
        return is_divisor ? (uint8_t)(uart->divisor >> 8) : uart->ier;
    case REG_IIR:
        return read_iir(uart);
    case REG_LCR:
        return uart->lcr;
    case REG_MCR:
        return uart->mcr;
    case REG_LSR:
        return LSR_TX_EMPTY | (uart->has_rx_data ? LSR_RX_READY : 0);
    case REG_MSR:
        return read_msr(uart);
    default:
        return uart->scr;
    }
}

static void write_ier(struct uart8250 *uart, uint8_t value)
{
    if (value & ~uart->ier & IER_TX)
        uart->is_tx_pending = true; /* it is empty */
    uart->ier = value & 0xf;
}

static void write_divisible(struct uart8250 *uart, unsigned reg, uint8_t value)
{
    unsigned shift = reg == REG_DATA ? 0 : 8;

    if (uart->lcr & LCR_DLAB)
        uart->divisor =
            (uint16_t)((uart->divisor & ~(0xff << shift)) | value << shift);
    else if (reg == REG_DATA)
        write_data(uart, value);
    else
        write_ier(uart, value);
}

static void write_register(struct uart8250 *uart, unsigned reg, uint8_t value)
{
    switch (reg) {
    case REG_DATA:
    case REG_IER:
        write_divisible(uart, reg, value);
        return;
    case REG_LCR:
        uart->lcr = value;
        return;
    case REG_MCR:
        uart->mcr = value & 0x1f;
        return;
    case REG_SCR:
        uart->scr = value;
        return;
    default: /* no FIFO to control; status is read-only */
        return;
    }
}

/* Wider accesses are as many of single bytes. */
static uint64_t uart8250_read(struct pio_device *dev, uint64_t addr,
                              unsigned size)
{
    struct uart8250 *uart = self(dev);
    uint64_t offset = addr - uart->pio_addr, value = 0;

    for (unsigned i = 0; i < size; i++) {
        uint64_t byte = 0xff;

        if (offset + i < NUM_REGS)
            byte = read_register(uart, (unsigned)offset + i);
        value |= byte << 8 * i;
    }
    return value;
}

static void uart8250_write(struct pio_device *dev, uint64_t addr, unsigned size,
                           uint64_t value)
{
    struct uart8250 *uart = self(dev);
    uint64_t offset = addr - uart->pio_addr;

    for (unsigned i = 0; i < size && offset + i < NUM_REGS; i++)
        write_register(uart, (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

static void uart8250_ranges(struct pio_device *dev, mem_range_fn emit,
                            void *ctx)
{
    pio_emit(emit, ctx, self(dev)->pio_addr, NUM_REGS);
}

static const struct pio_ops uart8250_pio = {
    PIO_MEM_OPS,
    .read = uart8250_read,
    .write = uart8250_write,
    .ranges = uart8250_ranges,
};

static const struct sim_param uart8250_params[] = {
    SIM_PARAM(struct uart8250, pio_addr, "0x80000000000003f8", "addr",
              "Bus address of the registers; I/O port 0 is at 1 << 63"),
    SIM_PARAM_OBJ(struct uart8250, device, "Parent.any", terminal_type,
                  "Takes the output"),
    SIM_END_PARAM,
};

static const struct sim_field uart8250_state[] = {
    SIM_FIELD(struct uart8250, ier, "", "Interrupt enable register"),
    SIM_FIELD(struct uart8250, lcr, "", "Line control register"),
    SIM_FIELD(struct uart8250, mcr, "", "Modem control register"),
    SIM_FIELD(struct uart8250, scr, "", "Scratch register"),
    SIM_FIELD(struct uart8250, rx_data, "", "Received byte"),
    SIM_FIELD(struct uart8250, divisor, "", "Divisor latch"),
    SIM_FIELD(struct uart8250, has_rx_data, "", "rx_data was not read yet"),
    SIM_FIELD(struct uart8250, is_tx_pending, "",
              "The transmitter's interrupt was not seen yet"),
    SIM_END,
};

static const struct sim_port_desc uart8250_ports[] = {
    PIO_PORT(struct uart8250, uart8250_pio),
    SIM_END_PORT,
};

const struct sim_type uart8250_type = {
    .name = "Uart8250",
    .doc = "Serial port",
    .base = &pio_device_type,
    .size = sizeof(struct uart8250),
    .version = 1,
    .params = uart8250_params,
    .state = uart8250_state,
    .ports = uart8250_ports,
};
