/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this host's KVM really does, found by running a throw-away VM of a few
 * instructions.  KVM's own lists do not tell: some hosts run ring 0 in an
 * instruction emulator, stay in ring 3 after SYSCALL, or cannot step.
 */
#ifndef CPU_KVM_KVM_PROBE_H
#define CPU_KVM_KVM_PROBE_H

#include "base/compiler.h"
#include "cpu/kvm/kvm_host.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum kvm_vendor_class {
    KVM_VENDOR_UNKNOWN,
    KVM_VENDOR_INTEL, /* VMX */
    KVM_VENDOR_AMD,   /* SVM */
    KVM_VENDOR_PVM    /* neither: shadow paging, software at ring 0 */
};

enum kvm_ring0 { KVM_RING0_UNKNOWN, KVM_RING0_NATIVE, KVM_RING0_EMULATED };

/* An answer may be missing where the question could not be put. */
enum kvm_answer { KVM_UNKNOWN, KVM_NO, KVM_YES };

struct kvm_probe {
    enum kvm_vendor_class vendor;
    enum kvm_ring0 ring0;
    enum kvm_answer runs_ring3;
    /* A request that failed in asking for it: -errno and its name. */
    int ring3_error;
    const char *ring3_request;
    enum kvm_answer syscall_enters_ring0;
    enum kvm_answer guest_debug;  /* KVM_GUESTDBG_SINGLESTEP stops */
    enum kvm_answer perf_counter; /* guest instructions can be counted */
    enum kvm_answer rdtsc_faults; /* in ring 3, if CR4.TSD says so */
    /* An interrupt window that is asked for ends a run at SYSCALL's target. */
    enum kvm_answer syscall_window;
    enum kvm_answer rdtsc_is_host; /* else: it gives the host's own counter */
    enum kvm_answer avx_state;     /* goes in and out */
    enum kvm_answer avx512_state;  /* the same; unknown without AVX-512 */
    uint64_t stub_addr;            /* usable for LSTAR; 0: none found */
    uint32_t tsc_khz;              /* measured */
    uint32_t exit_ns;  /* one exit and entry, the fastest seen [ns] */
    uint32_t probe_us; /* what asking cost */
};

/**
 * kvm_probe_run() - ask the host
 *
 * Bounded: every run of the guest is ended by a timer.
 * Returns: 0, or -errno where not even a VM can be made (@out is then zero).
 */
SIM_MUST_CHECK int kvm_probe_run(struct kvm_host *host, struct kvm_probe *out);

/**
 * kvm_probe_check() - ask the host, and refuse one that is of no use
 * @why: on failure one sentence, else empty
 *
 * Returns: 0, -errno where no VM can be made, -ENOTSUP where a VM does not
 * execute ring 3; @out is filled as far as it could be asked.
 */
SIM_MUST_CHECK int kvm_probe_check(struct kvm_host *host, struct kvm_probe *out,
                                   char why[KVM_HOST_WHY_SIZE]);

const char *kvm_vendor_name(enum kvm_vendor_class vendor);
const char *kvm_ring0_name(enum kvm_ring0 ring0);
const char *kvm_answer_name(enum kvm_answer answer);

#ifdef __cplusplus
}
#endif

#endif
