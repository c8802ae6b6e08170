/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/inotify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/vfs.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

enum {
    MAX_EVENTS = 16384, /* /proc/sys/fs/inotify/max_queued_events */
    /* About a name in a directory, not about what it names. */
    NAME_EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
};

struct inotify_watch {
    struct inotify_watch *next;
    int wd;
    uint64_t dev, ino;
    uint32_t mask;
    char *path; /* canonical guest path, as far as programs renamed it */
};

struct inotify_head { /* struct inotify_event without the name */
    int32_t wd;
    uint32_t mask, cookie, len;
};

struct inotify_item {
    struct inotify_item *next;
    struct inotify_head event;
    char name[]; /* event.len bytes */
};

struct inotify {
    struct inotify *next; /* all of the kernel */
    struct file *file;
    struct inotify_watch *watches;
    struct inotify_item *first, *last;
    uint32_t num_items;
    int last_wd;
    uint32_t place; /* in the kernel's list, while a checkpoint is loaded */
};

/* ------------------------------------------------------------------ the queue
 */

static bool inotify_repeats(const struct inotify_item *last,
                            const struct inotify_head *event, const char *name)
{
    return last && last->event.wd == event->wd &&
           last->event.mask == event->mask &&
           last->event.cookie == event->cookie &&
           last->event.len == event->len &&
           (!event->len || !strncmp(last->name, name, event->len));
}

static void inotify_append(struct inotify *inotify,
                           const struct inotify_head *event, const char *name)
{
    struct inotify_item *item = alloc_zeroed(1, sizeof(*item) + event->len);

    item->event = *event;
    if (name)
        (void)snprintf(item->name, event->len, "%s", name);
    if (inotify->last)
        inotify->last->next = item;
    else
        inotify->first = item;
    inotify->last = item;
    inotify->num_items++;
}

static void inotify_queue(struct inotify *inotify,
                          const struct inotify_head *event, const char *name)
{
    if (inotify_repeats(inotify->last, event, name ? name : ""))
        return;
    inotify_append(inotify, event, name);
    inotify->file->activity++;
    kernel_wake(inotify->file->kernel, inotify->file->channel);
}

static void inotify_pop(struct inotify *inotify)
{
    struct inotify_item *item = inotify->first;

    inotify->first = item->next;
    if (!inotify->first)
        inotify->last = NULL;
    inotify->num_items--;
    mem_free(item);
}

/* @name: in the watched directory; NULL: the watched object itself. */
static void inotify_post(struct inotify *inotify, int wd, uint32_t mask,
                         uint32_t cookie, const char *name)
{
    const size_t unit = sizeof(struct inotify_head);
    struct inotify_head event = {.wd = wd, .mask = mask, .cookie = cookie};

    if (inotify->num_items >= MAX_EVENTS) {
        event = (struct inotify_head){.wd = -1, .mask = IN_Q_OVERFLOW};
        name = NULL;
    }
    if (name)
        event.len = (uint32_t)((strlen(name) + unit) / unit * unit);
    inotify_queue(inotify, &event, name);
}

static void inotify_free_watch(struct inotify_watch **link)
{
    struct inotify_watch *watch = *link;

    *link = watch->next;
    mem_free(watch->path);
    mem_free(watch);
}

static void inotify_drop(struct inotify *inotify, struct inotify_watch **link)
{
    int wd = (*link)->wd;

    inotify_free_watch(link);
    inotify_post(inotify, wd, IN_IGNORED, 0, NULL);
}

/* ------------------------------------------------------------ the description
 */

static int64_t file_inotify_read(struct file *file, const struct file_io *io)
{
    struct inotify *inotify = file->priv;
    uint64_t room = file_io_len(io), done = 0;
    uint8_t *data;

    if (!inotify->first)
        return -EAGAIN;
    if (room < sizeof(struct inotify_head) + inotify->first->event.len)
        return -EINVAL;
    data = alloc_zeroed(1, room);
    while (inotify->first) {
        const struct inotify_item *item = inotify->first;
        uint64_t len = sizeof(item->event) + item->event.len;

        if (len > room - done)
            break;
        memcpy(data + done, &item->event, sizeof(item->event));
        memcpy(data + done + sizeof(item->event), item->name, item->event.len);
        done += len;
        inotify_pop(inotify);
    }
    (void)file_io_put(io, data, done);
    mem_free(data);
    return (int64_t)done;
}

