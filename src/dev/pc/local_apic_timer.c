/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer of a local APIC: counts cycles of the APIC's clock, once or again
 * and again, or waits for a value of the TSC.  A clock read, not a counter that
 * ticks: only the expiry is an event.
 * Source: [SDM] Vol. 3A, "APIC Timer".
 */
#include "dev/pc/local_apic.h"

#include "arch/x86/state.h"
#include "base/compiler.h"
#include "sim/clock.h"
#include "sim/object.h"
#include "sim/sim.h"

enum {
    TIMER_MODE = 3 << 17,
    TIMER_PERIODIC = 1 << 17,
    TIMER_DEADLINE = 2 << 17,
};

static struct sim *sim_of(const struct local_apic *apic)
{
    return apic->base.base.base.sim;
}

static tick_t timer_tick(const struct local_apic *apic)
{
    uint32_t code = apic->regs[APIC_DIVIDE];
    unsigned shift = ((code & 3) | (code >> 1 & 4)) + 1;

    return clock_period(&apic->base.base) << (shift & 7);
}

void local_apic_timer_set(struct local_apic *apic, tick_t when)
{
    struct sim *sim = sim_of(apic);
    tick_t now = sim_now(sim);

    apic->timer_at = when;
    if (!when || when == TICK_MAX)
        eventq_deschedule(sim_eventq(sim), &apic->timer);
    else
        eventq_reschedule(sim_eventq(sim), &apic->timer,
                          when > now ? when : now);
}

uint32_t local_apic_timer_count(const struct local_apic *apic)
{
    tick_t now = sim_now(sim_of(apic));
    tick_t tick = timer_tick(apic);

    if (!apic->timer_at || apic->timer_at <= now ||
        (apic->regs[APIC_LVT_TIMER] & TIMER_MODE) == TIMER_DEADLINE)
        return 0;
    return (uint32_t)((apic->timer_at - now + tick - 1) / tick);
}

void local_apic_timer_start(struct local_apic *apic, uint32_t count)
{
    if ((apic->regs[APIC_LVT_TIMER] & TIMER_MODE) == TIMER_DEADLINE)
        return;
    local_apic_timer_set(
        apic, count ? sim_now(sim_of(apic)) + count * timer_tick(apic) : 0);
}

static void timer_fired(struct sim_event *event, tick_t now)
{
    struct local_apic *apic = SIM_CONTAINER_OF(event, struct local_apic, timer);
    uint32_t lvt = apic->regs[APIC_LVT_TIMER];
    tick_t next = 0;

    apic->num_timer++;
    if ((lvt & TIMER_MODE) == TIMER_PERIODIC)
        next = now + apic->regs[APIC_INITIAL] * timer_tick(apic);
    if ((lvt & TIMER_MODE) == TIMER_DEADLINE && apic->base.cpu)
        apic->base.cpu->state->msr[X86_MSR_TSC_DEADLINE] = 0;
    local_apic_timer_set(apic, next);
    if (!(lvt & APIC_LVT_MASKED))
        local_apic_request(apic, (uint8_t)lvt, APIC_EDGE);
}

void local_apic_timer_write_deadline(struct local_apic *apic, uint64_t tsc)
{
    struct x86_intr_cpu *cpu = apic->base.cpu;
    tick_t when = 0;

    if ((apic->regs[APIC_LVT_TIMER] & TIMER_MODE) != TIMER_DEADLINE)
        return;
    cpu->state->msr[X86_MSR_TSC_DEADLINE] = tsc;
    if (tsc) /* one that has passed is now */
        when = cpu->ops->tick_of_tsc(cpu, tsc);
    local_apic_timer_set(apic, tsc && !when ? 1 : when);
}

/* A change between counting and deadline stops the timer. */
void local_apic_timer_write_lvt(struct local_apic *apic, uint32_t value)
{
    uint32_t old = apic->regs[APIC_LVT_TIMER];

    apic->regs[APIC_LVT_TIMER] = value;
    if (((old ^ value) & TIMER_DEADLINE) == 0)
        return;
    local_apic_timer_set(apic, 0);
    if (apic->base.cpu)
        apic->base.cpu->state->msr[X86_MSR_TSC_DEADLINE] = 0;
}

/* The count that is left goes on in the new unit. */
void local_apic_timer_write_divide(struct local_apic *apic, uint32_t value)
{
    tick_t now = sim_now(sim_of(apic));
    uint32_t count = local_apic_timer_count(apic);

    apic->regs[APIC_DIVIDE] = value;
    if (count)
        local_apic_timer_set(apic, now + count * timer_tick(apic));
}

void local_apic_timer_init(struct local_apic *apic)
{
    event_init(&apic->timer, "local APIC timer", EVENT_PRI_DEFAULT,
               timer_fired);
}
