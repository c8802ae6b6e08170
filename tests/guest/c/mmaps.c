/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mmap family: what programs can observe.
 *
 * guest-flags: -O1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, BIG = 8 << 20 };

static void shared_file(void)
{
    char text[8] = "";
    int fd = open("m", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *map;

    if (ftruncate(fd, 2 * PAGE))
        return;
    map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memcpy(map + PAGE, "shared", 6);
    printf("%zd %s\n", pread(fd, text, 6, PAGE), text);
    if (pwrite(fd, "file", 4, 0) == 4)
        printf("%.4s\n", map);
    if (!fork()) {
        map[0] = 'F';
        _exit(0);
    }
    wait(NULL);
    printf("%.4s\n", map);
    munmap(map, 2 * PAGE);
    close(fd);
}

static void private_copy(void)
{
    char *map = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    strcpy(map + BIG / 2, "parent");
    if (!fork()) {
        strcpy(map + BIG / 2, "child");
        _exit(strcmp(map + BIG / 2, "child"));
    }
    wait(NULL);
    printf("%s\n", map + BIG / 2);
    madvise(map + BIG / 2, PAGE, MADV_DONTNEED);
    printf("%d\n", map[BIG / 2]);
    strcpy(map + PAGE, "moved");
    map = mremap(map, BIG, 2 * BIG, MREMAP_MAYMOVE);
    printf("%s %d\n", map + PAGE, map[2 * BIG - 1]);
    printf("%d\n", mprotect(map, PAGE, PROT_NONE));
    printf("%d\n", mprotect(map, PAGE, PROT_READ));
    printf("%d %d\n", munmap(map + PAGE, PAGE), map[0]);
    printf("%d %d\n", msync(map, 3 * PAGE, MS_SYNC), errno == ENOMEM);
}

static void refused(void)
{
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    printf("%d\n", mmap(p, PAGE, PROT_READ,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                        0) == MAP_FAILED &&
                       errno == EEXIST);
    printf("%d\n", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0) == MAP_FAILED &&
                       errno == EINVAL);
    printf("%d\n", munmap(p + 1, PAGE) == -1 && errno == EINVAL);
}

int main(void)
{
    void *start;

    shared_file();
    private_copy();
    refused();
    start = sbrk(4 * BIG);
    memset(start, 1, BIG);
    printf("%d %d\n", start != (void *)-1, brk(start));
    return 0;
}
