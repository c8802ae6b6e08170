/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ends KVM_RUN early: a timer of the thread that runs the vCPU, and kicks
 * from other threads.  Both set run->immediate_exit before they send a signal,
 * so that one that arrives just before KVM_RUN ends that run at once and is
 * never lost.  The runner clears the flag after KVM_RUN, and only then looks at
 * what it was kicked for.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst, "The kvm_run structure".
 */
#ifndef CPU_KVM_KVM_TIMER_H
#define CPU_KVM_KVM_TIMER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_timer {
    timer_t timer;
    pthread_t thread;  /* that runs the vCPU */
    uint8_t *flag;     /* run->immediate_exit */
    uint64_t fires_ns; /* when it is armed for [host ns]; 0: not armed */
    bool is_bound;
};

/** kvm_timer_signal() - number of the signal that ends runs. */
int kvm_timer_signal(void);

/** kvm_timer_bind() - for the calling thread.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_timer_bind(struct kvm_timer *timer, uint8_t *flag);
void kvm_timer_unbind(struct kvm_timer *timer);
/** kvm_timer_is_mine() - whether it is bound to the calling thread. */
bool kvm_timer_is_mine(const struct kvm_timer *timer);

/** kvm_timer_arm() - end runs from @when_ns on (clock of host_clock_ns()).  A
 *  timer that is going to fire earlier than that stays as it is: the runner
 *  arms it again if that was too early.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_timer_arm(struct kvm_timer *timer, uint64_t when_ns);
/** kvm_timer_fired() - after a run: whether the time has come. */
bool kvm_timer_fired(struct kvm_timer *timer, uint64_t now_ns);

/** kvm_timer_kick() - end the run, or the next one.  Any thread; a signal
 *  handler, too. */
void kvm_timer_kick(struct kvm_timer *timer);

#ifdef __cplusplus
}
#endif

#endif
