/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/mm_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/mm_gather.h"
#include "arch/x86/linux/vm_object.h"

#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)
#define HUGE_MASK ((uint64_t)FRAME_HUGE_SIZE - 1)

#define MMAP_MIN_ADDR UINT64_C(0x10000) /* vm.mmap_min_addr */

enum { MAX_MAP_COUNT = 65530 }; /* vm.max_map_count */

static uint64_t page_up(uint64_t value)
{
    return (value + PAGE_MASK) & ~PAGE_MASK;
}

/* Whether [addr, addr + len) is a range of user pages. */
static bool mm_is_range(const struct mm *mm, uint64_t addr, uint64_t len)
{
    return !(addr & PAGE_MASK) && len <= mm->task_size &&
           addr <= mm->task_size - len;
}

static bool mm_is_free(const struct mm *mm, uint64_t addr, uint64_t len)
{
    const struct vma *vma = mm_find(mm, addr);

    return !vma || vma->start >= addr + len;
}

/* ------------------------------------------------------------ list of vmas */

/* Make @addr a border between mappings. */
static void mm_split_vma(struct mm *mm, uint64_t addr)
{
    struct vma *vma = mm_at(mm, addr);
    struct vma upper;

    if (!vma || vma->start == addr)
        return;
    upper = *vma;
    upper.start = addr;
    upper.offset += addr - vma->start;
    mm->total -= vma->end - addr;
    vma->end = addr;
    mm_insert(mm, &upper);
}

