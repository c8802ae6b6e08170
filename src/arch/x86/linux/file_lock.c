/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/file_lock.h"

#include <stddef.h>
#include <sys/stat.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"

int file_lock_target(struct file *file, struct file_lock *lock)
{
    struct stat st;
    int error = file_stat(file, &st);

    lock->dev = st.st_dev;
    lock->ino = st.st_ino;
    return error;
}

static bool file_lock_is_whole(const struct file_lock *lock)
{
    return lock->kind == FILE_LOCK_FLOCK;
}

/* Whether both are about one file and one kind of exclusion. */
static bool file_lock_is_beside(const struct file_lock *a,
                                const struct file_lock *b)
{
    return a->dev == b->dev && a->ino == b->ino &&
           file_lock_is_whole(a) == file_lock_is_whole(b);
}

static bool file_lock_is_own(const struct file_lock *a,
                             const struct file_lock *b)
{
    return file_lock_is_beside(a, b) && a->kind == b->kind &&
           a->owner == b->owner;
}

const struct file_lock *file_lock_conflict(const struct kernel *kernel,
                                           const struct file_lock *asked)
{
    const struct file_lock *lock = kernel->locks;

    for (; lock; lock = lock->next) {
        if (file_lock_is_beside(lock, asked) &&
            !file_lock_is_own(lock, asked) && lock->start <= asked->end &&
            asked->start <= lock->end &&
            (lock->type == FILE_LOCK_WRITE || asked->type == FILE_LOCK_WRITE))
            return lock;
    }
    return NULL;
}

/* Behind the owner's locks that start before it; a new owner comes last. */
static void file_lock_insert(struct kernel *kernel,
                             const struct file_lock *asked)
{
    struct file_lock **link = &kernel->locks, **at = NULL;
    struct file_lock *lock = alloc_zeroed(1, sizeof(*lock));

    for (; *link; link = &(*link)->next) {
        if (!file_lock_is_own(*link, asked))
            continue;
        if (!at)
            at = link;
        if ((*link)->start < asked->start)
            at = &(*link)->next;
    }
    if (!at)
        at = link;
    *lock = *asked;
    lock->next = *at;
    *at = lock;
}

static void file_lock_remove(struct file_lock **link)
{
    struct file_lock *lock = *link;

    *link = lock->next;
    mem_free(lock);
}

/* Take [asked->start, asked->end] out of the lock at @link, of the same owner.
 * Returns: where the next one is. */
static struct file_lock **file_lock_cut(struct kernel *kernel,
                                        struct file_lock **link,
                                        const struct file_lock *asked)
{
    struct file_lock *lock = *link;
    struct file_lock upper = *lock;

    if (lock->end > asked->end && lock->start < asked->start) {
        lock->end = asked->start - 1;
        upper.start = asked->end + 1;
        file_lock_insert(kernel, &upper);
    } else if (lock->end > asked->end) {
        lock->start = asked->end + 1;
    } else if (lock->start < asked->start) {
        lock->end = asked->start - 1;
    } else {
        file_lock_remove(link);
        return link;
    }
    return &lock->next;
}

/* Grow @asked over the owner's locks of its type that touch it. */
static void file_lock_join(const struct kernel *kernel, struct file_lock *asked)
{
    for (const struct file_lock *lock = kernel->locks; lock;
         lock = lock->next) {
        if (!file_lock_is_own(lock, asked) || lock->type != asked->type)
            continue;
        if (lock->start < asked->start && lock->end >= asked->start - 1)
            asked->start = lock->start;
        if (lock->end > asked->end && lock->start - 1 <= asked->end)
            asked->end = lock->end;
    }
}

void file_lock_set(struct kernel *kernel, const struct file_lock *asked)
{
    struct file_lock **link = &kernel->locks;
    struct file_lock wanted = *asked;
    bool is_any_cut = false;

    if (wanted.type != FILE_LOCK_NONE)
        file_lock_join(kernel, &wanted);
    while (*link) {
        if (file_lock_is_own(*link, &wanted) && (*link)->start <= wanted.end &&
            wanted.start <= (*link)->end) {
            link = file_lock_cut(kernel, link, &wanted);
            is_any_cut = true;
        } else {
            link = &(*link)->next;
        }
    }
    if (wanted.type != FILE_LOCK_NONE)
        file_lock_insert(kernel, &wanted);
    if (is_any_cut)
        kernel_wake(kernel, &kernel->locks);
}

/* Whose lock the owner waits for, or NULL. */
static const void *file_lock_blocker(const struct kernel *kernel,
                                     const void *owner)
{
    for (const struct process *p = kernel->processes; p; p = p->next) {
        if (p->files != owner)
            continue;
        for (const struct thread *t = p->threads; t; t = t->next) {
            if (t->run_state == THREAD_WAITING &&
                t->wait.channel == &kernel->locks && t->wait.lock_blocker)
                return t->wait.lock_blocker;
        }
    }
    return NULL;
}

bool file_lock_would_deadlock(const struct kernel *kernel, const void *owner,
                              const void *blocker)
{
    enum { MAX_STEPS = 10 }; /* Linux's MAX_DEADLK_ITERATIONS */

    for (int i = 0; blocker && i < MAX_STEPS; i++) {
        blocker = file_lock_blocker(kernel, blocker);
        if (blocker == owner)
            return true;
    }
    return false;
}

void file_lock_closed(const struct fd_table *table, struct file *file)
{
    struct file_lock all = {.kind = FILE_LOCK_POSIX,
                            .type = FILE_LOCK_NONE,
                            .owner = table,
                            .end = FILE_LOCK_END};

    const struct file_lock *lock = file->kernel->locks;

    while (lock && (lock->kind != FILE_LOCK_POSIX || lock->owner != table))
        lock = lock->next;
    if (lock && !file_lock_target(file, &all))
        file_lock_set(file->kernel, &all);
}

void file_lock_released(const struct file *file)
{
    struct file_lock **link = &file->kernel->locks;
    bool is_any = false;

    while (*link) {
        if ((*link)->kind == FILE_LOCK_POSIX || (*link)->owner != file) {
            link = &(*link)->next;
            continue;
        }
        file_lock_remove(link);
        is_any = true;
    }
    if (is_any)
        kernel_wake(file->kernel, &file->kernel->locks);
}

void file_lock_drop_all(struct kernel *kernel)
{
    while (kernel->locks)
        file_lock_remove(&kernel->locks);
}
