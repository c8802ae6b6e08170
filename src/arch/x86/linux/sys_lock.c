/* SPDX-License-Identifier: BSD-3-Clause */
/* Advisory locks: the system calls.  See file_lock.h. */
#include "arch/x86/linux/sys_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_lock.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

/* Numbers that 32-bit programs use for 64-bit offsets. */
enum { F_GETLK64_32 = 12, F_SETLK64_32 = 13, F_SETLKW64_32 = 14 };

/* struct flock, in any of its layouts. */
struct lock_request {
    int16_t type, whence;
    int64_t start, len;
    int32_t pid;
};

struct lock_layout {
    uint8_t start, len, pid; /* offsets */
    uint8_t width;           /* of start and len */
};

static const struct lock_layout layout_64 = {8, 16, 24, 8};
static const struct lock_layout layout_32 = {4, 8, 12, 4};
static const struct lock_layout layout_32_64 = {4, 12, 20, 8};

static const struct lock_layout *lock_layout_of(const struct syscall *call)
{
    if (!call->is_32)
        return &layout_64;
    return (uint32_t)call->arg[1] <= F_SETLKW ? &layout_32 : &layout_32_64;
}

static int lock_read(struct syscall *call, struct lock_request *request)
{
    const struct lock_layout *at = lock_layout_of(call);
    int32_t narrow[2];
    uint8_t data[32];

    if (uaccess_read(call->mm, call->arg[2], data, at->pid + 4U))
        return -EFAULT;
    memcpy(&request->type, data, 2);
    memcpy(&request->whence, data + 2, 2);
    memcpy(&request->pid, data + at->pid, 4);
    memcpy(&request->start, data + at->start, 8);
    memcpy(&request->len, data + at->len, 8);
    if (at->width == 4) {
        memcpy(narrow, data + at->start, sizeof(narrow));
        request->start = narrow[0];
        request->len = narrow[1];
    }
    return 0;
}

static int lock_write(struct syscall *call, const struct lock_request *request)
{
    const struct lock_layout *at = lock_layout_of(call);
    uint8_t data[32];

    if (at->width == 4 &&
        (request->start > INT32_MAX || request->len > INT32_MAX))
        return -EOVERFLOW;
    if (uaccess_read(call->mm, call->arg[2], data, at->pid + 4U))
        return -EFAULT;
    memcpy(data, &request->type, 2);
    memcpy(data + 2, &request->whence, 2);
    memcpy(data + at->start, &request->start, at->width);
    memcpy(data + at->len, &request->len, at->width);
    memcpy(data + at->pid, &request->pid, 4);
    return uaccess_write(call->mm, call->arg[2], data, at->pid + 4U);
}

/* The first byte that the request counts from. */
static int lock_base(struct file *file, int whence, int64_t *base)
{
    struct stat st;

    *base = 0;
    if (whence == SEEK_SET)
        return 0;
    if (whence == SEEK_CUR) {
        *base = file->ops->seek ? file->ops->seek(file, 0, SEEK_CUR) : 0;
        return *base < 0 ? (int)*base : 0;
    }
    if (whence != SEEK_END)
        return -EINVAL;
    if (file_stat(file, &st))
        return -EINVAL;
    *base = st.st_size;
    return 0;
}

static int lock_range(struct file *file, const struct lock_request *request,
                      struct file_lock *lock)
{
    int64_t base;
    int error = lock_base(file, request->whence, &base);

    if (error)
        return error;
    if (__builtin_add_overflow(base, request->start, &lock->start))
        return -EOVERFLOW;
    if (lock->start < 0)
        return -EINVAL;
    lock->end = FILE_LOCK_END;
    if (request->len > 0 &&
        __builtin_add_overflow(lock->start, request->len - 1, &lock->end))
        return -EOVERFLOW;
    if (request->len < 0) {
        lock->end = lock->start - 1;
        lock->start += request->len;
    }
    return lock->start < 0 ? -EINVAL : 0;
}

static int lock_type(const struct file *file, int16_t type,
                     struct file_lock *lock)
{
    uint32_t access = file->flags & O_ACCMODE;

    switch (type) {
    case F_RDLCK:
        lock->type = FILE_LOCK_READ;
        return access == O_WRONLY ? -EBADF : 0;
    case F_WRLCK:
        lock->type = FILE_LOCK_WRITE;
        return access == O_RDONLY ? -EBADF : 0;
    case F_UNLCK:
        lock->type = FILE_LOCK_NONE;
        return 0;
    default:
        return -EINVAL;
    }
}

