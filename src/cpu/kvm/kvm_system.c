/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_system.h"

#include <errno.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/se_workload.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_msr_exit.h"
#include "cpu/kvm/kvm_state.h"
#include "cpu/kvm/kvm_trap.h"
#include "mem/system.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/stat.h"

#define MSR_TSC          0x10u
#define MSR_TSC_DEADLINE 0x6e0u

/* Where some hosts cannot tell, and for a machine without programs. */
static const uint32_t TSS_ADDR = 0xfffbd000;

static struct kvm_system *kvm_system_cast(struct sim_object *obj)
{
    return SIM_CAST(struct kvm_system, kvm_vm_type, obj);
}

struct kvm_system *kvm_system_of(const struct sim_object *obj)
{
    const struct system *system = system_of(obj);

    if (!system->kvm_vm)
        sim_fatal(obj, "%s has no KvmVM; set system.kvm_vm = KvmVM()",
                  system->base.path);
    return kvm_system_cast(system->kvm_vm);
}

/* ------------------------------------------------------------- stale entries
 */

static struct kvm_system *kvm_system_watching(struct mm_watch *watch)
{
    return SIM_CONTAINER_OF(watch, struct kvm_system, watch);
}

/* What is stale is dropped when a vCPU enters: kvm_system_settle(). */
static void kvm_system_changed(struct mm_watch *watch, struct mm *mm,
                               uint64_t start, uint64_t len)
{
    struct kvm_system *kvm = kvm_system_watching(watch);
    struct mm_watch *next = kvm->watch_next;

    if (kvm_gang_uses(&kvm->gang, mm))
        kvm_gang_pause(&kvm->gang);
    if (next)
        next->changed(next, mm, start, len);
}

static void kvm_system_frame(struct mm_watch *watch, gpa_t frame, uint64_t len)
{
    struct kvm_system *kvm = kvm_system_watching(watch);
    struct kvm_stale *last =
        kvm->num_stale ? &kvm->stale[kvm->num_stale - 1] : NULL;

    if (last && last->gpa + last->size == frame.v)
        last->size += len;
    else if (kvm->num_stale < KVM_SYSTEM_MAX_STALE)
        kvm->stale[kvm->num_stale++] = (struct kvm_stale){frame.v, len};
    else
        kvm->is_all_stale = true;
    if (kvm->watch_next && kvm->watch_next->frame)
        kvm->watch_next->frame(kvm->watch_next, frame, len);
}

/* What KVM has made of a table would be used again with the frame. */
static void kvm_system_table(struct mm_watch *watch, gpa_t table)
{
    struct kvm_system *kvm = kvm_system_watching(watch);

    kvm->is_all_stale = true;
    if (kvm->watch_next && kvm->watch_next->table)
        kvm->watch_next->table(kvm->watch_next, table);
}

static int kvm_system_drop_stale(struct kvm_system *kvm)
{
    int err = 0;

    if (kvm->is_all_stale) {
        kvm->num_invalidations++;
        return kvm_vm_invalidate_all(kvm->vm);
    }
    for (uint32_t i = 0; i < kvm->num_stale && !err; i++)
        err = kvm_vm_invalidate_frames(kvm->vm, kvm->stale[i].gpa,
                                       kvm->stale[i].size);
    kvm->num_frame_invalidations += kvm->num_stale;
    return err;
}

void kvm_system_settle(struct kvm_system *kvm)
{
    int err;

    if (!kvm->num_stale && !kvm->is_all_stale)
        return;
    kvm_gang_pause(&kvm->gang);
    err = kvm_system_drop_stale(kvm);
    if (err)
        sim_fatal(&kvm->base, "KVM does not map guest RAM again: %s: %s",
                  kvm_host_blame(kvm->host, err), strerrordesc_np(-err));
    kvm->num_stale = 0;
    kvm->is_all_stale = false;
}

/* ---------------------------------------------------------------- life cycle
 */

static struct kernel *kvm_system_kernel(const struct kvm_system *kvm)
{
    const struct system *system = system_of(&kvm->base);

    if (!system->workload ||
        !sim_object_is_a(&system->workload->base, &se_workload_type))
        return NULL;
    return SIM_CAST(struct se_workload, se_workload_type,
                    &system->workload->base)
        ->kernel;
}

