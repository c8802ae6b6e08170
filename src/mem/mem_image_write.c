/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writing half of memory images.  Workers take chunks in order, compress
 * them side by side, and append them in order: each waits for its turn.
 * Sources: [RFC8878], [XXH]; the bits of /proc/self/pagemap: [man] proc(5).
 */
#include "mem/mem_image_format.h"

#include "base/alloc.h"
#include "base/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 1 };

#define PAGEMAP_PRESENT UINT64_C(0x8000000000000000)
#define PAGEMAP_SWAPPED UINT64_C(0x4000000000000000)

struct writer {
    const uint8_t *host;
    uint64_t size;
    uint64_t num_chunks;
    int fd;
    int pagemap_fd;       /* -1: every page may hold something */
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t turn_changed;
    uint64_t next;   /* chunk to hand out */
    uint64_t turn;   /* chunk to append */
    uint64_t offset; /* end of the file so far */
    struct image_entry *entries;
    uint64_t num_entries, max_entries;
    int err;
};

/* One worker's buffers. */
struct packer {
    ZSTD_CCtx *zstd;
    uint8_t *raw;    /* pages that are not zero, one after the other */
    uint8_t *stored; /* compressed */
    size_t stored_max;
};

static int write_fully(int fd, const void *data, size_t len, uint64_t offset)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        ssize_t done = pwrite(fd, bytes, len, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        bytes += done;
        len -= (size_t)done;
        offset += (uint64_t)done;
    }
    return 0;
}

static bool pagemap_has(int fd, const void *page, uint64_t *entries,
                        size_t count)
{
    off_t offset = (off_t)((uintptr_t)page / IMAGE_PAGE * sizeof(uint64_t));
    size_t len = count * sizeof(uint64_t);

    return pread(fd, entries, len, offset) == (ssize_t)len;
}

/* Trust the host's page map only if it knows a page that we just wrote. */
static int pagemap_open(void)
{
    uint64_t entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (pagemap_has(fd, &entry, &entry, 1) && (entry & PAGEMAP_PRESENT) != 0)
        return fd;
    close(fd);
    return -1;
}

