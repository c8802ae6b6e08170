/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The careful way to run a thunk.  Memory operands go through a buffer, so that
 * nothing has happened when an access faults; masked accesses touch only the
 * elements that the mask selects; with unmasked SIMD exceptions a first run
 * with everything masked shows whether one may be raised.
 *
 * Left out: CR0.NE = 0 (x87 errors as IRQ 13); #MF is raised instead.
 * Source: [SDM] Vol. 1, "SSE, SSE2, and SSE3 Exceptions" (priorities, flags of
 * unmasked exceptions); "x87 FPU Exception Handling".
 */
#include "arch/x86/thunk.h"

#include "arch/x86/access.h"

#include "arch/x86/quirks.h"
#include "arch/x86/thunk_run.h"
#include "arch/x86/thunk_trap.h"

#include <string.h>

enum {
    CR4_OSXMMEXCPT = 1 << 10,
    MXCSR_UE = 0x10,
    MXCSR_FTZ = 1 << 15,
    BOUNCE_BYTES = 64,
    MAX_KEPT = 4,
};

bool x86_thunk_fault(struct x86_thunk_call *call, uint8_t vector)
{
    call->fault = (struct x86_fault){
        .vector = vector,
        .source = X86_FROM_FAULT,
        .has_error = vector == X86_GP || vector == X86_SS,
    };
    return false;
}

/* ------------------------------------------------------------ SIMD exceptions
 */

/* Old values of what an instruction writes. */
struct kept {
    uint8_t vec[MAX_KEPT][64];
    uint64_t opmask[8];
    uint64_t gpr;
};

static void kept_swap_vec(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                          struct kept *kept, bool is_restore)
{
    unsigned num = 0;

    for (unsigned i = 0; i < 32 && num < MAX_KEPT; i++) {
        if (!(thunk->writes_vec & UINT32_C(1) << i))
            continue;
        if (is_restore)
            memcpy(fpu->vec[i], kept->vec[num++], 64);
        else
            memcpy(kept->vec[num++], fpu->vec[i], 64);
    }
}

static void keep(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                 struct kept *kept)
{
    kept_swap_vec(fpu, thunk, kept, false);
    memcpy(kept->opmask, fpu->opmask, sizeof(kept->opmask));
    if (thunk->writes_gpr)
        kept->gpr = fpu->state->gpr[thunk->writes_gpr - 1];
}

static void restore(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                    struct kept *kept)
{
    kept_swap_vec(fpu, thunk, kept, true);
    memcpy(fpu->opmask, kept->opmask, sizeof(kept->opmask));
    if (thunk->writes_gpr)
        fpu->state->gpr[thunk->writes_gpr - 1] = kept->gpr;
}

/* Runs with all exceptions masked; returns the flags they left. */
static uint32_t run_masked(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                           void *mem, uint64_t *flags, uint32_t mxcsr)
{
    uint32_t host, masked, after;

    masked = (mxcsr & ~(uint32_t)X86_MXCSR_FLAGS) | X86_MXCSR_MASKS;
    __asm__ volatile("stmxcsr %0" : "=m"(host));
    __asm__ volatile("ldmxcsr %0" : : "m"(masked));
    *flags = thunk->code(fpu, mem, *flags);
    __asm__ volatile("stmxcsr %0" : "=m"(after));
    __asm__ volatile("ldmxcsr %0" : : "m"(host));
    return after & X86_MXCSR_FLAGS;
}

/*
 * An unmasked underflow is reported for every tiny result, a masked one only
 * for inexact ones.  Flushing to zero makes all of them inexact.
 */
static uint32_t find_tiny(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                          void *mem, uint64_t flags, struct kept *kept)
{
    uint32_t found =
        run_masked(fpu, thunk, mem, &flags, fpu->mxcsr | MXCSR_FTZ);

    restore(fpu, thunk, kept);
    return found & MXCSR_UE;
}

/* The exception is certain or at least possible: have it from the host. */
static bool execute_trapping(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                             void *mem, struct x86_thunk_call *call)
{
    struct x86_trap trap = {
        .code = thunk->code,
        .mem = mem,
        .flags = call->flags,
        .mxcsr = fpu->mxcsr,
    };
    bool is_done;

    if (thunk->needs & X86_NEED_LIVE_X87) { /* the first run changed it */
        x86_fpu_drop_host_x87(fpu);
        x86_fpu_load_host_x87(fpu);
    }
    is_done = x86_thunk_trap(fpu, &trap);
    fpu->mxcsr |= trap.mxcsr & X86_MXCSR_FLAGS;
    if (is_done)
        call->flags = trap.flags;
    return is_done ||
           x86_thunk_fault(call,
                           fpu->state->cr4 & CR4_OSXMMEXCPT ? X86_XM : X86_UD);
}

