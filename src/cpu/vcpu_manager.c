/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/vcpu_manager.h"

#include <errno.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/log.h"

struct entry {
    struct vcpu *vcpu;
    struct vcpu_factory factory; /* that made it */
};

struct vcpu_manager {
    struct vcpu_factory factory;
    pthread_mutex_t lock;
    struct entry *entries;
    uint32_t count, capacity;
};

struct vcpu_manager *vcpu_manager_create(const struct vcpu_factory *factory)
{
    struct vcpu_manager *manager = alloc_zeroed(1, sizeof *manager);

    manager->factory = *factory;
    (void)pthread_mutex_init(&manager->lock, NULL);
    return manager;
}

void vcpu_manager_set_factory(struct vcpu_manager *manager,
                              const struct vcpu_factory *factory)
{
    manager->factory = *factory;
}

/* -------------------------------------------------------------------- table
 */

static struct entry *find(struct vcpu_manager *manager, vcpuid_t id)
{
    for (uint32_t i = 0; i < manager->count; i++)
        if (manager->entries[i].vcpu->id == id)
            return &manager->entries[i];
    return NULL;
}

/* -EEXIST if the id is taken. */
static int insert(struct vcpu_manager *manager, const struct entry *entry)
{
    int error = 0;

    (void)pthread_mutex_lock(&manager->lock);
    if (find(manager, entry->vcpu->id)) {
        error = -EEXIST;
    } else {
        if (manager->count == manager->capacity) {
            manager->capacity = manager->capacity ? 2 * manager->capacity : 8;
            manager->entries = alloc_resize(manager->entries, manager->capacity,
                                            sizeof *manager->entries);
        }
        manager->entries[manager->count++] = *entry;
    }
    (void)pthread_mutex_unlock(&manager->lock);
    return error;
}

static bool take(struct vcpu_manager *manager, vcpuid_t id, struct entry *out)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&manager->lock);
    entry = find(manager, id);
    if (entry) {
        *out = *entry;
        *entry = manager->entries[--manager->count];
    }
    (void)pthread_mutex_unlock(&manager->lock);
    return entry != NULL;
}

struct vcpu *vcpu_manager_find(struct vcpu_manager *manager, vcpuid_t id)
{
    struct entry *entry;
    struct vcpu *vcpu;

    (void)pthread_mutex_lock(&manager->lock);
    entry = find(manager, id);
    vcpu = entry ? entry->vcpu : NULL;
    (void)pthread_mutex_unlock(&manager->lock);
    return vcpu;
}

uint32_t vcpu_manager_count(struct vcpu_manager *manager)
{
    uint32_t count;

    (void)pthread_mutex_lock(&manager->lock);
    count = manager->count;
    (void)pthread_mutex_unlock(&manager->lock);
    return count;
}

/* ------------------------------------------------------------ add and remove
 */

static int drop(const struct entry *entry)
{
    struct vcpu *vcpu = entry->vcpu;
    int error = 0;

    if (vcpu_state_of(vcpu) != VCPU_CREATED)
        error = vcpu_fini(vcpu, NULL);
    if (error && vcpu_state_of(vcpu) != VCPU_INVALID)
        return error;
    error = vcpu_destroy(vcpu);
    if (!error)
        entry->factory.drop(entry->factory.ctx, vcpu);
    return error;
}

int vcpu_manager_add(struct vcpu_manager *manager, vcpuid_t id)
{
    struct entry entry = {.factory = manager->factory};
    int error = 0;

    if (id == VCPU_NO_ID)
        return -EINVAL;
    if (vcpu_manager_find(manager, id))
        return -EEXIST;
    entry.vcpu = manager->factory.make(manager->factory.ctx, id, &error);
    if (!entry.vcpu)
        return error ? error : -ENOMEM;
    error = insert(manager, &entry);
    if (error)
        (void)drop(&entry);
    return error;
}

int vcpu_manager_add_vm(struct vcpu_manager *manager, uint32_t vm,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int error = vcpu_manager_add(manager, vcpu_make_id(vm, i));

        if (!error)
            continue;
        while (i--)
            SIM_ASSERT(!vcpu_manager_remove(manager, vcpu_make_id(vm, i)));
        return error;
    }
    return 0;
}

int vcpu_manager_remove(struct vcpu_manager *manager, vcpuid_t id)
{
    struct entry entry;
    int error;

    if (!take(manager, id, &entry))
        return -ENOENT;
    error = drop(&entry);
    if (error)
        (void)insert(manager, &entry);
    return error;
}

int vcpu_manager_move(struct vcpu_manager *from, struct vcpu_manager *to,
                      vcpuid_t id)
{
    struct entry entry;
    int error;

    if (!take(from, id, &entry))
        return -ENOENT;
    error = insert(to, &entry);
    if (error)
        (void)insert(from, &entry);
    return error;
}

void vcpu_manager_destroy(struct vcpu_manager *manager)
{
    if (!manager)
        return;
    while (manager->count)
        SIM_ASSERT(!vcpu_manager_remove(manager, manager->entries[0].vcpu->id));
    (void)pthread_mutex_destroy(&manager->lock);
    mem_free(manager->entries);
    mem_free(manager);
}

/* ---------------------------------------------------------------------- run
 */

int vcpu_manager_run(struct vcpu_manager *manager, vcpuid_t id,
                     const struct vcpu_run_req *req, struct vcpu_exit *exit)
{
    struct vcpu *vcpu = vcpu_manager_find(manager, id);

    return vcpu ? vcpu_run(vcpu, req, exit) : -ENOENT;
}

int vcpu_manager_hlt(struct vcpu_manager *manager, vcpuid_t id, void *user)
{
    struct vcpu *vcpu = vcpu_manager_find(manager, id);

    return vcpu ? vcpu_hlt(vcpu, user) : -ENOENT;
}

int vcpu_manager_on(struct vcpu_manager *manager, vcpuid_t id, uint64_t entry,
                    uint64_t arg)
{
    struct vcpu *vcpu = vcpu_manager_find(manager, id);

    return vcpu ? vcpu_start_at(vcpu, entry, arg) : -ENOENT;
}

static void leave(struct vcpu *vcpu)
{
    enum vcpu_state state = vcpu_state_of(vcpu);

    if (state == VCPU_READY || state == VCPU_BLOCKED || state == VCPU_HALTED)
        (void)vcpu_unbind(vcpu);
}

int vcpu_manager_run_until_unhandled(struct vcpu_manager *manager, vcpuid_t id,
                                     const struct vcpu_run_req *req,
                                     struct vcpu_exit *exit)
{
    struct vcpu *vcpu = vcpu_manager_find(manager, id);
    int error;

    if (!vcpu)
        return -ENOENT;
    error = vcpu_bind(vcpu);
    if (error)
        return error;
    do
        error = vcpu_run(vcpu, req, exit);
    while (!error && exit->kind == VCPU_EXIT_NOTHING);
    leave(vcpu);
    return error;
}

int vcpu_manager_schedule(struct vcpu_manager *manager, vcpuid_t id,
                          const struct vcpu_run_req *req, vcpu_next_fn next,
                          void *ctx)
{
    while (id != VCPU_NO_ID) {
        struct vcpu_exit exit;
        int error = vcpu_manager_run(manager, id, req, &exit);

        if (error)
            return error;
        id = next(ctx, id, &exit);
    }
    return 0;
}