static bool vma_can_merge(const struct vma *a, const struct vma *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
           a->object == b->object &&
           (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Join mappings at the borders of [start, end]. */
static void mm_merge(struct mm *mm, uint64_t start, uint64_t end)
{
    uint32_t i = mm_index(mm, start ? start - 1 : 0);

    while (i + 1 < mm->num_vmas && mm->vmas[i].start <= end) {
        uint64_t upper_end = mm->vmas[i + 1].end;

        if (!vma_can_merge(&mm->vmas[i], &mm->vmas[i + 1])) {
            i++;
            continue;
        }
        mm->total += upper_end - mm->vmas[i].end;
        mm_remove(mm, i + 1);
        mm->vmas[i].end = upper_end;
    }
}

int mm_unmap(struct mm *mm, uint64_t addr, uint64_t len)
{
    uint64_t end;
    uint32_t i;

    if (!len || !mm_is_range(mm, addr, len))
        return -EINVAL;
    end = page_up(addr + len);
    if (mm->num_vmas >= MAX_MAP_COUNT)
        return -ENOMEM;
    if (!mm_zap(mm, addr, end))
        return -ENOMEM;
    mm_split_vma(mm, addr);
    mm_split_vma(mm, end);
    i = mm_index(mm, addr);
    while (i < mm->num_vmas && mm->vmas[i].start < end)
        mm_remove(mm, i);
    return 0;
}

/* -------------------------------------------------------- finding an address
 */

/* The highest free range below @top, aligned; 0 if there is none. */
static uint64_t mm_find_below(const struct mm *mm, uint64_t top, uint64_t len,
                              uint64_t align_mask)
{
    uint32_t i = mm_index(mm, top - 1);

    if (i < mm->num_vmas && mm->vmas[i].start < top)
        top = mm->vmas[i].start;
    for (;;) {
        uint64_t floor = i ? mm->vmas[i - 1].end : MMAP_MIN_ADDR;
        uint64_t addr = top > len ? (top - len) & ~align_mask : 0;

        if (addr >= floor && addr)
            return addr;
        if (!i)
            return 0;
        top = mm->vmas[--i].start;
    }
}

static uint64_t mm_find_free(const struct mm *mm,
                             const struct mm_map_request *request)
{
    uint64_t hint = page_up(request->addr);
    uint64_t len = request->len;
    uint64_t align = PAGE_MASK, addr, limit;

    if (hint >= MMAP_MIN_ADDR && mm_is_range(mm, hint, len) &&
        mm_is_free(mm, hint, len))
        return hint;
    if (!request->object && len >= FRAME_HUGE_SIZE)
        align = HUGE_MASK;
    limit = mm->mmap_base;
    if ((request->map_flags & MAP_32BIT) && limit > UINT64_C(0x80000000))
        limit = UINT64_C(0x80000000);
    addr = mm_find_below(mm, limit, len, align);
    if (!addr && align != PAGE_MASK)
        addr = mm_find_below(mm, limit, len, PAGE_MASK);
    if (!addr && !(request->map_flags & MAP_32BIT))
        addr = mm_find_below(mm, mm->task_size, len, PAGE_MASK);
    return addr;
}

static int64_t mm_fixed_addr(struct mm *mm,
                             const struct mm_map_request *request)
{
    uint64_t addr = request->addr;

    if (addr & PAGE_MASK)
        return -EINVAL;
    if (!mm_is_range(mm, addr, request->len))
        return -ENOMEM;
    if (addr < MMAP_MIN_ADDR)
        return -EPERM;
    if ((request->map_flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE) {
        if (!mm_is_free(mm, addr, request->len))
            return -EEXIST;
    } else if (!mm_is_free(mm, addr, request->len)) {
        int error = mm_unmap(mm, addr, request->len);

        if (error)
            return error;
    }
    return (int64_t)addr;
}

static int64_t mm_choose_addr(struct mm *mm,
                              const struct mm_map_request *request)
{
    uint64_t addr;

    if (request->map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return mm_fixed_addr(mm, request);
    addr = mm_find_free(mm, request);
    return addr ? (int64_t)addr : -ENOMEM;
}

static int mm_check_request(const struct mm *mm,
                            const struct mm_map_request *request)
{
    if (!request->len || (request->offset & PAGE_MASK))
        return -EINVAL;
    if (request->len > mm->task_size || !page_up(request->len))
        return -ENOMEM;
    if (request->offset + request->len < request->offset)
        return -EOVERFLOW;
    return mm->num_vmas >= MAX_MAP_COUNT ? -ENOMEM : 0;
}

/* What RLIMIT_DATA counts: what only this process can write, but stacks. */
static bool mm_is_data(uint32_t prot, uint32_t flags)
{
    return (prot & MM_WRITE) &&
           !(flags & (VMA_SHARED | VMA_STACK | VMA_GROWS_DOWN));
}

static uint64_t mm_data(const struct mm *mm)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < mm->num_vmas; i++) {
        const struct vma *vma = &mm->vmas[i];

        if (mm_is_data(vma->prot, vma->flags))
            sum += vma->end - vma->start;
    }
    return sum;
}

/* Whether @more bytes as in @vma stay within the limits. */
static bool mm_may_grow(const struct mm *mm, const struct vma *vma,
                        uint64_t more)
{
    if (mm->total + more > mm->limit_as)
        return false;
    return mm->limit_data == UINT64_MAX || !mm_is_data(vma->prot, vma->flags) ||
           mm_data(mm) + more <= mm->limit_data;
}

/* What a mapping of [start, end) replaces [bytes]. */
static uint64_t mm_mapped(const struct mm *mm, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (uint32_t i = mm_index(mm, start);
         i < mm->num_vmas && mm->vmas[i].start < end; i++) {
        const struct vma *vma = &mm->vmas[i];

        sum += (vma->end < end ? vma->end : end) -
               (vma->start > start ? vma->start : start);
    }
    return sum;
}

static void mm_populate_vma(struct mm *mm, const struct vma *vma,
                            uint64_t start, uint64_t end)
{
    uint32_t access = vma->prot & (MM_READ | MM_WRITE | MM_EXEC);

    if (vma->object && !(vma->flags & VMA_SHARED))
        access &= ~(uint32_t)MM_WRITE;
    for (uint64_t addr = start; access && addr < end; addr += FRAME_SIZE) {
        if (mm_fault(mm, addr, access) != MM_OK)
            return;
    }
}

void mm_populate_range(struct mm *mm, uint64_t start, uint64_t end)
{
    while (start < end) {
        const struct vma *vma = mm_at(mm, start);
        uint64_t next = vma->end < end ? vma->end : end;

        mm_populate_vma(mm, vma, start, next);
        start = next;
    }
}

uint64_t mm_locked(const struct mm *mm, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (uint32_t i = mm_index(mm, start);
         i < mm->num_vmas && mm->vmas[i].start < end; i++) {
        const struct vma *vma = &mm->vmas[i];
        uint64_t low = vma->start > start ? vma->start : start;
        uint64_t high = vma->end < end ? vma->end : end;

        if (vma->flags & VMA_LOCKED)
            sum += high - low;
    }
    return sum;
}

/* A mapping as asked for, without a place yet. */
static struct vma mm_make_vma(const struct mm *mm,
                              const struct mm_map_request *request)
{
    struct vma vma = {
        .prot = request->prot & (MM_READ | MM_WRITE | MM_EXEC),
        .flags = request->vma_flags | mm->new_flags,
        .object = request->object,
        .offset = request->object ? request->offset : 0,
    };

    if ((request->map_flags & MAP_TYPE) != MAP_PRIVATE)
        vma.flags |= VMA_SHARED;
    if (request->map_flags & MAP_GROWSDOWN)
        vma.flags |= VMA_GROWS_DOWN;
    return vma;
}

/* What is replaced does not count twice. */
static bool mm_has_room(const struct mm *mm, const struct vma *vma,
                        const struct mm_map_request *request)
{
    uint64_t replaced = 0;

    if (mm_may_grow(mm, vma, request->len))
        return true;
    if (request->map_flags & MAP_FIXED)
        replaced = mm_mapped(mm, request->addr, request->addr + request->len);
    return replaced && mm_may_grow(mm, vma, request->len - replaced);
}

int64_t mm_map(struct mm *mm, const struct mm_map_request *asked)
{
    struct mm_map_request request = *asked;
    struct vma vma;
    int64_t addr = mm_check_request(mm, asked);

    if (addr)
        return addr;
    request.len = page_up(asked->len);
    vma = mm_make_vma(mm, &request);
    if (!mm_has_room(mm, &vma, &request))
        return -ENOMEM;
    addr = mm_choose_addr(mm, &request);
    if (addr < 0)
        return addr;
    vma.start = (uint64_t)addr;
    vma.end = vma.start + request.len;
    mm_insert(mm, &vma);
    mm_merge(mm, vma.start, vma.end);
    if ((request.map_flags & MAP_POPULATE) || (vma.flags & VMA_LOCKED))
        mm_populate_range(mm, vma.start, vma.end);
    return addr;
}

/* ---------------------------------------------------------- mprotect, madvise
 */

/* Whether mappings cover [start, end) without a hole. */
static bool mm_is_covered(const struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = mm_index(mm, start); start < end; i++) {
        if (i >= mm->num_vmas || mm->vmas[i].start > start)
            return false;
        start = mm->vmas[i].end;
    }
    return true;
}

static bool mm_may_protect(const struct vma *vma, uint32_t prot)
{
    return !(prot & MM_WRITE) || !vma->object || !(vma->flags & VMA_SHARED) ||
           (vma->flags & VMA_MAY_WRITE);
}

/* How far [start, *end) can be protected: to a hole or to a mapping that
 * refuses.  Linux changes what lies before those, and then tells of them. */
static int mm_protectable(const struct mm *mm, uint64_t start, uint64_t *end,
                          uint32_t prot)
{
    uint64_t limit = *end;

    *end = start;
    for (uint32_t i = mm_index(mm, start); *end < limit; i++) {
        if (i >= mm->num_vmas || mm->vmas[i].start > *end)
            return -ENOMEM;
        if (!mm_may_protect(&mm->vmas[i], prot))
            return -EACCES;
        *end = mm->vmas[i].end < limit ? mm->vmas[i].end : limit;
    }
    return 0;
}

int mm_protect(struct mm *mm, uint64_t addr, uint64_t len, uint32_t prot)
{
    uint64_t end = addr + page_up(len);
    int err;

    if (addr & PAGE_MASK)
        return -EINVAL;
    if (!len)
        return 0;
    if (end <= addr)
        return -ENOMEM;
    if (prot & ~(uint32_t)(MM_READ | MM_WRITE | MM_EXEC | PROT_GROWSDOWN))
        return -EINVAL;
    err = mm_protectable(mm, addr, &end, prot);
    if (end == addr)
        return err;
    if (prot & PROT_GROWSDOWN)
        addr = mm_at(mm, addr)->start;
    if (!mm_split_page(mm, addr) || !mm_split_page(mm, end))
        return -ENOMEM;
    mm_split_vma(mm, addr);
    mm_split_vma(mm, end);
    for (uint32_t i = mm_index(mm, addr);
         i < mm->num_vmas && mm->vmas[i].start < end; i++)
        mm->vmas[i].prot = prot & (MM_READ | MM_WRITE | MM_EXEC);
    mm_reprotect(mm, addr, end);
    mm_merge(mm, addr, end);
    return err;
}

void mm_set_flags(struct mm *mm, uint64_t start, uint64_t end,
                  const uint32_t set_clear[2])
{
    mm_split_vma(mm, start);
    mm_split_vma(mm, end);
    for (uint32_t i = mm_index(mm, start);
         i < mm->num_vmas && mm->vmas[i].start < end; i++) {
        mm->vmas[i].flags |= set_clear[0];
        mm->vmas[i].flags &= ~set_clear[1];
    }
    mm_merge(mm, start, end);
}

/* Drop the pages of private mappings; the next touch finds zeroes or the file
 * again. */
static int mm_discard(struct mm *mm, uint64_t start, uint64_t end)
{
    if (mm_locked(mm, start, end))
        return -EINVAL;
    return mm_zap(mm, start, end) ? 0 : -ENOMEM;
}

static const struct {
    int advice;
    uint32_t set_clear[2]; /* vma flags */
} advice_flags[] = {
    {MADV_NOHUGEPAGE,  {VMA_NO_HUGE, 0}     },
    {MADV_HUGEPAGE,    {0, VMA_NO_HUGE}     },
    {MADV_DONTFORK,    {VMA_NO_FORK, 0}     },
    {MADV_DOFORK,      {0, VMA_NO_FORK}     },
    {MADV_WIPEONFORK,  {VMA_WIPE_ON_FORK, 0}},
    {MADV_KEEPONFORK,  {0, VMA_WIPE_ON_FORK}},
 /* Hints that have no effect here. */
    {MADV_NORMAL,      {0, 0}               },
    {MADV_RANDOM,      {0, 0}               },
    {MADV_SEQUENTIAL,  {0, 0}               },
    {MADV_WILLNEED,    {0, 0}               },
    {MADV_COLD,        {0, 0}               },
    {MADV_PAGEOUT,     {0, 0}               },
    {MADV_DONTDUMP,    {0, 0}               },
    {MADV_DODUMP,      {0, 0}               },
    {MADV_MERGEABLE,   {0, 0}               },
    {MADV_UNMERGEABLE, {0, 0}               },
};

static int mm_advise_flags(struct mm *mm, uint64_t start, uint64_t end,
                           int advice)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(advice_flags); i++) {
        if (advice_flags[i].advice != advice)
            continue;
        mm_set_flags(mm, start, end, advice_flags[i].set_clear);
        return 0;
    }
    return -EINVAL;
}

