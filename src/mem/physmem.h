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
    uint64_t start;  /* first guest physical address */
    uint64_t size;   /* [bytes], multiple of 4096 */
    uint8_t *host;   /* where it is mapped */
    uint32_t id;     /* dense, in order of addition */
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

#ifdef __cplusplus
}
#endif

#endif
