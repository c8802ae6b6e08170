/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One VM of the host: memory slots over guest RAM, interrupt chip, coalesced
 * regions.  Any number of them may exist in a process.
 *
 *   create -> (set_tss_addr, create_irqchip, coalesce) -> startup -> vCPUs
 *
 * The kernel's VM is made by kvm_vm_create(), but guest RAM is mapped once, by
 * the first kvm_vm_startup(): loading a checkpoint may map RAM anew until then.
 * vCPUs need the mappings and come after it.
 *
 * A slot's handle carries a generation, so that a freed slot's is refused.
 * Threads: kvm_vm_startup() may be called by several; all else by one at a
 * time.
 */
#ifndef CPU_KVM_KVM_VM_H
#define CPU_KVM_KVM_VM_H

#include "base/compiler.h"
#include "cpu/kvm/kvm_host.h"
#include "mem/physmem.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_vm;

struct kvm_slot_ref {
    uint32_t num;
    uint32_t gen; /* 0: no slot */
};

enum kvm_slot_flags {
    KVM_SLOT_READONLY = KVM_MEM_READONLY, /* guest writes exit as MMIO */
    KVM_SLOT_LOG_DIRTY = KVM_MEM_LOG_DIRTY_PAGES
};

struct kvm_slot_map {
    uint64_t gpa, size; /* multiples of 4096 */
    void *host;         /* the same */
    uint32_t flags;     /* enum kvm_slot_flags */
};

/* Entries of the ring of coalesced writes: what fits a page. */
enum {
    KVM_RING_ENTRIES = (4096 - sizeof(struct kvm_coalesced_mmio_ring)) /
                       sizeof(struct kvm_coalesced_mmio)
};

enum kvm_coalesced_kind { KVM_COALESCED_MMIO = 0, KVM_COALESCED_PIO = 1 };

/** kvm_vm_create() - Returns: 0 or -errno.  @host and @mem are borrowed. */
SIM_MUST_CHECK int kvm_vm_create(const struct kvm_host *host,
                                 const struct physmem *mem,
                                 struct kvm_vm **out);
/** kvm_vm_destroy() - all vCPUs must be closed.  Returns: 0, or -EBUSY and
 *  nothing is done. */
int kvm_vm_destroy(struct kvm_vm *vm);

/** kvm_vm_startup() - map all ranges of guest RAM; later calls return what the
 *  first did. */
SIM_MUST_CHECK int kvm_vm_startup(struct kvm_vm *vm);
bool kvm_vm_is_started(struct kvm_vm *vm);

/** kvm_vm_open_vcpu() - a descriptor; ids count from 0 and are never reused.
 *  Returns: it, -EAGAIN before startup, -ENOSPC, or -errno. */
int kvm_vm_open_vcpu(struct kvm_vm *vm, uint32_t *id);
void kvm_vm_close_vcpu(struct kvm_vm *vm, int fd);
/** kvm_vm_fd() - the kernel's descriptor of the VM, to be told, not used. */
int kvm_vm_fd(const struct kvm_vm *vm);

/* ------------------------------------------------------------------- slots */

/** kvm_vm_alloc_slot() - freed ones first.  Returns: 0 or -ENOSPC. */
SIM_MUST_CHECK int kvm_vm_alloc_slot(struct kvm_vm *vm,
                                     struct kvm_slot_ref *ref);
/** kvm_vm_map_slot() - -ESTALE (freed handle), -EBUSY (mapped already), -EINVAL
 *  (alignment, size, flags), -EEXIST (overlap), -ENOTSUP (read-only). */
SIM_MUST_CHECK int kvm_vm_map_slot(struct kvm_vm *vm, struct kvm_slot_ref ref,
                                   const struct kvm_slot_map *map);
/** kvm_vm_disable_slot() - unmap; stays allocated.  Twice is no error. */
SIM_MUST_CHECK int kvm_vm_disable_slot(struct kvm_vm *vm,
                                       struct kvm_slot_ref ref);
