/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals: actions, masks, sending, waiting, returning from handlers. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum { SIGSET_SIZE = 8 };

/* -------------------------------------------------------------------- actions
 */

struct action_64 { /* struct sigaction of the kernel */
    uint64_t handler, flags, restorer, mask;
};
struct action_32 {
    uint32_t handler, flags, restorer, mask[2];
};

static int action_read(const struct syscall *call, uint64_t addr,
                       struct signal_action *action)
{
    struct action_64 wide;
    struct action_32 narrow;

    if (!call->is_32) {
        if (uaccess_get(call->mm, addr, wide))
            return -EFAULT;
        *action = (struct signal_action){wide.handler, wide.flags,
                                         wide.restorer, wide.mask};
        return 0;
    }
    if (uaccess_get(call->mm, addr, narrow))
        return -EFAULT;
    *action =
        (struct signal_action){narrow.handler, narrow.flags, narrow.restorer,
                               narrow.mask[0] | (uint64_t)narrow.mask[1] << 32};
    return 0;
}

static int action_write(const struct syscall *call, uint64_t addr,
                        const struct signal_action *action)
{
    struct action_64 wide = {action->handler, action->flags, action->restorer,
                             action->mask};
    struct action_32 narrow = {
        (uint32_t)action->handler,
        (uint32_t)action->flags,
        (uint32_t)action->restorer,
        {(uint32_t)action->mask, (uint32_t)(action->mask >> 32)}
    };

    return call->is_32 ? uaccess_put(call->mm, addr, narrow)
                       : uaccess_put(call->mm, addr, wide);
}

static int64_t sys_rt_sigaction(struct syscall *call)
{
    int sig = (int)call->arg[0];
    struct signal_action old, new_action;

    if (call->arg[3] != SIGSET_SIZE || sig < 1 || sig > SIGNAL_MAX ||
        (call->arg[1] && (SIGNAL_BIT(sig) & UNBLOCKABLE)))
        return -EINVAL;
    old = call->process->handlers->action[sig];
    if (call->arg[1]) {
        if (action_read(call, call->arg[1], &new_action))
            return -EFAULT;
        new_action.mask &= ~UNBLOCKABLE;
        call->process->handlers->action[sig] = new_action;
        signal_discard_ignored(call->thread, sig);
    }
    if (call->arg[2] && action_write(call, call->arg[2], &old))
        return -EFAULT;
    return 0;
}

/* The i386 call of before real-time signals: another order, short mask. */
static int64_t sys_sigaction_32(struct syscall *call)
{
    int sig = (int)call->arg[0];
    struct signal_action *action;
    uint32_t raw[4], old[4];

    if (sig < 1 || sig > 32 || (SIGNAL_BIT(sig) & UNBLOCKABLE))
        return -EINVAL;
    action = &call->process->handlers->action[sig];
    old[0] = (uint32_t)action->handler;
    old[1] = (uint32_t)action->mask;
    old[2] = (uint32_t)action->flags;
    old[3] = (uint32_t)action->restorer;
    if (call->arg[1]) {
        if (uaccess_get(call->mm, call->arg[1], raw))
            return -EFAULT;
        *action = (struct signal_action){raw[0], raw[2], raw[3], raw[1]};
        signal_discard_ignored(call->thread, sig);
    }
    return call->arg[2] ? uaccess_put(call->mm, call->arg[2], old) : 0;
}

static int64_t sys_signal_32(struct syscall *call)
{
    int sig = (int)call->arg[0];
    struct signal_action *action;
    uint64_t old;

    if (sig < 1 || sig > SIGNAL_MAX || (SIGNAL_BIT(sig) & UNBLOCKABLE))
        return -EINVAL;
    action = &call->process->handlers->action[sig];
    old = action->handler;
    *action = (struct signal_action){
        call->arg[1], (uint64_t)(unsigned)(SA_RESETHAND | SA_NODEFER), 0, 0};
    return (int64_t)old;
}

