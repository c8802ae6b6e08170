/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/intr.h"

#include <stddef.h>

#include "sim/object.h"

SIM_CHECK_BASE(struct x86_intr);

struct x86_intr *x86_intr_of(struct sim_object *obj)
{
    return SIM_CAST(struct x86_intr, x86_intr_type, obj);
}

/* The next controller after @obj that has a processor. */
static struct x86_intr *next_intr(struct sim_object *system,
                                  struct sim_object *obj)
{
    while ((obj = sim_object_next(system, obj)) != NULL) {
        if (!sim_object_is_a(obj, &x86_intr_type))
            continue;
        if (x86_intr_of(obj)->cpu)
            return x86_intr_of(obj);
    }
    return NULL;
}

static bool is_addressed(struct x86_intr *intr, const struct x86_intr_msg *msg)
{
    switch ((enum x86_intr_target)msg->target) {
    case X86_INTR_SELF:
        return intr == msg->source;
    case X86_INTR_ALL:
        return true;
    case X86_INTR_OTHERS:
        return intr != msg->source;
    case X86_INTR_PHYSICAL:
    case X86_INTR_LOGICAL:
        return intr->ops->is_addressed(intr, msg);
    }
    return false;
}

static unsigned send_to_lowest(struct sim_object *system,
                               const struct x86_intr_msg *msg)
{
    struct x86_intr *best = NULL;
    struct x86_intr *intr = next_intr(system, system);

    for (; intr; intr = next_intr(system, &intr->base.base)) {
        if (is_addressed(intr, msg) &&
            (!best || intr->ops->priority(intr) < best->ops->priority(best)))
            best = intr;
    }
    if (!best)
        return 0;
    best->ops->deliver(best, msg);
    return 1;
}

unsigned x86_intr_send(struct sim_object *system,
                       const struct x86_intr_msg *msg)
{
    struct x86_intr *intr;
    unsigned count = 0;

    if (msg->mode == X86_INTR_LOWEST)
        return send_to_lowest(system, msg);
    for (intr = next_intr(system, system); intr;
         intr = next_intr(system, &intr->base.base)) {
        if (!is_addressed(intr, msg))
            continue;
        intr->ops->deliver(intr, msg);
        count++;
    }
    return count;
}

const struct sim_type x86_intr_type = {
    .name = "BaseInterrupts",
    .doc = "Base of interrupt controllers that belong to a CPU",
    .base = &clocked_object_type,
    .size = sizeof(struct x86_intr),
    .is_abstract = true,
};
