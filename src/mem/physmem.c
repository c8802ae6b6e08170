/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest RAM as private anonymous host mappings.  Left out: file-backed and
 * shared memory (no huge pages on most hosts), ballooning, hot-plug.
 * Sources: [man] mmap(2), [man] madvise(2).
 */
#include "mem/physmem.h"

#include "base/alloc.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PAGE_BYTES = 1 << PHYSMEM_PAGE_SHIFT,
    HUGE_BYTES = 2 << 20,
    BITS_PER_WORD = 64,
};

/* A range and what surrounds it; addresses of ranges stay valid. */
struct backing {
    struct physmem_range range;
    void *map;       /* what mmap gave: the range and its alignment slack */
    size_t map_size; /* [bytes] */
    uint64_t *dirty; /* one bit per page, NULL while the log is off */
};

struct physmem {
    struct backing **backings; /* in order of addition */
    size_t num_backings;
    bool is_logging;
};

struct physmem *physmem_create(void)
{
    return alloc_zeroed(1, sizeof(struct physmem));
}

void physmem_destroy(struct physmem *mem)
{
    if (mem == NULL)
        return;
    for (size_t i = 0; i < mem->num_backings; i++) {
        struct backing *backing = mem->backings[i];

        munmap(backing->map, backing->map_size);
        mem_free(backing->dirty);
        mem_free(backing);
    }
    mem_free(mem->backings);
    mem_free(mem);
}

static bool overlaps(const struct physmem *mem, uint64_t start, uint64_t size)
{
    for (size_t i = 0; i < mem->num_backings; i++) {
        const struct physmem_range *range = &mem->backings[i]->range;

        if (start <= range->start + (range->size - 1) &&
            range->start <= start + (size - 1))
            return true;
    }
    return false;
}

static int check_new_range(const struct physmem *mem, uint64_t start,
                           uint64_t size)
{
    if (size == 0 || start % PAGE_BYTES != 0 || size % PAGE_BYTES != 0)
        return -EINVAL;
    if (start + (size - 1) < start || size > SIZE_MAX - 2 * HUGE_BYTES)
        return -EINVAL;
    return overlaps(mem, start, size) ? -EEXIST : 0;
}

/*
 * Host and guest addresses are equal modulo 2 MiB, so that a guest page of that
 * size can be one host page also where the range does not start on a boundary.
 */
static uint8_t *align_like_guest(void *map, uint64_t start)
{
    uintptr_t want = (uintptr_t)(start % HUGE_BYTES);
    uintptr_t have = (uintptr_t)map % HUGE_BYTES;

    return (uint8_t *)map + (want - have) % HUGE_BYTES;
}

