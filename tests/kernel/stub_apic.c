/* SPDX-License-Identifier: BSD-3-Clause */
/* Source: [SDM] Vol. 3A, "Advanced Programmable Interrupt Controller". */
#include "stub_apic.h"

#include <string.h>

enum { /* register numbers: offset / 16 */
       ID = 2,
       VERSION = 3,
       TPR = 8,
       EOI = 11,
       SVR = 15,
       ISR = 16,
       IRR = 32,
       ESR = 40,
       ICR = 48,
       LVT_TIMER = 50,
       LVT_ERROR = 55,
       TIMER_INITIAL = 56,
       TIMER_CURRENT = 57,
       TIMER_DIVIDE = 62,
};

enum { LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17 };

void stub_apic_reset(struct stub_apic *apic)
{
    memset(apic, 0, sizeof *apic);
    apic->regs[VERSION] = 0x50014;
    apic->regs[SVR] = 0xff;
    for (unsigned i = LVT_TIMER; i <= LVT_ERROR; i++)
        apic->regs[i] = LVT_MASKED;
}

static int highest(const struct stub_apic *apic, unsigned first)
{
    for (int i = 7; i >= 0; i--) {
        uint32_t bits = apic->regs[first + (unsigned)i];

        if (bits)
            return 32 * i + 31 - __builtin_clz(bits);
    }
    return -1;
}

static void put_bit(struct stub_apic *apic, unsigned first, unsigned vector,
                    unsigned value)
{
    uint32_t bit = 1u << (vector % 32);

    apic->regs[first + vector / 32] &= ~bit;
    apic->regs[first + vector / 32] |= value ? bit : 0;
}

static unsigned divisor(const struct stub_apic *apic)
{
    uint32_t code = apic->regs[TIMER_DIVIDE];
    unsigned shift = ((code & 3) | (code >> 1 & 4)) + 1;

    return 1u << (shift & 7);
}

static uint64_t period(const struct stub_apic *apic)
{
    return (uint64_t)apic->regs[TIMER_INITIAL] * divisor(apic);
}

uint32_t stub_apic_read(const struct stub_apic *apic, unsigned offset,
                        uint64_t now)
{
    unsigned index = (offset & 0xfff) / 16;

    if (index == TIMER_CURRENT)
        return apic->timer_at > now
                   ? (uint32_t)((apic->timer_at - now) / divisor(apic))
                   : 0;
    return index < 64 && index != EOI ? apic->regs[index] : 0;
}

void stub_apic_request(struct stub_apic *apic, unsigned vector)
{
    put_bit(apic, IRR, vector & 255, 1);
}

/* Delivery modes that one processor can serve: fixed, lowest priority, NMI. */
static enum stub_apic_event send(struct stub_apic *apic, uint32_t command)
{
    unsigned mode = command >> 8 & 7, shorthand = command >> 18 & 3;

    if (shorthand == 3) /* all but self: nobody */
        return STUB_APIC_NOTHING;
    if (shorthand == 0 && apic->regs[ICR + 1] >> 24 != apic->regs[ID] >> 24 &&
        apic->regs[ICR + 1] >> 24 != 255)
        return STUB_APIC_NOTHING;
    if (mode == 4)
        return STUB_APIC_NMI;
    if (mode > 1)
        return STUB_APIC_NOTHING;
    stub_apic_request(apic, command & 255);
    return STUB_APIC_LOOK;
}

enum stub_apic_event stub_apic_write(struct stub_apic *apic, unsigned offset,
                                     uint32_t value, uint64_t now)
{
    unsigned index = (offset & 0xfff) / 16;

    switch (index) {
    case EOI:
        if (highest(apic, ISR) >= 0)
            put_bit(apic, ISR, (unsigned)highest(apic, ISR), 0);
        return STUB_APIC_LOOK;
    case ICR:
        apic->regs[ICR] = value;
        return send(apic, value);
    case TIMER_INITIAL:
        apic->regs[index] = value;
        apic->timer_at = value ? now + period(apic) : 0;
        return STUB_APIC_LOOK;
    case TPR:
        apic->regs[index] = value & 255;
        return STUB_APIC_LOOK;
    case ID:
    case SVR:
    case ESR:
    case ICR + 1:
    case TIMER_DIVIDE:
        apic->regs[index] = value;
        return STUB_APIC_NOTHING;
    default:
        if (index >= LVT_TIMER && index <= LVT_ERROR)
            apic->regs[index] = value;
        return STUB_APIC_NOTHING;
    }
}

bool stub_apic_tick(struct stub_apic *apic, uint64_t now)
{
    uint32_t lvt = apic->regs[LVT_TIMER];

    if (!apic->timer_at || now < apic->timer_at)
        return false;
    apic->timer_at = lvt & LVT_PERIODIC ? now + period(apic) : 0;
    if (lvt & LVT_MASKED)
        return false;
    stub_apic_request(apic, lvt & 255);
    return true;
}

int stub_apic_take(struct stub_apic *apic, unsigned cr8)
{
    int requested = highest(apic, IRR), serving = highest(apic, ISR);
    int floor = (int)(apic->regs[TPR] >> 4);

    if ((int)cr8 > floor)
        floor = (int)cr8;
    if (serving / 16 > floor && serving >= 0)
        floor = serving / 16;
    if (requested < 0 || requested / 16 <= floor)
        return -1;
    put_bit(apic, IRR, (unsigned)requested, 0);
    put_bit(apic, ISR, (unsigned)requested, 1);
    return requested;
}
