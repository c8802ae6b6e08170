/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changing gear: a CPU object takes the place of another one, as gem5's
 * switchOut() and takeOverFrom().
 *
 * What moves is what the machine would call the processor: its state, the seat
 * in the emulated kernel with the thread that runs there, the interrupt
 * controllers, ports that the new CPU leaves unbound, the time.  What stays is
 * what a script counts: instructions, limits, statistics.
 *
 * Order: drain the simulation, switch out all old CPUs, let the new ones take
 * over, simulate.
 */
#ifndef CPU_TAKE_OVER_H
#define CPU_TAKE_OVER_H

#ifdef __cplusplus
extern "C" {
#endif

struct base_cpu;

/** base_cpu_switch_out() - stop running, keep the state; fatal if it already
 *  is switched out. */
void base_cpu_switch_out(struct base_cpu *cpu);

/** base_cpu_check_pair() - fatal unless @cpu and @old are the same processor of
 *  the same machine, so that one can take over from the other. */
void base_cpu_check_pair(const struct base_cpu *cpu,
                         const struct base_cpu *old);

/** base_cpu_take_over() - @cpu goes on where @old stopped; fatal unless both
 *  are switched out and are the same processor of the same machine. */
void base_cpu_take_over(struct base_cpu *cpu, struct base_cpu *old);

#ifdef __cplusplus
}
#endif

#endif
