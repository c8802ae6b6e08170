/* SPDX-License-Identifier: BSD-3-Clause */
/* Life of an address space, lookups and page faults. */
#include "arch/x86/linux/mm.h"

#include <string.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm_gather.h"
#include "arch/x86/linux/vm_object.h"
#include "base/alloc.h"

#define HUGE_MASK ((uint64_t)FRAME_HUGE_SIZE - 1)
#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)

static void mm_retire_table(struct pagetable *pt, uint64_t addr, gpa_t table)
{
    struct mm_gather gather;

    mm_gather_start(&gather, SIM_CONTAINER_OF(pt, struct mm, pt));
    mm_gather_table(&gather, addr, table);
    (void)mm_gather_finish(&gather);
}

struct mm *mm_create(struct vm_objects *objects, struct mm_watch *watch,
                     uint64_t task_size)
{
    struct mm *mm = alloc_zeroed(1, sizeof(*mm));

    if (!pagetable_create(&mm->pt, objects->frames)) {
        mem_free(mm);
        return NULL;
    }
    mm->pt.retire = mm_retire_table;
    mm->objects = objects;
    mm->watch = watch;
    mm->refs = 1;
    mm->fault_around = 1;
    mm->task_size = task_size;
    mm->mmap_base = task_size - MM_STACK_GAP;
    mm->limit_as = UINT64_MAX;
    mm->limit_stack = UINT64_C(8) << 20;
    mm->limit_data = UINT64_MAX;
    return mm;
}

struct mm *mm_get(struct mm *mm)
{
    mm->refs++;
    return mm;
}

/* Take all pages of [start, end) out of the tables. */
static void mm_take_pages(struct mm_gather *gather, uint64_t start,
                          uint64_t end)
{
    struct mm *mm = gather->mm;
    struct pagetable_leaf leaf;

    while (pagetable_next(&mm->pt, start, end, &leaf)) {
        mm_gather_replace(gather, &leaf, 0);
        mm->resident -= leaf.size;
        start = leaf.addr + leaf.size;
    }
}

static void mm_take_table(void *ctx, gpa_t table)
{
    struct mm_gather *gather = ctx;

    mm_gather_table(gather, 0, table);
}

void mm_put(struct mm *mm)
{
    struct mm_gather gather;

    if (!mm || --mm->refs)
        return;
    mm_gather_start(&gather, mm);
    mm_take_pages(&gather, 0, UINT64_MAX);
    pagetable_take_tables(&mm->pt, mm_take_table, &gather);
    (void)mm_gather_finish(&gather);
    while (mm->num_vmas)
        mm_remove(mm, mm->num_vmas - 1);
    mem_free(mm->vmas);
    mem_free(mm->sites);
    mm_guards_fini(&mm->guards);
    mem_free(mm);
}

bool mm_map_kernel(struct mm *mm, uint64_t addr, gpa_t frame,
                   enum mm_kernel_access access)
{
    const uint64_t rights =
        access == MM_KERNEL_CODE ? PTE_USER : PTE_WRITE | PTE_NX;
    uint64_t *entry = pagetable_slot(&mm->pt, addr, FRAME_SIZE);

    if (!entry)
        return false;
    frames_ref(mm->pt.frames, frame);
    pagetable_set(entry,
                  frame.v | PTE_PRESENT | PTE_ACCESS | PTE_DIRTY | rights);
    return true;
}

/* ------------------------------------------------------------------ lookups */

