/* SPDX-License-Identifier: BSD-3-Clause */
/* System calls on names: directories, links, renaming, rights, times. */
#include "arch/x86/linux/sys_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/inotify.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

int syscall_lookup(struct syscall *call, uint64_t dirfd, uint64_t addr,
                   unsigned flags, struct vfs_node *node)
{
    const char *base = call->process->fs->cwd;
    char *path;
    int error = uaccess_str(call->mm, addr, VFS_PATH_MAX, &path);

    if (error)
        return error;
    if (path[0] != '/' && (int)dirfd != AT_FDCWD) {
        const struct file *dir = syscall_file(call, dirfd);
        struct stat st;

        if (!dir)
            error = -EBADF;
        else if (file_stat((struct file *)(uintptr_t)dir, &st) ||
                 !S_ISDIR(st.st_mode))
            error = -ENOTDIR;
        else
            base = dir->path;
    }
    if (!error)
        error =
            vfs_lookup(call->kernel, call->process, base, path, flags, node);
    mem_free(path);
    return error;
}

/* The name must be in a place that may be changed.
 * Returns: a host descriptor of the parent directory, or -errno. */
static int sys_open_node_parent(const struct vfs_node *node, const char **name)
{
    *name = "";
    if (!node->mount->num_hosts)
        return node->exists ? -EPERM : -EACCES;
    if (!node->is_writable)
        return -EROFS;
    return vfs_host_parent(node, name);
}

static int sys_open_parent(struct syscall *call, const uint64_t at[2],
                           unsigned flags, struct vfs_node *node,
                           const char **name)
{
    int error = syscall_lookup(call, at[0], at[1], flags, node);

    *name = "";
    return error ? error : sys_open_node_parent(node, name);
}

static int64_t sys_done(int fd, int result)
{
    int64_t error = result < 0 ? -errno : 0;

    (void)close(fd);
    return error;
}

/* ----------------------------------------------------------------- directories
 */

static int64_t sys_mkdir_at(struct syscall *call, uint64_t dirfd, uint64_t path,
                            uint64_t mode)
{
    const uint64_t at[2] = {dirfd, path};
    struct vfs_node node;
    const char *name;
    int fd = syscall_lookup(call, dirfd, path, VFS_MAY_MISS, &node);

    if (!fd && node.exists)
        return -EEXIST;
    fd = sys_open_parent(call, at, VFS_MAY_MISS, &node, &name);
    if (fd < 0)
        return fd;
    mode &= 07777 & ~(uint64_t)call->process->fs->umask;
    if (mkdirat(fd, name, (mode_t)mode) < 0)
        return sys_done(fd, -1);
    inotify_created(call->kernel, node.path);
    return sys_done(fd, fchmodat(fd, name, (mode_t)mode, 0));
}

static int64_t sys_mkdir(struct syscall *call)
{
    return sys_mkdir_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1]);
}

static int64_t sys_mkdirat(struct syscall *call)
{
    return sys_mkdir_at(call, call->arg[0], call->arg[1], call->arg[2]);
}

static int64_t sys_unlink_at(struct syscall *call, uint64_t dirfd,
                             uint64_t path, int flags)
{
    const uint64_t at[2] = {dirfd, path};
    struct vfs_node node;
    const char *name;
    int fd = sys_open_parent(call, at, 0, &node, &name);
    int64_t result;

    if (fd < 0)
        return fd;
    if (!strcmp(node.rel, ".")) {
        (void)close(fd);
        return -EBUSY;
    }
    result = sys_done(fd, unlinkat(fd, name, flags));
    if (!result)
        inotify_unlinked(call->kernel, node.path, &node.st);
    return result;
}

static int64_t sys_unlink(struct syscall *call)
{
    return sys_unlink_at(call, (uint64_t)AT_FDCWD, call->arg[0], 0);
}

static int64_t sys_rmdir(struct syscall *call)
{
    return sys_unlink_at(call, (uint64_t)AT_FDCWD, call->arg[0], AT_REMOVEDIR);
}

