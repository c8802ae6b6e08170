/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local APIC of a CPU: xAPIC and x2APIC, timer with all three modes,
 * messages between processors.  Its processor reaches the registers through
 * struct x86_intr_ops; messages go through x86_intr_send().
 *
 * The timer counts cycles of the APIC's clock, that of its CPU unless a script
 * says otherwise, which is what CPUID leaf 15H tells the guest.
 *
 * For gem5's scripts there are also ports: registers of CPU n at 2 << 60 |
 * n << 12, messages to it at 0xA << 60 | n << 12, both beyond every physical
 * address that a guest can name.
 *
 * Left out: SMI, the pins LINT0 and LINT1, thermal and performance
 * interrupts (their LVT entries only store), EOI messages to an I/O APIC, focus
 * processors, changing the APIC id.
 * Source: [SDM] Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "dev/pc/local_apic.h"

#include <string.h>

#include "arch/x86/state.h"
#include "mem/port.h"
#include "mem/system.h"
#include "sim/debug.h"
#include "sim/object.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/sim.h"
#include "sim/stat.h"

#define REGISTERS_BASE (UINT64_C(2) << 60)
#define MESSAGES_BASE  (UINT64_C(0xa) << 60)

enum {
    APIC_PAGE = 4096,
    MSR_X2APIC = 0x800,
    MSR_DEADLINE = 0x6e0,
    BASE_X2 = 1 << 10, /* in IA32_APIC_BASE */
    BASE_ENABLED = 1 << 11,
    VERSION = 0x50014, /* six LVT entries */
    SVR_ENABLED = 1 << 8,
    ICR_LOGICAL = 1 << 11,
    ICR_ASSERT = 1 << 14,
    ICR_LEVEL = 1 << 15,
    ESR_SEND_VECTOR = 1 << 5,
    ESR_RECEIVE_VECTOR = 1 << 6,
    ESR_REGISTER = 1 << 7,
    FIRST_VECTOR = 16, /* below: reserved */
};

SIM_CHECK_BASE(struct local_apic);

extern const struct sim_type x86_local_apic_type;

static struct local_apic *apic_of(const struct sim_object *obj)
{
    return SIM_CAST(struct local_apic, x86_local_apic_type, obj);
}

static struct local_apic *apic_of_intr(struct x86_intr *intr)
{
    return SIM_CONTAINER_OF(intr, struct local_apic, base);
}

static struct sim_object *object_of(struct local_apic *apic)
{
    return &apic->base.base.base;
}

/* What registers do; `writable` are the bits that keep what is written. */
enum reg_access {
    READ = 1,
    WRITE = 2,
    READ_X2 = 4, /* in x2APIC mode */
    WRITE_X2 = 8,
    READ_ALL = READ | READ_X2,
    WRITE_ALL = WRITE | WRITE_X2,
    ALL = READ_ALL | WRITE_ALL,
};

static const struct reg_row {
    uint8_t access;
    uint32_t writable;
} reg_rows[APIC_NUM_REGS] = {
    [APIC_ID] = {READ_ALL,         0         },
    [APIC_VERSION] = {READ_ALL,         0         },
    [APIC_TPR] = {ALL,              0xff      },
    [APIC_PPR] = {READ_ALL,         0         },
    [APIC_EOI] = {WRITE_ALL,        0         },
    [APIC_LDR] = {READ_ALL | WRITE, 0xff000000},
    [APIC_DFR] = {READ | WRITE,     0xf0000000},
    [APIC_SVR] = {ALL,              0x1ff     },
    [APIC_ESR] = {ALL,              0         },
    [APIC_ICR] = {ALL,              0x000ccfff},
    [APIC_ICR_HIGH] = {READ | WRITE,     0xff000000},
    [APIC_LVT_TIMER] = {ALL,              0x000700ff},
    [APIC_LVT_THERMAL] = {ALL,              0x000107ff},
    [APIC_LVT_COUNTERS] = {ALL,              0x000107ff},
    [APIC_LVT_LINT0] = {ALL,              0x0001a7ff},
    [APIC_LVT_LINT1] = {ALL,              0x0001a7ff},
    [APIC_LVT_ERROR] = {ALL,              0x000100ff},
    [APIC_INITIAL] = {ALL,              0xffffffff},
    [APIC_CURRENT] = {READ_ALL,         0         },
    [APIC_DIVIDE] = {ALL,              0xb       },
    [APIC_SELF_IPI] = {WRITE_X2,         0xff      },
};

