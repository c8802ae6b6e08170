/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open file descriptions and the table of descriptors that refer to them.
 *
 * A description has operations; an operation that is missing gives the error
 * Linux gives for such files.  Operations never block: they return -EAGAIN and
 * the caller makes the thread wait on file->channel.  Buffers are host memory
 * (the guest's pages).
 */
#ifndef ARCH_X86_LINUX_FILE_H
#define ARCH_X86_LINUX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "arch/x86/linux/socket_rights.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct kckpt;
struct kernel;
struct vm_object;

/* One transfer.  offset < 0: at the file's position, which moves. */
struct file_io {
    struct iovec *iov;
    int count;
    int64_t offset;
};

enum { FILE_SEEK_NONE = -1 };

typedef bool (*file_dirent_fn)(void *ctx, const char *name, uint64_t ino,
                               uint8_t type, int64_t next);

struct file_ops {
    const char *name; /* for /proc/self/fd: "pipe", "anon_inode:[eventfd]" */
    int64_t (*read)(struct file *file, const struct file_io *io);
    int64_t (*write)(struct file *file, const struct file_io *io);
    int64_t (*seek)(struct file *file, int64_t offset, int whence);
    uint32_t (*poll)(struct file *file); /* POLLIN, POLLOUT, POLLHUP ... */
    int (*stat)(struct file *file, struct stat *st);
    /* Calls emit per entry from the position on until it returns false. */
    int (*readdir)(struct file *file, file_dirent_fn emit, void *ctx);
    /* Terminal requests and the like on a host buffer; -ENOTTY if NULL. */
    int64_t (*ioctl)(struct file *file, uint32_t request, void *data,
                     uint32_t len);
    int (*truncate)(struct file *file, uint64_t size);
    /* The object to map; takes a reference. */
    int (*map)(struct file *file, struct vm_object **out);
    void (*release)(struct file *file);

    /* Checkpoints (kckpt.h); a row in file_kinds.def. */
    const char *kind;
    /* Number the descriptions that only @file refers to; NULL: none. */
    void (*collect)(const struct file *file, struct kckpt *c);
    /* Keys of what is behind @file; NULL: it cannot be saved. */
    void (*save)(const struct file *file, struct kckpt *c);
    /* The opposite, with the members of struct file set.  Also after an error
     * in @c it leaves what release() can free. */
    void (*load)(struct file *file, struct kckpt *c);
};

/* Whether a description is the standard stream of a process that the script
 * started, and what the script gave it. */
enum file_stdio_kind {
    FILE_STDIO_NONE,
    FILE_STDIO_INHERITED, /* the simulator's own stream */
    FILE_STDIO_NAMED,     /* a file that the script names */
};
struct file_stdio {
    enum file_stdio_kind kind;
    uint32_t pid, number;
};

struct file {
    const struct file_ops *ops;
    struct kernel *kernel;
    uint32_t refs;
    uint32_t flags;      /* O_ACCMODE, O_NONBLOCK, O_APPEND ... */
    int host_fd;         /* -1: none */
    uint64_t pos;        /* of files that are not the host's */
    const void *channel; /* threads wait on it */
    char *path;          /* as the guest knows it */
    void *priv;          /* of the operations */
    uint64_t id;         /* inode number of files without one */
    bool is_writable_fs; /* metadata may be changed */
    int32_t owner;       /* F_SETOWN: process, or group if negative */
    bool is_told;        /* inotify heard of its opening */
    uint64_t activity;   /* counts changes, for edge triggering */
    uint32_t num_epolls; /* epoll lists that hold it */
    struct file_stdio stdio;
    struct file *next_epoll; /* of an epoll: kernel's list of them */
};

struct file *file_create(struct kernel *kernel, const struct file_ops *ops,
                         uint32_t flags, const char *path);
struct file *file_get(struct file *file);
void file_put(struct file *file);
/** file_renamed() - descriptions of @from, or of what is below it, are known
 *  as @to now. */
void file_renamed(struct kernel *kernel, const char *from, const char *to);
int64_t file_read(struct file *file, const struct file_io *io);
int64_t file_write(struct file *file, const struct file_io *io);
uint32_t file_poll(struct file *file);
int file_stat(struct file *file, struct stat *st);
uint64_t file_io_len(const struct file_io *io);
/* Copy between an io and one buffer; at most its length. */
uint64_t file_io_put(const struct file_io *io, const void *data, uint64_t len);
uint64_t file_io_take(const struct file_io *io, void *data, uint64_t len);

/* ----------------------------------------------------------- descriptors */

enum { FD_TABLE_MAX = 1048576 }; /* fs.nr_open */

struct fd_entry {
    struct file *file; /* NULL: free */
    bool is_cloexec;
};

struct fd_table {
    uint32_t refs;
    struct fd_entry *entries;
    uint32_t len;
    uint32_t limit; /* RLIMIT_NOFILE */
};

struct fd_table *fd_table_create(void);
struct fd_table *fd_table_get(struct fd_table *table);
void fd_table_put(struct fd_table *table);
/* A copy that shares the descriptions (fork). */
struct fd_table *fd_table_copy(const struct fd_table *table);
void fd_table_close_on_exec(struct fd_table *table);
/** fd_table_add() - lowest free number from @from on; takes over the
 *  reference, also on failure.  Returns: the number or -EMFILE. */
int fd_table_add(struct fd_table *table, struct file *file, uint32_t from,
                 uint32_t open_flags);
/** fd_table_set() - put @file at @fd, closing what was there. */
int fd_table_set(struct fd_table *table, uint32_t fd, struct file *file,
                 uint32_t open_flags);
/* Put @file, with a reference of its own, at a number that is free. */
enum fd_on_exec { FD_STAYS, FD_CLOSES };
void fd_table_restore(struct fd_table *table, uint32_t fd, struct file *file,
                      enum fd_on_exec on_exec);
/* The description behind @fd without a new reference, or NULL. */
struct file *fd_table_find(const struct fd_table *table, uint64_t fd);
int fd_table_close(struct fd_table *table, uint64_t fd);

/* ----------------------------------------------------------- kinds of files */

#define FILE_KIND(ops) extern const struct file_ops ops;
#include "arch/x86/linux/file_kinds.def"
#undef FILE_KIND
/* For kinds with nothing behind them. */
void file_save_nothing(const struct file *file, struct kckpt *c);
void file_load_nothing(struct file *file, struct kckpt *c);

/* file_host.c: a regular file or directory of the host, or a stream that the
 * simulation was given (terminal, pipe).  Takes over @host_fd. */
struct file *file_host_create(struct kernel *kernel, int host_fd,
                              uint32_t flags, const char *path);
/* What kind of file is behind file->host_fd decides how it behaves. */
void file_host_attach(struct file *file, int host_fd);
bool file_is_host(const struct file *file);
/** file_host_unshare() - in the child of a fork of the simulator: all files
 *  that programs have open get positions of their own.  Streams and the
 *  standard outputs stay common.  Returns: 0 or -errno, @path: of what. */
SIM_MUST_CHECK int file_host_unshare(struct kernel *kernel, const char **path);
/** file_host_redirect() - standard outputs go to @path from now on, which is
 *  made if needed and appended to.  Returns: 0 or -errno. */
SIM_MUST_CHECK int file_host_redirect(struct kernel *kernel, const char *path);
/* A transfer on it never has to wait, and a short read means its end. */
bool file_is_regular(const struct file *file);
/* file_text.c: content made when opened; takes over text->data. */
struct file_text {
    char *data;
    size_t len;
};
struct file *file_text_create(struct kernel *kernel, uint32_t flags,
                              const char *path, const struct file_text *text);
/* A directory made when opened: names separated by newlines. */
struct file *file_list_create(struct kernel *kernel, uint32_t flags,
                              const char *path, const struct file_text *names);
/* file_dev.c: /dev/null and its kin; NULL if there is no such device. */
struct file *file_dev_create(struct kernel *kernel, uint32_t flags,
                             const char *path);
/* file_memory.c: memfd */
struct file *file_memory_create(struct kernel *kernel, uint32_t flags,
                                const char *name);
/* file_pipe.c */
void file_pipe_create(struct kernel *kernel, uint32_t flags,
                      struct file *ends[2]);
/* Two-way, for socketpair(AF_UNIX, SOCK_STREAM). */
void file_socketpair_create(struct kernel *kernel, uint32_t flags,
                            struct file *ends[2]);
bool file_is_socket(const struct file *file);
/** file_socket_give() - what goes with the next byte written; taken over.
 *  NULL drops what did not go. */
void file_socket_give(struct file *file, struct socket_rights *rights);
/** file_socket_receive() - reads are part of a call @receive, which gets what
 *  comes beside the bytes; NULL: plain ones, which drop it. */
void file_socket_receive(struct file *file, struct socket_receive *receive);
/** file_socket_call_ended() - whether the call of file_socket_receive() reached
 *  bytes that it must not join with those it has. */
bool file_socket_call_ended(const struct file *file);
/* SO_PASSCRED of the reading side. */
bool file_socket_wants_creds(const struct file *file);
void file_socket_want_creds(struct file *file, uint32_t wanted);
/* SO_PEERCRED: who made the pair. */
struct socket_creds file_socket_peer(const struct file *file);
/**
 * file_fifo_open() - open a named pipe of the file system
 * @host_fd: opened with O_PATH, for its metadata; taken over
 * @st:      of the node, which tells one pipe from another
 *
 * Returns: 0, or -ENXIO for a writer that finds no reader and must not wait.
 */
SIM_MUST_CHECK int file_fifo_open(struct kernel *kernel, int host_fd,
                                  const struct stat *st, uint32_t flags,
                                  const char *path, struct file **out);
/** file_fifo_must_wait() - whether the open waits for the other side. */
bool file_fifo_must_wait(const struct file *file);
int64_t file_pipe_capacity(struct file *file, int64_t new_size);
int64_t file_socket_shutdown(struct file *file, int how);
int64_t file_pipe_readable_bytes(struct file *file);
/* file_event.c */
struct file *file_eventfd_create(struct kernel *kernel, uint64_t value,
                                 uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif
