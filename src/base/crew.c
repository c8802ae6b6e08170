/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/crew.h"

#include <pthread.h>
#include <unistd.h>

enum { MAX_THREADS = 64, DEFAULT_LIMIT = 8 };

unsigned crew_default_size(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (cpus < 1)
        return 1;
    return cpus > DEFAULT_LIMIT ? DEFAULT_LIMIT : (unsigned)cpus;
}

void crew_run(unsigned size, void *(*work)(void *ctx), void *ctx)
{
    pthread_t threads[MAX_THREADS];
    unsigned started = 0;

    while (started + 1 < size && started < MAX_THREADS &&
           pthread_create(&threads[started], NULL, work, ctx) == 0)
        started++;
    work(ctx);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}
