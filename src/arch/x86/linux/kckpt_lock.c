/* SPDX-License-Identifier: BSD-3-Clause */
/* Advisory locks: the list in its order, with numbers for file and owner. */
#include <string.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_lock.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

struct lock_entry {
    struct file_lock lock;
    uint32_t file, owner; /* numbers; of a table or of a description */
};

static const struct sim_field lock_fields[] = {
    KCKPT_FIELD_32(struct lock_entry, lock.kind),
    KCKPT_FIELD_32(struct lock_entry, lock.type),
    KCKPT_FIELD(struct lock_entry, lock.pid),
    KCKPT_FIELD(struct lock_entry, lock.start),
    KCKPT_FIELD(struct lock_entry, lock.end),
    KCKPT_FIELD(struct lock_entry, file),
    KCKPT_FIELD(struct lock_entry, owner),
    SIM_END,
};

/* An open description of the file that is locked: there always is one. */
static uint32_t lock_find_file(const struct kckpt *c,
                               const struct file_lock *lock)
{
    for (uint32_t i = 0; i < c->files.len; i++) {
        struct file_lock target = {0};

        if (!file_lock_target(c->files.ptr[i], &target) &&
            target.dev == lock->dev && target.ino == lock->ino)
            return i + 1;
    }
    return 0;
}

void kckpt_save_locks(struct kckpt *c)
{
    uint32_t count = 0;

    ckpt_subsection(c->w, NULL);
    for (const struct file_lock *l = c->kernel->locks; l; l = l->next) {
        struct lock_entry entry = {
            .lock = *l,
            .file = lock_find_file(c, l),
            .owner = kckpt_id(
                l->kind == FILE_LOCK_POSIX ? &c->tables : &c->files, l->owner),
        };
        char key[24];

        (void)snprintf(key, sizeof(key), "lock%u", count++);
        ckpt_put_tuple(c->w, key, &entry, lock_fields);
    }
    ckpt_put_u64(c->w, "num_locks", count);
}

static bool lock_is_good(const struct kckpt *c, const struct lock_entry *entry)
{
    const struct file_lock *lock = &entry->lock;
    uint32_t num_owners =
        lock->kind == FILE_LOCK_POSIX ? c->tables.len : c->files.len;

    return lock->kind <= FILE_LOCK_FLOCK && lock->type < FILE_LOCK_NONE &&
           lock->start >= 0 && lock->end >= lock->start && entry->file &&
           entry->file <= c->files.len && entry->owner &&
           entry->owner <= num_owners;
}

static struct file_lock *lock_make(struct kckpt *c,
                                   const struct lock_entry *entry)
{
    struct file_lock *lock = alloc_zeroed(1, sizeof(*lock));

    *lock = entry->lock;
    lock->next = NULL;
    lock->owner = lock->kind == FILE_LOCK_POSIX
                      ? c->tables.ptr[entry->owner - 1]
                      : c->files.ptr[entry->owner - 1];
    if (file_lock_target(c->files.ptr[entry->file - 1], lock))
        kckpt_fail(c, "a lock of file %u, which is not there", entry->file);
    return lock;
}

void kckpt_load_locks(struct kckpt *c)
{
    struct file_lock **link = &c->kernel->locks;
    uint32_t count;

    ckpt_enter_subsection(c->r, NULL);
    count = kckpt_get_u32(c, "num_locks", 1 << 22);
    for (uint32_t i = 0; i < count && !c->error; i++) {
        struct lock_entry entry = {0};
        char key[24];

        (void)snprintf(key, sizeof(key), "lock%u", i);
        kckpt_get_tuple(c, key, &entry, lock_fields);
        if (!c->error && !lock_is_good(c, &entry))
            kckpt_fail(c, "key %s: not a lock", key);
        if (c->error)
            return;
        *link = lock_make(c, &entry);
        link = &(*link)->next;
    }
}
