/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void *alloc_zeroed(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1);

    if (!ptr)
        log_exit("out of memory: %zu elements of %zu bytes", count, size);
    return ptr;
}

void *alloc_resize(void *ptr, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        log_exit("out of memory: %zu elements of %zu bytes", count, size);
    ptr = realloc(ptr, bytes ? bytes : 1);
    if (!ptr)
        log_exit("out of memory: %zu bytes", bytes);
    return ptr;
}

char *alloc_strdup(const char *str)
{
    size_t len = strlen(str) + 1;

    return memcpy(alloc_zeroed(len, 1), str, len);
}

char *alloc_printf(const char *fmt, ...)
{
    va_list args;
    int len;
    char *text;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    SIM_ASSERT(len >= 0);
    text = alloc_zeroed((size_t)len + 1, 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return text;
}

void mem_free(void *ptr)
{
    free(ptr);
}
