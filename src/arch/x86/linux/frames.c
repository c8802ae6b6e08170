/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of 2 MiB: untouched ones follow a high-water mark, empty ones are on a
 * stack, partly used ones on a list.  A frame that was never handed out is
 * known to be zero and is not written, so that host memory stays untouched. */
#include "arch/x86/linux/frames.h"

#include <string.h>

#include "arch/x86/core.h"
#include "base/alloc.h"
#include "base/log.h"
#include "mem/physmem.h"

enum { WORDS_PER_BLOCK = FRAMES_PER_HUGE / 64 };
#define NO_BLOCK UINT32_MAX

struct frame_block {
    uint64_t used[WORDS_PER_BLOCK];    /* bit per frame: handed out */
    uint64_t touched[WORDS_PER_BLOCK]; /* bit per frame: not known to be 0 */
    uint32_t num_used;
    uint32_t prev, next; /* in the list of partly used blocks */
    bool is_listed;
};

struct frame_range {
    uint64_t start; /* first 2 MiB boundary of the range */
    uint8_t *host;
    uint32_t first_block, num_blocks;
};

struct frames {
    struct x86_cache *cache;
    struct frame_range *ranges;
    uint32_t num_ranges;
    struct frame_block *blocks;
    uint32_t *refs; /* per frame */
    uint32_t num_blocks;
    uint32_t next_fresh; /* blocks from here on were never used */
    uint32_t partial;    /* head of the list of partly used blocks */
    uint32_t *empty;     /* stack of blocks that became empty */
    uint32_t num_empty;
    uint64_t num_used; /* frames */
};

static void frames_add_range(struct frames *frames,
                             const struct physmem_range *range)
{
    uint64_t mask = FRAME_HUGE_SIZE - 1;
    uint64_t start = (range->start + mask) & ~mask;
    uint64_t end = (range->start + range->size) & ~mask;
    struct frame_range *added = &frames->ranges[frames->num_ranges];

    if (end <= start)
        return;
    added->start = start;
    added->host = range->host + (start - range->start);
    added->first_block = frames->num_blocks;
    added->num_blocks = (uint32_t)((end - start) / FRAME_HUGE_SIZE);
    frames->num_blocks += added->num_blocks;
    frames->num_ranges++;
}

void frames_destroy(struct frames *frames)
{
    if (!frames)
        return;
    mem_free(frames->ranges);
    mem_free(frames->blocks);
    mem_free(frames->refs);
    mem_free(frames->empty);
    mem_free(frames);
}

void frames_set_cache(struct frames *frames, struct x86_cache *cache)
{
    frames->cache = cache;
}

static const struct frame_range *
frames_range_of_block(const struct frames *frames, uint32_t block)
{
    const struct frame_range *range = frames->ranges;

    while (block >= range->first_block + range->num_blocks)
        range++;
    return range;
}

static uint64_t frames_block_addr(const struct frames *frames, uint32_t block)
{
    const struct frame_range *range = frames_range_of_block(frames, block);

    return range->start +
           (uint64_t)(block - range->first_block) * FRAME_HUGE_SIZE;
}

static const struct frame_range *frames_range_of(const struct frames *frames,
                                                 uint64_t addr)
{
    for (uint32_t i = 0; i < frames->num_ranges; i++) {
        const struct frame_range *range = &frames->ranges[i];

        if (addr - range->start < (uint64_t)range->num_blocks * FRAME_HUGE_SIZE)
            return range;
    }
    return NULL;
}

bool frames_is_ram(const struct frames *frames, gpa_t addr)
{
    return frames_range_of(frames, addr.v) != NULL;
}

/* Index of the frame in refs[]. */
static uint64_t frames_index(const struct frames *frames, gpa_t addr)
{
    const struct frame_range *range = frames_range_of(frames, addr.v);

    if (!range)
        log_abort("frame 0x%llx is not in guest RAM",
                  (unsigned long long)addr.v);
    return (uint64_t)range->first_block * FRAMES_PER_HUGE +
           ((addr.v - range->start) >> FRAME_SHIFT);
}

