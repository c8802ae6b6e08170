/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts about files: the stat family, access, directories, file systems. */
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/sys_path.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

/* struct stat64 of 32-bit programs. */
struct __attribute__((packed)) stat_32 {
    uint64_t dev;
    uint32_t pad0, short_ino, mode, nlink, uid, gid;
    uint64_t rdev;
    uint32_t pad3;
    int64_t size;
    uint32_t blksize;
    int64_t blocks;
    uint32_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
    uint64_t ino;
};
SIM_STATIC_ASSERT(sizeof(struct stat_32) == 96, "layout of the kernel");

static int64_t stat_put(struct syscall *call, uint64_t addr,
                        const struct stat *st)
{
    struct stat_32 out = {0};

    if (!call->is_32)
        return uaccess_write(call->mm, addr, st, sizeof(*st));
    out.dev = st->st_dev;
    out.short_ino = (uint32_t)st->st_ino;
    out.ino = st->st_ino;
    out.mode = st->st_mode;
    out.nlink = (uint32_t)st->st_nlink;
    out.uid = st->st_uid;
    out.gid = st->st_gid;
    out.rdev = st->st_rdev;
    out.size = st->st_size;
    out.blksize = (uint32_t)st->st_blksize;
    out.blocks = st->st_blocks;
    out.atime = (uint32_t)st->st_atim.tv_sec;
    out.atime_ns = (uint32_t)st->st_atim.tv_nsec;
    out.mtime = (uint32_t)st->st_mtim.tv_sec;
    out.mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
    out.ctime = (uint32_t)st->st_ctim.tv_sec;
    out.ctime_ns = (uint32_t)st->st_ctim.tv_nsec;
    return uaccess_put(call->mm, addr, out);
}

static int stat_fd(const struct syscall *call, uint64_t fd, struct stat *st)
{
    struct file *file = syscall_file(call, fd);

    return file ? file_stat(file, st) : -EBADF;
}

/* Look @path up below @dirfd with AT_ flags. */
static int stat_at(struct syscall *call, const uint64_t at[2], uint32_t flags,
                   struct stat *st)
{
    struct vfs_node *node;
    char first = 1;
    int error;

    if (flags & AT_EMPTY_PATH) {
        if (at[1] && uaccess_get(call->mm, at[1], first))
            return -EFAULT;
        if (!at[1] || !first)
            first = 0;
        if (!first && (int)at[0] != AT_FDCWD)
            return stat_fd(call, at[0], st);
    }
    node = alloc_zeroed(1, sizeof(*node));
    if (!first)
        error = vfs_lookup(call->kernel, call->process, call->process->fs->cwd,
                           ".", VFS_FOLLOW, node);
    else
        error =
            syscall_lookup(call, at[0], at[1],
                           flags & AT_SYMLINK_NOFOLLOW ? 0 : VFS_FOLLOW, node);
    *st = node->st;
    mem_free(node);
    return error;
}

static int64_t stat_path(struct syscall *call, uint32_t flags)
{
    const uint64_t at[2] = {(uint64_t)AT_FDCWD, call->arg[0]};
    struct stat st;
    int error = stat_at(call, at, flags, &st);

    return error ? error : stat_put(call, call->arg[1], &st);
}

static int64_t sys_stat(struct syscall *call)
{
    return stat_path(call, 0);
}

static int64_t sys_lstat(struct syscall *call)
{
    return stat_path(call, AT_SYMLINK_NOFOLLOW);
}

static int64_t sys_fstat(struct syscall *call)
{
    struct stat st;
    int error = stat_fd(call, call->arg[0], &st);

    return error ? error : stat_put(call, call->arg[1], &st);
}

static int64_t sys_newfstatat(struct syscall *call)
{
    struct stat st;
    int error = stat_at(call, call->arg, (uint32_t)call->arg[3], &st);

    return error ? error : stat_put(call, call->arg[2], &st);
}

