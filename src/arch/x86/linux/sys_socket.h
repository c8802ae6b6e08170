/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARCH_X86_LINUX_SYS_SOCKET_H
#define ARCH_X86_LINUX_SYS_SOCKET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct socket_receive;
struct syscall;

/** syscall_check_socket() - 0, or the error if the first argument is not a
 *  socket. */
int64_t syscall_check_socket(const struct syscall *call);
enum socket_form { SOCKET_BUFFER, SOCKET_VECTOR };
/** syscall_socket_write() - with the first three arguments of write or, by
 *  @form, of writev, and MSG_ @flags; may wait. */
int64_t syscall_socket_write(struct syscall *call, enum socket_form form,
                             uint64_t flags);
/** syscall_socket_read() - the opposite; @receive, zeroed, gets what comes
 *  beside the bytes. */
int64_t syscall_socket_read(struct syscall *call, enum socket_form form,
                            uint64_t flags, struct socket_receive *receive);

/* sys_socket_message.c; for socketcall, too */
int64_t sys_sendmsg(struct syscall *call);
int64_t sys_recvmsg(struct syscall *call);

#ifdef __cplusplus
}
#endif

#endif
