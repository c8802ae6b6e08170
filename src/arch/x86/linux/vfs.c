/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"

/* ------------------------------------------------------------------- mounts */

void vfs_init(struct vfs *vfs)
{
    vfs->mounts = NULL;
    vfs->num_mounts = 0;
}

void vfs_fini(struct vfs *vfs)
{
    for (uint32_t i = 0; i < vfs->num_mounts; i++) {
        struct vfs_mount *mount = &vfs->mounts[i];

        for (uint32_t h = 0; h < mount->num_hosts; h++) {
            mem_free(mount->host[h]);
            (void)close(mount->host_fd[h]);
        }
        mem_free(mount->file_name);
        mem_free(mount->guest);
    }
    mem_free(vfs->mounts);
}

static struct vfs_mount *vfs_find_mount(struct vfs *vfs, const char *guest)
{
    for (uint32_t i = 0; i < vfs->num_mounts; i++) {
        if (!strcmp(vfs->mounts[i].guest, guest))
            return &vfs->mounts[i];
    }
    return NULL;
}

static struct vfs_mount *vfs_add_mount(struct vfs *vfs, const char *guest)
{
    size_t len = strcmp(guest, "/") ? strlen(guest) : 0;
    uint32_t i = 0;

    vfs->mounts =
        alloc_resize(vfs->mounts, vfs->num_mounts + 1, sizeof(*vfs->mounts));
    while (i < vfs->num_mounts && vfs->mounts[i].guest_len >= len)
        i++;
    memmove(&vfs->mounts[i + 1], &vfs->mounts[i],
            (vfs->num_mounts - i) * sizeof(*vfs->mounts));
    vfs->num_mounts++;
    memset(&vfs->mounts[i], 0, sizeof(vfs->mounts[i]));
    vfs->mounts[i].guest = alloc_strdup(guest);
    vfs->mounts[i].guest_len = len;
    return &vfs->mounts[i];
}

/* Open the directory behind a mount; for a file its parent. */
static int vfs_open_mount(const char *host, char **file_name)
{
    int fd = open(host, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *slash = strrchr(host, '/');
    char *parent;

    if (fd >= 0)
        return fd;
    if (errno != ENOTDIR || !slash)
        return -errno;
    parent = alloc_printf("%.*s/", (int)(slash - host), host);
    fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    mem_free(parent);
    if (fd < 0)
        return -errno;
    *file_name = alloc_strdup(slash + 1);
    return fd;
}

int vfs_add_host(struct vfs *vfs, const char *guest, const char *host,
                 enum vfs_access access)
{
    struct vfs_mount *mount = vfs_find_mount(vfs, guest);
    char real[PATH_MAX];
    char *file_name = NULL;
    int fd;

    if (!realpath(host, real))
        return -errno;
    if (mount && (mount->num_hosts == VFS_MAX_HOSTS || mount->file_name))
        return -ENOSPC;
    fd = vfs_open_mount(real, &file_name);
    if (fd < 0)
        return fd;
    if (!mount) {
        mount = vfs_add_mount(vfs, guest);
        mount->access = access;
        mount->file_name = file_name;
    } else if (file_name) {
        mem_free(file_name);
        (void)close(fd);
        return -ENOTDIR;
    }
    mount->host[mount->num_hosts] = alloc_strdup(real);
    mount->host_fd[mount->num_hosts++] = fd;
    return 0;
}

void vfs_add_made(struct vfs *vfs, const char *guest)
{
    (void)vfs_add_mount(vfs, guest);
}

static const struct vfs_mount *vfs_mount_of(const struct vfs *vfs,
                                            const char *path)
{
    for (uint32_t i = 0; i < vfs->num_mounts; i++) {
        const struct vfs_mount *mount = &vfs->mounts[i];

        if (!strncmp(path, mount->guest, mount->guest_len) &&
            (path[mount->guest_len] == '/' || !path[mount->guest_len]))
            return mount;
    }
    return NULL;
}

/* --------------------------------------------------------------- host access
 */

int vfs_host_open(int dir_fd, const char *rel, int flags, uint32_t mode)
{
    struct open_how how = {
        .flags = (uint32_t)flags | O_CLOEXEC,
        .mode = mode & 07777,
        .resolve =
            RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir_fd, rel, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

int vfs_host_parent(const struct vfs_node *node, const char **name)
{
    const char *slash = strrchr(node->rel, '/');
    char parent[VFS_PATH_MAX];

    *name = slash ? slash + 1 : node->rel;
    if (!slash)
        return vfs_host_open(node->dir_fd, ".", O_PATH | O_DIRECTORY, 0);
    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - node->rel),
                   node->rel);
    return vfs_host_open(node->dir_fd, parent, O_PATH | O_DIRECTORY, 0);
}

static int vfs_host_stat(int dir_fd, const char *rel, struct stat *st)
{
    int fd = vfs_host_open(dir_fd, rel, O_PATH | O_NOFOLLOW, 0);
    int error = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, st) < 0)
        error = -errno;
    (void)close(fd);
    return error;
}

