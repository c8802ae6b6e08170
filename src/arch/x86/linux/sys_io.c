/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transfers: read, write and their vector, positioned and file-to-file forms.
 * Data moves between the host and the program's pages without a copy between.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/sys_io.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

enum { PIECES = 64, NO_OFFSET = -1 };
#define MAX_TRANSFER UINT64_C(0x7ffff000)

/* The program's buffers of one call. */
struct io_request {
    struct syscall *call;
    struct file *file;
    enum io_direction direction;
    int64_t offset; /* NO_OFFSET: the file's position */
    const struct iovec *vec;
    uint32_t count;
};

static int64_t io_piece(const struct io_request *io, uint64_t addr,
                        uint64_t len, int64_t offset)
{
    struct iovec pieces[PIECES];
    struct file_io transfer = {.iov = pieces, .offset = offset};
    struct uaccess_vec vec = {.iov = pieces, .max = PIECES};
    int64_t got =
        uaccess_pages(io->call->mm, addr, len,
                      io->direction == IO_WRITE ? MM_READ : MM_WRITE, &vec);

    transfer.count = vec.count;
    if (got < 0)
        return got;
    return io->direction == IO_WRITE ? file_write(io->file, &transfer)
                                     : file_read(io->file, &transfer);
}

/* One buffer, in pieces that fit; stops at the first that is not complete. */
static int64_t io_buffer(const struct io_request *io, uint64_t addr,
                         uint64_t len, int64_t offset)
{
    uint64_t done = 0;

    do {
        /* A stream that gave something must not be asked for more. */
        uint64_t part = len - done;
        int64_t got = io_piece(io, addr + done, part,
                               offset < 0 ? offset : offset + (int64_t)done);

        if (got < 0)
            return done ? (int64_t)done : got;
        done += (uint64_t)got;
        if (!got || (io->direction != IO_WRITE && !file_is_regular(io->file)))
            break;
    } while (done < len);
    return (int64_t)done;
}

/* From byte @skip on, at most @room bytes. */
static int64_t io_all(const struct io_request *io, uint64_t skip, uint64_t room)
{
    uint64_t done = 0;

    for (uint32_t i = 0; i < io->count; i++) {
        uint64_t addr = (uint64_t)(uintptr_t)io->vec[i].iov_base;
        uint64_t len = io->vec[i].iov_len;
        int64_t got;

        if (skip >= len && len) {
            skip -= len;
            continue;
        }
        if (len - skip > room - done)
            len = skip + room - done;
        got =
            io_buffer(io, addr + skip, len - skip,
                      io->offset < 0 ? io->offset : io->offset + (int64_t)done);
        if (got < 0)
            return done ? (int64_t)done : got;
        done += (uint64_t)got;
        if ((uint64_t)got < len - skip)
            break;
        skip = 0;
    }
    return (int64_t)done;
}

static uint64_t io_total(const struct io_request *io)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < io->count; i++)
        total += io->vec[i].iov_len;
    return total;
}

/* How much may be moved; 0 or -EFBIG. */
static int io_room(const struct io_request *io, uint64_t *room)
{
    *room = UINT64_MAX;
    if (io->direction != IO_WRITE || !io_total(io) ||
        (io->file->flags & O_ACCMODE) == O_RDONLY)
        return 0;
    return rlimit_check_write(io->call->thread, io->file, io->offset, room);
}

static int64_t io_broken_pipe(const struct io_request *io)
{
    struct signal_info info = {.signo = SIGPIPE,
                               .code = SI_USER,
                               .pid = io->call->process->pid,
                               .uid = io->call->process->ids.user[ID_REAL]};

    signal_send_thread(io->call->thread, &info);
    return -EPIPE;
}

/* Whether a transfer that moved a part is complete. */
static bool io_is_done(const struct io_request *io, uint64_t done)
{
    if (io->direction == IO_READ || done >= io_total(io) ||
        (io->file->flags & O_NONBLOCK) || file_is_regular(io->file))
        return true;
    /* What can still be read but was not belongs to the next call. */
    return io->direction == IO_READ_ALL &&
           ((file_poll(io->file) & POLLIN) || file_socket_call_ended(io->file));
}

/*
 * Run a transfer to its end, waiting if the file is not ready.  A write that
 * blocks goes on until all is written; wait.progress remembers how far it got.
 */