static unsigned access_of(unsigned reg)
{
    return reg >= APIC_ISR && reg < APIC_ESR ? READ_ALL : reg_rows[reg].access;
}

/* -------------------------------------------------------------- the processor
 */

static uint64_t apic_base(const struct local_apic *apic)
{
    return apic->base.cpu ? apic->base.cpu->state->apic_base : BASE_ENABLED;
}

static bool is_x2(const struct local_apic *apic)
{
    return apic_base(apic) & BASE_X2;
}

static bool is_enabled(const struct local_apic *apic)
{
    return (apic_base(apic) & BASE_ENABLED) &&
           (apic->regs[APIC_SVR] & SVR_ENABLED);
}

static void poke(struct local_apic *apic)
{
    if (apic->base.cpu)
        apic->base.cpu->ops->poke(apic->base.cpu);
}

/* A write to CR8 sets the whole register. */
static uint32_t task_priority(const struct local_apic *apic)
{
    uint32_t tpr = apic->regs[APIC_TPR];
    uint32_t cr8 = tpr >> 4;

    if (apic->base.cpu)
        cr8 = (uint32_t)apic->base.cpu->state->cr8 & 15;
    return cr8 == tpr >> 4 ? tpr : cr8 << 4;
}

/* ------------------------------------------------------------------- vectors
 */

static void put_bit(struct local_apic *apic, unsigned first, uint8_t vector,
                    bool value)
{
    uint32_t bit = 1u << (vector % 32);

    apic->regs[first + vector / 32] &= ~bit;
    if (value)
        apic->regs[first + vector / 32] |= bit;
}

/* Highest vector of a set of 256 bits, or -1. */
static int highest(const struct local_apic *apic, unsigned first)
{
    for (unsigned i = 8; i-- > 0;) {
        uint32_t bits = apic->regs[first + i];

        if (bits)
            return (int)(32 * i) + 31 - __builtin_clz(bits);
    }
    return -1;
}

static uint32_t processor_priority(const struct local_apic *apic)
{
    uint32_t tpr = task_priority(apic);
    int serving = highest(apic, APIC_ISR);

    if (serving >= 0 && (uint32_t)serving >> 4 > tpr >> 4)
        return (uint32_t)serving & 0xf0;
    return tpr;
}

static int apic_pending(struct x86_intr *intr)
{
    const struct local_apic *apic = apic_of_intr(intr);
    int requested = highest(apic, APIC_IRR);

    if (apic->has_external)
        return apic->external_vector;
    if (requested < 0 || !is_enabled(apic) ||
        (uint32_t)requested >> 4 <= processor_priority(apic) >> 4)
        return -1;
    return requested;
}

static void apic_acknowledge(struct x86_intr *intr, uint8_t vector)
{
    struct local_apic *apic = apic_of_intr(intr);

    if (apic->has_external && apic->external_vector == vector) {
        apic->has_external = false;
        poke(apic);
        return;
    }
    put_bit(apic, APIC_IRR, vector, false);
    put_bit(apic, APIC_ISR, vector, true);
}

static void end_of_interrupt(struct local_apic *apic)
{
    int serving = highest(apic, APIC_ISR);

    if (serving < 0)
        return;
    put_bit(apic, APIC_ISR, (uint8_t)serving, false);
    poke(apic);
}

static void report_error(struct local_apic *apic, uint32_t error)
{
    uint32_t lvt = apic->regs[APIC_LVT_ERROR];
    bool is_new = !(apic->errors & error);

    apic->errors |= error;
    if (is_new && !(lvt & APIC_LVT_MASKED) && (lvt & 0xff) >= FIRST_VECTOR)
        local_apic_request(apic, (uint8_t)lvt, APIC_EDGE);
}

void local_apic_request(struct local_apic *apic, uint8_t vector,
                        enum local_apic_trigger trigger)
{
    if (!is_enabled(apic))
        return;
    if (vector < FIRST_VECTOR) {
        report_error(apic, ESR_RECEIVE_VECTOR);
        return;
    }
    put_bit(apic, APIC_IRR, vector, true);
    put_bit(apic, APIC_TMR, vector, trigger == APIC_LEVEL);
    poke(apic);
}

/* ------------------------------------------------------------------ messages
 */