uint8_t *frames_host(const struct frames *frames, gpa_t addr)
{
    const struct frame_range *range = frames_range_of(frames, addr.v);

    return range ? range->host + (addr.v - range->start) : NULL;
}

static void frames_list_block(struct frames *frames, uint32_t index)
{
    struct frame_block *block = &frames->blocks[index];

    block->prev = NO_BLOCK;
    block->next = frames->partial;
    if (block->next != NO_BLOCK)
        frames->blocks[block->next].prev = index;
    frames->partial = index;
    block->is_listed = true;
}

static void frames_unlist_block(struct frames *frames, uint32_t index)
{
    struct frame_block *block = &frames->blocks[index];

    if (block->prev != NO_BLOCK)
        frames->blocks[block->prev].next = block->next;
    else
        frames->partial = block->next;
    if (block->next != NO_BLOCK)
        frames->blocks[block->next].prev = block->prev;
    block->is_listed = false;
}

/* A block without used frames: an emptied one first, as it has host memory. */
static uint32_t frames_take_block(struct frames *frames)
{
    if (frames->num_empty)
        return frames->empty[--frames->num_empty];
    if (frames->next_fresh < frames->num_blocks)
        return frames->next_fresh++;
    return NO_BLOCK;
}

static uint32_t frames_find_free(const struct frame_block *block)
{
    for (uint32_t w = 0; w < WORDS_PER_BLOCK; w++) {
        if (~block->used[w])
            return w * 64 + (uint32_t)__builtin_ctzll(~block->used[w]);
    }
    log_abort("no free frame in a block of the partial list");
}

void frames_written(const struct frames *frames, gpa_t addr, uint64_t len)
{
    if (frames->cache)
        x86_cache_invalidate(frames->cache, addr, len);
}

/* Hand out frame @n of @block; its content becomes zero. */
static gpa_t frames_hand_out(struct frames *frames, uint32_t index, uint32_t n)
{
    struct frame_block *block = &frames->blocks[index];
    uint64_t bit = UINT64_C(1) << (n % 64);
    gpa_t addr = {frames_block_addr(frames, index) + (uint64_t)n * FRAME_SIZE};

    if (block->touched[n / 64] & bit) {
        memset(frames_host(frames, addr), 0, FRAME_SIZE);
        frames_written(frames, addr, FRAME_SIZE);
    }
    block->touched[n / 64] |= bit;
    block->used[n / 64] |= bit;
    block->num_used++;
    frames->refs[(uint64_t)index * FRAMES_PER_HUGE + n] = 1;
    frames->num_used++;
    return addr;
}

bool frames_alloc(struct frames *frames, gpa_t *out)
{
    uint32_t index = frames->partial;

    if (index == NO_BLOCK) {
        index = frames_take_block(frames);
        if (index == NO_BLOCK)
            return false;
        frames_list_block(frames, index);
    }
    *out = frames_hand_out(frames, index,
                           frames_find_free(&frames->blocks[index]));
    if (frames->blocks[index].num_used == FRAMES_PER_HUGE)
        frames_unlist_block(frames, index);
    return true;
}

bool frames_alloc_huge(struct frames *frames, gpa_t *out)
{
    uint32_t index = frames_take_block(frames);

    if (index == NO_BLOCK)
        return false;
    for (uint32_t n = 0; n < FRAMES_PER_HUGE; n++)
        (void)frames_hand_out(frames, index, n);
    out->v = frames_block_addr(frames, index);
    return true;
}

/* Address 0 means "no frame" in many places: nobody gets that one. */
static void frames_reserve_zero(struct frames *frames)
{
    gpa_t first;

    if (frames->num_ranges && !frames->ranges[0].start &&
        frames_alloc(frames, &first))
        SIM_ASSERT(!first.v);
}

