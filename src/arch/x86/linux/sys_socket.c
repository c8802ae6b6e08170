/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets: pairs inside the simulation; anything that leaves it is refused
 * with EAFNOSUPPORT, which programs take for "no network". */
#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <poll.h>
#include <sys/socket.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/socket_rights.h"
#include "arch/x86/linux/sys_io.h"
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

/* A transfer, without waiting if the flags say so. */
static int64_t socket_transfer(struct syscall *call, enum socket_form form,
                               enum io_direction direction, uint64_t flags)
{
    struct file *file = syscall_file(call, call->arg[0]);
    uint32_t old_flags = file->flags;
    int64_t result;

    if (flags & MSG_DONTWAIT)
        file->flags |= O_NONBLOCK;
    result = form == SOCKET_BUFFER ? syscall_io_buffer(call, direction)
                                   : syscall_io_vector(call, direction);
    file->flags = old_flags;
    return result;
}

/* As Linux does, flags that mean nothing to such a socket are passed over. */
int64_t syscall_socket_write(struct syscall *call, enum socket_form form,
                             uint64_t flags)
{
    int64_t error = syscall_check_socket(call);

    if (error)
        return error;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if ((flags & MSG_NOSIGNAL) &&
        (file_poll(syscall_file(call, call->arg[0])) & POLLERR))
        return -EPIPE;
    return socket_transfer(call, form, IO_WRITE, flags);
}

int64_t syscall_socket_read(struct syscall *call, enum socket_form form,
                            uint64_t flags, struct socket_receive *receive)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t result = syscall_check_socket(call);

    if (result)
        return result;
    if (flags & MSG_OOB) /* there is no such byte */
        return -EINVAL;
    receive->peeks = flags & MSG_PEEK;
    file_socket_receive(file, receive);
    result = socket_transfer(
        call, form, flags & MSG_WAITALL ? IO_READ_ALL : IO_READ, flags);
    file_socket_receive(file, NULL);
    return result;
}

static int64_t sys_sendto(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);

    if (error)
        return error;
    return call->arg[4] && call->arg[5]
               ? -EISCONN
               : syscall_socket_write(call, SOCKET_BUFFER, call->arg[3]);
}

/* The name of a socket without one, as much of @name as there is room for. */
static int64_t socket_put_name(const struct syscall *call, uint64_t addr,
                               uint64_t len_addr, uint32_t size)
{
    const uint16_t family = AF_UNIX;
    int32_t room;

    if (uaccess_get(call->mm, len_addr, room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (uaccess_write(call->mm, addr, &family,
                      (uint32_t)room < size ? (uint32_t)room : size) ||
        uaccess_put(call->mm, len_addr, size))
        return -EFAULT;
    return 0;
}

static int64_t sys_recvfrom(struct syscall *call)
{
    struct socket_receive receive = {0};
    int64_t result =
        syscall_socket_read(call, SOCKET_BUFFER, call->arg[3], &receive);
    int64_t error = 0;

    socket_rights_free(receive.rights);
    if (result >= 0 && call->arg[4])
        error = socket_put_name(call, call->arg[4], call->arg[5], 0);
    return error ? error : result;
}

static int64_t sys_not_connected(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);

    return error ? error : -EOPNOTSUPP;
}

/* listen wants a name, accept a socket that listens. */
static int64_t sys_not_listening(struct syscall *call)
{
    int64_t error = syscall_check_socket(call);

    return error ? error : -EINVAL;
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

    return error ? error
                 : socket_put_name(call, call->arg[1], call->arg[2],
                                   sizeof(uint16_t));
}

static int64_t sys_send(struct syscall *call)
{
    return syscall_socket_write(call, SOCKET_BUFFER, call->arg[3]);
}

static int64_t sys_recv(struct syscall *call)
{
    call->arg[4] = 0;
    return sys_recvfrom(call);
}

/*
 * The old way of 32-bit programs: a number, SYS_SOCKET ..., and the address of
 * the arguments.  Source: socketcall(2).
 */
static const struct {
    syscall_fn fn; /* NULL: not there */
    uint32_t num_args;
} socket_calls[] = {
    [SYS_SOCKET] = {sys_socket,        3},
    [SYS_BIND] = {sys_not_connected, 3},
    [SYS_CONNECT] = {sys_not_connected, 3},
    [SYS_LISTEN] = {sys_not_listening, 2},
    [SYS_ACCEPT] = {sys_not_listening, 3},
    [SYS_GETSOCKNAME] = {sys_getsockname,   3},
    [SYS_GETPEERNAME] = {sys_getsockname,   3},
    [SYS_SOCKETPAIR] = {sys_socketpair,    4},
    [SYS_SEND] = {sys_send,          4},
    [SYS_RECV] = {sys_recv,          4},
    [SYS_SENDTO] = {sys_sendto,        6},
    [SYS_RECVFROM] = {sys_recvfrom,      6},
    [SYS_SHUTDOWN] = {sys_shutdown,      2},
    [SYS_SETSOCKOPT] = {sys_setsockopt,    5},
    [SYS_GETSOCKOPT] = {sys_getsockopt,    5},
    [SYS_SENDMSG] = {sys_sendmsg,       3},
    [SYS_RECVMSG] = {sys_recvmsg,       3},
    [SYS_ACCEPT4] = {sys_not_listening, 4},
    [SYS_RECVMMSG] = {NULL,              5},
    [SYS_SENDMMSG] = {NULL,              4},
};

static int64_t sys_socketcall(struct syscall *call)
{
    enum { NUM_CALLS = sizeof(socket_calls) / sizeof(*socket_calls) };
    struct syscall inner = *call;
    uint64_t which = call->arg[0];
    uint32_t args[6] = {0};

    if (which < SYS_SOCKET || which >= NUM_CALLS)
        return -EINVAL;
    if (uaccess_read(call->mm, call->arg[1], args,
                     socket_calls[which].num_args * sizeof(*args)))
        return -EFAULT;
    if (!socket_calls[which].fn)
        return -ENOSYS;
    for (int i = 0; i < 6; i++)
        inner.arg[i] = args[i];
    return socket_calls[which].fn(&inner);
}

const struct syscall_row sys_socket_rows[] = {
    SYSCALL_ROW(socket, "ddd"),
    SYSCALL_ROW_32(socketcall, "dp", sys_socketcall),
    SYSCALL_ROW(socketpair, "dddp"),
    SYSCALL_ROW(shutdown, "fd"),
    SYSCALL_ROW(sendto, "fpuxpu"),
    SYSCALL_ROW(recvfrom, "fpuxpp"),
    SYSCALL_ROW_ANY(bind, "fpu", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(connect, "fpu", sys_not_connected, sys_not_connected),
    SYSCALL_ROW_ANY(listen, "fd", sys_not_listening, sys_not_listening),
    SYSCALL_ROW_ANY(accept, "fpp", sys_not_listening, sys_not_listening),
    SYSCALL_ROW_ANY(accept4, "fppx", sys_not_listening, sys_not_listening),
    SYSCALL_ROW(getsockopt, "fddpp"),
    SYSCALL_ROW(setsockopt, "fddpu"),
    SYSCALL_ROW(getsockname, "fpp"),
    SYSCALL_ROW_ANY(getpeername, "fpp", sys_getsockname, sys_getsockname),
    SYSCALL_END,
};
