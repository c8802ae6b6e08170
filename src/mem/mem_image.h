/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory images: the content of one RAM range in a file of a checkpoint.
 *
 * The range is cut into chunks of 1 MiB.  Each chunk is compressed for itself
 * (zstd) and carries its own checksums (xxHash 64), so that threads write and
 * read chunks side by side and damage is told by chunk.  Pages that hold only
 * zeros are left out, chunks of such pages altogether; pages that the host
 * never gave us are not even looked at.
 *
 *   header | chunk | chunk | ... | index (one entry per chunk that is present)
 *
 * The file depends on the content alone: the same RAM gives the same bytes,
 * however many threads wrote it.  Numbers are little-endian.
 *
 * Reading is in two steps.  Opening checks the header, the index and every
 * chunk's checksum and touches no RAM; only then is the image applied. Applying
 * writes just the pages that are not zero: the rest stays unmapped until the
 * guest touches it.
 */
#ifndef MEM_MEM_IMAGE_H
#define MEM_MEM_IMAGE_H

#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MEM_IMAGE_CHUNK = 1 << 20 };

struct mem_image;

/**
 * mem_image_write() - write [host, host + size) to a new file at @path
 * @size:        multiple of 4096
 * @num_threads: see crew_default_size()
 * @why:         on failure, the reason as text
 *
 * Returns: 0 or -errno; the file is synced on success.
 */
SIM_MUST_CHECK int mem_image_write(const char *path, const uint8_t *host,
                                   uint64_t size, unsigned num_threads,
                                   char why[256]);

/**
 * mem_image_open() - check an image completely
 * @size: of the range it must fit [bytes]
 * @why:  on failure, what is wrong and in which chunk
 *
 * Returns: the image, or NULL.
 */
struct mem_image *mem_image_open(const char *path, uint64_t size,
                                 unsigned num_threads, char why[256]);

/**
 * mem_image_apply() - copy the image to RAM
 * @host: @size bytes (of mem_image_open()) that read as zero
 *
 * Returns: 0, or -EIO with the chunk named in @why.
 */
SIM_MUST_CHECK int mem_image_apply(const struct mem_image *image, uint8_t *host,
                                   unsigned num_threads, char why[256]);

/** mem_image_num_chunks() - chunks that hold something but zeros. */
uint64_t mem_image_num_chunks(const struct mem_image *image);

void mem_image_close(struct mem_image *image);

#ifdef __cplusplus
}
#endif

#endif
