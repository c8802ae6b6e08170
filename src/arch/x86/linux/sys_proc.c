/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes and threads: clone, exec, exit, wait. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "arch/x86/linux/exec.h"
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/linux/segment.h"
#include "arch/x86/linux/sys_path.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "arch/x86/linux/usage.h"
#include "base/alloc.h"

/* ---------------------------------------------------------------------- clone
 */

struct clone_request {
    uint64_t flags; /* CLONE_* without the exit signal */
    uint32_t exit_signal;
    uint64_t stack; /* 0: the parent's */
    uint64_t parent_tid, child_tid, tls;
};

#define CLONE_UNSUPPORTED                                                      \
    ((uint64_t)(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |    \
                CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_PIDFD |  \
                CLONE_PTRACE))

static int clone_check(const struct clone_request *request)
{
    uint64_t flags = request->flags;

    if (flags & CLONE_UNSUPPORTED)
        return flags & CLONE_PIDFD ? -EINVAL : -EPERM;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    return 0;
}

static struct process *clone_process(struct syscall *call,
                                     const struct clone_request *request)
{
    struct process *parent = call->process, *child;
    uint64_t flags = request->flags;
    struct mm *mm = flags & CLONE_VM ? mm_get(parent->mm) : mm_fork(parent->mm);

    if (!mm || (!(flags & CLONE_VM) && !kernel_map_pages(call->kernel, mm))) {
        mm_put(mm);
        return NULL;
    }
    child = process_create(call->kernel, parent);
    if (flags & CLONE_PARENT)
        child->parent = parent->parent;
    child->mm = mm;
    child->files = flags & CLONE_FILES ? fd_table_get(parent->files)
                                       : fd_table_copy(parent->files);
    if (flags & CLONE_FS) {
        child->fs = parent->fs;
        child->fs->refs++;
    } else {
        child->fs = process_fs_copy(parent->fs);
    }
    if (flags & CLONE_SIGHAND) {
        child->handlers = parent->handlers;
        child->handlers->refs++;
    } else {
        child->handlers = signal_handlers_copy(parent->handlers);
    }
    child->exit_signal = request->exit_signal;
    call->kernel->num_forks++;
    return child;
}

/* Source: sched(7), "Resetting scheduling policy for child processes". */
static void clone_policy(struct thread *child, const struct thread *parent)
{
    child->nice = parent->nice;
    child->policy = parent->policy;
    child->rt_priority = parent->rt_priority;
    if (!parent->resets_on_fork)
        return;
    if (parent->rt_priority)
        child->policy = SCHED_OTHER;
    if (parent->rt_priority || parent->nice < 0)
        child->nice = 0;
    child->rt_priority = 0;
}

static void clone_registers(struct syscall *call, struct thread *child,
                            const struct clone_request *request)
{
    x86_core_sync(call->cpu->core);
    *child->state = *x86_core_state(call->cpu->core);
    child->state->gpr[X86_RAX] = 0;
    if (request->stack)
        child->state->gpr[X86_RSP] = request->stack;
    if ((request->flags & CLONE_SETTLS) && !call->is_32)
        child->state->seg[X86_FS].base = request->tls;
    memcpy(child->tls, call->thread->tls, sizeof(child->tls));
    clone_policy(child, call->thread);
}

/* 32-bit programs give a descriptor instead of an address. */
static int clone_tls_32(struct syscall *call, struct thread *child,
                        const struct clone_request *request)
{
    if (!(request->flags & CLONE_SETTLS) || !call->is_32)
        return 0;
    return segment_set_tls(child, call->mm, request->tls);
}

