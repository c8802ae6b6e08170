/* SPDX-License-Identifier: BSD-3-Clause */
/* Scheduling: affinity, policies and priorities, membarrier. */
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

/* Sources: sched(7), sched_setattr(2), sched_setscheduler(2). */
enum {
    POLICY_DEADLINE = 6,
    POLICY_KEPT = -1,
    RT_MAX = 99,
    DEADLINE_MIN_NS = 1024,
    DEADLINE_MIN_PERIOD_NS = 100000,
};

enum {
    ATTR_RESET_ON_FORK = 0x01,
    ATTR_KEEP_POLICY = 0x08,
    ATTR_KEEP_PARAMS = 0x10,
    ATTR_UTIL_CLAMP = 0x60,
    ATTR_FLAGS = 0x7f
};

struct policy_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

enum { ATTR_SIZE_FIRST = 48, ATTR_SIZE = sizeof(struct policy_attr) };

#define TICKS_PER_NS (TICKS_PER_SECOND / 1000000000)

static bool policy_is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool policy_has_nice(int policy)
{
    return policy == SCHED_OTHER || policy == SCHED_BATCH;
}

static bool policy_is_known(int policy)
{
    return policy_is_realtime(policy) || policy_has_nice(policy) ||
           policy == SCHED_IDLE || policy == POLICY_DEADLINE;
}

static bool policy_is_deadline_good(const struct policy_attr *attr)
{
    uint64_t period = attr->period ? attr->period : attr->deadline;

    return attr->runtime >= DEADLINE_MIN_NS &&
           attr->runtime <= attr->deadline && attr->deadline <= period &&
           !(period >> 63) && period >= DEADLINE_MIN_PERIOD_NS;
}

static bool policy_is_nice_free(const struct thread *thread, int nice)
{
    uint64_t limit = thread->process->rlimits[RLIMIT_NICE][0];

    return (uint64_t)(20 - nice) <= limit; /* getrlimit(2), RLIMIT_NICE */
}

static bool policy_is_own(const struct syscall *call,
                          const struct thread *thread)
{
    uint32_t user = call->process->ids.user[ID_EFFECTIVE];
    const uint32_t *theirs = thread->process->ids.user;

    return user == theirs[ID_REAL] || user == theirs[ID_EFFECTIVE];
}

static bool policy_is_priority_free(const struct thread *thread, int policy,
                                    uint32_t priority)
{
    uint64_t limit = thread->process->rlimits[RLIMIT_RTPRIO][0];

    if (policy != (int)thread->policy && !limit)
        return false;
    return priority <= thread->rt_priority || priority <= limit;
}

/* Whether it takes no privilege. */
static bool policy_is_free(const struct syscall *call,
                           const struct thread *thread, int policy,
                           const struct policy_attr *attr)
{
    bool resets = attr->flags & ATTR_RESET_ON_FORK;

    if (policy_has_nice(policy) && attr->nice < thread->nice &&
        !policy_is_nice_free(thread, attr->nice))
        return false;
    if (policy_is_realtime(policy) &&
        !policy_is_priority_free(thread, policy, attr->priority))
        return false;
    if (policy == POLICY_DEADLINE)
        return false;
    if (thread->policy == SCHED_IDLE && policy != SCHED_IDLE &&
        !policy_is_nice_free(thread, thread->nice))
        return false;
    return policy_is_own(call, thread) && (!thread->resets_on_fork || resets);
}

/* Returns: 0 or -errno, in the kernel's order. */
static int64_t policy_check(const struct syscall *call,
                            const struct thread *thread, int policy,
                            const struct policy_attr *attr)
{
    if (!policy_is_known(policy) || (attr->flags & ~(uint64_t)ATTR_FLAGS) ||
        attr->priority > RT_MAX ||
        (policy == POLICY_DEADLINE && !policy_is_deadline_good(attr)) ||
        policy_is_realtime(policy) != (attr->priority != 0))
        return -EINVAL;
    if (call->process->ids.user[ID_EFFECTIVE] &&
        !policy_is_free(call, thread, policy, attr))
        return -EPERM;
    if (attr->flags & ATTR_UTIL_CLAMP)
        return -EOPNOTSUPP; /* as a kernel without CONFIG_UCLAMP_TASK */
    /* No bandwidth is to be had: deadlines are not kept here. */
    return policy == POLICY_DEADLINE ? -EBUSY : 0;
}

