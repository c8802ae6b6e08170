/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes, threads and what they share but memory and files. */
#include <string.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/posix_timer.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/rlimit.h"
#include "arch/x86/state_ckpt.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

enum { MAX_ITEMS = 1 << 22 }; /* nobody has more of anything */

static const struct sim_field process_fields[] = {
    KCKPT_FIELD(struct process, pgid),
    KCKPT_FIELD(struct process, sid),
    KCKPT_FIELD_U32S(struct process, ids.user),
    KCKPT_FIELD_U32S(struct process, ids.group),
    KCKPT_FIELD(struct process, has_groups),
    KCKPT_FIELD_U64S(struct process, rlimits),
    KCKPT_FIELD_STR(struct process, exe),
    KCKPT_FIELD(struct process, is_32),
    KCKPT_FIELD(struct process, is_zombie),
    KCKPT_FIELD(struct process, is_stopped),
    KCKPT_FIELD(struct process, is_exiting),
    KCKPT_FIELD(struct process, has_status),
    KCKPT_FIELD(struct process, did_dump),
    KCKPT_FIELD_32(struct process, status),
    KCKPT_FIELD(struct process, exit_signal),
    KCKPT_FIELD(struct process, vfork_waits),
    KCKPT_FIELD(struct process, personality),
    KCKPT_FIELD(struct process, death_signal),
    KCKPT_FIELD(struct process, is_subreaper),
    KCKPT_FIELD_U64S(struct process, settings),
    KCKPT_FIELD(struct process, run_ticks),
    KCKPT_FIELD(struct process, child_ticks),
    KCKPT_FIELD(struct process, start),
    KCKPT_FIELD(struct process, alarm_interval),
    KCKPT_FIELD(struct process, last_timer_id),
    KCKPT_FIELD(struct process, min_faults),
    KCKPT_FIELD(struct process, child_faults),
    KCKPT_FIELD(struct process, max_resident),
    KCKPT_FIELD(struct process, child_max_resident),
    SIM_END,
};

static const struct sim_field thread_fields[] = {
    KCKPT_FIELD_32(struct thread, run_state),
    KCKPT_FIELD(struct thread, last_cpu),
    KCKPT_FIELD_U64S(struct thread, affinity),
    KCKPT_FIELD_32(struct thread, nice),
    KCKPT_FIELD(struct thread, policy),
    KCKPT_FIELD(struct thread, rt_priority),
    KCKPT_FIELD(struct thread, resets_on_fork),
    KCKPT_ROW(struct thread, comm, SIM_U8, 1),
    KCKPT_FIELD(struct thread, sigmask),
    KCKPT_FIELD(struct thread, altstack),
    KCKPT_FIELD(struct thread, altstack_size),
    KCKPT_FIELD(struct thread, altstack_flags),
    KCKPT_FIELD(struct thread, fault_trap),
    KCKPT_FIELD(struct thread, fault_addr),
    KCKPT_FIELD(struct thread, fault_error),
    KCKPT_FIELD(struct thread, wait.is_poll),
    KCKPT_FIELD(struct thread, wait.wants_host),
    KCKPT_FIELD_32(struct thread, wait.reason),
    KCKPT_FIELD(struct thread, wait.deadline),
    KCKPT_FIELD(struct thread, wait.has_deadline),
    KCKPT_FIELD_32(struct thread, wait.futex_kind),
    KCKPT_FIELD(struct thread, wait.futex_addr),
    KCKPT_FIELD(struct thread, wait.futex_mask),
    KCKPT_FIELD(struct thread, wait.progress),
    KCKPT_FIELD(struct thread, wait.saved_mask),
    KCKPT_FIELD(struct thread, wait.has_saved_mask),
    KCKPT_FIELD(struct thread, passed_stop),
    KCKPT_FIELD(struct thread, in_syscall),
    KCKPT_FIELD(struct thread, is_32_call),
    KCKPT_FIELD(struct thread, call_nr),
    KCKPT_FIELD(struct thread, restart),
    KCKPT_FIELD(struct thread, clear_child_tid),
    KCKPT_FIELD(struct thread, set_child_tid),
    KCKPT_FIELD(struct thread, robust_list),
    KCKPT_FIELD(struct thread, rseq),
    KCKPT_FIELD(struct thread, rseq_signature),
    KCKPT_FIELD(struct thread, rseq_len),
    KCKPT_FIELD_U32S(struct thread, tls),
    KCKPT_FIELD(struct thread, run_ticks),
    KCKPT_FIELD(struct thread, run_since),
    SIM_END,
};