uint32_t mm_index(const struct mm *mm, uint64_t addr)
{
    uint32_t low = 0, high = mm->num_vmas;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (mm->vmas[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct vma *mm_find(const struct mm *mm, uint64_t addr)
{
    uint32_t index = mm_index(mm, addr);

    return index < mm->num_vmas ? &mm->vmas[index] : NULL;
}

struct vma *mm_at(const struct mm *mm, uint64_t addr)
{
    struct vma *vma = mm_find(mm, addr);

    return vma && vma->start <= addr ? vma : NULL;
}

bool vma_is_shared_writer(const struct vma *vma)
{
    return vma->object && (vma->flags & VMA_SHARED) &&
           (vma->flags & VMA_MAY_WRITE);
}

void mm_insert(struct mm *mm, const struct vma *vma)
{
    uint32_t index = mm_index(mm, vma->start);

    if (mm->num_vmas == mm->max_vmas) {
        mm->max_vmas = mm->max_vmas ? mm->max_vmas * 2 : 32;
        mm->vmas = alloc_resize(mm->vmas, mm->max_vmas, sizeof(*mm->vmas));
    }
    memmove(&mm->vmas[index + 1], &mm->vmas[index],
            (mm->num_vmas - index) * sizeof(*mm->vmas));
    mm->vmas[index] = *vma;
    mm->num_vmas++;
    mm->total += vma->end - vma->start;
    if (vma->object)
        (void)vm_object_get(vma->object);
    if (vma_is_shared_writer(vma))
        vma->object->num_shared++;
}

void mm_remove(struct mm *mm, uint32_t index)
{
    struct vma vma = mm->vmas[index];

    memmove(&mm->vmas[index], &mm->vmas[index + 1],
            (mm->num_vmas - index - 1) * sizeof(*mm->vmas));
    mm->num_vmas--;
    mm->total -= vma.end - vma.start;
    if (vma_is_shared_writer(&vma))
        vma.object->num_shared--;
    vm_object_put(vma.object);
}

/* ------------------------------------------------------------ page contents */

/* What a processor would set later anyway is set at once where nobody asks for
 * it: "dirty" counts for shared files only.  KVM's shadow page tables take
 * neighbours along with a page only if they look used, and map them writable
 * only if they look written, which spares it two of three faults. */
static uint64_t mm_pte_bits(const struct vma *vma, bool is_writable)
{
    uint64_t bits = PTE_USER | PTE_ACCESS;

    if (!(vma->prot & (MM_READ | MM_WRITE | MM_EXEC)))
        return PTE_HELD;
    bits |= PTE_PRESENT;
    if (is_writable && (vma->prot & MM_WRITE))
        bits |= vma->object ? PTE_WRITE : PTE_WRITE | PTE_DIRTY;
    if (!(vma->prot & MM_EXEC))
        bits |= PTE_NX;
    return bits;
}

/* Of the entry @leaf, which gets @frame. */
static uint64_t mm_leaf_bits(struct mm *mm, const struct vma *vma,
                             const struct pagetable_leaf *leaf, gpa_t frame,
                             bool is_writable)
{
    uint64_t bits = mm_pte_bits(vma, is_writable);

    if (mm->watch && mm->watch->tracks_code && (bits & PTE_PRESENT) &&
        !(bits & PTE_NX))
        bits |= mm_guards_look(mm, leaf->addr, frame, leaf->size);
    return bits;
}

bool mm_split_page(struct mm *mm, uint64_t addr)
{
    struct pagetable_leaf leaf;

    if (!pagetable_find(&mm->pt, addr, &leaf) || leaf.addr == addr ||
        leaf.size == FRAME_SIZE)
        return true;
    return pagetable_split(&mm->pt, &leaf);
}

bool mm_zap(struct mm *mm, uint64_t start, uint64_t end)
{
    struct mm_gather gather;

    if (!mm_split_page(mm, start) || !mm_split_page(mm, end))
        return false;
    mm_gather_start(&gather, mm);
    mm_take_pages(&gather, start, end);
    (void)mm_gather_finish(&gather);
    return true;
}

void mm_reprotect(struct mm *mm, uint64_t start, uint64_t end)
{
    struct mm_gather gather;
    struct pagetable_leaf leaf;

    mm_gather_start(&gather, mm);
    while (pagetable_next(&mm->pt, start, end, &leaf)) {
        const struct vma *vma = mm_at(mm, leaf.addr);
        bool is_writable =
            (vma->flags & VMA_SHARED) ||
            frames_is_sole(mm->pt.frames, pagetable_frame(*leaf.entry),
                           (uint32_t)(leaf.size / FRAME_SIZE));

        mm_gather_change(&gather, &leaf, PTE_ADDR | PTE_LARGE | PTE_DIRTY,
                         mm_leaf_bits(mm, vma, &leaf,
                                      pagetable_frame(*leaf.entry),
                                      is_writable));
        start = leaf.addr + leaf.size;
    }
    (void)mm_gather_finish(&gather);
}

int mm_sync(struct mm *mm, uint64_t start, uint64_t end)
{
    struct mm_gather gather;
    struct pagetable_leaf leaf;

    mm_gather_start(&gather, mm);
    while (pagetable_next(&mm->pt, start, end, &leaf)) {
        if ((*leaf.entry & PTE_DIRTY) &&
            vma_is_shared_writer(mm_at(mm, leaf.addr)))
            mm_gather_clean(&gather, &leaf);
        start = leaf.addr + leaf.size;
    }
    return mm_gather_finish(&gather);
}

/* ------------------------------------------------------------------- faults */

/* A stack mapping grows down to a fault below it, within the limit and with a
 * distance to the mapping underneath. */
static struct vma *mm_grow_stack(struct mm *mm, uint64_t addr)
{
    enum { GUARD = 256 * FRAME_SIZE };
    struct vma *vma = mm_find(mm, addr);
    uint64_t start = addr & ~HUGE_MASK;
    uint64_t floor = 0;

    if (!vma || !(vma->flags & VMA_GROWS_DOWN))
        return NULL;
    if (vma->end - (addr & ~PAGE_MASK) > mm->limit_stack)
        return NULL;
    if (vma != mm->vmas)
        floor = vma[-1].end + GUARD;
    if ((addr & ~PAGE_MASK) < floor)
        return NULL;
    if (start < floor || vma->end - start > mm->limit_stack)
        start = addr & ~PAGE_MASK;
    mm->total += vma->start - start;
    vma->start = start;
    return vma;
}

static bool mm_can_be_huge(const struct vma *vma, uint64_t addr)
{
    uint64_t start = addr & ~HUGE_MASK;

    return !vma->object && !(vma->flags & VMA_NO_HUGE) && start >= vma->start &&
           vma->end - start >= FRAME_HUGE_SIZE;
}

static void mm_add_resident(struct mm *mm, uint64_t size)
{
    mm->resident += size;
    if (mm->resident > mm->max_resident)
        mm->max_resident = mm->resident;
}

static bool mm_populate_huge(struct mm *mm, const struct vma *vma,
                             uint64_t addr)
{
    const struct pagetable_leaf leaf = {
        .addr = addr & ~HUGE_MASK,
        .size = FRAME_HUGE_SIZE,
        .entry = pagetable_slot(&mm->pt, addr & ~HUGE_MASK, FRAME_HUGE_SIZE),
    };
    gpa_t frame;

    if (!leaf.entry || *leaf.entry || !frames_alloc_huge(mm->pt.frames, &frame))
        return false;
    pagetable_set(leaf.entry, frame.v | PTE_LARGE |
                                  mm_leaf_bits(mm, vma, &leaf, frame, true));
    mm_add_resident(mm, FRAME_HUGE_SIZE);
    return true;
}

static enum mm_result mm_populate_object(struct mm *mm, const struct vma *vma,
                                         uint64_t addr, gpa_t *frame)
{
    uint64_t index =
        ((addr & ~PAGE_MASK) - vma->start + vma->offset) / FRAME_SIZE;
    enum vm_page result = vm_object_page(vma->object, index, frame);

    if (result == VM_PAGE_BEYOND_END)
        return MM_BUS;
    if (result == VM_PAGE_NO_MEMORY)
        return MM_NO_MEMORY;
    frames_ref(mm->pt.frames, *frame);
    return MM_OK;
}

/* A page that costs next to nothing: cached, or zeroes. */
static bool mm_cheap_page(struct mm *mm, const struct vma *vma, uint64_t addr,
                          gpa_t *frame)
{
    if (!vma->object)
        return frames_alloc(mm->pt.frames, frame);
    if (!vm_object_cached(
            vma->object, (addr - vma->start + vma->offset) / FRAME_SIZE, frame))
        return false;
    frames_ref(mm->pt.frames, *frame);
    return true;
}

/* Map what is absent around @addr, in an aligned window; all of its entries
 * are in one table. */
static void mm_populate_around(struct mm *mm, const struct vma *vma,
                               uint64_t addr)
{
    uint64_t size = (uint64_t)mm->fault_around * FRAME_SIZE;
    uint64_t start = addr & ~(size - 1), end = start + size;
    bool is_writable = !vma->object || (vma->flags & VMA_SHARED);
    struct pagetable_leaf leaf = {.size = FRAME_SIZE};
    gpa_t frame;

    if (start < vma->start)
        start = vma->start;
    if (end > vma->end)
        end = vma->end;
    leaf.entry = pagetable_slot(&mm->pt, start, FRAME_SIZE);
    if (vma->object)
        vm_object_read_ahead(vma->object,
                             (start - vma->start + vma->offset) / FRAME_SIZE,
                             (uint32_t)((end - start) / FRAME_SIZE));
    for (; leaf.entry && start < end; start += FRAME_SIZE, leaf.entry++) {
        if (*leaf.entry || !mm_cheap_page(mm, vma, start, &frame))
            continue;
        leaf.addr = start;
        pagetable_set(leaf.entry, frame.v | mm_leaf_bits(mm, vma, &leaf, frame,
                                                         is_writable));
        mm_add_resident(mm, FRAME_SIZE);
    }
}

/* Whether a touch of one page of the mapping lets expect others: reads of a
 * file, as in Linux, and zeroes unless the program asked for small pages. */
static bool mm_has_neighbours(const struct mm *mm, const struct vma *vma,
                              uint32_t access)
{
    if (mm->fault_around <= 1)
        return false;
    return vma->object ? !(access & MM_WRITE) : !(vma->flags & VMA_NO_HUGE);
}

/* No page is there yet: page in. */
static enum mm_result mm_populate(struct mm *mm, const struct vma *vma,
                                  uint64_t addr)
{
    bool is_writable = !vma->object || (vma->flags & VMA_SHARED);
    struct pagetable_leaf leaf = {.addr = addr & ~PAGE_MASK,
                                  .size = FRAME_SIZE};
    gpa_t frame;

    if (mm_can_be_huge(vma, addr) && mm_populate_huge(mm, vma, addr))
        return MM_OK;
    leaf.entry = pagetable_slot(&mm->pt, leaf.addr, FRAME_SIZE);
    if (!leaf.entry)
        return MM_NO_MEMORY;
    if (vma->object) {
        enum mm_result result = mm_populate_object(mm, vma, addr, &frame);

        if (result != MM_OK)
            return result;
    } else if (!frames_alloc(mm->pt.frames, &frame)) {
        return MM_NO_MEMORY;
    }
    pagetable_set(leaf.entry,
                  frame.v | mm_leaf_bits(mm, vma, &leaf, frame, is_writable));
    mm_add_resident(mm, FRAME_SIZE);
    return MM_OK;
}

static bool mm_alloc_like(struct mm *mm, uint64_t size, gpa_t *out)
{
    return size == FRAME_HUGE_SIZE ? frames_alloc_huge(mm->pt.frames, out)
                                   : frames_alloc(mm->pt.frames, out);
}

/* Replace the frame of a page that is shared with others by a copy.  Nobody
 * can write to it meanwhile: it is read-only wherever it is mapped. */
static enum mm_result mm_copy_page(struct mm *mm, const struct vma *vma,
                                   struct pagetable_leaf *leaf, uint64_t addr)
{
    struct frames *frames = mm->pt.frames;
    struct mm_gather gather;
    gpa_t frame;

    if (!mm_alloc_like(mm, leaf->size, &frame)) {
        if (leaf->size == FRAME_SIZE || !pagetable_split(&mm->pt, leaf))
            return MM_NO_MEMORY;
        return mm_fault(mm, addr, MM_WRITE);
    }
    memcpy(frames_host(frames, frame),
           frames_host(frames, pagetable_frame(*leaf->entry)), leaf->size);
    mm_gather_start(&gather, mm);
    mm_gather_replace(&gather, leaf,
                      frame.v | (*leaf->entry & PTE_LARGE) |
                          mm_leaf_bits(mm, vma, leaf, frame, true) | PTE_DIRTY);
    (void)mm_gather_finish(&gather);
    return MM_OK;
}

/* A write to a page that is read-only in the tables, but not in its mapping. */
static enum mm_result mm_make_writable(struct mm *mm, const struct vma *vma,
                                       struct pagetable_leaf *leaf,
                                       uint64_t addr)
{
    if (!(vma->flags & VMA_SHARED) &&
        !frames_is_sole(mm->pt.frames, pagetable_frame(*leaf->entry),
                        (uint32_t)(leaf->size / FRAME_SIZE)))
        return mm_copy_page(mm, vma, leaf, addr);
    (void)pagetable_change(
        leaf->entry, PTE_ADDR | PTE_LARGE,
        mm_leaf_bits(mm, vma, leaf, pagetable_frame(*leaf->entry), true) |
            PTE_DIRTY);
    return MM_OK;
}

enum mm_result mm_fault(struct mm *mm, uint64_t addr, uint32_t access)
{
    struct pagetable_leaf leaf;
    struct vma *vma;
    uint32_t prot;
    bool was_present;

    if (addr >= mm->task_size)
        return MM_NOT_MAPPED;
    vma = mm_at(mm, addr);
    if (!vma)
        vma = mm_grow_stack(mm, addr);
    if (!vma)
        return MM_NOT_MAPPED;
    /* Page tables cannot express "not readable" for a present page. */
    prot = vma->prot & (MM_WRITE | MM_EXEC) ? vma->prot | MM_READ : vma->prot;
    if (access & ~prot)
        return MM_DENIED;
    was_present = pagetable_find(&mm->pt, addr, &leaf);
    if (!was_present) {
        enum mm_result result = mm_populate(mm, vma, addr);

        mm->num_faults++;
        if (result == MM_OK && mm_has_neighbours(mm, vma, access))
            mm_populate_around(mm, vma, addr);
        if (result != MM_OK || !(access & MM_WRITE))
            return result;
        if (!pagetable_find(&mm->pt, addr, &leaf))
            return MM_NO_MEMORY;
    }
    if ((access & MM_WRITE) && !(*leaf.entry & PTE_WRITE)) {
        mm->num_faults += was_present;
        return mm_make_writable(mm, vma, &leaf, addr);
    }
    return MM_OK;
}

/* The small page at @addr; false if it cannot be executed. */
static bool mm_find_code(struct mm *mm, uint64_t addr,
                         struct pagetable_leaf *leaf)
{
    if (mm_fault(mm, addr, MM_EXEC) != MM_OK ||
        !pagetable_find(&mm->pt, addr, leaf))
        return false;
    return leaf->size == FRAME_SIZE || (pagetable_split(&mm->pt, leaf) &&
                                        pagetable_find(&mm->pt, addr, leaf));
}

uint8_t *mm_own_byte(struct mm *mm, uint64_t addr)
{
    struct pagetable_leaf leaf;
    const struct vma *vma;

    if (!mm_find_code(mm, addr, &leaf))
        return NULL;
    vma = mm_at(mm, addr);
    if (!vma || (vma->flags & VMA_SHARED))
        return NULL;
    if (!frames_is_sole(mm->pt.frames, pagetable_frame(*leaf.entry), 1) &&
        (mm_copy_page(mm, vma, &leaf, addr) != MM_OK ||
         !pagetable_find(&mm->pt, addr, &leaf)))
        return NULL;
    return frames_host(mm->pt.frames, pagetable_frame(*leaf.entry)) +
           (addr & PAGE_MASK);
}

/* --------------------------------------------------------------------- fork */

static bool mm_fork_pages(struct mm_gather *gather, struct mm *copy,
                          const struct vma *vma)
{
    struct mm *mm = gather->mm;
    struct pagetable_leaf leaf;
    uint64_t addr = vma->start;

    while (pagetable_next(&mm->pt, addr, vma->end, &leaf)) {
        uint64_t *entry = pagetable_slot(&copy->pt, leaf.addr, leaf.size);

        if (!entry)
            return false;
        if (!(vma->flags & VMA_SHARED))
            mm_gather_change(gather, &leaf, ~PTE_WRITE, 0);
        pagetable_set(entry, *leaf.entry);
        frames_ref_many(mm->pt.frames, pagetable_frame(*entry),
                        (uint32_t)(leaf.size / FRAME_SIZE));
        mm_add_resident(copy, leaf.size);
        addr = leaf.addr + leaf.size;
    }
    return true;
}

static void mm_fork_fields(const struct mm *mm, struct mm *copy)
{
    struct pagetable pt = copy->pt;

    *copy = *mm;
    copy->pt = pt;
    copy->refs = 1;
    copy->vmas = NULL;
    copy->num_vmas = copy->max_vmas = 0;
    copy->total = copy->resident = copy->max_resident = 0;
    copy->num_faults = 0;
    copy->sites = NULL;
    copy->num_sites = 0;
    copy->sites_signature = 0;
    copy->new_flags = 0;
    mm_guards_copy(&copy->guards, &mm->guards);
}

struct mm *mm_fork(struct mm *mm)
{
    struct mm *copy = mm_create(mm->objects, mm->watch, mm->task_size);
    bool is_ok = copy != NULL;
    struct mm_gather gather;

    if (copy)
        mm_fork_fields(mm, copy);
    mm_gather_start(&gather, mm);
    for (uint32_t i = 0; is_ok && i < mm->num_vmas; i++) {
        const struct vma *vma = &mm->vmas[i];
        struct vma inherited = *vma;

        if (vma->flags & VMA_NO_FORK)
            continue;
        inherited.flags &= ~(uint32_t)VMA_LOCKED;
        mm_insert(copy, &inherited);
        if (!(vma->flags & VMA_WIPE_ON_FORK))
            is_ok = mm_fork_pages(&gather, copy, vma);
    }
    /* From here on a writer, in either process, copies. */
    (void)mm_gather_finish(&gather);
    if (copy && !is_ok) {
        mm_put(copy);
        copy = NULL;
    }
    return copy;
}
