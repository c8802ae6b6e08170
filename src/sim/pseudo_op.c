/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source: gem5 24.0, include/gem5/asm/generic/m5ops.h (numbers, arguments).
 * Left out, and reported when used: symbols (load_symbol, add_symbol), the arm
 * and workload events, synchronisation of distributed simulations.
 */
#include "sim/pseudo_op.h"

#include <string.h>

#include "base/compiler.h"
#include "sim/object.h"
#include "sim/pseudo_file.h"
#include "sim/report.h"
#include "sim/sim.h"
#include "sim/stat_out.h"

enum { TICKS_PER_NS = 1000 };

/* ------------------------------------------------------------------- exits */

/* @ns after the call; far beyond all time counts as never. */
static tick_t after_ns(tick_t start, uint64_t ns)
{
    const uint64_t max = (TICK_MAX - start) / TICKS_PER_NS;

    return ns < max ? start + ns * TICKS_PER_NS : TICK_MAX;
}

static void leave(const struct pseudo_call *call, const char *cause,
                  int64_t code)
{
    sim_exit_at(call->cpu->sim, cause, code, call->now, 0);
}

static uint64_t op_exit(struct pseudo_call *call)
{
    sim_exit_at(call->cpu->sim, EXIT_M5_EXIT, 0,
                after_ns(call->now, call->args[0]), 0);
    return 0;
}

static uint64_t op_fail(struct pseudo_call *call)
{
    sim_exit_at(call->cpu->sim, EXIT_M5_FAIL, (int64_t)call->args[1],
                after_ns(call->now, call->args[0]), 0);
    return 0;
}

static uint64_t op_checkpoint(struct pseudo_call *call)
{
    if (call->may_checkpoint)
        sim_exit_at(call->cpu->sim, EXIT_CHECKPOINT, 0,
                    after_ns(call->now, call->args[0]),
                    after_ns(0, call->args[1]));
    return 0;
}

static uint64_t op_switch_cpu(struct pseudo_call *call)
{
    leave(call, EXIT_SWITCH_CPU, 0);
    return 0;
}

/* gem5 stops in a debugger, or dies for lack of one. */
static uint64_t op_debug_break(struct pseudo_call *call)
{
    leave(call, EXIT_M5_DEBUG_BREAK, 0);
    return 0;
}

static uint64_t op_panic(struct pseudo_call *call)
{
    sim_guest_error(call->cpu, "the guest executed m5_panic");
    leave(call, EXIT_M5_PANIC, 1);
    return 0;
}

/* -------------------------------------------------------------- statistics */

static uint64_t schedule_stats(const struct pseudo_call *call, uint32_t actions)
{
    if (call->may_dump)
        stat_out_schedule(sim_stat_out(call->cpu->sim), actions,
                          after_ns(call->now, call->args[0]),
                          after_ns(0, call->args[1]));
    return 0;
}

static uint64_t op_reset_stats(struct pseudo_call *call)
{
    return schedule_stats(call, STAT_RESET);
}

static uint64_t op_dump_stats(struct pseudo_call *call)
{
    return schedule_stats(call, STAT_DUMP);
}

static uint64_t op_dump_reset_stats(struct pseudo_call *call)
{
    return schedule_stats(call, STAT_DUMP | STAT_RESET);
}

/* --------------------------------------------------------- sleep and waking */

static uint64_t op_quiesce(struct pseudo_call *call)
{
    call->ops->quiesce(call, TICK_MAX);
    return 0;
}

static uint64_t op_quiesce_ns(struct pseudo_call *call)
{
    call->ops->quiesce(call, after_ns(call->now, call->args[0]));
    return 0;
}

static uint64_t op_quiesce_cycle(struct pseudo_call *call)
{
    tick_t ticks = call->ops->cycles_to_ticks(call, call->args[0]);

    call->ops->quiesce(call, ticks < TICK_MAX - call->now ? call->now + ticks
                                                          : TICK_MAX);
    return 0;
}

static uint64_t op_quiesce_time(struct pseudo_call *call)
{
    return call->ops->quiesce_time(call) / TICKS_PER_NS;
}

static uint64_t op_wake_cpu(struct pseudo_call *call)
{
    if (!call->ops->wake(call, call->args[0]))
        sim_guest_error(call->cpu, "m5_wake_cpu: there is no CPU %llu",
                        (unsigned long long)call->args[0]);
    return 0;
}

/* ------------------------------------------------------------------ numbers */

static uint64_t op_rpns(struct pseudo_call *call)
{
    return call->now / TICKS_PER_NS;
}

static uint64_t op_sum(struct pseudo_call *call)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PSEUDO_NUM_ARGS; i++)
        sum += call->args[i];
    return sum;
}

/* The key is up to 16 characters in two arguments; the empty one names
 * System.init_param, the others the place in a distributed simulation: this is
 * the only one. */
static uint64_t op_init_param(struct pseudo_call *call)
{
    char key[2 * sizeof(uint64_t) + 1] = "";

    memcpy(key, call->args, sizeof key - 1);
    if (!*key)
        return call->machine->init_param;
    if (!strcmp(key, "dist-rank"))
        return 0;
    if (!strcmp(key, "dist-size"))
        return 1;
    sim_guest_error(call->cpu, "m5_init_param: there is no parameter '%s'",
                    key);
    return 0;
}