static uint32_t logical_id(const struct local_apic *apic)
{
    uint32_t id = apic->base.id;

    if (is_x2(apic))
        return (id & ~15u) << 12 | 1u << (id & 15);
    return apic->regs[APIC_LDR] >> 24;
}

static bool is_in_logical(const struct local_apic *apic, uint32_t dest)
{
    uint32_t id = logical_id(apic);

    if (is_x2(apic))
        return dest >> 16 == id >> 16 && (dest & id & 0xffff);
    if (apic->regs[APIC_DFR] >> 28 == 0xf)
        return dest & id; /* flat */
    return (dest >> 4 == id >> 4 || dest >> 4 == 0xf) && (dest & id & 15);
}

static bool apic_is_addressed(struct x86_intr *intr,
                              const struct x86_intr_msg *msg)
{
    if (msg->dest == X86_INTR_BROADCAST)
        return true;
    if (msg->target == X86_INTR_PHYSICAL)
        return msg->dest == intr->id;
    return is_in_logical(apic_of_intr(intr), msg->dest);
}

static unsigned apic_priority(struct x86_intr *intr)
{
    return processor_priority(apic_of_intr(intr));
}

static void reset_registers(struct local_apic *apic);

static void apic_deliver(struct x86_intr *intr, const struct x86_intr_msg *msg)
{
    struct local_apic *apic = apic_of_intr(intr);

    apic->num_received++;
    switch ((enum x86_intr_mode)msg->mode) {
    case X86_INTR_FIXED:
    case X86_INTR_LOWEST:
        local_apic_request(apic, msg->vector,
                           msg->is_level ? APIC_LEVEL : APIC_EDGE);
        return;
    case X86_INTR_NMI:
        intr->cpu->ops->nmi(intr->cpu);
        return;
    case X86_INTR_INIT:
        reset_registers(apic);
        intr->cpu->ops->init(intr->cpu);
        return;
    case X86_INTR_START:
        intr->cpu->ops->start(intr->cpu, msg->vector);
        return;
    case X86_INTR_EXTERNAL:
        apic->has_external = true;
        apic->external_vector = msg->vector;
        poke(apic);
        return;
    case X86_INTR_SMI:
        sim_unimplemented(object_of(apic), "interrupt of delivery mode %u",
                          msg->mode);
        return;
    }
}

static uint32_t destination(const struct local_apic *apic, uint32_t high)
{
    if (is_x2(apic))
        return high;
    high >>= 24;
    return high == 0xff ? X86_INTR_BROADCAST : high;
}

/* The command register was written. */
static void send(struct local_apic *apic, uint32_t command, uint32_t high)
{
    static const uint8_t shorthands[] = {X86_INTR_PHYSICAL, X86_INTR_SELF,
                                         X86_INTR_ALL, X86_INTR_OTHERS};
    struct x86_intr_msg msg = {.dest = destination(apic, high),
                               .target = shorthands[command >> 18 & 3],
                               .mode = (uint8_t)(command >> 8 & 7),
                               .vector = (uint8_t)command,
                               .source = &apic->base};

    if (msg.target == X86_INTR_PHYSICAL && (command & ICR_LOGICAL))
        msg.target = X86_INTR_LOGICAL;
    if (msg.mode == X86_INTR_INIT && (command & ICR_LEVEL) &&
        !(command & ICR_ASSERT))
        return; /* "INIT level de-assert": of no effect since the Pentium 4 */
    if (msg.mode <= X86_INTR_LOWEST && msg.vector < FIRST_VECTOR) {
        report_error(apic, ESR_SEND_VECTOR);
        return;
    }
    apic->num_sent++;
    (void)x86_intr_send(apic->system, &msg);
}

/* ----------------------------------------------------------------- registers
 */

static void write_tpr(struct local_apic *apic, uint32_t value)
{
    apic->regs[APIC_TPR] = value;
    if (apic->base.cpu)
        apic->base.cpu->state->cr8 = value >> 4;
    poke(apic);
}

/* While the APIC is disabled all LVT entries are masked. */
static void mask_all(struct local_apic *apic)
{
    if (apic->regs[APIC_SVR] & SVR_ENABLED)
        return;
    for (unsigned i = APIC_LVT_TIMER; i <= APIC_LVT_ERROR; i++)
        apic->regs[i] |= APIC_LVT_MASKED;
}

