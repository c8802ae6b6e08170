/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/signal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include "arch/x86/linux/crash.h"
#include "arch/x86/linux/futex.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/rseq.h"
#include "arch/x86/linux/syscall.h"
#include "base/alloc.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum signal_default { BY_DEATH, BY_CORE, BY_STOP, BY_NOTHING };

static enum signal_default signal_default_of(int sig)
{
    switch (sig) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
        return BY_NOTHING;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return BY_STOP;
    case SIGQUIT:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
        return BY_CORE;
    default:
        return BY_DEATH;
    }
}

const char *signal_name(int sig)
{
    const char *name = sigabbrev_np(sig);

    return name ? name : "RT";
}

/* -------------------------------------------------------------------- handlers
 */

struct signal_handlers *signal_handlers_create(void)
{
    struct signal_handlers *handlers = alloc_zeroed(1, sizeof(*handlers));

    handlers->refs = 1;
    return handlers;
}

struct signal_handlers *
signal_handlers_copy(const struct signal_handlers *handlers)
{
    struct signal_handlers *copy = signal_handlers_create();

    memcpy(copy->action, handlers->action, sizeof(copy->action));
    return copy;
}

void signal_handlers_put(struct signal_handlers *handlers)
{
    if (handlers && --handlers->refs == 0)
        mem_free(handlers);
}

void signal_handlers_reset(struct signal_handlers *handlers)
{
    for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
        struct signal_action *action = &handlers->action[sig];
        uint64_t handler = action->handler;

        memset(action, 0, sizeof(*action));
        if (handler == (uintptr_t)SIG_IGN)
            action->handler = handler;
    }
}

static bool signal_is_ignored(const struct process *process, int sig)
{
    const struct signal_action *action = &process->handlers->action[sig];

    if (SIGNAL_BIT(sig) & UNBLOCKABLE)
        return false;
    return action->handler == (uintptr_t)SIG_IGN ||
           (action->handler == (uintptr_t)SIG_DFL &&
            signal_default_of(sig) == BY_NOTHING);
}

/* ----------------------------------------------------------------- pending
 * sets */

void signal_set_append(struct signal_set *set, const struct signal_info *info)
{
    struct signal_pending **link = &set->first;
    struct signal_pending *added = alloc_zeroed(1, sizeof(*added));

    added->info = *info;
    while (*link)
        link = &(*link)->next;
    *link = added;
    set->bits |= SIGNAL_BIT(info->signo);
}

static void signal_set_add(struct signal_set *set,
                           const struct signal_info *info)
{
    /* Standard signals do not queue up, real-time ones do. */
    if (!(set->bits & SIGNAL_BIT(info->signo)) || info->signo >= 32)
        signal_set_append(set, info);
}

static bool signal_set_take(struct signal_set *set, int sig,
                            struct signal_info *info)
{
    struct signal_pending **link = &set->first;
    struct signal_pending *taken;
    bool more = false;

    while (*link && (*link)->info.signo != sig)
        link = &(*link)->next;
    taken = *link;
    if (!taken)
        return false;
    *info = taken->info;
    *link = taken->next;
    mem_free(taken);
    for (const struct signal_pending *p = set->first; p; p = p->next)
        more = more || p->info.signo == sig;
    if (!more)
        set->bits &= ~SIGNAL_BIT(sig);
    return true;
}

static void signal_set_remove(struct signal_set *set, uint64_t mask)
{
    struct signal_info info;

    for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
        while ((SIGNAL_BIT(sig) & mask & set->bits) &&
               signal_set_take(set, sig, &info))
            ;
    }
}

void signal_set_clear(struct signal_set *set)
{
    signal_set_remove(set, UINT64_MAX);
}

struct signal_info *signal_find_timer(const struct signal_set *set, int signo,
                                      uint32_t id)
{
    struct signal_pending *pending = set->first;

    while (pending &&
           (pending->info.signo != signo || pending->info.code != SI_TIMER ||
            pending->info.pid != id))
        pending = pending->next;
    return pending ? &pending->info : NULL;
}

uint64_t signal_pending_bits(const struct thread *thread)
{
    return thread->pending.bits | thread->process->pending.bits;
}