/* @policy: POLICY_KEPT to change the parameters only. */
static int64_t policy_set(const struct syscall *call, struct thread *thread,
                          int policy, const struct policy_attr *attr)
{
    struct policy_attr asked = *attr;
    int64_t error;

    if (policy == POLICY_KEPT) {
        policy = (int)thread->policy;
        if (thread->resets_on_fork)
            asked.flags |= ATTR_RESET_ON_FORK;
        else
            asked.flags &= ~(uint64_t)ATTR_RESET_ON_FORK;
    }
    error = policy_check(call, thread, policy, &asked);
    if (error)
        return error;
    thread->resets_on_fork = asked.flags & ATTR_RESET_ON_FORK;
    if (asked.flags & ATTR_KEEP_PARAMS)
        return 0; /* keeps the policy, too */
    thread->policy = (uint32_t)policy;
    if (policy_has_nice(policy))
        thread->nice = asked.nice;
    sched_set_priority(thread, asked.priority);
    return 0;
}

static int64_t sys_sched_getscheduler(struct syscall *call)
{
    const struct thread *thread = sched_target(call);

    if ((int)call->arg[0] < 0)
        return -EINVAL;
    if (!thread)
        return -ESRCH;
    return thread->policy |
           (thread->resets_on_fork ? (unsigned)SCHED_RESET_ON_FORK : 0);
}

/* By the interface that knows priorities only, which are at @addr. */
static int64_t policy_set_param(struct syscall *call, int policy, uint64_t addr)
{
    struct thread *thread = sched_target(call);
    struct policy_attr attr = {0};

    if (!addr || (int)call->arg[0] < 0)
        return -EINVAL;
    if (uaccess_get(call->mm, addr, attr.priority))
        return -EFAULT;
    if (!thread)
        return -ESRCH;
    attr.nice = thread->nice;
    if (policy != POLICY_KEPT && (policy & SCHED_RESET_ON_FORK)) {
        attr.flags = ATTR_RESET_ON_FORK;
        policy &= ~SCHED_RESET_ON_FORK;
    }
    return policy_set(call, thread, policy, &attr);
}

static int64_t sys_sched_setscheduler(struct syscall *call)
{
    int policy = (int)call->arg[1];

    return policy < 0 ? -EINVAL : policy_set_param(call, policy, call->arg[2]);
}

static int64_t sys_sched_setparam(struct syscall *call)
{
    return policy_set_param(call, POLICY_KEPT, call->arg[1]);
}

static int64_t sys_sched_getparam(struct syscall *call)
{
    const struct thread *thread = sched_target(call);

    if (!call->arg[1] || (int)call->arg[0] < 0)
        return -EINVAL;
    return thread ? uaccess_put(call->mm, call->arg[1], thread->rt_priority)
                  : -ESRCH;
}

/* As the kernel's copy_struct_from_user(): what it does not know must be 0. */
static int64_t policy_read_attr(const struct syscall *call,
                                struct policy_attr *attr)
{
    uint64_t addr = call->arg[1];
    uint32_t size, known = ATTR_SIZE;
    uint8_t byte;

    memset(attr, 0, sizeof(*attr));
    if (uaccess_get(call->mm, addr, size))
        return -EFAULT;
    if (!size)
        size = ATTR_SIZE_FIRST;
    for (uint32_t i = ATTR_SIZE; i < size && size <= FRAME_SIZE; i++) {
        if (uaccess_get(call->mm, addr + i, byte))
            return -EFAULT;
        if (byte)
            size = 0;
    }
    if (size < ATTR_SIZE_FIRST || size > FRAME_SIZE)
        return uaccess_put(call->mm, addr, known) ? -EFAULT : -E2BIG;
    if (uaccess_read(call->mm, addr, attr, size < known ? size : known))
        return -EFAULT;
    if ((attr->flags & ATTR_UTIL_CLAMP) && size < known)
        return -EINVAL;
    attr->nice = attr->nice < -20 ? -20 : attr->nice > 19 ? 19 : attr->nice;
    return 0;
}