/* Whether all mappings in [start, end) are private zeroes. */
static bool mm_is_anonymous(const struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = mm_index(mm, start);
         i < mm->num_vmas && mm->vmas[i].start < end; i++) {
        if (mm->vmas[i].object)
            return false;
    }
    return true;
}

static int mm_advise_range(struct mm *mm, uint64_t start, uint64_t end,
                           int advice)
{
    switch (advice) {
    case MADV_FREE:
        if (!mm_is_anonymous(mm, start, end))
            return -EINVAL;
        return mm_discard(mm, start, end);
    case MADV_DONTNEED:
        return mm_discard(mm, start, end);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        if (!mm_is_covered(mm, start, end))
            return -ENOMEM;
        mm_populate_range(mm, start, end);
        return 0;
    default:
        return mm_advise_flags(mm, start, end, advice);
    }
}

/* madvise(2), ENOMEM: what is mapped takes the advice beside the holes. */
int mm_advise(struct mm *mm, uint64_t addr, uint64_t len, int advice)
{
    uint64_t end = addr + page_up(len);
    int err;

    if ((addr & PAGE_MASK) || end < addr || !mm_is_range(mm, addr, end - addr))
        return -EINVAL;
    if (addr == end)
        return 0;
    err = mm_advise_range(mm, addr, end, advice);
    if (!err && !mm_is_covered(mm, addr, end))
        err = -ENOMEM;
    return err;
}