static int64_t sys_rt_sigprocmask(struct syscall *call)
{
    struct thread *thread = call->thread;
    uint64_t set, old = thread->sigmask;

    if (call->arg[3] != SIGSET_SIZE)
        return -EINVAL;
    if (call->arg[1]) {
        if (uaccess_get(call->mm, call->arg[1], set))
            return -EFAULT;
        set &= ~UNBLOCKABLE;
        switch ((int)call->arg[0]) {
        case SIG_BLOCK:
            thread->sigmask |= set;
            break;
        case SIG_UNBLOCK:
            thread->sigmask &= ~set;
            break;
        case SIG_SETMASK:
            thread->sigmask = set;
            break;
        default:
            return -EINVAL;
        }
    }
    return call->arg[2] ? uaccess_put(call->mm, call->arg[2], old) : 0;
}

static int64_t sys_rt_sigpending(struct syscall *call)
{
    uint64_t bits = signal_pending_bits(call->thread) & call->thread->sigmask;

    return uaccess_put(call->mm, call->arg[0], bits);
}

/* ------------------------------------------------------------------- alt stack
 */

static int64_t sys_set_altstack(struct syscall *call, uint64_t sp,
                                uint32_t flags, uint64_t size)
{
    enum { MIN_STACK = 2048 };
    struct thread *thread = call->thread;
    uint64_t now = sched_state(thread)->gpr[X86_RSP];

    if (!(thread->altstack_flags & SS_DISABLE) &&
        now - thread->altstack < thread->altstack_size)
        return -EPERM;
    if (flags & ~(uint32_t)(SS_DISABLE | SS_ONSTACK | (1U << 31)))
        return -EINVAL;
    if (flags & SS_DISABLE) {
        thread->altstack = thread->altstack_size = 0;
        thread->altstack_flags = SS_DISABLE;
        return 0;
    }
    if (size < MIN_STACK)
        return -ENOMEM;
    thread->altstack = sp;
    thread->altstack_size = size;
    thread->altstack_flags = flags & (1U << 31);
    return 0;
}

static int64_t sys_sigaltstack(struct syscall *call)
{
    const struct thread *thread = call->thread;
    uint64_t sp = sched_state(call->thread)->gpr[X86_RSP];
    bool is_on = !(thread->altstack_flags & SS_DISABLE) &&
                 sp - thread->altstack < thread->altstack_size;
    uint64_t old[3] = {thread->altstack,
                       thread->altstack_flags | (is_on ? SS_ONSTACK : 0U),
                       thread->altstack_size};
    uint32_t narrow[3];
    uint64_t wide[3];

    if (call->arg[0]) {
        int64_t error;

        if (call->is_32) {
            if (uaccess_get(call->mm, call->arg[0], narrow))
                return -EFAULT;
            wide[0] = narrow[0];
            wide[1] = narrow[1];
            wide[2] = narrow[2];
        } else if (uaccess_get(call->mm, call->arg[0], wide)) {
            return -EFAULT;
        }
        error = sys_set_altstack(call, wide[0], (uint32_t)wide[1], wide[2]);
        if (error)
            return error;
    }
    if (!call->arg[1])
        return 0;
    for (int i = 0; i < 3; i++)
        narrow[i] = (uint32_t)old[i];
    return call->is_32 ? uaccess_put(call->mm, call->arg[1], narrow)
                       : uaccess_put(call->mm, call->arg[1], old);
}

/* --------------------------------------------------------------------- sending
 */

static bool kill_matches(const struct syscall *call,
                         const struct process *process, int pid)
{
    if (process->is_zombie && pid <= 0)
        return false;
    if (pid > 0)
        return process->pid == (uint32_t)pid;
    if (pid == 0)
        return process->pgid == call->process->pgid;
    if (pid == -1)
        return process != call->process;
    return process->pgid == (uint32_t)-pid;
}

static int64_t kill_all(struct syscall *call, int pid,
                        const struct signal_info *info)
{
    struct process *self = NULL, *next;
    bool found = false;

    for (struct process *p = call->kernel->processes; p; p = next) {
        next = p->next;
        if (!kill_matches(call, p, pid))
            continue;
        found = true;
        if (p == call->process)
            self = p;
        else if (info->signo)
            signal_send_process(p, info);
    }
    if (self && info->signo)
        signal_send_process(self, info);
    return found ? 0 : -ESRCH;
}

