/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be mapped besides private zeroes: the pages of a host file (a page
 * cache that all processes of the simulation share, so that running a program
 * again finds its code decoded), or memory without a file (shared anonymous
 * mappings, memfd).
 *
 * Private mappings see cached frames read-only and copy them when written.
 * Shared mappings write to the cached frame; vm_object_write_back() brings it
 * to the file.  A host file that changes behind our back is noticed when it is
 * opened again.
 */
#ifndef ARCH_X86_LINUX_VM_OBJECT_H
#define ARCH_X86_LINUX_VM_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/linux/elf.h"
#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct frames;
struct vm_object;

/* All objects of a simulation. */
struct vm_objects {
    struct frames *frames;
    struct vm_object *first;
    uint32_t num_idle; /* objects kept only as cache */
};

/* Functions of a program file, once somebody asked for them. */
struct vm_object_symbols {
    struct elf_symbols table;
    uint64_t low; /* first linked address */
};

struct vm_object {
    struct vm_object_symbols *symbols; /* NULL: not read */
    struct vm_objects *owner;
    struct vm_object *next;
    uint32_t refs;
    int read_fd, write_fd; /* host descriptors, -1: none */
    uint64_t dev, ino;
    int64_t mtime_s, mtime_ns; /* of the host file when pages were read */
    uint64_t size;             /* [bytes] */
    uint32_t num_shared;       /* shared writable mappings */
    char *path;                /* as the guest knows it */
    /* A device: pages from offset first_device on are those from this physical
     * address on, up to size; there are no others.  0: not a device. */
    uint64_t device_addr, first_device;
    uint64_t **chunks; /* frame addresses, 512 pages per chunk */
    size_t num_chunks;
};

enum vm_page { VM_PAGE_OK, VM_PAGE_BEYOND_END, VM_PAGE_NO_MEMORY };

void vm_objects_init(struct vm_objects *objects, struct frames *frames);
void vm_objects_fini(struct vm_objects *objects);

/**
 * vm_object_of_file() - the object of an open host file, with a reference
 * @host_fd: open for reading; duplicated
 * @write_fd: the same file open for writing, or -1; duplicated
 *
 * Returns: 0 or -errno.
 */
SIM_MUST_CHECK int vm_object_of_file(struct vm_objects *objects, int host_fd,
                                     int write_fd, const char *path,
                                     struct vm_object **out);
struct vm_object *vm_object_create_memory(struct vm_objects *objects,
                                          const char *path);
/** vm_object_create_device() - [offset, offset + len) of the file is physical
 *  memory from @addr on; may be mapped shared only. */
struct vm_object *vm_object_create_device(struct vm_objects *objects,
                                          const char *path, uint64_t offset,
                                          gpa_t addr, uint64_t len);
struct vm_object *vm_object_get(struct vm_object *object);
void vm_object_put(struct vm_object *object);

/** vm_object_page() - the frame of page @index; no reference is taken. */
enum vm_page vm_object_page(struct vm_object *object, uint64_t index,
                            gpa_t *out);
/** vm_object_read_ahead() - read pages of [index, index + count) that are not
 *  cached yet, as far as the file and guest RAM reach; nothing for an object
 *  without a file. */
void vm_object_read_ahead(struct vm_object *object, uint64_t index,
                          uint32_t count);
/** vm_object_cached() - whether page @index is in the cache; no reference. */
bool vm_object_cached(struct vm_object *object, uint64_t index, gpa_t *out);
/* Copy a page that a shared mapping changed to the file. */
int vm_object_write_back(struct vm_object *object, uint64_t index);

/** vm_object_find() - the object of host file (@dev, @ino), or NULL. */
struct vm_object *vm_object_find(struct vm_objects *objects, uint64_t dev,
                                 uint64_t ino);
/* [offset, offset + len) of the host file was written or cut by the guest:
 * read cached pages again. */
void vm_object_refresh(struct vm_object *object, uint64_t offset, uint64_t len);

/* Forget the files that are kept only as cache. */
void vm_objects_drop_idle(struct vm_objects *objects);
/** vm_object_next_page() - the first page from @index on that is in memory.
 *  Returns: false if there is none. */
bool vm_object_next_page(const struct vm_object *object, uint64_t *index,
                         gpa_t *frame);
/** vm_object_set_page() - page @index is in @frame, whose reference the object
 *  takes over. */
void vm_object_set_page(struct vm_object *object, uint64_t index, gpa_t frame);
/* The pages are not this object's any more; no reference is given back. */
void vm_object_lose_pages(struct vm_object *object);

/* Contents of an object without a file. */
int64_t vm_object_read(struct vm_object *object, uint64_t offset, void *data,
                       uint64_t len);
int64_t vm_object_write(struct vm_object *object, uint64_t offset,
                        const void *data, uint64_t len);
void vm_object_truncate(struct vm_object *object, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
