/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "base/alloc.h"
#include "cpu/core_vcpu.h"
#include "cpu/kvm/kvm_cpuid.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_trap.h"
#include "cpu/kvm/kvm_vcpu.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/stat.h"

/* A run in the guest is interrupted this often, to look at the host's signals.
 * Each time costs an exit. */
static const tick_t KVM_SLICE = UINT64_C(50000000000); /* 50 ms */

enum { KVM_QUANTUM = 16000000 }; /* cycles of a thread's time slice */

struct kvm_cpu *kvm_cpu_of(struct sim_object *obj)
{
    return SIM_CAST(struct kvm_cpu, base_kvm_cpu_type, obj);
}

static void kvm_cpu_run(struct sim_runner *runner, tick_t until)
{
    kvm_cpu_execute(kvm_cpu_of(runner->owner), until);
}

static void kvm_cpu_kick(struct sim_runner *runner)
{
    struct kvm_cpu *cpu = kvm_cpu_of(runner->owner);

    if (kvm_gang_is_shared(&cpu->kvm->gang))
        kvm_gang_kick(&cpu->kvm->gang);
    else
        kvm_timer_kick(&cpu->timer);
}

static void kvm_cpu_state_out(struct base_cpu *base)
{
    struct kvm_cpu *cpu = kvm_cpu_of(&base->base.base);

    x86_core_sync(base->core);
    kvm_gang_quit(&cpu->kvm->gang, cpu);
}

/* The CPU that ran meanwhile may have changed anything. */
static void kvm_cpu_state_in(struct base_cpu *base)
{
    struct kvm_cpu *cpu = kvm_cpu_of(&base->base.base);

    if (!cpu->run) { /* in the child of a fork */
        kvm_cpu_start(cpu);
        return;
    }
    kvm_sync_forget(&cpu->sync);
    kvm_gang_join(&cpu->kvm->gang, cpu);
}

/* INT3 is planted anew at the next entries. */
static void kvm_cpu_stops_changed(struct linux_cpu *linux_cpu)
{
    struct base_cpu *base =
        SIM_CONTAINER_OF(linux_cpu, struct base_cpu, linux_cpu);

    core_stops_changed(linux_cpu);
    kvm_gang_uncover(&kvm_cpu_of(&base->base.base)->kvm->gang);
}

bool kvm_cpu_counts(const struct kvm_cpu *cpu)
{
    return cpu->use_perf && !cpu->has_lost_count &&
           cpu->kvm->probe.perf_counter == KVM_YES;
}

/* What the host can do is known when it was asked: kvm_cpu_check_limits(). */
static const char *kvm_cpu_inst_stop_refusal(const struct base_cpu *base)
{
    const struct kvm_cpu *cpu = kvm_cpu_of((struct sim_object *)base);

    if (!cpu->kvm->host || kvm_cpu_counts(cpu))
        return NULL;
    if (!cpu->use_perf)
        return "usePerf=False does not count instructions";
    return cpu->has_lost_count
               ? "the counter of instructions was lost in an earlier part of "
                 "this run"
               : "this host counts no instructions under KVM; give a place or "
                 "a time, or use another CPU model for this part";
}

static void kvm_cpu_check_limits(const struct kvm_cpu *cpu)
{
    const char *why = kvm_cpu_inst_stop_refusal(&cpu->base);

    if (why && cpu->base.inst_stops)
        sim_fatal(&cpu->base.base.base,
                  "cannot stop after %" PRIu64 " instructions: %s",
                  cpu->base.inst_stops->at - cpu->base.num_insts, why);
}

static const struct base_cpu_model kvm_cpu_model = {
    .state_out = kvm_cpu_state_out,
    .state_in = kvm_cpu_state_in,
    .inst_stop_refusal = kvm_cpu_inst_stop_refusal,
};

static void kvm_cpu_init(struct sim_object *obj)
{
    struct kvm_cpu *cpu = kvm_cpu_of(obj);

    cpu->kvm = kvm_system_of(obj);
    cpu->fd = -1;
    cpu->base.ops = &kvm_cpu_model;
    base_cpu_add_vcpu(&cpu->base,
                      cpu->base.is_in_se ? &kvm_vcpu_se_ops : &kvm_vcpu_ops);
    cpu->base.linux_cpu.stops_changed = kvm_cpu_stops_changed;
    cpu->base.runner.run = kvm_cpu_run;
    cpu->base.runner.kick = kvm_cpu_kick;
    cpu->base.runner.slice = KVM_SLICE;
    cpu->base.linux_cpu.quantum = KVM_QUANTUM;
    sim_add_runner(obj->sim, &cpu->base.runner);
}

