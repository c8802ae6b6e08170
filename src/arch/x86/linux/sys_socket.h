/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARCH_X86_LINUX_SYS_SOCKET_H
#define ARCH_X86_LINUX_SYS_SOCKET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct syscall;

/** syscall_check_socket() - 0, or the error if the first argument is not a
 *  socket. */
int64_t syscall_check_socket(const struct syscall *call);
/** syscall_socket_transfer() - the read or write call @name on a socket, with
 *  the same arguments; may wait. */
int64_t syscall_socket_transfer(struct syscall *call, const char *name);

#ifdef __cplusplus
}
#endif

#endif