static bool execute_unmasked(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                             void *mem, struct x86_thunk_call *call)
{
    uint32_t unmasked = ~(fpu->mxcsr >> 7) & X86_MXCSR_FLAGS;
    uint32_t mxcsr = fpu->mxcsr;
    uint64_t flags = call->flags;
    struct kept kept;
    uint32_t found = 0;

    if (thunk->attrs & X86_THUNK_SAE)
        unmasked = 0;
    if ((unmasked & MXCSR_UE) && (thunk->attrs & X86_THUNK_OWN_FTZ))
        return execute_trapping(fpu, thunk, mem, call);
    keep(fpu, thunk, &kept);
    if (unmasked & MXCSR_UE) { /* FTZ counts only with a masked underflow */
        found = find_tiny(fpu, thunk, mem, flags, &kept);
        mxcsr &= ~(uint32_t)MXCSR_FTZ;
    }
    found |= run_masked(fpu, thunk, mem, &flags, mxcsr);
    if (found & unmasked) {
        restore(fpu, thunk, &kept);
        return execute_trapping(fpu, thunk, mem, call);
    }
    fpu->mxcsr |= found;
    call->flags = flags;
    return true;
}

/* ------------------------------------------------------------------ execution
 */

static bool execute_simd(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                         void *mem, struct x86_thunk_call *call)
{
    if ((thunk->needs & X86_NEED_MXCSR) && !(fpu->live & X86_LIVE_MXCSR))
        return execute_unmasked(fpu, thunk, mem, call);
    call->flags = thunk->code(fpu, mem, call->flags);
    return true;
}

void x86_thunk_set_pointers(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                            const struct x86_thunk_call *call)
{
    if (!(thunk->attrs & X86_THUNK_POINTERS))
        return;
    fpu->fip = call->rip;
    fpu->fop = thunk->fop;
    if (!thunk->mem)
        return;
    fpu->fdp = call->mem.offset;
    fpu->fds = fpu->state->seg[call->mem.seg].selector;
}

static bool execute(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                    void *mem, struct x86_thunk_call *call)
{
    bool is_apart =
        (thunk->needs & X86_NEED_LIVE_X87) && !(fpu->live & X86_LIVE_X87);
    bool is_done;

    x86_thunk_set_pointers(fpu, thunk, call);
    if (is_apart)
        x86_fpu_load_host_x87(fpu);
    is_done = execute_simd(fpu, thunk, mem, call);
    if (is_apart)
        x86_fpu_save_host_x87(fpu);
    return is_done;
}

/* An unmasked exception keeps a store from happening, unless it is only the
 * loss of precision. */
static bool store_is_suppressed(const struct x86_fpu *fpu,
                                const struct x86_thunk *thunk)
{
    if (!(thunk->needs & X86_NEED_X87) || !(thunk->attrs & X86_THUNK_WAITING) ||
        (fpu->live & X86_LIVE_X87))
        return false;
    return fpu->x87[X86_FX_FSW] & ~fpu->x87[X86_FX_FCW] & 0x1f;
}

/* --------------------------------------------------------------------- memory
 */

