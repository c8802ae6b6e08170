/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a process is: numbers, users, groups, sessions, limits, prctl. */
#include <asm/prctl.h>
#include <errno.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/segment.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

static int64_t sys_getpid(struct syscall *call)
{
    return call->process->pid;
}

static int64_t sys_gettid(struct syscall *call)
{
    return call->thread->tid;
}

static int64_t sys_getppid(struct syscall *call)
{
    return call->process->parent ? call->process->parent->pid : 1;
}

static int64_t sys_getuid(struct syscall *call)
{
    return call->process->ids.user[ID_REAL];
}

static int64_t sys_geteuid(struct syscall *call)
{
    return call->process->ids.user[ID_EFFECTIVE];
}

static int64_t sys_getgid(struct syscall *call)
{
    return call->process->ids.group[ID_REAL];
}

static int64_t sys_getegid(struct syscall *call)
{
    return call->process->ids.group[ID_EFFECTIVE];
}

static int64_t id_put3(struct syscall *call, const uint32_t ids[3])
{
    for (int i = 0; i < 3; i++) {
        if (uaccess_put(call->mm, call->arg[i], ids[i]))
            return -EFAULT;
    }
    return 0;
}

static int64_t sys_getresuid(struct syscall *call)
{
    return id_put3(call, call->process->ids.user);
}

static int64_t sys_getresgid(struct syscall *call)
{
    return id_put3(call, call->process->ids.group);
}

/* Set real, effective and saved identity; -1 leaves one as it is.  ids points
 * to the four of them.  Only root may take one that it does not have. */
static int64_t id_set(const struct syscall *call, uint32_t ids[4],
                      const uint64_t wanted[3])
{
    uint32_t next[3];

    for (int i = 0; i < 3; i++) {
        uint32_t id = (uint32_t)wanted[i];

        next[i] = id == UINT32_MAX ? ids[i] : id;
        if (call->process->ids.user[ID_EFFECTIVE] && next[i] != ids[0] &&
            next[i] != ids[1] && next[i] != ids[2])
            return -EPERM;
    }
    memcpy(ids, next, sizeof(next));
    ids[3] = next[1];
    return 0;
}

static int64_t id_set_one(const struct syscall *call, uint32_t ids[4])
{
    bool is_root = call->process->ids.user[ID_EFFECTIVE] == 0;
    const uint64_t wanted[3] = {is_root ? call->arg[0] : UINT32_MAX,
                                call->arg[0],
                                is_root ? call->arg[0] : UINT32_MAX};

    return id_set(call, ids, wanted);
}

static int64_t id_set_two(const struct syscall *call, uint32_t ids[4])
{
    const uint64_t wanted[3] = {
        call->arg[0], call->arg[1],
        (uint32_t)call->arg[0] == UINT32_MAX ? UINT32_MAX : call->arg[1]};

    return id_set(call, ids, wanted);
}

static int64_t sys_setuid(struct syscall *call)
{
    return id_set_one(call, call->process->ids.user);
}

static int64_t sys_setgid(struct syscall *call)
{
    return id_set_one(call, call->process->ids.group);
}

static int64_t sys_setreuid(struct syscall *call)
{
    return id_set_two(call, call->process->ids.user);
}

static int64_t sys_setregid(struct syscall *call)
{
    return id_set_two(call, call->process->ids.group);
}

static int64_t sys_setresuid(struct syscall *call)
{
    return id_set(call, call->process->ids.user, call->arg);
}

static int64_t sys_setresgid(struct syscall *call)
{
    return id_set(call, call->process->ids.group, call->arg);
}

static int64_t sys_setfsid(struct syscall *call)
{
    (void)call;
    return 0;
}

static int64_t sys_getgroups(struct syscall *call)
{
    const struct process *process = call->process;
    uint32_t count = process->has_groups ? process->num_groups : 1;
    int room = (int)call->arg[0];

    if (room < 0 || (room && (uint32_t)room < count))
        return -EINVAL;
    for (uint32_t i = 0; room && i < count; i++) {
        uint32_t group = process->has_groups ? (uint32_t)process->groups[i]
                                             : process->ids.group[ID_REAL];

        if (uaccess_put(call->mm, call->arg[1] + i * sizeof(group), group))
            return -EFAULT;
    }
    return count;
}

static int id_compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return first < second ? -1 : first > second;
}

/* Returns: 0 or -errno. */
static int64_t id_read_groups(const struct syscall *call, uint64_t *groups,
                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t group;

        if (uaccess_get(call->mm, call->arg[1] + i * sizeof(group), group))
            return -EFAULT;
        if (group == UINT32_MAX)
            return -EINVAL;
        groups[i] = group;
    }
    return 0;
}

