/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page walk: no paging, 32-bit, PAE and 4-level paging, with NX, SMEP,
 * SMAP, protection keys, reserved bits, accessed and dirty flags.  The root of
 * PAE paging is four registers.  Left out: 5-level paging, memory types.
 * Sources: [SDM] Vol. 3A, "Paging"; "Page-Fault Exceptions".
 */
#include "arch/x86/vmem.h"

#include <string.h>

#include "arch/x86/segment.h"
#include "arch/x86/state.h"
#include "arch/x86/sysreg.h"
#include "mem/physmem.h"

enum { MAX_LEVELS = 4 };

#define BIT(n)       (UINT64_C(1) << (n))
#define PTE_PRESENT  BIT(0)
#define PTE_WRITABLE BIT(1)
#define PTE_USER     BIT(2)
#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY    BIT(6)
#define PTE_LARGE    BIT(7)
#define PTE_GLOBAL   BIT(8)
#define PTE_NX       BIT(63)
#define PTE_ADDR     UINT64_C(0x000ffffffffff000)
#define PTE_PKEY_LOW 59

/* Shape of the tables. */
struct paging_mode {
    unsigned levels;
    unsigned entry_size;          /* [bytes] */
    uint8_t shift[MAX_LEVELS];    /* lowest linear address bit, root first */
    uint16_t entries[MAX_LEVELS]; /* per table */
    uint8_t large[MAX_LEVELS];    /* the level may map a page by PS */
};

static const struct paging_mode mode_32 = {
    2, 4, {22,    12},
      {1024,     1024},
      {1}
};
static const struct paging_mode mode_pae = {
    3, 8, {30,   21, 12},
      {4,    512,      512},
      {0, 1}
};
static const struct paging_mode mode_long = {
    4, 8, {39,   30, 21,  12},
      {512,    512,    512, 512},
      {0, 1,   1     }
};

struct walk {
    struct physmem *mem;
    const struct x86_paging *paging;
    const struct paging_mode *mode;
    uint64_t addr;
    unsigned access;
    void *host[MAX_LEVELS]; /* entries used */
    unsigned used;
    uint64_t rights; /* PTE_WRITABLE, PTE_USER, PTE_NX accumulated */
    uint64_t leaf;
};

static bool is_user(const struct walk *w)
{
    return (w->access & X86_ACCESS_USER) && !(w->access & X86_ACCESS_IMPLICIT);
}

static bool is_nx_on(const struct x86_paging *paging)
{
    return (paging->efer & X86_EFER_NXE) && (paging->cr4 & X86_CR4_PAE);
}

static bool page_fault(const struct walk *w, uint32_t bits,
                       struct x86_fault *fault)
{
    uint32_t error = bits;

    if (w->access & X86_ACCESS_WRITE)
        error |= X86_PF_WRITE;
    if (is_user(w))
        error |= X86_PF_USER;
    if ((w->access & X86_ACCESS_FETCH) &&
        (is_nx_on(w->paging) || (w->paging->cr4 & X86_CR4_SMEP)))
        error |= X86_PF_FETCH;
    *fault = (struct x86_fault){.vector = X86_PF,
                                .source = X86_FROM_FAULT,
                                .has_error = true,
                                .error = error,
                                .addr = w->addr};
    return false;
}

static const struct paging_mode *choose_mode(const struct x86_paging *paging)
{
    if (paging->efer & X86_EFER_LMA)
        return &mode_long;
    return paging->cr4 & X86_CR4_PAE ? &mode_pae : &mode_32;
}

/* [SDM] Vol. 3A, table "Format of a PAE Page-Directory-Pointer-Table Entry". */
static uint64_t reserved_in_pdpte(unsigned phys_bits)
{
    return UINT64_C(0xfff00000000001e6) | (PTE_ADDR & ~(BIT(phys_bits) - 1));
}

static uint64_t reserved_bits(const struct walk *w, unsigned level,
                              bool is_leaf)
{
    const struct paging_mode *mode = w->mode;
    uint64_t bits;

    if (mode->entry_size == 4)
        return level == 0 && is_leaf ? BIT(21) : 0;
    if (mode == &mode_pae && level == 0)
        return reserved_in_pdpte(w->paging->phys_bits);
    bits = PTE_ADDR & ~(BIT(w->paging->phys_bits) - 1);
    if (mode == &mode_pae)
        bits |= UINT64_C(0x7ff0000000000000);
    if (!is_nx_on(w->paging))
        bits |= PTE_NX;
    if (level == 0)
        bits |= PTE_LARGE;
    if (is_leaf && mode->shift[level] > 12)
        bits |= (BIT(mode->shift[level]) - 1) & PTE_ADDR & ~BIT(12);
    return bits;
}