/* ---------------------------------------------------------------- the vCPU
 */

static int kvm_cpu_set_cpuid(struct kvm_cpu *cpu)
{
    struct kvm_cpuid2 *cpuid =
        kvm_cpuid_make(cpu->base.cpuid, x86_core_state(cpu->base.core),
                       (uint32_t)cpu->base.cpu_id);
    int err = kvm_call_set_cpuid2(cpu->kvm->host, cpu->fd, cpuid);

    mem_free(cpuid);
    return err;
}

static int kvm_cpu_map_run(struct kvm_cpu *cpu)
{
    const struct kvm_host *host = cpu->kvm->host;

    cpu->run = host->ops->mmap(host->ops_self, cpu->fd, host->run_size);
    return cpu->run ? 0 : -ENOMEM;
}

static int kvm_cpu_open_vcpu(struct kvm_cpu *cpu)
{
    int err = 0;

    cpu->fd = kvm_vm_open_vcpu(cpu->kvm->vm, &cpu->vcpu_id);
    if (cpu->fd < 0)
        return cpu->fd;
    err = kvm_cpu_map_run(cpu);
    if (!err)
        err = kvm_cpu_set_cpuid(cpu);
    if (!err)
        err = kvm_sync_init(&cpu->sync, cpu->kvm->host, cpu->fd, cpu->run,
                            cpu->base.core);
    return err;
}

/* Where KVM does not keep ring 3 to XCR0, XSAVE writes all that the host has
 * into an area that was made for less.  XSAVEC leaves out what is not in use.
 */
static void kvm_cpu_check_model(const struct kvm_cpu *cpu)
{
    const struct sim_object *self = &cpu->base.base.base;
    const struct x86_cpuid *cpuid = cpu->base.cpuid;

    if (cpu->kvm->probe.vendor != KVM_VENDOR_PVM ||
        cpu->kvm->probe.avx512_state != KVM_YES ||
        !x86_cpuid_has(cpuid, X86_FEAT_XSAVE) ||
        x86_cpuid_has(cpuid, X86_FEAT_AVX512F) ||
        x86_cpuid_has(cpuid, X86_FEAT_XSAVEC))
        return;
    sim_fatal_param(self, "model",
                    "model '%s' has XSAVE for less than this host's registers, "
                    "which its KVM does not hide: programs would write beyond "
                    "their areas; take 'host', a model with AVX-512 or XSAVEC, "
                    "or one without XSAVE",
                    cpu->base.model);
}

/* What would change nothing says so. */
static void kvm_cpu_check_params(const struct kvm_cpu *cpu)
{
    const struct sim_object *self = &cpu->base.base.base;

    if (cpu->use_perf_overflow && !kvm_cpu_counts(cpu))
        sim_warn(self, "usePerfOverflow: %s; time slices end by a timer",
                 cpu->use_perf ? "this host counts no cycles under KVM"
                               : "usePerf is False");
    if (!cpu->use_xsave)
        sim_unimplemented(self, "useXSave=False: XSAVE carries the state");
}