static struct statx_timestamp statx_time(const struct timespec *time)
{
    struct statx_timestamp out = {.tv_sec = time->tv_sec,
                                  .tv_nsec = (uint32_t)time->tv_nsec};

    return out;
}

static int64_t sys_statx(struct syscall *call)
{
    struct statx out = {0};
    struct stat st;
    int error = stat_at(call, call->arg, (uint32_t)call->arg[2], &st);

    if (error)
        return error;
    out.stx_mask = STATX_BASIC_STATS;
    out.stx_blksize = (uint32_t)st.st_blksize;
    out.stx_nlink = (uint32_t)st.st_nlink;
    out.stx_uid = st.st_uid;
    out.stx_gid = st.st_gid;
    out.stx_mode = (uint16_t)st.st_mode;
    out.stx_ino = st.st_ino;
    out.stx_size = (uint64_t)st.st_size;
    out.stx_blocks = (uint64_t)st.st_blocks;
    out.stx_atime = statx_time(&st.st_atim);
    out.stx_mtime = statx_time(&st.st_mtim);
    out.stx_ctime = statx_time(&st.st_ctim);
    out.stx_rdev_major = major(st.st_rdev);
    out.stx_rdev_minor = minor(st.st_rdev);
    out.stx_dev_major = major(st.st_dev);
    out.stx_dev_minor = minor(st.st_dev);
    return uaccess_put(call->mm, call->arg[4], out);
}

/* --------------------------------------------------------------------- access
 */

/* Whether the process's identity has the bits of @mode (R_OK ...). */
static bool stat_allows(const struct syscall *call, const struct stat *st,
                        uint32_t mode)
{
    const struct process_ids *ids = &call->process->ids;
    uint32_t bits = st->st_mode & 7;

    if (!ids->user[ID_EFFECTIVE])
        return !(mode & X_OK) || (st->st_mode & 0111) || S_ISDIR(st->st_mode);
    if (ids->user[ID_EFFECTIVE] == st->st_uid)
        bits = (st->st_mode >> 6) & 7;
    else if (ids->group[ID_EFFECTIVE] == st->st_gid)
        bits = (st->st_mode >> 3) & 7;
    return !(mode & ~bits);
}

static int64_t access_at(struct syscall *call, const uint64_t at[2],
                         uint32_t mode, uint32_t flags)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    int64_t result = syscall_lookup(
        call, at[0], at[1], flags & AT_SYMLINK_NOFOLLOW ? 0 : VFS_FOLLOW, node);

    if (mode & ~(uint32_t)(R_OK | W_OK | X_OK))
        result = -EINVAL;
    if (!result && (mode & W_OK) && node->mount->num_hosts &&
        !node->is_writable)
        result = -EROFS;
    if (!result && !stat_allows(call, &node->st, mode))
        result = -EACCES;
    mem_free(node);
    return result;
}

static int64_t sys_access(struct syscall *call)
{
    const uint64_t at[2] = {(uint64_t)AT_FDCWD, call->arg[0]};

    return access_at(call, at, (uint32_t)call->arg[1], 0);
}

static int64_t sys_faccessat(struct syscall *call)
{
    return access_at(call, call->arg, (uint32_t)call->arg[2], 0);
}

static int64_t sys_faccessat2(struct syscall *call)
{
    return access_at(call, call->arg, (uint32_t)call->arg[2],
                     (uint32_t)call->arg[3]);
}

/* ---------------------------------------------------------------- directories
 */

struct getdents {
    struct syscall *call;
    uint64_t at, end;
    uint64_t last; /* record that waits for its offset; 0: none */
    bool is_old;   /* struct linux_dirent: the type is the last byte */
    int error;
};

