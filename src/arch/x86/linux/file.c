/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptions with their reference counts, and descriptor tables. */
#include "arch/x86/linux/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/file_lock.h"
#include "arch/x86/linux/inotify.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"

struct file *file_create(struct kernel *kernel, const struct file_ops *ops,
                         uint32_t flags, const char *path)
{
    struct file *file = alloc_zeroed(1, sizeof(*file));

    file->ops = ops;
    file->kernel = kernel;
    file->refs = 1;
    file->flags = flags;
    file->host_fd = -1;
    file->channel = file;
    file->path = alloc_strdup(path);
    file->id = ++kernel->last_file_id;
    return file;
}

struct file *file_get(struct file *file)
{
    file->refs++;
    return file;
}

void file_put(struct file *file)
{
    if (!file || --file->refs)
        return;
    if (file->is_told)
        inotify_file(file, (file->flags & O_ACCMODE) == O_RDONLY
                               ? IN_CLOSE_NOWRITE
                               : IN_CLOSE_WRITE);
    if (file->num_epolls || file_is_epoll(file))
        file_epoll_forget(file->kernel, file);
    file_lock_released(file);
    if (file->ops->release)
        file->ops->release(file);
    if (file->host_fd >= 0)
        (void)close(file->host_fd);
    mem_free(file->path);
    mem_free(file);
}

static void file_rename(struct file *file, const char *from, const char *to)
{
    size_t len = strlen(from);
    char *path;

    if (!file || file->host_fd < 0 || strncmp(file->path, from, len) != 0 ||
        (file->path[len] && file->path[len] != '/'))
        return;
    path = alloc_printf("%s%s", to, file->path + len);
    mem_free(file->path);
    file->path = path;
}

void file_renamed(struct kernel *kernel, const char *from, const char *to)
{
    for (const struct process *p = kernel->processes; p; p = p->next) {
        for (uint32_t i = 0; p->files && i < p->files->len; i++)
            file_rename(p->files->entries[i].file, from, to);
    }
}

int64_t file_read(struct file *file, const struct file_io *io)
{
    int64_t result;

    if ((file->flags & O_ACCMODE) == O_WRONLY || (file->flags & O_PATH))
        return -EBADF;
    if (!file->ops->read)
        return file->ops->readdir ? -EISDIR : -EINVAL;
    result = file->ops->read(file, io);
    if (result > 0)
        inotify_file(file, IN_ACCESS);
    return result;
}

int64_t file_write(struct file *file, const struct file_io *io)
{
    int64_t result;

    if ((file->flags & O_ACCMODE) == O_RDONLY || (file->flags & O_PATH))
        return -EBADF;
    result = file->ops->write ? file->ops->write(file, io) : -EINVAL;
    if (result > 0)
        inotify_file(file, IN_MODIFY);
    return result;
}

