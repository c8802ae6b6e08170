/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/vcpu_event.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"

enum { NUM_EXCEPTIONS = 32 };

static const char *const event_names[VCPU_NUM_EVENT_KINDS] = {
    [VCPU_EVENT_EXCEPTION] = "exception",
    [VCPU_EVENT_INIT] = "init",
    [VCPU_EVENT_NMI] = "nmi",
    [VCPU_EVENT_INTERRUPT] = "interrupt",
    [VCPU_EVENT_SIPI] = "sipi",
};

const char *vcpu_event_name(enum vcpu_event_kind kind)
{
    return (unsigned)kind < VCPU_NUM_EVENT_KINDS ? event_names[kind] : "?";
}

void vcpu_evq_init(struct vcpu_evq *queue)
{
    memset(queue, 0, sizeof *queue);
    (void)pthread_mutex_init(&queue->lock, NULL);
}

void vcpu_evq_fini(struct vcpu_evq *queue)
{
    (void)pthread_mutex_destroy(&queue->lock);
}

static bool is_valid(const struct vcpu_event *event)
{
    return event->kind < VCPU_NUM_EVENT_KINDS &&
           (event->kind != VCPU_EVENT_EXCEPTION ||
            event->vector < NUM_EXCEPTIONS);
}

static int insert(struct vcpu_evq *queue, const struct vcpu_event *event,
                  unsigned behind)
{
    uint32_t at = 0;
    int result = -ENOSPC;

    if (!is_valid(event))
        return -EINVAL;
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->count < VCPU_EVQ_SIZE) {
        while (at < queue->count &&
               queue->events[at].kind < event->kind + behind)
            at++;
        memmove(&queue->events[at + 1], &queue->events[at],
                (queue->count - at) * sizeof *event);
        queue->events[at] = *event;
        queue->count++;
        result = 0;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return result;
}

int vcpu_evq_push(struct vcpu_evq *queue, const struct vcpu_event *event)
{
    return insert(queue, event, 1);
}

int vcpu_evq_push_front(struct vcpu_evq *queue, const struct vcpu_event *event)
{
    return insert(queue, event, 0);
}

bool vcpu_evq_peek(struct vcpu_evq *queue, struct vcpu_event *out)
{
    bool is_there;

    (void)pthread_mutex_lock(&queue->lock);
    is_there = queue->count > 0;
    if (is_there)
        *out = queue->events[0];
    (void)pthread_mutex_unlock(&queue->lock);
    return is_there;
}

static bool is_equal(const struct vcpu_event *a, const struct vcpu_event *b)
{
    return a->kind == b->kind && a->vector == b->vector &&
           a->has_error == b->has_error && a->error == b->error &&
           a->addr == b->addr;
}

uint32_t vcpu_evq_remove(struct vcpu_evq *queue, const struct vcpu_event *event)
{
    uint32_t at = 0, count;

    (void)pthread_mutex_lock(&queue->lock);
    while (at < queue->count && !is_equal(&queue->events[at], event))
        at++;
    if (at < queue->count) {
        queue->count--;
        memmove(&queue->events[at], &queue->events[at + 1],
                (queue->count - at) * sizeof *event);
    }
    count = queue->count;
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}

uint32_t vcpu_evq_copy(struct vcpu_evq *queue,
                       struct vcpu_event out[VCPU_EVQ_SIZE])
{
    uint32_t count;

    (void)pthread_mutex_lock(&queue->lock);
    count = queue->count;
    memcpy(out, queue->events, count * sizeof *out);
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}

void vcpu_evq_clear(struct vcpu_evq *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->count = 0;
    (void)pthread_mutex_unlock(&queue->lock);
}
