/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPUs by id: who owns them, who makes them, how they run.
 *
 * vCPUs are made by a factory, so that the same calls serve any back end.  An
 * id names one vCPU in a manager; any number of VMs may be in one.  vCPUs may
 * outnumber threads: run_until_unhandled binds and unbinds around each turn.
 *
 * Threads: the table of ids has a lock, which is not held while a vCPU runs;
 * whoever destroys or moves one sees to it that no other thread uses it.
 */
#ifndef CPU_VCPU_MANAGER_H
#define CPU_VCPU_MANAGER_H

#include <stdint.h>

#include "base/compiler.h"
#include "cpu/vcpu.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vcpu_manager;

struct vcpu_factory {
    void *ctx;
    /* A vCPU in CREATED; NULL and *error set on failure. */
    struct vcpu *(*make)(void *ctx, vcpuid_t id, int *error);
    /* After vcpu_destroy(): the memory. */
    void (*drop)(void *ctx, struct vcpu *vcpu);
};

struct vcpu_manager *vcpu_manager_create(const struct vcpu_factory *factory);
/** vcpu_manager_destroy() - with all vCPUs; NULL does nothing. */
void vcpu_manager_destroy(struct vcpu_manager *manager);
/** vcpu_manager_set_factory() - who makes the next ones. */
void vcpu_manager_set_factory(struct vcpu_manager *manager,
                              const struct vcpu_factory *factory);

/** vcpu_manager_add() - Returns: 0; -EINVAL for VCPU_NO_ID; -EEXIST; or what
 *  the factory says. */
SIM_MUST_CHECK int vcpu_manager_add(struct vcpu_manager *manager, vcpuid_t id);
/** vcpu_manager_add_vm() - vCPUs 0 to @count - 1 of @vm; all or none. */
SIM_MUST_CHECK int vcpu_manager_add_vm(struct vcpu_manager *manager,
                                       uint32_t vm, uint32_t count);
/** vcpu_manager_find() - NULL: there is none. */
struct vcpu *vcpu_manager_find(struct vcpu_manager *manager, vcpuid_t id);
uint32_t vcpu_manager_count(struct vcpu_manager *manager);
/** vcpu_manager_remove() - stop, unbind, fini, destroy: whatever it needs.
 *  Returns: 0; -ENOENT; or what vcpu_fini() says, and it stays. */
SIM_MUST_CHECK int vcpu_manager_remove(struct vcpu_manager *manager,
                                       vcpuid_t id);
/** vcpu_manager_move() - @id now belongs to @to.  -ENOENT; -EEXIST. */
SIM_MUST_CHECK int vcpu_manager_move(struct vcpu_manager *from,
                                     struct vcpu_manager *to, vcpuid_t id);

/** vcpu_manager_run() - vcpu_run() by id; -ENOENT. */
SIM_MUST_CHECK int vcpu_manager_run(struct vcpu_manager *manager, vcpuid_t id,
                                    const struct vcpu_run_req *req,
                                    struct vcpu_exit *exit);
/** vcpu_manager_hlt() - vcpu_hlt() by id; -ENOENT. */
SIM_MUST_CHECK int vcpu_manager_hlt(struct vcpu_manager *manager, vcpuid_t id,
                                    void *user);
/**
 * vcpu_manager_on() - start @id at @entry with @arg
 *
 * It must be set up and not run; it is as if another processor had started it.
 * Returns: 0; -ENOENT; or what vcpu_start_at() says.
 */
SIM_MUST_CHECK int vcpu_manager_on(struct vcpu_manager *manager, vcpuid_t id,
                                   uint64_t entry, uint64_t arg);

/**
 * vcpu_manager_run_until_unhandled() - bind, run until the exit handler does
 * not know, unbind
 *
 * The vCPU must be FREE and set up.  It is unbound on every way out, unless it
 * is in SERVICE, where the access waits for vcpu_complete().
 */
SIM_MUST_CHECK int
vcpu_manager_run_until_unhandled(struct vcpu_manager *manager, vcpuid_t id,
                                 const struct vcpu_run_req *req,
                                 struct vcpu_exit *exit);

/* After an exit: who runs next; VCPU_NO_ID: nobody. */
typedef vcpuid_t (*vcpu_next_fn)(void *ctx, vcpuid_t id,
                                 const struct vcpu_exit *exit);

/** vcpu_manager_schedule() - run @id, then whom @next names, on the calling
 *  thread.  Returns: 0 when nobody is left; or the first error. */
SIM_MUST_CHECK int vcpu_manager_schedule(struct vcpu_manager *manager,
                                         vcpuid_t id,
                                         const struct vcpu_run_req *req,
                                         vcpu_next_fn next, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
