/* SPDX-License-Identifier: BSD-3-Clause */
/* Transfers that other calls than read and write are made of. */
#ifndef ARCH_X86_LINUX_SYS_IO_H
#define ARCH_X86_LINUX_SYS_IO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct syscall;

enum io_direction {
    IO_READ,
    IO_READ_ALL, /* waits until the buffers are full (MSG_WAITALL) */
    IO_WRITE,
};

/** syscall_io_buffer() - as read or write, with their first three arguments;
 *  may wait. */
int64_t syscall_io_buffer(struct syscall *call, enum io_direction direction);
/** syscall_io_vector() - the same as readv or writev. */
int64_t syscall_io_vector(struct syscall *call, enum io_direction direction);

#ifdef __cplusplus
}
#endif

#endif
