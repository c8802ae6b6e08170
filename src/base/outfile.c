/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Atomic output; see the header.  Source: [POSIX] rename(), fsync(); an
 * existing directory cannot be renamed over, so it is exchanged ([man]
 * renameat2(2)) or, where the file system cannot do that, moved aside first.
 */
#include "base/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { MAX_TRIES = 1000 };

/* The directory that holds @path; the caller frees it. */
static char *parent_of(const char *path)
{
    char *parent = alloc_strdup(path);
    char *slash = strrchr(parent, '/');

    if (!slash) {
        mem_free(parent);
        return alloc_strdup(".");
    }
    slash[slash == parent] = '\0'; /* keep the root's slash */
    return parent;
}

static int make_dirs(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0777); /* the last one tells */
        *slash = '/';
    }
    if (mkdir(path, 0777) && errno != EEXIST)
        return -errno;
    return 0;
}

static int make_parents(const char *path)
{
    char *parent = parent_of(path);
    int err = make_dirs(parent);

    mem_free(parent);
    return err;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int err = 0;

    if (fd < 0)
        return -errno;
    /* EINVAL: this file system has nothing to sync there. */
    if (fsync(fd) && errno != EINVAL)
        err = -errno;
    (void)close(fd);
    return err;
}

static int sync_parent(const char *path)
{
    char *parent = parent_of(path);
    int err = sync_path(parent, O_DIRECTORY);

    mem_free(parent);
    return err;
}

/* Call @make for one temporary name after another until it does not exist. */
static int make_unique(const char *path, char **tmp, int (*make)(const char *))
{
    int result = -EEXIST;

    for (unsigned int i = 0; i < MAX_TRIES && result == -EEXIST; i++) {
        *tmp = alloc_printf("%s.tmp-%ld-%u", path, (long)getpid(), i);
        result = make(*tmp);
        if (result < 0)
            mem_free(*tmp);
    }
    return result;
}

/* ------------------------------------------------------------------- files */

static int make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    return fd < 0 ? -errno : fd;
}

int outfile_open(struct outfile *file, const char *path)
{
    int fd = make_parents(path);

    memset(file, 0, sizeof(*file));
    if (!fd)
        fd = make_unique(path, &file->tmp, make_file);
    if (fd < 0)
        return fd;
    file->path = alloc_strdup(path);
    file->stream = fdopen(fd, "w");
    if (!file->stream) {
        int err = -errno;

        (void)close(fd);
        outfile_abort(file);
        return err;
    }
    return 0;
}

static int flush(struct outfile *file)
{
    errno = 0;
    if (fflush(file->stream) || ferror(file->stream))
        return errno ? -errno : -EIO;
    return 0;
}

static int put_file_in_place(struct outfile *file, int err)
{
    if (fclose(file->stream) && !err)
        err = -errno;
    file->stream = NULL;
    if (!err && rename(file->tmp, file->path))
        err = -errno;
    return err;
}

int outfile_commit(struct outfile *file)
{
    int err = flush(file);

    if (!err && fsync(fileno(file->stream)) && errno != EINVAL)
        err = -errno;
    err = put_file_in_place(file, err);
    if (!err)
        err = sync_parent(file->path);
    outfile_abort(file);
    return err;
}

int outfile_publish(struct outfile *file)
{
    int err = put_file_in_place(file, flush(file));

    outfile_abort(file);
    return err;
}

void outfile_abort(struct outfile *file)
{
    if (file->stream)
        (void)fclose(file->stream);
    if (file->tmp)
        (void)unlink(file->tmp); /* gone already after a commit */
    mem_free(file->tmp);
    mem_free(file->path);
    memset(file, 0, sizeof(*file));
}

/* ------------------------------------------------------------- directories */

static bool is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Call @visit for the path of each entry of directory @path. */
static int for_each_entry(const char *path, int (*visit)(const char *path))
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int err = 0;

    if (!dir)
        return -errno;
    while (!err && (entry = readdir(dir))) {
        char *below;

        if (is_dots(entry->d_name))
            continue;
        below = alloc_printf("%s/%s", path, entry->d_name);
        err = visit(below);
        mem_free(below);
    }
    (void)closedir(dir);
    return err;
}

static bool is_dir(const char *path)
{
    struct stat info;

    return !lstat(path, &info) && S_ISDIR(info.st_mode);
}

static int remove_tree(const char *path)
{
    if (is_dir(path))
        (void)for_each_entry(path, remove_tree);
    if (remove(path))
        return -errno;
    return 0;
}

static int sync_tree(const char *path)
{
    if (is_dir(path)) {
        int err = for_each_entry(path, sync_tree);

        return err ? err : sync_path(path, O_DIRECTORY);
    }
    return sync_path(path, O_NOFOLLOW);
}

static int make_dir(const char *path)
{
    return mkdir(path, 0777) ? -errno : 0;
}

int outdir_open(struct outdir *dir, const char *path)
{
    size_t len = strlen(path);
    int err;

    memset(dir, 0, sizeof(*dir));
    dir->path = alloc_strdup(path);
    while (len > 1 && dir->path[len - 1] == '/')
        dir->path[--len] = '\0';
    err = make_parents(dir->path);
    if (!err)
        err = make_unique(dir->path, &dir->tmp, make_dir);
    if (err) {
        dir->tmp = NULL;
        outdir_abort(dir);
    }
    return err;
}

/* For file systems that cannot exchange two names. */
static int move_aside(const struct outdir *dir)
{
    char *old = alloc_printf("%s.old", dir->tmp);
    int err = rename(dir->path, old) ? -errno : 0;

    if (!err && rename(dir->tmp, dir->path)) {
        err = -errno;
        (void)rename(old, dir->path);
    }
    if (!err)
        (void)remove_tree(old);
    mem_free(old);
    return err;
}

/* Afterwards the temporary name holds what was there before. */
static int put_in_place(const struct outdir *dir)
{
    if (!rename(dir->tmp, dir->path))
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -errno;
    if (!renameat2(AT_FDCWD, dir->tmp, AT_FDCWD, dir->path, RENAME_EXCHANGE))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    return move_aside(dir);
}

int outdir_commit(struct outdir *dir)
{
    int err = sync_tree(dir->tmp);

    if (!err)
        err = put_in_place(dir);
    if (!err)
        err = sync_parent(dir->path);
    outdir_abort(dir);
    return err;
}

void outdir_abort(struct outdir *dir)
{
    if (dir->tmp)
        (void)remove_tree(dir->tmp);
    mem_free(dir->tmp);
    mem_free(dir->path);
    memset(dir, 0, sizeof(*dir));
}
