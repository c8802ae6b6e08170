/* SPDX-License-Identifier: BSD-3-Clause */
/* inotify's system calls. */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/inotify.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/sys_path.h"
#include "arch/x86/linux/syscall.h"

static int64_t inotify_init_flags(struct syscall *call, uint32_t flags)
{
    if (flags & ~(uint32_t)(IN_CLOEXEC | IN_NONBLOCK))
        return -EINVAL;
    return fd_table_add(call->process->files,
                        file_inotify_create(call->kernel, flags), 0, flags);
}

static int64_t sys_inotify_init(struct syscall *call)
{
    return inotify_init_flags(call, 0);
}

static int64_t sys_inotify_init1(struct syscall *call)
{
    return inotify_init_flags(call, (uint32_t)call->arg[0]);
}

static int64_t sys_inotify_add_watch(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    uint32_t mask = (uint32_t)call->arg[2];
    struct vfs_node node;
    int error;

    if (!(mask & (IN_ALL_EVENTS | IN_ONESHOT)))
        return -EINVAL;
    if (!file)
        return -EBADF;
    if ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE))
        return -EINVAL;
    if (!file_is_inotify(file))
        return -EINVAL;
    error = syscall_lookup(call, (uint64_t)AT_FDCWD, call->arg[1],
                           mask & IN_DONT_FOLLOW ? 0 : VFS_FOLLOW, &node);
    if (error)
        return error;
    if ((mask & IN_ONLYDIR) && !S_ISDIR(node.st.st_mode))
        return -ENOTDIR;
    return inotify_add(file, &node.st, node.path, mask);
}

static int64_t sys_inotify_rm_watch(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    return file_is_inotify(file) ? inotify_remove(file, (int)call->arg[1])
                                 : -EINVAL;
}

const struct syscall_row sys_inotify_rows[] = {
    SYSCALL_ROW(inotify_init, ""),
    SYSCALL_ROW(inotify_init1, "x"),
    SYSCALL_ROW(inotify_add_watch, "fsx"),
    SYSCALL_ROW(inotify_rm_watch, "fd"),
    SYSCALL_END,
};
