/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interleaved address ranges.  Membership is a system of linear equations over
 * GF(2) on the address bits (one per selector), which is how the exact answer
 * to "can one address belong to both?" is found: the common interval is cut
 * into aligned blocks, in each of which the upper bits are constant and the
 * lower ones free, and the equations are solved for the free bits.
 */
#include "base/addr_range.h"

#include "base/log.h"

enum { MAX_EQUATIONS = 2 * ADDR_RANGE_MAX_SELECTORS };

/* parity(address & mask) == value */
struct equation {
    uint64_t mask;
    unsigned int value;
};

static unsigned int parity(uint64_t bits)
{
    return (unsigned int)__builtin_parityll(bits);
}

static unsigned int match_bit(const struct addr_range *range, unsigned int i)
{
    return (unsigned int)(range->intlv_match >> i) & 1u;
}

uint64_t addr_range_size(const struct addr_range *range)
{
    if (range->end <= range->start)
        return 0;
    return (range->end - range->start) >> range->intlv_bits;
}

bool addr_range_contains(const struct addr_range *range, uint64_t addr)
{
    if (addr < range->start || addr >= range->end)
        return false;
    SIM_DASSERT(range->intlv_bits <= ADDR_RANGE_MAX_SELECTORS);
    for (unsigned int i = 0; i < range->intlv_bits; i++)
        if (parity(addr & range->masks[i]) != match_bit(range, i))
            return false;
    return true;
}

/* ---------------------------------------------------------------- overlap */

static unsigned int add_equations(struct equation *eqs, unsigned int count,
                                  const struct addr_range *range)
{
    SIM_ASSERT(range->intlv_bits <= ADDR_RANGE_MAX_SELECTORS);
    for (unsigned int i = 0; i < range->intlv_bits; i++, count++) {
        eqs[count].mask = range->masks[i];
        eqs[count].value = match_bit(range, i);
    }
    return count;
}

/* Whether the equations have a common solution (Gaussian elimination). */
static bool has_solution(struct equation *eqs, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        uint64_t pivot = eqs[i].mask & -eqs[i].mask;

        if (!pivot && eqs[i].value)
            return false;
        if (!pivot)
            continue;
        for (unsigned int k = i + 1; k < count; k++) {
            if (!(eqs[k].mask & pivot))
                continue;
            eqs[k].mask ^= eqs[i].mask;
            eqs[k].value ^= eqs[i].value;
        }
    }
    return true;
}

/* The same with all bits of the address known but those in @free_bits. */
static bool block_has_solution(const struct equation *eqs, unsigned int count,
                               uint64_t base, uint64_t free_bits)
{
    struct equation left[MAX_EQUATIONS];

    for (unsigned int i = 0; i < count; i++) {
        left[i].mask = eqs[i].mask & free_bits;
        left[i].value = eqs[i].value ^ parity(eqs[i].mask & base & ~free_bits);
    }
    return has_solution(left, count);
}

/* log2 of the largest aligned block at @addr that ends at or before @end. */
static unsigned int block_order(uint64_t addr, uint64_t end)
{
    unsigned int order = 63u - (unsigned int)__builtin_clzll(end - addr);
    unsigned int align = addr ? (unsigned int)__builtin_ctzll(addr) : 63u;

    return align < order ? align : order;
}

bool addr_range_overlaps(const struct addr_range *a, const struct addr_range *b)
{
    struct equation eqs[MAX_EQUATIONS];
    uint64_t addr = a->start > b->start ? a->start : b->start;
    uint64_t end = a->end < b->end ? a->end : b->end;
    unsigned int count = add_equations(eqs, add_equations(eqs, 0, a), b);

    while (addr < end) {
        uint64_t block = UINT64_C(1) << block_order(addr, end);

        if (block_has_solution(eqs, count, addr, block - 1))
            return true;
        addr += block;
    }
    return false;
}

/* ----------------------------------------------------------------- offset */

/* Remove the bits of @remove from @addr and close the gaps. */
static uint64_t squeeze_bits(uint64_t addr, uint64_t remove)
{
    while (remove) {
        unsigned int bit = 63u - (unsigned int)__builtin_clzll(remove);
        uint64_t below = (UINT64_C(1) << bit) - 1;

        addr = (addr & below) | ((addr >> 1) & ~below);
        remove &= below;
    }
    return addr;
}

uint64_t addr_range_offset(const struct addr_range *range, uint64_t addr)
{
    uint64_t remove = 0;

    /* The lowest bit of a selector follows from its others. */
    for (unsigned int i = 0; i < range->intlv_bits; i++)
        remove |= range->masks[i] & -range->masks[i];
    return squeeze_bits(addr, remove) - squeeze_bits(range->start, remove);
}
