/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several KVM CPUs side by side: each executes its guest code on a host thread
 * of its own; everything else - system calls, faults, devices, events - is done
 * by the simulation's thread, one exit after the other, so that nothing outside
 * this file needs a lock.
 *
 *   simulation's thread                      worker of a CPU
 *   ------------------------------------     ---------------------------
 *   has work? state into the vCPU       -->  arm the timer, KVM_RUN
 *   wait until some worker is done      <--  done
 *   charge time, serve the exit, again
 *
 * The first runner of a gang that the simulation starts leads: it brings all to
 * the horizon and returns with every vCPU outside the guest, so the slice of
 * the runners is the quantum that keeps them together.  What changes an address
 * space calls kvm_gang_pause() first where translations must not be in use.
 */
#ifndef CPU_KVM_KVM_GANG_H
#define CPU_KVM_KVM_GANG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_cpu;
struct kvm_gang;

enum { KVM_GANG_MEMORY = 64 };
struct mm;

enum kvm_worker_phase {
    KVM_WORKER_NONE, /* no thread yet */
    KVM_WORKER_STARTING,
    KVM_WORKER_IDLE,
    KVM_WORKER_RUNNING, /* told to run, or in the guest */
    KVM_WORKER_DONE,    /* its exit waits to be served */
    KVM_WORKER_QUIT,
};

/* Part of struct kvm_cpu; phase and result are under the gang's lock. */
struct kvm_worker {
    pthread_t thread;
    pthread_cond_t go;
    uint32_t phase; /* enum kvm_worker_phase */
    tick_t until;
    int err; /* of the run */
    struct kvm_gang *gang;
    struct kvm_cpu *next; /* in the gang */
};

struct kvm_gang {
    pthread_mutex_t lock;
    pthread_cond_t done; /* a worker left RUNNING or STARTING */
    struct kvm_cpu *first;
    uint32_t size;
    uint32_t num_running;
    /* Addresses that had a stop lately; the next entry to be replaced. */
    uint64_t planted[KVM_GANG_MEMORY];
    uint32_t num_planted;
};

void kvm_gang_init(struct kvm_gang *gang);
void kvm_gang_fini(struct kvm_gang *gang);
/** kvm_gang_join() - before it runs; kvm_gang_quit() - ends its thread. */
void kvm_gang_join(struct kvm_gang *gang, struct kvm_cpu *cpu);
void kvm_gang_quit(struct kvm_gang *gang, struct kvm_cpu *cpu);
/** kvm_gang_forked() - in the child of a fork: there are no threads. */
void kvm_gang_forked(struct kvm_gang *gang);

/** kvm_gang_execute() - bring all active members to @until or the horizon. */
void kvm_gang_execute(struct kvm_gang *gang, struct kvm_cpu *leader,
                      tick_t until);
/** kvm_gang_kick() - all leave the guest soon.  Any thread. */
void kvm_gang_kick(struct kvm_gang *gang);
/** kvm_gang_pause() - returns with every vCPU outside the guest. */
void kvm_gang_pause(struct kvm_gang *gang);
/** kvm_gang_plant() - INT3 at the stops of @cpu's program, once for all CPUs
 *  that execute it; kvm_gang_lift() - when the last of them is outside. */
void kvm_gang_plant(struct kvm_cpu *cpu);
void kvm_gang_lift(struct kvm_cpu *cpu);
/** kvm_gang_met() - @cpu reported INT3; RIP is behind it
 *  Returns: true if it was a stop's; the instruction is at RIP - 1. */
bool kvm_gang_met(const struct kvm_cpu *cpu, uint64_t rip);
/** kvm_gang_uncover() - before the core executes: no INT3 is left anywhere. */
void kvm_gang_uncover(struct kvm_gang *gang);
/** kvm_gang_uses() - whether a vCPU is in the guest with @mm. */
bool kvm_gang_uses(const struct kvm_gang *gang, const struct mm *mm);
/** kvm_gang_is_shared() - more than one CPU: workers are used. */
static inline bool kvm_gang_is_shared(const struct kvm_gang *gang)
{
    return gang->size > 1;
}

#ifdef __cplusplus
}
#endif

#endif