static const struct sim_field info_fields[] = {
    KCKPT_FIELD_32(struct signal_info, signo),
    KCKPT_FIELD_32(struct signal_info, code),
    KCKPT_FIELD_32(struct signal_info, error),
    KCKPT_FIELD(struct signal_info, pid),
    KCKPT_FIELD(struct signal_info, uid),
    KCKPT_FIELD_32(struct signal_info, status),
    KCKPT_FIELD(struct signal_info, value),
    KCKPT_FIELD(struct signal_info, addr),
    KCKPT_FIELD(struct signal_info, trap),
    KCKPT_FIELD(struct signal_info, error_code),
    KCKPT_FIELD(struct signal_info, utime),
    KCKPT_FIELD(struct signal_info, stime),
    SIM_END,
};

static const struct sim_field action_fields[] = {
    KCKPT_FIELD(struct signal_action, handler),
    KCKPT_FIELD(struct signal_action, flags),
    KCKPT_FIELD(struct signal_action, restorer),
    KCKPT_FIELD(struct signal_action, mask),
    SIM_END,
};

static const struct sim_field timer_fields[] = {
    KCKPT_FIELD(struct posix_timer, id),
    KCKPT_FIELD_32(struct posix_timer, clock),
    KCKPT_FIELD_32(struct posix_timer, signo),
    KCKPT_FIELD(struct posix_timer, target),
    KCKPT_FIELD(struct posix_timer, value),
    KCKPT_FIELD(struct posix_timer, interval),
    KCKPT_FIELD(struct posix_timer, overrun),
    KCKPT_FIELD(struct posix_timer, is_cpu),
    KCKPT_FIELD(struct posix_timer, cpu.tid),
    KCKPT_FIELD(struct posix_timer, cpu.expires),
    KCKPT_FIELD(struct posix_timer, cpu.is_armed),
    SIM_END,
};

static const struct sim_field itimer_fields[] = {
    KCKPT_FIELD(struct process_itimer, interval),
    KCKPT_FIELD(struct process_itimer, cpu.expires),
    KCKPT_FIELD(struct process_itimer, cpu.is_armed),
    SIM_END,
};

static const struct sim_field fs_fields[] = {
    KCKPT_FIELD_STR(struct process_fs, cwd),
    KCKPT_FIELD(struct process_fs, umask),
    SIM_END,
};

/* --------------------------------------------------------------------- saving
 */

static void signals_save(struct kckpt *c, const struct signal_set *set)
{
    uint32_t count = 0;

    for (const struct signal_pending *p = set->first; p; p = p->next)
        ckpt_put_tuple(c->w, kckpt_key("pending", count++, "").text, &p->info,
                       info_fields);
    ckpt_put_u64(c->w, "num_pending", count);
}

static void handlers_save(struct kckpt *c,
                          const struct signal_handlers *handlers)
{
    for (uint32_t sig = 1; sig <= SIGNAL_MAX; sig++)
        ckpt_put_tuple(c->w, kckpt_key("action", sig, "").text,
                       &handlers->action[sig], action_fields);
}

static void timers_save(struct kckpt *c, const struct process *process)
{
    uint32_t count = 0;

    for (const struct posix_timer *t = process->timers; t; t = t->next) {
        ckpt_put_tuple(c->w, kckpt_key("timer", count, "").text, t,
                       timer_fields);
        kckpt_put_timer(c, kckpt_key("when", count++, "").text, &t->timer);
    }
    ckpt_put_u64(c->w, "num_timers", count);
    for (uint32_t i = 0; i < SIM_ARRAY_LEN(process->itimers); i++)
        ckpt_put_tuple(c->w, kckpt_key("itimer", i, "").text,
                       &process->itimers[i], itimer_fields);
    kckpt_put_timer(c, "alarm", &process->alarm);
    kckpt_put_timer(c, "cpu_check", &process->cpu_check);
}