static void latch_errors(struct local_apic *apic)
{
    apic->regs[APIC_ESR] = apic->errors;
    apic->errors = 0;
}

static uint32_t apic_read(struct x86_intr *intr, unsigned reg)
{
    struct local_apic *apic = apic_of_intr(intr);

    if (!(access_of(reg) & READ_ALL)) {
        report_error(apic, ESR_REGISTER);
        return 0;
    }
    switch (reg) {
    case APIC_ID:
        return is_x2(apic) ? intr->id : intr->id << 24;
    case APIC_TPR:
        return task_priority(apic);
    case APIC_PPR:
        return processor_priority(apic);
    case APIC_LDR:
        return is_x2(apic) ? logical_id(apic) : apic->regs[APIC_LDR];
    case APIC_CURRENT:
        return local_apic_timer_count(apic);
    default:
        return apic->regs[reg];
    }
}

/* A register whose new value is stored, then acted upon. */
static void store(struct local_apic *apic, unsigned reg, uint32_t value)
{
    apic->regs[reg] = value;
    switch (reg) {
    case APIC_DFR:
        apic->regs[reg] |= 0x0fffffff;
        return;
    case APIC_ICR:
        send(apic, value, apic->regs[APIC_ICR_HIGH]);
        return;
    case APIC_INITIAL:
        local_apic_timer_start(apic, value);
        return;
    case APIC_SVR:
        poke(apic);
        break;
    default:
        break;
    }
    mask_all(apic);
}

static void apic_write(struct x86_intr *intr, unsigned reg, uint32_t value)
{
    struct local_apic *apic = apic_of_intr(intr);

    if (!(access_of(reg) & WRITE_ALL)) {
        report_error(apic, ESR_REGISTER);
        return;
    }
    value &= reg_rows[reg].writable;
    TRACE(LocalApic, object_of(apic), "register %#x = %#x", reg, value);
    switch (reg) {
    case APIC_EOI:
        end_of_interrupt(apic);
        return;
    case APIC_TPR:
        write_tpr(apic, value);
        return;
    case APIC_ESR:
        latch_errors(apic);
        return;
    case APIC_LVT_TIMER:
        local_apic_timer_write_lvt(apic, value);
        mask_all(apic);
        return;
    case APIC_DIVIDE:
        local_apic_timer_write_divide(apic, value);
        return;
    default:
        store(apic, reg, value);
    }
}

/* ---------------------------------------------------------------------- MSRs
 */

static bool apic_msr_read(struct x86_intr *intr, uint32_t index,
                          uint64_t *value)
{
    struct local_apic *apic = apic_of_intr(intr);
    unsigned reg = index - MSR_X2APIC;

    if (reg >= APIC_NUM_REGS || !is_x2(apic) || !(access_of(reg) & READ_X2))
        return false;
    *value = apic_read(intr, reg);
    if (reg == APIC_ICR)
        *value |= (uint64_t)apic->regs[APIC_ICR_HIGH] << 32;
    return true;
}

/* Bits that must be zero. */
static bool is_reserved(unsigned reg, uint64_t value)
{
    uint64_t writable = reg_rows[reg].writable;

    if (reg == APIC_ICR)
        writable |= UINT64_C(0xffffffff) << 32;
    return value & ~writable;
}

static bool apic_msr_write(struct x86_intr *intr, uint32_t index,
                           uint64_t value)
{
    struct local_apic *apic = apic_of_intr(intr);
    unsigned reg = index - MSR_X2APIC;

    if (index == MSR_DEADLINE) {
        local_apic_timer_write_deadline(apic, value);
        return true;
    }
    if (reg >= APIC_NUM_REGS || !is_x2(apic) || !(access_of(reg) & WRITE_X2) ||
        is_reserved(reg, value))
        return false;
    if (reg == APIC_ICR)
        apic->regs[APIC_ICR_HIGH] = (uint32_t)(value >> 32);
    if (reg == APIC_SELF_IPI)
        local_apic_request(apic, (uint8_t)value, APIC_EDGE);
    else
        apic_write(intr, reg, (uint32_t)value);
    return true;
}