static uint32_t file_inotify_poll(struct file *file)
{
    const struct inotify *inotify = file->priv;

    return inotify->first ? POLLIN | POLLRDNORM : 0;
}

static int64_t file_inotify_ioctl(struct file *file, uint32_t request,
                                  void *data, uint32_t len)
{
    const struct inotify *inotify = file->priv;
    int32_t bytes = 0;

    if (request != FIONREAD || len < sizeof(bytes))
        return -ENOTTY;
    for (const struct inotify_item *i = inotify->first; i; i = i->next)
        bytes += (int32_t)(sizeof(i->event) + i->event.len);
    memcpy(data, &bytes, sizeof(bytes));
    return 0;
}

static void file_inotify_release(struct file *file)
{
    struct inotify *inotify = file->priv;
    struct inotify **link = &file->kernel->inotifies;

    while (*link != inotify)
        link = &(*link)->next;
    *link = inotify->next;
    while (inotify->watches)
        inotify_free_watch(&inotify->watches);
    while (inotify->first)
        inotify_pop(inotify);
    mem_free(inotify);
}

/* ---------------------------------------------------------------- checkpoints
 */

static const struct sim_field inotify_fields[] = {
    KCKPT_FIELD_32(struct inotify, last_wd),
    KCKPT_FIELD(struct inotify, place),
    SIM_END,
};

static const struct sim_field watch_fields[] = {
    KCKPT_FIELD_32(struct inotify_watch, wd),
    KCKPT_FIELD(struct inotify_watch, mask),
    SIM_END,
};

static const struct sim_field head_fields[] = {
    KCKPT_FIELD_32(struct inotify_head, wd),
    KCKPT_FIELD(struct inotify_head, mask),
    KCKPT_FIELD(struct inotify_head, cookie),
    SIM_END,
};

/* What the path leads to now.  Returns: 0 or -errno. */
static int inotify_find(struct kernel *kernel, const char *path,
                        struct stat *st)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    int error = vfs_lookup(kernel, NULL, "/", path, 0, node);

    *st = node->st;
    mem_free(node);
    return error;
}

static bool inotify_is_of(const struct inotify_watch *watch,
                          const struct stat *st)
{
    return watch->dev == st->st_dev && watch->ino == st->st_ino;
}

/* The number of what is watched if somebody has it open, or 0. */
static uint32_t inotify_find_host(struct kckpt *c,
                                  const struct inotify_watch *watch)
{
    for (uint32_t i = 0; i < c->files.len; i++) {
        const struct file *open = c->files.ptr[i];
        struct stat st;

        if (open->host_fd >= 0 && fstat(open->host_fd, &st) == 0 &&
            inotify_is_of(watch, &st))
            return kckpt_host_add(c, open->host_fd, open->path, open);
    }
    return 0;
}

/* What lost its name is open: it would not be watched any more. */
static void inotify_save_watch(const struct file *file, struct kckpt *c,
                               const struct inotify_watch *watch,
                               uint32_t index)
{
    uint32_t host = 0;
    struct stat st;

    if (inotify_find(file->kernel, watch->path, &st) ||
        !inotify_is_of(watch, &st)) {
        host = inotify_find_host(c, watch);
        if (!host)
            kckpt_refuse(c, file, "something it watches has no known name");
    }
    ckpt_put_u64(c->w, kckpt_key("watch", index, "_host").text, host);
    ckpt_put_tuple(c->w, kckpt_key("watch", index, "").text, watch,
                   watch_fields);
    ckpt_put_str(c->w, kckpt_key("watch", index, "_path").text, watch->path);
}