static void process_save(struct kckpt *c, const struct process *process)
{
    uint64_t *tids =
        alloc_zeroed((size_t)process->num_threads + 1, sizeof(*tids));
    uint32_t count = 0;

    kckpt_section(c, "process.%u", process->pid);
    ckpt_put_fields(c->w, process, process_fields);
    ckpt_put_u64(c->w, "parent", process->parent ? process->parent->pid : 0);
    ckpt_put_u64(c->w, "mm", kckpt_id(&c->mms, process->mm));
    ckpt_put_u64(c->w, "table", kckpt_id(&c->tables, process->files));
    ckpt_put_u64(c->w, "fs", kckpt_id(&c->fs, process->fs));
    ckpt_put_u64(c->w, "handlers", kckpt_id(&c->handlers, process->handlers));
    ckpt_put_u64s(c->w, "groups", process->groups, process->num_groups);
    signals_save(c, &process->pending);
    timers_save(c, process);
    for (const struct thread *t = process->threads; t; t = t->next)
        tids[count++] = t->tid;
    ckpt_put_u64s(c->w, "threads", tids, count);
    mem_free(tids);
}

static void thread_save(struct kckpt *c, const struct thread *thread)
{
    bool is_in_core = thread->cpu && thread->cpu->loaded == thread;

    kckpt_section(c, "thread.%u", thread->tid);
    ckpt_put_fields(c->w, thread, thread_fields);
    kckpt_put_timer(c, "timer", &thread->wait_timer);
    kckpt_put_channel(c, thread);
    ckpt_put_u64(c->w, "opening", kckpt_id(&c->files, thread->wait.opening));
    signals_save(c, &thread->pending);
    ckpt_put_u64(c->w, "is_in_core", is_in_core);
    if (!is_in_core)
        x86_state_save(thread->state, c->w);
}

void kckpt_save_processes(struct kckpt *c)
{
    uint64_t *pids = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < c->fs.len; i++) {
        kckpt_section(c, "fs.%u", i + 1);
        ckpt_put_fields(c->w, c->fs.ptr[i], fs_fields);
    }
    for (uint32_t i = 0; i < c->handlers.len; i++) {
        kckpt_section(c, "handlers.%u", i + 1);
        handlers_save(c, c->handlers.ptr[i]);
    }
    for (const struct process *p = c->kernel->processes; p; p = p->next) {
        pids = alloc_resize(pids, (size_t)count + 1, sizeof(*pids));
        pids[count++] = p->pid;
        process_save(c, p);
        for (const struct thread *t = p->threads; t; t = t->next)
            thread_save(c, t);
    }
    ckpt_subsection(c->w, NULL);
    ckpt_put_u64s(c->w, "processes", pids, count);
    ckpt_put_u64(c->w, "first_process",
                 c->kernel->first_process ? c->kernel->first_process->pid : 0);
    mem_free(pids);
}

/* -------------------------------------------------------------------- loading
 */

static void signals_load(struct kckpt *c, struct signal_set *set)
{
    uint32_t count = kckpt_get_u32(c, "num_pending", MAX_ITEMS);

    for (uint32_t i = 0; i < count && !c->error; i++) {
        struct kckpt_key key = kckpt_key("pending", i, "");
        struct signal_info info;

        kckpt_get_tuple(c, key.text, &info, info_fields);
        if (!c->error && (info.signo < 1 || info.signo > SIGNAL_MAX))
            kckpt_fail(c, "key %s: there is no signal %d", key.text,
                       info.signo);
        if (!c->error)
            signal_set_append(set, &info);
    }
}

