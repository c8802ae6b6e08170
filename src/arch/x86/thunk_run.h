/* SPDX-License-Identifier: BSD-3-Clause */
/* What x86_thunk_run() and the helpers share. */
#ifndef ARCH_X86_THUNK_RUN_H
#define ARCH_X86_THUNK_RUN_H

#include "arch/x86/thunk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** x86_thunk_fault() - fill in call->fault (error code 0 where there is one)
 *  Returns: false. */
bool x86_thunk_fault(struct x86_thunk_call *call, uint8_t vector);

/** x86_thunk_check_aligned() - #GP unless the operand is aligned to
 *  @align bytes. */
bool x86_thunk_check_aligned(const struct x86_fpu *fpu,
                             const struct x86_thunk *thunk,
                             struct x86_thunk_call *call, unsigned align);

/* Any number of bytes in guest memory.  Reading and writing stop at a fault;
 * writing checks everything first. */
struct x86_mem_span {
    struct x86_mem_operand at;
    unsigned size;
    uint8_t *data;
};
bool x86_span_read(struct x86_fpu *fpu, const struct x86_mem_span *span,
                   struct x86_fault *fault);
bool x86_span_check_write(struct x86_fpu *fpu, const struct x86_mem_span *span,
                          struct x86_fault *fault);
bool x86_span_write(struct x86_fpu *fpu, const struct x86_mem_span *span,
                    struct x86_fault *fault);

/* Addresses are computed modulo the address size; the bytes of an operand do
 * not wrap. */
static inline uint64_t x86_thunk_truncate(uint64_t offset, unsigned addr_bits)
{
    return addr_bits == 64 ? offset : offset & ((UINT64_C(1) << addr_bits) - 1);
}

/* Sign bits of the elements of a vector register. */
uint64_t x86_thunk_vex_mask(const struct x86_fpu *fpu, unsigned reg,
                            unsigned elem_size, unsigned num);

/* x87 pointers of an instruction that is not control. */
void x86_thunk_set_pointers(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                            const struct x86_thunk_call *call);

/** x86_thunk_check_pending() - #MF if a waiting instruction finds an unmasked
 *  x87 exception. */
bool x86_thunk_check_pending(const struct x86_fpu *fpu,
                             const struct x86_thunk *thunk,
                             struct x86_thunk_call *call);

#ifdef __cplusplus
}
#endif

#endif
