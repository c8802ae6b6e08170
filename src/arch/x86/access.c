/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slow but complete memory accesses.  An access that crosses a page is
 * translated for both pages before a byte moves.  Device accesses are cut into
 * naturally sized pieces.
 */
#include "arch/x86/access.h"

#include <string.h>

#include "arch/x86/block.h"
#include "arch/x86/segment.h"
#include "arch/x86/sysreg.h"
#include "arch/x86/tlb.h"

/* ------------------------------------------------------------- segmentation */

static bool segment_fault(struct x86_core *core, enum x86_seg_name seg)
{
    core->fault = (struct x86_fault){
        .vector = seg == X86_SS_SEG ? X86_SS : X86_GP, .has_error = true};
    return false;
}

static bool linear_64(struct x86_core *core, enum x86_seg_name seg,
                      uint64_t offset, unsigned size, uint64_t *linear)
{
    uint64_t addr = offset;

    if (seg == X86_FS || seg == X86_GS)
        addr += core->state.seg[seg].base;
    if (!x86_is_canonical(addr) || !x86_is_canonical(addr + size - 1))
        return segment_fault(core, seg);
    *linear = addr;
    return true;
}

static bool is_type_allowed(const struct x86_seg *seg, unsigned access)
{
    bool is_code = seg->type & 8;

    if (access & X86_ACCESS_WRITE)
        return !is_code && (seg->type & 2);
    return !is_code || (seg->type & 2);
}

bool x86_seg_holds(const struct x86_seg *seg, uint64_t offset, unsigned size)
{
    bool expands_down = (seg->type & 12) == 4;
    uint64_t last = offset + size - 1;

    /* With the highest limit addresses wrap.  [SDM] Vol. 3A, "Limit Checking"
     * leaves it open; measured. */
    if (!expands_down)
        return last <= seg->limit || seg->limit == UINT32_MAX;
    return offset > seg->limit && last <= (seg->db ? UINT32_MAX : 0xffffu);
}

bool x86_linear_addr(struct x86_core *core, enum x86_seg_name name,
                     uint64_t offset, unsigned size, unsigned access,
                     uint64_t *linear)
{
    const struct x86_seg *seg = &core->state.seg[name];

    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return linear_64(core, name, offset, size, linear);
    if (seg->unusable || !x86_seg_holds(seg, offset, size))
        return segment_fault(core, name);
    if (!(core->mode & X86_MODE_REAL) && !is_type_allowed(seg, access))
        return segment_fault(core, name);
    *linear = (seg->base + offset) & UINT32_MAX;
    return true;
}

/* ----------------------------------------------------------- linear accesses
 */

static void record_access(struct x86_core *core, uint64_t addr, unsigned size,
                          unsigned access)
{
    struct x86_trace_record *record = core->record;

    x86_debug_note_data(core, addr, size, access);
    if (!record || record->num_mem == 4)
        return;
    record->mem[record->num_mem].addr = addr;
    record->mem[record->num_mem].size = size;
    record->mem[record->num_mem].is_write = access & X86_ACCESS_WRITE;
    record->num_mem++;
}

/* An access in one or two pages. */
struct extent {
    struct x86_place place[2];
    unsigned size[2]; /* size[1] is 0 if one page is enough */
};

static bool is_misaligned(const struct x86_core *core, uint64_t addr,
                          unsigned size)
{
    if (core->cpl != 3 || !(core->state.cr0 & X86_CR0_AM) ||
        !(core->state.rflags & X86_AC_FLAG))
        return false;
    return size <= 8 && (addr & (size - 1));
}

static uint64_t wrap(const struct x86_core *core, uint64_t addr)
{
    if ((core->mode & X86_MODE_SIZE) == X86_MODE_64)
        return addr;
    return addr & UINT32_MAX;
}

