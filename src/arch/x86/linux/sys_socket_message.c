/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sendmsg and recvmsg on socket pairs: data, descriptors and credentials.
 * Sources: sendmsg(2), recvmsg(2), cmsg(3), unix(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
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

struct message_header_32 {
    uint32_t name, name_len, iov, count, control, control_len, flags;
};

struct control_header { /* 64-bit struct cmsghdr */
    uint64_t len;
    int32_t level, type;
};

struct control_header_32 {
    uint32_t len;
    int32_t level, type;
};

static int message_get(const struct syscall *call,
                       struct message_header *message)
{
    struct message_header_32 narrow;

    if (!call->is_32)
        return uaccess_get(call->mm, call->arg[1], *message);
    if (uaccess_get(call->mm, call->arg[1], narrow))
        return -EFAULT;
    *message = (struct message_header){.name = narrow.name,
                                       .name_len = narrow.name_len,
                                       .iov = narrow.iov,
                                       .count = narrow.count,
                                       .control = narrow.control,
                                       .control_len = narrow.control_len,
                                       .flags = narrow.flags};
    return 0;
}

/* What recvmsg tells: no name, the length of the control part, flags. */
static int message_put(const struct syscall *call, uint64_t control_len,
                       uint32_t flags)
{
    uint64_t addr = call->arg[1];
    const uint32_t no_name = 0;
    uint32_t narrow[2] = {(uint32_t)control_len, flags};

    if (call->is_32)
        return uaccess_put(call->mm,
                           addr + offsetof(struct message_header_32, name_len),
                           no_name) ||
                       uaccess_put(call->mm,
                                   addr + offsetof(struct message_header_32,
                                                   control_len),
                                   narrow)
                   ? -EFAULT
                   : 0;
    return uaccess_put(call->mm,
                       addr + offsetof(struct message_header, name_len),
                       no_name) ||
                   uaccess_put(call->mm,
                               addr +
                                   offsetof(struct message_header, control_len),
                               control_len) ||
                   uaccess_put(call->mm,
                               addr + offsetof(struct message_header, flags),
                               flags)
               ? -EFAULT
               : 0;
}

static uint32_t control_header_size(const struct syscall *call)
{
    return call->is_32 ? sizeof(struct control_header_32)
                       : sizeof(struct control_header);
}

static int control_get(const struct syscall *call, uint64_t addr,
                       struct control_header *header)
{
    struct control_header_32 narrow;

    if (!call->is_32)
        return uaccess_get(call->mm, addr, *header);
    if (uaccess_get(call->mm, addr, narrow))
        return -EFAULT;
    *header = (struct control_header){narrow.len, narrow.level, narrow.type};
    return 0;
}

static int control_put_header(const struct syscall *call, uint64_t addr,
                              const struct control_header *header)
{
    const struct control_header_32 narrow = {(uint32_t)header->len,
                                             header->level, header->type};

    return call->is_32 ? uaccess_put(call->mm, addr, narrow)
                       : uaccess_put(call->mm, addr, *header);
}

static uint64_t control_space(const struct syscall *call, uint64_t len)
{
    uint64_t align = call->is_32 ? 4 : 8;

    return (len + align - 1) & ~(align - 1);
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
    uint64_t len = header->len - control_header_size(call);

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
    uint32_t header_size = control_header_size(call);
    uint64_t at = 0;
    int error = 0;

    if (message->control_len > INT_MAX)
        return -ENOBUFS;
    /* Where a 32-bit program's part is converted, it must have something. */
    if (call->is_32 && message->control_len < header_size)
        return -EINVAL;
    while (!error && at + header_size <= message->control_len) {
        struct control_header header;
        uint64_t addr = message->control + at;

        if (control_get(call, addr, &header))
            return -EFAULT;
        if (header.len < header_size || header.len > message->control_len - at)
            return -EINVAL;
        error = rights_add_control(call, addr + header_size, &header, rights);
        at += control_space(call, header.len);
    }
    return error;
}

static int64_t message_send(struct syscall *call, struct file *file,
                            const struct message_header *message,
                            struct socket_rights *rights)
{
    struct syscall inner = *call;
    int64_t result;

    inner.arg[1] = message->iov;
    inner.arg[2] = message->count;
    file_socket_give(file, rights);
    result = syscall_socket_write(&inner, SOCKET_VECTOR, call->arg[2]);
    /* What did not go yet is read again when the call is. */
    file_socket_give(file, NULL);
    return result;
}

int64_t sys_sendmsg(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct message_header message;
    struct socket_rights *rights = NULL;
    int64_t error = syscall_check_socket(call);

    if (error)
        return error;
    if (message_get(call, &message))
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
    uint32_t header_size = control_header_size(call);
    struct control_header header = {header_size + len, SOL_SOCKET, type};
    uint64_t addr = out->addr + out->used;

    if (out->room < header_size) {
        out->flags |= MSG_CTRUNC;
        return 0;
    }
    if (out->room < header.len) {
        out->flags |= MSG_CTRUNC;
        header.len = out->room;
    }
    if (control_put_header(call, addr, &header) ||
        uaccess_write(call->mm, addr + header_size, data,
                      header.len - header_size))
        return -EFAULT;
    len = control_space(call, header.len);
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
    uint32_t header_size = control_header_size(call);
    uint64_t room = out->room < header_size ? 0 : out->room - header_size;
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
    int error = 0;

    if (file_socket_wants_creds(file))
        error =
            control_put(call, &out, SCM_CREDENTIALS,
                        rights && rights->has_creds ? &rights->creds : &nobody,
                        sizeof(nobody));
    if (!error && rights && rights->num_files)
        error = control_put_files(call, &out, rights);
    out.flags |= (uint32_t)call->arg[2] & MSG_CMSG_CLOEXEC;
    return error ? error : message_put(call, out.used, out.flags);
}

int64_t sys_recvmsg(struct syscall *call)
{
    const struct file *file = syscall_file(call, call->arg[0]);
    struct socket_receive receive = {0};
    struct syscall inner = *call;
    struct message_header message;
    int64_t result = syscall_check_socket(call);

    if (result)
        return result;
    if (message_get(call, &message))
        return -EFAULT;
    inner.arg[1] = message.iov;
    inner.arg[2] = message.count;
    result = syscall_socket_read(&inner, SOCKET_VECTOR, call->arg[2], &receive);
    if (result >= 0) {
        int error = message_finish(call, file, &message, receive.rights);

        result = error ? error : result;
    }
    socket_rights_free(receive.rights);
    return result;
}

const struct syscall_row sys_socket_message_rows[] = {
    SYSCALL_ROW(sendmsg, "fpx"),
    SYSCALL_ROW(recvmsg, "fpx"),
    SYSCALL_END,
};
