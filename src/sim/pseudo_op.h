/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pseudo operations: what a guest asks of the simulator (gem5's m5ops).  One
 * table of rows with gem5's numbers; how a guest gets there - an instruction,
 * an access to a window of physical addresses, a hypercall - is the business of
 * the CPU, which hands over numbers and the means to reach guest memory.
 *
 * Delays and periods are nanoseconds, file offsets and lengths bytes.  Exits
 * have gem5's causes.  Nothing that a guest passes ends the process: where gem5
 * panics, an exit event or a refusal is the answer.
 */
#ifndef SIM_PSEUDO_OP_H
#define SIM_PSEUDO_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;

/* Causes of exits, in gem5's words where it has some. */
#define EXIT_M5_EXIT        "m5_exit instruction encountered"
#define EXIT_M5_FAIL        "m5_fail instruction encountered"
#define EXIT_M5_PANIC       "m5_panic instruction encountered"
#define EXIT_M5_DEBUG_BREAK "m5_debug_break instruction encountered"
#define EXIT_SWITCH_CPU     "switchcpu"
#define EXIT_CHECKPOINT     "checkpoint"
#define EXIT_WORK_BEGIN     "workbegin"
#define EXIT_WORK_END       "workend"
#define EXIT_WORK_STARTED   "work started count reach"
#define EXIT_WORK_CPU       "work started on specific cpu"
#define EXIT_WORK_ENDED     "work items exit count reached"

enum {
    PSEUDO_NUM_ARGS = 6,
    PSEUDO_MAX_CPUS = 256,
    PSEUDO_WINDOW_SIZE = 0x10000, /* physical addresses; see below */
};

/* Where programs expect the window: gem5's address on x86. */
#define PSEUDO_WINDOW_BASE UINT64_C(0xffff0000)

/** pseudo_op_of_offset() - the operation that an access at @offset of the
 *  window means: bits 15 to 8. */
static inline uint16_t pseudo_op_of_offset(uint64_t offset)
{
    return (uint16_t)(offset >> 8 & 0xff);
}

/* What a machine (System) lets its guests do, and what they have done. */
struct pseudo_machine {
    struct sim_object *owner;

    /* Parameters. */
    const char *readfile, *symbolfile;
    uint64_t init_param;
    bool exit_on_work_items;
    int64_t work_item_id; /* -1: all */
    uint32_t num_work_ids;
    int64_t work_begin_cpu_id_exit; /* -1: none */
    uint32_t work_begin_ckpt_count, work_begin_exit_count;
    uint32_t work_end_ckpt_count, work_end_exit_count;
    uint32_t work_cpus_ckpt_count;

    /* State. */
    uint64_t work_begins, work_ends;
    uint64_t work_cpus[PSEUDO_MAX_CPUS / 64]; /* have begun or ended work */
};

enum pseudo_work { PSEUDO_WORK_BEGIN, PSEUDO_WORK_END };

struct pseudo_call;

/* The CPU's side of a call. */
struct pseudo_cpu_ops {
    /* Copy from and to the guest's virtual memory, up to the first byte that
     * cannot be accessed.  Returns: bytes copied. */
    uint64_t (*read)(struct pseudo_call *call, uint64_t addr, void *data,
                     uint64_t len);
    uint64_t (*write)(struct pseudo_call *call, uint64_t addr, const void *data,
                      uint64_t len);
    /* Execute nothing until @until, an interrupt or wake(); TICK_MAX: only
     * these. */
    void (*quiesce)(struct pseudo_call *call, tick_t until);
    /* Length of the last time it executed nothing. */
    tick_t (*quiesce_time)(struct pseudo_call *call);
    tick_t (*cycles_to_ticks)(struct pseudo_call *call, uint64_t cycles);
    /* End the quiescence of another CPU; false: there is no such CPU. */
    bool (*wake)(struct pseudo_call *call, uint64_t cpu_id);
    void (*count_work)(struct pseudo_call *call, enum pseudo_work what);
};

struct pseudo_call {
    struct pseudo_machine *machine;
    const struct pseudo_cpu_ops *ops;
    void *ctx;              /* of ops */
    struct sim_object *cpu; /* for messages */
    uint32_t cpu_id;
    bool may_dump, may_checkpoint; /* gem5's do_statistics_insts and
                                      do_checkpoint_insts */
    tick_t now;                    /* of the guest's instruction */
    uint64_t args[PSEUDO_NUM_ARGS];
};

/**
 * pseudo_op_run() - perform operation @func
 * @result: what the guest gets; 0 for operations without a result
 *
 * May schedule events at call->now: the CPU must look at its horizon before it
 * goes on.
 *
 * An operation that is not implemented is reported and gives 0.
 * Returns: false if there is no such operation; *@result is 0 then.
 */
bool pseudo_op_run(struct pseudo_call *call, uint16_t func, uint64_t *result);

/** pseudo_op_name() - gem5's name without "m5_" ("work_begin"), or NULL. */
const char *pseudo_op_name(uint16_t func);

#ifdef __cplusplus
}
#endif

#endif
