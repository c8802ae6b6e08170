/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mutexes, condition variables, barriers, thread-local storage.
 *
 * guest-flags: -O2 -pthread
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int turn;
static long total;
static atomic_long atomic_total;
static _Thread_local long mine;

static void *work(void *arg)
{
    long id = (long)arg;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        total += id;
        pthread_mutex_unlock(&lock);
        atomic_total++;
        mine += id;
    }
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    while (turn != id)
        pthread_cond_wait(&turn_changed, &lock);
    printf("thread %ld: %ld\n", id, mine);
    turn++;
    pthread_cond_broadcast(&turn_changed);
    pthread_mutex_unlock(&lock);
    sem_post(&semaphore);
    return (void *)(id * 2);
}

int main(void)
{
    pthread_t threads[THREADS];
    long sum = 0;

    pthread_barrier_init(&barrier, NULL, THREADS);
    sem_init(&semaphore, 0, 0);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        sem_wait(&semaphore);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("%ld %ld %ld\n", total, atomic_load(&atomic_total), sum);
    return 0;
}
