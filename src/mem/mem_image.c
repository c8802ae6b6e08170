/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reading half of memory images.
 * Nothing in a file is believed before it is checked: sizes, offsets and page
 * maps of the index bound every later access.
 * Sources: [RFC8878], [XXH].
 */
#include "mem/mem_image.h"

#include "base/alloc.h"
#include "base/crew.h"
#include "mem/mem_image_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

struct mem_image {
    char *path;
    const uint8_t *file; /* mapped read-only */
    uint64_t file_size;
    uint64_t range_size;
    uint64_t num_chunks;
    const struct image_entry *entries; /* a copy, aligned */
};

/* Entries being checked or applied by several threads. */
struct reader {
    const struct mem_image *image;
    uint8_t *host;      /* NULL: check only */
    uint64_t next;      /* entry to hand out; atomic */
    uint64_t bad_chunk; /* lowest number found damaged; atomic */
};

static bool is_present(const struct image_entry *entry, size_t page)
{
    return (entry->pages[page / 64] >> (page % 64)) & 1;
}

static size_t num_present(const struct image_entry *entry)
{
    size_t count = 0;

    for (size_t i = 0; i < SIM_ARRAY_LEN(entry->pages); i++)
        count += (size_t)__builtin_popcountll(entry->pages[i]);
    return count;
}

/* ------------------------------------------------------------------ opening */

static const uint8_t *map_file(const char *path, uint64_t *size, char why[256])
{
    const uint8_t *file = MAP_FAILED;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &info) == 0) {
        *size = (uint64_t)info.st_size;
        errno = EINVAL; /* what mmap says to an empty file */
        if (*size > 0)
            file = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (file == MAP_FAILED)
        (void)snprintf(why, 256, "%s (%s)",
                       errno == EINVAL ? "empty file" : strerror(errno), path);
    if (fd >= 0)
        close(fd);
    return file == MAP_FAILED ? NULL : file;
}

/* What is wrong with the header, or NULL. */
static const char *check_header(const struct mem_image *image,
                                const struct image_header *header)
{
    uint64_t hash =
        XXH64(header, offsetof(struct image_header, header_hash), 0);

    if (memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) != 0)
        return "not a memory image";
    if (header->version != IMAGE_VERSION)
        return "written by another version";
    if (hash != header->header_hash)
        return "the header is damaged";
    if (header->chunk_size != MEM_IMAGE_CHUNK)
        return "another chunk size";
    if (header->range_size != image->range_size)
        return "the size of the memory range has changed";
    if (header->index_offset > image->file_size ||
        header->num_chunks > (image->file_size - header->index_offset) /
                                 sizeof(struct image_entry))
        return "the file is cut short";
    return NULL;
}

static const char *load_index(struct mem_image *image)
{
    struct image_header header;
    struct image_entry *entries;
    const char *wrong;
    size_t len;

    if (image->file_size < sizeof(header))
        return "the file is cut short";
    memcpy(&header, image->file, sizeof(header));
    wrong = check_header(image, &header);
    if (wrong != NULL)
        return wrong;
    image->num_chunks = header.num_chunks;
    len = image->num_chunks * sizeof(*entries);
    entries = alloc_zeroed(image->num_chunks, sizeof(*entries));
    memcpy(entries, image->file + header.index_offset, len);
    image->entries = entries;
    if (XXH64(entries, len, 0) != header.index_hash)
        return "the index is damaged";
    return NULL;
}

/* Whether the pages that @entry says it holds lie in the range. */
static bool pages_fit(const struct mem_image *image,
                      const struct image_entry *entry)
{
    uint64_t left;
    size_t num_pages;

    if (entry->chunk > image->range_size / MEM_IMAGE_CHUNK)
        return false;
    left = image->range_size - entry->chunk * MEM_IMAGE_CHUNK;
    num_pages = left < MEM_IMAGE_CHUNK ? (size_t)(left / IMAGE_PAGE)
                                       : IMAGE_CHUNK_PAGES;
    for (size_t i = num_pages; i < IMAGE_CHUNK_PAGES; i++)
        if (is_present(entry, i))
            return false;
    return entry->raw_size == num_present(entry) * IMAGE_PAGE;
}

static bool entry_is_sound(const struct mem_image *image,
                           const struct image_entry *entry)
{
    return pages_fit(image, entry) && entry->offset <= image->file_size &&
           entry->stored_size <= image->file_size - entry->offset &&
           XXH64(image->file + entry->offset, entry->stored_size, 0) ==
               entry->stored_hash;
}

