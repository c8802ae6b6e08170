/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mlock and its kin.  Guest RAM is never swapped, so a lock only makes pages
 * resident; what is kept is what programs can see: which mappings are locked,
 * how much that is, and the limit.  Source: mlock(2).
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/sys_mlock.h"
#include "arch/x86/linux/syscall.h"

#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)

enum { ONFAULT = 1 }; /* MLOCK_ONFAULT */

static bool mlock_is_free_of_limits(const struct syscall *call)
{
    return call->process->ids.user[ID_EFFECTIVE] == 0; /* CAP_IPC_LOCK */
}

static uint64_t mlock_limit(const struct syscall *call)
{
    return call->process->rlimits[RLIMIT_MEMLOCK][0] & ~PAGE_MASK;
}

bool syscall_may_lock(const struct syscall *call)
{
    return mlock_is_free_of_limits(call) || mlock_limit(call);
}

bool syscall_may_lock_more(const struct syscall *call, uint64_t more)
{
    return mlock_is_free_of_limits(call) ||
           mm_locked(call->mm, 0, call->mm->task_size) + more <=
               mlock_limit(call);
}

/* Set or clear flags from @start on until a hole. */
static int64_t mlock_set(struct mm *mm, uint64_t start, uint64_t end,
                         const uint32_t set_clear[2])
{
    uint64_t at = start;
    const struct vma *vma;

    while (at < end && (vma = mm_at(mm, at)) != NULL)
        at = vma->end;
    if (at > end)
        at = end;
    if (at > start)
        mm_set_flags(mm, start, at, set_clear);
    return at < end ? -ENOMEM : 0;
}

static int64_t mlock_range(struct syscall *call, uint64_t addr, uint64_t len,
                           uint32_t flags)
{
    const uint32_t set_clear[2] = {VMA_LOCKED, 0};
    uint64_t start = addr & ~PAGE_MASK;
    uint64_t size = (len + (addr & PAGE_MASK) + PAGE_MASK) & ~PAGE_MASK;
    int64_t result;

    if (!syscall_may_lock(call))
        return -EPERM;
    if (start + size < start)
        return -EINVAL;
    if (!syscall_may_lock_more(call,
                               size - mm_locked(call->mm, start, start + size)))
        return -ENOMEM;
    if (!size)
        return 0;
    result = mlock_set(call->mm, start, start + size, set_clear);
    if (!result && !(flags & ONFAULT))
        mm_populate_range(call->mm, start, start + size);
    return result;
}

static int64_t sys_mlock(struct syscall *call)
{
    return mlock_range(call, call->arg[0], call->arg[1], 0);
}

static int64_t sys_mlock2(struct syscall *call)
{
    if (call->arg[2] & ~(uint64_t)ONFAULT)
        return -EINVAL;
    return mlock_range(call, call->arg[0], call->arg[1],
                       (uint32_t)call->arg[2]);
}

static int64_t sys_munlock(struct syscall *call)
{
    const uint32_t set_clear[2] = {0, VMA_LOCKED};
    uint64_t start = call->arg[0] & ~PAGE_MASK;
    uint64_t size =
        (call->arg[1] + (call->arg[0] & PAGE_MASK) + PAGE_MASK) & ~PAGE_MASK;

    if (start + size < start)
        return -EINVAL;
    return size ? mlock_set(call->mm, start, start + size, set_clear) : 0;
}

static void mlock_all(struct mm *mm, uint32_t flags)
{
    const uint32_t set_clear[2] = {VMA_LOCKED, 0};

    mm_set_flags(mm, 0, mm->task_size, set_clear);
    for (uint32_t i = 0; !(flags & MCL_ONFAULT) && i < mm->num_vmas; i++)
        mm_populate_range(mm, mm->vmas[i].start, mm->vmas[i].end);
}

static int64_t sys_mlockall(struct syscall *call)
{
    uint32_t flags = (uint32_t)call->arg[0];
    struct mm *mm = call->mm;

    if (!flags || flags == MCL_ONFAULT ||
        (flags & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
        return -EINVAL;
    if (!syscall_may_lock(call))
        return -EPERM;
    if ((flags & MCL_CURRENT) && !mlock_is_free_of_limits(call) &&
        mm->total > mlock_limit(call))
        return -ENOMEM;
    mm->new_flags = flags & MCL_FUTURE ? VMA_LOCKED : 0;
    if (flags & MCL_CURRENT)
        mlock_all(mm, flags);
    return 0;
}

static int64_t sys_munlockall(struct syscall *call)
{
    const uint32_t set_clear[2] = {0, VMA_LOCKED};

    call->mm->new_flags = 0;
    mm_set_flags(call->mm, 0, call->mm->task_size, set_clear);
    return 0;
}

const struct syscall_row sys_mlock_rows[] = {
    SYSCALL_ROW(mlock, "pu"),    SYSCALL_ROW(mlock2, "pux"),
    SYSCALL_ROW(munlock, "pu"),  SYSCALL_ROW(mlockall, "x"),
    SYSCALL_ROW(munlockall, ""), SYSCALL_END,
};