static void kvm_cpu_open(struct kvm_cpu *cpu)
{
    struct sim_object *self = &cpu->base.base.base;
    double hz;
    int err = 0;

    kvm_system_startup(cpu->kvm);
    kvm_cpu_check_model(cpu);
    kvm_cpu_check_params(cpu);
    kvm_cpu_check_limits(cpu);
    kvm_perf_init(&cpu->perf, cpu->kvm->host);
    err = kvm_cpu_open_vcpu(cpu);
    if (err)
        sim_fatal(self, "KVM makes no vCPU: %s: %s",
                  kvm_host_blame(cpu->kvm->host, err), strerrordesc_np(-err));
    cpu->sync.trap = cpu->kvm->trap;
    cpu->sync.index = cpu->vcpu_id;
    cpu->has_host_tsc =
        cpu->sync.io.has_tsc_offset || cpu->kvm->probe.rdtsc_is_host == KVM_YES;
    cpu->base.linux_cpu.has_host_tsc = cpu->sync.trap && cpu->has_host_tsc;
    cpu->window.is_usable =
        cpu->sync.trap && cpu->kvm->probe.syscall_window == KVM_YES;
    cpu->sync.is_split = !cpu->sync.trap && kvm_machine_is_split(cpu->kvm);
    if (cpu->kvm->trap && !kvm_trap_add_cpu(cpu->kvm->trap, cpu->vcpu_id))
        sim_fatal(self, "guest RAM is too small for KVM's trap pages");
    hz = cpu->host_freq ? (double)cpu->host_freq
                        : (double)cpu->kvm->probe.tsc_khz * 1e3;
    cpu->ticks_per_tsc = cpu->host_factor * (double)TICKS_PER_SECOND / hz;
    if (!cpu->sync.trap)
        kvm_system_serve_msrs(cpu->kvm, &cpu->sync.io);
    if (*kvm_state_missing(&cpu->sync.io))
        sim_inform(self, "not carried between KVM and the simulator: %s",
                   kvm_state_missing(&cpu->sync.io));
}

static void kvm_cpu_close(struct kvm_cpu *cpu)
{
    const struct kvm_host *host = cpu->kvm ? cpu->kvm->host : NULL;

    if (!host)
        return;
    kvm_gang_quit(&cpu->kvm->gang, cpu);
    base_cpu_release_vcpu(&cpu->base);
    if (cpu->run) {
        kvm_sync_fini(&cpu->sync);
        host->ops->munmap(host->ops_self, cpu->run, host->run_size);
    }
    if (cpu->fd >= 0)
        kvm_vm_close_vcpu(cpu->kvm->vm, cpu->fd);
    cpu->run = NULL;
    cpu->fd = -1;
    kvm_system_release(cpu->kvm);
}

void kvm_cpu_start(struct kvm_cpu *cpu)
{
    kvm_cpu_open(cpu);
    if (!cpu->base.is_switched_out)
        kvm_gang_join(&cpu->kvm->gang, cpu);
}

static void kvm_cpu_startup(struct sim_object *obj)
{
    kvm_cpu_start(kvm_cpu_of(obj));
}

/* What the vCPU holds alone would be lost with it, as in a fork. */
static enum sim_drain kvm_cpu_drain(struct sim_object *obj)
{
    struct kvm_cpu *cpu = kvm_cpu_of(obj);

    x86_core_sync(cpu->base.core);
    if (cpu->base.linux_cpu.has_host_tsc && !cpu->base.is_switched_out)
        kernel_leave_host_tsc(&cpu->base.linux_cpu);
    cpu_io_leave_host_tsc(&cpu->base);
    return SIM_DRAINED;
}

/* The child makes a vCPU of its own when it needs one. */
static void kvm_cpu_after_fork(struct sim_object *obj)
{
    struct kvm_cpu *cpu = kvm_cpu_of(obj);

    kvm_gang_forked(&cpu->kvm->gang);
    kvm_cpu_close(cpu);
}

static void kvm_cpu_fini(struct sim_object *obj)
{
    kvm_cpu_close(kvm_cpu_of(obj));
}

/* -------------------------------------------------------------------- tables
 */

static const struct sim_ops kvm_cpu_ops = {
    .init = kvm_cpu_init,
    .startup = kvm_cpu_startup,
    .drain = kvm_cpu_drain,
    .after_fork = kvm_cpu_after_fork,
    .fini = kvm_cpu_fini,
};

static const struct sim_param kvm_cpu_params[] = {
    SIM_PARAM_NAMED(struct kvm_cpu, use_perf, "usePerf", "True", "",
                    "Count the instructions that KVM executes, where the "
                    "host's processor can; stops by count need it"),
    SIM_PARAM_NAMED(struct kvm_cpu, use_coalesced_mmio, "useCoalescedMMIO",
                    "False", "", "Serve gathered writes of KvmVM's regions"),
    SIM_PARAM_NAMED(struct kvm_cpu, use_perf_overflow, "usePerfOverflow",
                    "False", "",
                    "End time slices by counted cycles instead of a timer"),
    SIM_PARAM_NAMED(struct kvm_cpu, always_sync, "alwaysSyncTC", "False", "",
                    "Carry the whole state at each entry and exit"),
    SIM_PARAM_NAMED(struct kvm_cpu, host_freq, "hostFreq", "0Hz", "Hz",
                    "Frequency of the guest's TSC; 0: as measured"),
    SIM_PARAM_NAMED(struct kvm_cpu, host_factor, "hostFactor", "1.0", "",
                    "Simulated time that one second of the host is"),
    SIM_PARAM_NAMED(struct kvm_cpu, core_insts, "coreInsts", "30000", "",
                    "Instructions that the functional core executes after an "
                    "event of a program that came soon after the last one, "
                    "since an exit takes as long; 0: none"),
    SIM_END_PARAM,
};

