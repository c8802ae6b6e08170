/* SPDX-License-Identifier: BSD-3-Clause */
/* eventfd, timerfd and signalfd.
 * Sources: eventfd(2), timerfd_create(2), signalfd(2). */
#include "arch/x86/linux/file_event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

/* ------------------------------------------------------------------ eventfd */

/* EFD_SEMAPHORE; the header declares functions of our names. */
enum { EVENTFD_SEMAPHORE = 1 };

struct eventfd {
    uint64_t count;
    bool is_semaphore;
};

static int64_t file_eventfd_read(struct file *file, const struct file_io *io)
{
    struct eventfd *event = file->priv;
    uint64_t value = event->is_semaphore ? 1 : event->count;

    if (file_io_len(io) < sizeof(value))
        return -EINVAL;
    if (!event->count)
        return -EAGAIN;
    event->count -= value;
    kernel_wake(file->kernel, file->channel);
    return (int64_t)file_io_put(io, &value, sizeof(value));
}

static int64_t file_eventfd_write(struct file *file, const struct file_io *io)
{
    struct eventfd *event = file->priv;
    uint64_t value;

    if (file_io_len(io) < sizeof(value))
        return -EINVAL;
    (void)file_io_take(io, &value, sizeof(value));
    if (value == UINT64_MAX)
        return -EINVAL;
    if (value > UINT64_MAX - 1 - event->count)
        return -EAGAIN;
    event->count += value;
    file->activity++;
    kernel_wake(file->kernel, file->channel);
    return sizeof(value);
}

static uint32_t file_eventfd_poll(struct file *file)
{
    const struct eventfd *event = file->priv;

    return (event->count ? POLLIN | POLLRDNORM : 0U) |
           (event->count < UINT64_MAX - 1 ? POLLOUT | POLLWRNORM : 0U);
}

static void file_event_release(struct file *file)
{
    mem_free(file->priv);
}

static const struct sim_field eventfd_fields[] = {
    KCKPT_FIELD(struct eventfd, count),
    KCKPT_FIELD(struct eventfd, is_semaphore),
    SIM_END,
};

static void file_eventfd_save(const struct file *file, struct kckpt *c)
{
    ckpt_put_fields(c->w, file->priv, eventfd_fields);
}

static void file_eventfd_load(struct file *file, struct kckpt *c)
{
    file->priv = alloc_zeroed(1, sizeof(struct eventfd));
    kckpt_get_fields(c, file->priv, eventfd_fields);
}

const struct file_ops file_eventfd_ops = {
    .kind = "eventfd",
    .save = file_eventfd_save,
    .load = file_eventfd_load,
    .name = "anon_inode:[eventfd]",
    .read = file_eventfd_read,
    .write = file_eventfd_write,
    .poll = file_eventfd_poll,
    .release = file_event_release,
};

struct file *file_eventfd_create(struct kernel *kernel, uint64_t value,
                                 uint32_t flags)
{
    struct file *file =
        file_create(kernel, &file_eventfd_ops, O_RDWR | (flags & O_NONBLOCK),
                    file_eventfd_ops.name);
    struct eventfd *event = alloc_zeroed(1, sizeof(*event));

    event->count = value;
    event->is_semaphore = (flags & (uint32_t)EVENTFD_SEMAPHORE) != 0;
    file->priv = event;
    return file;
}

/* ------------------------------------------------------------------ timerfd */

struct timerfd {
    struct ktimer timer;
    struct file *file;
    tick_t interval;
    uint64_t expired;
    int clock;
};

static void timerfd_fire(struct ktimer *timer, tick_t now)
{
    struct timerfd *tfd = SIM_CONTAINER_OF(timer, struct timerfd, timer);

    (void)now;
    tfd->expired++;
    tfd->file->activity++;
    if (tfd->interval)
        ktimer_arm(&tfd->file->kernel->timers, timer,
                   timer->when + tfd->interval);
    kernel_wake(tfd->file->kernel, tfd->file->channel);
}

static int64_t timerfd_read(struct file *file, const struct file_io *io)
{
    struct timerfd *tfd = file->priv;
    uint64_t count = tfd->expired;

    if (file_io_len(io) < sizeof(count))
        return -EINVAL;
    if (!count)
        return -EAGAIN;
    tfd->expired = 0;
    return (int64_t)file_io_put(io, &count, sizeof(count));
}

static uint32_t timerfd_poll(struct file *file)
{
    const struct timerfd *tfd = file->priv;

    return tfd->expired ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *tfd = file->priv;

    ktimer_cancel(&file->kernel->timers, &tfd->timer);
    mem_free(tfd);
}

static const struct sim_field timerfd_fields[] = {
    KCKPT_FIELD(struct timerfd, interval),
    KCKPT_FIELD(struct timerfd, expired),
    KCKPT_FIELD_32(struct timerfd, clock),
    SIM_END,
};

static void timerfd_save(const struct file *file, struct kckpt *c)
{
    const struct timerfd *tfd = file->priv;

    ckpt_put_fields(c->w, tfd, timerfd_fields);
    kckpt_put_timer(c, "timer", &tfd->timer);
}