static void clone_tids(struct syscall *call, struct thread *child,
                       const struct clone_request *request)
{
    uint64_t flags = request->flags;

    /* As in Linux, an address that cannot be written is not an error. */
    if ((flags & CLONE_PARENT_SETTID) &&
        uaccess_put(call->mm, request->parent_tid, child->tid))
        flags &= ~(uint64_t)CLONE_PARENT_SETTID;
    if ((flags & CLONE_CHILD_SETTID) &&
        uaccess_put(child->process->mm, request->child_tid, child->tid))
        flags &= ~(uint64_t)CLONE_CHILD_SETTID;
    if (flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = request->child_tid;
}

static struct thread *clone_start(struct syscall *call, struct process *process,
                                  const struct clone_request *request)
{
    struct thread *child = thread_create(process);

    clone_registers(call, child, request);
    child->sigmask = call->thread->sigmask;
    memcpy(child->comm, call->thread->comm, sizeof(child->comm));
    memcpy(child->affinity, call->thread->affinity, sizeof(child->affinity));
    if (!(request->flags & CLONE_VM) || (request->flags & CLONE_VFORK)) {
        child->altstack = call->thread->altstack;
        child->altstack_size = call->thread->altstack_size;
        child->altstack_flags = call->thread->altstack_flags;
    }
    if (!(request->flags & CLONE_VM)) {
        child->rseq = call->thread->rseq;
        child->rseq_len = call->thread->rseq_len;
        child->rseq_signature = call->thread->rseq_signature;
    }
    clone_tids(call, child, request);
    child->last_cpu = call->cpu->index;
    return child;
}

/* The second execution of a vfork: the child has gone its way. */
static int64_t clone_vfork_done(struct syscall *call)
{
    const struct process *child = kernel_find_process(
        call->kernel, (uint32_t)call->thread->wait.progress);

    if (child && child->vfork_waits)
        return syscall_wait(call, child, TICK_MAX) == SYSCALL_WAITS
                   ? SYSCALL_WAITS
                   : (int64_t)call->thread->wait.progress;
    return (int64_t)call->thread->wait.progress;
}

static int64_t clone_any(struct syscall *call,
                         const struct clone_request *request)
{
    struct process *process = call->process;
    struct thread *child;
    int64_t tid;
    int error = clone_check(request);

    if (call->thread->wait.progress)
        return clone_vfork_done(call);
    if (!error)
        error = rlimit_check_fork(process);
    if (error)
        return error;
    if (!(request->flags & CLONE_THREAD)) {
        process = clone_process(call, request);
        if (!process)
            return -ENOMEM;
    }
    child = clone_start(call, process, request);
    if (clone_tls_32(call, child, request)) {
        process_free(process);
        return -EFAULT;
    }
    tid = child->tid;
    if (request->flags & CLONE_VFORK)
        process->vfork_waits = true;
    sched_enqueue(child);
    if (!(request->flags & CLONE_VFORK))
        return tid;
    call->thread->wait.progress = (uint64_t)tid;
    return syscall_wait(call, process, TICK_MAX);
}

/*
 * Namespaces are nobody's to make.  Threads of a process share their files
 * here, so only one that is alone can get files of its own.
 */
static int64_t sys_unshare(struct syscall *call)
{
    const uint64_t own = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                            CLONE_NEWCGROUP;
    struct process *process = call->process;
    uint64_t flags = call->arg[0];

    if (flags & ~(own | spaces))
        return -EINVAL;
    if (flags & spaces)
        return -EPERM;
    if (flags && process->num_threads > 1)
        return -ENOSYS;
    if (flags & CLONE_FS) {
        struct process_fs *fs = process_fs_copy(process->fs);

        process_fs_put(process->fs);
        process->fs = fs;
    }
    if (flags & CLONE_FILES) {
        struct fd_table *files = fd_table_copy(process->files);

        fd_table_put(process->files);
        process->files = files;
    }
    return 0;
}

static int64_t sys_fork(struct syscall *call)
{
    struct clone_request request = {.exit_signal = SIGCHLD};

    return clone_any(call, &request);
}

static int64_t sys_vfork(struct syscall *call)
{
    struct clone_request request = {.flags = CLONE_VFORK | CLONE_VM,
                                    .exit_signal = SIGCHLD};

    return clone_any(call, &request);
}

static int64_t sys_clone(struct syscall *call)
{
    struct clone_request request = {
        .flags = (uint32_t)call->arg[0] & ~(uint64_t)CSIGNAL,
        .exit_signal = (uint32_t)call->arg[0] & CSIGNAL,
        .stack = call->arg[1],
        .parent_tid = call->arg[2],
        .child_tid = call->arg[call->is_32 ? 4 : 3],
        .tls = call->arg[call->is_32 ? 3 : 4],
    };

    /* CLONE_PIDFD shares its bit with the old CLONE_DETACHED. */
    return clone_any(call, &request);
}

static int64_t sys_clone3(struct syscall *call)
{
    struct clone_args args = {0};
    uint64_t size = call->arg[1];
    struct clone_request request;

    if (size < 64 || size > 4096)
        return -EINVAL;
    if (uaccess_read(call->mm, call->arg[0], &args,
                     size < sizeof(args) ? size : sizeof(args)))
        return -EFAULT;
    if (args.set_tid_size || (args.flags & CLONE_INTO_CGROUP))
        return -EINVAL;
    request = (struct clone_request){
        .flags = args.flags & ~(uint64_t)CLONE_CLEAR_SIGHAND,
        .exit_signal = (uint32_t)args.exit_signal,
        .stack = args.stack ? args.stack + args.stack_size : 0,
        .parent_tid = args.parent_tid,
        .child_tid = args.child_tid,
        .tls = args.tls,
    };
    return clone_any(call, &request);
}

/* ----------------------------------------------------------------------- exec
 */

static void exec_free_strings(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        mem_free(list[i]);
    mem_free(list);
}

/* A vector of strings; NULL counts as empty. */
static int exec_read_strings(struct syscall *call, uint64_t addr, char ***out)
{
    enum { MAX_STRING = 131072 };
    uint64_t width = call->is_32 ? 4 : 8;
    size_t count = 0, room = 16;
    char **list = alloc_zeroed(room, sizeof(*list));
    int error = 0;

    while (addr && !error) {
        uint64_t string = 0;

        error = uaccess_read(call->mm, addr + count * width, &string, width);
        if (error || !string)
            break;
        if (count + 2 > room) {
            room *= 2;
            list = alloc_resize(list, room, sizeof(*list));
        }
        error = count > EXEC_MAX_ARGS
                    ? -E2BIG
                    : uaccess_str(call->mm, string, MAX_STRING, &list[count]);
        if (!error)
            list[++count] = NULL;
    }
    if (error) {
        list[count] = NULL;
        exec_free_strings(list);
        return error == -ENAMETOOLONG ? -E2BIG : error;
    }
    *out = list;
    return 0;
}

static int64_t exec_with(struct syscall *call, const char *path,
                         const char *base, const uint64_t lists[2])
{
    struct exec_request request = {.path = path, .base = base};
    char why[EXEC_WHY_SIZE];
    int error = exec_read_strings(call, lists[0], &request.argv);

    if (error)
        return error;
    error = exec_read_strings(call, lists[1], &request.envp);
    if (!error)
        error = exec_program(call->cpu, call->thread, &request, why);
    exec_free_strings(request.argv);
    exec_free_strings(request.envp);
    return error ? error : SYSCALL_NO_RESULT;
}

static int64_t sys_execve(struct syscall *call)
{
    char *path;
    int64_t result = uaccess_str(call->mm, call->arg[0], VFS_PATH_MAX, &path);

    if (result)
        return result;
    result = exec_with(call, path, call->process->fs->cwd, &call->arg[1]);
    mem_free(path);
    return result;
}

static int64_t sys_execveat(struct syscall *call)
{
    struct vfs_node *node = alloc_zeroed(1, sizeof(*node));
    const struct file *file = syscall_file(call, call->arg[0]);
    char first = 0;
    int64_t result = uaccess_get(call->mm, call->arg[1], first);

    if (!result && !first && (call->arg[4] & AT_EMPTY_PATH))
        result =
            file ? exec_with(call, file->path, "/", &call->arg[2]) : -EBADF;
    else if (!result)
        result = syscall_lookup(
            call, call->arg[0], call->arg[1],
            call->arg[4] & AT_SYMLINK_NOFOLLOW ? 0 : VFS_FOLLOW, node);
    if (!result && first)
        result = exec_with(call, node->path, "/", &call->arg[2]);
    mem_free(node);
    return result;
}

/* ----------------------------------------------------------------------- exit
 */

static int64_t sys_exit(struct syscall *call)
{
    thread_exit(call->thread, (int32_t)((call->arg[0] & 0xff) << 8));
    return SYSCALL_WAITS;
}

static int64_t sys_exit_group(struct syscall *call)
{
    process_exit(call->process, (int32_t)((call->arg[0] & 0xff) << 8));
    return SYSCALL_WAITS;
}

/* ----------------------------------------------------------------------- wait
 */

struct wait_request {
    int which; /* P_ALL, P_PID, P_PGID */
    uint32_t id;
    uint32_t options;
};

static bool wait_matches(const struct syscall *call,
                         const struct process *child,
                         const struct wait_request *request)
{
    if (child->parent != call->process)
        return false;
    if (!(request->options & __WALL) &&
        (child->exit_signal == SIGCHLD) != !(request->options & __WCLONE))
        return false;
    if (request->which == P_PID)
        return child->pid == request->id;
    if (request->which == P_PGID)
        return child->pgid == request->id;
    return true;
}

static bool wait_is_ready(const struct process *child, uint32_t options)
{
    if (child->is_zombie)
        return (options & WEXITED) != 0;
    if (!child->has_status)
        return false;
    return child->is_stopped ? (options & WSTOPPED) != 0
                             : (options & WCONTINUED) != 0;
}

/* The child to tell about. Returns: 0 with @out set, -ECHILD, or -EAGAIN. */
static int wait_find(const struct syscall *call,
                     const struct wait_request *request, struct process **out)
{
    int error = -ECHILD;

    for (struct process *p = call->kernel->processes; p; p = p->next) {
        if (!wait_matches(call, p, request))
            continue;
        error = -EAGAIN;
        if (wait_is_ready(p, request->options)) {
            *out = p;
            return 0;
        }
    }
    return error;
}

static void wait_done(struct process *child, uint32_t options)
{
    if (options & WNOWAIT)
        return;
    if (child->is_zombie)
        process_reap(child);
    else
        child->has_status = false;
}

static int64_t wait_usage(struct syscall *call, uint64_t addr,
                          const struct process *child)
{
    const struct usage own = usage_of(child, RUSAGE_SELF);
    const struct usage below = usage_of(child, RUSAGE_CHILDREN);
    const struct usage both = {
        .ticks = own.ticks + below.ticks,
        .min_faults = own.min_faults + below.min_faults,
        .max_resident = own.max_resident > below.max_resident
                            ? own.max_resident
                            : below.max_resident,
    };

    return addr ? usage_put(call, addr, &both) : 0;
}

static int64_t sys_wait4(struct syscall *call)
{
    int pid = (int)call->arg[0];
    struct wait_request request = {
        .which = pid == -1 ? P_ALL
                 : pid > 0 ? P_PID
                           : P_PGID,
        .id = pid > 0    ? (uint32_t)pid
              : pid == 0 ? call->process->pgid
                         : (uint32_t)-pid,
        .options = (uint32_t)call->arg[2] | WEXITED,
    };
    struct process *child;
    int64_t result = wait_find(call, &request, &child);
    int32_t status;

    if (result == -EAGAIN)
        return request.options & WNOHANG
                   ? 0
                   : syscall_wait(call, call->process, TICK_MAX);
    if (result)
        return result;
    status = child->status;
    result = child->pid;
    if (call->arg[1] && uaccess_put(call->mm, call->arg[1], status))
        return -EFAULT;
    if (wait_usage(call, call->arg[3], child))
        return -EFAULT;
    wait_done(child, request.options);
    return result;
}

static int64_t sys_waitpid(struct syscall *call)
{
    call->arg[3] = 0;
    return sys_wait4(call);
}

static void wait_info(const struct process *child, struct signal_info *info)
{
    info->signo = SIGCHLD;
    info->pid = child->pid;
    info->uid = child->ids.user[ID_REAL];
    if (!child->is_zombie) {
        info->code = child->is_stopped ? CLD_STOPPED : CLD_CONTINUED;
        info->status = child->is_stopped ? WSTOPSIG(child->status) : SIGCONT;
    } else if (WIFEXITED(child->status)) {
        info->code = CLD_EXITED;
        info->status = WEXITSTATUS(child->status);
    } else {
        info->code = WCOREDUMP(child->status) ? CLD_DUMPED : CLD_KILLED;
        info->status = WTERMSIG(child->status);
    }
}

static int64_t sys_waitid(struct syscall *call)
{
    struct wait_request request = {.which = (int)call->arg[0],
                                   .id = (uint32_t)call->arg[1],
                                   .options = (uint32_t)call->arg[3]};
    struct signal_info info = {0};
    uint8_t raw[SIGINFO_SIZE];
    struct process *child = NULL;
    int64_t result;

    if (!(request.options & (WEXITED | WSTOPPED | WCONTINUED)) ||
        request.which > P_PGID)
        return -EINVAL;
    if (request.which == P_PGID && !request.id)
        request.id = call->process->pgid;
    result = wait_find(call, &request, &child);
    if (result == -EAGAIN && !(request.options & WNOHANG))
        return syscall_wait(call, call->process, TICK_MAX);
    if (result && result != -EAGAIN)
        return result;
    if (child)
        wait_info(child, &info);
    if (call->is_32)
        signal_info_encode_32(&info, raw);
    else
        signal_info_encode(&info, raw);
    if (call->arg[2] && uaccess_put(call->mm, call->arg[2], raw))
        return -EFAULT;
    if (child) {
        if (wait_usage(call, call->arg[4], child))
            return -EFAULT;
        wait_done(child, request.options);
    }
    return 0;
}

const struct syscall_row sys_proc_rows[] = {
    SYSCALL_ROW(unshare, "x"),
    SYSCALL_ROW(fork, ""),
    SYSCALL_ROW(vfork, ""),
    SYSCALL_ROW(clone, "xpppp"),
    SYSCALL_ROW(clone3, "pu"),
    SYSCALL_ROW(execve, "spp"),
    SYSCALL_ROW(execveat, "dsppx"),
    SYSCALL_ROW(exit, "d"),
    SYSCALL_ROW(exit_group, "d"),
    SYSCALL_ROW(wait4, "dpxp"),
    SYSCALL_ROW_32(waitpid, "dpx", sys_waitpid),
    SYSCALL_ROW(waitid, "ddpxp"),
    SYSCALL_END,
};