uint32_t file_poll(struct file *file)
{
    return file->ops->poll ? file->ops->poll(file)
                           : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

int file_stat(struct file *file, struct stat *st)
{
    memset(st, 0, sizeof(*st));
    if (file->ops->stat)
        return file->ops->stat(file, st);
    st->st_dev = 0xe;
    st->st_ino = file->id;
    st->st_nlink = 1;
    st->st_mode = S_IRUSR | S_IWUSR;
    st->st_blksize = 4096;
    return 0;
}

uint64_t file_io_len(const struct file_io *io)
{
    uint64_t len = 0;

    for (int i = 0; i < io->count; i++)
        len += io->iov[i].iov_len;
    return len;
}

uint64_t file_io_put(const struct file_io *io, const void *data, uint64_t len)
{
    const uint8_t *from = data;
    uint64_t done = 0;

    for (int i = 0; i < io->count && done < len; i++) {
        uint64_t part = io->iov[i].iov_len;

        if (part > len - done)
            part = len - done;
        memcpy(io->iov[i].iov_base, from + done, part);
        done += part;
    }
    return done;
}

uint64_t file_io_take(const struct file_io *io, void *data, uint64_t len)
{
    uint8_t *to = data;
    uint64_t done = 0;

    for (int i = 0; i < io->count && done < len; i++) {
        uint64_t part = io->iov[i].iov_len;

        if (part > len - done)
            part = len - done;
        memcpy(to + done, io->iov[i].iov_base, part);
        done += part;
    }
    return done;
}

bool file_is_regular(const struct file *file)
{
    return file->ops->map && file->channel == file;
}

/* -------------------------------------------------------------- descriptors */

/* A descriptor of @table to @file is gone. */
static void fd_table_drop(const struct fd_table *table, struct file *file)
{
    if (!file)
        return;
    file_lock_closed(table, file);
    file_put(file);
}

struct fd_table *fd_table_create(void)
{
    struct fd_table *table = alloc_zeroed(1, sizeof(*table));

    table->refs = 1;
    table->limit = 1024;
    return table;
}

struct fd_table *fd_table_get(struct fd_table *table)
{
    table->refs++;
    return table;
}

void fd_table_put(struct fd_table *table)
{
    if (!table || --table->refs)
        return;
    for (uint32_t i = 0; i < table->len; i++)
        fd_table_drop(table, table->entries[i].file);
    mem_free(table->entries);
    mem_free(table);
}

struct fd_table *fd_table_copy(const struct fd_table *table)
{
    struct fd_table *copy = fd_table_create();

    copy->limit = table->limit;
    copy->len = table->len;
    copy->entries = alloc_zeroed(table->len, sizeof(*copy->entries));
    for (uint32_t i = 0; i < table->len; i++) {
        copy->entries[i] = table->entries[i];
        if (copy->entries[i].file)
            (void)file_get(copy->entries[i].file);
    }
    return copy;
}

void fd_table_close_on_exec(struct fd_table *table)
{
    for (uint32_t i = 0; i < table->len; i++) {
        if (table->entries[i].file && table->entries[i].is_cloexec)
            (void)fd_table_close(table, i);
    }
}

static void fd_table_grow(struct fd_table *table, uint32_t len)
{
    uint32_t new_len = table->len ? table->len : 16;

    while (new_len < len)
        new_len *= 2;
    if (new_len == table->len)
        return;
    table->entries =
        alloc_resize(table->entries, new_len, sizeof(*table->entries));
    memset(&table->entries[table->len], 0,
           (new_len - table->len) * sizeof(*table->entries));
    table->len = new_len;
}

int fd_table_add(struct fd_table *table, struct file *file, uint32_t from,
                 uint32_t open_flags)
{
    uint32_t fd = from;

    while (fd < table->len && table->entries[fd].file)
        fd++;
    if (fd >= table->limit) {
        file_put(file);
        return -EMFILE;
    }
    fd_table_grow(table, fd + 1);
    table->entries[fd].file = file;
    table->entries[fd].is_cloexec = (open_flags & O_CLOEXEC) != 0;
    return (int)fd;
}

int fd_table_set(struct fd_table *table, uint32_t fd, struct file *file,
                 uint32_t open_flags)
{
    struct file *old;

    if (fd >= table->limit) {
        file_put(file);
        return -EBADF;
    }
    fd_table_grow(table, fd + 1);
    old = table->entries[fd].file;
    table->entries[fd].file = file;
    table->entries[fd].is_cloexec = (open_flags & O_CLOEXEC) != 0;
    fd_table_drop(table, old);
    return (int)fd;
}

void fd_table_restore(struct fd_table *table, uint32_t fd, struct file *file,
                      enum fd_on_exec on_exec)
{
    fd_table_grow(table, fd + 1);
    table->entries[fd].file = file_get(file);
    table->entries[fd].is_cloexec = on_exec == FD_CLOSES;
}

struct file *fd_table_find(const struct fd_table *table, uint64_t fd)
{
    return fd < table->len ? table->entries[fd].file : NULL;
}

int fd_table_close(struct fd_table *table, uint64_t fd)
{
    struct file *file = fd_table_find(table, fd);

    if (!file)
        return -EBADF;
    table->entries[fd].file = NULL;
    fd_table_drop(table, file);
    return 0;
}
