/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inotify: what simulated processes change is told to those who watch it.
 * What others do to the host's files is not seen.
 * Source: inotify(7).
 */
#ifndef ARCH_X86_LINUX_INOTIFY_H
#define ARCH_X86_LINUX_INOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct kernel;

struct file *file_inotify_create(struct kernel *kernel, uint32_t flags);
bool file_is_inotify(const struct file *file);
/** inotify_add() - watch the object of @st, or change its watch.
 *  @path: canonical guest path to it
 *  Returns: the number of the watch or -errno. */
int inotify_add(struct file *file, const struct stat *st, const char *path,
                uint32_t mask);
SIM_MUST_CHECK int inotify_remove(struct file *file, int wd);

/** inotify_named() - the object at canonical guest path @path was created,
 *  changed, moved or deleted
 * @st: of the object
 *
 * Told to watches on its directory, and, unless only its name is concerned,
 * to those on the object.
 */
void inotify_named(struct kernel *kernel, const char *path,
                   const struct stat *st, uint32_t mask);
/** inotify_created() - the name @path is new. */
void inotify_created(struct kernel *kernel, const char *path);
/** inotify_moved() - the same for a rename of @st; @replaced: what had the new
 *  name, or NULL. */
void inotify_moved(struct kernel *kernel, const char *const path[2],
                   const struct stat *st, const struct stat *replaced);
/** inotify_unlinked() - a name of @st was removed; @st as it was before. */
void inotify_unlinked(struct kernel *kernel, const char *path,
                      const struct stat *st);
/** inotify_own() - only to watches on the object itself. */
void inotify_own(struct kernel *kernel, const struct stat *st, uint32_t mask);
/** inotify_file() - something was done through a description. */
void inotify_file(struct file *file, uint32_t mask);

#ifdef __cplusplus
}
#endif

#endif
