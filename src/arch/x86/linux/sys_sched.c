/* SPDX-License-Identifier: BSD-3-Clause */
/* Scheduling: affinity, priorities (of ordinary threads), membarrier. */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

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

/* ------------------------------------------------------------------- policies
 */

static int64_t sys_sched_getscheduler(struct syscall *call)
{
    const struct thread *thread = sched_target(call);

    return thread ? (int64_t)thread->policy : -ESRCH;
}

/* Threads of the simulation are ordinary ones: no real-time policies. */
static int64_t sys_sched_setscheduler(struct syscall *call)
{
    struct thread *thread = sched_target(call);
    int policy = (int)call->arg[1];
    int32_t priority;

    if (policy < 0 || !call->arg[2])
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[2], priority))
        return -EFAULT;
    if (!thread)
        return -ESRCH;
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
    if ((policy != SCHED_OTHER && policy != SCHED_BATCH &&
         policy != SCHED_IDLE) ||
        priority)
        return -EINVAL;
    thread->policy = (uint32_t)policy;
    return 0;
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
    int32_t priority;

    if (!call->arg[1])
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[1], priority))
        return -EFAULT;
    if (!sched_target(call))
        return -ESRCH;
    return priority ? -EINVAL : 0;
}

static bool sched_is_realtime(const struct syscall *call)
{
    return (int)call->arg[0] == SCHED_FIFO || (int)call->arg[0] == SCHED_RR;
}

enum { SCHED_DEADLINE_POLICY = 6 }; /* sched(7); only <linux/sched.h> has it */

static bool sched_is_policy(const struct syscall *call)
{
    return sched_is_realtime(call) || (int)call->arg[0] == SCHED_OTHER ||
           (int)call->arg[0] == SCHED_BATCH ||
           (int)call->arg[0] == SCHED_IDLE ||
           (int)call->arg[0] == SCHED_DEADLINE_POLICY;
}

static int64_t sys_sched_get_priority_max(struct syscall *call)
{
    if (!sched_is_policy(call))
        return -EINVAL;
    return sched_is_realtime(call) ? 99 : 0;
}

static int64_t sys_sched_get_priority_min(struct syscall *call)
{
    if (!sched_is_policy(call))
        return -EINVAL;
    return sched_is_realtime(call) ? 1 : 0;
}

/* ----------------------------------------------------------------- nice values
 */

/* Whether setpriority(which, who) means the thread. */
static bool priority_is_meant(const struct syscall *call,
                              const struct thread *thread)
{
    const struct process *process = thread->process;
    uint32_t who = (uint32_t)call->arg[1];

    switch ((int)call->arg[0]) {
    case PRIO_PROCESS:
        return who ? thread->tid == who : thread == call->thread;
    case PRIO_PGRP:
        return process->pgid == (who ? who : call->process->pgid);
    default:
        return process->ids.user[ID_REAL] ==
               (who ? who : call->process->ids.user[ID_REAL]);
    }
}

/* Source: setpriority(2). */
static int64_t priority_set(const struct syscall *call, struct thread *thread,
                            int nice)
{
    const struct process *self = call->process;
    uint32_t user = self->ids.user[ID_EFFECTIVE];
    uint64_t limit = self->rlimits[RLIMIT_NICE][0];

    if (user && user != thread->process->ids.user[ID_REAL] &&
        user != thread->process->ids.user[ID_EFFECTIVE])
        return -EPERM;
    if (user && nice < thread->nice && (uint64_t)(20 - nice) > limit)
        return -EACCES;
    thread->nice = nice;
    return 0;
}

static int64_t sys_getpriority(struct syscall *call)
{
    int64_t best = -ESRCH;

    if ((uint32_t)call->arg[0] > PRIO_USER)
        return -EINVAL;
    for (const struct process *p = call->kernel->processes; p; p = p->next) {
        for (const struct thread *t = p->threads; t; t = t->next) {
            if (priority_is_meant(call, t) && 20 - t->nice > best)
                best = 20 - t->nice;
        }
    }
    return best;
}

static int64_t sys_setpriority(struct syscall *call)
{
    int nice = (int)call->arg[2];
    int64_t result = -ESRCH;

    if ((uint32_t)call->arg[0] > PRIO_USER)
        return -EINVAL;
    nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    for (const struct process *p = call->kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next) {
            int64_t error;

            if (!priority_is_meant(call, t))
                continue;
            error = priority_set(call, t, nice);
            if (error || result == -ESRCH)
                result = error;
        }
    }
    return result;
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