bool signal_is_pending(const struct thread *thread)
{
    return (signal_pending_bits(thread) & ~thread->sigmask) != 0;
}

/* Faults first, then in order of the numbers. */
static int signal_next(uint64_t bits)
{
    uint64_t faults =
        bits & (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) |
                SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS));

    if (!bits)
        return 0;
    return __builtin_ctzll(faults ? faults : bits) + 1;
}

bool signal_take(struct thread *thread, uint64_t mask, struct signal_info *info)
{
    int sig = signal_next(thread->pending.bits & mask);

    if (sig)
        return signal_set_take(&thread->pending, sig, info);
    sig = signal_next(thread->process->pending.bits & mask);
    return sig && signal_set_take(&thread->process->pending, sig, info);
}

void signal_discard_ignored(struct thread *thread, int sig)
{
    if (!signal_is_ignored(thread->process, sig))
        return;
    signal_set_remove(&thread->process->pending, SIGNAL_BIT(sig));
    for (struct thread *t = thread->process->threads; t; t = t->next)
        signal_set_remove(&t->pending, SIGNAL_BIT(sig));
}

/* ----------------------------------------------------------------------
 * sending */

/* Let @thread notice: it leaves its call or its core stops. */
static void signal_interrupt(struct thread *thread)
{
    if (thread->run_state == THREAD_WAITING) {
        futex_cancel(thread);
        sched_wake(thread, WAKE_SIGNAL);
    } else if (thread->run_state == THREAD_RUNNING && thread->cpu) {
        x86_core_stop(thread->cpu->core);
    }
}

static void signal_continue(struct process *process)
{
    uint64_t stops = SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) |
                     SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);

    signal_set_remove(&process->pending, stops);
    if (!process->is_stopped)
        return;
    process->is_stopped = false;
    process->has_status = true;
    process->status = 0xffff; /* WIFCONTINUED */
    for (struct thread *t = process->threads; t; t = t->next) {
        if (t->run_state == THREAD_STOPPED)
            sched_enqueue(t);
    }
    process_notify_parent(process, CLD_CONTINUED, SIGCONT);
}

static void signal_prepare(struct process *process, int sig)
{
    if (sig == SIGCONT || sig == SIGKILL)
        signal_continue(process);
    else if (signal_default_of(sig) == BY_STOP)
        signal_set_remove(&process->pending, SIGNAL_BIT(SIGCONT));
}

static bool signal_wants(const struct thread *thread, int sig)
{
    return !(thread->sigmask & SIGNAL_BIT(sig));
}

void signal_send_thread(struct thread *thread, const struct signal_info *info)
{
    if (thread->process->is_zombie)
        return;
    signal_prepare(thread->process, info->signo);
    if (signal_is_ignored(thread->process, info->signo) &&
        signal_wants(thread, info->signo))
        return;
    signal_set_add(&thread->pending, info);
    if (signal_wants(thread, info->signo))
        signal_interrupt(thread);
    else
        kernel_wake(thread->process->kernel, thread); /* sigtimedwait */
}

void signal_send_process(struct process *process,
                         const struct signal_info *info)
{
    struct thread *target = NULL;

    if (process->is_zombie || !process->threads)
        return;
    signal_prepare(process, info->signo);
    for (struct thread *t = process->threads; t; t = t->next) {
        /* One that runs or could run is as good as one that waits. */
        if (signal_wants(t, info->signo) && !target)
            target = t;
    }
    if (target && signal_is_ignored(process, info->signo))
        return;
    signal_set_add(&process->pending, info);
    if (target) {
        signal_interrupt(target);
        return;
    }
    for (struct thread *t = process->threads; t; t = t->next)
        kernel_wake(process->kernel, t);
}

void signal_force(struct thread *thread, const struct signal_info *info)
{
    struct signal_action *action =
        &thread->process->handlers->action[info->signo];

    if ((thread->sigmask & SIGNAL_BIT(info->signo)) ||
        action->handler == (uintptr_t)SIG_IGN) {
        action->handler = (uintptr_t)SIG_DFL;
        thread->sigmask &= ~SIGNAL_BIT(info->signo);
    }
    signal_set_remove(&thread->pending, SIGNAL_BIT(info->signo));
    signal_set_add(&thread->pending, info);
}

