/* SPDX-License-Identifier: BSD-3-Clause */
/* /dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom and /dev/mem.
 * Random bytes come from the simulation's seed. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "base/compiler.h"
#include "sim/pseudo_op.h"

static int64_t file_null_read(struct file *file, const struct file_io *io)
{
    (void)file;
    (void)io;
    return 0;
}

static int64_t file_null_write(struct file *file, const struct file_io *io)
{
    (void)file;
    return (int64_t)file_io_len(io);
}

static int64_t file_full_write(struct file *file, const struct file_io *io)
{
    (void)file;
    (void)io;
    return -ENOSPC;
}

static int64_t file_zero_read(struct file *file, const struct file_io *io)
{
    (void)file;
    for (int i = 0; i < io->count; i++)
        memset(io->iov[i].iov_base, 0, io->iov[i].iov_len);
    return (int64_t)file_io_len(io);
}

static int64_t file_random_read(struct file *file, const struct file_io *io)
{
    for (int i = 0; i < io->count; i++)
        kernel_random_bytes(file->kernel, io->iov[i].iov_base,
                            io->iov[i].iov_len);
    return (int64_t)file_io_len(io);
}

static int64_t file_dev_seek(struct file *file, int64_t offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

static int file_zero_map(struct file *file, struct vm_object **out)
{
    /* Each mapping gets memory of its own. */
    *out = vm_object_create_memory(&file->kernel->objects, file->path);
    (*out)->size = UINT64_MAX / 2;
    return 0;
}

/* Only the window of pseudo operations can be seen through it. */
static int file_mem_map(struct file *file, struct vm_object **out)
{
    const struct kernel_cfg *cfg = &file->kernel->cfg;
    const gpa_t window = {cfg->pseudo_window};

    *out =
        vm_object_create_device(&file->kernel->objects, file->path,
                                cfg->pseudo_offset, window, PSEUDO_WINDOW_SIZE);
    return 0;
}

static int file_dev_stat(struct file *file, struct stat *st);

const struct file_ops file_null_ops = {
    .kind = "null",
    .save = file_save_nothing,
    .load = file_load_nothing,
    .read = file_null_read,
    .write = file_null_write,
    .seek = file_dev_seek,
    .stat = file_dev_stat,
};
const struct file_ops file_zero_ops = {
    .kind = "zero",
    .save = file_save_nothing,
    .load = file_load_nothing,
    .read = file_zero_read,
    .write = file_null_write,
    .seek = file_dev_seek,
    .stat = file_dev_stat,
    .map = file_zero_map,
};
const struct file_ops file_full_ops = {
    .kind = "full",
    .save = file_save_nothing,
    .load = file_load_nothing,
    .read = file_zero_read,
    .write = file_full_write,
    .seek = file_dev_seek,
    .stat = file_dev_stat,
};
const struct file_ops file_random_ops = {
    .kind = "random",
    .save = file_save_nothing,
    .load = file_load_nothing,
    .read = file_random_read,
    .write = file_null_write,
    .seek = file_dev_seek,
    .stat = file_dev_stat,
};

const struct file_ops file_mem_ops = {
    .kind = "mem",
    .save = file_save_nothing,
    .load = file_load_nothing,
    .seek = file_dev_seek,
    .stat = file_dev_stat,
    .map = file_mem_map,
};

static const struct file_dev {
    const char *path;
    const struct file_ops *ops;
    unsigned minor; /* of major 1 */
} file_devs[] = {
    {"/dev/mem",     &file_mem_ops,    1},
    {"/dev/null",    &file_null_ops,   3},
    {"/dev/zero",    &file_zero_ops,   5},
    {"/dev/full",    &file_full_ops,   7},
    {"/dev/random",  &file_random_ops, 8},
    {"/dev/urandom", &file_random_ops, 9},
};

static int file_dev_stat(struct file *file, struct stat *st)
{
    st->st_mode = S_IFCHR | 0666;
    st->st_nlink = 1;
    st->st_blksize = 4096;
    st->st_dev = 6;
    for (size_t i = 0; i < SIM_ARRAY_LEN(file_devs); i++) {
        if (strcmp(file_devs[i].path, file->path) != 0)
            continue;
        st->st_rdev = makedev(1, file_devs[i].minor);
        st->st_ino = file_devs[i].minor + 1;
    }
    return 0;
}

struct file *file_dev_create(struct kernel *kernel, uint32_t flags,
                             const char *path)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(file_devs); i++) {
        if (!strcmp(file_devs[i].path, path))
            return file_create(kernel, file_devs[i].ops, flags, path);
    }
    return NULL;
}
