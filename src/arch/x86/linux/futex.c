/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"

struct futex_key {
    enum futex_kind kind;
    uint64_t addr;
    const struct mm *mm; /* of FUTEX_OF_PROCESS and FUTEX_OF_MAPPING */
};

/* Memory that is the process's own may change its frame while threads wait,
 * after a fork. */
static bool futex_is_own(const struct mm *mm, uint64_t addr)
{
    const struct vma *vma = mm_at(mm, addr);

    return vma && !(vma->flags & VMA_SHARED) &&
           (!vma->object || (vma->prot & MM_WRITE));
}

/* Source: futex(2), FUTEX_PRIVATE_FLAG; a private futex need not be mapped. */
static bool futex_find(struct mm *mm, uint64_t addr, uint32_t flags,
                       struct futex_key *key)
{
    *key = (struct futex_key){FUTEX_OF_PROCESS, addr, mm};
    if (flags & FUTEX_PRIVATE_FLAG)
        return addr < MM_TASK_SIZE_64;
    if (mm_fault(mm, addr, MM_WRITE) != MM_OK &&
        mm_fault(mm, addr, MM_READ) != MM_OK)
        return false;
    key->kind = futex_is_own(mm, addr) ? FUTEX_OF_MAPPING : FUTEX_OF_FRAME;
    return key->kind != FUTEX_OF_FRAME ||
           uaccess_word(mm, addr, MM_READ, &key->addr);
}

static const uint32_t *futex_word(struct mm *mm, uint64_t addr)
{
    uint64_t frame;

    return uaccess_word(mm, addr, MM_READ, &frame);
}

static bool futex_is_for(const struct thread *thread,
                         const struct futex_key *key)
{
    const struct thread_wait *wait = &thread->wait;

    return wait->futex_kind == key->kind && wait->futex_addr == key->addr &&
           (key->kind == FUTEX_OF_FRAME || thread->process->mm == key->mm);
}

/* ----------------------------------------------------------------- waiting set
 */

static void futex_enqueue(struct thread *thread, const struct futex_key *key,
                          uint32_t mask)
{
    struct kernel *kernel = thread->process->kernel;
    struct thread **link = &kernel->futex_waiters;

    while (*link)
        link = &(*link)->wait.futex_next;
    *link = thread;
    thread->wait.futex_next = NULL;
    thread->wait.futex_kind = key->kind;
    thread->wait.futex_addr = key->addr;
    thread->wait.futex_mask = mask;
}

void futex_cancel(struct thread *thread)
{
    struct thread **link = &thread->process->kernel->futex_waiters;

    if (thread->wait.futex_kind == FUTEX_OF_NONE)
        return;
    while (*link && *link != thread)
        link = &(*link)->wait.futex_next;
    if (*link)
        *link = thread->wait.futex_next;
    thread->wait.futex_kind = FUTEX_OF_NONE;
}

static uint32_t futex_wake_key(struct kernel *kernel,
                               const struct futex_key *key, uint32_t max,
                               uint32_t mask)
{
    struct thread *next;
    uint32_t count = 0;

    for (struct thread *t = kernel->futex_waiters; t && count < max; t = next) {
        next = t->wait.futex_next;
        if (!futex_is_for(t, key) || !(t->wait.futex_mask & mask))
            continue;
        futex_cancel(t);
        sched_wake(t, WAKE_EVENT);
        count++;
    }
    return count;
}

static uint32_t futex_move(struct kernel *kernel, const struct futex_key *from,
                           const struct futex_key *to, uint32_t max)
{
    struct thread *next;
    uint32_t count = 0;

    for (struct thread *t = kernel->futex_waiters; t && count < max; t = next) {
        uint32_t mask = t->wait.futex_mask;

        next = t->wait.futex_next;
        if (!futex_is_for(t, from))
            continue;
        futex_cancel(t);
        futex_enqueue(t, to, mask);
        count++;
    }
    return count;
}