static bool getdents_emit(void *ctx, const char *name, uint64_t ino,
                          uint8_t type, int64_t next)
{
    enum { HEAD_64 = 19, HEAD_OLD = 18 };
    struct getdents *list = ctx;
    uint64_t head = list->is_old ? HEAD_OLD : HEAD_64;
    uint64_t len = strlen(name) + 1;
    uint64_t size = (head + len + (list->is_old ? 1 : 0) + 7) & ~UINT64_C(7);
    uint8_t record[32 + 256 + 8] = {0};
    uint16_t reclen = (uint16_t)size;

    if (size > list->end - list->at || size > sizeof(record)) {
        list->error = list->last ? 0 : -EINVAL;
        return false;
    }
    memcpy(record, &ino, 8);
    memcpy(record + 8, &next, 8);
    memcpy(record + 16, &reclen, 2);
    if (list->is_old)
        record[size - 1] = type;
    else
        record[18] = type;
    memcpy(record + head, name, len);
    if (uaccess_write(list->call->mm, list->at, record, size)) {
        list->error = -EFAULT;
        return false;
    }
    list->last = list->at;
    list->at += size;
    return true;
}

static int64_t getdents_any(struct syscall *call, bool is_old)
{
    struct file *file = syscall_file(call, call->arg[0]);
    struct getdents list = {.call = call,
                            .at = call->arg[1],
                            .end = call->arg[1] + (uint32_t)call->arg[2],
                            .is_old = is_old};
    int error;

    if (!file)
        return -EBADF;
    if (!file->ops->readdir)
        return -ENOTDIR;
    error = file->ops->readdir(file, getdents_emit, &list);
    if (error || list.error)
        return error ? error : list.error;
    return (int64_t)(list.at - call->arg[1]);
}

static int64_t sys_getdents(struct syscall *call)
{
    return getdents_any(call, true);
}

static int64_t sys_getdents64(struct syscall *call)
{
    return getdents_any(call, false);
}

/* --------------------------------------------------------------- file systems
 */

static int64_t statfs_put(struct syscall *call, const struct file *file)
{
    struct statfs out = {0};

    if (file_is_host(file)) {
        if (fstatfs(file->host_fd, &out) < 0)
            return -errno;
    } else {
        out.f_type = 0x9fa0; /* proc */
        out.f_bsize = out.f_frsize = 4096;
        out.f_namelen = 255;
    }
    return uaccess_put(call->mm, call->arg[1], out);
}

static int64_t sys_fstatfs(struct syscall *call)
{
    const struct file *file = syscall_file(call, call->arg[0]);

    return file ? statfs_put(call, file) : -EBADF;
}

static int64_t sys_statfs(struct syscall *call)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    struct file *file = NULL;
    int64_t result = syscall_lookup(call, (uint64_t)AT_FDCWD, call->arg[0],
                                    VFS_FOLLOW, node);

    if (!result)
        result = vfs_open(call->kernel, call->process, node, O_PATH, 0, &file);
    if (!result)
        result = statfs_put(call, file);
    file_put(file);
    mem_free(node);
    return result;
}

const struct syscall_row sys_stat_rows[] = {
    SYSCALL_ROW_64(stat, "sp"),
    SYSCALL_ROW_64(lstat, "sp"),
    SYSCALL_ROW_64(fstat, "fp"),
    SYSCALL_ROW_32(stat64, "sp", sys_stat),
    SYSCALL_ROW_32(lstat64, "sp", sys_lstat),
    SYSCALL_ROW_32(fstat64, "fp", sys_fstat),
    SYSCALL_ROW_64(newfstatat, "dspx"),
    SYSCALL_ROW_32(fstatat64, "dspx", sys_newfstatat),
    SYSCALL_ROW(statx, "dsxxp"),
    SYSCALL_ROW(access, "sx"),
    SYSCALL_ROW(faccessat, "dsx"),
    SYSCALL_ROW(faccessat2, "dsxx"),
    SYSCALL_ROW_64(getdents, "fpu"),
    SYSCALL_ROW(getdents64, "fpu"),
    SYSCALL_ROW_64(statfs, "sp"),
    SYSCALL_ROW_64(fstatfs, "fp"),
    SYSCALL_END,
};