/* ---------------------------------------------------------------------- brk */

uint64_t mm_brk(struct mm *mm, uint64_t addr)
{
    uint64_t old_end = page_up(mm->brk);
    uint64_t new_end = page_up(addr);
    struct vma heap = {.prot = MM_READ | MM_WRITE,
                       .flags = VMA_HEAP | mm->new_flags};

    if (addr < mm->brk_start || addr >= mm->task_size ||
        (mm->limit_data != UINT64_MAX &&
         addr - mm->brk_start + mm->data_end - mm->data_start > mm->limit_data))
        return mm->brk;
    if (new_end < old_end) {
        if (mm_unmap(mm, new_end, old_end - new_end))
            return mm->brk;
    } else if (new_end > old_end) {
        if (!mm_is_free(mm, old_end, new_end - old_end + FRAME_SIZE) ||
            !mm_may_grow(mm, &heap, new_end - old_end))
            return mm->brk;
        heap.start = old_end;
        heap.end = new_end;
        mm_insert(mm, &heap);
        mm_merge(mm, old_end, new_end);
        if (heap.flags & VMA_LOCKED)
            mm_populate_range(mm, old_end, new_end);
    }
    mm->brk = addr;
    return addr;
}

/* ------------------------------------------------------------------- mremap */

/* Hand the page of @leaf over to @to; the frame keeps its reference. */
static bool mm_move_page(struct mm_gather *gather,
                         const struct pagetable_leaf *leaf, uint64_t to)
{
    uint64_t *entry = pagetable_slot(&gather->mm->pt, to, leaf->size);

    if (!entry)
        return false;
    pagetable_set(entry, mm_gather_change(gather, leaf, 0, 0));
    return true;
}

