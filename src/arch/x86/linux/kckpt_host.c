/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of the host that programs had open or mapped.
 *
 *   read only        must be what it was: same size and time, or same content
 *   open for writing its content is saved; a file that is another one now, or
 *                    is gone, gets it back, with a warning
 *   without a name   its content is saved; it lives on without a name
 *   a directory or   must be there; without a name a new one without a name
 *   named pipe
 *
 * Files are found again by the guest's names through the mounts of the restored
 * simulation: what these do not allow stays closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/vfs.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"
#include "sim/report.h"

/* Larger files are compared by size and time only, and do not come back. */
#define MAX_CONTENT (UINT64_C(256) << 20)

struct kckpt_host {
    char *path; /* as the guest knows it */
    uint32_t mode;
    uint64_t size, sum;
    int64_t mtime_s, mtime_ns;
    bool is_writable, is_unnamed, has_sum, has_content;
    uint64_t content; /* where */
    /* Standard stream that the script named: process and number. */
    uint32_t stdio_pid, stdio_number;
    bool is_stdio;

    /* Not saved. */
    uint64_t dev, ino;
    int fd; /* saving: somebody's; loading: ours */
};

static const struct sim_field host_fields[] = {
    KCKPT_FIELD_STR(struct kckpt_host, path),
    KCKPT_FIELD(struct kckpt_host, mode),
    KCKPT_FIELD(struct kckpt_host, size),
    KCKPT_FIELD(struct kckpt_host, sum),
    KCKPT_FIELD(struct kckpt_host, mtime_s),
    KCKPT_FIELD(struct kckpt_host, mtime_ns),
    KCKPT_FIELD(struct kckpt_host, is_writable),
    KCKPT_FIELD(struct kckpt_host, is_unnamed),
    KCKPT_FIELD(struct kckpt_host, has_sum),
    KCKPT_FIELD(struct kckpt_host, has_content),
    KCKPT_FIELD(struct kckpt_host, content),
    KCKPT_FIELD(struct kckpt_host, is_stdio),
    KCKPT_FIELD(struct kckpt_host, stdio_pid),
    KCKPT_FIELD(struct kckpt_host, stdio_number),
    SIM_END,
};

/* The file behind a descriptor, opened anew. */
static int host_reopen(int fd, int flags)
{
    char link[64];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return open(link, flags | O_CLOEXEC);
}

/* Checksum of the first @len bytes.  Returns: false if there are fewer. */
static bool host_sum(int fd, uint64_t len, uint64_t *sum)
{
    XXH64_state_t *state = XXH64_createState();
    char buffer[1 << 16];
    uint64_t done = 0;
    ssize_t got = 1;

    (void)XXH64_reset(state, 0);
    while (got > 0 && done < len) {
        uint64_t part =
            len - done < sizeof(buffer) ? len - done : sizeof(buffer);

        got = pread(fd, buffer, (size_t)part, (off_t)done);
        if (got > 0)
            (void)XXH64_update(state, buffer, (size_t)got);
        done += got > 0 ? (uint64_t)got : 0;
    }
    *sum = XXH64_digest(state);
    (void)XXH64_freeState(state);
    return done == len;
}

/* --------------------------------------------------------------------- saving
 */

static bool host_is_at(struct kckpt *c, const struct kckpt_host *host,
                       const char *path)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    bool is_there = !vfs_lookup(c->kernel, NULL, "/", path, 0, node) &&
                    node->exists && node->st.st_dev == host->dev &&
                    node->st.st_ino == host->ino;

    mem_free(node);
    return is_there;
}

/* The guest's name for what the host now calls @real, or NULL. */
static char *host_guest_name(struct kckpt *c, const struct kckpt_host *host,
                             const char *real)
{
    for (uint32_t i = 0; i < c->kernel->vfs.num_mounts; i++) {
        const struct vfs_mount *mount = &c->kernel->vfs.mounts[i];

        for (uint32_t h = 0; h < mount->num_hosts && !mount->file_name; h++) {
            size_t len = strlen(mount->host[h]);
            char *name;

            if (strncmp(real, mount->host[h], len) != 0 ||
                (len > 1 && real[len] != '/'))
                continue;
            name = alloc_printf("%s%s%s", mount->guest,
                                real[len] == '/' ? "" : "/", real + len);
            if (host_is_at(c, host, name))
                return name;
            mem_free(name);
        }
    }
    return NULL;
}

