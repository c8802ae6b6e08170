/* SPDX-License-Identifier: BSD-3-Clause */
/* Allocation that cannot fail: running out of memory ends the process with a
 * message.  All memory of the core comes from here; free with mem_free(). */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed memory for @count elements of @size bytes; overflow is checked. */
void *alloc_zeroed(size_t count, size_t size);
/* Grow or shrink; new bytes are not initialised. */
void *alloc_resize(void *ptr, size_t count, size_t size);
char *alloc_strdup(const char *str);
/* printf into fresh memory. */
char *alloc_printf(const char *fmt, ...) SIM_PRINTF(1, 2);
void mem_free(void *ptr);

#ifdef __cplusplus
}
#endif

#endif
