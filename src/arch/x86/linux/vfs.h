/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file system that programs see: a table of mounts over host directories.
 *
 *   /            the host's, read-only
 *   /proc /sys /dev   made by the simulator (vfs_proc.c); the host's are
 *                never reached
 *   /tmp         private and writable, with the host's files readable below it
 *   the working and output directory, and what the script allows: writable
 *
 * A path is resolved here, component by component: "..", "." and symbolic
 * links are handled on the guest's names, so that a link or a ".." can never
 * lead to a host file that the guest's own name for it does not allow.  The
 * host then gets a path without links, relative to the mount's directory, with
 * RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH.
 * Sources: path_resolution(7), openat2(2).
 */
#ifndef ARCH_X86_LINUX_VFS_H
#define ARCH_X86_LINUX_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct kernel;
struct process;

enum { VFS_PATH_MAX = 4096, VFS_MAX_HOSTS = 4, VFS_MAX_LINKS = 40 };

enum vfs_access { VFS_READ_ONLY, VFS_WRITABLE };

struct vfs_mount {
    char *guest; /* canonical guest path, "/" for the root */
    size_t guest_len;
    char *host[VFS_MAX_HOSTS];  /* the first that has a name wins */
    int host_fd[VFS_MAX_HOSTS]; /* of the directory, or of a file's parent */
    char *file_name;            /* a mounted file; NULL: a directory */
    uint32_t num_hosts;         /* 0: made by the simulator */
    enum vfs_access access;     /* of the first host directory */
};

struct vfs {
    struct vfs_mount *mounts; /* longest guest path first */
    uint32_t num_mounts;
};

enum vfs_flag {
    VFS_FOLLOW = 1,   /* follow a link in the last component */
    VFS_MAY_MISS = 2, /* the last component need not exist */
};

/* Where a path leads. */
struct vfs_node {
    char path[VFS_PATH_MAX]; /* canonical guest path */
    const struct vfs_mount *mount;
    int dir_fd;      /* of the host directory of the mount */
    const char *rel; /* path below dir_fd, "." for the mount */
    bool is_writable;
    bool exists;
    struct stat st; /* if it exists */
};

void vfs_init(struct vfs *vfs);
void vfs_fini(struct vfs *vfs);
/** vfs_add_host() - show host directory (or file) @host at @guest
 *  A second call with the same @guest adds a directory behind the first.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int vfs_add_host(struct vfs *vfs, const char *guest,
                                const char *host, enum vfs_access access);
/* Names below @guest are made by the simulator. */
void vfs_add_made(struct vfs *vfs, const char *guest);

/**
 * vfs_lookup() - resolve @path
 * @process: whose /proc/self it is; may be NULL
 * @base:    canonical guest directory for relative paths
 * @flags:   enum vfs_flag
 *
 * Returns: 0 or -errno (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES).
 */
SIM_MUST_CHECK int vfs_lookup(struct kernel *kernel, struct process *process,
                              const char *base, const char *path,
                              unsigned flags, struct vfs_node *out);
/** vfs_open() - open what vfs_lookup() found or may create.
 *  Returns: a description in @out and 0, or -errno. */
SIM_MUST_CHECK int vfs_open(struct kernel *kernel, struct process *process,
                            struct vfs_node *node, uint32_t flags,
                            uint32_t mode, struct file **out);
/** vfs_readlink() - target of the link at @node: its length or -errno. */
int64_t vfs_readlink(struct kernel *kernel, struct process *process,
                     const struct vfs_node *node, char *out, uint64_t max);
/** vfs_host_open() - open below a mount on the host, never through a link.
 *  Returns: a host descriptor or -errno. */
int vfs_host_open(int dir_fd, const char *rel, int flags, uint32_t mode);
/** vfs_host_parent() - host descriptor of the directory that holds @node, and
 *  the last component; or -errno. */
int vfs_host_parent(const struct vfs_node *node, const char **name);

/* ------------------------------------------------- vfs_proc.c: made names */

enum vfs_made { MADE_NONE, MADE_DIR, MADE_FILE, MADE_LINK, MADE_DEVICE };

/* What a canonical guest path below a made mount is. */
enum vfs_made vfs_made_kind(struct kernel *kernel, struct process *process,
                            const char *path);
/* Fresh text of a file, or the names in a directory separated by newlines, or
 * the target of a link; NULL if there is none.  @len receives its length: some
 * texts hold zero bytes. */
char *vfs_made_text(struct kernel *kernel, struct process *process,
                    const char *path, size_t *len);
/* The description behind /proc/<pid>/fd/<n>, or NULL. */
struct file *vfs_made_fd(struct kernel *kernel, struct process *process,
                         const char *path);

#ifdef __cplusplus
}
#endif

#endif