static int64_t sys_unlinkat(struct syscall *call)
{
    if (call->arg[2] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    return sys_unlink_at(call, call->arg[0], call->arg[1], (int)call->arg[2]);
}

static int64_t sys_chdir_to(struct syscall *call, const char *path)
{
    mem_free(call->process->fs->cwd);
    call->process->fs->cwd = alloc_strdup(path);
    return 0;
}

static int64_t sys_chdir(struct syscall *call)
{
    struct vfs_node node;
    int error = syscall_lookup(call, (uint64_t)AT_FDCWD, call->arg[0],
                               VFS_FOLLOW, &node);

    if (error)
        return error;
    return S_ISDIR(node.st.st_mode) ? sys_chdir_to(call, node.path) : -ENOTDIR;
}

static int64_t sys_fchdir(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct stat st;

    if (!file)
        return -EBADF;
    if (file_stat(file, &st) || !S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return sys_chdir_to(call, file->path);
}

static int64_t sys_getcwd(struct syscall *call)
{
    const char *cwd = call->process->fs->cwd;
    uint64_t len = strlen(cwd) + 1;

    if (len > call->arg[1])
        return -ERANGE;
    if (uaccess_write(call->mm, call->arg[0], cwd, len))
        return -EFAULT;
    return (int64_t)len;
}

/* ----------------------------------------------------------------------- links
 */

static void sys_renamed(struct kernel *kernel, const struct vfs_node *from,
                        const struct vfs_node *to, unsigned flags)
{
    const char *const there[2] = {from->path, to->path};
    const char *const back[2] = {to->path, from->path};
    bool is_exchange = (flags & RENAME_EXCHANGE) != 0;

    file_renamed(kernel, from->path, to->path);
    inotify_moved(kernel, there, &from->st,
                  to->exists && !is_exchange ? &to->st : NULL);
    if (is_exchange)
        inotify_moved(kernel, back, &to->st, NULL);
}

static int64_t sys_rename_at(struct syscall *call, const uint64_t from_at[2],
                             const uint64_t to_at[2], unsigned flags)
{
    struct vfs_node *from = alloc_zeroed(2, sizeof(*from));
    struct vfs_node *to = from + 1;
    const char *from_name, *to_name;
    int from_fd, to_fd;
    int64_t result;

    from_fd = sys_open_parent(call, from_at, 0, from, &from_name);
    to_fd = from_fd < 0
                ? from_fd
                : sys_open_parent(call, to_at, VFS_MAY_MISS, to, &to_name);
    result = to_fd;
    if (to_fd >= 0) {
        result = renameat2(from_fd, from_name, to_fd, to_name, flags) < 0
                     ? -errno
                     : 0;
        (void)close(to_fd);
    }
    if (from_fd >= 0)
        (void)close(from_fd);
    if (!result)
        sys_renamed(call->kernel, from, to, flags);
    mem_free(from);
    return result;
}

static int64_t sys_rename(struct syscall *call)
{
    const uint64_t from[2] = {(uint64_t)AT_FDCWD, call->arg[0]};
    const uint64_t to[2] = {(uint64_t)AT_FDCWD, call->arg[1]};

    return sys_rename_at(call, from, to, 0);
}

static int64_t sys_renameat(struct syscall *call)
{
    return sys_rename_at(call, &call->arg[0], &call->arg[2], 0);
}

static int64_t sys_renameat2(struct syscall *call)
{
    return sys_rename_at(call, &call->arg[0], &call->arg[2],
                         (unsigned)call->arg[4]);
}

/* Both names must be writable: a second name for a read-only file would make
 * it writable. */
static int64_t sys_link_at(struct syscall *call, const uint64_t from_at[2],
                           const uint64_t to_at[2], unsigned flags)
{
    struct vfs_node *from = alloc_zeroed(2, sizeof(*from));
    struct vfs_node *to = from + 1;
    const char *from_name, *to_name;
    unsigned look = flags & AT_SYMLINK_FOLLOW ? VFS_FOLLOW : 0;
    int from_fd = sys_open_parent(call, from_at, look, from, &from_name);
    int to_fd = from_fd < 0
                    ? from_fd
                    : sys_open_parent(call, to_at, VFS_MAY_MISS, to, &to_name);
    int64_t result = to_fd;

    if (to_fd >= 0) {
        result = linkat(from_fd, from_name, to_fd, to_name, 0) < 0 ? -errno : 0;
        (void)close(to_fd);
    }
    if (!result) {
        inotify_own(call->kernel, &from->st, IN_ATTRIB);
        inotify_created(call->kernel, to->path);
    }
    if (from_fd >= 0)
        (void)close(from_fd);
    mem_free(from);
    return result;
}

static int64_t sys_link(struct syscall *call)
{
    const uint64_t from[2] = {(uint64_t)AT_FDCWD, call->arg[0]};
    const uint64_t to[2] = {(uint64_t)AT_FDCWD, call->arg[1]};

    return sys_link_at(call, from, to, 0);
}

static int64_t sys_linkat(struct syscall *call)
{
    if (call->arg[4] & ~(uint64_t)AT_SYMLINK_FOLLOW)
        return -EINVAL;
    return sys_link_at(call, &call->arg[0], &call->arg[2],
                       (unsigned)call->arg[4]);
}

static int64_t sys_symlink_at(struct syscall *call, uint64_t target,
                              uint64_t dirfd, uint64_t path)
{
    const uint64_t at[2] = {dirfd, path};
    struct vfs_node node;
    const char *name;
    char *text;
    int fd, error = uaccess_str(call->mm, target, VFS_PATH_MAX, &text);
    int64_t result;

    if (error)
        return error;
    fd = sys_open_parent(call, at, VFS_MAY_MISS, &node, &name);
    result = fd < 0 ? fd : sys_done(fd, symlinkat(text, fd, name));
    if (!result)
        inotify_created(call->kernel, node.path);
    mem_free(text);
    return result;
}

static int64_t sys_symlink(struct syscall *call)
{
    return sys_symlink_at(call, call->arg[0], (uint64_t)AT_FDCWD, call->arg[1]);
}

static int64_t sys_symlinkat(struct syscall *call)
{
    return sys_symlink_at(call, call->arg[0], call->arg[1], call->arg[2]);
}

static int64_t sys_readlink_at(struct syscall *call, uint64_t dirfd,
                               uint64_t path, const uint64_t buffer[2])
{
    char target[VFS_PATH_MAX];
    struct vfs_node node;
    int error = syscall_lookup(call, dirfd, path, 0, &node);
    int64_t len;

    if (error)
        return error;
    if ((int64_t)buffer[1] <= 0)
        return -EINVAL;
    len = vfs_readlink(call->kernel, call->process, &node, target,
                       sizeof(target));
    if (len < 0)
        return len;
    if ((uint64_t)len > buffer[1])
        len = (int64_t)buffer[1];
    if (uaccess_write(call->mm, buffer[0], target, (uint64_t)len))
        return -EFAULT;
    return len;
}

static int64_t sys_readlink(struct syscall *call)
{
    return sys_readlink_at(call, (uint64_t)AT_FDCWD, call->arg[0],
                           &call->arg[1]);
}

static int64_t sys_readlinkat(struct syscall *call)
{
    return sys_readlink_at(call, call->arg[0], call->arg[1], &call->arg[2]);
}

/* ------------------------------------------------------------- rights and
 * times */

/* libc changes the rights of what it must not follow by /proc/self/fd/N. */
static int sys_find_described(struct syscall *call, struct vfs_node *node)
{
    const struct file *file =
        vfs_made_fd(call->kernel, call->process, node->path);
    int error;

    if (!file || !file_is_host(file))
        return 0;
    error = vfs_lookup(call->kernel, call->process, "/", file->path, 0, node);
    return !error && S_ISLNK(node->st.st_mode) ? -EOPNOTSUPP : error;
}

/* Metadata were changed, if @result says so. */
static int64_t sys_told(const struct syscall *call, const struct vfs_node *node,
                        int64_t result)
{
    if (!result)
        inotify_named(call->kernel, node->path, &node->st, IN_ATTRIB);
    return result;
}

static int64_t sys_chmod_at(struct syscall *call, uint64_t dirfd, uint64_t path,
                            uint64_t mode)
{
    struct vfs_node node;
    const char *name = "";
    int fd = syscall_lookup(call, dirfd, path, VFS_FOLLOW, &node);

    if (!fd && !node.mount->num_hosts)
        fd = sys_find_described(call, &node);
    if (!fd)
        fd = sys_open_node_parent(&node, &name);
    if (fd < 0)
        return fd;
    return sys_told(call, &node,
                    sys_done(fd, fchmodat(fd, name, (mode_t)mode & 07777, 0)));
}

static int64_t sys_chmod(struct syscall *call)
{
    return sys_chmod_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1]);
}