static void handlers_load(struct kckpt *c, struct signal_handlers *handlers)
{
    for (uint32_t sig = 1; sig <= SIGNAL_MAX; sig++)
        kckpt_get_tuple(c, kckpt_key("action", sig, "").text,
                        &handlers->action[sig], action_fields);
}

/* A new timer is the first of its list: read from the end. */
static void timers_load(struct kckpt *c, struct process *process)
{
    uint32_t count = kckpt_get_u32(c, "num_timers", MAX_ITEMS);

    for (uint32_t i = count; i-- > 0 && !c->error;) {
        struct posix_timer *timer = posix_timer_add(process);

        kckpt_get_tuple(c, kckpt_key("timer", i, "").text, timer, timer_fields);
        kckpt_get_timer(c, kckpt_key("when", i, "").text, &timer->timer);
        cpu_timer_relink(&timer->cpu);
        if (!c->error && (timer->signo < 0 || timer->signo > SIGNAL_MAX))
            kckpt_fail(c, "key timer%u: there is no signal %d", i,
                       timer->signo);
    }
    for (uint32_t i = 0; i < SIM_ARRAY_LEN(process->itimers); i++) {
        struct process_itimer *timer = &process->itimers[i];

        kckpt_get_tuple(c, kckpt_key("itimer", i, "").text, timer,
                        itimer_fields);
        cpu_timer_relink(&timer->cpu);
    }
    if (!c->error)
        rlimit_arm_cpu(process);
    kckpt_get_timer(c, "alarm", &process->alarm);
    kckpt_get_timer(c, "cpu_check", &process->cpu_check);
}

static void process_load_shared(struct kckpt *c, struct process *process)
{
    struct mm *mm = kckpt_get_ref(c, "mm", &c->mms);
    struct fd_table *files = kckpt_get_ref(c, "table", &c->tables);
    struct process_fs *fs = kckpt_get_ref(c, "fs", &c->fs);
    struct signal_handlers *handlers =
        kckpt_get_needed(c, "handlers", &c->handlers);

    if (!c->error && !process->is_zombie && !(mm && files && fs))
        kckpt_fail(c, "a process without memory, files or directory");
    if (c->error)
        return;
    process->mm = mm ? mm_get(mm) : NULL;
    process->files = files ? fd_table_get(files) : NULL;
    process->fs = fs;
    if (fs)
        fs->refs++;
    process->handlers = handlers;
    handlers->refs++;
}

static void thread_load(struct kckpt *c, struct process *process, uint64_t tid)
{
    struct thread *thread = thread_create(process);
    struct file *opening;

    thread->tid = (uint32_t)tid;
    kckpt_section(c, "thread.%u", thread->tid);
    kckpt_get_fields(c, thread, thread_fields);
    thread->comm[sizeof(thread->comm) - 1] = '\0';
    kckpt_get_timer(c, "timer", &thread->wait_timer);
    opening = kckpt_get_ref(c, "opening", &c->files);
    thread->wait.opening = opening ? file_get(opening) : NULL;
    signals_load(c, &thread->pending);
    if (!kckpt_get_u32(c, "is_in_core", 1) && !c->error)
        c->error = x86_state_load(thread->state, c->r);
    if (!c->error && thread->run_state >= THREAD_DEAD)
        kckpt_fail(c, "key run_state: not that of a living thread");
    if (c->error || thread->last_cpu >= KERNEL_MAX_CPUS)
        thread->last_cpu = 0;
}

/* Numbers are given to one process or thread only. */
static void process_check_ids(struct kckpt *c, const struct process *process,
                              const uint64_t *tids, size_t count)
{
    if (!count != process->is_zombie)
        kckpt_fail(c, "key threads: a zombie has none, others have some");
    for (size_t i = 0; i < count && !c->error; i++) {
        const struct process *named =
            kernel_find_process(c->kernel, (uint32_t)tids[i]);

        if (!tids[i] || tids[i] > INT32_MAX ||
            kernel_find_thread(c->kernel, (uint32_t)tids[i]) ||
            (named && named != process))
            kckpt_fail(c, "key threads: there cannot be a thread %llu",
                       (unsigned long long)tids[i]);
        for (size_t other = 0; other < i; other++) {
            if (tids[other] == tids[i])
                kckpt_fail(c, "key threads: %llu is there twice",
                           (unsigned long long)tids[i]);
        }
    }
}

