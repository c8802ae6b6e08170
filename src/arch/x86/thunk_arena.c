/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chunks of memory that are mapped twice, once to write and once to execute:
 * switching the protection of one mapping costs two system calls and the
 * translations of all code for each thunk.
 *
 * Shared memory stays shared across fork(), so parent and child would write
 * over each other's new code: a process adds only to chunks that it made
 * itself.  Code that is already there is never changed.
 */
#include "arch/x86/thunk_arena.h"

#include "base/alloc.h"
#include "base/log.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARENA_CHUNK_BYTES = 256 << 10, ARENA_ALIGN = 32 };

struct arena_chunk {
    struct arena_chunk *next;
    uint8_t *writable, *executable; /* the same memory */
    size_t used;
    pid_t owner;
};

struct x86_arena {
    struct arena_chunk *chunks; /* newest first */
};

struct x86_arena *x86_arena_create(void)
{
    return alloc_zeroed(1, sizeof(struct x86_arena));
}

static void chunk_unmap(struct arena_chunk *chunk)
{
    if (chunk->writable)
        munmap(chunk->writable, ARENA_CHUNK_BYTES);
    if (chunk->executable)
        munmap(chunk->executable, ARENA_CHUNK_BYTES);
    mem_free(chunk);
}

void x86_arena_destroy(struct x86_arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;

    while (chunk) {
        struct arena_chunk *next = chunk->next;

        chunk_unmap(chunk);
        chunk = next;
    }
    mem_free(arena);
}

static uint8_t *map_chunk(int fd, int protection)
{
    void *base = mmap(NULL, ARENA_CHUNK_BYTES, protection, MAP_SHARED, fd, 0);

    return base == MAP_FAILED ? NULL : base;
}

static struct arena_chunk *chunk_create(void)
{
    struct arena_chunk *chunk = alloc_zeroed(1, sizeof(*chunk));
    int fd = memfd_create("gearshift-code", MFD_CLOEXEC);

    if (fd >= 0 && !ftruncate(fd, ARENA_CHUNK_BYTES)) {
        chunk->writable = map_chunk(fd, PROT_READ | PROT_WRITE);
        chunk->executable = map_chunk(fd, PROT_READ | PROT_EXEC);
    }
    if (fd >= 0)
        close(fd);
    chunk->owner = getpid();
    if (chunk->writable && chunk->executable)
        return chunk;
    chunk_unmap(chunk);
    return NULL;
}

static struct arena_chunk *arena_room(struct x86_arena *arena, size_t len)
{
    struct arena_chunk *chunk = arena->chunks;

    if (chunk && chunk->used + len <= ARENA_CHUNK_BYTES &&
        chunk->owner == getpid())
        return chunk;
    chunk = chunk_create();
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

const void *x86_arena_add(struct x86_arena *arena, const uint8_t *code,
                          size_t len)
{
    struct arena_chunk *chunk;
    size_t at;

    SIM_ASSERT(len <= ARENA_CHUNK_BYTES);
    chunk = arena_room(arena, len);
    if (!chunk)
        return NULL;
    at = chunk->used;
    memcpy(chunk->writable + at, code, len);
    chunk->used += (len + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    return chunk->executable + at;
}