static int64_t io_run(const struct io_request *io)
{
    struct thread_wait *wait = &io->call->thread->wait;
    bool may_wait = !(io->file->flags & O_NONBLOCK);
    uint64_t room;
    int64_t got = io_room(io, &room);

    if (got)
        return got;
    got = io_all(io, wait->progress, room);

    if (got > 0) {
        wait->progress += (uint64_t)got;
        if (io_is_done(io, wait->progress))
            return (int64_t)wait->progress;
        got = -EAGAIN;
    }
    if (got == -EPIPE && !wait->progress)
        return io_broken_pipe(io);
    if (got != -EAGAIN || !may_wait)
        return wait->progress ? (int64_t)wait->progress : got;
    got = syscall_wait(io->call, io->file->channel, TICK_MAX);
    if (got != SYSCALL_WAITS && wait->progress)
        return (int64_t)wait->progress;
    return got;
}

static int64_t io_single(struct syscall *call, enum io_direction direction,
                         int64_t offset)
{
    uint64_t len = call->arg[2] < MAX_TRANSFER ? call->arg[2] : MAX_TRANSFER;
    struct iovec vec = {(void *)(uintptr_t)call->arg[1], len};
    struct io_request io = {.call = call,
                            .file = syscall_file(call, call->arg[0]),
                            .direction = direction,
                            .offset = offset,
                            .vec = &vec,
                            .count = 1};

    if (!io.file)
        return -EBADF;
    if ((int64_t)call->arg[2] < 0)
        return -EINVAL;
    return io_run(&io);
}

static int64_t sys_read(struct syscall *call)
{
    return io_single(call, IO_READ, NO_OFFSET);
}

static int64_t sys_write(struct syscall *call)
{
    return io_single(call, IO_WRITE, NO_OFFSET);
}

static int64_t sys_pread(struct syscall *call)
{
    int64_t offset = (int64_t)call->arg[3];

    if (call->is_32)
        offset = (int64_t)(call->arg[3] | call->arg[4] << 32);
    return offset < 0 ? -EINVAL : io_single(call, IO_READ, offset);
}

static int64_t sys_pwrite(struct syscall *call)
{
    int64_t offset = (int64_t)call->arg[3];

    if (call->is_32)
        offset = (int64_t)(call->arg[3] | call->arg[4] << 32);
    return offset < 0 ? -EINVAL : io_single(call, IO_WRITE, offset);
}

/* The vector of a call in one form for both classes; caller frees. */
static int io_read_vec(const struct syscall *call, struct iovec **out)
{
    uint64_t count = call->arg[2];
    uint64_t total = 0;
    uint32_t *narrow;
    struct iovec *vec;
    int error;

    if (count > IOV_MAX)
        return -EINVAL;
    vec = alloc_zeroed(count + 1, sizeof(*vec));
    narrow = (uint32_t *)(void *)vec;
    error = uaccess_read(call->mm, call->arg[1], vec,
                         count * (call->is_32 ? 8 : sizeof(*vec)));
    for (uint64_t i = count; !error && call->is_32 && i-- > 0;) {
        uint32_t base = narrow[i * 2], len = narrow[i * 2 + 1];

        vec[i].iov_base = (void *)(uintptr_t)base;
        vec[i].iov_len = len;
    }
    for (uint64_t i = 0; !error && i < count; i++) {
        if (vec[i].iov_len > MAX_TRANSFER - total)
            vec[i].iov_len = MAX_TRANSFER - total;
        total += vec[i].iov_len;
    }
    *out = vec;
    return error;
}

static int64_t io_vector(struct syscall *call, enum io_direction direction,
                         int64_t offset)
{
    struct iovec *vec = NULL;
    struct io_request io = {.call = call,
                            .file = syscall_file(call, call->arg[0]),
                            .direction = direction,
                            .offset = offset,
                            .count = (uint32_t)call->arg[2]};
    int64_t result;

    if (!io.file)
        return -EBADF;
    result = io_read_vec(call, &vec);
    io.vec = vec;
    if (!result)
        result = io_run(&io);
    mem_free(vec);
    return result;
}

static int64_t sys_readv(struct syscall *call)
{
    return io_vector(call, IO_READ, NO_OFFSET);
}

static int64_t sys_writev(struct syscall *call)
{
    return io_vector(call, IO_WRITE, NO_OFFSET);
}

int64_t syscall_io_buffer(struct syscall *call, enum io_direction direction)
{
    return io_single(call, direction, NO_OFFSET);
}

