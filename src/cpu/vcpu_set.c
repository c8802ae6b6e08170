/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/vcpu_set.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "base/compiler.h"

SIM_STATIC_ASSERT((int)VCPU_MAX_HOST_CPUS == (int)CPU_SETSIZE,
                  "sets are those of the kernel");

int vcpu_host_set_add(struct vcpu_host_set *set, uint32_t cpu)
{
    if (cpu >= VCPU_MAX_HOST_CPUS)
        return -EINVAL;
    set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    return 0;
}

bool vcpu_host_set_has(const struct vcpu_host_set *set, uint32_t cpu)
{
    return cpu < VCPU_MAX_HOST_CPUS &&
           ((set->bits[cpu / 64] >> (cpu % 64)) & 1);
}

bool vcpu_host_set_is_empty(const struct vcpu_host_set *set)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < SIM_ARRAY_LEN(set->bits); i++)
        any |= set->bits[i];
    return !any;
}

static void to_kernel(const struct vcpu_host_set *set, cpu_set_t *out)
{
    CPU_ZERO(out);
    for (uint32_t cpu = 0; cpu < VCPU_MAX_HOST_CPUS; cpu++)
        if (vcpu_host_set_has(set, cpu))
            CPU_SET(cpu, out);
}

static void from_kernel(const cpu_set_t *kernel, struct vcpu_host_set *out)
{
    *out = (struct vcpu_host_set){0};
    for (uint32_t cpu = 0; cpu < VCPU_MAX_HOST_CPUS; cpu++)
        if (CPU_ISSET(cpu, kernel))
            (void)vcpu_host_set_add(out, cpu);
}

int vcpu_host_set_apply(const struct vcpu_host_set *set,
                        struct vcpu_host_set *saved)
{
    cpu_set_t wanted, allowed, both;

    if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed))
        return -EXDEV;
    to_kernel(set, &wanted);
    CPU_AND(&both, &wanted, &allowed);
    if (!CPU_COUNT(&both))
        return -EXDEV;
    from_kernel(&allowed, saved);
    return -pthread_setaffinity_np(pthread_self(), sizeof both, &both);
}

int vcpu_host_set_restore(const struct vcpu_host_set *saved)
{
    cpu_set_t kernel;

    to_kernel(saved, &kernel);
    return -pthread_setaffinity_np(pthread_self(), sizeof kernel, &kernel);
}