static int64_t lock_get(struct syscall *call, struct lock_request *request,
                        const struct file_lock *lock)
{
    const struct file_lock *other = file_lock_conflict(call->kernel, lock);

    if (!other) {
        request->type = F_UNLCK;
        return lock_write(call, request);
    }
    request->type = other->type == FILE_LOCK_WRITE ? F_WRLCK : F_RDLCK;
    request->whence = SEEK_SET;
    request->start = other->start;
    request->len =
        other->end == FILE_LOCK_END ? 0 : other->end - other->start + 1;
    request->pid = other->kind == FILE_LOCK_POSIX ? (int32_t)other->pid : -1;
    return lock_write(call, request);
}

/* Take or give up a lock; may wait. */
static int64_t lock_set(struct syscall *call, const struct file_lock *lock,
                        bool may_wait)
{
    const struct file_lock *other =
        lock->type == FILE_LOCK_NONE ? NULL
                                     : file_lock_conflict(call->kernel, lock);
    bool is_posix = lock->kind == FILE_LOCK_POSIX;

    if (!other) {
        file_lock_set(call->kernel, lock);
        return 0;
    }
    if (!may_wait)
        return -EAGAIN;
    if (is_posix && other->kind == FILE_LOCK_POSIX &&
        file_lock_would_deadlock(call->kernel, lock->owner, other->owner))
        return -EDEADLK;
    call->thread->wait.lock_blocker =
        is_posix && other->kind == FILE_LOCK_POSIX ? other->owner : NULL;
    return syscall_wait(call, &call->kernel->locks, TICK_MAX);
}

static bool lock_is_get(uint32_t command)
{
    return command == F_GETLK || command == F_GETLK64_32 ||
           command == F_OFD_GETLK;
}

static bool lock_may_wait(uint32_t command)
{
    return command == F_SETLKW || command == F_SETLKW64_32 ||
           command == F_OFD_SETLKW;
}

int64_t syscall_record_lock(struct syscall *call, struct file *file)
{
    uint32_t command = (uint32_t)call->arg[1];
    bool is_ofd = command >= F_OFD_GETLK;
    struct lock_request request;
    struct file_lock lock = {
        .kind = is_ofd ? FILE_LOCK_OFD : FILE_LOCK_POSIX,
        .owner = is_ofd ? (const void *)file : call->process->files,
        .pid = call->process->pid,
    };
    int error;

    if (!call->is_32 && command >= F_GETLK64_32 && command <= F_SETLKW64_32)
        return -EINVAL;
    error = lock_read(call, &request);
    if (!error && is_ofd && request.pid)
        error = -EINVAL;
    if (!error && lock_is_get(command) && !is_ofd && request.type != F_RDLCK &&
        request.type != F_WRLCK)
        error = -EINVAL;
    if (!error)
        error = lock_range(file, &request, &lock);
    if (!error)
        error = lock_type(file, request.type, &lock);
    if (error == -EBADF && lock_is_get(command))
        error = 0; /* to ask needs no access */
    if (!error)
        error = file_lock_target(file, &lock);
    if (error)
        return error;
    return lock_is_get(command) ? lock_get(call, &request, &lock)
                                : lock_set(call, &lock, lock_may_wait(command));
}

static int64_t sys_flock(struct syscall *call)
{
    struct file *file = syscall_file(call, call->arg[0]);
    uint32_t how = (uint32_t)call->arg[1];
    struct file_lock lock = {.kind = FILE_LOCK_FLOCK, .owner = file};
    struct file_lock none;
    int error;

    switch (how & ~(uint32_t)LOCK_NB) {
    case LOCK_SH:
        lock.type = FILE_LOCK_READ;
        break;
    case LOCK_EX:
        lock.type = FILE_LOCK_WRITE;
        break;
    case LOCK_UN:
        lock.type = FILE_LOCK_NONE;
        break;
    default:
        return -EINVAL;
    }
    if (!file || (file->flags & O_PATH))
        return -EBADF;
    error = file_lock_target(file, &lock);
    if (error)
        return error;
    /* A conversion gives up the old lock first, whatever comes then. */
    none = lock;
    none.type = FILE_LOCK_NONE;
    if (file_lock_conflict(call->kernel, &lock))
        file_lock_set(call->kernel, &none);
    return lock_set(call, &lock, !(how & LOCK_NB));
}

const struct syscall_row sys_lock_rows[] = {
    SYSCALL_ROW(flock, "fx"),
    SYSCALL_END,
};