static int64_t sys_setgroups(struct syscall *call)
{
    uint32_t count = (uint32_t)call->arg[0];
    uint64_t *groups;
    int64_t error;

    if (call->process->ids.user[ID_EFFECTIVE])
        return -EPERM;
    if (count > PROCESS_MAX_GROUPS)
        return -EINVAL;
    groups = alloc_zeroed((size_t)count + 1, sizeof(*groups));
    error = id_read_groups(call, groups, count);
    if (!error) {
        qsort(groups, count, sizeof(*groups), id_compare);
        process_set_groups(call->process, groups, count);
        call->process->has_groups = true;
    }
    mem_free(groups);
    return error;
}

/* ------------------------------------------------------------ groups, sessions
 */

static struct process *id_process(const struct syscall *call, uint64_t pid)
{
    return (uint32_t)pid ? kernel_find_process(call->kernel, (uint32_t)pid)
                         : call->process;
}

static int64_t sys_getpgid(struct syscall *call)
{
    const struct process *process = id_process(call, call->arg[0]);

    return process ? (int64_t)process->pgid : -ESRCH;
}

static int64_t sys_getpgrp(struct syscall *call)
{
    return call->process->pgid;
}

static int64_t sys_setpgid(struct syscall *call)
{
    struct process *process = id_process(call, call->arg[0]);
    uint32_t pgid = (uint32_t)call->arg[1];

    if ((int)pgid < 0)
        return -EINVAL;
    if (!process ||
        (process != call->process && process->parent != call->process))
        return -ESRCH;
    if (process->sid != call->process->sid || process->sid == process->pid)
        return -EPERM;
    process->pgid = pgid ? pgid : process->pid;
    return 0;
}

static int64_t sys_getsid(struct syscall *call)
{
    const struct process *process = id_process(call, call->arg[0]);

    return process ? (int64_t)process->sid : -ESRCH;
}

static int64_t sys_setsid(struct syscall *call)
{
    struct process *process = call->process;

    if (process->pgid == process->pid)
        return -EPERM;
    process->sid = process->pgid = process->pid;
    return process->sid;
}

/* -------------------------------------------------------------------- limits
 */

static int limit_set(const struct syscall *call, struct process *process,
                     uint32_t which, const uint64_t limit[2])
{
    if (limit[0] > limit[1])
        return -EINVAL;
    /* fs.nr_open is above everybody. */
    if (which == RLIMIT_NOFILE && limit[1] > FD_TABLE_MAX)
        return -EPERM;
    if (limit[1] > process->rlimits[which][1] &&
        call->process->ids.user[ID_EFFECTIVE])
        return -EPERM;
    process->rlimits[which][0] = limit[0];
    process->rlimits[which][1] = limit[1];
    if (which == RLIMIT_NOFILE)
        process->files->limit =
            limit[0] < FD_TABLE_MAX ? (uint32_t)limit[0] : FD_TABLE_MAX;
    else if (which == RLIMIT_CPU)
        rlimit_arm_cpu(process);
    else if (which == RLIMIT_STACK)
        process->mm->limit_stack = limit[0];
    else if (which == RLIMIT_AS)
        process->mm->limit_as = limit[0];
    else if (which == RLIMIT_DATA)
        process->mm->limit_data = limit[0];
    return 0;
}

static int64_t sys_prlimit64(struct syscall *call)
{
    struct process *process = id_process(call, call->arg[0]);
    uint32_t which = (uint32_t)call->arg[1];
    uint64_t limit[2], old[2];

    if (!process)
        return -ESRCH;
    if (which >= NUM_RLIMITS)
        return -EINVAL;
    memcpy(old, process->rlimits[which], sizeof(old));
    if (call->arg[2]) {
        int error;

        if (uaccess_get(call->mm, call->arg[2], limit))
            return -EFAULT;
        error = limit_set(call, process, which, limit);
        if (error)
            return error;
    }
    return call->arg[3] ? uaccess_put(call->mm, call->arg[3], old) : 0;
}

static int64_t sys_getrlimit(struct syscall *call)
{
    uint32_t which = (uint32_t)call->arg[0];

    if (which >= NUM_RLIMITS)
        return -EINVAL;
    return uaccess_put(call->mm, call->arg[1], call->process->rlimits[which]);
}

static int64_t limit_get_32(const struct syscall *call, uint32_t infinity)
{
    uint32_t which = (uint32_t)call->arg[0];
    uint32_t narrow[2];

    if (which >= NUM_RLIMITS)
        return -EINVAL;
    for (int i = 0; i < 2; i++) {
        uint64_t value = call->process->rlimits[which][i];

        narrow[i] = value > infinity ? infinity : (uint32_t)value;
    }
    return uaccess_put(call->mm, call->arg[1], narrow);
}

