/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/mm_guard.h"

#include <string.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/mm_gather.h"
#include "base/alloc.h"

#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)

enum { CALL_SIZE = 3 };

/* [SDM] Vol. 3C, "VMCALL"; [APM] Vol. 3, "VMMCALL". */
static bool guard_is_call(const uint8_t bytes[CALL_SIZE])
{
    return bytes[0] == 0x0f && bytes[1] == 0x01 &&
           (bytes[2] == 0xc1 || bytes[2] == 0xd9);
}

/* The first call in @bytes from @at on; @len if there is none. */
static uint64_t guard_next(const uint8_t *bytes, uint64_t at, uint64_t len)
{
    while (at + CALL_SIZE <= len) {
        const uint8_t *found =
            memchr(bytes + at, 0x0f, len - CALL_SIZE + 1 - at);

        if (!found)
            break;
        if (guard_is_call(found))
            return (uint64_t)(found - bytes);
        at = (uint64_t)(found - bytes) + 1;
    }
    return len;
}

/* A call over the boundary of two pages. */
static bool guard_joins(const uint8_t *before, uint64_t size,
                        const uint8_t *behind)
{
    uint8_t bytes[4] = {before[size - 2], before[size - 1], behind[0],
                        behind[1]};

    return guard_is_call(bytes) || guard_is_call(bytes + 1);
}

/* ----------------------------------------------------------------- the list */

void mm_guards_fini(struct mm_guards *guards)
{
    mem_free(guards->pages);
    *guards = (struct mm_guards){0};
}

void mm_guards_copy(struct mm_guards *to, const struct mm_guards *from)
{
    *to = *from;
    to->max = from->num;
    to->pages = NULL;
    if (!from->num)
        return;
    to->pages = alloc_resize(NULL, from->num, sizeof(*to->pages));
    memcpy(to->pages, from->pages, from->num * sizeof(*to->pages));
}

bool mm_guards_has(const struct mm *mm, uint64_t addr)
{
    for (uint32_t i = 0; i < mm->guards.num; i++)
        if (mm->guards.pages[i] == (addr & ~PAGE_MASK))
            return true;
    return false;
}

static void guard_add(struct mm *mm, uint64_t addr)
{
    struct mm_guards *guards = &mm->guards;

    if (mm_guards_has(mm, addr))
        return;
    if (guards->num == guards->max) {
        guards->max = guards->max ? 2 * guards->max : 8;
        guards->pages =
            alloc_resize(guards->pages, guards->max, sizeof(*guards->pages));
    }
    guards->pages[guards->num++] = addr & ~PAGE_MASK;
}

/* ---------------------------------------------------------------- the tables
 */

static bool guard_is_code(uint64_t entry)
{
    return (entry & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER) &&
           !(entry & PTE_NX);
}

static const uint8_t *guard_host(const struct mm *mm, uint64_t entry)
{
    return frames_host(mm->pt.frames, pagetable_frame(entry));
}

/* The small page at @addr, if something is mapped there.  Without RAM for a
 * table a large page stays one. */
static bool guard_find(struct mm *mm, uint64_t addr,
                       struct pagetable_leaf *leaf)
{
    if (!pagetable_find(&mm->pt, addr, leaf))
        return false;
    if (leaf->size == FRAME_SIZE || !pagetable_split(&mm->pt, leaf))
        return true;
    return pagetable_find(&mm->pt, addr, leaf);
}

/* It may be executing: who keeps translations is told. */
static void guard_add_present(struct mm *mm, const struct pagetable_leaf *leaf)
{
    struct mm_gather gather;

    guard_add(mm, leaf->addr);
    mm_gather_start(&gather, mm);
    (void)mm_gather_change(&gather, leaf, ~UINT64_C(0), PTE_NX);
    (void)mm_gather_finish(&gather);
    if (!mm->guards.is_closed)
        (void)pagetable_change(leaf->entry, ~PTE_NX, 0);
}

static bool guard_begins_before(struct mm *mm, uint64_t addr,
                                const uint8_t *bytes)
{
    struct pagetable_leaf leaf;

    return addr && (bytes[0] == 0x01 || bytes[0] == 0xc1 || bytes[0] == 0xd9) &&
           pagetable_find(&mm->pt, addr - 1, &leaf) &&
           (*leaf.entry & PTE_PRESENT) &&
           guard_joins(guard_host(mm, *leaf.entry), leaf.size, bytes);
}

/* The page behind is the one that the processor faults on. */
static void guard_end_behind(struct mm *mm, uint64_t end, const uint8_t *bytes,
                             uint64_t size)
{
    struct pagetable_leaf leaf;

    if (bytes[size - 1] != 0x0f && bytes[size - 1] != 0x01)
        return;
    if (!guard_find(mm, end, &leaf) || !guard_is_code(*leaf.entry) ||
        !guard_joins(bytes, size, guard_host(mm, *leaf.entry)))
        return;
    guard_add_present(mm, &leaf);
}

uint64_t mm_guards_look(struct mm *mm, uint64_t addr, gpa_t frame,
                        uint64_t size)
{
    const uint8_t *bytes = frames_host(mm->pt.frames, frame);
    bool was_found = guard_begins_before(mm, addr, bytes);
    uint64_t at = guard_next(bytes, 0, size);

    if (was_found)
        guard_add(mm, addr);
    while (at < size) {
        was_found = true;
        guard_add(mm, addr + at);
        /* One is enough for its page; the next may reach over its end. */
        if (at < (at | PAGE_MASK) - 1)
            at = (at | PAGE_MASK) - 1;
        else
            at++;
        at = guard_next(bytes, at, size);
    }
    guard_end_behind(mm, addr + size, bytes, size);
    return was_found && mm->guards.is_closed ? PTE_NX : 0;
}

void mm_guards_look_at_all(struct mm *mm)
{
    struct pagetable_leaf leaf;
    uint64_t addr = 0;

    while (pagetable_next(&mm->pt, addr, mm->task_size, &leaf)) {
        if (guard_is_code(*leaf.entry))
            (void)mm_guards_look(mm, leaf.addr, pagetable_frame(*leaf.entry),
                                 leaf.size);
        addr = leaf.addr + leaf.size;
    }
}

/* ------------------------------------------------------------ close and open
 */

/* Pages that went are forgotten here. */
void mm_guards_close(struct mm *mm)
{
    struct mm_guards *guards = &mm->guards;
    struct pagetable_leaf leaf;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < guards->num; i++) {
        if (!guard_find(mm, guards->pages[i], &leaf) ||
            !guard_is_code(*leaf.entry))
            continue;
        (void)pagetable_change(leaf.entry, ~UINT64_C(0), PTE_NX);
        guards->pages[kept++] = guards->pages[i];
    }
    guards->num = kept;
    guards->is_closed = true;
}

void mm_guards_open(struct mm *mm)
{
    struct mm_guards *guards = &mm->guards;
    struct pagetable_leaf leaf;

    for (uint32_t i = 0; i < guards->num; i++) {
        const struct vma *vma = mm_at(mm, guards->pages[i]);

        if (vma && (vma->prot & MM_EXEC) &&
            pagetable_find(&mm->pt, guards->pages[i], &leaf))
            (void)pagetable_change(leaf.entry, ~PTE_NX, 0);
    }
    guards->is_closed = false;
}
