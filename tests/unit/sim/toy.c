/* SPDX-License-Identifier: BSD-3-Clause */
#include "toy.h"

#include <stdio.h>
#include <string.h>

#include "sim/param.h"
#include "sim/sim.h"

static void toy_log(const struct sim_object *obj, const char *what)
{
    struct toy_log *log = sim_host_of(obj->sim)->ctx;
    size_t len;

    if (!log)
        return;
    len = strlen(log->calls);
    (void)snprintf(log->calls + len, sizeof log->calls - len, "%s.%s ",
                   obj->path, what);
}

#define LOGGING_OP(prefix, op)                                                 \
    static void prefix##_##op(struct sim_object *obj)                          \
    {                                                                          \
        toy_log(obj, #prefix "_" #op);                                         \
    }
#define LOGGING_OPS(prefix)                                                    \
    LOGGING_OP(prefix, init)                                                   \
    LOGGING_OP(prefix, reset)                                                  \
    LOGGING_OP(prefix, startup)                                                \
    LOGGING_OP(prefix, resume)                                                 \
    LOGGING_OP(prefix, reset_stats)                                            \
    LOGGING_OP(prefix, pre_dump)                                               \
    LOGGING_OP(prefix, after_fork)                                             \
    LOGGING_OP(prefix, fini)

LOGGING_OPS(toy)
LOGGING_OPS(clever)

static enum sim_drain toy_drain(struct sim_object *obj)
{
    return SIM_CAST(struct toy, toy_type, obj)->is_draining ? SIM_DRAINING
                                                            : SIM_DRAINED;
}

static enum sim_drain clever_drain(struct sim_object *obj)
{
    toy_log(obj, "clever_drain");
    return SIM_DRAINED;
}

static const struct sim_ops toy_ops = {
    .init = toy_init,
    .reset = toy_reset,
    .startup = toy_startup,
    .drain = toy_drain,
    .resume = toy_resume,
    .reset_stats = toy_reset_stats,
    .pre_dump = toy_pre_dump,
    .after_fork = toy_after_fork,
    .fini = toy_fini,
};

static const struct sim_ops clever_ops = {
    .init = clever_init,
    .reset = clever_reset,
    .startup = clever_startup,
    .drain = clever_drain,
    .resume = clever_resume,
    .reset_stats = clever_reset_stats,
    .pre_dump = clever_pre_dump,
    .after_fork = clever_after_fork,
    .fini = clever_fini,
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct sim_param toy_params[] = {
    SIM_PARAM(struct toy, is_red, "False", "", "Whether it is red"),
    SIM_PARAM(struct toy, small, "1", "cycles", "A small number", .min = 2),
    SIM_PARAM(struct toy, first_port, NULL, "port", "First I/O port",
              .max = 0xfff0),
    SIM_PARAM(struct toy, colour, "red", "", "Its colour", .names = colours),
    SIM_PARAM(struct toy, size, "64KiB", "bytes", "Its size",
              .max = 1024 * 1024, .pow2 = true),
    SIM_PARAM(struct toy, latency, "50ns", "ticks", "Its latency", .min = 1000,
              .max = 1500000),
    SIM_PARAM(struct toy, offset, "-1", "", "Where it starts", .max = 5),
    SIM_PARAM(struct toy, ratio, "1.5", "", "Its ratio", .max = 2),
    SIM_PARAM(struct toy, label, "", "", "Its label"),
    SIM_PARAM_OBJ(struct toy, friend_toy, "NULL", toy_type, "Its friend"),
    SIM_PARAM(struct toy, range, "0:0", "addr", "Its addresses"),
    SIM_PARAM(struct toy, numbers, "[]", "", "Its numbers", .max = 9,
              .nonempty = true),
    SIM_PARAM(struct toy, ratios, "[]", "", "Its ratios", .max = 2),
    SIM_PARAM(struct toy, words, "[]", "", "Its words"),
    SIM_PARAM_OBJS(struct toy, friends, "[]", toy_type, "Its friends"),
    SIM_PARAM(struct toy, ranges, "[]", "addr", "More addresses"),
    SIM_END_PARAM,
};

static const struct sim_port_desc toy_ports[] = {
    SIM_PORT(struct toy, out, "mem", SIM_REQUESTOR, "Where it asks",
             .old_name = "master"),
    SIM_PORT(struct toy, in, "mem", SIM_RESPONDER, "Where it answers"),
    SIM_PORT(struct toy, irq, "int", SIM_REQUESTOR, "Its interrupt",
             .is_optional = true),
    SIM_PORT(struct toy, maybe, "mem", SIM_REQUESTOR, "May stay open",
             .is_optional = true),
    SIM_PORT(struct toy, many, "mem", SIM_RESPONDER, "Where many ask"),
    SIM_END_PORT,
};

const struct sim_type toy_type = {
    .name = "Toy",
    .doc = "For tests",
    .base = &sim_object_type,
    .size = sizeof(struct toy),
    .ops = &toy_ops,
    .params = toy_params,
    .ports = toy_ports,
};

const struct sim_type clever_toy_type = {
    .name = "CleverToy",
    .doc = "For tests of derivation",
    .base = &toy_type,
    .size = sizeof(struct toy),
    .ops = &clever_ops,
};

const struct sim_type plain_type = {
    .name = "Plain",
    .doc = "For tests that need any object",
    .base = &sim_object_type,
    .size = sizeof(struct sim_object),
};
