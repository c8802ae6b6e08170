/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host's processor counts while the guest executes: instructions, and
 * cycles where they end time slices.
 *
 * The counters belong to the thread that runs the vCPU and stand still outside
 * of the guest.  An overflow sends kvm_timer_signal() to that thread; it comes
 * some instructions late, so whoever wants an exact end asks for less and goes
 * the rest of the way in the functional core (KVM_PERF_MARGIN).
 *
 * Sources: perf_event_open(2); Linux, include/uapi/linux/perf_event.h.
 */
#ifndef CPU_KVM_KVM_PERF_H
#define CPU_KVM_KVM_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_host;

/* What the last instructions before an exact end are the core's [insts]: more
 * than any overflow is late, and about as quick as one exit. */
enum { KVM_PERF_MARGIN = 50000 };

enum kvm_perf_rings {
    KVM_PERF_USER, /* ring 3 only: the rest is the trap page, or the core's */
    KVM_PERF_ALL,
};

enum kvm_perf_what { KVM_PERF_INSTS, KVM_PERF_INSTS_AND_CYCLES };

enum { KVM_PERF_WHY_SIZE = 256 };

struct kvm_perf_counter {
    int fd;         /* -1: not open */
    uint64_t taken; /* of its value */
};

struct kvm_perf {
    const struct kvm_host *host;
    struct kvm_perf_counter insts, cycles;
    int err; /* -errno: the count is not complete any more */
};

/** kvm_perf_init() - nothing is counted. */
void kvm_perf_init(struct kvm_perf *perf, const struct kvm_host *host);
/**
 * kvm_perf_open() - count for the calling thread from now on
 * @what: cycles, too, if kvm_perf_arm_cycles() will be used
 * @why: on failure one sentence with a hint, else empty
 *
 * Returns: 0 or -errno, with nothing open.
 */
SIM_MUST_CHECK int kvm_perf_open(struct kvm_perf *perf,
                                 enum kvm_perf_rings rings,
                                 enum kvm_perf_what what,
                                 char why[KVM_PERF_WHY_SIZE]);
void kvm_perf_close(struct kvm_perf *perf);
/** kvm_perf_is_open() - whether instructions are counted. */
bool kvm_perf_is_open(const struct kvm_perf *perf);

/** kvm_perf_take() - @insts: instructions of the guest since the last call.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_perf_take(struct kvm_perf *perf, uint64_t *insts);
/** kvm_perf_arm_insts() - end the run after about @insts more; UINT64_MAX: do
 *  not.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_perf_arm_insts(struct kvm_perf *perf, uint64_t insts);
/** kvm_perf_arm_cycles() - the same after about @cycles of the guest. */
SIM_MUST_CHECK int kvm_perf_arm_cycles(struct kvm_perf *perf, uint64_t cycles);

#ifdef __cplusplus
}
#endif

#endif
