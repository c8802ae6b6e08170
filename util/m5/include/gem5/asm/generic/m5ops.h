/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the pseudo operations, for C and assembly.  M5OP_FOREACH expands
 * M5OP(function, number) for each; gem5's names throughout.
 */
#ifndef GEM5_ASM_GENERIC_M5OPS_H
#define GEM5_ASM_GENERIC_M5OPS_H

#define M5OP_ARM              0x00
#define M5OP_QUIESCE          0x01
#define M5OP_QUIESCE_NS       0x02
#define M5OP_QUIESCE_CYCLE    0x03
#define M5OP_QUIESCE_TIME     0x04
#define M5OP_RPNS             0x07
#define M5OP_WAKE_CPU         0x09
#define M5OP_EXIT             0x21
#define M5OP_FAIL             0x22
#define M5OP_SUM              0x23
#define M5OP_INIT_PARAM       0x30
#define M5OP_LOAD_SYMBOL      0x31
#define M5OP_RESET_STATS      0x40
#define M5OP_DUMP_STATS       0x41
#define M5OP_DUMP_RESET_STATS 0x42
#define M5OP_CHECKPOINT       0x43
#define M5OP_WRITE_FILE       0x4f
#define M5OP_READ_FILE        0x50
#define M5OP_DEBUG_BREAK      0x51
#define M5OP_SWITCH_CPU       0x52
#define M5OP_ADD_SYMBOL       0x53
#define M5OP_PANIC            0x54
#define M5OP_WORK_BEGIN       0x5a
#define M5OP_WORK_END         0x5b
#define M5OP_DIST_TOGGLE_SYNC 0x62
#define M5OP_WORKLOAD         0x70

/* clang-format off */
#define M5OP_FOREACH                                                           \
    M5OP(m5_arm, M5OP_ARM)                                                     \
    M5OP(m5_quiesce, M5OP_QUIESCE)                                             \
    M5OP(m5_quiesce_ns, M5OP_QUIESCE_NS)                                       \
    M5OP(m5_quiesce_cycle, M5OP_QUIESCE_CYCLE)                                 \
    M5OP(m5_quiesce_time, M5OP_QUIESCE_TIME)                                   \
    M5OP(m5_rpns, M5OP_RPNS)                                                   \
    M5OP(m5_wake_cpu, M5OP_WAKE_CPU)                                           \
    M5OP(m5_exit, M5OP_EXIT)                                                   \
    M5OP(m5_fail, M5OP_FAIL)                                                   \
    M5OP(m5_sum, M5OP_SUM)                                                     \
    M5OP(m5_init_param, M5OP_INIT_PARAM)                                       \
    M5OP(m5_load_symbol, M5OP_LOAD_SYMBOL)                                     \
    M5OP(m5_reset_stats, M5OP_RESET_STATS)                                     \
    M5OP(m5_dump_stats, M5OP_DUMP_STATS)                                       \
    M5OP(m5_dump_reset_stats, M5OP_DUMP_RESET_STATS)                           \
    M5OP(m5_checkpoint, M5OP_CHECKPOINT)                                       \
    M5OP(m5_write_file, M5OP_WRITE_FILE)                                       \
    M5OP(m5_read_file, M5OP_READ_FILE)                                         \
    M5OP(m5_debug_break, M5OP_DEBUG_BREAK)                                     \
    M5OP(m5_switch_cpu, M5OP_SWITCH_CPU)                                       \
    M5OP(m5_add_symbol, M5OP_ADD_SYMBOL)                                       \
    M5OP(m5_panic, M5OP_PANIC)                                                 \
    M5OP(m5_work_begin, M5OP_WORK_BEGIN)                                       \
    M5OP(m5_work_end, M5OP_WORK_END)                                           \
    M5OP(m5_dist_toggle_sync, M5OP_DIST_TOGGLE_SYNC)                           \
    M5OP(m5_workload, M5OP_WORKLOAD)
/* clang-format on */

#define M5OP_MERGE_TOKENS_I(a, b) a##b
#define M5OP_MERGE_TOKENS(a, b)   M5OP_MERGE_TOKENS_I(a, b)

#endif
