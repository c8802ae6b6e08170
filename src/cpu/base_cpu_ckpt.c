/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/base_cpu_ckpt.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/state_ckpt.h"
#include "base/alloc.h"
#include "cpu/base_cpu.h"
#include "cpu/take_over.h"
#include "sim/checkpoint.h"
#include "sim/report.h"

/* How far the CPU has got and what it may still run. */
static const struct sim_field base_cpu_run_fields[] = {
    SIM_FIELD(struct base_cpu, runner.now, "ticks", "How far it has got"),
    SIM_FIELD(struct base_cpu, linux_cpu.slice_left, "",
              "Instructions left of the time slice"),
    SIM_FIELD(struct base_cpu, linux_cpu.rt_ran, "",
              "Instructions of real-time threads since another one ran"),
    SIM_FIELD(struct base_cpu, linux_cpu.is_woken, "", "Will look for work"),
    SIM_FIELD(struct base_cpu, was_active, "", "When it was switched out"),
    SIM_FIELD(struct base_cpu, io.is_quiesced, "", "Sleeps: m5_quiesce"),
    SIM_FIELD(struct base_cpu, io.quiesced_at, "ticks", "Since when"),
    SIM_FIELD(struct base_cpu, io.quiesce_until, "ticks", "Until when"),
    SIM_FIELD(struct base_cpu, io.last_quiescence, "ticks",
              "Length of the last sleep"),
    SIM_FIELD(struct base_cpu, io.is_poked, "", "Will ask for interrupts"),
    SIM_FIELD(struct base_cpu, io.has_init, "", "INIT has arrived"),
    SIM_FIELD(struct base_cpu, io.has_start, "", "SIPI has arrived"),
    SIM_FIELD(struct base_cpu, io.start_vector, "", "Its vector"),
    SIM_END,
};

/* Programs look at CPUID once and keep to it. */
static uint64_t base_cpu_features(const struct base_cpu *cpu)
{
    char *flags = x86_cpuid_flags_text(cpu->cpuid);
    uint64_t sum = XXH64(flags, strlen(flags), 0);

    mem_free(flags);
    return sum;
}

void base_cpu_save(const struct sim_object *obj, struct ckpt_writer *w)
{
    const struct base_cpu *cpu =
        (const struct base_cpu *)(const void *)sim_object_cast(obj,
                                                               &base_cpu_type);

    ckpt_put_fields(w, cpu, base_cpu_run_fields);
    ckpt_put_u64(w, "is_active", cpu->runner.is_active);
    ckpt_put_u64(w, "is_switched_out", cpu->is_switched_out);
    ckpt_put_u64(w, "features", base_cpu_features(cpu));
    x86_core_sync(cpu->core);
    ckpt_subsection(w, "core");
    x86_state_save(x86_core_state(cpu->core), w);
}

static void base_cpu_check_features(const struct base_cpu *cpu,
                                    uint64_t features)
{
    if (features != base_cpu_features(cpu))
        sim_warn(&cpu->base.base,
                 "CPUID tells other features than when the checkpoint was "
                 "written: programs that asked may use what is not there");
}

/* Another model may count slices in another unit. */
static void base_cpu_fit_slice(struct base_cpu *cpu)
{
    const struct kernel *kernel = cpu->linux_cpu.kernel;
    uint64_t quantum = cpu->linux_cpu.quantum;

    if (!kernel)
        return;
    if (!quantum)
        quantum = kernel->cfg.quantum_insts;
    if (cpu->linux_cpu.slice_left > quantum)
        cpu->linux_cpu.slice_left = quantum;
}

/* The checkpoint was written after another CPU than the script's first choice
 * had taken over: let it do so again. */
static int base_cpu_load_seat(struct base_cpu *cpu, struct ckpt_reader *r)
{
    uint64_t is_switched_out = 0;
    struct base_cpu *old = base_cpu_next(cpu->system, NULL);
    int err = ckpt_get_u64(r, "is_switched_out", &is_switched_out);

    if (err || is_switched_out || !cpu->is_switched_out)
        return err;
    while (old && (old->is_switched_out || old->cpu_id != cpu->cpu_id))
        old = base_cpu_next(cpu->system, old);
    if (!old)
        return ckpt_read_failed(r, -EINVAL,
                                "no CPU gives it the place that it had");
    base_cpu_switch_out(old);
    base_cpu_take_over(cpu, old);
    return 0;
}

static int base_cpu_load_run(struct base_cpu *cpu, struct ckpt_reader *r)
{
    uint64_t is_active = 0, features = 0;
    int err = ckpt_get_fields(r, cpu, base_cpu_run_fields);

    if (!err)
        err = ckpt_get_u64(r, "is_active", &is_active);
    if (!err)
        err = ckpt_get_u64(r, "features", &features);
    if (err)
        return err;
    cpu->wakes_at_startup = is_active != 0;
    base_cpu_fit_slice(cpu);
    base_cpu_check_features(cpu, features);
    return 0;
}

int base_cpu_load(struct sim_object *obj, struct ckpt_reader *r)
{
    struct base_cpu *cpu = base_cpu_of(obj);
    int err = base_cpu_load_seat(cpu, r);

    if (!err)
        err = base_cpu_load_run(cpu, r);
    ckpt_enter_subsection(r, "core");
    if (!err)
        err = x86_state_load(x86_core_state(cpu->core), r);
    if (err)
        return err;
    x86_core_state_changed(cpu->core);
    x86_core_flush_tlb(cpu->core);
    base_cpu_limit_insts(cpu);
    return 0;
}