static const char *vfs_rel(const struct vfs_mount *mount, const char *path)
{
    if (mount->file_name)
        return mount->file_name;
    path += mount->guest_len;
    while (*path == '/')
        path++;
    return *path ? path : ".";
}

static int vfs_stat_host(struct vfs_node *node)
{
    const struct vfs_mount *mount = node->mount;
    int error = -ENOENT;

    node->rel = vfs_rel(mount, node->path);
    for (uint32_t i = 0; i < mount->num_hosts; i++) {
        error = vfs_host_stat(mount->host_fd[i], node->rel, &node->st);
        if (error == -ENOENT || error == -ENOTDIR || error == -ELOOP)
            continue;
        node->dir_fd = mount->host_fd[i];
        node->is_writable = i == 0 && mount->access == VFS_WRITABLE;
        node->exists = !error;
        return error;
    }
    node->dir_fd = mount->host_fd[0];
    node->is_writable = mount->access == VFS_WRITABLE;
    return error == -ELOOP ? -ENOENT : error;
}

static const mode_t made_modes[] = {
    [MADE_DIR] = S_IFDIR | 0555,
    [MADE_FILE] = S_IFREG | 0444,
    [MADE_LINK] = S_IFLNK | 0777,
    [MADE_DEVICE] = S_IFCHR | 0666,
};

static uint64_t vfs_hash(const char *path)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    while (*path)
        hash = (hash ^ (unsigned char)*path++) * UINT64_C(1099511628211);
    return hash >> 8;
}

static int vfs_stat_made(struct kernel *kernel, struct process *process,
                         struct vfs_node *node)
{
    enum vfs_made kind = vfs_made_kind(kernel, process, node->path);

    node->dir_fd = -1;
    node->rel = "";
    if (kind == MADE_NONE)
        return -ENOENT;
    node->exists = true;
    memset(&node->st, 0, sizeof(node->st));
    node->st.st_mode = made_modes[kind];
    node->st.st_dev = 0x15;
    node->st.st_ino = vfs_hash(node->path);
    node->st.st_nlink = kind == MADE_DIR ? 2 : 1;
    node->st.st_blksize = 1024;
    return 0;
}

/* What node->path, free of links, is. */
static int vfs_stat_node(struct kernel *kernel, struct process *process,
                         struct vfs_node *node)
{
    node->mount = vfs_mount_of(&kernel->vfs, node->path);
    node->exists = false;
    node->is_writable = false;
    if (!node->mount)
        return -ENOENT;
    if (node->mount->num_hosts)
        return vfs_stat_host(node);
    return vfs_stat_made(kernel, process, node);
}

/* -------------------------------------------------------------------- walking
 */

struct vfs_walk {
    struct kernel *kernel;
    struct process *process;
    struct vfs_node *node; /* node->path: canonical so far */
    unsigned flags;
    unsigned num_links;
    char rest[VFS_PATH_MAX * 2]; /* still to go */
};

static void vfs_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == path)
        slash++;
    *slash = '\0';
}

/* Cut the first component off walk->rest; false if there is none. */
static bool vfs_take(struct vfs_walk *walk, char name[NAME_MAX + 1], int *error)
{
    char *start = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(start, "/");

    if (!len)
        return false;
    if (len > NAME_MAX) {
        *error = -ENAMETOOLONG;
        return false;
    }
    memcpy(name, start, len);
    name[len] = '\0';
    memmove(walk->rest, start + len, strlen(start + len) + 1);
    return true;
}

static bool vfs_is_last(const struct vfs_walk *walk)
{
    return !walk->rest[strspn(walk->rest, "/")];
}

/* Put the target of the link at walk->node in front of what is left. */
static int vfs_follow(struct vfs_walk *walk)
{
    char target[VFS_PATH_MAX];
    int64_t len = vfs_readlink(walk->kernel, walk->process, walk->node, target,
                               sizeof(target) - 1);
    size_t rest_len = strlen(walk->rest);

    if (len < 0)
        return (int)len;
    if (++walk->num_links > VFS_MAX_LINKS)
        return -ELOOP;
    if ((size_t)len + rest_len + 2 > sizeof(walk->rest))
        return -ENAMETOOLONG;
    memmove(walk->rest + len + 1, walk->rest, rest_len + 1);
    memcpy(walk->rest, target, (size_t)len);
    walk->rest[len] = '/';
    if (!rest_len)
        walk->rest[len] = '\0';
    if (target[0] == '/')
        memcpy(walk->node->path, "/", 2);
    else
        vfs_up(walk->node->path);
    return 0;
}