static struct signal_info kill_info(const struct syscall *call, int sig,
                                    int code)
{
    struct signal_info info = {.signo = sig,
                               .code = code,
                               .pid = call->process->pid,
                               .uid = call->process->ids.user[ID_REAL]};

    return info;
}

static int64_t sys_kill(struct syscall *call)
{
    int sig = (int)call->arg[1];
    struct signal_info info = kill_info(call, sig, SI_USER);

    if (sig < 0 || sig > SIGNAL_MAX)
        return -EINVAL;
    return kill_all(call, (int)call->arg[0], &info);
}

static int64_t kill_thread(struct syscall *call, uint32_t pid, uint32_t tid,
                           const struct signal_info *info)
{
    struct thread *thread = kernel_find_thread(call->kernel, tid);

    if (info->signo < 0 || info->signo > SIGNAL_MAX || (int)tid <= 0)
        return -EINVAL;
    if (!thread || (pid && thread->process->pid != pid))
        return -ESRCH;
    if (info->signo)
        signal_send_thread(thread, info);
    return 0;
}

static int64_t sys_tgkill(struct syscall *call)
{
    struct signal_info info = kill_info(call, (int)call->arg[2], SI_TKILL);

    if ((int)call->arg[0] <= 0)
        return -EINVAL;
    return kill_thread(call, (uint32_t)call->arg[0], (uint32_t)call->arg[1],
                       &info);
}

static int64_t sys_tkill(struct syscall *call)
{
    struct signal_info info = kill_info(call, (int)call->arg[1], SI_TKILL);

    return kill_thread(call, 0, (uint32_t)call->arg[0], &info);
}

static int signal_info_get(const struct syscall *call, uint64_t addr, int sig,
                           struct signal_info *info)
{
    uint8_t raw[SIGINFO_SIZE];

    if (uaccess_get(call->mm, addr, raw))
        return -EFAULT;
    signal_info_decode(raw, info);
    info->signo = sig;
    return info->code >= 0 ? -EPERM : 0;
}

static int64_t sys_rt_sigqueueinfo(struct syscall *call)
{
    struct signal_info info;
    int error = signal_info_get(call, call->arg[2], (int)call->arg[1], &info);

    if (error)
        return error;
    if (info.signo < 0 || info.signo > SIGNAL_MAX)
        return -EINVAL;
    return kill_all(call, (int)call->arg[0], &info);
}

static int64_t sys_rt_tgsigqueueinfo(struct syscall *call)
{
    struct signal_info info;
    int error = signal_info_get(call, call->arg[3], (int)call->arg[2], &info);

    if (error)
        return error;
    return kill_thread(call, (uint32_t)call->arg[0], (uint32_t)call->arg[1],
                       &info);
}

/* --------------------------------------------------------------------- waiting
 */

static int64_t sys_pause(struct syscall *call)
{
    int64_t result = syscall_wait(call, &call->thread->wait, TICK_MAX);

    return result == SYSCALL_RESTART ? SYSCALL_RESTART_NO_HANDLER : result;
}

static int64_t sigsuspend_with(struct syscall *call, uint64_t mask)
{
    struct thread *thread = call->thread;

    if (!thread->wait.has_saved_mask) {
        thread->wait.saved_mask = thread->sigmask;
        thread->wait.has_saved_mask = true;
        thread->sigmask = mask & ~UNBLOCKABLE;
    }
    return sys_pause(call);
}

static int64_t sys_rt_sigsuspend(struct syscall *call)
{
    uint64_t mask;

    if (call->arg[1] != SIGSET_SIZE)
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[0], mask))
        return -EFAULT;
    return sigsuspend_with(call, mask);
}

static int64_t sigtimedwait_any(struct syscall *call, enum time_format format)
{
    struct signal_info info;
    tick_t deadline = TICK_MAX;
    uint8_t raw[SIGINFO_SIZE];
    uint64_t set, ns;
    int64_t result;

    if (call->arg[3] != SIGSET_SIZE)
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[0], set))
        return -EFAULT;
    if (call->arg[2]) {
        int error = timer_read_time(call->mm, call->arg[2], format, &ns);

        if (error)
            return error;
        deadline = timer_deadline(call->kernel, ns, TIMER_RELATIVE);
    }
    if (!signal_take(call->thread, set & ~UNBLOCKABLE, &info)) {
        result = syscall_wait(call, call->thread, deadline);
        if (result == -ETIMEDOUT)
            return -EAGAIN;
        return result == SYSCALL_RESTART ? -EINTR : result;
    }
    if (call->is_32)
        signal_info_encode_32(&info, raw);
    else
        signal_info_encode(&info, raw);
    if (call->arg[1] && uaccess_put(call->mm, call->arg[1], raw))
        return -EFAULT;
    return info.signo;
}

