/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/mm_gather.h"

#include <stdbool.h>
#include <stddef.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/vm_object.h"
#include "base/alloc.h"

#define HUGE_MASK ((uint64_t)FRAME_HUGE_SIZE - 1)

/* Frames that wait to be given back, before they are told as a portion. */
enum { GATHER_MAX = 4096 };

struct mm_gone {
    uint64_t addr;
    gpa_t frame;
    uint32_t num_refs; /* to give back, on frames from @frame on */
    bool is_written;   /* goes to its file */
};

void mm_gather_start(struct mm_gather *gather, struct mm *mm)
{
    *gather = (struct mm_gather){.mm = mm, .start = UINT64_MAX};
}

static void mm_gather_let_go(struct mm_gather *gather,
                             const struct mm_gone *gone)
{
    struct mm *mm = gather->mm;

    if (gone->is_written) {
        const struct vma *vma = mm_at(mm, gone->addr);
        uint64_t offset = gone->addr - vma->start + vma->offset;
        int error = vm_object_write_back(vma->object, offset / FRAME_SIZE);

        if (!gather->error)
            gather->error = error;
    }
    frames_unref_many(mm->pt.frames, gone->frame, gone->num_refs);
}

static void mm_gather_flush(struct mm_gather *gather)
{
    struct mm *mm = gather->mm;

    if (mm->watch && gather->start < gather->end)
        mm->watch->changed(mm->watch, mm, gather->start,
                           gather->end - gather->start);
    for (uint32_t i = 0; i < gather->num_gone; i++)
        mm_gather_let_go(gather, &gather->gone[i]);
    gather->num_gone = 0;
    gather->start = UINT64_MAX;
    gather->end = 0;
}

int mm_gather_finish(struct mm_gather *gather)
{
    mm_gather_flush(gather);
    mem_free(gather->gone);
    return gather->error;
}

static void mm_gather_add(struct mm_gather *gather, const struct mm_gone *gone)
{
    if (gather->num_gone == GATHER_MAX)
        mm_gather_flush(gather);
    if (gather->num_gone == gather->max_gone) {
        gather->max_gone = gather->max_gone ? gather->max_gone * 4 : 16;
        gather->gone =
            alloc_resize(gather->gone, gather->max_gone, sizeof(*gather->gone));
    }
    gather->gone[gather->num_gone++] = *gone;
}

static void mm_gather_widen(struct mm_gather *gather, uint64_t start,
                            uint64_t end)
{
    if (start < gather->start)
        gather->start = start;
    if (end > gather->end)
        gather->end = end;
}

static void mm_gather_tell(struct mm_gather *gather,
                           const struct pagetable_leaf *leaf, uint64_t entry)
{
    struct mm_watch *watch = gather->mm->watch;

    mm_gather_widen(gather, leaf->addr, leaf->addr + leaf->size);
    if (watch && watch->frame)
        watch->frame(watch, pagetable_frame(entry), leaf->size);
}

void mm_gather_replace(struct mm_gather *gather,
                       const struct pagetable_leaf *leaf, uint64_t value)
{
    uint64_t old = pagetable_swap(leaf->entry, value);
    const struct vma *vma = mm_at(gather->mm, leaf->addr);
    const struct mm_gone gone = {
        .addr = leaf->addr,
        .frame = pagetable_frame(old),
        .num_refs = (uint32_t)(leaf->size / FRAME_SIZE),
        .is_written = (old & PTE_DIRTY) && vma && vma_is_shared_writer(vma),
    };

    mm_gather_add(gather, &gone);
    if (old & PTE_PRESENT)
        mm_gather_tell(gather, leaf, old);
}

/* Whether a processor that knows @old may do what @now forbids. */
static bool mm_is_tighter(uint64_t old, uint64_t now)
{
    const uint64_t rights = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_DIRTY;

    return (old & PTE_PRESENT) &&
           ((old & ~now & rights) || (~old & now & PTE_NX) ||
            ((old ^ now) & PTE_ADDR));
}

uint64_t mm_gather_change(struct mm_gather *gather,
                          const struct pagetable_leaf *leaf, uint64_t keep,
                          uint64_t bits)
{
    uint64_t old = pagetable_change(leaf->entry, keep, bits);

    if (mm_is_tighter(old, (old & keep) | bits))
        mm_gather_tell(gather, leaf, old);
    return old;
}

void mm_gather_clean(struct mm_gather *gather,
                     const struct pagetable_leaf *leaf)
{
    const struct mm_gone gone = {
        .addr = leaf->addr,
        .frame = pagetable_frame(*leaf->entry),
        .is_written = true,
    };

    mm_gather_add(gather, &gone);
    (void)mm_gather_change(gather, leaf, ~PTE_DIRTY, 0);
}

void mm_gather_table(struct mm_gather *gather, uint64_t addr, gpa_t table)
{
    struct mm_watch *watch = gather->mm->watch;
    const struct mm_gone gone = {.frame = table, .num_refs = 1};

    mm_gather_add(gather, &gone);
    mm_gather_widen(gather, addr & ~HUGE_MASK, (addr | HUGE_MASK) + 1);
    if (watch && watch->table)
        watch->table(watch, table);
}