struct frames *frames_create(struct physmem *mem)
{
    struct frames *frames = alloc_zeroed(1, sizeof(*frames));
    size_t count = physmem_num_ranges(mem);

    frames->ranges = alloc_zeroed(count, sizeof(*frames->ranges));
    for (size_t i = 0; i < count; i++)
        frames_add_range(frames, physmem_get_range(mem, i));
    frames->blocks = alloc_zeroed(frames->num_blocks, sizeof(*frames->blocks));
    frames->refs = alloc_zeroed((size_t)frames->num_blocks * FRAMES_PER_HUGE,
                                sizeof(*frames->refs));
    frames->empty = alloc_zeroed(frames->num_blocks, sizeof(*frames->empty));
    frames->partial = NO_BLOCK;
    frames_reserve_zero(frames);
    return frames;
}

void frames_ref(struct frames *frames, gpa_t addr)
{
    if (frames_is_ram(frames, addr))
        frames->refs[frames_index(frames, addr)]++;
}

static void frames_free(struct frames *frames, uint64_t frame)
{
    uint32_t index = (uint32_t)(frame / FRAMES_PER_HUGE);
    uint32_t n = (uint32_t)(frame % FRAMES_PER_HUGE);
    struct frame_block *block = &frames->blocks[index];

    block->used[n / 64] &= ~(UINT64_C(1) << (n % 64));
    block->num_used--;
    frames->num_used--;
    if (!block->num_used) {
        if (block->is_listed)
            frames_unlist_block(frames, index);
        frames->empty[frames->num_empty++] = index;
    } else if (!block->is_listed) {
        frames_list_block(frames, index);
    }
}

void frames_unref(struct frames *frames, gpa_t addr)
{
    uint64_t frame;

    if (!frames_is_ram(frames, addr))
        return;
    frame = frames_index(frames, addr);
    SIM_ASSERT(frames->refs[frame] > 0);
    if (--frames->refs[frame] == 0)
        frames_free(frames, frame);
}

void frames_ref_many(struct frames *frames, gpa_t addr, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        gpa_t page = {addr.v + (uint64_t)i * FRAME_SIZE};

        frames_ref(frames, page);
    }
}

void frames_unref_many(struct frames *frames, gpa_t addr, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        gpa_t page = {addr.v + (uint64_t)i * FRAME_SIZE};

        frames_unref(frames, page);
    }
}

uint32_t frames_refs(const struct frames *frames, gpa_t addr)
{
    return frames->refs[frames_index(frames, addr)];
}

