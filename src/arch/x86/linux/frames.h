/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocator of guest page frames for programs: 4 KiB frames, and aligned runs
 * of 512 of them (2 MiB).  RAM is divided into blocks of 2 MiB; small frames
 * come from few partly used blocks, so that whole blocks stay free for large
 * pages.  Each 4 KiB frame has its own count of references (copy-on-write,
 * page cache); a large page holds one reference on each of its 512 frames.
 */
#ifndef ARCH_X86_LINUX_FRAMES_H
#define ARCH_X86_LINUX_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct frames;
struct physmem;
struct x86_cache;

enum {
    FRAME_SIZE = 4096,
    FRAME_SHIFT = 12,
    FRAME_HUGE_SIZE = 2 << 20,
    FRAMES_PER_HUGE = 512,
};

struct frames *frames_create(struct physmem *mem);
void frames_destroy(struct frames *frames);
/* Decoded code of reused frames is dropped from @cache; may be NULL. */
void frames_set_cache(struct frames *frames, struct x86_cache *cache);

/** frames_alloc() - one frame of zeroes with one reference.
 *  Returns: false if guest RAM is full. */
bool frames_alloc(struct frames *frames, gpa_t *out);
/** frames_alloc_huge() - 512 zeroed frames, contiguous and aligned to 2 MiB. */
bool frames_alloc_huge(struct frames *frames, gpa_t *out);
void frames_ref(struct frames *frames, gpa_t addr);
/* Frees the frame with its last reference. */
void frames_unref(struct frames *frames, gpa_t addr);
void frames_ref_many(struct frames *frames, gpa_t addr, uint32_t count);
void frames_unref_many(struct frames *frames, gpa_t addr, uint32_t count);
/* References on the frame; 0: it is free. */
uint32_t frames_refs(const struct frames *frames, gpa_t addr);
/* Whether each of @count frames has exactly one reference. */
bool frames_is_sole(const struct frames *frames, gpa_t addr, uint32_t count);
/* Pages outside RAM - devices that programs map - have no references and no
 * contents: the functions above accept them. */
bool frames_is_ram(const struct frames *frames, gpa_t addr);
/* Contents of the frame that holds @addr, from @addr on; NULL: not RAM. */
uint8_t *frames_host(const struct frames *frames, gpa_t addr);
/* The simulator wrote to [addr, addr + len): forget code decoded from it. */
void frames_written(const struct frames *frames, gpa_t addr, uint64_t len);

/* ------------------------------------------------------------- checkpoints */

/* In which order frames will be handed out; block numbers. */
struct frames_order {
    uint32_t next_fresh; /* blocks from here on were never used */
    uint64_t *partial, *empty;
    size_t num_partial, num_empty;
};

/** frames_get_order() - the caller frees both lists. */
void frames_get_order(const struct frames *frames, struct frames_order *order);
/** frames_recount() - begin to count all references again: no frame has one,
 *  until it is claimed. */
void frames_recount(struct frames *frames);
/** frames_claim() - there is one more reference to each of @count frames.
 *  Returns: false if they are not in guest RAM. */
bool frames_claim(struct frames *frames, gpa_t addr, uint32_t count);
/** frames_set_order() - end counting.
 *  Returns: false if @order does not fit what was claimed. */
bool frames_set_order(struct frames *frames, const struct frames_order *order);

uint64_t frames_total(const struct frames *frames);
uint64_t frames_used(const struct frames *frames);

#ifdef __cplusplus
}
#endif

#endif