/* --------------------------------------------------------- threads' halves */

static const struct image_entry *take_entry(struct reader *reader)
{
    uint64_t index = __atomic_fetch_add(&reader->next, 1, __ATOMIC_RELAXED);

    return index < reader->image->num_chunks ? &reader->image->entries[index]
                                             : NULL;
}

/* Remember the lowest number, so that the message is always the same. */
static void report_bad(struct reader *reader, uint64_t chunk)
{
    uint64_t seen = __atomic_load_n(&reader->bad_chunk, __ATOMIC_RELAXED);

    while (chunk < seen &&
           !__atomic_compare_exchange_n(&reader->bad_chunk, &seen, chunk, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void *check_chunks(void *ctx)
{
    struct reader *reader = ctx;
    const struct image_entry *entry;

    while ((entry = take_entry(reader)) != NULL)
        if (!entry_is_sound(reader->image, entry))
            report_bad(reader, entry->chunk);
    return NULL;
}

static bool unpack(const struct reader *reader, const struct image_entry *entry,
                   uint8_t *raw)
{
    const uint8_t *stored = reader->image->file + entry->offset;
    uint8_t *chunk = reader->host + entry->chunk * MEM_IMAGE_CHUNK;
    size_t size =
        ZSTD_decompress(raw, MEM_IMAGE_CHUNK, stored, entry->stored_size);

    if (size != entry->raw_size || XXH64(raw, size, 0) != entry->raw_hash)
        return false;
    for (size_t i = 0; i < IMAGE_CHUNK_PAGES; i++) {
        if (!is_present(entry, i))
            continue;
        memcpy(chunk + i * IMAGE_PAGE, raw, IMAGE_PAGE);
        raw += IMAGE_PAGE;
    }
    return true;
}

static void *apply_chunks(void *ctx)
{
    struct reader *reader = ctx;
    const struct image_entry *entry;
    uint8_t *raw = alloc_zeroed(1, MEM_IMAGE_CHUNK);

    while ((entry = take_entry(reader)) != NULL)
        if (!unpack(reader, entry, raw))
            report_bad(reader, entry->chunk);
    mem_free(raw);
    return NULL;
}

static int say_bad_chunk(const struct reader *reader, char why[256])
{
    uint64_t start = reader->bad_chunk * MEM_IMAGE_CHUNK;

    if (reader->bad_chunk == UINT64_MAX)
        return 0;
    (void)snprintf(
        why, 256,
        "chunk %llu (bytes 0x%llx to 0x%llx of the range) is "
        "damaged (%s)",
        (unsigned long long)reader->bad_chunk, (unsigned long long)start,
        (unsigned long long)(start + MEM_IMAGE_CHUNK - 1), reader->image->path);
    return -EIO;
}

/* ------------------------------------------------------------------- public */

struct mem_image *mem_image_open(const char *path, uint64_t size,
                                 unsigned num_threads, char why[256])
{
    struct mem_image *image = alloc_zeroed(1, sizeof(*image));
    struct reader reader = {.image = image, .bad_chunk = UINT64_MAX};
    const char *wrong;

    image->path = alloc_strdup(path);
    image->range_size = size;
    image->file = map_file(path, &image->file_size, why);
    if (image->file == NULL)
        goto out_close;
    wrong = load_index(image);
    if (wrong != NULL) {
        (void)snprintf(why, 256, "%s (%s)", wrong, path);
        goto out_close;
    }
    crew_run(num_threads, check_chunks, &reader);
    if (say_bad_chunk(&reader, why) == 0)
        return image;
out_close:
    mem_image_close(image);
    return NULL;
}

int mem_image_apply(const struct mem_image *image, uint8_t *host,
                    unsigned num_threads, char why[256])
{
    struct reader reader = {
        .image = image,
        .host = host,
        .bad_chunk = UINT64_MAX,
    };

    crew_run(num_threads, apply_chunks, &reader);
    return say_bad_chunk(&reader, why);
}

uint64_t mem_image_num_chunks(const struct mem_image *image)
{
    return image->num_chunks;
}

void mem_image_close(struct mem_image *image)
{
    if (image == NULL)
        return;
    if (image->file != NULL)
        munmap((void *)(uintptr_t)image->file, image->file_size);
    mem_free((void *)(uintptr_t)image->entries);
    mem_free(image->path);
    mem_free(image);
}