static bool mm_move_each(struct mm_gather *gather, uint64_t from, uint64_t to,
                         uint64_t len)
{
    struct pagetable *pt = &gather->mm->pt;
    struct pagetable_leaf leaf;
    uint64_t addr = from;

    while (pagetable_next(pt, addr, from + len, &leaf)) {
        uint64_t target = leaf.addr - from + to;

        if (leaf.size == FRAME_HUGE_SIZE &&
            ((target & HUGE_MASK) || leaf.addr < from ||
             leaf.addr + leaf.size > from + len)) {
            if (!pagetable_split(pt, &leaf))
                return false;
            continue;
        }
        if (!mm_move_page(gather, &leaf, target))
            return false;
        addr = leaf.addr + leaf.size;
    }
    return true;
}

static bool mm_move_pages(struct mm *mm, uint64_t from, uint64_t to,
                          uint64_t len)
{
    struct mm_gather gather;
    bool is_ok;

    mm_gather_start(&gather, mm);
    is_ok = mm_move_each(&gather, from, to, len);
    (void)mm_gather_finish(&gather);
    return is_ok;
}

/* Move the mapping at @addr to a new place and grow it. */
static int64_t mm_move(struct mm *mm, uint64_t addr, const uint64_t len[2],
                       uint32_t flags, uint64_t new_addr)
{
    struct vma vma = *mm_at(mm, addr);
    struct mm_map_request request = {
        .addr = flags & MREMAP_FIXED ? new_addr : 0,
        .len = len[1],
        .map_flags = flags & MREMAP_FIXED ? MAP_FIXED : 0,
        .object = vma.object,
    };
    int64_t target = mm_check_request(mm, &request);

    if (target)
        return target;
    vma.object = vma.object ? vm_object_get(vma.object) : NULL;
    target = mm_choose_addr(mm, &request);
    if (target >= 0) {
        vma.offset += addr - vma.start;
        vma.start = (uint64_t)target;
        vma.end = vma.start + len[1];
        mm_insert(mm, &vma);
        if (!mm_move_pages(mm, addr, vma.start,
                           len[0] < len[1] ? len[0] : len[1]) ||
            (!(flags & MREMAP_DONTUNMAP) && mm_unmap(mm, addr, len[0])))
            target = -ENOMEM;
        mm_merge(mm, vma.start, vma.end);
    }
    vm_object_put(vma.object);
    return target;
}

