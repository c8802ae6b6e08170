/* SPDX-License-Identifier: BSD-3-Clause */
/* Open file descriptions and tables of descriptors.  What is behind a
 * description is saved by its kind. */
#include <string.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"
#include "base/compiler.h"
#include "sim/checkpoint.h"

static const struct file_ops *const file_kinds[] = {
#define FILE_KIND(ops) &(ops),
#include "arch/x86/linux/file_kinds.def"
#undef FILE_KIND
};

static const struct sim_field file_fields[] = {
    KCKPT_FIELD(struct file, flags),
    KCKPT_FIELD(struct file, pos),
    KCKPT_FIELD_STR(struct file, path),
    KCKPT_FIELD(struct file, id),
    KCKPT_FIELD(struct file, is_writable_fs),
    KCKPT_FIELD(struct file, is_told),
    KCKPT_FIELD_32(struct file, owner),
    KCKPT_FIELD(struct file, activity),
    SIM_END,
};

/* A description whose kind is not known yet. */
static const struct file_ops file_unread_ops = {.name = NULL};

void file_save_nothing(const struct file *file, struct kckpt *c)
{
    (void)file;
    (void)c;
}

void file_load_nothing(struct file *file, struct kckpt *c)
{
    (void)file;
    (void)c;
}

/* --------------------------------------------------------------------- saving
 */

/* Whether threads that wait for @file wait for others, too. */
static bool file_shares_channel(const struct file *file)
{
    return file->channel != file &&
           file->channel != &file->kernel->host_channel;
}

static void file_save(struct kckpt *c, const struct file *file)
{
    if (!file->ops->save) {
        kckpt_refuse(c, file, "this kind of file cannot be saved");
        return;
    }
    ckpt_put_str(c->w, "kind", file->ops->kind);
    ckpt_put_fields(c->w, file, file_fields);
    ckpt_put_u64(
        c->w, "channel",
        file_shares_channel(file) ? kckpt_id(&c->channels, file->channel) : 0);
    file->ops->save(file, c);
}

/* Triples: descriptor, description, whether exec closes it. */
static void table_save(struct kckpt *c, const struct fd_table *table)
{
    uint64_t *words = alloc_zeroed((size_t)table->len * 3 + 1, sizeof(*words));
    size_t count = 0;

    for (uint32_t fd = 0; fd < table->len; fd++) {
        if (!table->entries[fd].file)
            continue;
        words[count++] = fd;
        words[count++] = kckpt_id(&c->files, table->entries[fd].file);
        words[count++] = table->entries[fd].is_cloexec;
    }
    ckpt_put_u64s(c->w, "entries", words, count);
    ckpt_put_u64(c->w, "limit", table->limit);
    mem_free(words);
}

void kckpt_save_files(struct kckpt *c)
{
    uint32_t num_epolls = 0;
    uint64_t *epolls;

    for (uint32_t i = 0; i < c->files.len; i++) {
        kckpt_section(c, "file.%u", i + 1);
        file_save(c, c->files.ptr[i]);
    }
    for (uint32_t i = 0; i < c->tables.len; i++) {
        kckpt_section(c, "table.%u", i + 1);
        table_save(c, c->tables.ptr[i]);
    }
    ckpt_subsection(c->w, NULL);
    epolls = alloc_zeroed((size_t)c->files.len + 1, sizeof(*epolls));
    for (const struct file *f = c->kernel->epolls; f; f = f->next_epoll)
        epolls[num_epolls++] = kckpt_id(&c->files, f);
    ckpt_put_u64s(c->w, "epolls", epolls, num_epolls);
    mem_free(epolls);
}

/* -------------------------------------------------------------------- loading
 */

static const struct file_ops *file_find_kind(struct kckpt *c)
{
    char *kind = kckpt_get_str(c, "kind");
    const struct file_ops *ops = NULL;

    for (size_t i = 0; i < SIM_ARRAY_LEN(file_kinds) && !ops; i++) {
        if (!strcmp(file_kinds[i]->kind, kind))
            ops = file_kinds[i];
    }
    if (!ops)
        kckpt_fail(c, "key kind: there are no files of kind %.40s", kind);
    mem_free(kind);
    return c->error ? NULL : ops;
}