uint64_t x86_thunk_vex_mask(const struct x86_fpu *fpu, unsigned reg,
                            unsigned elem_size, unsigned num)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < num; i++) {
        if (fpu->vec[reg][(i + 1) * elem_size - 1] & 0x80)
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

static uint64_t low_bits(unsigned num)
{
    return num >= 64 ? UINT64_MAX : (UINT64_C(1) << num) - 1;
}

/* Bit per element of memory that is accessed. */
static uint64_t active_elements(const struct x86_fpu *fpu,
                                const struct x86_thunk *thunk)
{
    unsigned num = thunk->num_elems;
    uint64_t mask, active = 0;

    if (thunk->mask & X86_THUNK_VEX_MASK)
        return x86_thunk_vex_mask(fpu, thunk->mask & 31, thunk->elem_size, num);
    mask = fpu->opmask[thunk->mask] & low_bits(thunk->num_mask_bits);
    if (thunk->attrs & X86_THUNK_COMPACT)
        return low_bits((unsigned)__builtin_popcountll(mask));
    for (unsigned i = 0; i < thunk->num_mask_bits; i++)
        active |= (mask >> i & 1) << i % num;
    return active;
}

enum touch { TOUCH_READ, TOUCH_CHECK, TOUCH_WRITE };

static bool touch(struct x86_fpu *fpu, const struct x86_mem_operand *at,
                  enum touch what, void *data, unsigned size,
                  struct x86_fault *fault)
{
    switch (what) {
    case TOUCH_READ:
        return fpu->mem->read(fpu->core, at, data, size, fault);
    case TOUCH_CHECK:
        return fpu->mem->check_write(fpu->core, at, size, fault);
    default:
        return fpu->mem->write(fpu->core, at, data, size, fault);
    }
}

static bool touch_part(struct x86_fpu *fpu, const struct x86_mem_span *span,
                       enum touch what, unsigned from, unsigned size,
                       struct x86_fault *fault)
{
    struct x86_mem_operand at = span->at;

    at.offset += from;
    return touch(fpu, &at, what, span->data + from, size, fault);
}

static bool touch_pieces(struct x86_fpu *fpu, const struct x86_mem_span *span,
                         enum touch what, struct x86_fault *fault)
{
    unsigned size;

    for (unsigned done = 0; done < span->size; done += size) {
        size = span->size - done < 64 ? span->size - done : 64;
        if (!touch_part(fpu, span, what, done, size, fault))
            return false;
    }
    return true;
}

/* The first word, the last byte, the rest, as processors seem to do: it decides
 * which address a page fault reports. */
static bool touch_span(struct x86_fpu *fpu, const struct x86_mem_span *span,
                       enum touch what, struct x86_fault *fault)
{
    unsigned first = span->size & 3 ? 2 : 4; /* environments are of words */

    if (first > span->size)
        first = span->size;
    return touch_part(fpu, span, what, 0, first, fault) &&
           touch_part(fpu, span, what, span->size - 1, 1, fault) &&
           touch_pieces(fpu, span, what, fault);
}

bool x86_span_read(struct x86_fpu *fpu, const struct x86_mem_span *span,
                   struct x86_fault *fault)
{
    return touch_span(fpu, span, TOUCH_READ, fault);
}

bool x86_span_check_write(struct x86_fpu *fpu, const struct x86_mem_span *span,
                          struct x86_fault *fault)
{
    return touch_span(fpu, span, TOUCH_CHECK, fault);
}

bool x86_span_write(struct x86_fpu *fpu, const struct x86_mem_span *span,
                    struct x86_fault *fault)
{
    return touch_span(fpu, span, TOUCH_CHECK, fault) &&
           touch_pieces(fpu, span, TOUCH_WRITE, fault);
}

/* Where an element is: outside 64-bit mode offsets wrap. */
static struct x86_mem_operand element_at(const struct x86_thunk *thunk,
                                         const struct x86_thunk_call *call,
                                         unsigned from)
{
    struct x86_mem_operand at = call->mem;

    at.offset += from;
    if (thunk->mode_bits != 64)
        at.offset &= UINT32_MAX;
    return at;
}

/* All elements are within the segment before one meets a page (measured). */
static bool check_limits(const struct x86_fpu *fpu,
                         const struct x86_thunk *thunk,
                         struct x86_thunk_call *call, uint64_t active)
{
    const struct x86_seg *seg = &fpu->state->seg[call->mem.seg];

    if (thunk->mode_bits == 64 || x86_quirks_is_amd())
        return true;
    for (unsigned i = 0; i < thunk->num_elems; i++) {
        struct x86_mem_operand at =
            element_at(thunk, call, i * thunk->elem_size);

        if ((active >> i & 1) &&
            !x86_seg_holds(seg, at.offset, thunk->elem_size))
            return x86_thunk_fault(call,
                                   at.seg == X86_SS_SEG ? X86_SS : X86_GP);
    }
    return true;
}

static bool touch_elements(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                           struct x86_thunk_call *call, enum touch what,
                           uint8_t *data)
{
    uint64_t active = active_elements(fpu, thunk);

    if (!check_limits(fpu, thunk, call, active))
        return false;
    for (unsigned i = 0; i < thunk->num_elems; i++) {
        unsigned skip = i * thunk->elem_size;
        struct x86_mem_operand at = element_at(thunk, call, skip);

        if ((active >> i & 1) &&
            !touch(fpu, &at, what, data + skip, thunk->elem_size, &call->fault))
            return false;
    }
    return true;
}

/* Intel's processors look at the first element that is written, then at the
 * last byte, which may be in the next page: a page fault reports it (measured).
 */
static bool check_ends(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    uint64_t active = active_elements(fpu, thunk);
    struct x86_mem_operand at;
    unsigned first, end;

    if (!active || x86_quirks_is_amd())
        return true;
    if (thunk->num_elems == 1)
        return true; /* a scalar is looked at whole, as without a mask */
    if (!check_limits(fpu, thunk, call, active))
        return false;
    first = (unsigned)__builtin_ctzll(active) * thunk->elem_size;
    end = (64 - (unsigned)__builtin_clzll(active)) * thunk->elem_size;
    at = element_at(thunk, call, first);
    if (!touch(fpu, &at, TOUCH_CHECK, NULL, 1, &call->fault))
        return false;
    at = element_at(thunk, call, end - 1);
    return touch(fpu, &at, TOUCH_CHECK, NULL, 1, &call->fault);
}

static bool touch_operand(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                          struct x86_thunk_call *call, enum touch what,
                          uint8_t *data)
{
    if (thunk->attrs & X86_THUNK_MASKED)
        return touch_elements(fpu, thunk, call, what, data);
    return touch(fpu, &call->mem, what, data, thunk->mem_size, &call->fault);
}

static uint64_t linear_of(const struct x86_fpu *fpu,
                          const struct x86_thunk *thunk,
                          const struct x86_mem_operand *at)
{
    if (thunk->mode_bits == 64 && at->seg < X86_FS)
        return at->offset;
    return at->offset + fpu->state->seg[at->seg].base;
}

bool x86_thunk_check_aligned(const struct x86_fpu *fpu,
                             const struct x86_thunk *thunk,
                             struct x86_thunk_call *call, unsigned align)
{
    uint64_t addr = linear_of(fpu, thunk, &call->mem);

    return !(addr & (align - 1)) || x86_thunk_fault(call, X86_GP);
}

static bool check_alignment(const struct x86_fpu *fpu,
                            const struct x86_thunk *thunk,
                            struct x86_thunk_call *call)
{
    if (thunk->align == 1)
        return true;
    if ((thunk->attrs & X86_THUNK_MASKED) && !active_elements(fpu, thunk))
        return true;
    if ((thunk->needs & X86_NEED_ALIGN) && (x86_fpu_mxcsr(fpu) & X86_MXCSR_MM))
        return true;
    return x86_thunk_check_aligned(fpu, thunk, call, thunk->align);
}

/* All of a store is checked where the mask does not suppress faults. */
static bool check_whole_write(struct x86_fpu *fpu,
                              const struct x86_thunk *thunk,
                              struct x86_thunk_call *call)
{
    return !(thunk->attrs & X86_THUNK_FULL_CHECK) ||
           touch(fpu, &call->mem, TOUCH_CHECK, NULL, thunk->mem_size,
                 &call->fault);
}

static bool check_store(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                        struct x86_thunk_call *call, uint8_t *data)
{
    const uint8_t all = X86_THUNK_MASKED | X86_THUNK_FULL_CHECK;

    if ((thunk->attrs & all) == X86_THUNK_MASKED &&
        !check_ends(fpu, thunk, call))
        return false;
    return check_whole_write(fpu, thunk, call) &&
           touch_operand(fpu, thunk, call, TOUCH_CHECK, data);
}

/* FSTP and FBSTP store eight bytes, then two; the former stay when the latter
 * fault (measured). */
static bool stores_in_two(const struct x86_thunk *thunk)
{
    return thunk->mem_size == 10;
}

static void store_head(struct x86_fpu *fpu, const struct x86_thunk_call *call,
                       const uint8_t *data)
{
    struct x86_fault unwanted;

    (void)fpu->mem->write(fpu->core, &call->mem, data, 8, &unwanted);
}

/*
 * Intel's processors compute before they look where the result goes: an
 * exception wins over a page fault, and flags of MXCSR, of MMX instructions the
 * stack top, stay when the store faults; x87 instructions are undone then.
 */
static bool store_computed(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                           struct x86_thunk_call *call, uint8_t *data)
{
    SIM_ALIGNAS(16) uint8_t x87[sizeof(fpu->x87)];
    uint64_t fip = fpu->fip, fdp = fpu->fdp;
    uint16_t fop = fpu->fop, fds = fpu->fds;

    if (!(thunk->needs & X86_NEED_MXCSR))
        x86_fpu_leave_x87(fpu); /* the image is what is kept */
    memcpy(x87, fpu->x87, sizeof(x87));
    if (!execute(fpu, thunk, data, call))
        return false;
    if (store_is_suppressed(fpu, thunk))
        return true;
    if (check_store(fpu, thunk, call, data))
        return touch_operand(fpu, thunk, call, TOUCH_WRITE, data);
    if (stores_in_two(thunk))
        store_head(fpu, call, data);
    if (thunk->needs & X86_NEED_MMX) {
        x86_fpu_leave_x87(fpu);
        fpu->x87[X86_FX_FTW] = x87[X86_FX_FTW];
    } else if (thunk->needs & X86_NEED_X87) {
        memcpy(fpu->x87, x87, sizeof(x87));
        fpu->fip = fip;
        fpu->fdp = fdp;
        fpu->fop = fop;
        fpu->fds = fds;
    }
    return false;
}

static bool computes_first(const struct x86_fpu *fpu,
                           const struct x86_thunk *thunk)
{
    bool is_mmx = thunk->mnemonic == ZYDIS_MNEMONIC_MOVNTQ ||
                  thunk->mnemonic == ZYDIS_MNEMONIC_MOVQ ||
                  thunk->mnemonic == ZYDIS_MNEMONIC_MOVD;

    if (thunk->mem != X86_THUNK_WRITE || x86_quirks_is_amd())
        return false;
    if (thunk->needs & X86_NEED_X87) /* live: no exception is unmasked */
        return !(fpu->live & X86_LIVE_X87) || stores_in_two(thunk);
    return (thunk->needs & X86_NEED_MXCSR) ||
           (is_mmx && (thunk->needs & X86_NEED_MMX));
}

static bool run_with_memory(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                            struct x86_thunk_call *call)
{
    SIM_ALIGNAS(64) uint8_t bounce[BOUNCE_BYTES] = {0};

    if (!check_alignment(fpu, thunk, call))
        return false;
    if (computes_first(fpu, thunk))
        return store_computed(fpu, thunk, call, bounce);
    if ((thunk->mem & X86_THUNK_READ) &&
        !touch_operand(fpu, thunk, call, TOUCH_READ, bounce))
        return false;
    if ((thunk->mem & X86_THUNK_WRITE) &&
        !check_store(fpu, thunk, call, bounce))
        return false;
    if (!execute(fpu, thunk, bounce, call))
        return false;
    if (!(thunk->mem & X86_THUNK_WRITE) || store_is_suppressed(fpu, thunk))
        return true;
    return touch_operand(fpu, thunk, call, TOUCH_WRITE, bounce);
}

/* An x87 exception of an earlier instruction is raised now. */
bool x86_thunk_check_pending(const struct x86_fpu *fpu,
                             const struct x86_thunk *thunk,
                             struct x86_thunk_call *call)
{
    if (!(thunk->attrs & X86_THUNK_WAITING) || (fpu->live & X86_LIVE_X87))
        return true;
    if (fpu->x87[X86_FX_FSW] & ~fpu->x87[X86_FX_FCW] & X86_FCW_MASKS)
        return x86_thunk_fault(call, X86_MF);
    return true;
}

static bool check_access(const struct x86_fpu *fpu,
                         const struct x86_thunk *thunk,
                         struct x86_thunk_call *call)
{
    return x86_fpu_check(fpu, thunk->needs, &call->fault) &&
           x86_thunk_check_pending(fpu, thunk, call);
}

bool x86_thunk_run(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                   struct x86_thunk_call *call)
{
    uint32_t units = 0;

    if (!check_access(fpu, thunk, call))
        return false;
    if (thunk->helper)
        return thunk->helper(fpu, thunk, call);
    if (thunk->needs & X86_NEED_MXCSR)
        units |= X86_LIVE_MXCSR;
    if (thunk->needs & X86_NEED_LIVE_X87)
        units |= X86_LIVE_X87;
    if (units & ~fpu->live)
        x86_fpu_enter(fpu, units);
    /* An exception must not leave half an MMX instruction behind. */
    if (units == (X86_LIVE_MXCSR | X86_LIVE_X87) &&
        !(fpu->live & X86_LIVE_MXCSR))
        x86_fpu_leave_x87(fpu);
    if (thunk->mem)
        return run_with_memory(fpu, thunk, call);
    return execute(fpu, thunk, NULL, call);
}
