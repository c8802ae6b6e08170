/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/take_over.h"

#include <inttypes.h>
#include <string.h>

#include "cpu/base_cpu.h"
#include "cpu/core_vcpu.h"
#include "sim/report.h"

void base_cpu_switch_out(struct base_cpu *cpu)
{
    struct sim_object *self = &cpu->base.base;

    if (cpu->is_switched_out)
        sim_fatal(self, "is already switched out");
    cpu->was_active = cpu->runner.is_active;
    cpu->is_switched_out = true;
    sim_runner_suspend(self->sim, &cpu->runner);
    if (cpu->ops && cpu->ops->state_out)
        cpu->ops->state_out(cpu);
    base_cpu_release_vcpu(cpu);
}

/* -------------------------------------------------------------------- checks
 */

/* The machine must stay the same. */
void base_cpu_check_pair(const struct base_cpu *cpu, const struct base_cpu *old)
{
    const struct sim_object *self = &cpu->base.base;
    const char *other = old->base.base.path;

    if (cpu->system != old->system)
        sim_fatal(self, "cannot take over from %s, which is in another System",
                  other);
    if (cpu->num_threads != old->num_threads)
        sim_fatal_param(self, "numThreads",
                        "%u hardware threads, but %s has %u", cpu->num_threads,
                        other, old->num_threads);
    if (cpu->cpu_id != old->cpu_id)
        sim_fatal_param(self, "cpu_id",
                        "number %" PRIu64 ", but that of %s is %" PRIu64
                        "; a CPU takes over from one with its own number",
                        cpu->cpu_id, other, old->cpu_id);
    if (strcmp(cpu->model, old->model) != 0)
        sim_fatal_param(self, "model",
                        "model '%s', but that of %s is '%s'; what CPUID tells "
                        "cannot change while programs run",
                        cpu->model, other, old->model);
}

static void check_take_over(const struct base_cpu *cpu,
                            const struct base_cpu *old)
{
    const struct sim_object *self = &cpu->base.base;

    if (!cpu->is_switched_out)
        sim_fatal(self, "is running: only a CPU that is switched out can take "
                        "over");
    if (!old->is_switched_out)
        sim_fatal(self,
                  "%s has to be switched out before another CPU takes "
                  "over from it",
                  old->base.base.path);
    if (cpu->is_in_se && (cpu->linux_cpu.kernel || !old->linux_cpu.kernel))
        sim_fatal(self, "there is nothing to take over from %s",
                  old->base.base.path);
    base_cpu_check_pair(cpu, old);
}

/* --------------------------------------------------------------- what moves */

/* A port that the script left unbound gets the connection of the old CPU. */
static void move_port(struct sim_port *to, struct sim_port *from)
{
    if (to->peer || !from->peer)
        return;
    to->peer = from->peer;
    to->peer->peer = to;
    from->peer = NULL;
}

void base_cpu_take_over(struct base_cpu *cpu, struct base_cpu *old)
{
    struct sim *sim = cpu->base.base.sim;

    check_take_over(cpu, old);
    x86_core_take_over(cpu->core, old->core);
    if (old->linux_cpu.kernel)
        kernel_change_cpu(&old->linux_cpu, &cpu->linux_cpu);
    move_port(&cpu->icache_port, &old->icache_port);
    move_port(&cpu->dcache_port, &old->dcache_port);
    cpu_io_take_over(cpu, old);
    cpu->is_switched_out = false;
    /* It may have got a little beyond the tick of the exit. */
    cpu->runner.now = old->runner.now;
    if (old->was_active)
        sim_runner_activate(sim, &cpu->runner);
    old->was_active = false;
    core_stops_refresh(cpu);
    if (cpu->ops && cpu->ops->state_in)
        cpu->ops->state_in(cpu);
}