static int64_t sys_fchmodat(struct syscall *call)
{
    return sys_chmod_at(call, call->arg[0], call->arg[1], call->arg[2]);
}

/* The description must have come from a writable place. */
static int64_t sys_check_writable(const struct file *file)
{
    if (!file)
        return -EBADF;
    if (!file_is_host(file))
        return -EPERM;
    return file->is_writable_fs ? 0 : -EROFS;
}

static int64_t sys_fchmod(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t error = sys_check_writable(file);

    if (error)
        return error;
    if (fchmod(file->host_fd, (mode_t)call->arg[1] & 07777) < 0)
        return -errno;
    inotify_file(file, IN_ATTRIB);
    return 0;
}

static int64_t sys_chown_at(struct syscall *call, const uint64_t at[2],
                            const uint64_t owner[2], unsigned look)
{
    struct vfs_node node;
    const char *name;
    int fd = sys_open_parent(call, at, look, &node, &name);

    if (fd < 0)
        return fd;
    return sys_told(
        call, &node,
        sys_done(fd, fchownat(fd, name, (uid_t)owner[0], (gid_t)owner[1],
                              AT_SYMLINK_NOFOLLOW)));
}

static int64_t sys_chown(struct syscall *call)
{
    const uint64_t at[2] = {(uint64_t)AT_FDCWD, call->arg[0]};

    return sys_chown_at(call, at, &call->arg[1], VFS_FOLLOW);
}