static struct timerfd *timerfd_attach(struct file *file)
{
    struct timerfd *tfd = alloc_zeroed(1, sizeof(*tfd));

    tfd->file = file;
    tfd->timer.fire = timerfd_fire;
    file->priv = tfd;
    return tfd;
}

static void timerfd_load(struct file *file, struct kckpt *c)
{
    struct timerfd *tfd = timerfd_attach(file);

    kckpt_get_fields(c, tfd, timerfd_fields);
    kckpt_get_timer(c, "timer", &tfd->timer);
}

const struct file_ops file_timerfd_ops = {
    .kind = "timerfd",
    .save = timerfd_save,
    .load = timerfd_load,
    .name = "anon_inode:[timerfd]",
    .read = timerfd_read,
    .poll = timerfd_poll,
    .release = timerfd_release,
};

struct file *file_timerfd_create(struct kernel *kernel, int clock,
                                 uint32_t flags)
{
    struct file *file =
        file_create(kernel, &file_timerfd_ops, O_RDWR | (flags & O_NONBLOCK),
                    file_timerfd_ops.name);

    timerfd_attach(file)->clock = clock;
    return file;
}

bool file_is_timerfd(const struct file *file)
{
    return file->ops == &file_timerfd_ops;
}

int file_timerfd_clock(const struct file *file)
{
    const struct timerfd *tfd = file->priv;

    return tfd->clock;
}

void file_timerfd_set(struct file *file, tick_t when, tick_t interval)
{
    struct timerfd *tfd = file->priv;

    tfd->interval = interval;
    tfd->expired = 0;
    if (when == TICK_MAX)
        ktimer_cancel(&file->kernel->timers, &tfd->timer);
    else
        ktimer_arm(&file->kernel->timers, &tfd->timer, when);
    kernel_update_timer(file->kernel);
}

void file_timerfd_get(struct file *file, tick_t *left, tick_t *interval)
{
    const struct timerfd *tfd = file->priv;
    tick_t now = kernel_now(file->kernel);

    *interval = tfd->interval;
    *left = tfd->timer.is_armed && tfd->timer.when > now ? tfd->timer.when - now
                                                         : 0;
}

/* ----------------------------------------------------------------- signalfd */

struct signalfd {
    uint64_t mask;
};

static struct thread *signalfd_reader(const struct file *file)
{
    return file->kernel->current ? file->kernel->current->thread : NULL;
}

static void signalfd_encode(const struct signal_info *info,
                            struct signalfd_siginfo *out)
{
    memset(out, 0, sizeof(*out));
    out->ssi_signo = (uint32_t)info->signo;
    out->ssi_errno = info->error;
    out->ssi_code = info->code;
    out->ssi_pid = info->pid;
    out->ssi_uid = info->uid;
    out->ssi_status = info->status;
    out->ssi_ptr = info->value;
    out->ssi_int = (int32_t)info->value;
    out->ssi_addr = info->addr;
}

static int64_t signalfd_read(struct file *file, const struct file_io *io)
{
    const struct signalfd *sfd = file->priv;
    struct thread *thread = signalfd_reader(file);
    struct signalfd_siginfo out;
    struct signal_info info;

    if (file_io_len(io) < sizeof(out))
        return -EINVAL;
    if (!thread || !signal_take(thread, sfd->mask, &info))
        return -EAGAIN;
    signalfd_encode(&info, &out);
    return (int64_t)file_io_put(io, &out, sizeof(out));
}

static uint32_t signalfd_poll(struct file *file)
{
    const struct signalfd *sfd = file->priv;
    const struct thread *thread = signalfd_reader(file);

    return thread && (signal_pending_bits(thread) & sfd->mask)
               ? POLLIN | POLLRDNORM
               : 0;
}

static void signalfd_save(const struct file *file, struct kckpt *c)
{
    const struct signalfd *sfd = file->priv;

    ckpt_put_u64(c->w, "mask", sfd->mask);
}

static void signalfd_load(struct file *file, struct kckpt *c)
{
    struct signalfd *sfd = alloc_zeroed(1, sizeof(*sfd));

    sfd->mask = kckpt_get_u64(c, "mask");
    file->priv = sfd;
}

const struct file_ops file_signalfd_ops = {
    .kind = "signalfd",
    .save = signalfd_save,
    .load = signalfd_load,
    .name = "anon_inode:[signalfd]",
    .read = signalfd_read,
    .poll = signalfd_poll,
    .release = file_event_release,
};

struct file *file_signalfd_create(struct kernel *kernel, uint64_t mask,
                                  uint32_t flags)
{
    struct file *file =
        file_create(kernel, &file_signalfd_ops, O_RDWR | (flags & O_NONBLOCK),
                    file_signalfd_ops.name);
    struct signalfd *sfd = alloc_zeroed(1, sizeof(*sfd));

    sfd->mask = mask;
    file->priv = sfd;
    return file;
}

bool file_is_signalfd(const struct file *file)
{
    return file->ops == &file_signalfd_ops;
}

void file_signalfd_set(struct file *file, uint64_t mask)
{
    struct signalfd *sfd = file->priv;

    sfd->mask = mask;
}
