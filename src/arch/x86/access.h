/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory accesses without shortcuts: any address, any alignment, across pages,
 * to devices, onto decoded code; recorded when the core is traced.  Full
 * handlers, thunks and system instructions use them.
 *
 * "Linear" functions take linear addresses; the others a segment and an offset
 * and apply segmentation.  All return false with core->fault set, and then have
 * changed nothing.  Sizes are 1 to 64 bytes.
 */
#ifndef ARCH_X86_ACCESS_H
#define ARCH_X86_ACCESS_H

#include "arch/x86/core_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/** x86_seg_holds() - whether @size bytes are within the limit. [SDM] Vol. 3A,
 *  "Limit Checking". */
bool x86_seg_holds(const struct x86_seg *seg, uint64_t offset, unsigned size);

/**
 * x86_linear_addr() - apply segmentation
 * @access: enum x86_access: read or write
 * Faults:  #GP(0) or #SS(0): limit, type, null selector, not canonical.
 * Source:  [SDM] Vol. 3A, "Limit Checking"; "Type Checking".
 */
bool x86_linear_addr(struct x86_core *core, enum x86_seg_name seg,
                     uint64_t offset, unsigned size, unsigned access,
                     uint64_t *linear);

bool x86_read_linear(struct x86_core *core, uint64_t addr, void *data,
                     unsigned size);
bool x86_write_linear(struct x86_core *core, uint64_t addr, const void *data,
                      unsigned size);
/* Would a write succeed?  Sets dirty bits. */
bool x86_check_write(struct x86_core *core, uint64_t addr, unsigned size);

bool x86_read(struct x86_core *core, enum x86_seg_name seg, uint64_t offset,
              void *data, unsigned size);
bool x86_write(struct x86_core *core, enum x86_seg_name seg, uint64_t offset,
               const void *data, unsigned size);

/**
 * x86_rmw_begin() - memory to read, modify and write back, up to 16 bytes
 *
 * The pointer is RAM itself where that is possible (so that LOCKed operations
 * are atomic on the host), else a copy that x86_rmw_end() writes back.
 * Returns: NULL with core->fault set.
 */
void *x86_rmw_begin(struct x86_core *core, enum x86_seg_name seg,
                    uint64_t offset, unsigned size);
void x86_rmw_end(struct x86_core *core);

/** x86_span() - how much can be accessed directly from @addr on
 *  @len: bytes wanted; in: at least 1, out: at most to the end of the page
 *  Returns: host pointer; NULL for a device or a page of code that is to be
 *  written (use the functions above), or - *@len 0 - with core->fault set. */
uint8_t *x86_span(struct x86_core *core, uint64_t addr, uint64_t *len,
                  unsigned access);

extern const struct x86_fpu_mem x86_access_fpu_mem;

#ifdef __cplusplus
}
#endif

#endif
