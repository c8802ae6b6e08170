/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets: pairs inside the simulation; anything that leaves it is refused
 * with EAFNOSUPPORT, which programs take for "no network". */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/sys_socket.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

static int64_t sys_socket(struct syscall *call)
{
    (void)call;
    return -EAFNOSUPPORT;
}

static int64_t sys_socketpair(struct syscall *call)
{
    uint32_t type = (uint32_t)call->arg[1];
    struct file *ends[2];
    int32_t fds[2];

    if ((int)call->arg[0] != AF_UNIX)
        return -EAFNOSUPPORT;
    if ((type & 0xf) != SOCK_STREAM)
        return -ESOCKTNOSUPPORT;
    file_socketpair_create(call->kernel, type & SOCK_NONBLOCK ? O_NONBLOCK : 0,
                           ends);
    for (int i = 0; i < 2; i++)
        fds[i] = fd_table_add(call->process->files, ends[i], 0,
                              type & SOCK_CLOEXEC ? O_CLOEXEC : 0);
    if (fds[0] >= 0 && fds[1] >= 0 && !uaccess_put(call->mm, call->arg[3], fds))
        return 0;
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            (void)fd_table_close(call->process->files, (uint64_t)fds[i]);
    }
    return fds[0] < 0 || fds[1] < 0 ? -EMFILE : -EFAULT;
}

/* A call on a descriptor that must be a socket of a pair. */
int64_t syscall_check_socket(const struct syscall *call)
{
    const struct file *file = syscall_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    return file_is_socket(file) ? 0 : -ENOTSOCK;
}

static int64_t sys_shutdown(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);

    return error ? error
                 : file_socket_shutdown(syscall_file(call, call->arg[0]),
                                        (int)call->arg[1]);
}

int64_t syscall_socket_transfer(struct syscall *call, const char *name)
{
    const struct syscall_row *row = NULL;
    int64_t error = syscall_check_socket(call);

    for (uint32_t nr = 0; !row && nr < KERNEL_NUM_SYSCALLS; nr++) {
        if (call->kernel->calls_64[nr] &&
            !strcmp(call->kernel->calls_64[nr]->name, name))
            row = call->kernel->calls_64[nr];
    }
    return error ? error : row->fn(call);
}

/* A transfer that does not wait (MSG_DONTWAIT) or raises no signal. */
static int64_t socket_transfer_flags(struct syscall *call, const char *name)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t result = syscall_check_socket(call);
    uint32_t old_flags;

    if (result)
        return result;
    if (call->arg[3] & ~(uint64_t)(MSG_NOSIGNAL | MSG_DONTWAIT))
        return -EOPNOTSUPP;
    if ((call->arg[3] & MSG_NOSIGNAL) && !strcmp(name, "write") &&
        (file_poll(file) & POLLERR))
        return -EPIPE;
    old_flags = file->flags;
    if (call->arg[3] & MSG_DONTWAIT)
        file->flags |= O_NONBLOCK;
    result = syscall_socket_transfer(call, name);
    file->flags = old_flags;
    return result;
}

static int64_t sys_sendto(struct syscall *call)
{
    return call->arg[4] ? -EISCONN : socket_transfer_flags(call, "write");
}

static int64_t sys_recvfrom(struct syscall *call)
{
    return socket_transfer_flags(call, "read");
}

static int64_t sys_not_connected(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);

    return error ? error : -EOPNOTSUPP;
}

/* Options of a socket of a pair; the sizes of its buffers are fixed. */
static bool socket_option(const struct file *file, int option, uint32_t *value)
{
    switch (option) {
    case SO_TYPE:
        *value = SOCK_STREAM;
        return true;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return true;
    case SO_PASSCRED:
        *value = file_socket_wants_creds(file);
        return true;
    case SO_ERROR:
    case SO_PROTOCOL:
    case SO_ACCEPTCONN:
        *value = 0;
        return true;
    default:
        return false;
    }
}

static int64_t sys_getsockopt(struct syscall *call)
{
    const struct file *file = syscall_file(call, call->arg[0]);
    int64_t error = syscall_check_socket(call);
    struct socket_creds peer;
    const void *data = &peer;
    uint32_t value, len, size = sizeof(value);

    if (error)
        return error;
    if (uaccess_get(call->mm, call->arg[4], len))
        return -EFAULT;
    if ((int32_t)len < 0)
        return -EINVAL;
    if ((int)call->arg[1] != SOL_SOCKET)
        return -EOPNOTSUPP;
    if ((int)call->arg[2] == SO_PEERCRED) {
        peer = file_socket_peer(file);
        size = sizeof(peer);
    } else if (socket_option(file, (int)call->arg[2], &value)) {
        data = &value;
    } else {
        return -ENOPROTOOPT;
    }
    if (len > size)
        len = size;
    if (uaccess_write(call->mm, call->arg[3], data, len) ||
        uaccess_put(call->mm, call->arg[4], len))
        return -EFAULT;
    return 0;
}

static int64_t sys_setsockopt(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);
    uint32_t value;

    if (error)
        return error;
    if ((int)call->arg[1] != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (call->arg[4] < sizeof(value))
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[3], value))
        return -EFAULT;
    if ((int)call->arg[2] != SO_PASSCRED)
        return -ENOPROTOOPT;
    file_socket_want_creds(syscall_file(call, call->arg[0]), value);
    return 0;
}

/* An unnamed socket: only the family. */
static int64_t sys_getsockname(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);
    uint16_t family = AF_UNIX;
    uint32_t len = sizeof(family);

    if (error)
        return error;
    if (uaccess_put(call->mm, call->arg[1], family) ||
        uaccess_put(call->mm, call->arg[2], len))
        return -EFAULT;
    return 0;
}

const struct syscall_row sys_socket_rows[] = {
    SYSCALL_ROW(socket, "ddd"),
    SYSCALL_ROW(socketpair, "dddp"),
    SYSCALL_ROW(shutdown, "fd"),
    SYSCALL_ROW_64(sendto, "fpuxpu"),
    SYSCALL_ROW_64(recvfrom, "fpuxpp"),
    SYSCALL_ROW_ANY(bind, "fpu", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(connect, "fpu", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(listen, "fd", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(accept, "fpp", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(accept4, "fppx", sys_not_connected, sys_not_connected),
    SYSCALL_ROW(getsockopt, "fddpp"),
    SYSCALL_ROW(setsockopt, "fddpu"),
    SYSCALL_ROW(getsockname, "fpp"),
    SYSCALL_ROW_ANY(getpeername, "fpp", sys_getsockname, sys_getsockname),
    SYSCALL_END,
};
