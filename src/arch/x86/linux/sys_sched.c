/* SPDX-License-Identifier: BSD-3-Clause */
/* Scheduling: affinity, priorities (of one class), membarrier. */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/rseq.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

static struct thread *sched_target(const struct syscall *call)
{
    return (uint32_t)call->arg[0]
               ? kernel_find_thread(call->kernel, (uint32_t)call->arg[0])
               : call->thread;
}

static int64_t sys_sched_yield(struct syscall *call)
{
    if (call->thread->wait.progress || !call->kernel->run_first)
        return 0;
    call->thread->wait.progress = 1; /* done when it runs again */
    call->thread->in_syscall = true;
    sched_yield_cpu(call->thread);
    return SYSCALL_WAITS;
}

/* CPUs that exist, as a mask. */
static void sched_cpu_mask(const struct kernel *kernel, uint64_t mask[4])
{
    memset(mask, 0, 4 * sizeof(*mask));
    for (uint32_t i = 0; i < kernel->num_cpus; i++)
        mask[i / 64] |= UINT64_C(1) << (i % 64);
}

static int64_t sys_sched_getaffinity(struct syscall *call)
{
    const struct thread *thread = sched_target(call);
    uint64_t len = call->arg[1], mask[4];

    if (!thread)
        return -ESRCH;
    sched_cpu_mask(call->kernel, mask);
    for (int i = 0; i < 4; i++)
        mask[i] &= thread->affinity[i];
    if (len * 8 < call->kernel->num_cpus || (len & 7))
        return -EINVAL;
    if (len > sizeof(mask))
        len = sizeof(mask);
    return uaccess_write(call->mm, call->arg[2], mask, len) ? -EFAULT
                                                            : (int64_t)len;
}

static int64_t sys_sched_setaffinity(struct syscall *call)
{
    struct thread *thread = sched_target(call);
    uint64_t mask[4] = {0}, present[4];
    uint64_t len = call->arg[1] < sizeof(mask) ? call->arg[1] : sizeof(mask);
    bool is_empty = true;

    if (!thread)
        return -ESRCH;
    if (uaccess_read(call->mm, call->arg[2], mask, len))
        return -EFAULT;
    sched_cpu_mask(call->kernel, present);
    for (int i = 0; i < 4; i++)
        is_empty = is_empty && !(mask[i] & present[i]);
    if (is_empty)
        return -EINVAL;
    memcpy(thread->affinity, mask, sizeof(mask));
    return 0;
}

static int64_t sys_getcpu(struct syscall *call)
{
    uint32_t cpu = call->cpu->index, node = 0;

    if (call->arg[0] && uaccess_put(call->mm, call->arg[0], cpu))
        return -EFAULT;
    return call->arg[1] ? uaccess_put(call->mm, call->arg[1], node) : 0;
}

static int64_t sys_sched_getscheduler(struct syscall *call)
{
    return sched_target(call) ? SCHED_OTHER : -ESRCH;
}

static int64_t sys_sched_setscheduler(struct syscall *call)
{
    int policy = (int)call->arg[1];

    if (!sched_target(call))
        return -ESRCH;
    if (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE)
        return 0;
    return policy == SCHED_FIFO || policy == SCHED_RR ? -EPERM : -EINVAL;
}

static int64_t sys_sched_getparam(struct syscall *call)
{
    uint32_t priority = 0;

    if (!sched_target(call))
        return -ESRCH;
    return uaccess_put(call->mm, call->arg[1], priority);
}

static int64_t sys_sched_setparam(struct syscall *call)
{
    return sched_target(call) ? 0 : -ESRCH;
}

static bool sched_is_realtime(const struct syscall *call)
{
    return (int)call->arg[0] == SCHED_FIFO || (int)call->arg[0] == SCHED_RR;
}

static int64_t sys_sched_get_priority_max(struct syscall *call)
{
    return sched_is_realtime(call) ? 99 : 0;
}

static int64_t sys_sched_get_priority_min(struct syscall *call)
{
    return sched_is_realtime(call) ? 1 : 0;
}

static int64_t sys_getpriority(struct syscall *call)
{
    (void)call;
    return 20; /* nice 0 */
}

static int64_t sys_setpriority(struct syscall *call)
{
    (void)call;
    return 0; /* all threads get equal turns */
}

/* Threads take turns in one host thread: memory is always in order. */
static int64_t sys_membarrier(struct syscall *call)
{
    int known = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
                MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

    if ((int)call->arg[0] == MEMBARRIER_CMD_QUERY)
        return known;
    return (int)call->arg[0] & ~known ? -EINVAL : 0;
}

static int64_t sys_rseq(struct syscall *call)
{
    return rseq_register(call->thread, call->arg[0], (uint32_t)call->arg[1],
                         (uint32_t)call->arg[2], (uint32_t)call->arg[3]);
}

const struct syscall_row sys_sched_rows[] = {
    SYSCALL_ROW(sched_yield, ""),
    SYSCALL_ROW(sched_getaffinity, "dup"),
    SYSCALL_ROW(sched_setaffinity, "dup"),
    SYSCALL_ROW(getcpu, "ppp"),
    SYSCALL_ROW(sched_getscheduler, "d"),
    SYSCALL_ROW(sched_setscheduler, "ddp"),
    SYSCALL_ROW(sched_getparam, "dp"),
    SYSCALL_ROW(sched_setparam, "dp"),
    SYSCALL_ROW(sched_get_priority_max, "d"),
    SYSCALL_ROW(sched_get_priority_min, "d"),
    SYSCALL_ROW(getpriority, "dd"),
    SYSCALL_ROW(setpriority, "ddd"),
    SYSCALL_ROW(membarrier, "dxd"),
    SYSCALL_ROW(rseq, "puxx"),
    SYSCALL_END,
};
