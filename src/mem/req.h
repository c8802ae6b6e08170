/* SPDX-License-Identifier: BSD-3-Clause */
/* One memory access as the timing side sees it. */
#ifndef MEM_REQ_H
#define MEM_REQ_H

#include <stdint.h>

#include "base/types.h"

enum mem_kind {
    MEM_READ,
    MEM_WRITE,
    MEM_FETCH, /* instruction fetch */
    MEM_PREFETCH,
    MEM_WRITEBACK,  /* dirty line on its way down */
    MEM_LOCKED_RMW, /* atomic read-modify-write: needs ownership */
    MEM_NUM_KINDS
};

enum mem_req_flag {
    MEM_REQ_UNCACHEABLE = 1,
    MEM_REQ_PT_WALK = 2, /* made by a page walker */
};

struct mem_req {
    gpa_t addr;
    uint32_t size; /* [bytes] */
    uint8_t kind;  /* enum mem_kind */
    uint8_t flags; /* enum mem_req_flag */
    uint16_t core; /* who asks: index of the requestor, for sharers and stats */
    /* Device accesses only: bytes read or to be written.  NULL for RAM: its
     * contents live in physmem and do not travel through ports. */
    void *data;
};

#endif
