/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running, and what other threads may do meanwhile.
 *
 * Nothing is lost between threads because both sides write first and look
 * afterwards: a run stores RUNNING and then reads `attention`; a kick sets its
 * bit there and then reads the state.  One of them sees the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cpu/vcpu_internal.h"

static const uint8_t state_after[VCPU_NUM_EXITS] = {
#define VCPU_EXIT_ROW(name, next, doc) [VCPU_EXIT_##name] = VCPU_##next,
#include "cpu/vcpu_exits.def"
#undef VCPU_EXIT_ROW
};

static uint32_t attention_of(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->attention, __ATOMIC_SEQ_CST);
}

static void attend(struct vcpu *vcpu, enum vcpu_attention bits)
{
    __atomic_fetch_or(&vcpu->attention, (uint32_t)bits, __ATOMIC_SEQ_CST);
}

static void forget(struct vcpu *vcpu, enum vcpu_attention bits)
{
    __atomic_fetch_and(&vcpu->attention, ~(uint32_t)bits, __ATOMIC_SEQ_CST);
}

/* ------------------------------------------------------------- any thread */

void vcpu_kick(struct vcpu *vcpu)
{
    attend(vcpu, VCPU_ATTEND_KICK);
    if (vcpu_is_running(vcpu))
        vcpu->ops->kick(vcpu);
}

void vcpu_wake(struct vcpu *vcpu)
{
    if (vcpu_exchange_state(vcpu, VCPU_BLOCKED, VCPU_READY) && vcpu->on_wake)
        vcpu->on_wake(vcpu->on_wake_ctx, vcpu);
}

static int announce(struct vcpu *vcpu, const struct vcpu_event *event,
                    int error)
{
    if (error)
        return vcpu_fail(vcpu, error, "vCPU %u.%u: event %s %u: %s",
                         vcpu_vm_id(vcpu), vcpu_index(vcpu),
                         vcpu_event_name((enum vcpu_event_kind)event->kind),
                         event->vector, strerror(-error));
    __atomic_fetch_or(&vcpu->attention, VCPU_ATTEND_EVENT | VCPU_ATTEND_NEW,
                      __ATOMIC_SEQ_CST);
    if (vcpu_current() != vcpu && vcpu_is_running(vcpu))
        vcpu_kick(vcpu);
    vcpu_wake(vcpu);
    return 0;
}

int vcpu_queue_event(struct vcpu *vcpu, const struct vcpu_event *event)
{
    if (!vcpu_is_initialized(vcpu))
        return vcpu_wrong_order(vcpu, "queue_event", -EBADFD);
    if (event->kind < VCPU_NUM_EVENT_KINDS &&
        !((vcpu->ops->event_kinds >> event->kind) & 1))
        return announce(vcpu, event, -ENOTSUP);
    return announce(vcpu, event, vcpu_evq_push(&vcpu->events, event));
}

int vcpu_requeue_event(struct vcpu *vcpu, const struct vcpu_event *event)
{
    if (!vcpu_is_initialized(vcpu))
        return vcpu_wrong_order(vcpu, "requeue_event", -EBADFD);
    return announce(vcpu, event, vcpu_evq_push_front(&vcpu->events, event));
}

void vcpu_trace_runs(struct vcpu *vcpu, int on)
{
    if (on)
        attend(vcpu, VCPU_ATTEND_TRACE);
    else
        forget(vcpu, VCPU_ATTEND_TRACE);
}

void vcpu_set_exit_handler(struct vcpu *vcpu, vcpu_exit_fn handle, void *ctx)
{
    vcpu->handle_exit = handle;
    vcpu->handle_exit_ctx = ctx;
}

void vcpu_set_wake_handler(struct vcpu *vcpu, vcpu_wake_fn wake, void *ctx)
{
    vcpu->on_wake = wake;
    vcpu->on_wake_ctx = ctx;
}

void vcpu_set_trace_handler(struct vcpu *vcpu, vcpu_trace_fn trace, void *ctx)
{
    vcpu->on_trace = trace;
    vcpu->on_trace_ctx = ctx;
}

/* ------------------------------------------------------- accesses to serve */

static int move(struct vcpu *vcpu, const char *verb, enum vcpu_state from,
                enum vcpu_state to)
{
    return vcpu_exchange_state(vcpu, from, to)
               ? 0
               : vcpu_wrong_order(vcpu, verb, -EBADFD);
}

static void serve(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
    vcpu->served = *exit;
    vcpu->is_served = true;
}

int vcpu_complete(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
    if (vcpu_state_of(vcpu) == VCPU_SERVICE)
        serve(vcpu, exit);
    return move(vcpu, "complete", VCPU_SERVICE, VCPU_COMPLETE);
}

int vcpu_wait(struct vcpu *vcpu, uint32_t responses)
{
    if (!responses)
        return vcpu_wrong_order(vcpu, "wait, for nothing,", -EINVAL);
    if (vcpu_state_of(vcpu) == VCPU_SERVICE)
        vcpu->num_outstanding = responses;
    return move(vcpu, "wait", VCPU_SERVICE, VCPU_MMIO_WAIT);
}

int vcpu_respond(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
    if (vcpu_state_of(vcpu) == VCPU_MMIO_WAIT) {
        if (--vcpu->num_outstanding)
            return 0;
        serve(vcpu, exit);
    }
    return move(vcpu, "respond", VCPU_MMIO_WAIT, VCPU_COMPLETE);
}

static int enter(struct vcpu *vcpu, const struct vcpu_run_req *req,
                 struct vcpu_exit *exit)
{
    int error;

    exit->insts = 0;
    error = vcpu->ops->run(vcpu, req, exit);
    vcpu->is_served = false;
    vcpu->num_runs++;
    if (!error && exit->kind >= VCPU_NUM_EXITS)
        exit->kind = VCPU_EXIT_UNKNOWN;
    return error;
}

int vcpu_take_in(struct vcpu *vcpu)
{
    static const struct vcpu_run_req nothing = {.until = TICK_MAX};
    struct vcpu_exit exit = {0};

    return enter(vcpu, &nothing, &exit);
}

/* ------------------------------------------------------------------- events */

static void open_window(struct vcpu *vcpu, bool is_wanted)
{
    if (vcpu->is_window_open == is_wanted)
        return;
    /* A back end may also look at is_window_open when it runs. */
    if (!vcpu->ops->set_irq_window ||
        !vcpu->ops->set_irq_window(vcpu, is_wanted))
        vcpu->is_window_open = is_wanted;
}

/* At most one per entry, as hardware takes them; the rest needs a window. */
static int deliver(struct vcpu *vcpu)
{
    struct vcpu_event event;
    int error;

    forget(vcpu, VCPU_ATTEND_NEW);
    if (!vcpu_evq_peek(&vcpu->events, &event)) {
        forget(vcpu, VCPU_ATTEND_EVENT);
        /* Pushed between the two? */
        if (vcpu_evq_peek(&vcpu->events, &event))
            attend(vcpu, VCPU_ATTEND_EVENT);
        open_window(vcpu, false);
        return 0;
    }
    error = vcpu->ops->inject(vcpu, &event);
    if (error && error != -EAGAIN)
        return error;
    if (error || vcpu_evq_remove(&vcpu->events, &event))
        open_window(vcpu, true);
    else
        open_window(vcpu, false);
    return 0;
}

/* ---------------------------------------------------------------------- run */

static int needs_service(uint32_t kind)
{
    return state_after[kind] == VCPU_SERVICE;
}

/* Exits that the machine handles go on here; see vcpu_exit_fn. */
static int run_on(struct vcpu *vcpu, const struct vcpu_run_req *req,
                  struct vcpu_exit *exit)
{
    struct vcpu_run_req rest = *req;
    int error = enter(vcpu, &rest, exit);

    while (!error && vcpu->handle_exit) {
        int handled = vcpu->handle_exit(vcpu->handle_exit_ctx, vcpu, exit);

        if (!handled)
            break;
        if (handled < 0) {
            exit->raw = (uint32_t)-handled;
            exit->kind = VCPU_EXIT_INTERNAL_ERROR;
            break;
        }
        vcpu->num_builtin_exits++;
        if (needs_service(exit->kind))
            serve(vcpu, exit);
        rest.max_insts -=
            exit->insts < rest.max_insts ? exit->insts : rest.max_insts;
        if (!rest.max_insts ||
            (attention_of(vcpu) & (VCPU_ATTEND_KICK | VCPU_ATTEND_STOP))) {
            error = vcpu->is_served ? vcpu_take_in(vcpu) : 0;
            exit->kind = VCPU_EXIT_NOTHING;
            break;
        }
        error = enter(vcpu, &rest, exit);
    }
    return error;
}

