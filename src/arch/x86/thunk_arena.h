/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for generated host code; never writable and executable at once. */
#ifndef ARCH_X86_THUNK_ARENA_H
#define ARCH_X86_THUNK_ARENA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct x86_arena;

struct x86_arena *x86_arena_create(void);
void x86_arena_destroy(struct x86_arena *arena);

/**
 * x86_arena_add() - copy position-independent code into executable memory
 * Returns: its address, valid until x86_arena_destroy(); NULL if the host
 * refuses executable memory.
 */
const void *x86_arena_add(struct x86_arena *arena, const uint8_t *code,
                          size_t len);

#ifdef __cplusplus
}
#endif

#endif
