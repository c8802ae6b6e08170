/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: opening, closing, duplicating, positions, control. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/inotify.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/sys_lock.h"
#include "arch/x86/linux/sys_path.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"
#include "sim/report.h"

enum { STATUS_FLAGS = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC };

/* The other side of a named pipe has to come before the open ends. */
static int64_t sys_open_wait(struct syscall *call, uint32_t flags)
{
    struct file *file = call->thread->wait.opening;
    int64_t result;

    if (!file_fifo_must_wait(file)) {
        call->thread->wait.opening = NULL;
        file->is_told = true;
        inotify_file(file, IN_OPEN);
        return fd_table_add(call->process->files, file, 0, flags);
    }
    result = syscall_wait(call, file->channel, TICK_MAX);
    if (result != SYSCALL_WAITS) {
        call->thread->wait.opening = NULL;
        file_put(file);
    }
    return result;
}

static int sys_open_path(struct syscall *call, const uint64_t at[2],
                         uint32_t flags, uint32_t mode)
{
    unsigned look = (flags & O_NOFOLLOW ? 0U : (unsigned)VFS_FOLLOW) |
                    (flags & O_CREAT ? (unsigned)VFS_MAY_MISS : 0U);
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    int error;

    if ((flags & O_CREAT) && (flags & O_EXCL))
        look &= ~(unsigned)VFS_FOLLOW;
    error = syscall_lookup(call, at[0], at[1], look, node);
    if (!error)
        error = vfs_open(call->kernel, call->process, node, flags, mode,
                         &call->thread->wait.opening);
    if (!error && !node->exists)
        inotify_created(call->kernel, node->path);
    mem_free(node);
    return error;
}

static int64_t sys_open_at(struct syscall *call, uint64_t dirfd, uint64_t path,
                           const uint64_t how[2])
{
    const uint64_t at[2] = {dirfd, path};
    uint32_t flags = (uint32_t)how[0] & ~(uint32_t)O_LARGEFILE;
    int error = 0;

    if (!call->thread->wait.opening)
        error = sys_open_path(call, at, flags, (uint32_t)how[1] & 07777);
    return error ? error : sys_open_wait(call, flags);
}

static int64_t sys_open(struct syscall *call)
{
    return sys_open_at(call, (uint64_t)AT_FDCWD, call->arg[0], &call->arg[1]);
}

static int64_t sys_creat(struct syscall *call)
{
    const uint64_t how[2] = {O_CREAT | O_WRONLY | O_TRUNC, call->arg[1]};

    return sys_open_at(call, (uint64_t)AT_FDCWD, call->arg[0], how);
}

static int64_t sys_openat(struct syscall *call)
{
    return sys_open_at(call, call->arg[0], call->arg[1], &call->arg[2]);
}

static int64_t sys_openat2(struct syscall *call)
{
    struct open_how how;
    uint64_t args[2];

    if (call->arg[3] < sizeof(how))
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[2], how))
        return -EFAULT;
    if (how.resolve)
        return -EAGAIN; /* callers then take the long way */
    args[0] = how.flags;
    args[1] = how.mode;
    return sys_open_at(call, call->arg[0], call->arg[1], args);
}

static int64_t sys_close(struct syscall *call)
{
    return fd_table_close(call->process->files, (uint32_t)call->arg[0]);
}

static int64_t sys_close_range(struct syscall *call)
{
    struct fd_table *files = call->process->files;
    uint32_t first = (uint32_t)call->arg[0], last = (uint32_t)call->arg[1];

    if (first > last ||
        (call->arg[2] & ~(uint64_t)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)))
        return -EINVAL;
    if ((call->arg[2] & CLOSE_RANGE_UNSHARE) && files->refs > 1) {
        call->process->files = fd_table_copy(files);
        fd_table_put(files);
        files = call->process->files;
    }
    for (uint32_t fd = first; fd < files->len && fd <= last; fd++) {
        if (call->arg[2] & CLOSE_RANGE_CLOEXEC)
            files->entries[fd].is_cloexec = true;
        else
            (void)fd_table_close(files, fd);
    }
    return 0;
}

/* ---------------------------------------------------------------- duplicating
 */

static int64_t sys_dup(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    return fd_table_add(call->process->files, file_get(file), 0, 0);
}

static int64_t sys_dup_to(struct syscall *call, uint32_t flags)
{
    struct file *file = syscall_file(call, call->arg[0]);

    if (!file || call->arg[1] >= call->process->files->limit)
        return -EBADF;
    return fd_table_set(call->process->files, (uint32_t)call->arg[1],
                        file_get(file), flags);
}

static int64_t sys_dup2(struct syscall *call)
{
    if ((uint32_t)call->arg[0] == (uint32_t)call->arg[1])
        return syscall_file(call, call->arg[0]) ? (int64_t)call->arg[1]
                                                : -EBADF;
    return sys_dup_to(call, 0);
}