/* --------------------------------------------------------------------- ports
 */

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
    struct local_apic *apic = apic_of(port->owner);
    unsigned reg = (unsigned)(req->addr.v % APIC_PAGE) / 16;
    uint32_t value = 0, size = req->size < 4 ? req->size : 4;

    if (req->data && req->kind == MEM_WRITE) {
        memcpy(&value, req->data, size);
        apic_write(&apic->base, reg, value);
    } else if (req->data) {
        memset(req->data, 0, req->size);
        value = apic_read(&apic->base, reg);
        memcpy(req->data, &value, size);
    }
    return when + apic->pio_latency;
}

static tick_t message_access(struct sim_port *port, struct mem_req *req,
                             tick_t when)
{
    (void)req;
    sim_unimplemented(port->owner, "interrupt message over the bus");
    return when + apic_of(port->owner)->int_latency;
}

static const struct mem_port_ops register_ops = {
    .access = register_access,
    .ranges = register_ranges,
};

static const struct mem_port_ops message_ops = {
    .access = message_access,
    .ranges = message_ranges,
};

/* --------------------------------------------------------------- life cycle */

static const struct x86_intr_ops apic_intr_ops = {
    .pending = apic_pending,
    .acknowledge = apic_acknowledge,
    .read = apic_read,
    .write = apic_write,
    .msr_read = apic_msr_read,
    .msr_write = apic_msr_write,
    .is_addressed = apic_is_addressed,
    .deliver = apic_deliver,
    .priority = apic_priority,
};

/* [SDM] "Local APIC State After Power-Up or Reset"; also after INIT. */
static void reset_registers(struct local_apic *apic)
{
    memset(apic->regs, 0, sizeof apic->regs);
    apic->regs[APIC_VERSION] = VERSION;
    apic->regs[APIC_DFR] = 0xffffffff;
    apic->regs[APIC_SVR] = 0xff;
    mask_all(apic);
    apic->errors = 0;
    apic->has_external = false;
    local_apic_timer_set(apic, 0);
}

static void apic_init(struct sim_object *obj)
{
    struct local_apic *apic = apic_of(obj);

    apic->base.ops = &apic_intr_ops;
    apic->system = &system_of(obj)->base;
    local_apic_timer_init(apic);
}

static void apic_reset(struct sim_object *obj)
{
    reset_registers(apic_of(obj));
}

static void apic_startup(struct sim_object *obj)
{
    struct local_apic *apic = apic_of(obj);

    local_apic_timer_set(apic, apic->timer_at);
}

static void apic_fini(struct sim_object *obj)
{
    eventq_deschedule(sim_eventq(obj->sim), &apic_of(obj)->timer);
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops local_apic_ops = {
    .init = apic_init,
    .reset = apic_reset,
    .startup = apic_startup,
    .fini = apic_fini,
};

static const struct sim_param local_apic_params[] = {
    SIM_PARAM(struct local_apic, pio_latency, "100ns", "ticks",
              "Time of one register access"),
    SIM_PARAM(struct local_apic, int_latency, "1ns", "ticks",
              "Time of an interrupt message"),
    SIM_END_PARAM,
};

static const struct sim_field local_apic_state[] = {
    SIM_FIELD_ARRAY(struct local_apic, regs, "", "Registers, by offset / 16"),
    SIM_FIELD(struct local_apic, has_external, "", "An external vector waits"),
    SIM_FIELD(struct local_apic, external_vector, "", "That vector"),
    SIM_FIELD(struct local_apic, errors, "", "Errors not yet in the ESR"),
    SIM_FIELD(struct local_apic, timer_at, "ticks",
              "Next expiry of the timer; 0: stopped"),
    SIM_END,
};

static const struct sim_stat local_apic_stats[] = {
    SIM_STAT(struct local_apic, num_sent, "messagesSent", "Count",
             "Interrupt messages sent to processors", .flags = STAT_NO_ZERO),
    SIM_STAT(struct local_apic, num_received, "messagesReceived", "Count",
             "Interrupt messages received", .flags = STAT_NO_ZERO),
    SIM_STAT(struct local_apic, num_timer, "timerExpiries", "Count",
             "How often the timer expired", .flags = STAT_NO_ZERO),
    SIM_END_STAT,
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
    .doc = "Local APIC of a CPU: xAPIC, x2APIC, timer",
    .base = &x86_intr_type,
    .size = sizeof(struct local_apic),
    .version = 1,
    .ops = &local_apic_ops,
    .params = local_apic_params,
    .state = local_apic_state,
    .stats = local_apic_stats,
    .ports = local_apic_ports,
};