bool frames_is_sole(const struct frames *frames, gpa_t addr, uint32_t count)
{
    uint64_t frame;

    if (!frames_is_ram(frames, addr))
        return false;
    frame = frames_index(frames, addr);
    for (uint32_t i = 0; i < count; i++) {
        if (frames->refs[frame + i] != 1)
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- checkpoints
 */

void frames_get_order(const struct frames *frames, struct frames_order *order)
{
    memset(order, 0, sizeof(*order));
    order->next_fresh = frames->next_fresh;
    order->partial =
        alloc_zeroed((size_t)frames->next_fresh + 1, sizeof(*order->partial));
    order->empty =
        alloc_zeroed((size_t)frames->num_empty + 1, sizeof(*order->empty));
    for (uint32_t i = frames->partial; i != NO_BLOCK;
         i = frames->blocks[i].next)
        order->partial[order->num_partial++] = i;
    for (uint32_t i = 0; i < frames->num_empty; i++)
        order->empty[order->num_empty++] = frames->empty[i];
}

void frames_recount(struct frames *frames)
{
    gpa_t zero = {0};

    memset(frames->blocks, 0, frames->num_blocks * sizeof(*frames->blocks));
    memset(frames->refs, 0,
           (size_t)frames->num_blocks * FRAMES_PER_HUGE *
               sizeof(*frames->refs));
    frames->partial = NO_BLOCK;
    frames->num_empty = frames->next_fresh = 0;
    frames->num_used = 0;
    if (frames->num_ranges && !frames->ranges[0].start)
        (void)frames_claim(frames, zero, 1);
}

bool frames_claim(struct frames *frames, gpa_t addr, uint32_t count)
{
    uint64_t last = addr.v + (uint64_t)(count - 1) * FRAME_SIZE;
    uint64_t frame;

    /* Ranges end at block boundaries, and a large page is one block. */
    if (!frames_is_ram(frames, addr) ||
        addr.v / FRAME_HUGE_SIZE != last / FRAME_HUGE_SIZE)
        return false;
    frame = frames_index(frames, addr);
    for (uint32_t i = 0; i < count; i++, frame++) {
        struct frame_block *block = &frames->blocks[frame / FRAMES_PER_HUGE];
        uint32_t n = (uint32_t)(frame % FRAMES_PER_HUGE);

        if (frames->refs[frame]++)
            continue;
        block->used[n / 64] |= UINT64_C(1) << (n % 64);
        block->num_used++;
        frames->num_used++;
    }
    return true;
}

static bool frames_is_partial(const struct frames *frames, uint64_t index)
{
    const struct frame_block *block = &frames->blocks[index];

    return block->num_used && block->num_used < FRAMES_PER_HUGE;
}

/* The list as it was; what it does not name comes behind it.  Built from its
 * end. */
static void frames_relist(struct frames *frames,
                          const struct frames_order *order)
{
    for (uint32_t i = order->next_fresh; i-- > 0;) {
        bool is_named = false;

        for (size_t n = 0; n < order->num_partial && !is_named; n++)
            is_named = order->partial[n] == i;
        if (!is_named && frames_is_partial(frames, i))
            frames_list_block(frames, i);
    }
    for (size_t n = order->num_partial; n-- > 0;) {
        if (frames_is_partial(frames, order->partial[n]) &&
            !frames->blocks[order->partial[n]].is_listed)
            frames_list_block(frames, (uint32_t)order->partial[n]);
    }
}

static void frames_restack(struct frames *frames,
                           const struct frames_order *order)
{
    bool *is_stacked = alloc_zeroed((size_t)order->next_fresh + 1, 1);

    for (size_t n = 0; n < order->num_empty; n++)
        is_stacked[order->empty[n]] = true;
    for (uint32_t i = 0; i < order->next_fresh; i++) {
        if (!frames->blocks[i].num_used && !is_stacked[i])
            frames->empty[frames->num_empty++] = i;
    }
    for (size_t n = 0; n < order->num_empty; n++) {
        if (!frames->blocks[order->empty[n]].num_used &&
            is_stacked[order->empty[n]])
            frames->empty[frames->num_empty++] = (uint32_t)order->empty[n];
        is_stacked[order->empty[n]] = false;
    }
    mem_free(is_stacked);
}

bool frames_set_order(struct frames *frames, const struct frames_order *order)
{
    if (order->next_fresh > frames->num_blocks)
        return false;
    for (uint32_t i = order->next_fresh; i < frames->num_blocks; i++) {
        if (frames->blocks[i].num_used)
            return false;
    }
    for (size_t n = 0; n < order->num_partial; n++) {
        if (order->partial[n] >= order->next_fresh)
            return false;
    }
    for (size_t n = 0; n < order->num_empty; n++) {
        if (order->empty[n] >= order->next_fresh)
            return false;
    }
    /* What free frames hold is not known any more. */
    for (uint32_t i = 0; i < order->next_fresh; i++)
        memset(frames->blocks[i].touched, 0xff,
               sizeof(frames->blocks[i].touched));
    frames->next_fresh = order->next_fresh;
    frames_relist(frames, order);
    frames_restack(frames, order);
    return true;
}

uint64_t frames_total(const struct frames *frames)
{
    return (uint64_t)frames->num_blocks * FRAMES_PER_HUGE;
}

uint64_t frames_used(const struct frames *frames)
{
    return frames->num_used;
}