/* ---------------------------------------------------------------------
 * delivery */

static void signal_stop(struct thread *thread, int sig)
{
    struct process *process = thread->process;

    process->is_stopped = true;
    process->has_status = true;
    process->status = 0x7f | sig << 8;
    for (struct thread *t = process->threads; t; t = t->next) {
        if (t->run_state == THREAD_RUNNING || t->run_state == THREAD_RUNNABLE)
            sched_leave(t, THREAD_STOPPED);
    }
    process_notify_parent(process, CLD_STOPPED, sig);
}

/* The default action; false if the thread cannot run on. */
static bool signal_act_by_default(struct linux_cpu *cpu, struct thread *thread,
                                  const struct signal_info *info)
{
    struct process *process = thread->process;

    switch (signal_default_of(info->signo)) {
    case BY_NOTHING:
        return true;
    case BY_STOP:
        signal_stop(thread, info->signo);
        return false;
    case BY_CORE:
        crash_report(cpu, thread, info);
        process_exit(process, info->signo);
        return false;
    case BY_DEATH:
    default:
        process_exit(process, info->signo);
        return false;
    }
}

/* An interrupted call ends with EINTR or runs again. */
static void signal_settle_restart(struct linux_cpu *cpu, struct thread *thread,
                                  const struct signal_action *action)
{
    struct x86_state *state = x86_core_state(cpu->core);
    bool again;

    if (!thread->restart)
        return;
    again = !action || (thread->restart == SYSCALL_RESTART &&
                        (action->flags & SA_RESTART));
    if (again) {
        state->rip -= 2; /* SYSCALL and INT 0x80 have two bytes */
        state->gpr[X86_RAX] = thread->call_nr;
    }
    thread->restart = 0;
}

static bool signal_run_handler(struct linux_cpu *cpu, struct thread *thread,
                               const struct signal_info *info)
{
    struct signal_action *action =
        &thread->process->handlers->action[info->signo];
    struct signal_action used = *action;
    bool is_pushed;

    signal_settle_restart(cpu, thread, action);
    rseq_settle(cpu, thread);
    is_pushed = thread->process->is_32 ? sigframe32_push(cpu, thread, info)
                                       : sigframe_push(cpu, thread, info);
    if (!is_pushed) {
        struct signal_info segv = {.signo = SIGSEGV, .code = SI_KERNEL};

        action->handler = (uintptr_t)SIG_DFL;
        return signal_act_by_default(cpu, thread,
                                     info->signo == SIGSEGV ? info : &segv);
    }
    if (used.flags & SA_RESETHAND)
        action->handler = (uintptr_t)SIG_DFL;
    thread->wait.has_saved_mask = false;
    thread->sigmask |= used.mask;
    if (!(used.flags & SA_NODEFER))
        thread->sigmask |= SIGNAL_BIT(info->signo);
    thread->sigmask &= ~UNBLOCKABLE;
    return true;
}

static bool signal_act(struct linux_cpu *cpu, struct thread *thread,
                       const struct signal_info *info)
{
    const struct signal_action *action =
        &thread->process->handlers->action[info->signo];

    if (info->signo == SIGKILL) {
        process_exit(thread->process, SIGKILL);
        return false;
    }
    if (info->signo == SIGSTOP || action->handler == (uintptr_t)SIG_DFL)
        return signal_act_by_default(cpu, thread, info);
    if (action->handler == (uintptr_t)SIG_IGN)
        return true;
    return signal_run_handler(cpu, thread, info);
}

bool signal_deliver(struct linux_cpu *cpu, struct thread *thread)
{
    struct signal_info info;

    while (signal_take(thread, ~thread->sigmask | UNBLOCKABLE, &info)) {
        if (!signal_act(cpu, thread, &info))
            return false;
    }
    signal_settle_restart(cpu, thread, NULL);
    if (thread->wait.has_saved_mask) {
        thread->sigmask = thread->wait.saved_mask;
        thread->wait.has_saved_mask = false;
    }
    return true;
}