static bool translate(struct x86_core *core, uint64_t addr, unsigned size,
                      unsigned access, struct extent *out)
{
    uint64_t room = X86_PAGE_SIZE - (addr & ~X86_PAGE_MASK);

    if (is_misaligned(core, addr, size)) {
        core->fault = (struct x86_fault){.vector = X86_AC, .has_error = true};
        return false;
    }
    out->size[0] = size <= room ? size : (unsigned)room;
    out->size[1] = size - out->size[0];
    if (!x86_tlb_find(core, addr, access, &out->place[0]))
        return false;
    if (out->size[1] && !x86_tlb_find(core, wrap(core, addr + out->size[0]),
                                      access, &out->place[1]))
        return false;
    record_access(core, addr, size, access);
    return true;
}

static unsigned piece(uint64_t gpa, unsigned size)
{
    unsigned bytes = 8;

    while (bytes > size || (gpa & (bytes - 1)))
        bytes /= 2;
    return bytes;
}

static void read_device(struct x86_core *core, uint64_t gpa, uint8_t *data,
                        unsigned size)
{
    x86_fpu_leave(&core->fpu);
    while (size) {
        unsigned bytes = piece(gpa, size);
        uint64_t value = UINT64_MAX; /* nobody answers */

        if (core->env->mmio_read)
            value = core->env->mmio_read(core->env, core, (gpa_t){gpa}, bytes);
        memcpy(data, &value, bytes);
        data += bytes;
        gpa += bytes;
        size -= bytes;
    }
}

static void write_device(struct x86_core *core, uint64_t gpa,
                         const uint8_t *data, unsigned size)
{
    x86_fpu_leave(&core->fpu);
    while (size) {
        unsigned bytes = piece(gpa, size);
        uint64_t value = 0;

        memcpy(&value, data, bytes);
        if (core->env->mmio_write)
            core->env->mmio_write(core->env, core, (gpa_t){gpa}, bytes, value);
        data += bytes;
        gpa += bytes;
        size -= bytes;
    }
}

static void read_place(struct x86_core *core, const struct x86_place *place,
                       uint8_t *data, unsigned size)
{
    if (place->host)
        memcpy(data, place->host, size);
    else
        read_device(core, place->gpa, data, size);
}

static void write_place(struct x86_core *core, const struct x86_place *place,
                        const uint8_t *data, unsigned size)
{
    if (!place->host) {
        write_device(core, place->gpa, data, size);
        return;
    }
    memcpy(place->host, data, size);
    if (place->has_code)
        x86_cache_store(core->cache, core, place->gpa, size);
}

bool x86_read_linear(struct x86_core *core, uint64_t addr, void *data,
                     unsigned size)
{
    struct extent extent;

    if (!translate(core, addr, size, X86_ACCESS_READ, &extent))
        return false;
    read_place(core, &extent.place[0], data, extent.size[0]);
    if (extent.size[1])
        read_place(core, &extent.place[1], (uint8_t *)data + extent.size[0],
                   extent.size[1]);
    return true;
}

bool x86_write_linear(struct x86_core *core, uint64_t addr, const void *data,
                      unsigned size)
{
    struct extent extent;

    if (!translate(core, addr, size, X86_ACCESS_WRITE, &extent))
        return false;
    write_place(core, &extent.place[0], data, extent.size[0]);
    if (extent.size[1])
        write_place(core, &extent.place[1],
                    (const uint8_t *)data + extent.size[0], extent.size[1]);
    return true;
}

bool x86_check_write(struct x86_core *core, uint64_t addr, unsigned size)
{
    struct x86_trace_record *record = core->record;
    struct extent extent;
    uint8_t hits = core->debug_hits;
    bool is_allowed;

    core->record = NULL; /* nothing is accessed yet */
    is_allowed = translate(core, addr, size, X86_ACCESS_WRITE, &extent);
    core->record = record;
    core->debug_hits = hits;
    return is_allowed;
}

/* --------------------------------------------------------- segment accesses */

