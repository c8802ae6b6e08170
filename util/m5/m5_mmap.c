/* SPDX-License-Identifier: BSD-3-Clause */
#include <gem5/m5_mmap.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW_SIZE 0x10000

void *m5_mem;
uint64_t m5op_addr = 0xffff0000;
const char *m5_mmap_dev = "/dev/mem";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

void map_m5_mem(void)
{
    int fd;

    if (m5_mem)
        return;
    fd = open(m5_mmap_dev, O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0)
        fail(m5_mmap_dev);
    m5_mem = mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                  (off_t)m5op_addr);
    close(fd);
    if (m5_mem == MAP_FAILED) {
        m5_mem = NULL;
        fail("cannot map the window of pseudo operations");
    }
}

void unmap_m5_mem(void)
{
    if (m5_mem)
        munmap(m5_mem, WINDOW_SIZE);
    m5_mem = NULL;
}