static int backing_map(struct backing *backing)
{
    struct physmem_range *range = &backing->range;

    backing->map_size = (size_t)range->size + HUGE_BYTES;
    backing->map = mmap(NULL, backing->map_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (backing->map == MAP_FAILED)
        return -ENOMEM;
    range->host = align_like_guest(backing->map, range->start);
    /* Only speed depends on it, and a host without huge pages says no. */
    (void)madvise(range->host, (size_t)range->size, MADV_HUGEPAGE);
    return 0;
}

static size_t dirty_words(const struct physmem_range *range)
{
    uint64_t pages = range->size >> PHYSMEM_PAGE_SHIFT;

    return (size_t)((pages + BITS_PER_WORD - 1) / BITS_PER_WORD);
}

static uint64_t *dirty_create(const struct physmem_range *range)
{
    return alloc_zeroed(dirty_words(range), sizeof(uint64_t));
}

int physmem_add(struct physmem *mem, uint64_t start, uint64_t size)
{
    struct backing *backing;
    int err = check_new_range(mem, start, size);

    if (err != 0)
        return err;
    backing = alloc_zeroed(1, sizeof(*backing));
    backing->range.start = start;
    backing->range.size = size;
    backing->range.id = (uint32_t)mem->num_backings;
    err = backing_map(backing);
    if (err != 0) {
        mem_free(backing);
        return err;
    }
    if (mem->is_logging)
        backing->dirty = dirty_create(&backing->range);
    mem->backings = alloc_resize(mem->backings, mem->num_backings + 1,
                                 sizeof(struct backing *));
    mem->backings[mem->num_backings++] = backing;
    return 0;
}

static struct backing *backing_of(const struct physmem *mem, gpa_t addr)
{
    for (size_t i = 0; i < mem->num_backings; i++) {
        struct backing *backing = mem->backings[i];

        if (addr.v - backing->range.start < backing->range.size)
            return backing;
    }
    return NULL;
}

void *physmem_host(const struct physmem *mem, gpa_t addr, uint64_t len)
{
    const struct physmem_range *range = physmem_range_of(mem, addr);

    if (range == NULL || len > range->size - (addr.v - range->start))
        return NULL;
    return range->host + (addr.v - range->start);
}

const struct physmem_range *physmem_range_of(const struct physmem *mem,
                                             gpa_t addr)
{
    const struct backing *backing = backing_of(mem, addr);

    return backing == NULL ? NULL : &backing->range;
}

size_t physmem_num_ranges(const struct physmem *mem)
{
    return mem->num_backings;
}

const struct physmem_range *physmem_get_range(const struct physmem *mem,
                                              size_t index)
{
    SIM_ASSERT(index < mem->num_backings);
    return &mem->backings[index]->range;
}

uint64_t physmem_total_size(const struct physmem *mem)
{
    uint64_t total = 0;

    for (size_t i = 0; i < mem->num_backings; i++)
        total += mem->backings[i]->range.size;
    return total;
}

bool physmem_read(const struct physmem *mem, gpa_t addr, void *data,
                  uint64_t len)
{
    const void *host = physmem_host(mem, addr, len);

    if (host == NULL)
        return false;
    memcpy(data, host, (size_t)len);
    return true;
}

bool physmem_write(struct physmem *mem, gpa_t addr, const void *data,
                   uint64_t len)
{
    void *host = physmem_host(mem, addr, len);

    if (host == NULL)
        return false;
    memcpy(host, data, (size_t)len);
    physmem_dirty_mark(mem, addr, len);
    return true;
}

void physmem_zero(struct physmem *mem, const struct physmem_range *range)
{
    int err = madvise(range->host, (size_t)range->size, MADV_DONTNEED);

    /* Private anonymous memory that is not locked cannot refuse. */
    SIM_ASSERT(err == 0);
    physmem_dirty_mark(mem, (gpa_t){range->start}, range->size);
}

/* ---------------------------------------------------------------- dirty log */

void physmem_dirty_start(struct physmem *mem)
{
    if (mem->is_logging) {
        physmem_dirty_clear(mem);
        return;
    }
    for (size_t i = 0; i < mem->num_backings; i++)
        mem->backings[i]->dirty = dirty_create(&mem->backings[i]->range);
    mem->is_logging = true;
}

void physmem_dirty_stop(struct physmem *mem)
{
    for (size_t i = 0; i < mem->num_backings; i++) {
        mem_free(mem->backings[i]->dirty);
        mem->backings[i]->dirty = NULL;
    }
    mem->is_logging = false;
}

bool physmem_dirty_is_on(const struct physmem *mem)
{
    return mem->is_logging;
}

/* Mark the pages from @first to @last, inclusive and inside the range. */
static void mark_pages(struct backing *backing, uint64_t first, uint64_t last)
{
    for (uint64_t page = first; page <= last; page++) {
        uint64_t bit = UINT64_C(1) << (page % BITS_PER_WORD);

        __atomic_fetch_or(&backing->dirty[page / BITS_PER_WORD], bit,
                          __ATOMIC_RELAXED);
    }
}

void physmem_dirty_mark(struct physmem *mem, gpa_t addr, uint64_t len)
{
    if (!mem->is_logging || len == 0)
        return;
    for (size_t i = 0; i < mem->num_backings; i++) {
        const struct physmem_range *range = &mem->backings[i]->range;
        uint64_t last = addr.v + (len - 1);
        uint64_t first = addr.v;

        if (last < first)
            last = UINT64_MAX;
        if (first < range->start)
            first = range->start;
        if (last > range->start + (range->size - 1))
            last = range->start + (range->size - 1);
        if (first <= last)
            mark_pages(mem->backings[i],
                       (first - range->start) >> PHYSMEM_PAGE_SHIFT,
                       (last - range->start) >> PHYSMEM_PAGE_SHIFT);
    }
}

bool physmem_dirty_test(const struct physmem *mem, gpa_t addr)
{
    const struct backing *backing = backing_of(mem, addr);
    uint64_t page;

    if (!mem->is_logging || backing == NULL)
        return false;
    page = (addr.v - backing->range.start) >> PHYSMEM_PAGE_SHIFT;
    return (backing->dirty[page / BITS_PER_WORD] >> (page % BITS_PER_WORD)) & 1;
}

void physmem_dirty_clear(struct physmem *mem)
{
    if (!mem->is_logging)
        return;
    for (size_t i = 0; i < mem->num_backings; i++) {
        struct backing *backing = mem->backings[i];

        memset(backing->dirty, 0,
               dirty_words(&backing->range) * sizeof(uint64_t));
    }
}

uint64_t physmem_dirty_pages(const struct physmem *mem)
{
    uint64_t pages = 0;

    for (size_t i = 0; mem->is_logging && i < mem->num_backings; i++) {
        const struct backing *backing = mem->backings[i];

        for (size_t w = 0; w < dirty_words(&backing->range); w++)
            pages += (uint64_t)__builtin_popcountll(backing->dirty[w]);
    }
    return pages;
}

uint64_t *physmem_dirty_bitmap(const struct physmem *mem,
                               const struct physmem_range *range)
{
    SIM_ASSERT(range->id < mem->num_backings);
    return mem->backings[range->id]->dirty;
}