bool x86_read(struct x86_core *core, enum x86_seg_name seg, uint64_t offset,
              void *data, unsigned size)
{
    uint64_t addr;

    return x86_linear_addr(core, seg, offset, size, X86_ACCESS_READ, &addr) &&
           x86_read_linear(core, addr, data, size);
}

bool x86_write(struct x86_core *core, enum x86_seg_name seg, uint64_t offset,
               const void *data, unsigned size)
{
    uint64_t addr;

    return x86_linear_addr(core, seg, offset, size, X86_ACCESS_WRITE, &addr) &&
           x86_write_linear(core, addr, data, size);
}

void *x86_rmw_begin(struct x86_core *core, enum x86_seg_name seg,
                    uint64_t offset, unsigned size)
{
    struct x86_rmw *rmw = &core->rmw;
    struct extent extent;

    if (!x86_linear_addr(core, seg, offset, size, X86_ACCESS_WRITE,
                         &rmw->addr) ||
        !translate(core, rmw->addr, size, X86_ACCESS_WRITE, &extent))
        return NULL;
    record_access(core, rmw->addr, size, X86_ACCESS_READ);
    rmw->size = size;
    rmw->is_bounced = extent.size[1] || !extent.place[0].host;
    rmw->gpa = extent.place[0].has_code ? extent.place[0].gpa : X86_NO_PAGE;
    if (!rmw->is_bounced)
        return extent.place[0].host;
    read_place(core, &extent.place[0], rmw->bounce, extent.size[0]);
    if (extent.size[1])
        read_place(core, &extent.place[1], rmw->bounce + extent.size[0],
                   extent.size[1]);
    return rmw->bounce;
}

void x86_rmw_end(struct x86_core *core)
{
    struct x86_rmw *rmw = &core->rmw;
    struct x86_trace_record *record = core->record;

    if (rmw->is_bounced) {
        core->record = NULL; /* recorded when it began */
        (void)x86_write_linear(core, rmw->addr, rmw->bounce, rmw->size);
        core->record = record;
    } else if (rmw->gpa != X86_NO_PAGE) {
        x86_cache_store(core->cache, core, rmw->gpa, rmw->size);
    }
}

uint8_t *x86_span(struct x86_core *core, uint64_t addr, uint64_t *len,
                  unsigned access)
{
    uint64_t room = X86_PAGE_SIZE - (addr & ~X86_PAGE_MASK);
    struct x86_place place;

    if (!x86_tlb_find(core, addr, access, &place)) {
        *len = 0;
        return NULL;
    }
    if (*len > room)
        *len = room;
    if (core->is_watching || (place.has_code && (access & X86_ACCESS_WRITE)))
        return NULL;
    record_access(core, addr, (unsigned)*len, access);
    return place.host;
}

/* ------------------------------------------------- what thunks' helpers call
 */

static bool fpu_read(struct x86_core *core, const struct x86_mem_operand *from,
                     void *data, unsigned size, struct x86_fault *fault)
{
    if (x86_read(core, from->seg, from->offset, data, size))
        return true;
    *fault = core->fault;
    return false;
}

static bool fpu_write(struct x86_core *core, const struct x86_mem_operand *to,
                      const void *data, unsigned size, struct x86_fault *fault)
{
    if (x86_write(core, to->seg, to->offset, data, size))
        return true;
    *fault = core->fault;
    return false;
}

static bool fpu_check_write(struct x86_core *core,
                            const struct x86_mem_operand *to, unsigned size,
                            struct x86_fault *fault)
{
    uint64_t addr;

    if (x86_linear_addr(core, to->seg, to->offset, size, X86_ACCESS_WRITE,
                        &addr) &&
        x86_check_write(core, addr, size))
        return true;
    *fault = core->fault;
    return false;
}

const struct x86_fpu_mem x86_access_fpu_mem = {
    .read = fpu_read,
    .write = fpu_write,
    .check_write = fpu_check_write,
};
