/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and directories whose content is made when they are opened: /proc,
 * /sys and the directory of /dev. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

static int64_t file_text_read(struct file *file, const struct file_io *io)
{
    const struct file_text *text = file->priv;
    uint64_t at = io->offset >= 0 ? (uint64_t)io->offset : file->pos;
    uint64_t done;

    if (at >= text->len)
        return 0;
    done = file_io_put(io, text->data + at, text->len - at);
    if (io->offset < 0)
        file->pos += done;
    return (int64_t)done;
}

static int64_t file_text_seek(struct file *file, int64_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += (int64_t)file->pos;
    else if (whence == SEEK_END)
        offset += (int64_t)((const struct file_text *)file->priv)->len;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    file->pos = (uint64_t)offset;
    return offset;
}

static int file_text_stat(struct file *file, struct stat *st)
{
    st->st_mode = (file->ops->readdir ? S_IFDIR | 0555 : S_IFREG | 0444);
    st->st_ino = file->id;
    st->st_dev = 0x15;
    st->st_nlink = file->ops->readdir ? 2 : 1;
    st->st_blksize = 1024;
    return 0;
}

static void file_text_release(struct file *file)
{
    struct file_text *text = file->priv;

    mem_free(text->data);
    mem_free(text);
}

/* The position counts names: 0 is ".", 1 is "..", the text follows. */
static int file_list_readdir(struct file *file, file_dirent_fn emit, void *ctx)
{
    const char *name = ((const struct file_text *)file->priv)->data;
    uint64_t index = 0;

    for (; index < 2; index++) {
        if (index < file->pos)
            continue;
        if (!emit(ctx, index ? ".." : ".", file->id, DT_DIR,
                  (int64_t)index + 1))
            return 0;
        file->pos = index + 1;
    }
    for (; *name; index++) {
        size_t len = strcspn(name, "\n");
        char *one = alloc_printf("%.*s", (int)len, name);
        bool more = true;

        if (index >= file->pos) {
            more = emit(ctx, one, file->id + index, DT_UNKNOWN,
                        (int64_t)index + 1);
            if (more)
                file->pos = index + 1;
        }
        mem_free(one);
        if (!more)
            return 0;
        name += len + (name[len] == '\n');
    }
    return 0;
}

static void file_text_save(const struct file *file, struct kckpt *c)
{
    const struct file_text *text = file->priv;

    ckpt_put_bytes(c->w, "text", text->data, text->len);
}

static void file_text_load(struct file *file, struct kckpt *c)
{
    struct file_text *text = alloc_zeroed(1, sizeof(*text));

    /* One zero byte more than len. */
    text->data = (char *)kckpt_get_bytes(c, "text", &text->len);
    file->priv = text;
}

const struct file_ops file_text_ops = {
    .kind = "text",
    .save = file_text_save,
    .load = file_text_load,
    .read = file_text_read,
    .seek = file_text_seek,
    .stat = file_text_stat,
    .release = file_text_release,
};

const struct file_ops file_list_ops = {
    .kind = "list",
    .save = file_text_save,
    .load = file_text_load,
    .seek = file_text_seek,
    .stat = file_text_stat,
    .readdir = file_list_readdir,
    .release = file_text_release,
};

static struct file *file_text_open(struct kernel *kernel,
                                   const struct file_ops *ops, uint32_t flags,
                                   const char *path,
                                   const struct file_text *text)
{
    struct file *file = file_create(kernel, ops, flags, path);
    struct file_text *copy = alloc_zeroed(1, sizeof(*copy));

    *copy = *text;
    file->priv = copy;
    return file;
}

struct file *file_text_create(struct kernel *kernel, uint32_t flags,
                              const char *path, const struct file_text *text)
{
    return file_text_open(kernel, &file_text_ops, flags, path, text);
}

struct file *file_list_create(struct kernel *kernel, uint32_t flags,
                              const char *path, const struct file_text *names)
{
    return file_text_open(kernel, &file_list_ops, flags, path, names);
}
