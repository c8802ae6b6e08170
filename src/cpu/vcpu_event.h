/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events that wait for a vCPU: a short queue, ordered by kind and within a kind
 * by age.  Any thread may push; the queue has its own lock, which is never held
 * while anything else is called.
 */
#ifndef CPU_VCPU_EVENT_H
#define CPU_VCPU_EVENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first is served first. [SDM] Vol. 3A, "Prioritization of Concurrent
 * Events": INIT before NMI before maskable; an exception that was raised
 * belongs to the instruction before any of them. */
enum vcpu_event_kind {
    VCPU_EVENT_EXCEPTION,
    VCPU_EVENT_INIT,
    VCPU_EVENT_NMI,
    VCPU_EVENT_INTERRUPT,
    VCPU_EVENT_SIPI, /* vector: page of the entry */
    VCPU_NUM_EVENT_KINDS
};

struct vcpu_event {
    uint8_t kind; /* enum vcpu_event_kind */
    uint8_t vector;
    uint8_t has_error;
    uint32_t error;
    uint64_t addr; /* what a page fault puts into CR2 */
};

enum { VCPU_EVQ_SIZE = 8 };

struct vcpu_evq {
    pthread_mutex_t lock;
    uint32_t count;
    struct vcpu_event events[VCPU_EVQ_SIZE]; /* in order of delivery */
};

void vcpu_evq_init(struct vcpu_evq *queue);
void vcpu_evq_fini(struct vcpu_evq *queue);
/** vcpu_evq_push() - behind its equals.  Returns: 0; -ENOSPC; -EINVAL for a
 *  kind or an exception's vector that does not exist. */
SIM_MUST_CHECK int vcpu_evq_push(struct vcpu_evq *queue,
                                 const struct vcpu_event *event);
/** vcpu_evq_push_front() - before its equals. */
SIM_MUST_CHECK int vcpu_evq_push_front(struct vcpu_evq *queue,
                                       const struct vcpu_event *event);
/** vcpu_evq_peek() - what comes next; false if there is nothing. */
bool vcpu_evq_peek(struct vcpu_evq *queue, struct vcpu_event *out);
/** vcpu_evq_remove() - drop the first that equals @event.
 *  Returns: how many remain. */
uint32_t vcpu_evq_remove(struct vcpu_evq *queue,
                         const struct vcpu_event *event);
/** vcpu_evq_copy() - Returns: number of events written to @out. */
uint32_t vcpu_evq_copy(struct vcpu_evq *queue,
                       struct vcpu_event out[VCPU_EVQ_SIZE]);
void vcpu_evq_clear(struct vcpu_evq *queue);
/** vcpu_event_name() - "nmi"; "?" beyond the enum. */
const char *vcpu_event_name(enum vcpu_event_kind kind);

#ifdef __cplusplus
}
#endif

#endif