/* The link of an open descriptor leads to the description, not to a name. */
static bool vfs_is_fd_link(struct vfs_walk *walk)
{
    struct file *file;

    if (walk->node->mount->num_hosts)
        return false;
    file = vfs_made_fd(walk->kernel, walk->process, walk->node->path);
    if (file)
        (void)file_stat(file, &walk->node->st);
    return file != NULL;
}

static int vfs_step(struct vfs_walk *walk, const char *name)
{
    struct vfs_node *node = walk->node;
    size_t len = strlen(node->path);
    bool is_last, has_slash;
    int error;

    if (!strcmp(name, "."))
        return 0;
    if (!strcmp(name, "..")) {
        vfs_up(node->path);
        return 0;
    }
    if (len + strlen(name) + 2 > sizeof(node->path))
        return -ENAMETOOLONG;
    (void)snprintf(node->path + len, sizeof(node->path) - len, "%s%s",
                   len > 1 ? "/" : "", name);
    is_last = vfs_is_last(walk);
    has_slash = walk->rest[0] == '/';
    error = vfs_stat_node(walk->kernel, walk->process, node);
    if (error == -ENOENT && is_last && (walk->flags & VFS_MAY_MISS))
        return 0;
    if (error)
        return error;
    if (S_ISLNK(node->st.st_mode) &&
        (!is_last || has_slash || (walk->flags & VFS_FOLLOW)) &&
        !(is_last && vfs_is_fd_link(walk)))
        return vfs_follow(walk);
    if ((!is_last || has_slash) && !S_ISDIR(node->st.st_mode))
        return -ENOTDIR;
    return 0;
}

int vfs_lookup(struct kernel *kernel, struct process *process, const char *base,
               const char *path, unsigned flags, struct vfs_node *out)
{
    struct vfs_walk walk = {
        .kernel = kernel, .process = process, .node = out, .flags = flags};
    char name[NAME_MAX + 1];
    int error = 0;

    out->exists = false;
    if (!*path)
        return -ENOENT;
    if (strlen(path) >= VFS_PATH_MAX)
        return -ENAMETOOLONG;
    (void)snprintf(walk.rest, sizeof(walk.rest), "%s", path);
    (void)snprintf(out->path, sizeof(out->path), "%s",
                   path[0] == '/' ? "/" : base);
    out->mount = NULL;
    while (!error && vfs_take(&walk, name, &error)) {
        out->mount = NULL;
        error = vfs_step(&walk, name);
    }
    /* The path ended in a directory that was reached by "/", "." or "..". */
    if (!error && !out->mount)
        error = vfs_stat_node(kernel, process, out);
    return error;
}

int64_t vfs_readlink(struct kernel *kernel, struct process *process,
                     const struct vfs_node *node, char *out, uint64_t max)
{
    int64_t len;

    if (!node->exists || !S_ISLNK(node->st.st_mode))
        return -EINVAL;
    if (node->mount->num_hosts) {
        const char *name;
        int fd = vfs_host_parent(node, &name);

        if (fd < 0)
            return fd;
        len = readlinkat(fd, name, out, (size_t)max);
        if (len < 0)
            len = -errno;
        (void)close(fd);
    } else {
        size_t text_len;
        char *text = vfs_made_text(kernel, process, node->path, &text_len);

        if (!text)
            return -ENOENT;
        len = (int64_t)(text_len < max ? text_len : max);
        memcpy(out, text, (size_t)len);
        mem_free(text);
    }
    if ((uint64_t)len < max)
        out[len] = '\0';
    return len;
}

/* -------------------------------------------------------------------- opening
 */

static int vfs_open_made(struct kernel *kernel, struct process *process,
                         const struct vfs_node *node, uint32_t flags,
                         struct file **out)
{
    enum vfs_made kind = vfs_made_kind(kernel, process, node->path);
    struct file_text text;

