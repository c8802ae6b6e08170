/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of the host: regular files and directories that vfs.c opened, and the
 * streams the simulation was given as standard input and outputs.  Reading a
 * stream that is empty gives -EAGAIN; sched.c waits on the host when nothing
 * else can run.  Writing to a stream may block the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/compiler.h"
#include "sim/checkpoint.h"

static bool file_host_is_stream(const struct file *file)
{
    return file->priv != NULL;
}

static short file_host_ready(const struct file *file, short events)
{
    struct pollfd pfd = {.fd = file->host_fd, .events = events};

    if (poll(&pfd, 1, 0) < 0)
        return POLLERR;
    return pfd.revents;
}

/* The page cache may hold newer bytes that a shared mapping wrote. */
static void file_host_sync(const struct file *file)
{
    struct stat st;
    struct vm_object *object;

    if (fstat(file->host_fd, &st) < 0)
        return;
    object = vm_object_find(&file->kernel->objects, st.st_dev, st.st_ino);
    if (object && object->num_shared)
        kernel_sync_object(file->kernel, object);
}

static void file_host_changed(const struct file *file, uint64_t offset,
                              uint64_t len)
{
    struct stat st;
    struct vm_object *object;

    if (!file->kernel->objects.first || fstat(file->host_fd, &st) < 0)
        return;
    object = vm_object_find(&file->kernel->objects, st.st_dev, st.st_ino);
    if (object)
        vm_object_refresh(object, offset, len);
}

static int64_t file_host_read(struct file *file, const struct file_io *io)
{
    ssize_t got;

    if (file_host_is_stream(file)) {
        if (io->offset >= 0)
            return -ESPIPE;
        if (!file_host_ready(file, POLLIN))
            return -EAGAIN;
    } else if (file->kernel->objects.first) {
        file_host_sync(file);
    }
    got = io->offset >= 0
              ? preadv(file->host_fd, io->iov, io->count, io->offset)
              : readv(file->host_fd, io->iov, io->count);
    return got < 0 ? -errno : got;
}

static int64_t file_host_write(struct file *file, const struct file_io *io)
{
    ssize_t put;

    if (file_host_is_stream(file) && io->offset >= 0)
        return -ESPIPE;
    put = io->offset >= 0
              ? pwritev(file->host_fd, io->iov, io->count, io->offset)
              : writev(file->host_fd, io->iov, io->count);
    if (put < 0)
        return -errno;
    if (!file_host_is_stream(file)) {
        int64_t end = io->offset >= 0 ? io->offset + put
                                      : lseek(file->host_fd, 0, SEEK_CUR);

        if (end >= put)
            file_host_changed(file, (uint64_t)(end - put), (uint64_t)put);
    }
    return put;
}

static int64_t file_host_seek(struct file *file, int64_t offset, int whence)
{
    int64_t result = lseek(file->host_fd, offset, whence);

    return result < 0 ? -errno : result;
}

static uint32_t file_host_poll(struct file *file)
{
    if (!file_host_is_stream(file))
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    file->kernel->has_polled_host = true;
    return (uint32_t)file_host_ready(file, POLLIN | POLLOUT | POLLRDNORM |
                                               POLLWRNORM | POLLPRI);
}

static int file_host_stat(struct file *file, struct stat *st)
{
    file_host_sync(file);
    return fstat(file->host_fd, st) < 0 ? -errno : 0;
}

struct host_dirent { /* linux_dirent64 */
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

static int file_host_readdir(struct file *file, file_dirent_fn emit, void *ctx)
{
    SIM_ALIGNAS(8) char buffer[4096];

    for (;;) {
        long got =
            syscall(SYS_getdents64, file->host_fd, buffer, sizeof(buffer));

        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (long at = 0; at < got;) {
            const struct host_dirent *entry =
                (const struct host_dirent *)(const void *)(buffer + at);

            if (!emit(ctx, entry->name, entry->ino, entry->type, entry->off))
                return 0;
            /* The position follows what the guest has seen. */
            (void)lseek(file->host_fd, entry->off, SEEK_SET);
            at += entry->len;
        }
    }
}

static const struct {
    uint32_t request, len;
} terminal_requests[] = {
    {TCGETS,     36},
    {TCSETS,     36},
    {TCSETSW,    36},
    {TCSETSF,    36},
    {TIOCGWINSZ, 8 },
    {FIONREAD,   4 },
};

static int64_t file_host_ioctl(struct file *file, uint32_t request, void *data,
                               uint32_t len)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(terminal_requests); i++) {
        if (terminal_requests[i].request != request)
            continue;
        if (len < terminal_requests[i].len)
            return -EINVAL;
        if (ioctl(file->host_fd, request, data) < 0)
            return -errno;
        return 0;
    }
    return -ENOTTY;
}

static int file_host_truncate(struct file *file, uint64_t size)
{
    if ((file->flags & O_ACCMODE) == O_RDONLY)
        return -EINVAL;
    if (ftruncate(file->host_fd, (off_t)size) < 0)
        return -errno;
    file_host_changed(file, size, UINT64_MAX - size);
    return 0;
}