static int64_t sys_dup3(struct syscall *call)
{
    if ((uint32_t)call->arg[0] == (uint32_t)call->arg[1] ||
        (call->arg[2] & ~(uint64_t)O_CLOEXEC))
        return -EINVAL;
    return sys_dup_to(call, (uint32_t)call->arg[2]);
}

/* -------------------------------------------------------------------- control
 */

static int64_t sys_set_status(struct file *file, uint32_t flags)
{
    /* Where Linux would send SIGIO. */
    if ((flags & O_ASYNC) && !file_is_regular(file)) {
        sim_unimplemented(file->kernel->cfg.owner,
                          "SIGIO for %s (O_ASYNC): EINVAL", file->path);
        return -EINVAL;
    }
    file->flags =
        (file->flags & ~(uint32_t)STATUS_FLAGS) | (flags & STATUS_FLAGS);
    if (file_is_host(file) && file_is_regular(file)) {
        int old = fcntl(file->host_fd, F_GETFL);
        int wanted = (old & ~O_APPEND) | (int)(flags & O_APPEND);

        if (old >= 0 && fcntl(file->host_fd, F_SETFL, wanted) < 0)
            return -errno;
    }
    return 0;
}

static int64_t sys_dup_fcntl(struct syscall *call, struct file *file,
                             uint32_t flags)
{
    if (call->arg[2] >= call->process->files->limit)
        return -EINVAL;
    return fd_table_add(call->process->files, file_get(file),
                        (uint32_t)call->arg[2], flags);
}

static int64_t sys_fcntl(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct fd_entry *entry;

    if (!file)
        return -EBADF;
    entry = &call->process->files->entries[(uint32_t)call->arg[0]];
    switch ((uint32_t)call->arg[1]) {
    case F_DUPFD:
        return sys_dup_fcntl(call, file, 0);
    case F_DUPFD_CLOEXEC:
        return sys_dup_fcntl(call, file, O_CLOEXEC);
    case F_GETFD:
        return entry->is_cloexec ? FD_CLOEXEC : 0;
    case F_SETFD:
        entry->is_cloexec = (call->arg[2] & FD_CLOEXEC) != 0;
        return 0;
    case F_GETFL:
        return (int64_t)file->flags | (call->is_32 ? 0 : 0x8000);
    case F_SETFL:
        return sys_set_status(file, (uint32_t)call->arg[2]);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case 12: /* the 64-bit forms of 32-bit programs */
    case 13:
    case 14:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return syscall_record_lock(call, file);
    case F_GETPIPE_SZ:
        return file_pipe_capacity(file, -1);
    case F_SETPIPE_SZ:
        return file_pipe_capacity(file, (int64_t)(uint32_t)call->arg[2]);
    case F_SETOWN:
        file->owner = (int32_t)call->arg[2];
        return 0;
    case F_GETOWN:
        return file->owner;
    default:
        return -EINVAL;
    }
}

static int64_t sys_ioctl(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    uint32_t request = (uint32_t)call->arg[1];
    uint8_t data[64] = {0};
    int32_t value;
    int64_t result;

    if (!file)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        call->process->files->entries[(uint32_t)call->arg[0]].is_cloexec =
            request == FIOCLEX;
        return 0;
    case FIONBIO:
        if (uaccess_get(call->mm, call->arg[2], value))
            return -EFAULT;
        file->flags =
            (file->flags & ~(uint32_t)O_NONBLOCK) | (value ? O_NONBLOCK : 0U);
        return 0;
    case FIONREAD:
        result = file_pipe_readable_bytes(file);
        if (result >= 0) {
            value = (int32_t)result;
            return uaccess_put(call->mm, call->arg[2], value);
        }
        break;
    case TIOCGPGRP:
        value = (int32_t)call->process->pgid;
        if (!file_is_host(file) || !isatty(file->host_fd))
            return -ENOTTY;
        return uaccess_put(call->mm, call->arg[2], value);
    case TIOCSPGRP:
        return file_is_host(file) && isatty(file->host_fd) ? 0 : -ENOTTY;
    default:
        break;
    }
    if (!file->ops->ioctl)
        return -ENOTTY;
    /* Requests that only write need not have something to read. */
    if (uaccess_read(call->mm, call->arg[2], data, 36))
        memset(data, 0, sizeof(data));
    result = file->ops->ioctl(file, request, data, sizeof(data));
    if (result < 0)
        return result;
    return uaccess_write(call->mm, call->arg[2], data,
                         request == TIOCGWINSZ ? 8
                         : request == FIONREAD ? 4
                                               : 36);
}

/* ------------------------------------------------------------------ positions
 */

