/* SPDX-License-Identifier: BSD-3-Clause */
/* Life cycle: create, init, setup, bind, and back.  Running is vcpu_run.c. */
#include "cpu/vcpu.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cpu/vcpu_internal.h"
#include "sim/ring.h"

/* ---------------------------------------------------------------- diagnosis */

static tick_t ring_time(const struct vcpu *vcpu)
{
    return vcpu->hal && vcpu->hal->now ? vcpu->hal->now(vcpu->hal->ctx) : 0;
}

void vcpu_log(struct vcpu *vcpu, const char *text)
{
    (void)trace_ring_write(vcpu->ring, ring_time(vcpu), text, strlen(text));
}

void vcpu_note(struct vcpu *vcpu, const char *fmt, ...)
{
    char text[VCPU_ERR_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    vcpu_log(vcpu, text);
}

int vcpu_fail(struct vcpu *vcpu, int error, const char *fmt, ...)
{
    char text[VCPU_ERR_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)pthread_mutex_lock(&vcpu->err_lock);
    memcpy(vcpu->err, text, sizeof text);
    (void)pthread_mutex_unlock(&vcpu->err_lock);
    vcpu_log(vcpu, text);
    return error;
}

int vcpu_wrong_order(struct vcpu *vcpu, const char *verb, int error)
{
    return vcpu_fail(vcpu, error, "vCPU %u.%u: %s() in state %s",
                     vcpu_vm_id(vcpu), vcpu_index(vcpu), verb,
                     vcpu_state_name(vcpu_state_of(vcpu)));
}

int vcpu_poison(struct vcpu *vcpu, const char *verb, int error)
{
    (void)vcpu_fail(vcpu, error, "vCPU %u.%u: %s() of %s failed: %s",
                    vcpu_vm_id(vcpu), vcpu_index(vcpu), verb, vcpu->ops->name,
                    strerror(-error));
    vcpu_change_state(vcpu, VCPU_INVALID);
    return error;
}

void vcpu_error(struct vcpu *vcpu, char out[VCPU_ERR_SIZE])
{
    (void)pthread_mutex_lock(&vcpu->err_lock);
    memcpy(out, vcpu->err, VCPU_ERR_SIZE);
    (void)pthread_mutex_unlock(&vcpu->err_lock);
}

/* --------------------------------------------------------------------- lock */

void vcpu_lock(struct vcpu *vcpu)
{
    int error = pthread_mutex_lock(&vcpu->lock);

    SIM_ASSERT(!error); /* an operation called the life cycle */
    __atomic_fetch_or(&vcpu->attention, VCPU_ATTEND_STOP, __ATOMIC_SEQ_CST);
}

void vcpu_unlock(struct vcpu *vcpu)
{
    __atomic_fetch_and(&vcpu->attention, ~(uint32_t)VCPU_ATTEND_STOP,
                       __ATOMIC_SEQ_CST);
    (void)pthread_mutex_unlock(&vcpu->lock);
}

bool vcpu_exchange_state(struct vcpu *vcpu, enum vcpu_state from,
                         enum vcpu_state to)
{
    uint32_t expected = from;

    return __atomic_compare_exchange_n(&vcpu->state, &expected, (uint32_t)to,
                                       false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

void vcpu_change_state(struct vcpu *vcpu, enum vcpu_state state)
{
    enum vcpu_state old = (enum vcpu_state)__atomic_exchange_n(
        &vcpu->state, (uint32_t)state, __ATOMIC_SEQ_CST);

    vcpu_note(vcpu, "%s -> %s", vcpu_state_name(old), vcpu_state_name(state));
}

static bool is_in(const struct vcpu *vcpu, uint32_t states)
{
    return (states >> vcpu_state_of(vcpu)) & 1;
}

#define IN(state) (UINT32_C(1) << VCPU_##state)

/* Kick it until it does not run.  Under the lock the guest cannot run again,
 * but a run that turns back shows as RUNNING for a moment. */
static int stop(struct vcpu *vcpu, const char *verb)
{
    if (vcpu_current() == vcpu)
        return vcpu_wrong_order(vcpu, verb, -EDEADLK);
    while (vcpu_is_running(vcpu)) {
        vcpu_kick(vcpu);
        (void)pthread_cond_wait(&vcpu->stopped, &vcpu->lock);
    }
    return 0;
}

/* Change the state, if it is one of @states and no run is faster. */
static bool claim(struct vcpu *vcpu, uint32_t states, enum vcpu_state to)
{
    enum vcpu_state from = vcpu_state_of(vcpu);

    if (!((states >> from) & 1) || !vcpu_exchange_state(vcpu, from, to))
        return false;
    vcpu_note(vcpu, "%s -> %s", vcpu_state_name(from), vcpu_state_name(to));
    return true;
}

/* ------------------------------------------------------- create and destroy */

static bool is_complete(const struct vcpu_ops *ops)
{
    return ops && ops->name && ops->run && ops->kick && ops->get_state &&
           ops->set_state && ops->dump;
}

static void make_locks(struct vcpu *vcpu)
{
    pthread_mutexattr_t attr;

    (void)pthread_mutexattr_init(&attr);
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(&vcpu->lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    (void)pthread_mutex_init(&vcpu->err_lock, NULL);
    (void)pthread_cond_init(&vcpu->stopped, NULL);
    vcpu_evq_init(&vcpu->events);
}

static void drop_locks(struct vcpu *vcpu)
{
    vcpu_evq_fini(&vcpu->events);
    (void)pthread_cond_destroy(&vcpu->stopped);
    (void)pthread_mutex_destroy(&vcpu->err_lock);
    (void)pthread_mutex_destroy(&vcpu->lock);
}

static struct trace_ring *make_ring(struct vcpu *vcpu)
{
    const struct vcpu_hal *hal = vcpu->hal;
    void *page;

    if (!hal || !hal->alloc_page)
        return trace_ring_create(vcpu->id);
    page = hal->alloc_page(hal->ctx, TRACE_RING_MAPPED);
    vcpu->is_hal_ring = page != NULL;
    return page ? trace_ring_format(page, vcpu->id) : NULL;
}

static void drop_ring(struct vcpu *vcpu)
{
    if (vcpu->is_hal_ring)
        vcpu->hal->free_page(vcpu->hal->ctx, vcpu->ring, TRACE_RING_MAPPED);
    else
        trace_ring_free(vcpu->ring);
}

int vcpu_create(struct vcpu *vcpu, const struct vcpu_create_cfg *cfg)
{
    int error;

    if (cfg->id == VCPU_NO_ID || !is_complete(cfg->ops))
        return -EINVAL;
    memset(vcpu, 0, sizeof *vcpu);
    vcpu->id = cfg->id;
    vcpu->ops = cfg->ops;
    vcpu->hal = cfg->hal;
    vcpu->host_cpus = cfg->host_cpus;
    vcpu->ring = cfg->ring ? cfg->ring : make_ring(vcpu);
    if (!vcpu->ring) {
        memset(vcpu, 0, sizeof *vcpu);
        return -ENOMEM;
    }
    trace_ring_set_id(vcpu->ring, vcpu->id);
    make_locks(vcpu);
    vcpu_note(vcpu, "vCPU %u.%u: %s", vcpu_vm_id(vcpu), vcpu_index(vcpu),
              cfg->ops->name);
    error = cfg->ops->create ? cfg->ops->create(vcpu, cfg) : 0;
    if (error) {
        if (!cfg->ring)
            drop_ring(vcpu);
        drop_locks(vcpu);
        memset(vcpu, 0, sizeof *vcpu);
        return error;
    }
    vcpu_change_state(vcpu, VCPU_CREATED);
    return 0;
}

int vcpu_destroy(struct vcpu *vcpu)
{
    if (!is_in(vcpu, IN(CREATED) | IN(INVALID)))
        return vcpu_wrong_order(vcpu, "destroy", -EBUSY);
    if (vcpu->ops->destroy)
        vcpu->ops->destroy(vcpu);
    drop_ring(vcpu);
    drop_locks(vcpu);
    memset(vcpu, 0, sizeof *vcpu);
    return 0;
}

/* ------------------------------------------------------------ init and fini */

/* What a cycle of init and fini must not hand to the next. */
static void forget(struct vcpu *vcpu)
{
    vcpu_evq_clear(&vcpu->events);
    __atomic_fetch_and(
        &vcpu->attention,
        ~(uint32_t)(VCPU_ATTEND_KICK | VCPU_ATTEND_EVENT | VCPU_ATTEND_NEW),
        __ATOMIC_SEQ_CST);
    vcpu->is_set_up = false;
    vcpu->has_entry = false;
    vcpu->entry = 0;
    vcpu->aspace = NULL;
    vcpu->is_window_open = false;
    vcpu->is_served = false;
    vcpu->num_outstanding = 0;
    vcpu->num_runs = 0;
    vcpu->num_builtin_exits = 0;
}

static int init_locked(struct vcpu *vcpu, void *user)
{
    int error;

    if (!is_in(vcpu, IN(CREATED)))
        return vcpu_wrong_order(vcpu, "init", -EBUSY);
    forget(vcpu);
    error = vcpu->ops->init ? vcpu->ops->init(vcpu, user) : 0;
    if (error)
        return vcpu_fail(vcpu, error, "vCPU %u.%u: init() of %s failed: %s",
                         vcpu_vm_id(vcpu), vcpu_index(vcpu), vcpu->ops->name,
                         strerror(-error));
    vcpu_change_state(vcpu, VCPU_FREE);
    return 0;
}

int vcpu_init(struct vcpu *vcpu, void *user)
{
    int error;

    vcpu_lock(vcpu);
    error = init_locked(vcpu, user);
    vcpu_unlock(vcpu);
    return error;
}

static int leave_thread(struct vcpu *vcpu)
{
    int error = vcpu->ops->unbind ? vcpu->ops->unbind(vcpu) : 0;

    /* Its own thread gets its processors back; another's are its own affair. */
    if (vcpu->is_confined && pthread_equal(vcpu->thread, pthread_self()))
        (void)vcpu_host_set_restore(&vcpu->saved_cpus);
    vcpu->is_confined = false;
    __atomic_store_n(&vcpu->is_bound, false, __ATOMIC_RELEASE);
    vcpu->last_tid = vcpu->bound_tid;
    vcpu->bound_tid = 0;
    return error;
}

static int undo_init(struct vcpu *vcpu, void *user)
{
    int error = 0, result;

    if (vcpu->is_bound) {
        vcpu_note(vcpu, "fini() unbinds");
        error = leave_thread(vcpu);
    }
    result = vcpu->ops->fini ? vcpu->ops->fini(vcpu, user) : 0;
    return error ? error : result;
}

static int fini_locked(struct vcpu *vcpu, void *user)
{
    int error;

    if (is_in(vcpu, IN(CREATED)))
        return vcpu_wrong_order(vcpu, "fini", -EBADFD);
    do {
        error = stop(vcpu, "fini");
        if (error)
            return error;
    } while (!claim(vcpu, ~IN(RUNNING), VCPU_INVALID));
    error = undo_init(vcpu, user);
    if (error)
        return vcpu_poison(vcpu, "fini", error);
    forget(vcpu);
    vcpu_change_state(vcpu, VCPU_CREATED);
    return 0;
}

int vcpu_fini(struct vcpu *vcpu, void *user)
{
    int error;

    vcpu_lock(vcpu);
    error = fini_locked(vcpu, user);
    vcpu_unlock(vcpu);
    return error;
}

/* -------------------------------------------------------------------- setup */

static int setup_locked(struct vcpu *vcpu, const struct vcpu_setup_cfg *given)
{
    struct vcpu_setup_cfg cfg = *given;
    int error;

    if (!is_in(vcpu, IN(FREE)))
        return vcpu_wrong_order(vcpu, "setup", -EBADFD);
    if (vcpu->is_set_up)
        return vcpu_wrong_order(vcpu, "setup, a second time,", -EALREADY);
    if (!cfg.aspace)
        cfg.aspace = vcpu->aspace;
    if (!cfg.aspace)
        return vcpu_fail(vcpu, -EINVAL, "vCPU %u.%u: setup() without memory",
                         vcpu_vm_id(vcpu), vcpu_index(vcpu));
    if (!cfg.has_entry && vcpu->has_entry) {
        cfg.has_entry = true;
        cfg.entry = vcpu->entry;
    }
    error = vcpu->ops->setup ? vcpu->ops->setup(vcpu, &cfg) : 0;
    if (!error && cfg.has_entry && vcpu->ops->start_at)
        error = vcpu->ops->start_at(vcpu, cfg.entry, 0);
    if (error)
        return vcpu_poison(vcpu, "setup", error);
    vcpu->aspace = cfg.aspace;
    vcpu->entry = cfg.entry;
    vcpu->has_entry = cfg.has_entry;
    vcpu->is_set_up = true;
    return 0;
}

int vcpu_setup(struct vcpu *vcpu, const struct vcpu_setup_cfg *cfg)
{
    int error;

    vcpu_lock(vcpu);
    error = setup_locked(vcpu, cfg);
    vcpu_unlock(vcpu);
    return error;
}

int vcpu_set_aspace(struct vcpu *vcpu, const void *aspace)
{
    int error = 0;

    vcpu_lock(vcpu);
    if (!is_in(vcpu, IN(FREE)))
        error = vcpu_wrong_order(vcpu, "set_aspace", -EBADFD);
    else if (vcpu->is_set_up)
        error = vcpu_wrong_order(vcpu, "set_aspace, after setup,", -EALREADY);
    else if (!aspace)
        error = vcpu_wrong_order(vcpu, "set_aspace, of nothing,", -EINVAL);
    else
        vcpu->aspace = aspace;
    vcpu_unlock(vcpu);
    return error;
}

static int start_at_locked(struct vcpu *vcpu, uint64_t entry, uint64_t arg)
{
    int error;

    if (!is_in(vcpu, IN(FREE) | IN(READY) | IN(BLOCKED) | IN(HALTED)) ||
        !vcpu->is_set_up)
        return vcpu_wrong_order(vcpu, "start_at", -EBADFD);
    if (!vcpu->ops->start_at)
        return vcpu_wrong_order(vcpu, "start_at, not known here,", -ENOTSUP);
    error = vcpu->ops->start_at(vcpu, entry, arg);
    if (error)
        return vcpu_poison(vcpu, "start_at", error);
    vcpu->entry = entry;
    vcpu->has_entry = true;
    return 0;
}

int vcpu_start_at(struct vcpu *vcpu, uint64_t entry, uint64_t arg)
{
    int error;

    vcpu_lock(vcpu);
    error = start_at_locked(vcpu, entry, arg);
    vcpu_unlock(vcpu);
    if (!error)
        vcpu_wake(vcpu);
    return error;
}

int vcpu_set_entry(struct vcpu *vcpu, uint64_t entry)
{
    int error = 0;

    vcpu_lock(vcpu);
    if (vcpu->is_set_up)
        error = start_at_locked(vcpu, entry, 0);
    else if (!is_in(vcpu, IN(FREE)))
        error = vcpu_wrong_order(vcpu, "set_entry", -EBADFD);
    else if (vcpu->has_entry)
        error = vcpu_wrong_order(vcpu, "set_entry, a second time,", -EALREADY);
    else {
        vcpu->entry = entry;
        vcpu->has_entry = true;
    }
    vcpu_unlock(vcpu);
    return error;
}

/* ---------------------------------------------------------- bind and unbind */

static int confine(struct vcpu *vcpu)
{
    int error;

    if (vcpu_host_set_is_empty(&vcpu->host_cpus))
        return 0;
    error = vcpu_host_set_apply(&vcpu->host_cpus, &vcpu->saved_cpus);
    if (error)
        return vcpu_fail(vcpu, error,
                         "vCPU %u.%u: this thread may run on none of its host "
                         "processors",
                         vcpu_vm_id(vcpu), vcpu_index(vcpu));
    vcpu->is_confined = true;
    return 0;
}

static int join_thread(struct vcpu *vcpu)
{
    int error;

    if (vcpu_current() && vcpu_current() != vcpu)
        return vcpu_wrong_order(vcpu, "bind, inside a run,", -EDEADLK);
    error = confine(vcpu);
    if (error)
        return error;
    vcpu->thread = pthread_self();
    vcpu->bound_tid = gettid();
    error = vcpu->ops->bind ? vcpu->ops->bind(vcpu) : 0;
    if (error) {
        if (vcpu->is_confined)
            (void)vcpu_host_set_restore(&vcpu->saved_cpus);
        vcpu->is_confined = false;
        vcpu->bound_tid = 0;
        return vcpu_poison(vcpu, "bind", error);
    }
    __atomic_store_n(&vcpu->is_bound, true, __ATOMIC_RELEASE);
    return 0;
}

int vcpu_bind(struct vcpu *vcpu)
{
    int error;

    vcpu_lock(vcpu);
    if (!is_in(vcpu, IN(FREE)) || !vcpu->is_set_up)
        error = vcpu_wrong_order(vcpu, "bind", -EBADFD);
    else
        error = join_thread(vcpu);
    if (!error)
        vcpu_change_state(vcpu, VCPU_READY);
    vcpu_unlock(vcpu);
    return error;
}

int vcpu_unbind(struct vcpu *vcpu)
{
    int error;

    vcpu_lock(vcpu);
    if (!claim(vcpu, IN(READY) | IN(BLOCKED) | IN(HALTED), VCPU_FREE)) {
        error = vcpu_wrong_order(vcpu, "unbind", -EBADFD);
    } else {
        error = leave_thread(vcpu);
        if (error)
            error = vcpu_poison(vcpu, "unbind", error);
    }
    vcpu_unlock(vcpu);
    return error;
}

static int rebind_locked(struct vcpu *vcpu)
{
    enum vcpu_state from = vcpu_state_of(vcpu);
    int error;

    if (!is_in(vcpu, IN(READY) | IN(BLOCKED) | IN(HALTED)))
        return vcpu_wrong_order(vcpu, "rebind", -EBADFD);
    if (pthread_equal(vcpu->thread, pthread_self()))
        return 0;
    if (!claim(vcpu, 1u << from, VCPU_FREE))
        return vcpu_wrong_order(vcpu, "rebind", -EBADFD);
    error = leave_thread(vcpu);
    if (error)
        return vcpu_poison(vcpu, "unbind", error);
    error = join_thread(vcpu);
    if (!error)
        vcpu_change_state(vcpu, from);
    return error;
}

int vcpu_rebind(struct vcpu *vcpu)
{
    int error;

    vcpu_lock(vcpu);
    error = rebind_locked(vcpu);
    vcpu_unlock(vcpu);
    return error;
}

/* --------------------------------------------------------------------- halt */

static int hlt_locked(struct vcpu *vcpu, void *user)
{
    static const uint32_t running = IN(RUNNING);
    static const uint32_t serving = IN(SERVICE) | IN(MMIO_WAIT);
    static const uint32_t allowed = IN(READY) | IN(BLOCKED) | IN(COMPLETE);
    int error;

    if (is_in(vcpu, IN(HALTED)))
        return 0;
    do {
        error = stop(vcpu, "hlt");
        if (error)
            return error;
        if (is_in(vcpu, serving))
            return vcpu_wrong_order(vcpu, "hlt", -EBUSY);
        if (!is_in(vcpu, allowed | running))
            return vcpu_wrong_order(vcpu, "hlt", -EBADFD);
    } while (!claim(vcpu, allowed, VCPU_HALTED));
    error = vcpu->is_served ? vcpu_take_in(vcpu) : 0;
    if (!error && vcpu->ops->halt)
        error = vcpu->ops->halt(vcpu, user);
    return error ? vcpu_poison(vcpu, "hlt", error) : 0;
}

int vcpu_hlt(struct vcpu *vcpu, void *user)
{
    int error;

    vcpu_lock(vcpu);
    error = hlt_locked(vcpu, user);
    vcpu_unlock(vcpu);
    return error;
}

/* -------------------------------------------------------------------- state */

/* Its own run may look at it without the lock; others must not disturb. */
static bool begin_access(struct vcpu *vcpu, const char *verb, int *error)
{
    bool is_own_run = vcpu_current() == vcpu;

    *error = 0;
    if (!is_own_run)
        vcpu_lock(vcpu);
    if (!vcpu_is_initialized(vcpu) || (!is_own_run && vcpu_is_running(vcpu)))
        *error = vcpu_wrong_order(vcpu, verb, -EBADFD);
    return is_own_run;
}

static void end_access(struct vcpu *vcpu, bool is_own_run)
{
    if (!is_own_run)
        vcpu_unlock(vcpu);
}

int vcpu_get_state(struct vcpu *vcpu, uint32_t groups, struct x86_state *out)
{
    int error;
    bool is_own_run = begin_access(vcpu, "get_state", &error);

    if (!error)
        error = vcpu->ops->get_state(vcpu, groups, out);
    end_access(vcpu, is_own_run);
    return error;
}

int vcpu_set_state(struct vcpu *vcpu, uint32_t groups,
                   const struct x86_state *state)
{
    int error;
    bool is_own_run = begin_access(vcpu, "set_state", &error);

    if (!error)
        error = vcpu->ops->set_state(vcpu, groups, state);
    end_access(vcpu, is_own_run);
    return error;
}

int vcpu_drained(struct vcpu *vcpu)
{
    int result = 1;

    vcpu_lock(vcpu);
    if (is_in(vcpu, IN(RUNNING) | IN(SERVICE) | IN(MMIO_WAIT) | IN(COMPLETE)))
        result = 0;
    else if (vcpu_is_initialized(vcpu) && vcpu->ops->drained)
        result = vcpu->ops->drained(vcpu);
    vcpu_unlock(vcpu);
    return result;
}

int vcpu_can_takeover(const struct vcpu *vcpu, const struct x86_state *state,
                      char why[VCPU_WHY_SIZE])
{
    why[0] = '\0';
    return vcpu->ops->can_takeover ? vcpu->ops->can_takeover(vcpu, state, why)
                                   : 0;
}

static void dump_identity(struct vcpu *vcpu, FILE *out)
{
    char text[VCPU_ERR_SIZE];

    vcpu_error(vcpu, text);
    (void)fprintf(out, "vCPU %u.%u (%s) %s, thread %d, %lu runs\n",
                  vcpu_vm_id(vcpu), vcpu_index(vcpu), vcpu->ops->name,
                  vcpu_state_name(vcpu_state_of(vcpu)), (int)vcpu->bound_tid,
                  (unsigned long)vcpu->num_runs);
    if (text[0])
        (void)fprintf(out, "last error: %s\n", text);
}

static void dump_events(struct vcpu *vcpu, FILE *out)
{
    struct vcpu_event events[VCPU_EVQ_SIZE];
    uint32_t count = vcpu_evq_copy(&vcpu->events, events);

    for (uint32_t i = 0; i < count; i++)
        (void)fprintf(out, "pending %s vector=%u error=%#x\n",
                      vcpu_event_name((enum vcpu_event_kind)events[i].kind),
                      events[i].vector,
                      events[i].has_error ? events[i].error : 0);
}

void vcpu_dump(struct vcpu *vcpu, FILE *out)
{
    int error;
    bool is_own_run = begin_access(vcpu, "dump", &error);

    dump_identity(vcpu, out);
    dump_events(vcpu, out);
    if (!error)
        vcpu->ops->dump(vcpu, out);
    end_access(vcpu, is_own_run);
}