static void kvm_system_open(struct kvm_system *kvm)
{
    const struct kvm_host_cfg cfg = {
        .path = *kvm->device ? kvm->device : NULL,
        .ops = kvm->ops,
        .ops_self = kvm->ops_self,
    };
    char why[KVM_HOST_WHY_SIZE] = "";
    int err = kvm_host_open(&cfg, &kvm->host, why);

    if (err)
        sim_fatal(&kvm->base, "no KVM: %s", why);
    if (kvm_probe_check(kvm->host, &kvm->probe, why))
        sim_fatal(&kvm->base, "no KVM: %s; see gearshift kvm-info", why);
    err = kvm_vm_create(kvm->host, system_of(&kvm->base)->physmem, &kvm->vm);
    if (!err)
        err = kvm_vm_set_tss_addr(kvm->vm, TSS_ADDR);
    if (err)
        sim_fatal(&kvm->base, "no KVM: %s makes no VM: %s: %s", kvm->host->path,
                  kvm_host_blame(kvm->host, err), strerrordesc_np(-err));
}

static void kvm_system_coalesce(struct kvm_system *kvm)
{
    for (uint32_t i = 0; i < kvm->coalesced_mmio.len; i++) {
        const struct addr_range *range = &kvm->coalesced_mmio.data[i];
        int err = kvm_vm_coalesce(kvm->vm, KVM_COALESCED_MMIO, range->start,
                                  (uint32_t)(range->end - range->start));

        if (err)
            sim_fatal_param(&kvm->base, "coalescedMMIO",
                            "KVM gathers no writes there: %s: %s",
                            kvm_host_blame(kvm->host, err),
                            strerrordesc_np(-err));
    }
}

/* Programs have no such instructions. */
static void kvm_system_hand_over_msrs(struct kvm_system *kvm)
{
    int err = kvm_msr_exit_unknown(kvm->host, kvm_vm_fd(kvm->vm));

    if (err)
        sim_fatal(&kvm->base, "KVM does not hand unknown MSRs over: %s: %s",
                  kvm_host_blame(kvm->host, err), strerrordesc_np(-err));
}

void kvm_system_serve_msrs(struct kvm_system *kvm, struct kvm_state_io *io)
{
    const struct sim_vec_u64 *filtered = &kvm->filtered_msrs;
    uint64_t index[KVM_STATE_MAX_MSRS + 2 + KVM_MSR_EXIT_MAX];
    uint32_t count = kvm_state_add_machine_msrs(io, index);
    int err;

    index[count++] = MSR_TSC_DEADLINE; /* the local APIC's, which is ours */
    if (!io->has_tsc_offset)
        index[count++] = MSR_TSC; /* RDTSC gives the host's in any case */
    if (filtered->len + count > KVM_MSR_EXIT_MAX)
        sim_fatal_param(&kvm->base, "filtered_msrs",
                        "KVM takes no filter for so many; here at most %u",
                        KVM_MSR_EXIT_MAX - count);
    for (uint32_t i = 0; i < filtered->len; i++)
        index[count++] = filtered->data[i];
    err = kvm_msr_exit_filter(kvm->host, kvm_vm_fd(kvm->vm), index, count);
    if (err == -ENOTSUP && !filtered->len)
        return;
    if (err)
        sim_fatal_param(&kvm->base, "filtered_msrs",
                        "KVM takes no filter: %s: %s",
                        kvm_host_blame(kvm->host, err), strerrordesc_np(-err));
}

static void kvm_system_set_traps(struct kvm_system *kvm, struct kernel *kernel)
{
    if (!kvm->probe.stub_addr)
        sim_fatal(&kvm->base, "KVM reaches no page for system calls on this "
                              "host; see gearshift kvm-info");
    kvm->trap = kvm_trap_create(kernel, kvm->probe.stub_addr);
    if (!kvm->trap)
        sim_fatal(&kvm->base, "guest RAM is too small for KVM's trap pages");
    if (kvm->probe.syscall_window == KVM_YES)
        kvm_trap_open_window(kvm->trap);
    kvm->watch = (struct mm_watch){
        .changed = kvm_system_changed,
        .frame = kvm_system_frame,
        .table = kvm_system_table,
    };
    kvm->watch_next = kernel->watch_next;
    kernel->watch_next = &kvm->watch;
    kernel->mm_watch.tracks_code = true;
    for (const struct process *process = kernel->processes; process;
         process = process->next)
        if (process->mm)
            mm_guards_look_at_all(process->mm);
}