static int64_t sys_rt_sigtimedwait(struct syscall *call)
{
    return sigtimedwait_any(call, TIME_SPEC64);
}

static int64_t sys_rt_sigtimedwait_32(struct syscall *call)
{
    return sigtimedwait_any(call, TIME_SPEC32);
}

/* ------------------------------------------------------------------- returning
 */

static int64_t sigreturn_bad(struct syscall *call)
{
    struct signal_info info = {.signo = SIGSEGV, .code = SI_KERNEL};

    signal_force(call->thread, &info);
    return SYSCALL_NO_RESULT;
}

static int64_t sys_rt_sigreturn(struct syscall *call)
{
    return sigframe_pop(call->cpu, call->thread) ? SYSCALL_NO_RESULT
                                                 : sigreturn_bad(call);
}

static int64_t sys_rt_sigreturn_32(struct syscall *call)
{
    return sigframe32_pop(call->cpu, call->thread, SIGFRAME32_RT)
               ? SYSCALL_NO_RESULT
               : sigreturn_bad(call);
}

static int64_t sys_sigreturn_32(struct syscall *call)
{
    return sigframe32_pop(call->cpu, call->thread, SIGFRAME32_OLD)
               ? SYSCALL_NO_RESULT
               : sigreturn_bad(call);
}

/* -------------------------------------------------------------------- signalfd
 */

static int64_t sys_signalfd4(struct syscall *call)
{
    uint32_t flags = (uint32_t)call->arg[3];
    struct file *file;
    uint64_t mask;

    if (call->arg[2] != SIGSET_SIZE ||
        (flags & ~(uint32_t)(SFD_CLOEXEC | SFD_NONBLOCK)))
        return -EINVAL;
    if (uaccess_get(call->mm, call->arg[1], mask))
        return -EFAULT;
    mask &= ~UNBLOCKABLE;
    if ((int)call->arg[0] == -1)
        return fd_table_add(call->process->files,
                            file_signalfd_create(call->kernel, mask, flags), 0,
                            flags);
    file = syscall_file(call, call->arg[0]);
    if (!file)
        return -EBADF;
    if (!file_is_signalfd(file))
        return -EINVAL;
    file_signalfd_set(file, mask);
    return (int64_t)call->arg[0];
}

static int64_t sys_signalfd(struct syscall *call)
{
    call->arg[3] = 0;
    return sys_signalfd4(call);
}

const struct syscall_row sys_signal_rows[] = {
    SYSCALL_ROW(rt_sigaction, "dppu"),
    SYSCALL_ROW_32(sigaction, "dpp", sys_sigaction_32),
    SYSCALL_ROW_32(signal, "dp", sys_signal_32),
    SYSCALL_ROW(rt_sigprocmask, "dppu"),
    SYSCALL_ROW(rt_sigpending, "pu"),
    SYSCALL_ROW(sigaltstack, "pp"),
    SYSCALL_ROW(kill, "dd"),
    SYSCALL_ROW(tgkill, "ddd"),
    SYSCALL_ROW(tkill, "dd"),
    SYSCALL_ROW_64(rt_sigqueueinfo, "ddp"),
    SYSCALL_ROW_64(rt_tgsigqueueinfo, "dddp"),
    SYSCALL_ROW(pause, ""),
    SYSCALL_ROW(rt_sigsuspend, "pu"),
    SYSCALL_ROW_BOTH(rt_sigtimedwait, "pppu"),
    SYSCALL_ROW_BOTH(rt_sigreturn, ""),
    SYSCALL_ROW_32(sigreturn, "", sys_sigreturn_32),
    SYSCALL_ROW(signalfd, "fpu"),
    SYSCALL_ROW(signalfd4, "fpux"),
    SYSCALL_END,
};