/* Page-size extensions are a choice in 32-bit paging only. */
static bool is_leaf_entry(const struct walk *w, unsigned level, uint64_t entry)
{
    if (level + 1 == w->mode->levels)
        return true;
    if (!w->mode->large[level] || !(entry & PTE_LARGE))
        return false;
    return w->mode != &mode_32 || (w->paging->cr4 & X86_CR4_PSE);
}

/* The entry of @level for the address; an entry outside RAM is not present. */
static uint64_t read_entry(struct walk *w, uint64_t table, unsigned level)
{
    uint64_t index =
        (w->addr >> w->mode->shift[level]) & (w->mode->entries[level] - 1u);
    gpa_t addr = {table + index * w->mode->entry_size};
    void *host;

    if (w->mode == &mode_pae && level == 0)
        return w->paging->pdpte[index];
    host = physmem_host(w->mem, addr, w->mode->entry_size);
    w->host[level] = host;
    if (!host)
        return 0;
    if (w->mode->entry_size == 4)
        return __atomic_load_n((uint32_t *)host, __ATOMIC_RELAXED);
    return __atomic_load_n((uint64_t *)host, __ATOMIC_RELAXED);
}

static uint64_t root_of(const struct walk *w)
{
    if (w->mode == &mode_32)
        return w->paging->cr3 & UINT64_C(0xfffff000);
    return w->paging->cr3 & PTE_ADDR;
}

static void add_rights(struct walk *w, unsigned level, uint64_t entry)
{
    /* PDPTEs of PAE paging have no R/W and U/S. */
    if (!(w->mode == &mode_pae && level == 0))
        w->rights &= entry | ~(PTE_WRITABLE | PTE_USER);
    if (w->mode->entry_size == 8)
        w->rights |= entry & PTE_NX;
}

/* Follow the tables to the leaf; false with *fault set. */
static bool find_leaf(struct walk *w, struct x86_fault *fault)
{
    uint64_t table = root_of(w);

    for (unsigned level = 0;; level++) {
        uint64_t entry = read_entry(w, table, level);
        bool is_leaf;

        if (!(entry & PTE_PRESENT))
            return page_fault(w, 0, fault);
        is_leaf = is_leaf_entry(w, level, entry);
        if (entry & reserved_bits(w, level, is_leaf))
            return page_fault(w, X86_PF_PRESENT | X86_PF_RESERVED, fault);
        add_rights(w, level, entry);
        w->used = level + 1;
        if (is_leaf) {
            w->leaf = entry;
            return true;
        }
        table = entry & PTE_ADDR;
    }
}

/* [SDM] Vol. 3A, "Determination of Access Rights". */
static bool is_allowed(const struct walk *w)
{
    const struct x86_paging *paging = w->paging;
    bool user_page = w->rights & PTE_USER;

    if (w->access & X86_ACCESS_FETCH) {
        if (is_nx_on(paging) && (w->rights & PTE_NX))
            return false;
        if (is_user(w))
            return user_page;
        return !(user_page && (paging->cr4 & X86_CR4_SMEP));
    }
    if (is_user(w) && !user_page)
        return false;
    if (!is_user(w) && user_page && (paging->cr4 & X86_CR4_SMAP) &&
        (!paging->ac || (w->access & X86_ACCESS_IMPLICIT)))
        return false;
    if (!(w->access & X86_ACCESS_WRITE) || (w->rights & PTE_WRITABLE))
        return true;
    return !is_user(w) && !(paging->cr0 & X86_CR0_WP);
}

/* [SDM] Vol. 3A, "Protection Keys". */
static bool is_key_allowed(const struct walk *w, unsigned key)
{
    const struct x86_paging *paging = w->paging;
    uint32_t bits = paging->pkru >> (2 * key);

    if (!(paging->cr4 & X86_CR4_PKE) || !(paging->efer & X86_EFER_LMA) ||
        !(w->rights & PTE_USER) || (w->access & X86_ACCESS_FETCH))
        return true;
    if (bits & 1)
        return false;
    return !((bits & 2) && (w->access & X86_ACCESS_WRITE) &&
             (is_user(w) || (paging->cr0 & X86_CR0_WP)));
}