/* The older one knows signed numbers only. */
static int64_t sys_getrlimit_32(struct syscall *call)
{
    return limit_get_32(call, INT32_MAX);
}

static int64_t sys_ugetrlimit(struct syscall *call)
{
    return limit_get_32(call, UINT32_MAX);
}

static int64_t sys_setrlimit(struct syscall *call)
{
    uint64_t limit[2];

    if ((uint32_t)call->arg[0] >= NUM_RLIMITS)
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[1], limit))
        return -EFAULT;
    return limit_set(call, call->process, (uint32_t)call->arg[0], limit);
}

static int64_t sys_setrlimit_32(struct syscall *call)
{
    uint32_t narrow[2];
    uint64_t limit[2];

    if ((uint32_t)call->arg[0] >= NUM_RLIMITS)
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[1], narrow))
        return -EFAULT;
    for (int i = 0; i < 2; i++)
        limit[i] = narrow[i] == UINT32_MAX ? RLIM_INFINITY : narrow[i];
    return limit_set(call, call->process, (uint32_t)call->arg[0], limit);
}

/* ------------------------------------------------------------- prctl, segments
 */

static int64_t prctl_name(struct syscall *call)
{
    char name[16];
    int error = 0;

    if ((int)call->arg[0] == PR_GET_NAME)
        return uaccess_put(call->mm, call->arg[1], call->thread->comm);
    memset(name, 0, sizeof(name));
    for (unsigned i = 0; !error && i < sizeof(name) - 1; i++) {
        error = uaccess_get(call->mm, call->arg[1] + i, name[i]);
        if (!name[i])
            break;
    }
    if (!error)
        memcpy(call->thread->comm, name, sizeof(name));
    return error;
}

static const struct prctl_row {
    int set, get;
    uint64_t max; /* largest value that may be set */
} prctl_rows[NUM_PROCESS_SETTINGS] = {
  /* In the order of enum process_setting. */
    {PR_SET_DUMPABLE,     PR_GET_DUMPABLE,     1        },
    {PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, 1        },
    {PR_SET_KEEPCAPS,     PR_GET_KEEPCAPS,     1        },
    {PR_SET_TIMERSLACK,   PR_GET_TIMERSLACK,   INT64_MAX},
    {PR_SET_THP_DISABLE,  PR_GET_THP_DISABLE,  1        },
};

/* Kept for the program; -EINVAL for what is not known. */
static int64_t prctl_setting(struct syscall *call, int option)
{
    for (unsigned i = 0; i < NUM_PROCESS_SETTINGS; i++) {
        const struct prctl_row *row = &prctl_rows[i];
        uint64_t *value = &call->process->settings[i];

        if (option == row->get)
            return (int64_t)*value;
        if (option != row->set)
            continue;
        if (call->arg[1] > row->max ||
            (i == SETTING_NO_NEW_PRIVS && !call->arg[1]))
            return -EINVAL;
        *value = call->arg[1];
        return 0;
    }
    return -EINVAL;
}

static int64_t sys_prctl(struct syscall *call)
{
    uint32_t value = call->process->death_signal;

    switch ((int)call->arg[0]) {
    case PR_SET_NAME:
    case PR_GET_NAME:
        return prctl_name(call);
    case PR_SET_PDEATHSIG:
        if (call->arg[1] > SIGNAL_MAX)
            return -EINVAL;
        call->process->death_signal = (uint32_t)call->arg[1];
        return 0;
    case PR_GET_PDEATHSIG:
        return uaccess_put(call->mm, call->arg[1], value);
    case PR_SET_CHILD_SUBREAPER:
        call->process->is_subreaper = call->arg[1] != 0;
        return 0;
    case PR_CAPBSET_READ:
        return call->arg[1] <= 40 ? 1 : -EINVAL;
    default: /* also PR_SET_VMA and PR_SET_PTRACER: callers do without */
        return prctl_setting(call, (int)call->arg[0]);
    }
}

static int64_t sys_arch_prctl(struct syscall *call)
{
    struct x86_state *state = x86_core_state(call->cpu->core);
    int code = (int)call->arg[0];
    uint64_t value;

    x86_core_sync(call->cpu->core); /* programs may write the bases, too */
    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (call->arg[1] >= MM_TASK_SIZE_64)
            return -EPERM;
        state->seg[code == ARCH_SET_FS ? X86_FS : X86_GS].base = call->arg[1];
        state->seg[code == ARCH_SET_FS ? X86_FS : X86_GS].selector = 0;
        x86_core_state_changed(call->cpu->core);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        value = state->seg[code == ARCH_GET_FS ? X86_FS : X86_GS].base;
        return uaccess_put(call->mm, call->arg[1], value);
    default: /* CET and the like */
        return -EINVAL;
    }
}