static void file_inotify_save(const struct file *file, struct kckpt *c)
{
    struct inotify *inotify = file->priv;
    uint32_t num_watches = 0, num_events = 0;

    inotify->place = 0;
    for (const struct inotify *n = file->kernel->inotifies; n != inotify;
         n = n->next)
        inotify->place++;
    ckpt_put_tuple(c->w, "state", inotify, inotify_fields);
    for (const struct inotify_watch *w = inotify->watches; w; w = w->next)
        inotify_save_watch(file, c, w, num_watches++);
    for (const struct inotify_item *i = inotify->first; i; i = i->next) {
        ckpt_put_tuple(c->w, kckpt_key("event", num_events, "").text, &i->event,
                       head_fields);
        ckpt_put_bytes(c->w, kckpt_key("event", num_events++, "_name").text,
                       i->name, i->event.len);
    }
    ckpt_put_u64(c->w, "num_watches", num_watches);
    ckpt_put_u64(c->w, "num_events", num_events);
}

/* Returns: 0 or -errno. */
static int inotify_stat_host(struct kckpt *c, uint32_t host, struct stat *st)
{
    int fd = kckpt_host_open(c, host, O_PATH);
    int error = fd < 0 || fstat(fd, st) < 0 ? -errno : 0;

    if (fd >= 0)
        (void)close(fd);
    return error;
}

static void inotify_load_watch(struct inotify_watch **link, struct kckpt *c,
                               uint32_t index)
{
    struct inotify_watch *watch = alloc_zeroed(1, sizeof(*watch));
    struct stat st = {0};
    uint32_t host;
    int error;

    *link = watch;
    kckpt_get_tuple(c, kckpt_key("watch", index, "").text, watch, watch_fields);
    watch->path = kckpt_get_str(c, kckpt_key("watch", index, "_path").text);
    host =
        kckpt_get_u32(c, kckpt_key("watch", index, "_host").text, c->num_hosts);
    if (c->error)
        return;
    error = host ? inotify_stat_host(c, host, &st)
                 : inotify_find(c->kernel, watch->path, &st);
    if (error)
        kckpt_fail(c, "%.100s, which a program watches: %s", watch->path,
                   strerrordesc_np(-error));
    watch->dev = st.st_dev;
    watch->ino = st.st_ino;
}

static void inotify_load_event(struct inotify *inotify, struct kckpt *c,
                               uint32_t index)
{
    struct inotify_head event = {0};
    size_t len;
    uint8_t *name =
        kckpt_get_bytes(c, kckpt_key("event", index, "_name").text, &len);

    kckpt_get_tuple(c, kckpt_key("event", index, "").text, &event, head_fields);
    if (!c->error && len > VFS_PATH_MAX)
        kckpt_fail(c, "key event%u_name: is too long", index);
    event.len = (uint32_t)len;
    /* kckpt_get_bytes() gives a byte more, which is 0. */
    if (!c->error)
        inotify_append(inotify, &event, (const char *)name);
    mem_free(name);
}

static void file_inotify_load(struct file *file, struct kckpt *c)
{
    struct inotify *inotify = alloc_zeroed(1, sizeof(*inotify));
    struct inotify **place = &file->kernel->inotifies;
    struct inotify_watch **link = &inotify->watches;
    uint32_t count;

    inotify->file = file;
    file->priv = inotify;
    kckpt_get_tuple(c, "state", inotify, inotify_fields);
    while (*place && (*place)->place < inotify->place)
        place = &(*place)->next;
    inotify->next = *place;
    *place = inotify;
    count = kckpt_get_u32(c, "num_watches", 1 << 20);
    for (uint32_t i = 0; i < count && !c->error; i++) {
        inotify_load_watch(link, c, i);
        link = &(*link)->next;
    }
    count = kckpt_get_u32(c, "num_events", MAX_EVENTS + 1);
    for (uint32_t i = 0; i < count && !c->error; i++)
        inotify_load_event(inotify, c, i);
}

const struct file_ops file_inotify_ops = {
    .name = "anon_inode:inotify",
    .kind = "inotify",
    .save = file_inotify_save,
    .load = file_inotify_load,
    .read = file_inotify_read,
    .poll = file_inotify_poll,
    .ioctl = file_inotify_ioctl,
    .release = file_inotify_release,
};

struct file *file_inotify_create(struct kernel *kernel, uint32_t flags)
{
    struct file *file =
        file_create(kernel, &file_inotify_ops, O_RDONLY | (flags & O_NONBLOCK),
                    file_inotify_ops.name);
    struct inotify *inotify = alloc_zeroed(1, sizeof(*inotify));

