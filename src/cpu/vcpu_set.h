/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of host processors: as many as the kernel's cpu_set_t holds. */
#ifndef CPU_VCPU_SET_H
#define CPU_VCPU_SET_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { VCPU_MAX_HOST_CPUS = 1024 };

/* Empty: any processor. */
struct vcpu_host_set {
    uint64_t bits[VCPU_MAX_HOST_CPUS / 64];
};

/** vcpu_host_set_add() - @cpu is the host's number.
 *  Returns: 0, or -EINVAL for one that no host can have. */
int vcpu_host_set_add(struct vcpu_host_set *set, uint32_t cpu);
bool vcpu_host_set_has(const struct vcpu_host_set *set, uint32_t cpu);
bool vcpu_host_set_is_empty(const struct vcpu_host_set *set);

/**
 * vcpu_host_set_apply() - confine the calling thread to @set
 * @saved: set to where the thread was allowed to run before
 *
 * Returns: 0; -EXDEV if the thread may run on none of @set, and nothing is
 * changed; or the kernel's -errno.
 */
int vcpu_host_set_apply(const struct vcpu_host_set *set,
                        struct vcpu_host_set *saved);
/** vcpu_host_set_restore() - undo apply, by the same thread. */
int vcpu_host_set_restore(const struct vcpu_host_set *saved);

#ifdef __cplusplus
}
#endif

#endif