static int64_t sys_lchown(struct syscall *call)
{
    const uint64_t at[2] = {(uint64_t)AT_FDCWD, call->arg[0]};

    return sys_chown_at(call, at, &call->arg[1], 0);
}

static int64_t sys_fchown(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    int64_t error = sys_check_writable(file);

    if (error)
        return error;
    if (fchown(file->host_fd, (uid_t)call->arg[1], (gid_t)call->arg[2]) < 0)
        return -errno;
    inotify_file(file, IN_ATTRIB);
    return 0;
}

static int64_t sys_fchownat(struct syscall *call)
{
    if (call->arg[4] & AT_EMPTY_PATH) {
        struct syscall inner = *call;

        inner.arg[1] = call->arg[2];
        inner.arg[2] = call->arg[3];
        return sys_fchown(&inner);
    }
    return sys_chown_at(call, &call->arg[0], &call->arg[2],
                        call->arg[4] & AT_SYMLINK_NOFOLLOW ? 0 : VFS_FOLLOW);
}

/* The times argument of utimensat; the clock is the simulation's. */
static int sys_read_times(const struct syscall *call, uint64_t addr,
                          bool is_narrow, struct timespec times[2])
{
    int32_t narrow[4];
    uint64_t now = kernel_wall_ns(call->kernel);

    times[0].tv_nsec = times[1].tv_nsec = UTIME_NOW;
    if (addr && is_narrow) {
        if (uaccess_get(call->mm, addr, narrow))
            return -EFAULT;
        for (int i = 0; i < 2; i++) {
            times[i].tv_sec = narrow[i * 2];
            times[i].tv_nsec = narrow[i * 2 + 1];
        }
    } else if (addr &&
               uaccess_read(call->mm, addr, times, 2 * sizeof(*times))) {
        return -EFAULT;
    }
    for (int i = 0; i < 2; i++) {
        if (times[i].tv_nsec != UTIME_NOW)
            continue;
        times[i].tv_sec = (time_t)(now / 1000000000);
        times[i].tv_nsec = (long)(now % 1000000000);
    }
    return 0;
}

