// SPDX-License-Identifier: BSD-3-Clause
/*
 * Threads that contend: mutex, condition, barrier, read-write lock, atomics.
 *
 * guest-flags: -O2 -g -pthread
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 6, ROUNDS = 400 };

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_barrier_t barrier;
    pthread_rwlock_t rwlock;
    atomic_long atomic;
    long plain;
    long turn;
    long read;
};

struct worker {
    pthread_t thread;
    struct shared *shared;
    long index;
};

static void take_turn(struct shared *shared, long index)
{
    pthread_mutex_lock(&shared->mutex);
    while (shared->turn % THREADS != index)
        pthread_cond_wait(&shared->changed, &shared->mutex);
    shared->turn++;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->mutex);
}

static void *work(void *argument)
{
    struct worker *self = argument;
    struct shared *shared = self->shared;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&shared->mutex);
        shared->plain++;
        pthread_mutex_unlock(&shared->mutex);
        atomic_fetch_add(&shared->atomic, 2);
        if (i % 10 == self->index)
            take_turn(shared, self->index);
    }
    pthread_barrier_wait(&shared->barrier);
    pthread_rwlock_rdlock(&shared->rwlock);
    long seen = shared->plain;
    pthread_rwlock_unlock(&shared->rwlock);
    pthread_rwlock_wrlock(&shared->rwlock);
    shared->read += seen;
    pthread_rwlock_unlock(&shared->rwlock);
    return argument;
}

int main(void)
{
    struct shared shared = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .rwlock = PTHREAD_RWLOCK_INITIALIZER,
    };
    struct worker workers[THREADS];

    pthread_barrier_init(&shared.barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.shared = &shared, .index = i};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    printf("%ld %ld %ld %ld\n", shared.plain, atomic_load(&shared.atomic),
           shared.turn, shared.read);
    return 0;
}