    inotify->file = file;
    inotify->next = kernel->inotifies;
    kernel->inotifies = inotify;
    file->priv = inotify;
    return file;
}

bool file_is_inotify(const struct file *file)
{
    return file->ops == &file_inotify_ops;
}

/* -------------------------------------------------------------------- watches
 */

int inotify_add(struct file *file, const struct stat *st, const char *path,
                uint32_t mask)
{
    struct inotify *inotify = file->priv;
    struct inotify_watch *watch = inotify->watches;

    while (watch && (watch->dev != st->st_dev || watch->ino != st->st_ino))
        watch = watch->next;
    if (watch && (mask & IN_MASK_CREATE))
        return -EEXIST;
    if (!watch) {
        watch = alloc_zeroed(1, sizeof(*watch));
        watch->wd = ++inotify->last_wd;
        watch->dev = st->st_dev;
        watch->ino = st->st_ino;
        watch->path = alloc_strdup(path);
        watch->next = inotify->watches;
        inotify->watches = watch;
    }
    if (!(mask & IN_MASK_ADD))
        watch->mask = 0;
    watch->mask |= mask & (IN_ALL_EVENTS | IN_ONESHOT);
    return watch->wd;
}

int inotify_remove(struct file *file, int wd)
{
    struct inotify *inotify = file->priv;
    struct inotify_watch **link = &inotify->watches;

    while (*link && (*link)->wd != wd)
        link = &(*link)->next;
    if (!*link)
        return -EINVAL;
    inotify_drop(inotify, link);
    return 0;
}

/* --------------------------------------------------------------------- events
 */

/* An event of one rename carries its number. */
struct inotify_change {
    uint32_t mask, cookie;
    const char *name; /* NULL: of the object itself */
};

static void inotify_tell(const struct kernel *kernel, const struct stat *st,
                         const struct inotify_change *change)
{
    uint32_t kind = change->mask & IN_ALL_EVENTS;

    for (struct inotify *n = kernel->inotifies; n; n = n->next) {
        struct inotify_watch **link = &n->watches;

        while (*link &&
               ((*link)->dev != st->st_dev || (*link)->ino != st->st_ino))
            link = &(*link)->next;
        if (!*link || !((*link)->mask & kind))
            continue;
        inotify_post(n, (*link)->wd, change->mask, change->cookie,
                     change->name);
        if ((*link)->mask & IN_ONESHOT)
            inotify_drop(n, link);
    }
}

/* To the watches on the directory of @path. */
static void inotify_tell_parent(struct kernel *kernel, const char *path,
                                uint32_t mask, uint32_t cookie)
{
    const char *slash = strrchr(path, '/');
    const struct inotify_change change = {mask, cookie, slash ? slash + 1 : ""};
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    char *parent = alloc_printf(
        "%.*s", slash && slash != path ? (int)(slash - path) : 1, path);

    if (slash && slash[1] &&
        !vfs_lookup(kernel, NULL, "/", parent, VFS_FOLLOW, node))
        inotify_tell(kernel, &node->st, &change);
    mem_free(parent);
    mem_free(node);
}

static uint32_t inotify_dir_bit(const struct stat *st)
{
    return S_ISDIR(st->st_mode) ? IN_ISDIR : 0;
}

void inotify_named(struct kernel *kernel, const char *path,
                   const struct stat *st, uint32_t mask)
{
    const struct inotify_change own = {mask | inotify_dir_bit(st), 0, NULL};

    if (!kernel->inotifies)
        return;
    inotify_tell_parent(kernel, path, own.mask, 0);
    if (!(mask & NAME_EVENTS))
        inotify_tell(kernel, st, &own);
}

void inotify_created(struct kernel *kernel, const char *path)
{
    struct vfs_node *node;

    if (!kernel->inotifies)
        return;
    node = alloc_zeroed(1, sizeof(*node));
    if (!vfs_lookup(kernel, NULL, "/", path, 0, node))
        inotify_named(kernel, path, &node->st, IN_CREATE);
    mem_free(node);
}