static unsigned key_of(const struct walk *w)
{
    return (unsigned)(w->leaf >> PTE_PKEY_LOW) & 15u;
}

static void or_entry(const struct walk *w, unsigned level, uint64_t bits)
{
    if (w->mode->entry_size == 4)
        __atomic_fetch_or((uint32_t *)w->host[level], (uint32_t)bits,
                          __ATOMIC_RELAXED);
    else
        __atomic_fetch_or((uint64_t *)w->host[level], bits, __ATOMIC_RELAXED);
}

static uint64_t entry_now(const struct walk *w, unsigned level)
{
    if (w->mode->entry_size == 4)
        return *(uint32_t *)w->host[level];
    return *(uint64_t *)w->host[level];
}

static void set_flags(struct walk *w)
{
    unsigned level = w->mode == &mode_pae ? 1 : 0;

    for (; level < w->used; level++) {
        uint64_t bits = PTE_ACCESSED;

        if (level + 1 == w->used && (w->access & X86_ACCESS_WRITE))
            bits |= PTE_DIRTY;
        if ((entry_now(w, level) & bits) != bits)
            or_entry(w, level, bits);
        if (level + 1 == w->used)
            w->leaf |= bits;
    }
}

/* PSE-36 puts physical bits 39:32 into bits 20:13 of a 4 MiB entry. */
static uint64_t leaf_address(const struct walk *w, uint64_t page_size)
{
    uint64_t base = w->leaf & PTE_ADDR & ~(page_size - 1);

    if (w->mode == &mode_32 && page_size > BIT(12))
        base |= (w->leaf & UINT64_C(0x1fe000)) << 19;
    return base;
}

static void fill_result(const struct walk *w, struct x86_walk *out)
{
    uint64_t page_size = BIT(w->mode->shift[w->used - 1]);

    *out = (struct x86_walk){
        .addr = {leaf_address(w, page_size) | (w->addr & (page_size - 1))},
        .page_size = page_size,
        .writable = w->rights & PTE_WRITABLE,
        .user = w->rights & PTE_USER,
        .executable = !(is_nx_on(w->paging) && (w->rights & PTE_NX)),
        .dirty = w->leaf & PTE_DIRTY,
        .global = (w->leaf & PTE_GLOBAL) && (w->paging->cr4 & X86_CR4_PGE),
        .pkey = (uint8_t)key_of(w),
    };
}

static bool walk_identity(uint64_t addr, struct x86_walk *out)
{
    *out = (struct x86_walk){.addr = {addr},
                             .page_size = BIT(12),
                             .writable = true,
                             .user = true,
                             .executable = true,
                             .dirty = true};
    return true;
}

bool x86_mmu_read_pdptes(struct physmem *mem, uint64_t cr3, unsigned phys_bits,
                         uint64_t pdpte[X86_NUM_PDPTES])
{
    gpa_t addr = {cr3 & UINT64_C(0xffffffe0)};
    uint64_t read[X86_NUM_PDPTES];

    if (!physmem_read(mem, addr, read, sizeof read))
        return false;
    for (unsigned i = 0; i < X86_NUM_PDPTES; i++)
        if ((read[i] & PTE_PRESENT) && (read[i] & reserved_in_pdpte(phys_bits)))
            return false;
    memcpy(pdpte, read, sizeof read);
    return true;
}

bool x86_mmu_walk(struct physmem *mem, const struct x86_paging *paging,
                  gva_t addr, unsigned access, struct x86_walk *out,
                  struct x86_fault *fault)
{
    struct walk w = {.mem = mem,
                     .paging = paging,
                     .mode = choose_mode(paging),
                     .addr = addr.v,
                     .access = access,
                     .rights = PTE_WRITABLE | PTE_USER};

    if (!(paging->cr0 & X86_CR0_PG))
        return walk_identity(addr.v & UINT32_MAX, out);
    if (w.mode != &mode_long) {
        w.addr &= UINT32_MAX;
    } else if (!x86_is_canonical(addr.v)) {
        *fault = (struct x86_fault){.vector = X86_GP, .has_error = true};
        return false;
    }
    if (!find_leaf(&w, fault))
        return false;
    if (!is_allowed(&w))
        return page_fault(&w, X86_PF_PRESENT, fault);
    if (!is_key_allowed(&w, key_of(&w)))
        return page_fault(&w, X86_PF_PRESENT | X86_PF_PKEY, fault);
    if (!(access & X86_ACCESS_PROBE))
        set_flags(&w);
    fill_result(&w, out);
    return true;
}