/* It may have been renamed since it was opened. */
static void host_find_name(struct kckpt *c, struct kckpt_host *host)
{
    char link[64], real[VFS_PATH_MAX];
    char *name = NULL;
    ssize_t len;

    if (host_is_at(c, host, host->path))
        return;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", host->fd);
    len = readlink(link, real, sizeof(real) - 1);
    if (len > 0) {
        real[len] = '\0';
        name = host_guest_name(c, host, real);
    }
    if (name) {
        mem_free(host->path);
        host->path = name;
    } else {
        host->is_unnamed = true;
    }
}

static void host_set_stdio(struct kckpt_host *host, const struct file *file)
{
    if (!file || file->stdio.kind != FILE_STDIO_NAMED)
        return;
    host->is_stdio = true;
    host->stdio_pid = file->stdio.pid;
    host->stdio_number = file->stdio.number;
}

uint32_t kckpt_host_add(struct kckpt *c, int fd, const char *path,
                        const struct file *file)
{
    int flags = fcntl(fd, F_GETFL);
    struct kckpt_host *host = NULL;
    struct stat st;

    if (flags < 0 || fstat(fd, &st) < 0) {
        kckpt_fail(c, "%.100s: %s", path, strerrordesc_np(errno));
        return 0;
    }
    for (uint32_t i = 0; i < c->num_hosts && !host; i++) {
        if (c->hosts[i].dev == st.st_dev && c->hosts[i].ino == st.st_ino)
            host = &c->hosts[i];
    }
    if (!host) {
        c->hosts =
            alloc_resize(c->hosts, (size_t)c->num_hosts + 1, sizeof(*c->hosts));
        host = &c->hosts[c->num_hosts++];
        memset(host, 0, sizeof(*host));
        host->path = alloc_strdup(path);
        host->mode = st.st_mode;
        if (S_ISREG(st.st_mode)) {
            host->size = (uint64_t)st.st_size;
            host->mtime_s = st.st_mtim.tv_sec;
            host->mtime_ns = st.st_mtim.tv_nsec;
        }
        host->dev = st.st_dev;
        host->ino = st.st_ino;
        host->fd = fd;
    }
    if (!(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY)
        host->is_writable = true;
    host_set_stdio(host, file);
    return (uint32_t)(host - c->hosts) + 1;
}

/* Links and sockets without a name cannot come back. */
static bool host_is_savable(struct kckpt *c, const struct kckpt_host *host)
{
    if (S_ISREG(host->mode) || S_ISDIR(host->mode) || S_ISFIFO(host->mode) ||
        !host->is_unnamed)
        return true;
    for (uint32_t i = 0; i < c->files.len; i++) {
        const struct file *file = c->files.ptr[i];

        if (file->host_fd == host->fd)
            kckpt_refuse(c, file, "it was removed, and has no content");
    }
    return false;
}

static void host_save(struct kckpt *c, struct kckpt_host *host)
{
    int fd;

    if (!host->is_stdio)
        host_find_name(c, host);
    if (!host_is_savable(c, host) || !S_ISREG(host->mode))
        return;
    fd = host_reopen(host->fd, O_RDONLY);
    if (fd < 0) {
        kckpt_fail(c, "%.100s: %s", host->path, strerrordesc_np(errno));
        return;
    }
    host->has_sum = host->size <= MAX_CONTENT;
    if (host->has_sum && !host_sum(fd, host->size, &host->sum))
        kckpt_fail(c, "%.100s cannot be read", host->path);
    host->has_content =
        host->is_unnamed || (host->is_writable && host->has_sum);
    if (host->has_content)
        host->content = kckpt_put_contents(c, fd, host->size);
    (void)close(fd);
}

void kckpt_save_hosts(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->num_hosts; i++) {
        kckpt_section(c, "host.%u", i + 1);
        host_save(c, &c->hosts[i]);
        ckpt_put_fields(c->w, &c->hosts[i], host_fields);
    }
    ckpt_subsection(c->w, NULL);
    ckpt_put_u64(c->w, "num_hosts", c->num_hosts);
}

