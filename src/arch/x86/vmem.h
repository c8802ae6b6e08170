/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest virtual memory as seen by the simulator's own code: system call
 * emulation, loaders, debuggers.  Uses the same page walk as the core.
 */
#ifndef ARCH_X86_VMEM_H
#define ARCH_X86_VMEM_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"
#include "arch/x86/state.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;
struct x86_core;

enum x86_access {
    X86_ACCESS_READ = 0,
    X86_ACCESS_WRITE = 1,
    X86_ACCESS_FETCH = 2,
    X86_ACCESS_USER = 4,      /* made at CPL 3 */
    X86_ACCESS_PROBE = 8,     /* do not set accessed and dirty bits */
    X86_ACCESS_IMPLICIT = 16, /* descriptor tables: supervisor whatever CPL */
};

/* The registers a walk depends on. */
struct x86_paging {
    uint64_t cr0, cr3, cr4, efer;
    uint64_t pdpte[X86_NUM_PDPTES]; /* the root of PAE paging */
    uint32_t pkru;
    bool ac;           /* RFLAGS.AC, for SMAP */
    uint8_t phys_bits; /* MAXPHYADDR */
};

struct x86_walk {
    gpa_t addr;         /* translation of the address itself */
    uint64_t page_size; /* 4 KiB, 2 MiB, 4 MiB or 1 GiB */
    bool writable, user, executable, dirty, global;
    uint8_t pkey;
};

/**
 * x86_mmu_walk() - translate a linear address by walking page tables
 * @access: enum x86_access, or-ed
 * @out:    set on success
 *
 * Handles no paging, 32-bit, PAE and 4-level paging.  Sets accessed and dirty
 * bits as the processor would, unless X86_ACCESS_PROBE.
 *
 * Returns: true, or false with @fault set (#PF with error code and CR2 value;
 * #GP for a non-canonical address).
 * Source:  [SDM] Vol. 3A, "Paging"; "Page-Fault Exceptions".
 */
bool x86_mmu_walk(struct physmem *mem, const struct x86_paging *paging,
                  gva_t addr, unsigned access, struct x86_walk *out,
                  struct x86_fault *fault);

/**
 * x86_mmu_read_pdptes() - the four entries that PAE paging keeps in registers
 * @pdpte: set on success
 *
 * Returns: false if one that is present has reserved bits, or the table is
 * outside RAM (whose bytes are ones): #GP(0) for whoever loads CR3.
 * Source:  [SDM] Vol. 3A, "PDPTE Registers".
 */
bool x86_mmu_read_pdptes(struct physmem *mem, uint64_t cr3, unsigned phys_bits,
                         uint64_t pdpte[X86_NUM_PDPTES]);

/* What the core's registers say now. */
void x86_core_paging(struct x86_core *core, struct x86_paging *out);

/**
 * x86_vmem_read(), x86_vmem_write() - copy between guest and simulator
 * @access: X86_ACCESS_USER for a system call's buffers; direction is implied
 *
 * Stops at the first byte that cannot be accessed.
 * Returns: bytes copied; if less than @len, @fault (may be NULL) says why.
 */
uint64_t x86_vmem_read(struct x86_core *core, gva_t addr, void *data,
                       uint64_t len, unsigned access, struct x86_fault *fault);
uint64_t x86_vmem_write(struct x86_core *core, gva_t addr, const void *data,
                        uint64_t len, unsigned access, struct x86_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
