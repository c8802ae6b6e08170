/* SPDX-License-Identifier: BSD-3-Clause */
/* Names for addresses in programs, from the symbol tables of mapped files. */
#ifndef ARCH_X86_LINUX_SYMBOLIZE_H
#define ARCH_X86_LINUX_SYMBOLIZE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mm;
struct vm_object;
struct vm_object_symbols;
struct vma;

struct symbolized {
    const char *function; /* NULL: unknown; valid while the file is mapped */
    const char *path;     /* of the file, NULL: none */
    uint64_t offset;      /* into the function, or the file's own address */
};

/** symbolize_table() - the functions of a file, read once; empty for one that
 *  has none. */
const struct vm_object_symbols *symbolize_table(struct vm_object *object);
/** symbolize_base() - the first mapped address of the file that @vma shows. */
uint64_t symbolize_base(const struct mm *mm, const struct vma *vma);

/** symbolize() - what @addr is in; tables are read once per file */
void symbolize(const struct mm *mm, uint64_t addr, struct symbolized *out);

#ifdef __cplusplus
}
#endif

#endif