int64_t syscall_io_vector(struct syscall *call, enum io_direction direction)
{
    return io_vector(call, direction, NO_OFFSET);
}

static int64_t io_vec_offset(const struct syscall *call)
{
    return (int64_t)(call->is_32 ? call->arg[3] | call->arg[4] << 32
                                 : call->arg[3]);
}

static int64_t sys_preadv(struct syscall *call)
{
    int64_t offset = io_vec_offset(call);

    return offset < 0 ? -EINVAL : io_vector(call, IO_READ, offset);
}

static int64_t sys_pwritev(struct syscall *call)
{
    int64_t offset = io_vec_offset(call);

    return offset < 0 ? -EINVAL : io_vector(call, IO_WRITE, offset);
}

static int64_t sys_preadv2(struct syscall *call)
{
    if (call->arg[5])
        return -EOPNOTSUPP;
    return io_vector(call, IO_READ, io_vec_offset(call));
}

static int64_t sys_pwritev2(struct syscall *call)
{
    if (call->arg[5])
        return -EOPNOTSUPP;
    return io_vector(call, IO_WRITE, io_vec_offset(call));
}

/* ------------------------------------------------------------ file to file */

/* Where a copy reads or writes: an offset in memory, or the position. */
struct io_place {
    struct file *file;
    uint64_t addr;  /* of the offset; 0: the position */
    bool is_narrow; /* it has 32 bits */
    int64_t offset;
};

static int io_place_load(const struct syscall *call, struct io_place *place)
{
    place->offset = NO_OFFSET;
    if (!place->addr)
        return 0;
    if (place->is_narrow) {
        int32_t offset;

        if (uaccess_get(call->mm, place->addr, offset))
            return -EFAULT;
        place->offset = offset;
    } else if (uaccess_get(call->mm, place->addr, place->offset)) {
        return -EFAULT;
    }
    return place->offset < 0 ? -EINVAL : 0;
}

static int io_place_store(const struct syscall *call, struct io_place *place,
                          int64_t moved)
{
    if (!place->addr)
        return 0;
    place->offset += moved;
    return uaccess_write(call->mm, place->addr, &place->offset,
                         place->is_narrow ? sizeof(int32_t)
                                          : sizeof(place->offset));
}

/* What was read but could not be written is not lost: the position goes
 * back. */
static void io_unread(const struct io_place *in, int64_t count)
{
    if (count > 0 && in->offset < 0 && in->file->ops->seek)
        (void)in->file->ops->seek(in->file, -count, SEEK_CUR);
}

static int64_t io_copy_chunk(const struct io_place *in,
                             const struct io_place *out, int64_t done,
                             uint64_t len)
{
    enum { CHUNK = 65536 };
    uint8_t *buffer = alloc_zeroed(CHUNK, 1);
    struct iovec vec = {buffer, len < CHUNK ? len : CHUNK};
    struct file_io from = {&vec, 1,
                           in->offset < 0 ? in->offset : in->offset + done};
    struct file_io to = {&vec, 1,
                         out->offset < 0 ? out->offset : out->offset + done};
    int64_t got = file_read(in->file, &from), put = got;

    if (got > 0) {
        vec.iov_len = (size_t)got;
        put = file_write(out->file, &to);
        io_unread(in, got - (put < 0 ? 0 : put));
    }
    mem_free(buffer);
    return put;
}

static int64_t io_copy(struct syscall *call, struct io_place *in,
                       struct io_place *out, uint64_t len)
{
    int64_t done = 0, got;
    uint64_t room;

    if (!in->file || !out->file)
        return -EBADF;
    if (io_place_load(call, in) || io_place_load(call, out))
        return -EFAULT;
    got = rlimit_check_write(call->thread, out->file, out->offset, &room);
    if (got)
        return got;
    len = len < room ? len : room;
    got = 1;
    while ((uint64_t)done < len && got > 0) {
        got = io_copy_chunk(in, out, done, len - (uint64_t)done);
        if (got > 0)
            done += got;
    }
    if (!done && got < 0)
        return got == -EAGAIN && !(out->file->flags & O_NONBLOCK)
                   ? syscall_wait(call, out->file->channel, TICK_MAX)
                   : got;
    if (io_place_store(call, in, done) || io_place_store(call, out, done))
        return -EFAULT;
    return done;
}