static int64_t sys_sched_setattr(struct syscall *call)
{
    struct thread *thread = sched_target(call);
    struct policy_attr attr;
    int64_t error;
    int policy;

    if (!call->arg[1] || (int)call->arg[0] < 0 || (uint32_t)call->arg[2])
        return -EINVAL;
    error = policy_read_attr(call, &attr);
    if (error)
        return error;
    policy = (int)attr.policy;
    if (policy < 0)
        return -EINVAL;
    if (!thread)
        return -ESRCH;
    if (attr.flags & ATTR_KEEP_POLICY)
        policy = POLICY_KEPT;
    if (attr.flags & ATTR_KEEP_PARAMS) {
        if (thread->rt_priority)
            attr.priority = thread->rt_priority;
        else
            attr.nice = thread->nice;
    }
    return policy_set(call, thread, policy, &attr);
}

static int64_t sys_sched_getattr(struct syscall *call)
{
    const struct thread *thread = sched_target(call);
    uint32_t size = (uint32_t)call->arg[2];
    struct policy_attr attr = {0};
    uint8_t out[FRAME_SIZE] = {0};

    if (!call->arg[1] || (int)call->arg[0] < 0 || size > FRAME_SIZE ||
        size < ATTR_SIZE_FIRST || (uint32_t)call->arg[3])
        return -EINVAL;
    if (!thread)
        return -ESRCH;
    attr.size = size < ATTR_SIZE ? size : ATTR_SIZE;
    attr.policy = thread->policy;
    attr.flags = thread->resets_on_fork ? ATTR_RESET_ON_FORK : 0;
    attr.priority = thread->rt_priority;
    attr.nice = thread->rt_priority ? 0 : thread->nice;
    memcpy(out, &attr, sizeof(attr));
    return uaccess_write(call->mm, call->arg[1], out, size) ? -EFAULT : 0;
}

/* Ordinary threads have less than the kernel's clock can tell. */
static int64_t sched_rr_interval(const struct syscall *call, uint64_t *ns)
{
    const struct thread *thread = sched_target(call);

    if ((int)call->arg[0] < 0)
        return -EINVAL;
    if (!thread)
        return -ESRCH;
    *ns = thread->policy == SCHED_RR ? SCHED_RR_SLICE / TICKS_PER_NS : 0;
    return 0;
}

static int64_t sys_sched_rr_get_interval(struct syscall *call)
{
    uint64_t time[2] = {0};
    int64_t error = sched_rr_interval(call, &time[1]);

    return error ? error : uaccess_put(call->mm, call->arg[1], time);
}

static int64_t sys_sched_rr_get_interval_32(struct syscall *call)
{
    uint64_t ns = 0;
    int64_t error = sched_rr_interval(call, &ns);
    uint32_t time[2] = {0, (uint32_t)ns};

    return error ? error : uaccess_put(call->mm, call->arg[1], time);
}

static int64_t sys_sched_get_priority_max(struct syscall *call)
{
    int policy = (int)call->arg[0];

    if (!policy_is_known(policy))
        return -EINVAL;
    return policy_is_realtime(policy) ? RT_MAX : 0;
}

static int64_t sys_sched_get_priority_min(struct syscall *call)
{
    int policy = (int)call->arg[0];

    if (!policy_is_known(policy))
        return -EINVAL;
    return policy_is_realtime(policy) ? 1 : 0;
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
    SYSCALL_ROW(sched_setattr, "dpx"),
    SYSCALL_ROW(sched_getattr, "dpux"),
    SYSCALL_ROW_BOTH(sched_rr_get_interval, "dp"),
    SYSCALL_ROW_32(sched_rr_get_interval_time64, "dp",
                   sys_sched_rr_get_interval),
    SYSCALL_ROW(sched_get_priority_max, "d"),
    SYSCALL_ROW(sched_get_priority_min, "d"),
    SYSCALL_ROW(getpriority, "dd"),
    SYSCALL_ROW(setpriority, "ddd"),
    SYSCALL_ROW(membarrier, "dxd"),
    SYSCALL_ROW(rseq, "puxx"),
    SYSCALL_END,
};
