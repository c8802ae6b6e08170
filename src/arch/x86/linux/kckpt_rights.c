/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptions and credentials that travel over sockets. */
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/socket_rights.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

enum { MANY = 1 << 20 }; /* records of one socket */

/* What a key of a queue holds. */
struct rights_head {
    uint64_t written, read, count;
};

static const struct sim_field head_fields[] = {
    KCKPT_FIELD(struct rights_head, written),
    KCKPT_FIELD(struct rights_head, read),
    KCKPT_FIELD(struct rights_head, count),
    SIM_END,
};

static const struct sim_field rights_fields[] = {
    KCKPT_FIELD(struct socket_rights, start),
    KCKPT_FIELD(struct socket_rights, end),
    KCKPT_FIELD(struct socket_rights, has_creds),
    KCKPT_FIELD(struct socket_rights, creds.pid),
    KCKPT_FIELD(struct socket_rights, creds.uid),
    KCKPT_FIELD(struct socket_rights, creds.gid),
    SIM_END,
};

void kckpt_collect_rights(struct kckpt *c, const struct rights_queue *queue)
{
    for (const struct socket_rights *r = queue->first; r; r = r->next) {
        for (uint32_t i = 0; i < r->num_files; i++)
            (void)kckpt_id(&c->files, r->files[i]);
    }
}

void kckpt_put_rights(struct kckpt *c, const char *key,
                      const struct rights_queue *queue)
{
    struct rights_head head = {queue->written, queue->read, 0};

    for (const struct socket_rights *r = queue->first; r; r = r->next) {
        uint32_t index = (uint32_t)head.count++;
        uint64_t ids[SOCKET_MAX_FILES];

        for (uint32_t i = 0; i < r->num_files; i++)
            ids[i] = kckpt_id(&c->files, r->files[i]);
        ckpt_put_tuple(c->w, kckpt_key(key, index, "").text, r, rights_fields);
        ckpt_put_u64s(c->w, kckpt_key(key, index, "_files").text, ids,
                      r->num_files);
    }
    ckpt_put_tuple(c->w, key, &head, head_fields);
}

static void rights_get_files(struct kckpt *c, const char *key,
                             struct socket_rights *rights)
{
    size_t count;
    uint64_t *ids = kckpt_get_u64s(c, key, &count);

    if (count > SOCKET_MAX_FILES)
        kckpt_fail(c, "key %s: %zu files are too many", key, count);
    for (size_t i = 0; i < count && !c->error; i++) {
        if (!ids[i] || ids[i] > c->files.len) {
            kckpt_fail(c, "key %s: there is no file %llu", key,
                       (unsigned long long)ids[i]);
            break;
        }
        rights->files[rights->num_files++] = file_get(c->files.ptr[ids[i] - 1]);
        c->kernel->num_files_in_flight++;
    }
    mem_free(ids);
}

/* Records cover bytes that were not read, one after the other. */
static void rights_check(struct kckpt *c, const char *key,
                         const struct rights_queue *queue,
                         const struct socket_rights *rights, uint64_t after)
{
    if (!c->error &&
        (rights->start < after || rights->end <= rights->start ||
         rights->end <= queue->read || rights->end > queue->written))
        kckpt_fail(c, "key %s: bytes %llu to %llu cannot be", key,
                   (unsigned long long)rights->start,
                   (unsigned long long)rights->end);
}

void kckpt_get_rights(struct kckpt *c, const char *key,
                      struct rights_queue *queue)
{
    struct socket_rights **link = &queue->first;
    struct rights_head head = {0};
    uint64_t after = 0;

    kckpt_get_tuple(c, key, &head, head_fields);
    if (!c->error && (head.read > head.written || head.count > MANY))
        kckpt_fail(c, "key %s: such a queue cannot be", key);
    queue->written = head.written;
    queue->read = head.read;
    for (uint32_t i = 0; i < head.count && !c->error; i++) {
        struct kckpt_key name = kckpt_key(key, i, "");

        *link = socket_rights_create();
        kckpt_get_tuple(c, name.text, *link, rights_fields);
        rights_check(c, name.text, queue, *link, after);
        rights_get_files(c, kckpt_key(key, i, "_files").text, *link);
        after = (*link)->end;
        link = &(*link)->next;
    }
}
