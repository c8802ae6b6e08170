/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/socket_rights.h"

#include <stddef.h>
#include <string.h>

#include "arch/x86/linux/file.h"
#include "base/alloc.h"

struct socket_rights *socket_rights_create(void)
{
    return alloc_zeroed(1, sizeof(struct socket_rights));
}

void socket_rights_free(struct socket_rights *rights)
{
    for (uint32_t i = 0; rights && i < rights->num_files; i++)
        file_put(rights->files[i]);
    mem_free(rights);
}

static bool rights_have_one_sender(const struct socket_rights *a,
                                   const struct socket_rights *b)
{
    return a->has_creds && b->has_creds &&
           !memcmp(&a->creds, &b->creds, sizeof(a->creds));
}

void rights_queue_add(struct rights_queue *queue, uint64_t count,
                      struct socket_rights *rights)
{
    struct socket_rights **link = &queue->first, *last = NULL;
    uint64_t start = queue->written;

    queue->written += count;
    if (!rights)
        return;
    for (; *link; link = &(*link)->next)
        last = *link;
    if (last && last->end == start && !last->num_files && !rights->num_files &&
        rights_have_one_sender(last, rights)) {
        last->end = queue->written;
        socket_rights_free(rights);
        return;
    }
    rights->start = start;
    rights->end = queue->written;
    *link = rights;
}

uint64_t rights_queue_limit(const struct rights_queue *queue)
{
    const struct socket_rights *first = queue->first;

    if (!first)
        return UINT64_MAX;
    /* Bytes without credentials are not joined with bytes that have some. */
    if (first->start > queue->read && first->has_creds)
        return first->start - queue->read;
    while (!first->num_files && first->next &&
           first->next->start == first->end &&
           rights_have_one_sender(first, first->next))
        first = first->next;
    return first->end - queue->read;
}

/* The record stays for its other bytes, without the descriptions. */
static struct socket_rights *rights_split(struct socket_rights *rights)
{
    struct socket_rights *taken = socket_rights_create();

    *taken = *rights;
    taken->next = NULL;
    rights->num_files = 0;
    return taken;
}

struct socket_rights *rights_queue_pass(struct rights_queue *queue,
                                        uint64_t count)
{
    struct socket_rights *taken = NULL, *first;

    queue->read += count;
    while ((first = queue->first) != NULL && first->start < queue->read) {
        socket_rights_free(taken); /* only the last one has descriptions */
        if (first->end > queue->read && first->has_creds)
            return rights_split(first);
        queue->first = first->next;
        first->next = NULL;
        taken = first;
    }
    return taken;
}

struct socket_rights *rights_queue_peek(const struct rights_queue *queue,
                                        uint64_t count)
{
    const struct socket_rights *last = NULL, *next = queue->first;
    struct socket_rights *copy;

    for (; next && next->start < queue->read + count; next = next->next)
        last = next;
    if (!last)
        return NULL;
    copy = socket_rights_create();
    *copy = *last;
    copy->next = NULL;
    for (uint32_t i = 0; i < copy->num_files; i++)
        (void)file_get(copy->files[i]);
    return copy;
}

uint64_t socket_receive_room(struct socket_receive *receive,
                             const struct rights_queue *queue)
{
    uint64_t limit = rights_queue_limit(queue);

    if (!receive->has_end) {
        receive->has_end = true;
        receive->end = limit == UINT64_MAX ? UINT64_MAX : queue->read + limit;
    }
    return receive->end - queue->read - receive->peeked;
}

/* Descriptions end a call, but credentials may come again after them. */
void socket_receive_add(struct socket_receive *receive,
                        struct socket_rights *rights)
{
    if (receive->rights && receive->rights->num_files) {
        socket_rights_free(rights);
        return;
    }
    socket_rights_free(receive->rights);
    receive->rights = rights;
}

uint64_t rights_queue_fini(struct rights_queue *queue)
{
    uint64_t num_files = 0;

    while (queue->first) {
        struct socket_rights *rights = queue->first;

        queue->first = rights->next;
        num_files += rights->num_files;
        socket_rights_free(rights);
    }
    return num_files;
}
