/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pseudo operations for programs that are simulated; link with libm5.a.
 *
 * m5_exit() and its kin execute the instruction 0F 04, which is undefined on
 * real processors; m5_exit_addr() and its kin read an address of the window
 * that map_m5_mem() has mapped (gem5/m5_mmap.h), which also works where the
 * host's processor executes the program.
 *
 * Times are nanoseconds: a delay from now, and a period for repetition (0:
 * once).
 */
#ifndef GEM5_M5OPS_H
#define GEM5_M5OPS_H

#include <stdint.h>

#include <gem5/asm/generic/m5ops.h>

#ifdef __cplusplus
extern "C" {
#endif

void m5_arm(uint64_t address);
/* Execute nothing until an interrupt or m5_wake_cpu(), or for a time. */
void m5_quiesce(void);
void m5_quiesce_ns(uint64_t ns);
void m5_quiesce_cycle(uint64_t cycles);
uint64_t m5_quiesce_time(void); /* length of the last such time [ns] */
uint64_t m5_rpns(void);         /* simulated time [ns] */
void m5_wake_cpu(uint64_t cpuid);

/* simulate() returns to the script. */
void m5_exit(uint64_t ns_delay);
void m5_fail(uint64_t ns_delay, uint64_t code);
void m5_checkpoint(uint64_t ns_delay, uint64_t ns_period);
void m5_switch_cpu(void);
void m5_debug_break(void);
void m5_panic(void);

unsigned m5_sum(unsigned a, unsigned b, unsigned c, unsigned d, unsigned e,
                unsigned f); /* of all arguments, to test this interface */
/* A parameter by its name of up to 16 characters; 0, 0: System.init_param. */
uint64_t m5_init_param(uint64_t key_str1, uint64_t key_str2);

void m5_reset_stats(uint64_t ns_delay, uint64_t ns_period);
void m5_dump_stats(uint64_t ns_delay, uint64_t ns_period);
void m5_dump_reset_stats(uint64_t ns_delay, uint64_t ns_period);

/* Part of System.readfile; returns bytes read, 0 at the end. */
uint64_t m5_read_file(void *buffer, uint64_t len, uint64_t offset);
/* To a file in the output directory, emptied if @offset is 0. */
uint64_t m5_write_file(void *buffer, uint64_t len, uint64_t offset,
                       const char *filename);

void m5_work_begin(uint64_t workid, uint64_t threadid);
void m5_work_end(uint64_t workid, uint64_t threadid);

void m5_add_symbol(uint64_t addr, const char *symbol);
void m5_load_symbol(void);
void m5_dist_toggle_sync(void);
void m5_workload(void);

#define M5OP(name, func) __typeof__(name) M5OP_MERGE_TOKENS(name, _addr);
M5OP_FOREACH
#undef M5OP

#ifdef __cplusplus
}
#endif

#endif