/** kvm_vm_free_slot() - unmap and give back. */
SIM_MUST_CHECK int kvm_vm_free_slot(struct kvm_vm *vm, struct kvm_slot_ref ref);
/** kvm_vm_find_slot() - the slot that maps @gpa; gen 0 if none does. */
struct kvm_slot_ref kvm_vm_find_slot(const struct kvm_vm *vm, uint64_t gpa);
typedef void (*kvm_slot_fn)(void *self, struct kvm_slot_ref ref,
                            const struct kvm_slot_map *map);
/** kvm_vm_visit_slots() - those that are mapped, by number. */
void kvm_vm_visit_slots(const struct kvm_vm *vm, kvm_slot_fn visit, void *self);
/** kvm_vm_set_slot_flags() - switch the dirty log of a mapped slot. */
SIM_MUST_CHECK int kvm_vm_set_slot_flags(struct kvm_vm *vm,
                                         struct kvm_slot_ref ref,
                                         uint32_t flags);
/** kvm_vm_dirty_log() - pages the guest wrote since the last call, one bit
 *  each; @bitmap holds whole 64-bit words. */
SIM_MUST_CHECK int kvm_vm_dirty_log(struct kvm_vm *vm, struct kvm_slot_ref ref,
                                    uint64_t *bitmap);

/**
 * kvm_vm_invalidate_all() - forget what vCPUs have cached of page tables
 *
 * Under shadow paging, entries that the simulator removes, tightens or remaps
 * stay in use.  Mapping every slot again makes them go.
 */
SIM_MUST_CHECK int kvm_vm_invalidate_all(struct kvm_vm *vm);
/** kvm_vm_invalidate_frames() - the same for translations to the frames of
 *  [gpa, gpa + size): toggles the protection of their host pages. */
SIM_MUST_CHECK int kvm_vm_invalidate_frames(struct kvm_vm *vm, uint64_t gpa,
                                            uint64_t size);

/* -------------------------------------------------------------- interrupts */

/** kvm_vm_set_tss_addr() - three pages below 4 GiB; -EBUSY after the first
 *  vCPU; does nothing where the host has no need. */
SIM_MUST_CHECK int kvm_vm_set_tss_addr(struct kvm_vm *vm, uint32_t addr);
/** kvm_vm_set_identity_map() - one page; the same rules. */
SIM_MUST_CHECK int kvm_vm_set_identity_map(struct kvm_vm *vm, uint64_t addr);
/** kvm_vm_create_irqchip() - -EEXIST the second time, -EBUSY after a vCPU. */
SIM_MUST_CHECK int kvm_vm_create_irqchip(struct kvm_vm *vm);
bool kvm_vm_has_irqchip(const struct kvm_vm *vm);
/** kvm_vm_set_irq_line() - @level 0 or 1; -ENXIO without the chip. */
SIM_MUST_CHECK int kvm_vm_set_irq_line(struct kvm_vm *vm, uint32_t irq,
                                       uint32_t level);

/* --------------------------------------------------------------- coalescing */

/** kvm_vm_coalesce() - gather writes to a region that has no effect until it
 *  is read or the guest exits.  -ENOTSUP where the host cannot. */
SIM_MUST_CHECK int kvm_vm_coalesce(struct kvm_vm *vm,
                                   enum kvm_coalesced_kind kind, uint64_t addr,
                                   uint32_t size);

typedef void (*kvm_coalesced_fn)(void *self,
                                 const struct kvm_coalesced_mmio *write);
/** kvm_vm_drain() - hand over gathered writes, oldest first.
 *  @run: a vCPU's shared page; the ring is common to all, so one at a time.
 *  Returns: their number, or -EPROTO for a ring that is out of bounds. */
int kvm_vm_drain(const struct kvm_vm *vm, struct kvm_run *run,
                 kvm_coalesced_fn deliver, void *self);

#ifdef __cplusplus
}
#endif

#endif