static void file_load_channel(struct kckpt *c, struct file *file)
{
    uint32_t id = kckpt_get_u32(c, "channel", c->files.len);

    if (!id)
        return;
    if (!c->channels.ptr[id - 1])
        memcpy(&c->channels.ptr[id - 1], &file->channel, sizeof(void *));
    file->channel = c->channels.ptr[id - 1];
}

static void file_load(struct kckpt *c, struct file *file)
{
    const struct file_ops *ops = file_find_kind(c);

    kckpt_get_fields(c, file, file_fields);
    if (!ops || c->error)
        return;
    ops->load(file, c);
    /* A standard stream may be of another kind today. */
    if (file->ops == &file_unread_ops)
        file->ops = ops;
    file_load_channel(c, file);
}

static void table_load(struct kckpt *c, struct fd_table *table)
{
    size_t count;
    uint64_t *words = kckpt_get_u64s(c, "entries", &count);
    uint64_t last = 0;

    table->limit = kckpt_get_u32(c, "limit", UINT32_MAX);
    if (count % 3)
        kckpt_fail(c, "key entries: has %zu values", count);
    for (size_t i = 0; i + 2 < count && !c->error; i += 3) {
        uint64_t fd = words[i], id = words[i + 1];

        if ((i && fd <= last) || fd > 1 << 24 || !id || id > c->files.len ||
            words[i + 2] > 1) {
            kckpt_fail(c, "key entries: descriptor %llu cannot be",
                       (unsigned long long)fd);
            break;
        }
        fd_table_restore(table, (uint32_t)fd, c->files.ptr[id - 1],
                         words[i + 2] ? FD_CLOSES : FD_STAYS);
        last = fd;
    }
    mem_free(words);
}

static bool epolls_are_good(const struct kckpt *c, const uint64_t *ids,
                            size_t count)
{
    size_t num_epolls = 0;

    for (const struct file *f = c->kernel->epolls; f; f = f->next_epoll)
        num_epolls++;
    for (size_t i = 0; i < count; i++) {
        const struct file *file =
            ids[i] && ids[i] <= c->files.len ? c->files.ptr[ids[i] - 1] : NULL;

        if (!file || file->ops != &file_epoll_ops)
            return false;
        for (size_t other = 0; other < i; other++) {
            if (ids[other] == ids[i])
                return false;
        }
    }
    return count == num_epolls;
}

/* The list of epolls, which grew as they were read, gets its order. */
static void epolls_load(struct kckpt *c)
{
    size_t count;
    uint64_t *ids;

    ckpt_enter_subsection(c->r, NULL);
    ids = kckpt_get_u64s(c, "epolls", &count);
    if (!c->error && !epolls_are_good(c, ids, count))
        kckpt_fail(c, "key epolls: does not name each of them once");
    if (!c->error)
        c->kernel->epolls = NULL;
    for (size_t i = count; i-- > 0 && !c->error;) {
        struct file *file = c->files.ptr[ids[i] - 1];

        file->next_epoll = c->kernel->epolls;
        c->kernel->epolls = file;
    }
    mem_free(ids);
}

void kckpt_load_files(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->files.len; i++)
        c->files.ptr[i] = file_create(c->kernel, &file_unread_ops, 0, "");
    c->channels.len = c->files.len;
    c->channels.ptr =
        alloc_zeroed((size_t)c->files.len + 1, sizeof(*c->channels.ptr));
    for (uint32_t i = 0; i < c->files.len; i++) {
        kckpt_section(c, "file.%u", i + 1);
        file_load(c, c->files.ptr[i]);
    }
    for (uint32_t i = 0; i < c->tables.len; i++) {
        c->tables.ptr[i] = fd_table_create();
        kckpt_section(c, "table.%u", i + 1);
        table_load(c, c->tables.ptr[i]);
    }
    epolls_load(c);
}

void kckpt_release_files(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->tables.len; i++)
        fd_table_put(c->tables.ptr[i]);
    for (uint32_t i = 0; i < c->files.len; i++)
        file_put(c->files.ptr[i]);
}