static int64_t sys_utimens_fd(struct syscall *call, uint64_t fd,
                              const struct timespec times[2])
{
    const struct file *file = syscall_file(call, fd);
    int64_t error = sys_check_writable(file);

    if (error)
        return error;
    return futimens(file->host_fd, times) < 0 ? -errno : 0;
}

static int64_t sys_utimens_any(struct syscall *call, bool is_narrow)
{
    struct timespec times[2];
    struct vfs_node node;
    const char *name;
    int fd, error = sys_read_times(call, call->arg[2], is_narrow, times);

    if (error)
        return error;
    if (!call->arg[1] || (call->arg[3] & AT_EMPTY_PATH))
        return sys_utimens_fd(call, call->arg[0], times);
    fd = sys_open_parent(call, call->arg,
                         call->arg[3] & AT_SYMLINK_NOFOLLOW ? 0 : VFS_FOLLOW,
                         &node, &name);
    if (fd < 0)
        return fd;
    return sys_told(
        call, &node,
        sys_done(fd, utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW)));
}

static int64_t sys_utimensat(struct syscall *call)
{
    return sys_utimens_any(call, false);
}

static int64_t sys_utimensat_32(struct syscall *call)
{
    return sys_utimens_any(call, true);
}

static int64_t sys_umask(struct syscall *call)
{
    uint32_t old = call->process->fs->umask;

    call->process->fs->umask = (uint32_t)call->arg[0] & 0777;
    return old;
}

static int64_t sys_truncate(struct syscall *call)
{
    struct vfs_node node;
    struct file *file;
    int error = syscall_lookup(call, (uint64_t)AT_FDCWD, call->arg[0],
                               VFS_FOLLOW, &node);

    if ((int64_t)call->arg[1] < 0)
        return -EINVAL;
    if (!error)
        error =
            vfs_open(call->kernel, call->process, &node, O_WRONLY, 0, &file);
    if (error)
        return error;
    error = rlimit_check_size(call->thread, file, call->arg[1]);
    if (!error)
        error = file->ops->truncate ? file->ops->truncate(file, call->arg[1])
                                    : -EINVAL;
    file_put(file);
    if (!error)
        inotify_named(call->kernel, node.path, &node.st, IN_MODIFY);
    return error;
}

static int64_t sys_truncate64(struct syscall *call)
{
    struct syscall inner = *call;

    inner.arg[1] = call->arg[1] | call->arg[2] << 32;
    return sys_truncate(&inner);
}

/* ------------------------------------------------------------------- refused
 */

/* Regular files and named pipes; devices and sockets are nobody's to make. */
static int64_t sys_mknod_at(struct syscall *call, uint64_t dirfd, uint64_t path,
                            uint64_t mode)
{
    const uint64_t at[2] = {dirfd, path};
    uint32_t type = (uint32_t)mode & S_IFMT;
    struct vfs_node node;
    const char *name;
    int fd;

    if (!type)
        type = S_IFREG;
    if (type == S_IFCHR || type == S_IFBLK || type == S_IFSOCK)
        return -EPERM;
    if (type != S_IFREG && type != S_IFIFO)
        return -EINVAL;
    fd = syscall_lookup(call, dirfd, path, VFS_MAY_MISS, &node);
    if (!fd && node.exists)
        return -EEXIST;
    fd = sys_open_parent(call, at, VFS_MAY_MISS, &node, &name);
    if (fd < 0)
        return fd;
    mode &= 07777 & ~(uint64_t)call->process->fs->umask;
    if (mknodat(fd, name, (mode_t)(type | mode), 0) < 0)
        return sys_done(fd, -1);
    inotify_created(call->kernel, node.path);
    return sys_done(fd, fchmodat(fd, name, (mode_t)mode, 0));
}

