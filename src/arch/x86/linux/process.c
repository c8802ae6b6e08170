/* SPDX-License-Identifier: BSD-3-Clause */
/* Birth and death of processes and threads. */
#include "arch/x86/linux/process.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/futex.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"
#include "base/log.h"

/* ------------------------------------------------------------------- creation
 */

struct process_fs *process_fs_copy(const struct process_fs *fs)
{
    struct process_fs *copy = alloc_zeroed(1, sizeof(*copy));

    copy->refs = 1;
    copy->cwd = alloc_strdup(fs ? fs->cwd : "/");
    copy->umask = fs ? fs->umask : 022;
    return copy;
}

void process_fs_put(struct process_fs *fs)
{
    if (!fs || --fs->refs)
        return;
    mem_free(fs->cwd);
    mem_free(fs);
}

static const uint64_t default_rlimits[NUM_RLIMITS][2] = {
    [RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_STACK] = {8 << 20,       RLIM_INFINITY},
    [RLIMIT_CORE] = {0,             RLIM_INFINITY},
    [RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_NPROC] = {32768,         32768        },
    [RLIMIT_NOFILE] = {1024,          1048576      },
    [RLIMIT_MEMLOCK] = {8 << 20,       8 << 20      },
    [RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
    [RLIMIT_SIGPENDING] = {32768,         32768        },
    [RLIMIT_MSGQUEUE] = {819200,        819200       },
    [RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
};

enum { DEFAULT_TIMERSLACK_NS = 50000 };

void process_set_groups(struct process *process, const uint64_t *groups,
                        uint32_t count)
{
    mem_free(process->groups);
    process->groups = alloc_zeroed((size_t)count + 1, sizeof(*groups));
    if (count)
        memcpy(process->groups, groups, count * sizeof(*groups));
    process->num_groups = count;
}

static void process_inherit(struct process *process,
                            const struct process *parent)
{
    process->pgid = parent->pgid;
    process->sid = parent->sid;
    process->ids = parent->ids;
    process_set_groups(process, parent->groups, parent->num_groups);
    process->has_groups = parent->has_groups;
    process->is_32 = parent->is_32;
    process->personality = parent->personality;
    process->exe = parent->exe ? alloc_strdup(parent->exe) : NULL;
    memcpy(process->rlimits, parent->rlimits, sizeof(process->rlimits));
    memcpy(process->settings, parent->settings, sizeof(process->settings));
}

struct process *process_create(struct kernel *kernel, struct process *parent)
{
    struct process *process = alloc_zeroed(1, sizeof(*process));

    process->kernel = kernel;
    process->parent = parent;
    process->pid = kernel_new_pid(kernel);
    process->pgid = process->sid = process->pid;
    process->exit_signal = SIGCHLD;
    timer_init_process(process);
    process->start = kernel_now(kernel);
    memcpy(process->rlimits, default_rlimits, sizeof(process->rlimits));
    process->settings[SETTING_DUMPABLE] = 1;
    process->settings[SETTING_TIMERSLACK] = DEFAULT_TIMERSLACK_NS;
    if (parent)
        process_inherit(process, parent);
    rlimit_arm_cpu(process);
    process->next = kernel->processes;
    kernel->processes = process;
    return process;
}

static void thread_wait_expired(struct ktimer *timer, tick_t now)
{
    struct thread *thread = SIM_CONTAINER_OF(timer, struct thread, wait_timer);

    (void)now;
    futex_cancel(thread);
    sched_wake(thread, WAKE_TIMER);
}

struct thread *thread_create(struct process *process)
{
    enum { STATE_ALIGN = 64 };
    struct thread *thread = alloc_zeroed(1, sizeof(*thread));
    struct thread **link = &process->threads;

    thread->process = process;
    thread->tid =
        process->threads ? kernel_new_pid(process->kernel) : process->pid;
    thread->state_block =
        alloc_zeroed(1, sizeof(struct x86_state) + STATE_ALIGN);
    thread->state = (struct x86_state *)(((uintptr_t)thread->state_block +
                                          STATE_ALIGN - 1) &
                                         ~(uintptr_t)(STATE_ALIGN - 1));
    memset(thread->affinity, 0xff, sizeof(thread->affinity));
    thread->altstack_flags = SS_DISABLE;
    thread->wait_timer.fire = thread_wait_expired;
    thread->run_state = THREAD_WAITING;
    while (*link)
        link = &(*link)->next;
    *link = thread;
    process->num_threads++;
    process->kernel->num_threads++;
    return thread;
}

/* ----------------------------------------------------------------------- end
 */

/* Tell who waits for the thread's end: CLONE_CHILD_CLEARTID, robust locks. */
static void thread_clear_tid(struct thread *thread)
{
    uint32_t zero = 0;

    futex_exit_robust(thread);
    if (!thread->clear_child_tid || !thread->process->mm)
        return;
    if (!uaccess_put(thread->process->mm, thread->clear_child_tid, zero))
        (void)futex_wake_addr(thread->process->kernel, thread->process->mm,
                              thread->clear_child_tid, 1);
}

static void thread_free(struct thread *thread)
{
    struct process *process = thread->process;
    struct thread **link = &process->threads;

    sched_leave(thread, THREAD_DEAD);
    futex_cancel(thread);
    file_put(thread->wait.opening);
    ktimer_cancel(&process->kernel->timers, &thread->wait_timer);
    process->run_ticks += thread->run_ticks;
    if (thread->cpu && thread->cpu->loaded == thread)
        thread->cpu->loaded = NULL;
    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
    process->num_threads--;
    process->kernel->num_threads--;
    signal_set_clear(&thread->pending);
    mem_free(thread->state_block);
    mem_free(thread);
}

static void process_drop_resources(struct process *process)
{
    struct fd_table *files = process->files;
    struct mm *mm = process->mm;

    timer_drop_all(process);
    process->max_resident = process_max_resident(process);
    process->files = NULL;
    process->mm = NULL;
    fd_table_put(files);
    process_fs_put(process->fs);
    process->fs = NULL;
    mm_put(mm);
}

void process_free(struct process *process)
{
    struct process **link = &process->kernel->processes;

    while (process->threads)
        thread_free(process->threads);
    process_drop_resources(process);
    signal_handlers_put(process->handlers);
    signal_set_clear(&process->pending);
    while (*link != process) {
        SIM_ASSERT(*link);
        link = &(*link)->next;
    }
    *link = process->next;
    for (struct process *p = process->kernel->processes; p; p = p->next) {
        if (p->parent == process)
            p->parent = NULL;
    }
    mem_free(process->groups);
    mem_free(process->exe);
    mem_free(process);
}

static uint64_t max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void process_reap(struct process *process)
{
    struct process *parent = process->parent;

    if (parent) {
        parent->child_ticks += process->run_ticks + process->child_ticks;
        parent->child_faults += process->min_faults + process->child_faults;
        parent->child_max_resident =
            max(parent->child_max_resident,
                max(process->max_resident, process->child_max_resident));
    }
    process_free(process);
}

void process_release_vfork(struct process *process)
{
    if (!process->vfork_waits)
        return;
    process->vfork_waits = false;
    kernel_wake(process->kernel, process);
}

void process_notify_parent(struct process *process, int code, int status)
{
    struct signal_info info = {.signo = SIGCHLD,
                               .code = code,
                               .pid = process->pid,
                               .uid = process->ids.user[ID_REAL],
                               .status = status};
    struct process *parent = process->parent;

    if (!parent)
        return;
    if (code != CLD_STOPPED && code != CLD_CONTINUED)
        info.signo = (int32_t)process->exit_signal;
    if (info.signo)
        signal_send_process(parent, &info);
    kernel_wake(process->kernel, parent);
}

/* The parent does not want to hear of it. */
static bool process_is_unwanted(const struct process *process)
{
    const struct process *parent = process->parent;
    const struct signal_action *action;

    if (!parent || parent->is_zombie)
        return true;
    if (process->exit_signal != SIGCHLD)
        return false;
    action = &parent->handlers->action[SIGCHLD];
    return action->handler == (uintptr_t)SIG_IGN ||
           (action->flags & SA_NOCLDWAIT);
}

static void process_orphan_children(struct process *process)
{
    struct process *next;

    for (struct process *p = process->kernel->processes; p; p = next) {
        next = p->next;
        if (p->parent != process)
            continue;
        p->parent = NULL;
        if (p->death_signal && !p->is_zombie) {
            struct signal_info info = {.signo = (int32_t)p->death_signal};

            signal_send_process(p, &info);
        }
        if (p->is_zombie && p != process)
            process_free(p);
    }
}

static void process_last_thread_gone(struct process *process)
{
    struct kernel *kernel = process->kernel;
    int code = WIFEXITED(process->status)   ? CLD_EXITED
               : WCOREDUMP(process->status) ? CLD_DUMPED
                                            : CLD_KILLED;

    if (process == kernel->first_process) {
        kernel->first_process = NULL;
        kernel->exit_code = process_shell_status(process->status);
    }
    process->is_zombie = true;
    process_drop_resources(process);
    process_release_vfork(process);
    process_orphan_children(process);
    process_notify_parent(process, code,
                          WIFEXITED(process->status)
                              ? WEXITSTATUS(process->status)
                              : WTERMSIG(process->status));
    if (process_is_unwanted(process)) {
        struct process *parent = process->parent;

        process_reap(process);
        if (parent)
            kernel_wake(kernel, parent);
    }
    if (!kernel->num_threads && !kernel->is_over) {
        kernel->is_over = true;
        if (kernel->cfg.host.exit)
            kernel->cfg.host.exit(kernel->cfg.host.ctx,
                                  "exiting with last active thread context",
                                  kernel->exit_code);
    }
}

void thread_exit(struct thread *thread, int32_t status)
{
    struct process *process = thread->process;

    if (process->num_threads == 1 && !process->is_exiting)
        process->status = status;
    thread_clear_tid(thread);
    thread_free(thread);
    if (!process->num_threads)
        process_last_thread_gone(process);
}

void process_exit(struct process *process, int32_t status)
{
    if (!process->is_exiting)
        process->status = status;
    process->is_exiting = true;
    while (process->num_threads > 1) {
        futex_exit_robust(process->threads->next);
        thread_free(process->threads->next);
    }
    if (process->threads)
        thread_exit(process->threads, status);
}

void process_kill_others(struct process *process, struct thread *survivor)
{
    struct thread *next;

    for (struct thread *t = process->threads; t; t = next) {
        next = t->next;
        if (t == survivor)
            continue;
        futex_exit_robust(t);
        thread_free(t);
    }
    survivor->tid = process->pid;
}

/* ------------------------------------------------------------------- accounts
 */

uint64_t thread_run_ticks(const struct thread *thread)
{
    uint64_t ticks = thread->run_ticks;

    if (thread->run_state == THREAD_RUNNING)
        ticks += thread->cpu->now(thread->cpu) - thread->run_since;
    return ticks;
}

uint64_t process_run_ticks(const struct process *process)
{
    uint64_t ticks = process->run_ticks;

    for (const struct thread *t = process->threads; t; t = t->next)
        ticks += thread_run_ticks(t);
    return ticks;
}

uint64_t process_max_resident(const struct process *process)
{
    return max(process->max_resident,
               process->mm ? process->mm->max_resident : 0);
}

int process_shell_status(int32_t status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
