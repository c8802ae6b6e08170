/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reader and the writer of memory images share: the file layout. */
#ifndef MEM_MEM_IMAGE_FORMAT_H
#define MEM_MEM_IMAGE_FORMAT_H

#include <stdint.h>

#include "base/compiler.h"
#include "mem/mem_image.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    IMAGE_VERSION = 1,
    IMAGE_PAGE = 4096,
    IMAGE_CHUNK_PAGES = MEM_IMAGE_CHUNK / IMAGE_PAGE,
};

#define IMAGE_MAGIC "GSMEMIMG"

/* Both structs have no padding, so that they are written as they are. */
struct image_header {
    char magic[8];
    uint32_t version;
    uint32_t chunk_size;   /* [bytes] */
    uint64_t range_size;   /* [bytes] */
    uint64_t num_chunks;   /* entries of the index */
    uint64_t index_offset; /* of the index in the file */
    uint64_t index_hash;
    uint64_t header_hash; /* of everything before this member */
};
SIM_STATIC_ASSERT(sizeof(struct image_header) == 56, "no padding");

struct image_entry {
    uint64_t chunk;       /* number: position in the range / chunk_size */
    uint64_t offset;      /* of the compressed bytes in the file */
    uint32_t stored_size; /* compressed [bytes] */
    uint32_t raw_size;    /* of the pages that are not zero [bytes] */
    uint64_t stored_hash;
    uint64_t raw_hash;
    uint64_t pages[IMAGE_CHUNK_PAGES / 64]; /* bit: the page is present */
};
SIM_STATIC_ASSERT(sizeof(struct image_entry) == 72, "no padding");
SIM_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                  "images are written in host order");

#ifdef __cplusplus
}
#endif

#endif
