/* SPDX-License-Identifier: BSD-3-Clause */
/* What getrusage and wait4 tell of a process.  Source: getrusage(2). */
#ifndef ARCH_X86_LINUX_USAGE_H
#define ARCH_X86_LINUX_USAGE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct process;
struct syscall;

struct usage {
    tick_t ticks; /* on CPUs; all of it counts as the program's own */
    uint64_t min_faults;
    uint64_t max_resident; /* [bytes] */
};

/** usage_of() - of the process itself, or of children it has waited for
 *  (RUSAGE_CHILDREN). */
struct usage usage_of(const struct process *process, int who);
/* Write a struct rusage of the caller's class; 0 or -EFAULT. */
SIM_MUST_CHECK int usage_put(const struct syscall *call, uint64_t addr,
                             const struct usage *usage);

#ifdef __cplusplus
}
#endif

#endif
