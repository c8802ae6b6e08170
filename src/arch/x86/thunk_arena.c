/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private mappings whose protection is switched for each addition.  A double
 * mapping of shared memory would save the two system calls, but parent and
 * child of a fork would then write over each other's code.
 */
#include "arch/x86/thunk_arena.h"

#include "base/alloc.h"
#include "base/log.h"

#include <string.h>
#include <sys/mman.h>

enum { ARENA_CHUNK_BYTES = 256 << 10, ARENA_ALIGN = 32 };

struct arena_chunk {
    struct arena_chunk *next;
    uint8_t *base;
    size_t used;
};

struct x86_arena {
    struct arena_chunk *chunks; /* newest first */
};

struct x86_arena *x86_arena_create(void)
{
    return alloc_zeroed(1, sizeof(struct x86_arena));
}

void x86_arena_destroy(struct x86_arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;

    while (chunk) {
        struct arena_chunk *next = chunk->next;

        munmap(chunk->base, ARENA_CHUNK_BYTES);
        mem_free(chunk);
        chunk = next;
    }
    mem_free(arena);
}

static struct arena_chunk *arena_grow(struct x86_arena *arena)
{
    struct arena_chunk *chunk;
    void *base = mmap(NULL, ARENA_CHUNK_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED)
        return NULL;
    chunk = alloc_zeroed(1, sizeof(*chunk));
    chunk->base = base;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

static struct arena_chunk *arena_room(struct x86_arena *arena, size_t len)
{
    struct arena_chunk *chunk = arena->chunks;

    if (chunk && chunk->used + len <= ARENA_CHUNK_BYTES)
        return chunk;
    return arena_grow(arena);
}

const void *x86_arena_add(struct x86_arena *arena, const uint8_t *code,
                          size_t len)
{
    struct arena_chunk *chunk;
    uint8_t *at;

    SIM_ASSERT(len <= ARENA_CHUNK_BYTES);
    chunk = arena_room(arena, len);
    if (!chunk)
        return NULL;
    at = chunk->base + chunk->used;
    if (mprotect(chunk->base, ARENA_CHUNK_BYTES, PROT_READ | PROT_WRITE))
        return NULL;
    memcpy(at, code, len);
    chunk->used += (len + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (mprotect(chunk->base, ARENA_CHUNK_BYTES, PROT_READ | PROT_EXEC))
        return NULL;
    return at;
}