int64_t futex_wake_addr(struct kernel *kernel, struct mm *mm, uint64_t addr,
                        uint32_t max)
{
    struct futex_key key;

    if ((addr & 3) || !futex_find(mm, addr, 0, &key))
        return -EFAULT;
    return futex_wake_key(kernel, &key, max, FUTEX_BITSET_MATCH_ANY);
}

/* ------------------------------------------------------------------ operations
 */

struct futex_call {
    struct syscall *call;
    uint64_t addr, addr2;
    uint32_t op, flags, value, value2, value3;
    tick_t deadline;
};

static bool futex_get(const struct futex_call *futex, uint64_t addr,
                      struct futex_key *key)
{
    return futex_find(futex->call->mm, addr, futex->flags, key);
}

static int64_t futex_wait(struct futex_call *futex, uint32_t mask)
{
    struct thread_wait *wait = &futex->call->thread->wait;
    const uint32_t *word;
    struct futex_key key;
    int64_t result;

    if (wait->reason == WAKE_EVENT)
        return 0;
    if (!mask || (futex->addr & 3))
        return -EINVAL;
    word = futex_word(futex->call->mm, futex->addr);
    if (!word || !futex_get(futex, futex->addr, &key))
        return -EFAULT;
    if (wait->reason == WAKE_NONE && *word != futex->value)
        return -EAGAIN;
    futex_cancel(futex->call->thread);
    result = syscall_wait(futex->call, wait, futex->deadline);
    if (result == SYSCALL_WAITS)
        futex_enqueue(futex->call->thread, &key, mask);
    return result;
}

static int64_t futex_wake(struct futex_call *futex, uint32_t mask)
{
    struct futex_key key;

    if (!mask || (futex->addr & 3))
        return -EINVAL;
    if (!futex_get(futex, futex->addr, &key))
        return -EFAULT;
    return futex_wake_key(futex->call->kernel, &key, futex->value, mask);
}

static int64_t futex_requeue(struct futex_call *futex)
{
    struct futex_key from, to;
    const uint32_t *word;
    uint32_t woken, moved;

    if ((futex->addr & 3) || (futex->addr2 & 3))
        return -EINVAL;
    if (!futex_get(futex, futex->addr, &from) ||
        !futex_get(futex, futex->addr2, &to))
        return -EFAULT;
    word = futex_word(futex->call->mm, futex->addr);
    if (futex->op == FUTEX_CMP_REQUEUE && !word)
        return -EFAULT;
    if (futex->op == FUTEX_CMP_REQUEUE && *word != futex->value3)
        return -EAGAIN;
    woken = futex_wake_key(futex->call->kernel, &from, futex->value,
                           FUTEX_BITSET_MATCH_ANY);
    moved = futex_move(futex->call->kernel, &from, &to, futex->value2);
    return futex->op == FUTEX_CMP_REQUEUE ? woken + moved : woken;
}

/* The operation that FUTEX_WAKE_OP encodes; false if it is unknown. */
static bool futex_apply(uint32_t code, uint32_t *word, bool *is_true)
{
    uint32_t op = (code >> 28) & 7, cmp = (code >> 24) & 15;
    int32_t arg = (int32_t)(code << 8) >> 20;
    int32_t cmp_arg = (int32_t)(code << 20) >> 20;
    int32_t old = (int32_t)*word;
    uint32_t value =
        code & (UINT32_C(8) << 28) ? UINT32_C(1) << (arg & 31) : (uint32_t)arg;

    switch (op) {
    case FUTEX_OP_SET:
        *word = value;
        break;
    case FUTEX_OP_ADD:
        *word += value;
        break;
    case FUTEX_OP_OR:
        *word |= value;
        break;
    case FUTEX_OP_ANDN:
        *word &= ~value;
        break;
    case FUTEX_OP_XOR:
        *word ^= value;
        break;
    default:
        return false;
    }
    switch (cmp) {
    case FUTEX_OP_CMP_EQ:
        *is_true = old == cmp_arg;
        break;
    case FUTEX_OP_CMP_NE:
        *is_true = old != cmp_arg;
        break;
    case FUTEX_OP_CMP_LT:
        *is_true = old < cmp_arg;
        break;
    case FUTEX_OP_CMP_LE:
        *is_true = old <= cmp_arg;
        break;
    case FUTEX_OP_CMP_GT:
        *is_true = old > cmp_arg;
        break;
    case FUTEX_OP_CMP_GE:
        *is_true = old >= cmp_arg;
        break;
    default:
        return false;
    }
    return true;
}