static int64_t sys_set_thread_area(struct syscall *call)
{
    int error = segment_set_tls(call->thread, call->mm, call->arg[0]);

    if (!error)
        sched_load_tls(call->cpu, call->thread);
    return error;
}

static int64_t sys_set_tid_address(struct syscall *call)
{
    call->thread->clear_child_tid = call->arg[0];
    return call->thread->tid;
}

static int64_t sys_personality(struct syscall *call)
{
    uint64_t old = call->process->personality;

    if ((uint32_t)call->arg[0] != UINT32_MAX)
        call->process->personality = (uint32_t)call->arg[0];
    return (int64_t)old;
}

static int64_t sys_capget(struct syscall *call)
{
    uint32_t header[2], data[6] = {0};
    uint32_t all = call->process->ids.user[ID_EFFECTIVE] ? 0 : UINT32_MAX;

    if (uaccess_get(call->mm, call->arg[0], header))
        return -EFAULT;
    if (header[0] != 0x20080522) {
        header[0] = 0x20080522;
        return uaccess_put(call->mm, call->arg[0], header) ? -EFAULT : -EINVAL;
    }
    data[0] = data[1] = all;
    data[3] = data[4] = all & 0x1ff;
    return call->arg[1] ? uaccess_put(call->mm, call->arg[1], data) : 0;
}

static int64_t sys_capset(struct syscall *call)
{
    return call->process->ids.user[ID_EFFECTIVE] ? -EPERM : 0;
}

const struct syscall_row sys_id_rows[] = {
    SYSCALL_ROW(getpid, ""),
    SYSCALL_ROW(gettid, ""),
    SYSCALL_ROW(getppid, ""),
    SYSCALL_ROW_64(getuid, ""),
    SYSCALL_ROW_64(geteuid, ""),
    SYSCALL_ROW_64(getgid, ""),
    SYSCALL_ROW_64(getegid, ""),
    SYSCALL_ROW_64(getresuid, "ppp"),
    SYSCALL_ROW_64(getresgid, "ppp"),
    SYSCALL_ROW_64(setuid, "d"),
    SYSCALL_ROW_64(setgid, "d"),
    SYSCALL_ROW_64(setreuid, "dd"),
    SYSCALL_ROW_64(setregid, "dd"),
    SYSCALL_ROW_64(setresuid, "ddd"),
    SYSCALL_ROW_64(setresgid, "ddd"),
    SYSCALL_ROW_ANY(setfsuid, "d", sys_setfsid, NULL),
    SYSCALL_ROW_ANY(setfsgid, "d", sys_setfsid, NULL),
    SYSCALL_ROW_64(getgroups, "dp"),
    SYSCALL_ROW_64(setgroups, "dp"),
    SYSCALL_ROW_32(getuid32, "", sys_getuid),
    SYSCALL_ROW_32(geteuid32, "", sys_geteuid),
    SYSCALL_ROW_32(getgid32, "", sys_getgid),
    SYSCALL_ROW_32(getegid32, "", sys_getegid),
    SYSCALL_ROW_32(getresuid32, "ppp", sys_getresuid),
    SYSCALL_ROW_32(getresgid32, "ppp", sys_getresgid),
    SYSCALL_ROW_32(setuid32, "d", sys_setuid),
    SYSCALL_ROW_32(setgid32, "d", sys_setgid),
    SYSCALL_ROW_32(setresuid32, "ddd", sys_setresuid),
    SYSCALL_ROW_32(setresgid32, "ddd", sys_setresgid),
    SYSCALL_ROW_32(getgroups32, "dp", sys_getgroups),
    SYSCALL_ROW_32(setgroups32, "dp", sys_setgroups),
    SYSCALL_ROW(getpgid, "d"),
    SYSCALL_ROW(getpgrp, ""),
    SYSCALL_ROW(setpgid, "dd"),
    SYSCALL_ROW(getsid, "d"),
    SYSCALL_ROW(setsid, ""),
    SYSCALL_ROW(prlimit64, "ddpp"),
    SYSCALL_ROW_BOTH(getrlimit, "dp"),
    SYSCALL_ROW_32(ugetrlimit, "dp", sys_ugetrlimit),
    SYSCALL_ROW_BOTH(setrlimit, "dp"),
    SYSCALL_ROW(prctl, "dxxxx"),
    SYSCALL_ROW_64(arch_prctl, "xp"),
    SYSCALL_ROW_32(set_thread_area, "p", sys_set_thread_area),
    SYSCALL_ROW(set_tid_address, "p"),
    SYSCALL_ROW(personality, "x"),
    SYSCALL_ROW(capget, "pp"),
    SYSCALL_ROW(capset, "pp"),
    SYSCALL_END,
};
