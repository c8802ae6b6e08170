/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A range of guest physical addresses, optionally interleaved: address A is in
 * the range if start <= A < end and, for every selector bit i,
 * parity(A & masks[i]) == bit i of intlv_match.
 */
#ifndef BASE_ADDR_RANGE_H
#define BASE_ADDR_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ADDR_RANGE_MAX_SELECTORS = 8 };

struct addr_range {
    uint64_t start;      /* first address */
    uint64_t end;        /* one past the last address */
    uint8_t intlv_bits;  /* number of selector bits in use */
    uint8_t intlv_match; /* value the selector bits must have */
    uint64_t
        masks[ADDR_RANGE_MAX_SELECTORS]; /* address bits XORed per selector */
};

/** addr_range_size() - bytes the range holds (interleaving divides it). */
uint64_t addr_range_size(const struct addr_range *range);
/** addr_range_contains() - whether @addr belongs to @range. */
bool addr_range_contains(const struct addr_range *range, uint64_t addr);
/** addr_range_overlaps() - whether one address can belong to both. */
bool addr_range_overlaps(const struct addr_range *a,
                         const struct addr_range *b);
/**
 * addr_range_offset() - position of @addr among the bytes of the range
 *
 * For an interleaved range the selector bits are squeezed out, so offsets are
 * dense from 0 to addr_range_size() - 1.  @addr must be in the range.
 */
uint64_t addr_range_offset(const struct addr_range *range, uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