static bool mm_extend_in_place(struct mm *mm, uint64_t addr,
                               const uint64_t len[2])
{
    struct vma *vma = mm_at(mm, addr);
    uint64_t more = len[1] - len[0];

    if (vma->end != addr + len[0] || !mm_is_range(mm, vma->end, more) ||
        !mm_is_free(mm, vma->end, more))
        return false;
    vma->end += more;
    mm->total += more;
    mm_merge(mm, addr, addr + len[1]);
    return true;
}

static int mm_check_remap(const struct mm *mm, uint64_t addr,
                          const uint64_t len[2], uint32_t flags)
{
    const uint32_t known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    const struct vma *vma = mm_at(mm, addr);

    if ((flags & ~known) || (addr & PAGE_MASK) || !len[1] ||
        len[1] > mm->task_size)
        return -EINVAL;
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) &&
        !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) && len[0] != len[1])
        return -EINVAL;
    if (!vma || len[0] > vma->end - addr)
        return -EFAULT;
    if (!len[0] && !(vma->flags & VMA_SHARED))
        return -EINVAL;
    return len[1] > len[0] && !mm_may_grow(mm, vma, len[1] - len[0]) ? -ENOMEM
                                                                     : 0;
}

int64_t mm_remap(struct mm *mm, uint64_t addr, const uint64_t asked[2],
                 uint32_t flags, uint64_t new_addr)
{
    uint64_t len[2] = {page_up(asked[0]), page_up(asked[1])};
    int error = mm_check_remap(mm, addr, len, flags);

    if (error)
        return error;
    if (flags & MREMAP_FIXED) {
        if ((new_addr & PAGE_MASK) || !mm_is_range(mm, new_addr, len[1]) ||
            (new_addr < addr + len[0] && addr < new_addr + len[1]))
            return -EINVAL;
        return mm_move(mm, addr, len, flags, new_addr);
    }
    if (flags & MREMAP_DONTUNMAP)
        return mm_move(mm, addr, len, flags, 0);
    if (len[1] <= len[0]) {
        if (len[1] < len[0])
            error = mm_unmap(mm, addr + len[1], len[0] - len[1]);
        return error ? error : (int64_t)addr;
    }
    if (mm_extend_in_place(mm, addr, len))
        return (int64_t)addr;
    return flags & MREMAP_MAYMOVE ? mm_move(mm, addr, len, flags, 0) : -ENOMEM;
}
