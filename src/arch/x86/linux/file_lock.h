/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Advisory locks between the simulated processes: record locks of processes
 * and of open file descriptions, and locks of whole files.  All are in one
 * list; record locks of both kinds exclude each other, whole-file locks only
 * their like.
 *
 *             owner               ends with
 *   POSIX     table of descriptors  any close of the file in that table
 *   OFD       open description      its last close
 *   FLOCK     open description      its last close
 *
 * Sources: fcntl(2), "Advisory record locking" and "Open file description
 * locks"; flock(2).
 */
#ifndef ARCH_X86_LINUX_FILE_LOCK_H
#define ARCH_X86_LINUX_FILE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fd_table;
struct file;
struct kernel;

enum file_lock_kind { FILE_LOCK_POSIX, FILE_LOCK_OFD, FILE_LOCK_FLOCK };
enum file_lock_type { FILE_LOCK_READ, FILE_LOCK_WRITE, FILE_LOCK_NONE };

#define FILE_LOCK_END INT64_MAX /* to the end of the file, however long */

struct file_lock {
    struct file_lock *next; /* by owner, then by start */
    uint64_t dev, ino;
    enum file_lock_kind kind;
    enum file_lock_type type;
    const void *owner;
    uint32_t pid;       /* of a POSIX lock */
    int64_t start, end; /* first and last byte */
};

/** file_lock_target() - fill in which file @lock is about; 0 or -errno. */
SIM_MUST_CHECK int file_lock_target(struct file *file, struct file_lock *lock);
/** file_lock_conflict() - the first lock that excludes @asked, or NULL. */
const struct file_lock *file_lock_conflict(const struct kernel *kernel,
                                           const struct file_lock *asked);
/** file_lock_set() - give @asked's owner its lock, replacing what the owner
 *  has in the range; FILE_LOCK_NONE takes it away.  There is no conflict. */
void file_lock_set(struct kernel *kernel, const struct file_lock *asked);
/** file_lock_would_deadlock() - whether @owner, if it waited for @blocker,
 *  would wait for itself. */
bool file_lock_would_deadlock(const struct kernel *kernel, const void *owner,
                              const void *blocker);
/** file_lock_closed() - @table closes a descriptor of @file. */
void file_lock_closed(const struct fd_table *table, struct file *file);
/** file_lock_released() - the description ends. */
void file_lock_released(const struct file *file);
/* All locks end with the kernel. */
void file_lock_drop_all(struct kernel *kernel);

#ifdef __cplusplus
}
#endif

#endif
