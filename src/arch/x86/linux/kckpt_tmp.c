/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The programs' private /tmp.  It lies in the output directory of one run, so
 * that a checkpoint has to take it along; a restored run finds in its own
 * private /tmp exactly what was saved.  Sockets are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86/linux/kckpt.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

struct tmp_entry {
    char *path; /* below the directory */
    uint32_t mode;
    int64_t mtime_s, mtime_ns;
    uint64_t size, content;
    char *target; /* of a link */
};

static const struct sim_field tmp_fields[] = {
    KCKPT_FIELD_STR(struct tmp_entry, path),
    KCKPT_FIELD(struct tmp_entry, mode),
    KCKPT_FIELD(struct tmp_entry, mtime_s),
    KCKPT_FIELD(struct tmp_entry, mtime_ns),
    KCKPT_FIELD(struct tmp_entry, size),
    KCKPT_FIELD(struct tmp_entry, content),
    KCKPT_FIELD_STR(struct tmp_entry, target),
    SIM_END,
};

static void tmp_free(struct tmp_entry *entry)
{
    mem_free(entry->path);
    mem_free(entry->target);
}

/* --------------------------------------------------------------------- saving
 */

struct tmp_walk {
    struct kckpt *c;
    const char *dir;
    uint32_t count;
};

static void tmp_save_names(struct tmp_walk *walk, const char *below);

static void tmp_save_content(struct tmp_walk *walk, struct tmp_entry *entry,
                             const char *full)
{
    char target[PATH_MAX];
    ssize_t len;
    int fd;

    if (S_ISLNK(entry->mode)) {
        len = readlink(full, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        entry->target = alloc_strdup(target);
    } else if (S_ISREG(entry->mode)) {
        fd = open(full, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            kckpt_fail(walk->c, "%.100s: %s", full, strerrordesc_np(errno));
            return;
        }
        entry->content = kckpt_put_contents(walk->c, fd, entry->size);
        (void)close(fd);
    }
}

static void tmp_save_entry(struct tmp_walk *walk, const char *path)
{
    char *full = alloc_printf("%s/%s", walk->dir, path);
    struct tmp_entry entry = {0};
    struct stat st;

    if (lstat(full, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        entry.path = alloc_strdup(path);
        entry.mode = st.st_mode;
        entry.mtime_s = st.st_mtim.tv_sec;
        entry.mtime_ns = st.st_mtim.tv_nsec;
        entry.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
        tmp_save_content(walk, &entry, full);
        kckpt_section(walk->c, "tmp.%u", ++walk->count);
        ckpt_put_fields(walk->c->w, &entry, tmp_fields);
        if (S_ISDIR(st.st_mode))
            tmp_save_names(walk, path);
        tmp_free(&entry);
    }
    mem_free(full);
}

/* What is in a directory, in the order of names. */
static void tmp_save_names(struct tmp_walk *walk, const char *below)
{
    char *full = alloc_printf("%s/%s", walk->dir, below);
    struct dirent **names = NULL;
    int count = scandir(full, &names, NULL, alphasort);

    if (count < 0)
        kckpt_fail(walk->c, "%.100s: %s", full, strerrordesc_np(errno));
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        char *path = alloc_printf("%s%s%s", below, *below ? "/" : "", name);

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            tmp_save_entry(walk, path);
        mem_free(path);
        mem_free(names[i]);
    }
    mem_free(names);
    mem_free(full);
}

void kckpt_save_tmp(struct kckpt *c, const char *dir)
{
    struct tmp_walk walk = {.c = c, .dir = dir};

    if (dir && access(dir, F_OK) == 0)
        tmp_save_names(&walk, "");
    ckpt_subsection(c->w, NULL);
    ckpt_put_u64(c->w, "num_tmp", walk.count);
}

/* -------------------------------------------------------------------- loading
 */

/* Remove what is below the directory @fd, which is closed. */
static void tmp_clear(int fd)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        (void)close(fd);
        return;
    }
    while ((entry = readdir(dir))) {
        int below;

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        below = openat(fd, entry->d_name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            tmp_clear(below);
        (void)unlinkat(fd, entry->d_name, below >= 0 ? AT_REMOVEDIR : 0);
    }
    (void)closedir(dir);
}

/* A path that stays below the directory. */
static bool tmp_is_good(const struct tmp_entry *entry)
{
    const char *path = entry->path;

    if (!path || !*path || *path == '/')
        return false;
    while (path) {
        size_t len = strcspn(path, "/");

        if (!len || (len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path = path[len] ? path + len + 1 : NULL;
    }
    return !S_ISLNK(entry->mode) || entry->target;
}

static int tmp_make_file(struct kckpt *c, int dir,
                         const struct tmp_entry *entry)
{
    int fd = openat(dir, entry->path,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    entry->mode & 07777);

    if (fd < 0)
        return -errno;
    kckpt_get_contents(c, fd, entry->content, entry->size);
    (void)fchmod(fd, entry->mode & 07777);
    (void)close(fd);
    return 0;
}

static int tmp_make(struct kckpt *c, int dir, const struct tmp_entry *entry)
{
    mode_t mode = entry->mode & 07777;

    switch (entry->mode & S_IFMT) {
    case S_IFREG:
        return tmp_make_file(c, dir, entry);
    case S_IFDIR:
        return mkdirat(dir, entry->path, mode | S_IRWXU) < 0 ? -errno : 0;
    case S_IFLNK:
        return symlinkat(entry->target, dir, entry->path) < 0 ? -errno : 0;
    case S_IFIFO:
        return mkfifoat(dir, entry->path, mode) < 0 ? -errno : 0;
    default:
        return -EINVAL;
    }
}

/* Links are not followed: a path may not lead out through one. */
static void tmp_finish(int dir, const struct tmp_entry *entry)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT      },
        { .tv_sec = entry->mtime_s, .tv_nsec = entry->mtime_ns},
    };

    if (S_ISDIR(entry->mode))
        (void)fchmodat(dir, entry->path, entry->mode & 07777, 0);
    (void)utimensat(dir, entry->path, times, AT_SYMLINK_NOFOLLOW);
}

static void tmp_load_all(struct kckpt *c, int dir, struct tmp_entry *entries,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count && !c->error; i++) {
        int error;

        kckpt_section(c, "tmp.%u", i + 1);
        kckpt_get_fields(c, &entries[i], tmp_fields);
        if (c->error)
            return;
        error =
            tmp_is_good(&entries[i]) ? tmp_make(c, dir, &entries[i]) : -EINVAL;
        if (error)
            kckpt_fail(c, "/tmp/%.80s: %s", entries[i].path,
                       strerrordesc_np(-error));
    }
    /* What was made in a directory has changed its time. */
    for (uint32_t i = count; i-- > 0 && !c->error;)
        tmp_finish(dir, &entries[i]);
}

void kckpt_load_tmp(struct kckpt *c, const char *dir)
{
    struct tmp_entry *entries;
    uint32_t count;
    int fd;

    count = kckpt_get_u32(c, "num_tmp", 1 << 22);
    if (c->error || (!dir && !count))
        return;
    fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        kckpt_fail(c,
                   "there is no private /tmp for the %u files of the saved "
                   "one",
                   count);
        return;
    }
    tmp_clear(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    entries = alloc_zeroed((size_t)count + 1, sizeof(*entries));
    tmp_load_all(c, fd, entries, count);
    for (uint32_t i = 0; i < count; i++)
        tmp_free(&entries[i]);
    mem_free(entries);
    (void)close(fd);
}
