/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands in the place of a kernel when KVM executes programs: descriptor
 * table, stubs and stacks in the kernel half of every address space, so that
 * each event of ring 3 ends in one exit to the simulator.
 *
 *   base           stubs: one OUT for SYSCALL (LSTAR) and for each vector; read
 *                  and executed in every ring, since some hosts stay in ring 3
 *   base + 0x1000  IDT, 32 gates
 *   base + 0x2000  a page per CPU: TSS with I/O bitmap below, stack above
 *
 * The simulator reads the frame off the stack, serves the event and writes the
 * registers of ring 3 back; nothing in the guest returns by itself.
 *
 * Sources: [SDM] Vol. 3A, "64-Bit Mode Exception and Interrupt Handling",
 * "Task Management in 64-bit Mode", "I/O Permission Bit Map".
 */
#ifndef CPU_KVM_KVM_TRAP_H
#define CPU_KVM_KVM_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/state.h"
#include "base/compiler.h"
#include "cpu/kvm/kvm_uapi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct kvm_trap;

enum {
    KVM_TRAP_PORT = 0x80, /* what the stubs write to */
    KVM_TRAP_NUM_VECTORS = 32,
};

enum kvm_trap_kind {
    KVM_TRAP_NONE, /* not at a stub */
    KVM_TRAP_SYSCALL,
    KVM_TRAP_EXCEPTION,
};

/* What ring 3 was doing. */
struct kvm_trap_frame {
    enum kvm_trap_kind kind;
    uint8_t vector;
    uint32_t error;
    bool has_error;
    uint64_t rip, rsp, rflags;
    uint16_t cs, ss;
};

/** kvm_trap_create() - lay out the pages in @kernel's address spaces.
 *  @base: a linear address that ring 3 reaches, page-aligned, of the upper half
 *  Returns: NULL if guest RAM is full. */
struct kvm_trap *kvm_trap_create(struct kernel *kernel, uint64_t base);
/** kvm_trap_open_window() - SYSCALL leaves RFLAGS.IF, for kvm_window.h. */
void kvm_trap_open_window(struct kvm_trap *trap);
void kvm_trap_destroy(struct kvm_trap *trap);

/** kvm_trap_add_cpu() - the page of CPU @index; false if guest RAM is full. */
SIM_MUST_CHECK bool kvm_trap_add_cpu(struct kvm_trap *trap, uint32_t index);

/** kvm_trap_put() - descriptor table, task register and SYSCALL's target in
 *  what the vCPU of CPU @index gets. */
void kvm_trap_put(const struct kvm_trap *trap, uint32_t index,
                  struct kvm_sregs *sregs);
/* The MSRs of SYSCALL; constant. */
enum { KVM_TRAP_NUM_MSRS = 3 };
void kvm_trap_msrs(const struct kvm_trap *trap,
                   struct kvm_msr_entry out[KVM_TRAP_NUM_MSRS]);

/** kvm_trap_is_stub() - whether @rip is on the page of the stubs. */
bool kvm_trap_is_stub(const struct kvm_trap *trap, uint64_t rip);
/** kvm_trap_read() - which stub the vCPU of CPU @index stands at. */
void kvm_trap_read(const struct kvm_trap *trap, uint32_t index,
                   const struct kvm_regs *regs, struct kvm_trap_frame *out);

#ifdef __cplusplus
}
#endif

#endif
