/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What travels beside the bytes of a stream socket: open descriptions
 * (SCM_RIGHTS) and credentials.  A record covers the bytes of one message; a
 * read that reaches it gets the descriptions and ends with the message.
 * Source: unix(7), "Ancillary messages".
 */
#ifndef ARCH_X86_LINUX_SOCKET_RIGHTS_H
#define ARCH_X86_LINUX_SOCKET_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct file;

enum { SOCKET_MAX_FILES = 253 }; /* SCM_MAX_FD */

struct socket_creds { /* struct ucred */
    uint32_t pid, uid, gid;
};

struct socket_rights {
    struct socket_rights *next;
    uint64_t start, end; /* bytes of the stream */
    struct socket_creds creds;
    bool has_creds;
    uint32_t num_files;
    struct file *files[SOCKET_MAX_FILES]; /* references */
};

/* Of one direction. */
struct rights_queue {
    struct socket_rights *first; /* in order of the bytes */
    uint64_t written, read;      /* bytes, ever */
};

/* What one receiving call wants and gets, over all its buffers. */
struct socket_receive {
    bool peeks;      /* leaves everything where it is (MSG_PEEK) */
    uint64_t peeked; /* bytes it looked at so far */
    bool has_end;
    uint64_t end;                 /* byte of the stream where it must stop */
    struct socket_rights *rights; /* came with the bytes; the caller's */
};

struct socket_rights *socket_rights_create(void);
/* With the references. */
void socket_rights_free(struct socket_rights *rights);

/** rights_queue_add() - @count bytes were written, with @rights or NULL; takes
 *  the rights over. */
void rights_queue_add(struct rights_queue *queue, uint64_t count,
                      struct socket_rights *rights);
/** rights_queue_limit() - how many bytes one read may get. */
uint64_t rights_queue_limit(const struct rights_queue *queue);
/** rights_queue_pass() - @count bytes were read.
 *  Returns: what came with them, the caller's to free; or NULL. */
struct socket_rights *rights_queue_pass(struct rights_queue *queue,
                                        uint64_t count);
/** rights_queue_peek() - a copy, the caller's, of what rights_queue_pass()
 *  would give. */
struct socket_rights *rights_queue_peek(const struct rights_queue *queue,
                                        uint64_t count);
/** socket_receive_room() - how many bytes the call may still get. */
uint64_t socket_receive_room(struct socket_receive *receive,
                             const struct rights_queue *queue);
/** socket_receive_add() - @rights, taken over, came with bytes of the call. */
void socket_receive_add(struct socket_receive *receive,
                        struct socket_rights *rights);
/** rights_queue_fini() - drop all records.
 *  Returns: how many descriptions they held. */
uint64_t rights_queue_fini(struct rights_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
