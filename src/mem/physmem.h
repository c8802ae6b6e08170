/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest RAM: the only place where guest memory content lives.  One private
 * anonymous mapping per range, 2 MiB-aligned, huge pages advised, so that KVM's
 * second-level entries are large and fork() gives copy-on-write children.
 */
#ifndef MEM_PHYSMEM_H
#define MEM_PHYSMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;

struct physmem_range {
    uint64_t start; /* first guest physical address */
    uint64_t size;  /* [bytes], multiple of 4096 */
    uint8_t *host;  /* where it is mapped */
    uint32_t id;    /* dense, in order of addition */
};

struct physmem *physmem_create(void);
void physmem_destroy(struct physmem *mem);

/**
 * physmem_add() - map RAM at [start, start + size)
 *
 * Returns: 0; -EINVAL (not page-aligned, empty, wraps), -EEXIST (overlap),
 * -ENOMEM.
 */
SIM_MUST_CHECK int physmem_add(struct physmem *mem, uint64_t start,
                               uint64_t size);

/** physmem_host() - host address of [addr, addr + len), NULL if it is not
 *  wholly inside one range. */
void *physmem_host(const struct physmem *mem, gpa_t addr, uint64_t len);
/** physmem_range_of() - the range that holds @addr, or NULL. */
const struct physmem_range *physmem_range_of(const struct physmem *mem,
                                             gpa_t addr);
size_t physmem_num_ranges(const struct physmem *mem);
const struct physmem_range *physmem_get_range(const struct physmem *mem,
                                              size_t index);
uint64_t physmem_total_size(const struct physmem *mem);

/* Copy in or out; false (and nothing copied) if not wholly RAM. */
bool physmem_read(const struct physmem *mem, gpa_t addr, void *data,
                  uint64_t len);
bool physmem_write(struct physmem *mem, gpa_t addr, const void *data,
                   uint64_t len);
/** physmem_zero() - whole range @range reads as zero again; its pages go back
 *  to the host untouched. */
void physmem_zero(struct physmem *mem, const struct physmem_range *range);

/* ---------------------------------------------------------------- dirty log */

/*
 * One bit per 4 KiB page, off by default.  While it is on, everybody who writes
 * guest RAM through a host pointer marks what it wrote (physmem_write does);
 * marking while it is off does nothing.  Threads may mark at the same time.
 */
enum { PHYSMEM_PAGE_SHIFT = 12 };

/** physmem_dirty_start() - switch the log on with no page marked. */
void physmem_dirty_start(struct physmem *mem);
void physmem_dirty_stop(struct physmem *mem);
bool physmem_dirty_is_on(const struct physmem *mem);
/** physmem_dirty_mark() - pages that [addr, addr + len) touches were written.
 *  Parts outside RAM are ignored. */
void physmem_dirty_mark(struct physmem *mem, gpa_t addr, uint64_t len);
/** physmem_dirty_test() - whether the page of @addr is marked. */
bool physmem_dirty_test(const struct physmem *mem, gpa_t addr);
/** physmem_dirty_clear() - unmark all pages; the log stays on. */
void physmem_dirty_clear(struct physmem *mem);
/** physmem_dirty_pages() - number of marked pages in all ranges. */
uint64_t physmem_dirty_pages(const struct physmem *mem);
/** physmem_dirty_bitmap() - bit (page % 64) of word (page / 64), pages counted
 *  from the start of @range; NULL while the log is off. */
uint64_t *physmem_dirty_bitmap(const struct physmem *mem,
                               const struct physmem_range *range);

#ifdef __cplusplus
}
#endif

#endif