static int64_t futex_wake_op(struct futex_call *futex)
{
    struct mm *mm = futex->call->mm;
    struct futex_key key, key2;
    uint32_t *word2 = NULL;
    uint64_t frame;
    uint32_t count;
    bool is_true;

    if ((futex->addr & 3) || (futex->addr2 & 3))
        return -EINVAL;
    if (!futex_get(futex, futex->addr, &key) ||
        !futex_get(futex, futex->addr2, &key2))
        return -EFAULT;
    if (mm_fault(mm, futex->addr2, MM_WRITE) == MM_OK)
        word2 = uaccess_word(mm, futex->addr2, MM_WRITE, &frame);
    if (!word2)
        return -EFAULT;
    if (!futex_apply(futex->value3, word2, &is_true))
        return -ENOSYS;
    count = futex_wake_key(futex->call->kernel, &key, futex->value,
                           FUTEX_BITSET_MATCH_ANY);
    if (is_true)
        count += futex_wake_key(futex->call->kernel, &key2, futex->value2,
                                FUTEX_BITSET_MATCH_ANY);
    return count;
}

static int64_t futex_dispatch(struct futex_call *futex)
{
    switch (futex->op) {
    case FUTEX_WAIT:
        return futex_wait(futex, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
        return futex_wait(futex, futex->value3);
    case FUTEX_WAKE:
        return futex_wake(futex, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(futex, futex->value3);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(futex);
    case FUTEX_WAKE_OP:
        return futex_wake_op(futex);
    default: /* priority inheritance */
        return -ENOSYS;
    }
}

/* FUTEX_WAIT's time is relative, the others' are absolute. */
static int futex_deadline(struct futex_call *futex, enum time_format format)
{
    struct syscall *call = futex->call;
    bool is_wall = (call->arg[1] & FUTEX_CLOCK_REALTIME) != 0;
    bool is_absolute = futex->op != FUTEX_WAIT;
    bool waits = futex->op == FUTEX_WAIT || futex->op == FUTEX_WAIT_BITSET;
    uint64_t ns;
    int error;

    futex->deadline = TICK_MAX;
    if (!waits || !call->arg[3])
        return 0;
    error = timer_read_time(call->mm, call->arg[3], format, &ns);
    if (error)
        return error;
    futex->deadline = timer_deadline(
        call->kernel, ns,
        is_absolute ? is_wall ? TIMER_WALL : TIMER_SINCE_BOOT : TIMER_RELATIVE);
    return 0;
}

static int64_t futex_call_any(struct syscall *call, enum time_format format)
{
    struct futex_call futex = {
        .call = call,
        .addr = call->arg[0],
        .op = (uint32_t)call->arg[1] & (uint32_t)FUTEX_CMD_MASK,
        .flags = (uint32_t)call->arg[1] & ~(uint32_t)FUTEX_CMD_MASK,
        .value = (uint32_t)call->arg[2],
        .value2 = (uint32_t)call->arg[3],
        .addr2 = call->arg[4],
        .value3 = (uint32_t)call->arg[5],
    };
    int error = futex_deadline(&futex, format);

    return error ? error : futex_dispatch(&futex);
}

static int64_t sys_futex(struct syscall *call)
{
    return futex_call_any(call, TIME_SPEC64);
}

static int64_t sys_futex_32(struct syscall *call)
{
    return futex_call_any(call, TIME_SPEC32);
}

/* ---------------------------------------------------------------- robust lists
 */

static int64_t sys_set_robust_list(struct syscall *call)
{
    if (call->arg[1] != (call->is_32 ? 12 : 24))
        return -EINVAL;
    call->thread->robust_list = call->arg[0];
    return 0;
}

static int64_t sys_get_robust_list(struct syscall *call)
{
    uint32_t tid = (uint32_t)call->arg[0];
    const struct thread *thread =
        tid ? kernel_find_thread(call->kernel, tid) : call->thread;
    const uint64_t wide[2] = {thread ? thread->robust_list : 0, 24};
    const uint32_t narrow[2] = {(uint32_t)wide[0], 12};

    if (!thread)
        return -ESRCH;
    if (call->is_32 ? uaccess_put(call->mm, call->arg[1], narrow[0]) ||
                          uaccess_put(call->mm, call->arg[2], narrow[1])
                    : uaccess_put(call->mm, call->arg[1], wide[0]) ||
                          uaccess_put(call->mm, call->arg[2], wide[1]))
        return -EFAULT;
    return 0;
}

static void futex_owner_died(struct thread *thread, uint64_t addr)
{
    struct mm *mm = thread->process->mm;
    uint64_t frame;
    uint32_t *word;

    if ((addr & 3) || mm_fault(mm, addr, MM_WRITE) != MM_OK)
        return;
    word = uaccess_word(mm, addr, MM_WRITE, &frame);
    if (!word || (*word & FUTEX_TID_MASK) != thread->tid)
        return;
    *word = (*word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    (void)futex_wake_addr(thread->process->kernel, mm, addr, 1);
}

/* A pointer or signed offset of the program's class. */
static int futex_read_long(const struct thread *thread, uint64_t addr,
                           uint64_t *out)
{
    struct mm *mm = thread->process->mm;
    int32_t narrow;

    if (!thread->process->is_32)
        return uaccess_read(mm, addr, out, sizeof(*out));
    if (uaccess_get(mm, addr, narrow))
        return -EFAULT;
    *out = (uint64_t)(int64_t)narrow;
    return 0;
}

/* Bit 0 of a pointer marks a lock with priority inheritance. */
static uint64_t futex_robust_entry(const struct thread *thread, uint64_t value)
{
    value &= ~UINT64_C(1);
    return thread->process->is_32 ? (uint32_t)value : value;
}

static uint64_t futex_robust_word(const struct thread *thread, uint64_t entry,
                                  uint64_t offset)
{
    return futex_robust_entry(thread, entry) + offset;
}

/* Source: get_robust_list(2), and robust futexes in the kernel's
 * documentation of locking. */
void futex_exit_robust(struct thread *thread)
{
    enum { MAX_LOCKS = 2048 };
    unsigned size = thread->process->is_32 ? 4 : 8;
    uint64_t list = thread->robust_list;
    uint64_t at, offset, pending; /* struct robust_list_head */

    if (!list || !thread->process->mm || futex_read_long(thread, list, &at) ||
        futex_read_long(thread, list + size, &offset) ||
        futex_read_long(thread, list + 2 * size, &pending))
        return;
    pending = futex_robust_entry(thread, pending);
    for (int i = 0; i < MAX_LOCKS && futex_robust_entry(thread, at) != list;
         i++) {
        uint64_t entry = futex_robust_entry(thread, at);

        if (futex_read_long(thread, entry, &at))
            return;
        if (entry != pending)
            futex_owner_died(thread, futex_robust_word(thread, entry, offset));
    }
    if (pending)
        futex_owner_died(thread, futex_robust_word(thread, pending, offset));
}

const struct syscall_row futex_rows[] = {
    SYSCALL_ROW_BOTH(futex, "pdxpxx"),
    SYSCALL_ROW_32(futex_time64, "pdxpxx", sys_futex),
    SYSCALL_ROW(set_robust_list, "pu"),
    SYSCALL_ROW(get_robust_list, "dpp"),
    SYSCALL_END,
};
