/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pipes, named pipes, and stream socket pairs as two pipes.  Writes of at most
 * PIPE_BUF bytes are not torn.  What goes through a named pipe stays in the
 * simulation; the host holds only its name.  Sources: pipe(7), fifo(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/socket_rights.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

enum { PIPE_SIZE = 65536, PIPE_MAX_SIZE = 1 << 20 };

struct pipe_buffer {
    uint8_t *data;
    uint32_t size, start, len; /* ring */
    uint32_t num_readers, num_writers;
    uint32_t refs;
    uint64_t num_gets, num_adds; /* transfers, for edge triggering */
    struct rights_queue rights;  /* of a socket */
    bool wants_creds;            /* the reader asked for SO_PASSCRED */
    /* A named pipe that is open. */
    bool is_named;
    struct pipe_buffer *next; /* of the kernel's */
    uint64_t dev, ino;
    uint64_t num_reader_opens, num_writer_opens;
};

/* One end; a pipe end uses one direction, a socket both. */
struct pipe_end {
    struct pipe_buffer *in, *out;
    uint64_t opens_before; /* of the other side of a named pipe */
    /* Of a socket: */
    struct socket_rights *giving;     /* go with the next byte written */
    struct socket_receive *receiving; /* the call that reads, or NULL */
    struct socket_creds maker;
};

static struct pipe_buffer *pipe_buffer_create(void)
{
    struct pipe_buffer *buffer = alloc_zeroed(1, sizeof(*buffer));

    buffer->size = PIPE_SIZE;
    buffer->data = alloc_zeroed(PIPE_SIZE, 1);
    return buffer;
}

static void pipe_drop_rights(struct kernel *kernel, struct pipe_buffer *buffer)
{
    kernel->num_files_in_flight -= rights_queue_fini(&buffer->rights);
}

static void pipe_buffer_put(struct kernel *kernel, struct pipe_buffer *buffer)
{
    if (--buffer->refs)
        return;
    if (buffer->is_named) {
        struct pipe_buffer **link = &kernel->fifos;

        while (*link != buffer)
            link = &(*link)->next;
        *link = buffer->next;
    }
    pipe_drop_rights(kernel, buffer);
    mem_free(buffer->data);
    mem_free(buffer);
}

/* Copy from byte @skip on, and leave it. */
static uint32_t pipe_buffer_peek(const struct pipe_buffer *buffer,
                                 uint64_t skip, uint8_t *to, uint64_t max)
{
    uint32_t done = 0;

    while (skip + done < buffer->len && done < max) {
        uint32_t at = (uint32_t)((buffer->start + skip + done) % buffer->size);
        uint64_t part = buffer->len - skip - done;

        if (part > buffer->size - at)
            part = buffer->size - at;
        if (part > max - done)
            part = max - done;
        memcpy(to + done, buffer->data + at, part);
        done += (uint32_t)part;
    }
    return done;
}

static uint32_t pipe_buffer_get(struct pipe_buffer *buffer, uint8_t *to,
                                uint64_t max)
{
    uint32_t done = 0;

    while (buffer->len && done < max) {
        uint32_t part = buffer->size - buffer->start;

        if (part > buffer->len)
            part = buffer->len;
        if (part > max - done)
            part = (uint32_t)(max - done);
        memcpy(to + done, buffer->data + buffer->start, part);
        buffer->start = (buffer->start + part) % buffer->size;
        buffer->len -= part;
        done += part;
    }
    return done;
}

static uint32_t pipe_buffer_add(struct pipe_buffer *buffer, const uint8_t *from,
                                uint64_t max)
{
    uint32_t done = 0;

    while (buffer->len < buffer->size && done < max) {
        uint32_t at = (buffer->start + buffer->len) % buffer->size;
        uint32_t part = buffer->size - buffer->len;

        if (part > buffer->size - at)
            part = buffer->size - at;
        if (part > max - done)
            part = (uint32_t)(max - done);
        memcpy(buffer->data + at, from + done, part);
        buffer->len += part;
        done += part;
    }
    return done;
}

/* @done bytes were read; what came with them is handed over or dropped. */
static void pipe_pass_rights(struct kernel *kernel, const struct pipe_end *end,
                             uint64_t done)
{
    struct socket_rights *rights = rights_queue_pass(&end->in->rights, done);

    if (!rights)
        return;
    kernel->num_files_in_flight -= rights->num_files;
    if (end->receiving)
        socket_receive_add(end->receiving, rights);
    else
        socket_rights_free(rights);
}

/* MSG_PEEK: what was looked at before, in the same call, is passed over. */
static int64_t pipe_peek(const struct pipe_end *end, const struct file_io *io,
                         uint64_t limit)
{
    struct socket_receive *receive = end->receiving;
    uint64_t done = 0;

    for (int i = 0; i < io->count; i++) {
        uint64_t len = io->iov[i].iov_len;

        done += pipe_buffer_peek(end->in, receive->peeked + done,
                                 io->iov[i].iov_base,
                                 len < limit - done ? len : limit - done);
    }
    receive->peeked += done;
    socket_receive_add(receive,
                       rights_queue_peek(&end->in->rights, receive->peeked));
    return (int64_t)done;
}

static int64_t file_pipe_read(struct file *file, const struct file_io *io)
{
    const struct pipe_end *end = file->priv;
    uint64_t limit = end->receiving
                         ? socket_receive_room(end->receiving, &end->in->rights)
                         : rights_queue_limit(&end->in->rights);
    uint64_t done = 0;

    if (io->offset >= 0)
        return -ESPIPE;
    if (!file_io_len(io) || !limit)
        return 0;
    if (!end->in->len)
        return end->in->num_writers ? -EAGAIN : 0;
    if (end->receiving && end->receiving->peeks)
        return pipe_peek(end, io, limit);
    for (int i = 0; i < io->count; i++) {
        uint64_t len = io->iov[i].iov_len;

        done += pipe_buffer_get(end->in, io->iov[i].iov_base,
                                len < limit - done ? len : limit - done);
    }
    pipe_pass_rights(file->kernel, end, done);
    end->in->num_gets++;
    kernel_wake(file->kernel, file->channel);
    return (int64_t)done;
}

static struct socket_creds pipe_writer_creds(const struct kernel *kernel)
{
    const struct thread *thread =
        kernel->current ? kernel->current->thread : NULL;
    struct socket_creds creds = {0, 65534, 65534};

    if (thread) {
        creds.pid = thread->process->pid;
        creds.uid = thread->process->ids.user[ID_EFFECTIVE];
        creds.gid = thread->process->ids.group[ID_EFFECTIVE];
    }
    return creds;
}

/* @done bytes were written: what goes with them. */
static void pipe_add_rights(struct kernel *kernel, struct pipe_end *end,
                            uint64_t done)
{
    struct socket_rights *rights = end->giving;

    end->giving = NULL;
    if (end->out->wants_creds && !rights)
        rights = socket_rights_create();
    if (rights && !rights->has_creds && end->out->wants_creds) {
        rights->creds = pipe_writer_creds(kernel);
        rights->has_creds = true;
    }
    if (rights)
        kernel->num_files_in_flight += rights->num_files;
    rights_queue_add(&end->out->rights, done, rights);
}

static int64_t file_pipe_write(struct file *file, const struct file_io *io)
{
    struct pipe_end *end = file->priv;
    uint64_t len = file_io_len(io);
    int64_t done = 0;

    if (io->offset >= 0)
        return -ESPIPE;
    if (!end->out->num_readers)
        return -EPIPE;
    if (!len)
        return 0;
    if (end->out->len == end->out->size ||
        (len <= PIPE_BUF && end->out->size - end->out->len < len))
        return -EAGAIN;
    for (int i = 0; i < io->count; i++)
        done +=
            pipe_buffer_add(end->out, io->iov[i].iov_base, io->iov[i].iov_len);
    pipe_add_rights(file->kernel, end, (uint64_t)done);
    end->out->num_adds++;
    kernel_wake(file->kernel, file->channel);
    return done;
}

/* A named pipe that no writer has opened since is not at its end. */
static bool pipe_waits_for_writer(const struct pipe_end *end)
{
    return end->in->is_named && end->in->num_writer_opens == end->opens_before;
}

static uint32_t file_pipe_poll(struct file *file)
{
    const struct pipe_end *end = file->priv;
    uint32_t events = 0;

    file->activity =
        (end->in ? end->in->num_adds : 0) + (end->out ? end->out->num_gets : 0);
    if (end->in) {
        if (end->in->len)
            events |= POLLIN | POLLRDNORM;
        if (!end->in->num_writers && !pipe_waits_for_writer(end))
            events |= end->out ? POLLIN | POLLRDHUP | POLLHUP : POLLHUP;
    }
    if (end->out) {
        if (end->out->size - end->out->len >= PIPE_BUF)
            events |= POLLOUT | POLLWRNORM;
        if (!end->out->num_readers)
            events |= POLLERR;
    }
    return events;
}

static int file_pipe_stat(struct file *file, struct stat *st)
{
    st->st_mode = file_is_socket(file) ? S_IFSOCK | 0777 : S_IFIFO | 0600;
    st->st_ino = file->id;
    st->st_dev = 0xd;
    st->st_nlink = 1;
    st->st_blksize = 4096;
    return 0;
}

/* What nobody can receive any more is closed, though the writer stays. */
static void pipe_close_in(struct kernel *kernel, struct pipe_end *end)
{
    if (!--end->in->num_readers)
        pipe_drop_rights(kernel, end->in);
    pipe_buffer_put(kernel, end->in);
    end->in = NULL;
}

static void pipe_close_out(struct kernel *kernel, struct pipe_end *end)
{
    end->out->num_writers--;
    pipe_buffer_put(kernel, end->out);
    end->out = NULL;
}

static void file_pipe_release(struct file *file)
{
    struct pipe_end *end = file->priv;

    socket_rights_free(end->giving);
    if (end->in)
        pipe_close_in(file->kernel, end);
    if (end->out)
        pipe_close_out(file->kernel, end);
    mem_free(end);
    kernel_wake(file->kernel, file->channel);
}

/* Either buffer may be NULL. */
static void pipe_end_attach(struct file *file, struct pipe_buffer *in,
                            struct pipe_buffer *out)
{
    struct pipe_end *end = file->priv;

    end->in = in;
    end->out = out;
    if (in) {
        in->refs++;
        in->num_readers++;
    }
    if (out) {
        out->refs++;
        out->num_writers++;
    }
    /* Both ends wait on one channel. */
    file->channel = in ? in : out;
}

/* ---------------------------------------------------------------- checkpoints
 */

static const struct sim_field pipe_fields[] = {
    KCKPT_FIELD(struct pipe_buffer, size),
    KCKPT_FIELD(struct pipe_buffer, num_gets),
    KCKPT_FIELD(struct pipe_buffer, num_adds),
    KCKPT_FIELD(struct pipe_buffer, wants_creds),
    KCKPT_FIELD(struct pipe_buffer, num_reader_opens),
    KCKPT_FIELD(struct pipe_buffer, num_writer_opens),
    SIM_END,
};

static const struct sim_field creds_fields[] = {
    KCKPT_FIELD(struct socket_creds, pid),
    KCKPT_FIELD(struct socket_creds, uid),
    KCKPT_FIELD(struct socket_creds, gid),
    SIM_END,
};

static const char *const pipe_keys[2][4] = {
    {"in",  "in_data",  "in_state",  "in_rights" },
    {"out", "out_data", "out_state", "out_rights"},
};

static void file_socket_collect(const struct file *file, struct kckpt *c)
{
    const struct pipe_end *end = file->priv;

    kckpt_collect_rights(c, &end->in->rights);
    kckpt_collect_rights(c, &end->out->rights);
}

/* The first end that has the buffer carries it; the ring begins at 0 again. */
static void pipe_save_buffer(struct kckpt *c, const char *const keys[4],
                             const struct pipe_buffer *buffer)
{
    uint32_t known = c->pipes.len;
    uint32_t id = kckpt_id(&c->pipes, buffer);
    uint8_t *data;

    ckpt_put_u64(c->w, keys[0], id);
    if (!buffer || id <= known)
        return;
    data = alloc_zeroed((size_t)buffer->len + 1, 1);
    for (uint32_t i = 0; i < buffer->len; i++)
        data[i] = buffer->data[(buffer->start + i) % buffer->size];
    ckpt_put_bytes(c->w, keys[1], data, buffer->len);
    ckpt_put_tuple(c->w, keys[2], buffer, pipe_fields);
    kckpt_put_rights(c, keys[3], &buffer->rights);
    mem_free(data);
}

static void file_pipe_save(const struct file *file, struct kckpt *c)
{
    const struct pipe_end *end = file->priv;

    ckpt_put_tuple(c->w, "maker", &end->maker, creds_fields);
    pipe_save_buffer(c, pipe_keys[0], end->in);
    pipe_save_buffer(c, pipe_keys[1], end->out);
}

static struct pipe_buffer *pipe_load_new(struct kckpt *c,
                                         const char *const keys[4])
{
    struct pipe_buffer *buffer = alloc_zeroed(1, sizeof(*buffer));
    size_t len;
    uint8_t *data = kckpt_get_bytes(c, keys[1], &len);

    kckpt_get_tuple(c, keys[2], buffer, pipe_fields);
    if (!c->error &&
        (!buffer->size || buffer->size > PIPE_MAX_SIZE || len > buffer->size))
        kckpt_fail(c, "key %s: a pipe of %u bytes with %zu in it", keys[1],
                   buffer->size, len);
    if (c->error) {
        mem_free(data);
        mem_free(buffer);
        return NULL;
    }
    buffer->data = alloc_resize(data, buffer->size, 1);
    buffer->len = (uint32_t)len;
    kckpt_get_rights(c, keys[3], &buffer->rights);
    (void)kckpt_id(&c->pipes, buffer);
    return buffer;
}

static struct pipe_buffer *pipe_load_buffer(struct kckpt *c,
                                            const char *const keys[4])
{
    uint32_t id = kckpt_get_u32(c, keys[0], c->pipes.len + 1);

    if (!id)
        return NULL;
    return id <= c->pipes.len ? c->pipes.ptr[id - 1] : pipe_load_new(c, keys);
}

static void file_pipe_load(struct file *file, struct kckpt *c)
{
    struct pipe_buffer *in = pipe_load_buffer(c, pipe_keys[0]);
    struct pipe_buffer *out = pipe_load_buffer(c, pipe_keys[1]);

    file->priv = alloc_zeroed(1, sizeof(struct pipe_end));
    kckpt_get_tuple(c, "maker", &((struct pipe_end *)file->priv)->maker,
                    creds_fields);
    pipe_end_attach(file, in, out);
}

const struct file_ops file_pipe_ops = {
    .name = "pipe",
    .kind = "pipe",
    .save = file_pipe_save,
    .load = file_pipe_load,
    .read = file_pipe_read,
    .write = file_pipe_write,
    .poll = file_pipe_poll,
    .stat = file_pipe_stat,
    .release = file_pipe_release,
};

const struct file_ops file_socket_ops = {
    .name = "socket",
    .kind = "socket",
    .collect = file_socket_collect,
    .save = file_pipe_save,
    .load = file_pipe_load,
    .read = file_pipe_read,
    .write = file_pipe_write,
    .poll = file_pipe_poll,
    .stat = file_pipe_stat,
    .release = file_pipe_release,
};

static struct file *pipe_end_create(struct kernel *kernel, uint32_t flags,
                                    const struct file_ops *ops,
                                    struct pipe_buffer *const buffers[2])
{
    char *path = alloc_printf("%s:[%llu]", ops->name ? ops->name : "fifo",
                              (unsigned long long)kernel->last_file_id + 1);
    struct file *file = file_create(kernel, ops, flags, path);

    mem_free(path);
    file->priv = alloc_zeroed(1, sizeof(struct pipe_end));
    pipe_end_attach(file, buffers[0], buffers[1]);
    return file;
}

void file_pipe_create(struct kernel *kernel, uint32_t flags,
                      struct file *ends[2])
{
    struct pipe_buffer *buffer = pipe_buffer_create();
    struct pipe_buffer *in[2] = {buffer, NULL};
    struct pipe_buffer *out[2] = {NULL, buffer};

    ends[0] = pipe_end_create(kernel, flags | O_RDONLY, &file_pipe_ops, in);
    ends[1] = pipe_end_create(kernel, flags | O_WRONLY, &file_pipe_ops, out);
    ends[1]->id = ends[0]->id;
    mem_free(ends[1]->path);
    ends[1]->path = alloc_strdup(ends[0]->path);
}

void file_socketpair_create(struct kernel *kernel, uint32_t flags,
                            struct file *ends[2])
{
    struct pipe_buffer *ab = pipe_buffer_create();
    struct pipe_buffer *ba = pipe_buffer_create();
    struct pipe_buffer *a[2] = {ba, ab};
    struct pipe_buffer *b[2] = {ab, ba};

    ends[0] = pipe_end_create(kernel, flags | O_RDWR, &file_socket_ops, a);
    ends[1] = pipe_end_create(kernel, flags | O_RDWR, &file_socket_ops, b);
    ends[1]->channel = ends[0]->channel;
    for (int i = 0; i < 2; i++)
        ((struct pipe_end *)ends[i]->priv)->maker = pipe_writer_creds(kernel);
}

void file_socket_give(struct file *file, struct socket_rights *rights)
{
    struct pipe_end *end = file->priv;

    socket_rights_free(end->giving);
    end->giving = rights;
}

void file_socket_receive(struct file *file, struct socket_receive *receive)
{
    struct pipe_end *end = file->priv;

    end->receiving = receive;
}

bool file_socket_call_ended(const struct file *file)
{
    const struct pipe_end *end = file->priv;

    return end->receiving &&
           !socket_receive_room(end->receiving, &end->in->rights);
}

bool file_socket_wants_creds(const struct file *file)
{
    const struct pipe_end *end = file->priv;

    return end->in->wants_creds;
}

void file_socket_want_creds(struct file *file, uint32_t wanted)
{
    const struct pipe_end *end = file->priv;

    end->in->wants_creds = wanted != 0;
}

struct socket_creds file_socket_peer(const struct file *file)
{
    const struct pipe_end *end = file->priv;

    return end->maker;
}

/* ---------------------------------------------------------------- named pipes
 */

static int file_fifo_stat(struct file *file, struct stat *st)
{
    return fstat(file->host_fd, st) < 0 ? -errno : 0;
}

static void fifo_add(struct kernel *kernel, struct pipe_buffer *buffer,
                     const struct stat *st)
{
    buffer->is_named = true;
    buffer->dev = st->st_dev;
    buffer->ino = st->st_ino;
    buffer->next = kernel->fifos;
    kernel->fifos = buffer;
}

static void file_fifo_save(const struct file *file, struct kckpt *c)
{
    const struct pipe_end *end = file->priv;

    file_pipe_save(file, c);
    ckpt_put_u64(c->w, "opens_before", end->opens_before);
    ckpt_put_u64(c->w, "host",
                 kckpt_host_add(c, file->host_fd, file->path, file));
}

static void file_fifo_load(struct file *file, struct kckpt *c)
{
    struct pipe_end *end;
    struct pipe_buffer *buffer;
    struct stat st;

    file_pipe_load(file, c);
    end = file->priv;
    buffer = end->in ? end->in : end->out;
    end->opens_before = kckpt_get_u64(c, "opens_before");
    file->host_fd =
        kckpt_host_open(c, kckpt_get_u32(c, "host", c->num_hosts), O_PATH);
    if (file->host_fd < 0 || fstat(file->host_fd, &st) < 0)
        return;
    if (!buffer || !S_ISFIFO(st.st_mode))
        kckpt_fail(c, "%.100s is not a named pipe", file->path);
    else if (!buffer->is_named)
        fifo_add(file->kernel, buffer, &st);
}

const struct file_ops file_fifo_ops = {
    .name = NULL,
    .kind = "fifo",
    .save = file_fifo_save,
    .load = file_fifo_load,
    .read = file_pipe_read,
    .write = file_pipe_write,
    .poll = file_pipe_poll,
    .stat = file_fifo_stat,
    .release = file_pipe_release,
};

static struct pipe_buffer *fifo_buffer(struct kernel *kernel,
                                       const struct stat *st)
{
    struct pipe_buffer *buffer = kernel->fifos;

    while (buffer && (buffer->dev != st->st_dev || buffer->ino != st->st_ino))
        buffer = buffer->next;
    if (buffer)
        return buffer;
    buffer = pipe_buffer_create();
    fifo_add(kernel, buffer, st);
    return buffer;
}

int file_fifo_open(struct kernel *kernel, int host_fd, const struct stat *st,
                   uint32_t flags, const char *path, struct file **out)
{
    uint32_t access = flags & O_ACCMODE;
    struct pipe_buffer *buffer = fifo_buffer(kernel, st);
    struct pipe_buffer *const ends[2] = {access == O_WRONLY ? NULL : buffer,
                                         access == O_RDONLY ? NULL : buffer};
    struct pipe_end *end;

    if (access == O_WRONLY && (flags & O_NONBLOCK) && !buffer->num_readers) {
        buffer->refs++;
        pipe_buffer_put(kernel, buffer);
        (void)close(host_fd);
        return -ENXIO;
    }
    *out = pipe_end_create(kernel, flags, &file_fifo_ops, ends);
    mem_free((*out)->path);
    (*out)->path = alloc_strdup(path);
    (*out)->host_fd = host_fd;
    end = (*out)->priv;
    end->opens_before = access == O_WRONLY ? buffer->num_reader_opens
                                           : buffer->num_writer_opens;
    buffer->num_reader_opens += end->in != NULL;
    buffer->num_writer_opens += end->out != NULL;
    kernel_wake(kernel, (*out)->channel);
    return 0;
}

bool file_fifo_must_wait(const struct file *file)
{
    const struct pipe_end *end = file->priv;

    if (file->ops != &file_fifo_ops || (file->flags & O_NONBLOCK) ||
        (end->in && end->out))
        return false;
    return end->in ? !end->in->num_writers && pipe_waits_for_writer(end)
                   : !end->out->num_readers &&
                         end->out->num_reader_opens == end->opens_before;
}

bool file_is_socket(const struct file *file)
{
    return file->ops == &file_socket_ops;
}

int64_t file_socket_shutdown(struct file *file, int how)
{
    struct pipe_end *end = file->priv;

    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    if (how != SHUT_WR && end->in)
        end->in->len = 0;
    if (how != SHUT_RD && end->out && end->out->num_writers) {
        struct pipe_buffer *none = pipe_buffer_create();

        /* Later writes find a pipe that nobody reads. */
        pipe_close_out(file->kernel, end);
        none->refs = 1;
        none->num_writers = 1;
        end->out = none;
    }
    kernel_wake(file->kernel, file->channel);
    return 0;
}

int64_t file_pipe_capacity(struct file *file, int64_t new_size)
{
    struct pipe_end *end = file->priv;
    struct pipe_buffer *buffer;
    uint32_t size = 4096, len;
    uint8_t *data;

    if (file->ops != &file_pipe_ops && file->ops != &file_fifo_ops)
        return -EBADF;
    buffer = end->in ? end->in : end->out;
    if (new_size < 0)
        return buffer->size;
    if (new_size > PIPE_MAX_SIZE)
        return -EPERM;
    while (size < new_size)
        size *= 2;
    if (size < buffer->len)
        return -EBUSY;
    data = alloc_zeroed(size, 1);
    len = pipe_buffer_get(buffer, data, buffer->len);
    mem_free(buffer->data);
    buffer->data = data;
    buffer->size = size;
    buffer->start = 0;
    buffer->len = len;
    return size;
}

int64_t file_pipe_readable_bytes(struct file *file)
{
    const struct pipe_end *end = file->priv;

    if (file->ops != &file_pipe_ops && file->ops != &file_socket_ops &&
        file->ops != &file_fifo_ops)
        return -ENOTTY;
    return end->in ? end->in->len : 0;
}
