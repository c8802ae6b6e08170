/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The object KvmVM: one VM of the host for the CPUs of one System.
 *
 * Nothing of KVM is touched while a machine is described, initialised or
 * restored; /dev/kvm is opened and RAM is mapped when the first KVM CPU starts
 * (kvm_system_startup), because loading a checkpoint may map RAM anew until
 * then.  A machine with KVM CPUs can so be built and printed anywhere.
 *
 * Translations that the emulated kernel takes back are noted here and made
 * invisible before the next entry of any vCPU (kvm_system_settle).
 */
#ifndef CPU_KVM_KVM_SYSTEM_H
#define CPU_KVM_KVM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/linux/mm.h"
#include "cpu/kvm/kvm_gang.h"
#include "cpu/kvm/kvm_host.h"
#include "cpu/kvm/kvm_probe.h"
#include "cpu/kvm/kvm_vm.h"
#include "sim/field.h"
#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_state_io;
struct kvm_trap;
struct system;

/* Ranges of frames that are made invisible one by one; beyond it is cheaper to
 * drop all translations and have those in use found again. */
enum { KVM_SYSTEM_MAX_STALE = 64 };

struct kvm_system {
    struct sim_object base;

    /* Parameters. */
    struct sim_object *system;
    struct sim_vec_range coalesced_mmio;
    const char *device; /* "/dev/kvm" */
    uint32_t ring0;     /* enum kvm_ring0_mode */
    struct sim_vec_u64 filtered_msrs;

    /* Statistics. */
    uint64_t num_invalidations, num_frame_invalidations;

    /* Derived. */
    const struct kvm_ops *ops; /* of the host; NULL: the real ones */
    void *ops_self;
    struct kvm_host *host;
    struct kvm_vm *vm;
    struct kvm_probe probe;
    struct kvm_trap *trap; /* of programs; NULL for whole machines */
    struct kvm_gang gang;  /* CPUs that are in use */
    struct mm_watch watch;
    struct mm_watch *watch_next;
    /* What was taken from page tables since vCPUs entered last. */
    struct kvm_stale {
        uint64_t gpa, size;
    } stale[KVM_SYSTEM_MAX_STALE];
    uint32_t num_stale;
    bool is_all_stale;
    bool is_forked; /* vm and host are those of the parent process */
    bool is_over;   /* its fini was called, maybe before that of its CPUs */
};

/** kvm_system_of() - the KvmVM of the machine that @obj belongs to; fatal if
 *  there is none. */
struct kvm_system *kvm_system_of(const struct sim_object *obj);

/** kvm_system_startup() - open, probe and map once; later calls do nothing.
 *  Fatal, with a hint, if the host has no usable KVM. */
void kvm_system_startup(struct kvm_system *kvm);

/**
 * kvm_system_serve_msrs() - of a whole machine: what the vCPU behind @io does
 * not keep, the local APIC's deadline and KvmVM.filtered_msrs leave KVM
 *
 * Fatal if the host takes no filter that the user has asked for.
 */
void kvm_system_serve_msrs(struct kvm_system *kvm, struct kvm_state_io *io);

/** kvm_system_settle() - before a vCPU enters, with all others outside. */
void kvm_system_settle(struct kvm_system *kvm);

/** kvm_system_close() - the last vCPU is closed: give everything back.  After a
 *  fork the child does this and starts up again. */
void kvm_system_close(struct kvm_system *kvm);

/** kvm_system_release() - a CPU has closed its vCPU: if it was the last one and
 *  the simulation is over, give everything back. */
void kvm_system_release(struct kvm_system *kvm);

extern const struct sim_type kvm_vm_type; /* "KvmVM" */

#ifdef __cplusplus
}
#endif

#endif