/* --------------------------------------------------------------- work items */

static uint64_t mark_cpu(struct pseudo_machine *machine, uint32_t cpu_id)
{
    uint64_t count = 0;

    if (cpu_id < PSEUDO_MAX_CPUS)
        machine->work_cpus[cpu_id / 64] |= UINT64_C(1) << cpu_id % 64;
    for (size_t i = 0; i < SIM_ARRAY_LEN(machine->work_cpus); i++)
        count += (uint64_t)__builtin_popcountll(machine->work_cpus[i]);
    return count;
}

/* Whether the item counts; if so, the checkpoint that all CPUs at work ask
 * for. */
static bool is_counted(struct pseudo_call *call)
{
    struct pseudo_machine *machine = call->machine;

    if (machine->work_item_id != -1 &&
        (uint64_t)machine->work_item_id != call->args[0])
        return false;
    if (machine->work_cpus_ckpt_count &&
        mark_cpu(machine, call->cpu_id) >= machine->work_cpus_ckpt_count)
        leave(call, EXIT_CHECKPOINT, 0);
    return true;
}

static uint64_t op_work_begin(struct pseudo_call *call)
{
    struct pseudo_machine *machine = call->machine;

    if (machine->exit_on_work_items) {
        leave(call, EXIT_WORK_BEGIN, (int32_t)call->args[0]);
        return 0;
    }
    call->ops->count_work(call, PSEUDO_WORK_BEGIN);
    if (!is_counted(call))
        return 0;
    machine->work_begins++;
    if (machine->work_begins == machine->work_begin_ckpt_count)
        leave(call, EXIT_CHECKPOINT, 0);
    if (machine->work_begins == machine->work_begin_exit_count)
        leave(call, EXIT_WORK_STARTED, 0);
    if (machine->work_begin_cpu_id_exit == (int64_t)call->cpu_id)
        leave(call, EXIT_WORK_CPU, 0);
    return 0;
}

static uint64_t op_work_end(struct pseudo_call *call)
{
    struct pseudo_machine *machine = call->machine;

    if (machine->exit_on_work_items) {
        leave(call, EXIT_WORK_END, (int32_t)call->args[0]);
        return 0;
    }
    call->ops->count_work(call, PSEUDO_WORK_END);
    if (!is_counted(call))
        return 0;
    machine->work_ends++;
    if (machine->work_ends == machine->work_end_ckpt_count)
        leave(call, EXIT_CHECKPOINT, 0);
    if (machine->work_ends == machine->work_end_exit_count)
        leave(call, EXIT_WORK_ENDED, 0);
    return 0;
}

/* ------------------------------------------------------------------- tables */

struct pseudo_row {
    const char *name;
    uint64_t (*run)(struct pseudo_call *call); /* NULL: not implemented */
};

static const struct pseudo_row pseudo_ops[] = {
    [0x00] = {"arm",              NULL               },
    [0x01] = {"quiesce",          op_quiesce         },
    [0x02] = {"quiesce_ns",       op_quiesce_ns      },
    [0x03] = {"quiesce_cycle",    op_quiesce_cycle   },
    [0x04] = {"quiesce_time",     op_quiesce_time    },
    [0x07] = {"rpns",             op_rpns            },
    [0x09] = {"wake_cpu",         op_wake_cpu        },
    [0x21] = {"exit",             op_exit            },
    [0x22] = {"fail",             op_fail            },
    [0x23] = {"sum",              op_sum             },
    [0x30] = {"init_param",       op_init_param      },
    [0x31] = {"load_symbol",      NULL               },
    [0x40] = {"reset_stats",      op_reset_stats     },
    [0x41] = {"dump_stats",       op_dump_stats      },
    [0x42] = {"dump_reset_stats", op_dump_reset_stats},
    [0x43] = {"checkpoint",       op_checkpoint      },
    [0x4f] = {"write_file",       pseudo_write_file  },
    [0x50] = {"read_file",        pseudo_read_file   },
    [0x51] = {"debug_break",      op_debug_break     },
    [0x52] = {"switch_cpu",       op_switch_cpu      },
    [0x53] = {"add_symbol",       NULL               },
    [0x54] = {"panic",            op_panic           },
    [0x5a] = {"work_begin",       op_work_begin      },
    [0x5b] = {"work_end",         op_work_end        },
    [0x62] = {"dist_toggle_sync", NULL               },
    [0x70] = {"workload",         NULL               },
};

const char *pseudo_op_name(uint16_t func)
{
    return func < SIM_ARRAY_LEN(pseudo_ops) ? pseudo_ops[func].name : NULL;
}

bool pseudo_op_run(struct pseudo_call *call, uint16_t func, uint64_t *result)
{
    *result = 0;
    if (!pseudo_op_name(func)) {
        sim_guest_error(call->cpu, "there is no pseudo operation %#x", func);
        return false;
    }
    if (pseudo_ops[func].run)
        *result = pseudo_ops[func].run(call);
    else
        sim_unimplemented(call->cpu, "pseudo operation %s (%#x)",
                          pseudo_ops[func].name, func);
    return true;
}