static int64_t sys_mknod(struct syscall *call)
{
    return sys_mknod_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1]);
}

static int64_t sys_mknodat(struct syscall *call)
{
    return sys_mknod_at(call, call->arg[0], call->arg[1], call->arg[2]);
}

static int64_t sys_no_xattr(struct syscall *call)
{
    (void)call;
    return -EOPNOTSUPP;
}

static int64_t sys_list_no_xattr(struct syscall *call)
{
    (void)call;
    return 0;
}

const struct syscall_row sys_path_rows[] = {
    SYSCALL_ROW(mkdir, "so"),
    SYSCALL_ROW(mkdirat, "dso"),
    SYSCALL_ROW(rmdir, "s"),
    SYSCALL_ROW(unlink, "s"),
    SYSCALL_ROW(unlinkat, "dsx"),
    SYSCALL_ROW(chdir, "s"),
    SYSCALL_ROW(fchdir, "f"),
    SYSCALL_ROW(getcwd, "pu"),
    SYSCALL_ROW(rename, "ss"),
    SYSCALL_ROW(renameat, "dsds"),
    SYSCALL_ROW(renameat2, "dsdsx"),
    SYSCALL_ROW(link, "ss"),
    SYSCALL_ROW(linkat, "dsdsx"),
    SYSCALL_ROW(symlink, "ss"),
    SYSCALL_ROW(symlinkat, "sds"),
    SYSCALL_ROW(readlink, "spu"),
    SYSCALL_ROW(readlinkat, "dspu"),
    SYSCALL_ROW(chmod, "so"),
    SYSCALL_ROW(fchmod, "fo"),
    SYSCALL_ROW(fchmodat, "dso"),
    SYSCALL_ROW_64(chown, "sdd"),
    SYSCALL_ROW_32(chown32, "sdd", sys_chown),
    SYSCALL_ROW_64(lchown, "sdd"),
    SYSCALL_ROW_32(lchown32, "sdd", sys_lchown),
    SYSCALL_ROW_64(fchown, "fdd"),
    SYSCALL_ROW_32(fchown32, "fdd", sys_fchown),
    SYSCALL_ROW(fchownat, "dsddx"),
    SYSCALL_ROW_BOTH(utimensat, "dspx"),
    SYSCALL_ROW_32(utimensat_time64, "dspx", sys_utimensat),
    SYSCALL_ROW(umask, "o"),
    SYSCALL_ROW(truncate, "su"),
    SYSCALL_ROW_32(truncate64, "suu", sys_truncate64),
    SYSCALL_ROW(mknod, "sox"),
    SYSCALL_ROW(mknodat, "dsox"),
    SYSCALL_ROW_ANY(getxattr, "sspu", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(lgetxattr, "sspu", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(fgetxattr, "fspu", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(setxattr, "sspux", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(lsetxattr, "sspux", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(fsetxattr, "fspux", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(removexattr, "ss", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(lremovexattr, "ss", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(fremovexattr, "fs", sys_no_xattr, sys_no_xattr),
    SYSCALL_ROW_ANY(listxattr, "spu", sys_list_no_xattr, sys_list_no_xattr),
    SYSCALL_ROW_ANY(llistxattr, "spu", sys_list_no_xattr, sys_list_no_xattr),
    SYSCALL_ROW_ANY(flistxattr, "fpu", sys_list_no_xattr, sys_list_no_xattr),
    SYSCALL_END,
};