static bool io_has_more(const struct io_place *in)
{
    int64_t at = in->offset >= 0 ? in->offset
                                 : in->file->ops->seek(in->file, 0, SEEK_CUR);
    struct stat st;

    return at >= 0 && !file_stat(in->file, &st) && at < st.st_size;
}

static int64_t io_send(struct syscall *call, struct io_place *in)
{
    struct io_place out = {.file = syscall_file(call, call->arg[0])};
    uint64_t len = call->arg[3], room;
    int64_t done;

    if (in->file && (!in->file->ops->map || !in->file->ops->seek))
        return -EINVAL;
    done = io_copy(call, in, &out, len);
    /* As in Linux, which tries to write what is left, the signal comes also
     * with a part. */
    if (done > 0 && (uint64_t)done < len && io_has_more(in))
        (void)rlimit_check_write(call->thread, out.file, out.offset, &room);
    return done;
}

static int64_t sys_sendfile(struct syscall *call)
{
    struct io_place in = {.file = syscall_file(call, call->arg[1]),
                          .addr = call->arg[2]};

    return io_send(call, &in);
}

static int64_t sys_sendfile_32(struct syscall *call)
{
    struct io_place in = {.file = syscall_file(call, call->arg[1]),
                          .addr = call->arg[2],
                          .is_narrow = true};

    return io_send(call, &in);
}

static int64_t sys_copy_file_range(struct syscall *call)
{
    struct io_place in = {.file = syscall_file(call, call->arg[0]),
                          .addr = call->arg[1]};
    struct io_place out = {.file = syscall_file(call, call->arg[2]),
                           .addr = call->arg[3]};

    if (call->arg[5])
        return -EINVAL;
    if ((in.file && !in.file->ops->map) || (out.file && !out.file->ops->map))
        return -EINVAL;
    return io_copy(call, &in, &out, call->arg[4]);
}

static int64_t sys_refused(struct syscall *call)
{
    (void)call;
    return -EINVAL;
}

/* --------------------------------------------------------------------- pipes
 */

static int64_t sys_pipe_any(struct syscall *call, uint32_t flags)
{
    struct file *ends[2];
    int32_t fds[2];

    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    file_pipe_create(call->kernel, flags & O_NONBLOCK, ends);
    fds[0] = fd_table_add(call->process->files, ends[0], 0, flags);
    if (fds[0] < 0) {
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = fd_table_add(call->process->files, ends[1], 0, flags);
    if (fds[1] >= 0 && !uaccess_put(call->mm, call->arg[0], fds))
        return 0;
    (void)fd_table_close(call->process->files, (uint64_t)fds[0]);
    if (fds[1] < 0)
        return fds[1];
    (void)fd_table_close(call->process->files, (uint64_t)fds[1]);
    return -EFAULT;
}

static int64_t sys_pipe(struct syscall *call)
{
    return sys_pipe_any(call, 0);
}

static int64_t sys_pipe2(struct syscall *call)
{
    return sys_pipe_any(call, (uint32_t)call->arg[1]);
}

const struct syscall_row sys_io_rows[] = {
    SYSCALL_ROW(read, "fpu"),
    SYSCALL_ROW(write, "fpu"),
    SYSCALL_ROW_ANY(pread64, "fpuu", sys_pread, sys_pread),
    SYSCALL_ROW_ANY(pwrite64, "fpuu", sys_pwrite, sys_pwrite),
    SYSCALL_ROW(readv, "fpu"),
    SYSCALL_ROW(writev, "fpu"),
    SYSCALL_ROW(preadv, "fpuu"),
    SYSCALL_ROW(pwritev, "fpuu"),
    SYSCALL_ROW(preadv2, "fpuuxx"),
    SYSCALL_ROW(pwritev2, "fpuuxx"),
    SYSCALL_ROW_BOTH(sendfile, "ffpu"),
    SYSCALL_ROW_32(sendfile64, "ffpu", sys_sendfile),
    SYSCALL_ROW(copy_file_range, "fpfpux"),
    SYSCALL_ROW_ANY(splice, "fpfpux", sys_refused, sys_refused),
    SYSCALL_ROW_ANY(tee, "ffux", sys_refused, sys_refused),
    SYSCALL_ROW_ANY(vmsplice, "fpux", sys_refused, sys_refused),
    SYSCALL_ROW(pipe, "p"),
    SYSCALL_ROW(pipe2, "px"),
    SYSCALL_END,
};
