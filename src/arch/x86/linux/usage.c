/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/usage.h"

#include <stddef.h>
#include <sys/resource.h>

#include "arch/x86/linux/process.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

struct usage usage_of(const struct process *process, int who)
{
    if (who == RUSAGE_CHILDREN)
        return (struct usage){process->child_ticks, process->child_faults,
                              process->child_max_resident};
    return (struct usage){process_run_ticks(process), process->min_faults,
                          process_max_resident(process)};
}

int usage_put(const struct syscall *call, uint64_t addr,
              const struct usage *usage)
{
    enum { UTIME = 0, MAXRSS = 4, MINFLT = 8, WORDS = 18 };
    int64_t wide[WORDS] = {
        [UTIME] = (int64_t)(usage->ticks / TICKS_PER_SECOND),
        [UTIME + 1] = (int64_t)(usage->ticks % TICKS_PER_SECOND / 1000000),
        [MAXRSS] = (int64_t)(usage->max_resident / 1024),
        [MINFLT] = (int64_t)usage->min_faults,
    };
    int32_t narrow[WORDS];

    for (size_t i = 0; i < WORDS; i++)
        narrow[i] = (int32_t)wide[i];
    return call->is_32 ? uaccess_put(call->mm, addr, narrow)
                       : uaccess_put(call->mm, addr, wide);
}
