/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sendmsg and recvmsg on socket pairs: data, descriptors and credentials.
 * Sources: sendmsg(2), recvmsg(2), cmsg(3), unix(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/socket_rights.h"
#include "arch/x86/linux/sys_socket.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

struct message_header { /* 64-bit struct msghdr */
    uint64_t name;
    uint32_t name_len, pad;
    uint64_t iov, count, control, control_len;
    uint32_t flags, pad2;
};

struct control_header { /* 64-bit struct cmsghdr */
    uint64_t len;
    int32_t level, type;
};

enum {
    SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL,
    RECEIVE_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC,
};

static uint64_t control_space(uint64_t len)
{
    return (len + 7) & ~UINT64_C(7);
}

/* ------------------------------------------------------------------ sending */

static int rights_add_files(const struct syscall *call, uint64_t addr,
                            uint64_t count, struct socket_rights *rights)
{
    if (count > SOCKET_MAX_FILES - rights->num_files)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        struct file *file;
        int32_t fd;

        if (uaccess_get(call->mm, addr + i * sizeof(fd), fd))
            return -EFAULT;
        file = syscall_file(call, (uint32_t)fd);
        if (!file || (file->flags & O_PATH))
            return -EBADF;
        rights->files[rights->num_files++] = file_get(file);
    }
    return 0;
}

/* Only root may lie about itself. */
static bool creds_are_true(const struct process *process,
                           const struct socket_creds *creds)
{
    const uint32_t *users = process->ids.user, *groups = process->ids.group;

    if (!users[ID_EFFECTIVE])
        return true;
    return creds->pid == process->pid &&
           (creds->uid == users[ID_REAL] || creds->uid == users[ID_EFFECTIVE] ||
            creds->uid == users[ID_SAVED]) &&
           (creds->gid == groups[ID_REAL] ||
            creds->gid == groups[ID_EFFECTIVE] ||
            creds->gid == groups[ID_SAVED]);
}

static int rights_add_control(const struct syscall *call, uint64_t addr,
                              const struct control_header *header,
                              struct socket_rights *rights)
{
    uint64_t len = header->len - sizeof(*header);

    if (header->level != SOL_SOCKET)
        return 0;
    if (header->type == SCM_RIGHTS)
        return rights_add_files(call, addr, len / sizeof(int32_t), rights);
    if (header->type != SCM_CREDENTIALS || len != sizeof(rights->creds))
        return -EINVAL;
    if (uaccess_get(call->mm, addr, rights->creds))
        return -EFAULT;
    rights->has_creds = true;
    return creds_are_true(call->process, &rights->creds) ? 0 : -EPERM;
}

static int rights_read(const struct syscall *call,
                       const struct message_header *message,
                       struct socket_rights *rights)
{
    uint64_t at = 0;
    int error = 0;

    if (message->control_len > INT_MAX)
        return -ENOBUFS;
    while (!error &&
           at + sizeof(struct control_header) <= message->control_len) {
        struct control_header header;
        uint64_t addr = message->control + at;

        if (uaccess_get(call->mm, addr, header))
            return -EFAULT;
        if (header.len < sizeof(header) ||
            header.len > message->control_len - at)
            return -EINVAL;
        error =
            rights_add_control(call, addr + sizeof(header), &header, rights);
        at += control_space(header.len);
    }
    return error;
}

static int64_t message_send(struct syscall *call, struct file *file,
                            const struct message_header *message,
                            struct socket_rights *rights)
{
    struct syscall inner = *call;
    uint32_t old_flags = file->flags;
    int64_t result;

    if ((call->arg[2] & MSG_NOSIGNAL) && (file_poll(file) & POLLERR)) {
        socket_rights_free(rights);
        return -EPIPE;
    }
    inner.arg[1] = message->iov;
    inner.arg[2] = message->count;
    if (call->arg[2] & MSG_DONTWAIT)
        file->flags |= O_NONBLOCK;
    file_socket_give(file, rights);
    result = syscall_socket_transfer(&inner, "writev");
    /* What did not go yet is read again when the call is. */
    file_socket_give(file, NULL);
    file->flags = old_flags;
    return result;
}

