/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filling and flushing of the soft TLB.  Every entry maps 4 KiB, also of large
 * pages.  A write tag is given only once the page is dirty in its page table,
 * in the dirty log, and holds no decoded code. Source: [SDM] Vol. 3A, "Caching
 * Translation Information".
 */
#include "arch/x86/tlb.h"

#include <string.h>

#include "arch/x86/block.h"
#include "arch/x86/sysreg.h"
#include "base/log.h"
#include "mem/physmem.h"

/* A page that never has the same index, see struct x86_tlb_entry. */
static uint64_t absent_tag(size_t index)
{
    return (index ^ 1) << X86_PAGE_SHIFT;
}

static void clear_entry(struct x86_tlb_entry *entry, size_t index)
{
    entry->read = absent_tag(index);
    entry->write = absent_tag(index);
    entry->addend = 0;
    entry->gpa = X86_NO_PAGE;
}

static size_t index_of(uint64_t addr)
{
    return (addr >> X86_PAGE_SHIFT) & (X86_TLB_SIZE - 1);
}

void x86_tlb_forget_jumps(struct x86_core *core)
{
    memset(core->jumps, 0xff, sizeof(core->jumps));
}

void x86_tlb_flush_jumps(struct x86_core *core)
{
    x86_tlb_forget_jumps(core);
    memset(core->fetches, 0xff, sizeof(core->fetches));
}

void x86_tlb_flush(struct x86_core *core)
{
    for (unsigned view = 0; view < X86_NUM_VIEWS; view++) {
        if (!(core->views_used & (1u << view)))
            continue;
        for (size_t i = 0; i < X86_TLB_SIZE; i++)
            clear_entry(&core->tlbs[view][i], i);
    }
    core->views_used = 0;
    x86_tlb_flush_jumps(core);
}

void x86_tlb_flush_page(struct x86_core *core, uint64_t addr)
{
    size_t index = index_of(addr);

    for (unsigned view = 0; view < X86_NUM_VIEWS; view++)
        clear_entry(&core->tlbs[view][index], index);
    x86_tlb_flush_jumps(core);
}

static void protect_view(struct x86_tlb_entry *entries, uint64_t gpa)
{
    for (size_t i = 0; i < X86_TLB_SIZE; i++)
        if (entries[i].gpa == gpa)
            entries[i].write = absent_tag(i);
}

void x86_tlb_protect(struct x86_core *core, uint64_t gpa)
{
    for (unsigned view = 0; view < X86_NUM_VIEWS; view++)
        if (core->views_used & (1u << view))
            protect_view(core->tlbs[view], gpa);
}

static unsigned view_access(const struct x86_core *core)
{
    return core->view == X86_VIEW_USER ? X86_ACCESS_USER : 0;
}

static bool walk(struct x86_core *core, uint64_t addr, unsigned access,
                 struct x86_walk *out)
{
    struct x86_paging paging;

    x86_core_paging(core, &paging);
    core->counts.tlb_misses++;
    return x86_mmu_walk(core->mem, &paging, (gva_t){addr},
                        access | view_access(core), out, &core->fault);
}

/* #AC is checked per access: no entry may let an access skip the check. */
static bool is_alignment_checked(const struct x86_core *core)
{
    return core->cpl == 3 && (core->state.cr0 & X86_CR0_AM) &&
           (core->state.rflags & X86_AC_FLAG);
}

static void fill(struct x86_core *core, uint64_t addr, unsigned access,
                 const struct x86_place *place)
{
    size_t index = index_of(addr);
    struct x86_tlb_entry *entry = &core->tlb[index];
    uint64_t page = addr & X86_PAGE_MASK;
    uint64_t gpa = place->gpa & X86_PAGE_MASK;

    if (is_alignment_checked(core))
        return;
    core->views_used |= 1u << core->view;
    if (entry->gpa != gpa || entry->read != page)
        clear_entry(entry, index);
    entry->addend = (uint64_t)place->host - addr;
    entry->gpa = gpa;
    entry->read = page;
    if ((access & X86_ACCESS_WRITE) && !place->has_code)
        entry->write = page;
}

bool x86_tlb_find(struct x86_core *core, uint64_t addr, unsigned access,
                  struct x86_place *out)
{
    struct x86_tlb_entry *entry = x86_tlb_at(core, addr);
    uint64_t tag = access & X86_ACCESS_WRITE ? entry->write : entry->read;
    struct x86_walk result;

    if (addr - tag < X86_PAGE_SIZE) {
        *out = (struct x86_place){
            .host = (uint8_t *)(addr + entry->addend),
            .gpa = entry->gpa | (addr & ~X86_PAGE_MASK),
        };
        return true;
    }
    if (!walk(core, addr, access, &result))
        return false;
    out->gpa = result.addr.v;
    out->host = physmem_host(core->mem, result.addr, 1);
    out->has_code = out->host && x86_cache_has_code(core->cache, result.addr.v);
    if (!out->host)
        return true;
    if ((access & X86_ACCESS_WRITE) && physmem_dirty_is_on(core->mem))
        physmem_dirty_mark(core->mem, result.addr, 1);
    fill(core, addr, access, out);
    return true;
}

bool x86_tlb_fetch(struct x86_core *core, uint64_t addr, uint64_t *gpa)
{
    uint64_t page = addr & X86_PAGE_MASK;
    struct x86_fetch_entry *entry =
        &core->fetches[(addr >> X86_PAGE_SHIFT) & (X86_FETCHES - 1)];
    struct x86_walk result;

    if (entry->tag != (page ^ core->salt)) {
        if (!walk(core, addr, X86_ACCESS_FETCH, &result))
            return false;
        entry->tag = page ^ core->salt;
        entry->gpa = result.addr.v & X86_PAGE_MASK;
    }
    *gpa = entry->gpa | (addr & ~X86_PAGE_MASK);
    return true;
}
