/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes to ops.  Only decode.c and the code generator of thunks know Zydis. */
#ifndef ARCH_X86_DECODE_H
#define ARCH_X86_DECODE_H

#include "arch/x86/core_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

struct x86_decoder;

struct x86_decoder *x86_decoder_create(void);
void x86_decoder_destroy(struct x86_decoder *decoder);

enum x86_decode_status {
    X86_DECODED,
    X86_DECODE_MORE, /* the bytes end inside the instruction */
};

struct x86_decode_in {
    const uint8_t *bytes;
    size_t num_bytes;
    uint64_t rip;
    const struct x86_core *core; /* mode, CPUID model */
};

/* One decoded instruction, before it has a place in a block. */
struct x86_insn {
    struct x86_op op;
    struct x86_op_info info;
    x86_handler *dead_fn; /* when nobody reads its flags; may be NULL */
    bool reads_flags, sets_all_flags;
    bool is_pure; /* cannot fault or leave the block */
};

/**
 * x86_decode() - decode one instruction
 *
 * What cannot be decoded or is not offered becomes an op that raises #UD.
 */
enum x86_decode_status x86_decode(struct x86_decoder *decoder,
                                  const struct x86_decode_in *in,
                                  struct x86_insn *out);

#ifdef __cplusplus
}
#endif

#endif