static int file_host_map(struct file *file, struct vm_object **out)
{
    bool can_write = (file->flags & O_ACCMODE) != O_RDONLY;

    return vm_object_of_file(&file->kernel->objects, file->host_fd,
                             can_write ? file->host_fd : -1, file->path, out);
}

/* ---------------------------------------------------------------- checkpoints
 */

/* What a description keeps besides what the guest set. */
enum {
    HOST_FLAGS =
        O_ACCMODE | O_APPEND | O_PATH | O_SYNC | O_DIRECTORY | O_NONBLOCK
};

static void file_host_save(const struct file *file, struct kckpt *c)
{
    bool is_inherited = file->stdio.kind == FILE_STDIO_INHERITED;
    bool is_stream = file_host_is_stream(file) && !(file->flags & O_PATH);
    int64_t pos = lseek(file->host_fd, 0, SEEK_CUR);
    uint64_t stdio[3] = {file->stdio.kind, file->stdio.pid, file->stdio.number};
    uint32_t host = 0;

    if (is_stream && file->stdio.kind == FILE_STDIO_NONE)
        kckpt_refuse(c, file, "a stream of the host cannot be opened again");
    if (!is_stream && !is_inherited)
        host = kckpt_host_add(c, file->host_fd, file->path, file);
    ckpt_put_u64s(c->w, "stdio", stdio, 3);
    ckpt_put_u64(c->w, "host", host);
    ckpt_put_u64(c->w, "host_flags",
                 (uint64_t)fcntl(file->host_fd, F_GETFL) & HOST_FLAGS);
    /* Whoever gave us an output may move on; an input is read on. */
    ckpt_put_u64(
        c->w, "host_pos",
        pos > 0 && !(is_inherited && file->stdio.number) ? (uint64_t)pos : 0);
}

static int file_host_reopen_stdio(const struct file *file, struct kckpt *c)
{
    const struct kernel_host *host = &file->kernel->cfg.host;
    int fd = host->open_stdio ? host->open_stdio(host->ctx, file->stdio.pid,
                                                 (int)file->stdio.number)
                              : -ENOENT;

    if (fd < 0)
        kckpt_fail(c, "standard stream %u of process %u: %s",
                   file->stdio.number, file->stdio.pid, strerrordesc_np(-fd));
    return fd;
}

static void file_host_load(struct file *file, struct kckpt *c)
{
    uint64_t stdio[3] = {0};
    uint32_t host = kckpt_get_u32(c, "host", c->num_hosts);
    int flags = (int)kckpt_get_u32(c, "host_flags", INT32_MAX);
    uint64_t pos = kckpt_get_u64(c, "host_pos");
    int fd = -1;

    if (!c->error)
        c->error = ckpt_get_u64s(c->r, "stdio", stdio, 3);
    file->stdio.kind = stdio[0] <= FILE_STDIO_NAMED
                           ? (enum file_stdio_kind)stdio[0]
                           : FILE_STDIO_NONE;
    file->stdio.pid = (uint32_t)stdio[1];
    file->stdio.number = (uint32_t)stdio[2];
    if (!c->error && host)
        fd = kckpt_host_open(c, host, flags & HOST_FLAGS);
    else if (!c->error && file->stdio.kind != FILE_STDIO_NONE)
        fd = file_host_reopen_stdio(file, c);
    else if (!c->error)
        kckpt_fail(c, "key host: must not be 0");
    if (fd < 0)
        return;
    file_host_attach(file, fd);
    /* A pipe that is the input now begins where the last one was left. */
    if (pos && lseek(fd, (off_t)pos, SEEK_SET) < 0 &&
        !file_host_is_stream(file))
        kckpt_fail(c, "%.100s: %s", file->path, strerrordesc_np(errno));
}

const struct file_ops file_host_ops = {
    .name = NULL,
    .kind = "host",
    .save = file_host_save,
    .load = file_host_load,
    .read = file_host_read,
    .write = file_host_write,
    .seek = file_host_seek,
    .poll = file_host_poll,
    .stat = file_host_stat,
    .ioctl = file_host_ioctl,
    .truncate = file_host_truncate,
    .map = file_host_map,
};

const struct file_ops file_host_dir_ops = {
    .name = NULL,
    .kind = "directory",
    .save = file_host_save,
    .load = file_host_load,
    .seek = file_host_seek,
    .stat = file_host_stat,
    .readdir = file_host_readdir,
};

void file_host_attach(struct file *file, int host_fd)
{
    struct stat st;

    if (fstat(host_fd, &st) < 0)
        memset(&st, 0, sizeof(st));
    file->host_fd = host_fd;
    file->ops = S_ISDIR(st.st_mode) ? &file_host_dir_ops : &file_host_ops;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        file->priv = file;
        file->channel = &file->kernel->host_channel;
    }
}

struct file *file_host_create(struct kernel *kernel, int host_fd,
                              uint32_t flags, const char *path)
{
    struct file *file = file_create(kernel, &file_host_ops, flags, path);

    file_host_attach(file, host_fd);
    return file;
}

bool file_is_host(const struct file *file)
{
    return file->ops == &file_host_ops || file->ops == &file_host_dir_ops;
}