    *out = vfs_made_fd(kernel, process, node->path);
    if (*out) {
        (void)file_get(*out);
        return 0;
    }
    if (kind == MADE_LINK && !(flags & O_PATH))
        return -ELOOP;
    if (kind == MADE_DEVICE) {
        *out = file_dev_create(kernel, flags, node->path);
        return *out ? 0 : -ENXIO;
    }
    if ((flags & O_ACCMODE) != O_RDONLY)
        return kind == MADE_DIR ? -EISDIR : -EACCES;
    text.data = vfs_made_text(kernel, process, node->path, &text.len);
    if (!text.data)
        return -EACCES;
    *out = kind == MADE_DIR
               ? file_list_create(kernel, flags, node->path, &text)
               : file_text_create(kernel, flags, node->path, &text);
    return 0;
}

static int vfs_check_open(const struct vfs_node *node, uint32_t flags)
{
    bool wants_write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

    if (!node->exists) {
        if (!(flags & O_CREAT))
            return -ENOENT;
        return node->is_writable ? 0 : -EROFS;
    }
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if ((flags & O_DIRECTORY) && !S_ISDIR(node->st.st_mode))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (S_ISLNK(node->st.st_mode))
        return -ELOOP;
    if (S_ISDIR(node->st.st_mode) && (wants_write || (flags & O_CREAT)))
        return -EISDIR;
    /* The host's devices and sockets stay closed, and named pipes that the
     * programs cannot have made. */
    if (S_ISFIFO(node->st.st_mode) && node->is_writable)
        return 0;
    if (node->mount->num_hosts && !S_ISDIR(node->st.st_mode) &&
        !S_ISREG(node->st.st_mode))
        return -ENXIO;
    if (wants_write && node->mount->num_hosts && !node->is_writable)
        return -EROFS;
    return 0;
}

static int vfs_host_flags(const struct vfs_node *node, uint32_t flags)
{
    uint32_t keep =
        O_ACCMODE | O_TRUNC | O_APPEND | O_DIRECTORY | O_SYNC | O_DSYNC;

    /* openat2() refuses what has no effect beside O_PATH. */
    if (flags & O_PATH)
        return (int)(flags & (O_PATH | O_DIRECTORY)) | O_NOFOLLOW;
    /* A description that was open for writing only must still be mappable
     * and readable by the page cache; the guest's flags decide. */
    if ((flags & O_ACCMODE) == O_WRONLY && node->exists)
        flags = (flags & ~(uint32_t)O_ACCMODE) | O_RDWR;
    if (!node->exists)
        keep |= O_CREAT | O_EXCL;
    return (int)(flags & keep) | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK |
           (node->exists ? 0 : O_EXCL);
}

static int vfs_open_host(const struct vfs_node *node, uint32_t flags,
                         uint32_t mode)
{
    int host_flags = vfs_host_flags(node, flags);
    int fd = vfs_host_open(node->dir_fd, node->rel, host_flags,
                           node->exists ? 0 : mode);

    if (fd == -EACCES && (host_flags & O_ACCMODE) == O_RDWR &&
        (flags & O_ACCMODE) == O_WRONLY) {
        host_flags = (host_flags & ~O_ACCMODE) | O_WRONLY;
        fd = vfs_host_open(node->dir_fd, node->rel, host_flags,
                           node->exists ? 0 : mode);
    }
    if (fd >= 0 && !node->exists)
        (void)fchmod(fd, mode & 07777);
    return fd;
}

/* Only the name is the host's. */
static int vfs_open_fifo(struct kernel *kernel, const struct vfs_node *node,
                         uint32_t flags, struct file **out)
{
    int fd = vfs_host_open(node->dir_fd, node->rel, O_PATH | O_NOFOLLOW, 0);
    int error;

    if (fd < 0)
        return fd;
    error = file_fifo_open(kernel, fd, &node->st,
                           flags & (O_ACCMODE | O_NONBLOCK), node->path, out);
    if (!error)
        (*out)->is_writable_fs = true;
    return error;
}

int vfs_open(struct kernel *kernel, struct process *process,
             struct vfs_node *node, uint32_t flags, uint32_t mode,
             struct file **out)
{
    int error = vfs_check_open(node, flags);
    int fd;

    if ((flags & O_TMPFILE) == O_TMPFILE)
        return -EOPNOTSUPP;
    if (error)
        return error;
    if (!node->mount->num_hosts)
        return vfs_open_made(kernel, process, node, flags, out);
    if (node->exists && S_ISFIFO(node->st.st_mode) && !(flags & O_PATH))
        return vfs_open_fifo(kernel, node, flags, out);
    if (process)
        mode &= ~process->fs->umask;
    fd = vfs_open_host(node, flags, mode);
    if (fd < 0)
        return fd;
    *out = file_host_create(
        kernel, fd,
        flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC),
        node->path);
    (*out)->is_writable_fs = node->is_writable;
    return 0;
}