static void groups_load(struct kckpt *c, struct process *process)
{
    size_t count;
    uint64_t *groups = kckpt_get_u64s(c, "groups", &count);

    if (!c->error && count > PROCESS_MAX_GROUPS)
        kckpt_fail(c, "key groups: too many");
    for (size_t i = 0; i < count && !c->error; i++) {
        if (groups[i] >= UINT32_MAX)
            kckpt_fail(c, "key groups: %llu is no group",
                       (unsigned long long)groups[i]);
    }
    if (!c->error)
        process_set_groups(process, groups, (uint32_t)count);
    mem_free(groups);
}

static void process_load(struct kckpt *c, struct process *process)
{
    size_t count;
    uint64_t *tids;

    kckpt_section(c, "process.%u", process->pid);
    kckpt_get_fields(c, process, process_fields);
    groups_load(c, process);
    process_load_shared(c, process);
    signals_load(c, &process->pending);
    timers_load(c, process);
    tids = kckpt_get_u64s(c, "threads", &count);
    if (!c->error)
        process_check_ids(c, process, tids, count);
    for (size_t i = 0; i < count && !c->error; i++)
        thread_load(c, process, tids[i]);
    mem_free(tids);
}

static void process_load_parent(struct kckpt *c, struct process *process)
{
    uint32_t pid;

    kckpt_section(c, "process.%u", process->pid);
    pid = kckpt_get_u32(c, "parent", INT32_MAX);
    process->parent = pid ? kernel_find_process(c->kernel, pid) : NULL;
    if (pid && (!process->parent || process->parent == process))
        kckpt_fail(c, "key parent: there is no process %u", pid);
}

/* A new process is the first of the list: made from its end. */
static void processes_load(struct kckpt *c)
{
    struct kernel *kernel = c->kernel;
    size_t count;
    uint64_t *pids;
    uint32_t first;

    ckpt_enter_subsection(c->r, NULL);
    pids = kckpt_get_u64s(c, "processes", &count);
    first = kckpt_get_u32(c, "first_process", INT32_MAX);
    for (size_t i = count; i-- > 0 && !c->error;) {
        if (!pids[i] || pids[i] > INT32_MAX ||
            kernel_find_process(kernel, (uint32_t)pids[i]))
            kckpt_fail(c, "key processes: %llu cannot be, or is there twice",
                       (unsigned long long)pids[i]);
        else
            process_create(kernel, NULL)->pid = (uint32_t)pids[i];
    }
    mem_free(pids);
    for (struct process *p = kernel->processes; p && !c->error; p = p->next)
        process_load(c, p);
    for (struct process *p = kernel->processes; p && !c->error; p = p->next)
        process_load_parent(c, p);
    kernel->first_process = first ? kernel_find_process(kernel, first) : NULL;
    if (first && !kernel->first_process)
        kckpt_fail(c, "key first_process: there is no process %u", first);
}

void kckpt_load_processes(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->fs.len; i++) {
        c->fs.ptr[i] = process_fs_copy(NULL);
        kckpt_section(c, "fs.%u", i + 1);
        kckpt_get_fields(c, c->fs.ptr[i], fs_fields);
    }
    for (uint32_t i = 0; i < c->handlers.len; i++) {
        c->handlers.ptr[i] = signal_handlers_create();
        kckpt_section(c, "handlers.%u", i + 1);
        handlers_load(c, c->handlers.ptr[i]);
    }
    processes_load(c);
    /* Only the processes hold them from here on. */
    for (uint32_t i = 0; i < c->fs.len; i++)
        process_fs_put(c->fs.ptr[i]);
    for (uint32_t i = 0; i < c->handlers.len; i++)
        signal_handlers_put(c->handlers.ptr[i]);
}
