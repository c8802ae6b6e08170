/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct x86_state to and from a KVM vCPU, by group, so that only what changed
 * is carried: an ioctl is dear, above all on hosts without hardware support.
 *
 * Components of the XSAVE image are moved between this host's places and the
 * fixed ones of struct x86_state.  MSRs are those that both sides know; what a
 * host refuses is found once, by kvm_state_init(), and named by
 * kvm_state_missing().
 */
#ifndef CPU_KVM_KVM_STATE_H
#define CPU_KVM_KVM_STATE_H

#include "arch/x86/state.h"
#include "arch/x86/xsave_layout.h"
#include "base/compiler.h"
#include "cpu/kvm/kvm_host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum kvm_state_group {
    KVM_STATE_REGS = 1 << 0,   /* GPRs, RIP, RFLAGS */
    KVM_STATE_SREGS = 1 << 1,  /* segments, tables, CRs, EFER, APIC base */
    KVM_STATE_XSAVE = 1 << 2,  /* x87 to PKRU */
    KVM_STATE_XCRS = 1 << 3,   /* XCR0 */
    KVM_STATE_MSRS = 1 << 4,   /* plain MSRs, the offset of the TSC */
    KVM_STATE_DEBUG = 1 << 5,  /* debug registers */
    KVM_STATE_EVENTS = 1 << 6, /* exceptions, NMIs, interrupts on their way */
    KVM_STATE_MP = 1 << 7,     /* running, halted, waiting for INIT or SIPI */
    KVM_STATE_ALL = (1 << 8) - 1
};

enum { KVM_STATE_MAX_MSRS = 64 };

struct kvm_state_io {
    const struct kvm_host *host;
    int fd;
    uint32_t groups; /* that this host can carry */
    struct x86_xsave_layout layout;
    size_t xsave_size;
    struct kvm_xsave *xsave;
    uint8_t msr_rows[KVM_STATE_MAX_MSRS]; /* rows of the table that go */
    uint8_t num_msrs;
    bool has_tsc_offset; /* else the TSC is whatever the host makes it */
    uint64_t tsc_offset; /* that the vCPU holds: guest's TSC - host's */
    char missing[768];
};

/** kvm_state_init() - @fd: a vCPU with its CPUID set.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_state_init(struct kvm_state_io *io,
                                  struct kvm_host *host, int fd);
void kvm_state_fini(struct kvm_state_io *io);

/**
 * kvm_state_put_pdptes() - the page-directory pointers of PAE paging
 * @sregs: what the vCPU holds; it has loaded the pointers from memory with them
 *
 * Does nothing without PAE paging, and on hosts without KVM_CAP_SREGS2: there
 * the vCPU's follow from CR3.  Put and get of KVM_STATE_SREGS include it.
 * Returns: 0 or -errno.
 */
SIM_MUST_CHECK int kvm_state_put_pdptes(const struct kvm_state_io *io,
                                        const struct kvm_sregs *sregs,
                                        const uint64_t pdpte[X86_NUM_PDPTES]);
/** kvm_state_get_pdptes() - the inverse.  Returns: 0, -errno, or -ENODATA if
 *  the vCPU has none or does not tell; @pdpte stays. */
SIM_MUST_CHECK int kvm_state_get_pdptes(const struct kvm_state_io *io,
                                        uint64_t pdpte[X86_NUM_PDPTES]);

/** kvm_state_missing() - what this host cannot carry, as one line; empty if
 *  there is nothing. */
const char *kvm_state_missing(const struct kvm_state_io *io);
/** kvm_state_has_msr() - whether a slot of struct x86_state is carried. */
int kvm_state_has_msr(const struct kvm_state_io *io, enum x86_msr_slot slot);

/**
 * kvm_state_add_machine_msrs() - carry also what only whole machines use
 * @lost: gets the numbers of those that this host takes and does not keep
 * Returns: how many these are.
 */
uint32_t kvm_state_add_machine_msrs(struct kvm_state_io *io,
                                    uint64_t lost[KVM_STATE_MAX_MSRS]);

/** kvm_state_put() - @groups of @state into the vCPU, in an order in which the
 *  kernel takes them.  Groups the host lacks are left out.
 *  Returns: 0, or -errno of the first that is refused. */
SIM_MUST_CHECK int kvm_state_put(struct kvm_state_io *io,
                                 const struct x86_state *state,
                                 uint32_t groups);
/** kvm_state_get() - the inverse; other groups of @state stay. */
SIM_MUST_CHECK int kvm_state_get(struct kvm_state_io *io,
                                 struct x86_state *state, uint32_t groups);

/**
 * kvm_state_put_run(), kvm_state_get_run() - registers, system registers and
 * events through the page shared with the vCPU, without an ioctl
 *
 * Put marks them dirty, so that the next KVM_RUN takes them; get is right after
 * a KVM_RUN that kvm_valid_regs asked for them.
 * Returns: the groups that were carried.
 */
uint32_t kvm_state_put_run(const struct kvm_state_io *io, struct kvm_run *run,
                           const struct x86_state *state, uint32_t groups);
uint32_t kvm_state_get_run(const struct kvm_state_io *io,
                           const struct kvm_run *run, struct x86_state *state,
                           uint32_t groups);

#ifdef __cplusplus
}
#endif

#endif