/* Whoever waits for the end of the run holds or awaits the lock. */
static void tell_stopped(struct vcpu *vcpu)
{
    (void)pthread_mutex_lock(&vcpu->lock);
    (void)pthread_cond_broadcast(&vcpu->stopped);
    (void)pthread_mutex_unlock(&vcpu->lock);
}

/* Before the guest: something else comes first.  Returns: 1 to turn back. */
static int look_first(struct vcpu *vcpu, enum vcpu_state from,
                      struct vcpu_exit *exit, int *error)
{
    uint32_t attention = attention_of(vcpu);

    if (attention & (VCPU_ATTEND_KICK | VCPU_ATTEND_STOP)) {
        forget(vcpu, VCPU_ATTEND_KICK);
        exit->kind = VCPU_EXIT_INTR;
        exit->raw = 0;
        exit->insts = 0;
        (void)vcpu_exchange_state(vcpu, VCPU_RUNNING, from);
        if (attention & VCPU_ATTEND_STOP)
            tell_stopped(vcpu);
        return 1;
    }
    if (attention & VCPU_ATTEND_EVENT)
        *error = deliver(vcpu);
    return 0;
}

static void trace(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
    if (vcpu->on_trace)
        vcpu->on_trace(vcpu->on_trace_ctx, vcpu, exit);
    else
        vcpu_note(vcpu, "exit %s raw=%u insts=%" PRIu64,
                  vcpu_exit_name((enum vcpu_exit_kind)exit->kind), exit->raw,
                  exit->insts);
}

static void look_after(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
    uint32_t attention = attention_of(vcpu);

    if ((attention & VCPU_ATTEND_KICK) && exit->kind == VCPU_EXIT_INTR)
        forget(vcpu, VCPU_ATTEND_KICK);
    else if (attention & (VCPU_ATTEND_KICK | VCPU_ATTEND_NEW))
        vcpu_wake(vcpu); /* it came while the guest went to sleep */
    if (attention & VCPU_ATTEND_TRACE)
        trace(vcpu, exit);
    if (attention & VCPU_ATTEND_STOP)
        tell_stopped(vcpu);
}

/* A hook may leave the run by an exception of C++: the vCPU is lost, the thread
 * is not. */
struct run_guard {
    struct vcpu *vcpu;
};

static void leave_run(struct run_guard *guard)
{
    vcpu_set_current(NULL);
    if (!guard->vcpu)
        return;
    (void)vcpu_exchange_state(guard->vcpu, VCPU_RUNNING, VCPU_INVALID);
    if (attention_of(guard->vcpu) & VCPU_ATTEND_STOP)
        tell_stopped(guard->vcpu);
}

static int run(struct vcpu *vcpu, enum vcpu_state from,
               const struct vcpu_run_req *req, struct vcpu_exit *exit)
{
    __attribute__((cleanup(leave_run))) struct run_guard guard = {vcpu};
    int error = 0;

    vcpu_set_current(vcpu);
    if (SIM_UNLIKELY(attention_of(vcpu)) &&
        look_first(vcpu, from, exit, &error)) {
        guard.vcpu = NULL;
        return 0;
    }
    if (!error)
        error = run_on(vcpu, req, exit);
    guard.vcpu = NULL;
    if (error) {
        error = vcpu_poison(vcpu, "run", error);
        exit->kind = VCPU_EXIT_INTERNAL_ERROR;
        exit->raw = (uint32_t)-error;
    } else {
        __atomic_store_n(&vcpu->state, state_after[exit->kind],
                         __ATOMIC_SEQ_CST);
    }
    if (SIM_UNLIKELY(attention_of(vcpu)))
        look_after(vcpu, exit);
    return error;
}

int vcpu_run(struct vcpu *vcpu, const struct vcpu_run_req *req,
             struct vcpu_exit *exit)
{
    static const uint32_t runnable =
        (1u << VCPU_READY) | (1u << VCPU_COMPLETE) | (1u << VCPU_HALTED);
    enum vcpu_state from;

    if (vcpu_current())
        return vcpu_wrong_order(vcpu, "run, inside a run,", -EDEADLK);
    do {
        from = vcpu_state_of(vcpu);
        if (!((runnable >> from) & 1))
            return vcpu_wrong_order(vcpu, "run", -EBADFD);
        if (!pthread_equal(vcpu->thread, pthread_self()))
            return vcpu_wrong_order(vcpu, "run, on another thread,", -EXDEV);
    } while (!vcpu_exchange_state(vcpu, from, VCPU_RUNNING));
    return run(vcpu, from, req, exit);
}