static const struct sim_stat kvm_cpu_stats[] = {
    SIM_STAT(struct kvm_cpu, num_exits, "numVMExits", "Count",
             "Exits from the guest to the simulator"),
    SIM_STAT(struct kvm_cpu, num_half_entries, "numVMHalfEntries", "Count",
             "Entries that only completed an access"),
    SIM_STAT(struct kvm_cpu, num_signal_exits, "numExitSignal", "Count",
             "Exits by a timer or a kick"),
    SIM_STAT(struct kvm_cpu, num_wasted_exits, "numExitWasted", "Count",
             "Exits by an interrupt window that met no system call"),
    SIM_STAT(struct kvm_cpu, num_mmio, "numMMIO", "Count",
             "Exits for memory-mapped I/O"),
    SIM_STAT(struct kvm_cpu, num_coalesced, "numCoalescedMMIO", "Count",
             "Gathered writes that needed no exit"),
    SIM_STAT(struct kvm_cpu, num_io, "numIO", "Count", "Exits for port I/O"),
    SIM_STAT(struct kvm_cpu, num_halts, "numHalt", "Count", "Exits by HLT"),
    SIM_STAT(struct kvm_cpu, num_interrupts, "numInterrupts", "Count",
             "Interrupts given to the guest"),
    SIM_STAT(struct kvm_cpu, num_hypercalls, "numHypercalls", "Count",
             "Hypercalls"),
    SIM_STAT(struct kvm_cpu, num_syscall_traps, "numSyscallTraps", "Count",
             "Exits for a program's system calls"),
    SIM_STAT(struct kvm_cpu, num_fault_traps, "numFaultTraps", "Count",
             "Exits for a program's exceptions"),
    SIM_STAT(struct kvm_cpu, num_guard_traps, "numGuardTraps", "Count",
             "Exits before code that is left to the core, as VMCALL is"),
    SIM_STAT(struct kvm_cpu, num_emulation_steps, "numEmulationSteps", "Count",
             "Instructions that the core executed for KVM"),
    SIM_STAT(struct kvm_cpu, num_core_insts, "numCoreInsts", "Count",
             "Instructions of stretches that the core executed"),
    SIM_STAT(struct kvm_cpu, num_host_insts, "numHostInsts", "Count",
             "Instructions that KVM executed, where the host counts them"),
    SIM_STAT(struct kvm_cpu, sync.num_put, "numStatePuts", "Count",
             "Times that vector state went into the vCPU"),
    SIM_STAT(struct kvm_cpu, sync.num_get, "numStateGets", "Count",
             "Times that vector state came out of the vCPU"),
    SIM_END_STAT,
};

const struct sim_type base_kvm_cpu_type = {
    .name = "BaseKvmCPU",
    .doc = "CPU that executes on the host's processor through KVM",
    .base = &base_cpu_type,
    .size = sizeof(struct kvm_cpu),
    .is_abstract = true,
    .ops = &kvm_cpu_ops,
    .params = kvm_cpu_params,
    .stats = kvm_cpu_stats,
};

static const struct sim_param x86_kvm_cpu_params[] = {
    SIM_PARAM_NAMED(struct kvm_cpu, use_xsave, "useXSave", "True", "",
                    "Carry vector state by XSAVE; False is not supported"),
    SIM_END_PARAM,
};

const struct sim_type x86_kvm_cpu_type = {
    .name = "X86KvmCPU",
    .doc = "x86-64 CPU that executes on the host's processor through KVM",
    .base = &base_kvm_cpu_type,
    .size = sizeof(struct kvm_cpu),
    .params = x86_kvm_cpu_params,
};
