/* SPDX-License-Identifier: BSD-3-Clause */
/* memfd: a file that lives in guest RAM and can be mapped. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

static int64_t file_memory_read(struct file *file, const struct file_io *io)
{
    uint64_t at = io->offset >= 0 ? (uint64_t)io->offset : file->pos;
    int64_t done = 0;

    for (int i = 0; i < io->count; i++) {
        int64_t got = vm_object_read(file->priv, at + (uint64_t)done,
                                     io->iov[i].iov_base, io->iov[i].iov_len);

        done += got;
        if ((uint64_t)got < io->iov[i].iov_len)
            break;
    }
    if (io->offset < 0)
        file->pos += (uint64_t)done;
    return done;
}

static int64_t file_memory_write(struct file *file, const struct file_io *io)
{
    const struct vm_object *object = file->priv;
    uint64_t at = io->offset >= 0 ? (uint64_t)io->offset : file->pos;
    int64_t done = 0;

    if (file->flags & O_APPEND)
        at = object->size;
    for (int i = 0; i < io->count; i++) {
        int64_t put = vm_object_write(file->priv, at + (uint64_t)done,
                                      io->iov[i].iov_base, io->iov[i].iov_len);

        if (put < 0)
            return done ? done : put;
        done += put;
    }
    if (io->offset < 0)
        file->pos = at + (uint64_t)done;
    return done;
}

static int64_t file_memory_seek(struct file *file, int64_t offset, int whence)
{
    const struct vm_object *object = file->priv;

    if (whence == SEEK_CUR)
        offset += (int64_t)file->pos;
    else if (whence == SEEK_END)
        offset += (int64_t)object->size;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    file->pos = (uint64_t)offset;
    return offset;
}

static int file_memory_stat(struct file *file, struct stat *st)
{
    const struct vm_object *object = file->priv;

    st->st_mode = S_IFREG | 0777;
    st->st_ino = file->id;
    st->st_dev = 1;
    st->st_nlink = 0;
    st->st_size = (off_t)object->size;
    st->st_blocks = (blkcnt_t)((object->size + 4095) / 4096 * 8);
    st->st_blksize = 4096;
    return 0;
}

static int file_memory_truncate(struct file *file, uint64_t size)
{
    vm_object_truncate(file->priv, size);
    return 0;
}

static int file_memory_map(struct file *file, struct vm_object **out)
{
    *out = vm_object_get(file->priv);
    return 0;
}

static void file_memory_release(struct file *file)
{
    vm_object_put(file->priv);
}

static void file_memory_save(const struct file *file, struct kckpt *c)
{
    ckpt_put_u64(c->w, "object", kckpt_id(&c->objects, file->priv));
}

static void file_memory_load(struct file *file, struct kckpt *c)
{
    struct vm_object *object = kckpt_get_needed(c, "object", &c->objects);

    file->priv = object ? vm_object_get(object) : NULL;
}

const struct file_ops file_memory_ops = {
    .kind = "memory",
    .save = file_memory_save,
    .load = file_memory_load,
    .read = file_memory_read,
    .write = file_memory_write,
    .seek = file_memory_seek,
    .stat = file_memory_stat,
    .truncate = file_memory_truncate,
    .map = file_memory_map,
    .release = file_memory_release,
};

struct file *file_memory_create(struct kernel *kernel, uint32_t flags,
                                const char *name)
{
    char *path = alloc_printf("/memfd:%s (deleted)", name);
    struct file *file = file_create(kernel, &file_memory_ops, flags, path);

    file->priv = vm_object_create_memory(&kernel->objects, path);
    mem_free(path);
    return file;
}
