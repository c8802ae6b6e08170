/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time stamp counter never goes back, with and without system calls in
 * between, by either instruction, in two threads.
 *
 * guest-flags: -O1 -D_GNU_SOURCE -pthread
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

enum { ROUNDS = 20000 };

static void spend(int turns)
{
    for (volatile int i = 0; i < turns; i++) {
    }
}

static uint64_t read_tsc(int round)
{
    unsigned processor;

    return round % 3 ? __rdtsc() : __rdtscp(&processor);
}

static void *watch(void *arg)
{
    uint64_t last = read_tsc(0);
    int *times_back = arg;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t now;

        if (i % 7 == 0)
            syscall(SYS_getppid);
        spend(i % 50 ? 100 : 100000);
        now = read_tsc(i);
        *times_back += now < last;
        last = now;
    }
    return NULL;
}

int main(void)
{
    int times_back[2] = {0, 0};
    pthread_t other;

    pthread_create(&other, NULL, watch, &times_back[1]);
    watch(&times_back[0]);
    pthread_join(other, NULL);
    printf("went back %d and %d times\n", times_back[0], times_back[1]);
    return 0;
}