void kvm_system_startup(struct kvm_system *kvm)
{
    struct kernel *kernel = kvm_system_kernel(kvm);
    int err = 0;

    if (kvm->is_forked)
        kvm_system_close(kvm);
    kvm->is_forked = false;
    if (kvm->vm)
        return;
    kvm_system_open(kvm);
    kvm_system_coalesce(kvm);
    if (!kernel)
        kvm_system_hand_over_msrs(kvm);
    else if (!kvm->trap)
        kvm_system_set_traps(kvm, kernel);
    err = kvm_vm_startup(kvm->vm);
    if (err)
        sim_fatal(&kvm->base, "KVM does not map guest RAM: %s: %s",
                  kvm_host_blame(kvm->host, err), strerrordesc_np(-err));
    kvm->num_stale = 0;
    kvm->is_all_stale = false;
}

void kvm_system_close(struct kvm_system *kvm)
{
    if (kvm->vm)
        (void)kvm_vm_destroy(kvm->vm);
    kvm_host_close(kvm->host);
    kvm->vm = NULL;
    kvm->host = NULL;
}

void kvm_system_release(struct kvm_system *kvm)
{
    if (!kvm->is_over || kvm_vm_destroy(kvm->vm))
        return;
    kvm->vm = NULL;
    kvm_system_close(kvm);
    kvm_trap_destroy(kvm->trap);
    kvm->trap = NULL;
}

static void kvm_system_init(struct sim_object *obj)
{
    kvm_gang_init(&kvm_system_cast(obj)->gang);
}

static void kvm_system_fini(struct sim_object *obj)
{
    struct kvm_system *kvm = kvm_system_cast(obj);

    kvm->is_over = true;
    kvm_system_release(kvm);
}

/* -------------------------------------------------------------------- tables
 */

/* A VM belongs to the address space that made it.  The vCPUs close theirs
 * before the first one starts up again. */
static void kvm_system_after_fork(struct sim_object *obj)
{
    kvm_system_cast(obj)->is_forked = true;
}

static const struct sim_ops kvm_system_ops = {
    .init = kvm_system_init,
    .after_fork = kvm_system_after_fork,
    .fini = kvm_system_fini,
};

static const struct sim_param kvm_system_params[] = {
    SIM_PARAM_OBJ(struct kvm_system, system, "Parent.any", system_type,
                  "The machine"),
    SIM_PARAM_NAMED(struct kvm_system, coalesced_mmio, "coalescedMMIO", "[]",
                    "addr",
                    "Regions whose writes may be gathered without exits"),
    SIM_PARAM(struct kvm_system, device, "/dev/kvm", "",
              "The host's KVM device"),
    SIM_PARAM(struct kvm_system, ring0, "auto", "",
              "Who executes ring 0 of whole machines: KVM, the functional core "
              "(simulated), or the core where KVM would emulate it (auto)",
              .names = kvm_ring0_mode_names),
    SIM_PARAM(struct kvm_system, filtered_msrs, "[]", "",
              "Model-specific registers that are the simulator's, and so "
              "System.on_msr()'s, although KVM knows them",
              .max = UINT32_MAX),
    SIM_END_PARAM,
};

static const struct sim_stat kvm_system_stats[] = {
    SIM_STAT(struct kvm_system, num_invalidations, "numInvalidations", "Count",
             "Times that all cached translations were dropped"),
    SIM_STAT(struct kvm_system, num_frame_invalidations,
             "numFrameInvalidations", "Count",
             "Runs of frames whose cached translations were dropped"),
    SIM_END_STAT,
};

const struct sim_type kvm_vm_type = {
    .name = "KvmVM",
    .doc = "Virtual machine of the host, for the KVM CPUs of a System",
    .base = &sim_object_type,
    .size = sizeof(struct kvm_system),
    .ops = &kvm_system_ops,
    .params = kvm_system_params,
    .stats = kvm_system_stats,
};