static int64_t sys_lseek(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t offset =
        call->is_32 ? (int32_t)call->arg[1] : (int64_t)call->arg[1];

    if (!file)
        return -EBADF;
    return file->ops->seek ? file->ops->seek(file, offset, (int)call->arg[2])
                           : -ESPIPE;
}

static int64_t sys_llseek(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t result;

    if (!file)
        return -EBADF;
    if (!file->ops->seek)
        return -ESPIPE;
    result = file->ops->seek(file, (int64_t)(call->arg[1] << 32 | call->arg[2]),
                             (int)call->arg[4]);
    if (result < 0)
        return result;
    return uaccess_put(call->mm, call->arg[3], result);
}

static int64_t sys_ftruncate(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int error;

    if (!file)
        return -EBADF;
    if ((int64_t)call->arg[1] < 0 || !file->ops->truncate)
        return -EINVAL;
    error = rlimit_check_size(call->thread, file, call->arg[1]);
    if (!error)
        error = file->ops->truncate(file, call->arg[1]);
    if (!error)
        inotify_file(file, IN_MODIFY);
    return error;
}

static int64_t sys_ftruncate64(struct syscall *call)
{
    struct syscall inner = *call;

    inner.arg[1] = call->arg[1] | call->arg[2] << 32;
    return sys_ftruncate(&inner);
}

static int64_t sys_fallocate(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct stat st;
    int error;

    if (!file)
        return -EBADF;
    if ((int64_t)call->arg[2] < 0 || (int64_t)call->arg[3] <= 0)
        return -EINVAL;
    if ((file->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!file->ops->truncate)
        return -ENODEV;
    error = call->arg[1] & FALLOC_FL_KEEP_SIZE
                ? 0
                : rlimit_check_size(call->thread, file,
                                    call->arg[2] + call->arg[3]);
    if (error)
        return error;
    if (file_is_host(file))
        return fallocate(file->host_fd, (int)call->arg[1], (off_t)call->arg[2],
                         (off_t)call->arg[3]) < 0
                   ? -errno
                   : 0;
    if (call->arg[1])
        return -EOPNOTSUPP;
    if (!file_stat(file, &st) &&
        (uint64_t)st.st_size < call->arg[2] + call->arg[3])
        return file->ops->truncate(file, call->arg[2] + call->arg[3]);
    return 0;
}

static int64_t sys_fallocate_32(struct syscall *call)
{
    struct syscall inner = *call;

    inner.arg[2] = call->arg[2] | call->arg[3] << 32;
    inner.arg[3] = call->arg[4] | call->arg[5] << 32;
    return sys_fallocate(&inner);
}

static int64_t sys_fsync(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    if (!file_is_host(file) || !file->is_writable_fs)
        return file->ops->map ? 0 : -EINVAL;
    return fsync(file->host_fd) < 0 ? -errno : 0;
}

/* Shared mappings reach their files; those are the host's to keep. */
static int64_t sys_sync(struct syscall *call)
{
    struct vm_object *object = call->kernel->objects.first;

    for (; object; object = object->next) {
        if (object->num_shared)
            kernel_sync_object(call->kernel, object);
    }
    return 0;
}

static int64_t sys_fadvise(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    return file->ops->seek ? 0 : -ESPIPE;
}

const struct syscall_row sys_file_rows[] = {
    SYSCALL_ROW(open, "sxo"),
    SYSCALL_ROW(creat, "so"),
    SYSCALL_ROW(openat, "dsxo"),
    SYSCALL_ROW(openat2, "dspu"),
    SYSCALL_ROW(close, "f"),
    SYSCALL_ROW(close_range, "uux"),
    SYSCALL_ROW(dup, "f"),
    SYSCALL_ROW(dup2, "ff"),
    SYSCALL_ROW(dup3, "ffx"),
    SYSCALL_ROW(fcntl, "fdx"),
    SYSCALL_ROW_32(fcntl64, "fdx", sys_fcntl),
    SYSCALL_ROW(ioctl, "fxp"),
    SYSCALL_ROW(lseek, "fdd"),
    SYSCALL_ROW_32(_llseek, "fxxpd", sys_llseek),
    SYSCALL_ROW(ftruncate, "fu"),
    SYSCALL_ROW_32(ftruncate64, "fuu", sys_ftruncate64),
    SYSCALL_ROW_BOTH(fallocate, "fxuu"),
    SYSCALL_ROW(fsync, "f"),
    SYSCALL_ROW_ANY(fdatasync, "f", sys_fsync, sys_fsync),
    SYSCALL_ROW(sync, ""),
    SYSCALL_ROW_ANY(syncfs, "f", sys_fsync, sys_fsync),
    SYSCALL_ROW_ANY(fadvise64, "fuud", sys_fadvise, sys_fadvise),
    SYSCALL_ROW_ANY(readahead, "fuu", sys_fadvise, sys_fadvise),
    SYSCALL_END,
};
