/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoll: a list of files whose readiness is looked up when asked.  Edge
 * triggering is approximated by the last state that was reported: an event is
 * given when a bit that was not ready becomes ready, or after the file's owner
 * was told to try again.  Source: epoll(7).
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

struct epoll_item {
    struct epoll_item *next;
    struct file *file; /* not a reference: epoll does not keep files open */
    uint64_t file_id;
    uint32_t fd;
    struct epoll_item_event event;
    uint32_t reported; /* bits given since they were last off */
    uint64_t activity; /* of the file when they were given */
    bool is_disabled;  /* EPOLLONESHOT was used up */
};

struct epoll {
    struct epoll_item *items;
};

static struct epoll_item **epoll_find(struct epoll *epoll, uint32_t fd,
                                      const struct file *file)
{
    struct epoll_item **link = &epoll->items;

    while (*link && ((*link)->fd != fd || (*link)->file != file))
        link = &(*link)->next;
    return link;
}

static int epoll_add(struct epoll *epoll, uint32_t fd, struct file *target,
                     const struct epoll_item_event *event)
{
    struct epoll_item **link = epoll_find(epoll, fd, target);

    if (*link)
        return -EEXIST;
    *link = alloc_zeroed(1, sizeof(**link));
    (*link)->fd = fd;
    (*link)->file = target;
    (*link)->event = *event;
    target->num_epolls++;
    return 0;
}

static void epoll_remove(struct epoll_item **link)
{
    struct epoll_item *item = *link;

    *link = item->next;
    item->file->num_epolls--;
    mem_free(item);
}

int file_epoll_control(struct file *file, int op, uint32_t fd,
                       struct file *target,
                       const struct epoll_item_event *event)
{
    struct epoll *epoll = file->priv;
    struct epoll_item **link = epoll_find(epoll, fd, target);

    if (target == file)
        return -EINVAL;
    if (file_is_host(target) && target->channel == target)
        return -EPERM; /* regular files and directories */
    if (op == EPOLL_CTL_ADD)
        return epoll_add(epoll, fd, target, event);
    if (op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
        return -EINVAL;
    if (!*link)
        return -ENOENT;
    if (op == EPOLL_CTL_DEL) {
        epoll_remove(link);
    } else {
        (*link)->event = *event;
        (*link)->reported = 0;
        (*link)->is_disabled = false;
    }
    kernel_wake(file->kernel, file->channel);
    return 0;
}

/* Bits to report for @item now. */
static uint32_t epoll_item_ready(struct epoll_item *item)
{
    uint32_t wanted = item->event.events | EPOLLERR | EPOLLHUP;
    uint32_t ready;

    if (item->is_disabled)
        return 0;
    ready = file_poll(item->file) & wanted;
    if (!(item->event.events & EPOLLET))
        return ready;
    if (item->activity != item->file->activity)
        item->reported = 0;
    item->reported &= ready;
    return ready & ~item->reported ? ready : 0;
}

int file_epoll_collect(struct file *file, struct epoll_item_event *events,
                       int max)
{
    struct epoll *epoll = file->priv;
    int count = 0;

    for (struct epoll_item *item = epoll->items; item && count < max;
         item = item->next) {
        uint32_t ready = epoll_item_ready(item);

        if (!ready)
            continue;
        item->reported = ready;
        item->activity = item->file->activity;
        if (item->event.events & EPOLLONESHOT)
            item->is_disabled = true;
        events[count].events = ready;
        events[count++].data = item->event.data;
    }
    return count;
}

static uint32_t epoll_poll(struct file *file)
{
    const struct epoll *epoll = file->priv;

    for (struct epoll_item *item = epoll->items; item; item = item->next) {
        if (epoll_item_ready(item))
            return POLLIN | POLLRDNORM;
    }
    return 0;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->priv;

    while (epoll->items)
        epoll_remove(&epoll->items);
    mem_free(epoll);
}

static const struct sim_field epoll_fields[] = {
    KCKPT_FIELD(struct epoll_item, fd),
    KCKPT_FIELD(struct epoll_item, event.events),
    KCKPT_FIELD(struct epoll_item, event.data),
    KCKPT_FIELD(struct epoll_item, reported),
    KCKPT_FIELD(struct epoll_item, activity),
    KCKPT_FIELD(struct epoll_item, is_disabled),
    SIM_END,
};

static void epoll_save(const struct file *file, struct kckpt *c)
{
    const struct epoll *epoll = file->priv;
    uint32_t count = 0;

    for (const struct epoll_item *item = epoll->items; item;
         item = item->next) {
        ckpt_put_tuple(c->w, kckpt_key("item", count, "").text, item,
                       epoll_fields);
        ckpt_put_u64(c->w, kckpt_key("item", count++, "_file").text,
                     kckpt_id(&c->files, item->file));
    }
    ckpt_put_u64(c->w, "num_items", count);
}

static void epoll_load_item(struct epoll_item **link, struct kckpt *c,
                            uint32_t index)
{
    struct file *target =
        kckpt_get_needed(c, kckpt_key("item", index, "_file").text, &c->files);

    if (!target)
        return;
    *link = alloc_zeroed(1, sizeof(**link));
    (*link)->file = target;
    target->num_epolls++;
    kckpt_get_tuple(c, kckpt_key("item", index, "").text, *link, epoll_fields);
}

static struct epoll *epoll_attach(struct file *file)
{
    struct epoll *epoll = alloc_zeroed(1, sizeof(*epoll));

    file->priv = epoll;
    file->next_epoll = file->kernel->epolls;
    file->kernel->epolls = file;
    return epoll;
}

static void epoll_load(struct file *file, struct kckpt *c)
{
    struct epoll_item **link = &epoll_attach(file)->items;
    uint32_t count = kckpt_get_u32(c, "num_items", 1 << 20);

    for (uint32_t i = 0; i < count && !c->error; i++) {
        epoll_load_item(link, c, i);
        if (*link)
            link = &(*link)->next;
    }
}

const struct file_ops file_epoll_ops = {
    .kind = "epoll",
    .save = epoll_save,
    .load = epoll_load,
    .name = "anon_inode:[eventpoll]",
    .poll = epoll_poll,
    .release = epoll_release,
};

struct file *file_epoll_create(struct kernel *kernel, uint32_t flags)
{
    struct file *file =
        file_create(kernel, &file_epoll_ops, flags, file_epoll_ops.name);

    (void)epoll_attach(file);
    return file;
}

bool file_is_epoll(const struct file *file)
{
    return file->ops == &file_epoll_ops;
}

void file_epoll_forget(struct kernel *kernel, const struct file *target)
{
    struct file **link = &kernel->epolls;

    while (*link) {
        struct epoll *epoll = (*link)->priv;
        struct epoll_item **item = &epoll->items;

        if (*link == target) {
            *link = target->next_epoll;
            continue;
        }
        while (*item) {
            if ((*item)->file == target)
                epoll_remove(item);
            else
                item = &(*item)->next;
        }
        link = &(*link)->next_epoll;
    }
}