/* -------------------------------------------------------------------- loading
 */

static void host_warn(const struct kckpt *c, const struct kckpt_host *host,
                      const char *what)
{
    if (c->kernel->cfg.owner)
        sim_warn(c->kernel->cfg.owner, "%s %s", host->path, what);
}

/* A named pipe in @dir, whose name goes at once. */
static int host_make_fifo(const char *dir, uint32_t mode)
{
    char *name = alloc_printf("%s/pipe", dir);
    int fd = mkfifo(name, 0600) < 0 || chmod(name, mode & 07777) < 0
                 ? -1
                 : open(name, O_PATH | O_CLOEXEC);
    int error = errno;

    (void)unlink(name);
    mem_free(name);
    return fd < 0 ? -error : fd;
}

static int host_open_dir(const char *dir, uint32_t mode)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    (void)fchmod(fd, mode & 07777);
    return fd;
}

/* A directory in @dir, or a named pipe, whose name goes at once. */
static int host_make_unnamed(const char *dir, uint32_t mode)
{
    char *place = alloc_printf("%s/goneXXXXXX", dir);
    int fd;

    if (!mkdtemp(place)) {
        fd = -errno;
    } else {
        fd = S_ISFIFO(mode) ? host_make_fifo(place, mode)
                            : host_open_dir(place, mode);
        (void)rmdir(place);
    }
    mem_free(place);
    return fd;
}

static int host_open_unnamed(struct kckpt *c, uint32_t mode)
{
    const struct kernel_host *host = &c->kernel->cfg.host;
    const char *dir = host->scratch_dir ? host->scratch_dir(host->ctx) : "/tmp";
    int fd;

    if (!S_ISREG(mode))
        return host_make_unnamed(dir, mode);
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* Through the mounts, by the guest's name. */
static int host_open_named(struct kckpt *c, const struct kckpt_host *host)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    int flags = S_ISREG(host->mode)   ? O_RDONLY
                : S_ISDIR(host->mode) ? O_RDONLY | O_DIRECTORY
                                      : O_PATH | O_NOFOLLOW;
    int fd = vfs_lookup(c->kernel, NULL, "/", host->path,
                        host->has_content ? VFS_MAY_MISS : 0, node);

    if (!fd && (!node->mount || !node->mount->num_hosts))
        fd = -ENOENT;
    if (!fd && host->is_writable && !node->is_writable)
        fd = -EROFS;
    if (!fd) {
        bool is_new = !node->exists;

        if (host->is_writable || is_new)
            flags = O_RDWR | (is_new ? O_CREAT | O_EXCL : 0);
        fd = vfs_host_open(node->dir_fd, node->rel, flags,
                           is_new ? host->mode & 07777 : 0);
        if (fd >= 0 && is_new)
            host_warn(c, host, "was gone: it is there again");
    }
    mem_free(node);
    return fd;
}

static int host_open_stdio(struct kckpt *c, const struct kckpt_host *host)
{
    const struct kernel_host *kernel_host = &c->kernel->cfg.host;

    if (!kernel_host->open_stdio)
        return -ENOENT;
    return kernel_host->open_stdio(kernel_host->ctx, host->stdio_pid,
                                   (int)host->stdio_number);
}

static bool host_is_same(const struct kckpt_host *host, const struct stat *st)
{
    uint64_t sum;

    if (host->size != (uint64_t)st->st_size)
        return false;
    if (host->mtime_s == st->st_mtim.tv_sec &&
        host->mtime_ns == st->st_mtim.tv_nsec)
        return true;
    return host->has_sum && host_sum(host->fd, host->size, &sum) &&
           sum == host->sum;
}

