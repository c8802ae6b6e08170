/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process's memory as its system calls see it.  Pages are faulted in as
 * needed; anything that cannot be accessed is -EFAULT.
 */
#ifndef ARCH_X86_LINUX_UACCESS_H
#define ARCH_X86_LINUX_UACCESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iovec;
struct mm;

/* Pieces of host memory. */
struct uaccess_vec {
    struct iovec *iov;
    int max, count;
};

/* Copy from the process; 0 or -EFAULT. */
SIM_MUST_CHECK int uaccess_read(struct mm *mm, uint64_t addr, void *data,
                                uint64_t len);
/* Copy to the process; 0 or -EFAULT (a part may have been written). */
SIM_MUST_CHECK int uaccess_write(struct mm *mm, uint64_t addr, const void *data,
                                 uint64_t len);
SIM_MUST_CHECK int uaccess_clear(struct mm *mm, uint64_t addr, uint64_t len);
/** uaccess_str() - a C string into fresh memory
 *  Returns: 0, -EFAULT, or -ENAMETOOLONG if it has @max bytes or more. */
SIM_MUST_CHECK int uaccess_str(struct mm *mm, uint64_t addr, uint64_t max,
                               char **out);
/**
 * uaccess_pages() - host memory behind [addr, addr + len)
 * @access: enum mm_prot that is needed
 * @vec:    filled
 *
 * Returns: bytes covered, which is less than @len if pieces ran out or a page
 * cannot be accessed; -EFAULT if there is nothing.  With MM_WRITE, code that
 * was decoded from these pages is forgotten.
 */
int64_t uaccess_pages(struct mm *mm, uint64_t addr, uint64_t len,
                      uint32_t access, struct uaccess_vec *vec);
/** uaccess_word() - host address of an aligned 32-bit word, NULL if it cannot
 *  be accessed; @frame receives its physical address. */
uint32_t *uaccess_word(struct mm *mm, uint64_t addr, uint32_t access,
                       uint64_t *frame);

/* NOLINTBEGIN(readability-identifier-naming): used like functions */
#define uaccess_put(mm, addr, object)                                          \
    uaccess_write((mm), (addr), &(object), sizeof(object))
#define uaccess_get(mm, addr, object)                                          \
    uaccess_read((mm), (addr), &(object), sizeof(object))
/* NOLINTEND(readability-identifier-naming) */

#ifdef __cplusplus
}
#endif

#endif