/* Whether the host has given memory to page @i of the chunk at all. */
static bool may_hold_data(const uint64_t *pagemap, size_t i)
{
    return (pagemap[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, IMAGE_PAGE - 1) == 0;
}

/* Copy the pages that are not zero to packer->raw. */
static void gather_pages(const struct writer *writer, struct packer *packer,
                         struct image_entry *entry)
{
    uint64_t pagemap[IMAGE_CHUNK_PAGES];
    uint64_t start = entry->chunk * MEM_IMAGE_CHUNK;
    uint64_t left = writer->size - start;
    size_t num_pages = left < MEM_IMAGE_CHUNK ? (size_t)(left / IMAGE_PAGE)
                                              : IMAGE_CHUNK_PAGES;
    const uint8_t *page = writer->host + start;

    if (writer->pagemap_fd < 0 ||
        !pagemap_has(writer->pagemap_fd, page, pagemap, num_pages))
        memset(pagemap, 0xff, sizeof(pagemap));
    for (size_t i = 0; i < num_pages; i++, page += IMAGE_PAGE) {
        if (!may_hold_data(pagemap, i) || is_zero(page))
            continue;
        memcpy(packer->raw + entry->raw_size, page, IMAGE_PAGE);
        entry->raw_size += IMAGE_PAGE;
        entry->pages[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

static int pack(const struct writer *writer, struct packer *packer,
                struct image_entry *entry)
{
    size_t size;

    gather_pages(writer, packer, entry);
    if (entry->raw_size == 0)
        return 0;
    size = ZSTD_compressCCtx(packer->zstd, packer->stored, packer->stored_max,
                             packer->raw, entry->raw_size, COMPRESSION_LEVEL);
    if (ZSTD_isError(size))
        return -EIO;
    entry->stored_size = (uint32_t)size;
    entry->stored_hash = XXH64(packer->stored, size, 0);
    entry->raw_hash = XXH64(packer->raw, entry->raw_size, 0);
    return 0;
}

/* Called with the lock held, in the order of chunks. */
static int append(struct writer *writer, const struct packer *packer,
                  struct image_entry *entry)
{
    int err;

    if (entry->raw_size == 0)
        return 0;
    entry->offset = writer->offset;
    err = write_fully(writer->fd, packer->stored, entry->stored_size,
                      entry->offset);
    if (err != 0)
        return err;
    writer->offset += entry->stored_size;
    if (writer->num_entries == writer->max_entries) {
        writer->max_entries = writer->max_entries * 2 + 64;
        writer->entries = alloc_resize(writer->entries, writer->max_entries,
                                       sizeof(*writer->entries));
    }
    writer->entries[writer->num_entries++] = *entry;
    return 0;
}

static bool take_chunk(struct writer *writer, struct image_entry *entry)
{
    bool is_left;

    pthread_mutex_lock(&writer->lock);
    is_left = writer->next < writer->num_chunks;
    *entry = (struct image_entry){.chunk = writer->next};
    writer->next += is_left;
    pthread_mutex_unlock(&writer->lock);
    return is_left;
}

static void hand_in(struct writer *writer, const struct packer *packer,
                    struct image_entry *entry, int err)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->turn != entry->chunk)
        pthread_cond_wait(&writer->turn_changed, &writer->lock);
    if (writer->err == 0)
        writer->err = err != 0 ? err : append(writer, packer, entry);
    writer->turn++;
    pthread_cond_broadcast(&writer->turn_changed);
    pthread_mutex_unlock(&writer->lock);
}

static void *write_chunks(void *ctx)
{
    struct writer *writer = ctx;
    struct packer packer = {.stored_max = ZSTD_compressBound(MEM_IMAGE_CHUNK)};
    struct image_entry entry;

    packer.zstd = ZSTD_createCCtx();
    packer.raw = alloc_zeroed(1, MEM_IMAGE_CHUNK);
    packer.stored = alloc_zeroed(1, packer.stored_max);
    while (take_chunk(writer, &entry)) {
        int err = packer.zstd == NULL ? -ENOMEM : pack(writer, &packer, &entry);

        hand_in(writer, &packer, &entry, err);
    }
    ZSTD_freeCCtx(packer.zstd);
    mem_free(packer.raw);
    mem_free(packer.stored);
    return NULL;
}

static int write_index(struct writer *writer)
{
    size_t len = writer->num_entries * sizeof(*writer->entries);
    struct image_header header = {
        .magic = IMAGE_MAGIC,
        .version = IMAGE_VERSION,
        .chunk_size = MEM_IMAGE_CHUNK,
        .range_size = writer->size,
        .num_chunks = writer->num_entries,
        .index_offset = writer->offset,
        .index_hash = XXH64(writer->entries, len, 0),
    };
    int err = write_fully(writer->fd, writer->entries, len, writer->offset);

    header.header_hash =
        XXH64(&header, offsetof(struct image_header, header_hash), 0);
    if (err == 0)
        err = write_fully(writer->fd, &header, sizeof(header), 0);
    if (err == 0 && fsync(writer->fd) != 0)
        err = -errno;
    return err;
}

int mem_image_write(const char *path, const uint8_t *host, uint64_t size,
                    unsigned num_threads, char why[256])
{
    struct writer writer = {
        .host = host,
        .size = size,
        .num_chunks = (size + MEM_IMAGE_CHUNK - 1) / MEM_IMAGE_CHUNK,
        .offset = sizeof(struct image_header),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .turn_changed = PTHREAD_COND_INITIALIZER,
    };

    writer.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer.fd < 0) {
        writer.err = -errno;
        (void)snprintf(why, 256, "%s (%s)", strerror(-writer.err), path);
        return writer.err;
    }
    writer.pagemap_fd = pagemap_open();
    crew_run(num_threads, write_chunks, &writer);
    if (writer.err == 0)
        writer.err = write_index(&writer);
    if (writer.pagemap_fd >= 0)
        close(writer.pagemap_fd);
    if (close(writer.fd) != 0 && writer.err == 0)
        writer.err = -errno;
    mem_free(writer.entries);
    if (writer.err != 0)
        (void)snprintf(why, 256, "%s (%s)", strerror(-writer.err), path);
    return writer.err;
}
