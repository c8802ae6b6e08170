/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speed: what asks the kernel: bench_kernel calls|small|near|huge COUNT
 *
 * calls: getppid.  The others: first touches of memory, one per page, in
 * mappings that come and go.  small: each page of 4 KiB by itself; near: in
 * mappings that are too small for pages of 2 MiB; huge: in pages of 2 MiB.
 *
 * guest-flags: -O2 -static
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, HUGE_PAGE = 2 << 20, BLOCK = 32 << 20, LITTLE = 1 << 20 };

static int call(int count)
{
    for (int i = 0; i < count; i++)
        if (syscall(SYS_getppid) < 0)
            return 1;
    return 0;
}

/* Touches a block; returns the number of pages, or 0. */
static int touch(size_t page, int advice)
{
    char *memory = mmap(NULL, BLOCK + HUGE_PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *start = memory + (HUGE_PAGE - (size_t)memory % HUGE_PAGE);

    if (memory == MAP_FAILED || madvise(memory, BLOCK + HUGE_PAGE, advice))
        return 0;
    for (size_t at = 0; at < BLOCK; at += page)
        start[at] = 1;
    return munmap(memory, BLOCK + HUGE_PAGE) ? 0 : (int)(BLOCK / page);
}

static int touch_little(int count)
{
    for (; count > 0; count -= LITTLE / PAGE) {
        char *start = mmap(NULL, LITTLE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (start == MAP_FAILED)
            return 1;
        for (size_t at = 0; at < LITTLE; at += PAGE)
            start[at] = 1;
        if (munmap(start, LITTLE))
            return 1;
    }
    return 0;
}

static int touch_all(int count, size_t page, int advice)
{
    while (count > 0) {
        int touched = touch(page, advice);

        if (!touched)
            return 1;
        count -= touched;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 0;

    if (count && !strcmp(argv[1], "calls"))
        return call(count);
    if (count && !strcmp(argv[1], "small"))
        return touch_all(count, PAGE, MADV_NOHUGEPAGE);
    if (count && !strcmp(argv[1], "near"))
        return touch_little(count);
    if (count && !strcmp(argv[1], "huge"))
        return touch_all(count, HUGE_PAGE, MADV_HUGEPAGE);
    fprintf(stderr, "usage: bench_kernel calls|small|near|huge COUNT\n");
    return 1;
}