void inotify_own(struct kernel *kernel, const struct stat *st, uint32_t mask)
{
    const struct inotify_change own = {mask | inotify_dir_bit(st), 0, NULL};

    inotify_tell(kernel, st, &own);
}

/* Whether a process has the object open. */
static bool inotify_is_open(const struct kernel *kernel, const struct stat *st)
{
    for (const struct process *p = kernel->processes; p; p = p->next) {
        for (uint32_t i = 0; p->files && i < p->files->len; i++) {
            const struct file *file = p->files->entries[i].file;
            struct stat other;

            if (file && file->host_fd >= 0 &&
                fstat(file->host_fd, &other) == 0 &&
                other.st_dev == st->st_dev && other.st_ino == st->st_ino)
                return true;
        }
    }
    return false;
}

/* The object is gone with its last name or description. */
static void inotify_gone(const struct kernel *kernel, const struct stat *st)
{
    const struct inotify_change gone = {IN_DELETE_SELF, 0, NULL};

    inotify_tell(kernel, st, &gone);
    for (struct inotify *n = kernel->inotifies; n; n = n->next) {
        struct inotify_watch **link = &n->watches;

        while (*link &&
               ((*link)->dev != st->st_dev || (*link)->ino != st->st_ino))
            link = &(*link)->next;
        if (*link)
            inotify_drop(n, link);
    }
}

static void inotify_lost_link(const struct kernel *kernel,
                              const struct stat *st)
{
    const struct inotify_change fewer = {IN_ATTRIB, 0, NULL};

    if (!S_ISDIR(st->st_mode))
        inotify_tell(kernel, st, &fewer);
}

static void inotify_end_if_last(const struct kernel *kernel,
                                const struct stat *st)
{
    if ((S_ISDIR(st->st_mode) || st->st_nlink <= 1) &&
        !inotify_is_open(kernel, st))
        inotify_gone(kernel, st);
}

void inotify_unlinked(struct kernel *kernel, const char *path,
                      const struct stat *st)
{
    if (!kernel->inotifies)
        return;
    inotify_lost_link(kernel, st);
    inotify_named(kernel, path, st, IN_DELETE);
    inotify_end_if_last(kernel, st);
}

static void inotify_rename(struct inotify_watch *watch,
                           const char *const path[2])
{
    size_t len = strlen(path[0]);
    char *name;

    if (strncmp(watch->path, path[0], len) != 0 ||
        (watch->path[len] && watch->path[len] != '/'))
        return;
    name = alloc_printf("%s%s", path[1], watch->path + len);
    mem_free(watch->path);
    watch->path = name;
}

static void inotify_rename_all(const struct kernel *kernel,
                               const char *const path[2])
{
    for (struct inotify *n = kernel->inotifies; n; n = n->next) {
        for (struct inotify_watch *w = n->watches; w; w = w->next)
            inotify_rename(w, path);
    }
}

void inotify_moved(struct kernel *kernel, const char *const path[2],
                   const struct stat *st, const struct stat *replaced)
{
    const struct inotify_change self = {IN_MOVE_SELF, 0, NULL};
    uint32_t cookie = ++kernel->last_inotify_cookie;
    uint32_t dir = inotify_dir_bit(st);

    if (!kernel->inotifies)
        return;
    inotify_rename_all(kernel, path);
    inotify_tell_parent(kernel, path[0], IN_MOVED_FROM | dir, cookie);
    inotify_tell_parent(kernel, path[1], IN_MOVED_TO | dir, cookie);
    if (replaced)
        inotify_lost_link(kernel, replaced);
    inotify_tell(kernel, st, &self);
    if (replaced)
        inotify_end_if_last(kernel, replaced);
}

void inotify_file(struct file *file, uint32_t mask)
{
    struct kernel *kernel = file->kernel;
    struct stat st;

    if (!kernel->inotifies || file->host_fd < 0 || (file->flags & O_PATH) ||
        fstat(file->host_fd, &st) < 0)
        return;
    inotify_named(kernel, file->path, &st, mask);
    if ((mask & IN_CLOSE) && !st.st_nlink)
        inotify_end_if_last(kernel, &st);
}