static void host_set_time(const struct kckpt_host *host)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT     },
        { .tv_sec = host->mtime_s, .tv_nsec = host->mtime_ns},
    };

    (void)futimens(host->fd, times);
}

static void host_put_back(struct kckpt *c, struct kckpt_host *host,
                          uint64_t old_size)
{
    if (old_size && !host->is_unnamed)
        host_warn(c, host,
                  "has changed since the checkpoint was written: it has its "
                  "old content again");
    kckpt_get_contents(c, host->fd, host->content, host->size);
    if (host->is_unnamed)
        (void)fchmod(host->fd, host->mode & 07777);
}

/* Make the file what it was, if it is not. */
static void host_check(struct kckpt *c, struct kckpt_host *host)
{
    struct stat st;

    if (fstat(host->fd, &st) < 0) {
        kckpt_fail(c, "%.100s: %s", host->path, strerrordesc_np(errno));
        return;
    }
    if ((st.st_mode & S_IFMT) != (host->mode & S_IFMT)) {
        kckpt_fail(c, "%.100s is another kind of file now", host->path);
        return;
    }
    if (!S_ISREG(host->mode))
        return;
    if (host->has_content) {
        if (host->is_unnamed || !host_is_same(host, &st))
            host_put_back(c, host, (uint64_t)st.st_size);
        host_set_time(host);
    } else if (!host_is_same(host, &st)) {
        kckpt_fail(c,
                   "%.100s has changed since the checkpoint was written "
                   "(%llu bytes then, %llu now)",
                   host->path, (unsigned long long)host->size,
                   (unsigned long long)st.st_size);
    }
}

static void host_load(struct kckpt *c, struct kckpt_host *host)
{
    kckpt_get_fields(c, host, host_fields);
    if (c->error)
        return;
    if (host->is_stdio)
        host->fd = host_open_stdio(c, host);
    else if (host->is_unnamed)
        host->fd = host_open_unnamed(c, host->mode);
    else
        host->fd = host_open_named(c, host);
    if (host->fd == -EROFS)
        kckpt_fail(c, "%.100s was open for writing, which is not allowed here",
                   host->path);
    else if (host->fd < 0)
        kckpt_fail(c, "%.100s: %s", host->path, strerrordesc_np(-host->fd));
    else
        host_check(c, host);
}

void kckpt_load_hosts(struct kckpt *c)
{
    uint32_t count;

    ckpt_enter_subsection(c->r, NULL);
    count = kckpt_get_u32(c, "num_hosts", 1 << 22);
    c->hosts = alloc_zeroed((size_t)count + 1, sizeof(*c->hosts));
    for (c->num_hosts = 0; c->num_hosts < count && !c->error;) {
        struct kckpt_host *host = &c->hosts[c->num_hosts++];

        host->fd = -1;
        kckpt_section(c, "host.%u", c->num_hosts);
        host_load(c, host);
    }
}

int kckpt_host_open(struct kckpt *c, uint32_t id, int flags)
{
    int fd;

    if (c->error || !id || id > c->num_hosts)
        return -1;
    /* A link can only be held by its path, which has no position. */
    fd = S_ISLNK(c->hosts[id - 1].mode)
             ? fcntl(c->hosts[id - 1].fd, F_DUPFD_CLOEXEC, 3)
             : host_reopen(c->hosts[id - 1].fd, flags);
    if (fd < 0)
        kckpt_fail(c, "%.100s: %s", c->hosts[id - 1].path,
                   strerrordesc_np(errno));
    return fd;
}

void kckpt_release_hosts(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->num_hosts; i++) {
        mem_free(c->hosts[i].path);
        if (c->r && c->hosts[i].fd >= 0)
            (void)close(c->hosts[i].fd);
    }
    mem_free(c->hosts);
    c->hosts = NULL;
    c->num_hosts = 0;
}