static int64_t sys_sendmsg(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct message_header message;
    struct socket_rights *rights = NULL;
    int64_t error = syscall_check_socket(call);

    if (error)
        return error;
    if (call->arg[2] & ~(uint64_t)SEND_FLAGS)
        return -EOPNOTSUPP;
    if (uaccess_get(call->mm, call->arg[1], message))
        return -EFAULT;
    if (message.name && message.name_len)
        return -EISCONN;
    /* After a wait the first part, with the rights, may be gone already. */
    if (message.control && message.control_len &&
        !call->thread->wait.progress) {
        rights = socket_rights_create();
        error = rights_read(call, &message, rights);
        if (!error && rights->num_files &&
            call->kernel->num_files_in_flight + rights->num_files >
                call->process->rlimits[RLIMIT_NOFILE][0])
            error = -ETOOMANYREFS;
    }
    if (error) {
        socket_rights_free(rights);
        return error;
    }
    return message_send(call, file, &message, rights);
}

/* ---------------------------------------------------------------- receiving */

/* Where control messages go in the program's memory. */
struct control_out {
    uint64_t addr, room, used;
    uint32_t flags; /* MSG_CTRUNC */
};

static int control_put(const struct syscall *call, struct control_out *out,
                       int type, const void *data, uint64_t len)
{
    struct control_header header = {sizeof(header) + len, SOL_SOCKET, type};
    uint64_t addr = out->addr + out->used;

    if (out->room < sizeof(header)) {
        out->flags |= MSG_CTRUNC;
        return 0;
    }
    if (out->room < header.len) {
        out->flags |= MSG_CTRUNC;
        header.len = out->room;
    }
    if (uaccess_put(call->mm, addr, header) ||
        uaccess_write(call->mm, addr + sizeof(header), data,
                      header.len - sizeof(header)))
        return -EFAULT;
    len = control_space(header.len);
    if (len > out->room)
        len = out->room;
    out->used += len;
    out->room -= len;
    return 0;
}

/* As many descriptors as there is room for; the others are closed. */
static int control_put_files(const struct syscall *call,
                             struct control_out *out,
                             struct socket_rights *rights)
{
    int32_t fds[SOCKET_MAX_FILES];
    uint64_t room = out->room < sizeof(struct control_header)
                        ? 0
                        : out->room - sizeof(struct control_header);
    uint32_t count = 0;

    while (count < rights->num_files && (count + 1) * sizeof(*fds) <= room) {
        int fd =
            fd_table_add(call->process->files, file_get(rights->files[count]),
                         0, call->arg[2] & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);

        if (fd < 0)
            break;
        fds[count++] = fd;
    }
    if (count < rights->num_files)
        out->flags |= MSG_CTRUNC;
    return count ? control_put(call, out, SCM_RIGHTS, fds, count * sizeof(*fds))
                 : 0;
}

static int message_finish(const struct syscall *call, const struct file *file,
                          const struct message_header *message,
                          struct socket_rights *rights)
{
    const struct socket_creds nobody = {0, 65534, 65534};
    struct control_out out = {.addr = message->control,
                              .room = message->control_len};
    const uint32_t no_name = 0;
    int error = 0;

    if (file_socket_wants_creds(file))
        error =
            control_put(call, &out, SCM_CREDENTIALS,
                        rights && rights->has_creds ? &rights->creds : &nobody,
                        sizeof(nobody));
    if (!error && rights && rights->num_files)
        error = control_put_files(call, &out, rights);
    out.flags |= (uint32_t)call->arg[2] & MSG_CMSG_CLOEXEC;
    if (!error && (uaccess_put(call->mm, call->arg[1] + 8, no_name) ||
                   uaccess_put(call->mm, call->arg[1] + 40, out.used) ||
                   uaccess_put(call->mm, call->arg[1] + 48, out.flags)))
        error = -EFAULT;
    return error;
}

static int64_t sys_recvmsg(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct syscall inner = *call;
    struct message_header message;
    struct socket_rights *rights = NULL;
    uint32_t old_flags;
    int64_t result = syscall_check_socket(call);

    if (result)
        return result;
    if (call->arg[2] & ~(uint64_t)RECEIVE_FLAGS)
        return -EOPNOTSUPP;
    if (uaccess_get(call->mm, call->arg[1], message))
        return -EFAULT;
    inner.arg[1] = message.iov;
    inner.arg[2] = message.count;
    old_flags = file->flags;
    if (call->arg[2] & MSG_DONTWAIT)
        file->flags |= O_NONBLOCK;
    file_socket_receive(file, &rights);
    result = syscall_socket_transfer(&inner, "readv");
    file_socket_receive(file, NULL);
    file->flags = old_flags;
    if (result >= 0) {
        int error = message_finish(call, file, &message, rights);

        result = error ? error : result;
    }
    socket_rights_free(rights);
    return result;
}

const struct syscall_row sys_socket_message_rows[] = {
    SYSCALL_ROW_64(sendmsg, "fpx"),
    SYSCALL_ROW_64(recvmsg, "fpx"),
    SYSCALL_END,
};
