/* SPDX-License-Identifier: BSD-3-Clause */
/* What connects threads: CPUs, the queue of those that can run, who waits for
 * a word of memory and for what else, timers in their order. */
#include <stddef.h>
#include <string.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

/* What a thread waits on, and its number. */
enum channel_kind {
    CHANNEL_NONE,
    CHANNEL_ITSELF, /* &thread->wait: signals, time, a word */
    CHANNEL_THREAD,
    CHANNEL_PROCESS,
    CHANNEL_FILE,
    CHANNEL_HOST,
    CHANNEL_LOCKS, /* advisory locks, of which owner is not known */
    CHANNEL_LOCKS_OF_TABLE,
    CHANNEL_LOCKS_OF_FILE,
    CHANNEL_OTHER, /* executes its call again, to find out anew */
};

/* --------------------------------------------------------------------- saving
 */

static uint32_t channel_find(const struct kckpt_ids *ids, const void *ptr)
{
    for (uint32_t i = 0; i < ids->len; i++) {
        if (ids->ptr[i] == ptr)
            return i + 1;
    }
    return 0;
}

static void channel_of_locks(const struct kckpt *c, const struct thread *thread,
                             uint64_t out[2])
{
    uint32_t table = channel_find(&c->tables, thread->wait.lock_blocker);
    uint32_t file = channel_find(&c->files, thread->wait.lock_blocker);

    out[0] = table  ? CHANNEL_LOCKS_OF_TABLE
             : file ? CHANNEL_LOCKS_OF_FILE
                    : CHANNEL_LOCKS;
    out[1] = table ? table : file;
}

static void channel_of(struct kckpt *c, const struct thread *thread,
                       uint64_t out[2])
{
    const void *channel = thread->wait.channel;

    out[1] = 0;
    if (thread->run_state != THREAD_WAITING || !channel) {
        out[0] = CHANNEL_NONE;
        return;
    }
    if (channel == &thread->wait || channel == &c->kernel->host_channel) {
        out[0] = channel == &thread->wait ? CHANNEL_ITSELF : CHANNEL_HOST;
        return;
    }
    if (channel == &c->kernel->locks) {
        channel_of_locks(c, thread, out);
        return;
    }
    out[0] = CHANNEL_OTHER;
    for (const struct process *p = c->kernel->processes; p; p = p->next) {
        if (channel == p) {
            out[0] = CHANNEL_PROCESS;
            out[1] = p->pid;
        }
        for (const struct thread *t = p->threads; t; t = t->next) {
            if (channel == t) {
                out[0] = CHANNEL_THREAD;
                out[1] = t->tid;
            }
        }
    }
    for (uint32_t i = 0; i < c->files.len && out[0] == CHANNEL_OTHER; i++) {
        if (((const struct file *)c->files.ptr[i])->channel == channel) {
            out[0] = CHANNEL_FILE;
            out[1] = i + 1;
        }
    }
}

void kckpt_put_channel(struct kckpt *c, const struct thread *thread)
{
    uint64_t channel[2];

    channel_of(c, thread, channel);
    ckpt_put_u64s(c->w, "channel", channel, 2);
}

/* A list of threads, linked at @offset. */
static void queue_save(struct kckpt *c, const char *key,
                       const struct thread *first, size_t offset)
{
    uint64_t *tids = NULL;
    size_t count = 0;

    for (const struct thread *t = first; t;) {
        tids = alloc_resize(tids, count + 1, sizeof(*tids));
        tids[count++] = t->tid;
        memcpy(&t, (const char *)t + offset, sizeof(t));
    }
    ckpt_put_u64s(c->w, key, tids, count);
    mem_free(tids);
}

void kckpt_save_sched(struct kckpt *c)
{
    const struct kernel *kernel = c->kernel;

    ckpt_subsection(c->w, NULL);
    queue_save(c, "run_queue", kernel->run_first,
               offsetof(struct thread, run_next));
    queue_save(c, "futex_waiters", kernel->futex_waiters,
               offsetof(struct thread, wait.futex_next));
    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        const struct linux_cpu *cpu = kernel->cpus[i];
        uint64_t values[3] = {cpu->thread ? cpu->thread->tid : 0,
                              cpu->loaded ? cpu->loaded->tid : 0,
                              kckpt_id(&c->mms, cpu->loaded_mm)};
        char key[24];

        (void)snprintf(key, sizeof(key), "cpu%u", i);
        ckpt_put_u64s(c->w, key, values, 3);
    }
    ckpt_put_u64(c->w, "num_cpus", kernel->num_cpus);
}

/* -------------------------------------------------------------------- loading
 */

/* What was read, until everything is known to be good. */
struct sched_plan {
    struct thread **run_queue, **futex_waiters;
    size_t num_run_queue, num_futex_waiters;
    struct {
        struct thread *thread, *loaded;
        struct mm *mm;
    } cpus[KERNEL_MAX_CPUS];
};

static struct thread *thread_named(struct kckpt *c, const char *key,
                                   uint64_t tid)
{
    struct thread *thread =
        tid <= INT32_MAX ? kernel_find_thread(c->kernel, (uint32_t)tid) : NULL;

    if (!thread)
        kckpt_fail(c, "key %s: there is no thread %llu", key,
                   (unsigned long long)tid);
    return thread;
}

static struct thread **queue_load(struct kckpt *c, const char *key,
                                  size_t *count)
{
    uint64_t *tids = kckpt_get_u64s(c, key, count);
    struct thread **queue = alloc_zeroed(*count + 1, sizeof(struct thread *));

    for (size_t i = 0; i < *count && !c->error; i++) {
        queue[i] = thread_named(c, key, tids[i]);
        for (size_t other = 0; other < i; other++) {
            if (tids[other] == tids[i])
                kckpt_fail(c, "key %s: %llu is there twice", key,
                           (unsigned long long)tids[i]);
        }
    }
    mem_free(tids);
    return queue;
}

static void cpu_load(struct kckpt *c, struct sched_plan *plan, uint32_t index)
{
    uint64_t values[3] = {0};
    char key[24];

    (void)snprintf(key, sizeof(key), "cpu%u", index);
    if (!c->error)
        c->error = ckpt_get_u64s(c->r, key, values, 3);
    if (c->error)
        return;
    if (values[2] > c->mms.len) {
        kckpt_fail(c, "key %s: there is no mm %llu", key,
                   (unsigned long long)values[2]);
        return;
    }
    if (values[0])
        plan->cpus[index].thread = thread_named(c, key, values[0]);
    if (values[1])
        plan->cpus[index].loaded = thread_named(c, key, values[1]);
    if (values[2])
        plan->cpus[index].mm = c->mms.ptr[values[2] - 1];
    if (!c->error && values[0] &&
        (values[0] != values[1] ||
         plan->cpus[index].thread->process->mm != plan->cpus[index].mm))
        kckpt_fail(c, "key %s: what runs is not what is loaded", key);
}

/* Threads that are where their state says. */
static void plan_check(struct kckpt *c, const struct sched_plan *plan)
{
    size_t num_running = 0, num_runnable = 0;

    for (const struct process *p = c->kernel->processes; p; p = p->next) {
        for (const struct thread *t = p->threads; t; t = t->next) {
            num_running += t->run_state == THREAD_RUNNING;
            num_runnable += t->run_state == THREAD_RUNNABLE;
        }
    }
    for (uint32_t i = 0; i < c->kernel->num_cpus; i++) {
        const struct thread *thread = plan->cpus[i].thread;

        if (!thread)
            continue;
        num_running--;
        if (thread->run_state != THREAD_RUNNING)
            kckpt_fail(c, "key cpu%u: its thread does not run", i);
    }
    for (size_t i = 0; i < plan->num_run_queue && !c->error; i++) {
        if (plan->run_queue[i]->run_state != THREAD_RUNNABLE)
            kckpt_fail(c, "key run_queue: thread %u cannot run",
                       plan->run_queue[i]->tid);
    }
    for (size_t i = 0; i < plan->num_futex_waiters && !c->error; i++) {
        if (plan->futex_waiters[i]->run_state != THREAD_WAITING ||
            plan->futex_waiters[i]->wait.futex_kind == FUTEX_OF_NONE ||
            plan->futex_waiters[i]->wait.futex_kind > FUTEX_OF_FRAME)
            kckpt_fail(c, "key futex_waiters: thread %u does not wait",
                       plan->futex_waiters[i]->tid);
    }
    if (!c->error && (num_running || num_runnable != plan->num_run_queue))
        kckpt_fail(c, "threads run that no CPU and no queue has");
}

static void timers_check(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->num_timers && !c->error; i++) {
        if (!c->timers[i] || (i && c->timers[i - 1]->when > c->timers[i]->when))
            kckpt_fail(c, "timer %u is missing or out of order", i + 1);
    }
}

static void *channel_ref(struct kckpt *c, const struct kckpt_ids *ids,
                         uint64_t id)
{
    if (id && id <= ids->len)
        return ids->ptr[id - 1];
    kckpt_fail(c, "key channel: there is no number %llu",
               (unsigned long long)id);
    return NULL;
}

static const void *channel_load(struct kckpt *c, struct thread *thread)
{
    struct kernel *kernel = c->kernel;
    uint64_t values[2] = {0};
    const struct file *file;

    kckpt_section(c, "thread.%u", thread->tid);
    if (!c->error)
        c->error = ckpt_get_u64s(c->r, "channel", values, 2);
    if (c->error)
        return NULL;
    switch (values[0]) {
    case CHANNEL_ITSELF:
        return &thread->wait;
    case CHANNEL_THREAD:
        return thread_named(c, "channel", values[1]);
    case CHANNEL_PROCESS:
        return values[1] <= INT32_MAX
                   ? kernel_find_process(kernel, (uint32_t)values[1])
                   : NULL;
    case CHANNEL_FILE:
        file = channel_ref(c, &c->files, values[1]);
        return file ? file->channel : NULL;
    case CHANNEL_HOST:
        return &kernel->host_channel;
    case CHANNEL_LOCKS_OF_TABLE:
        thread->wait.lock_blocker = channel_ref(c, &c->tables, values[1]);
        return &kernel->locks;
    case CHANNEL_LOCKS_OF_FILE:
        thread->wait.lock_blocker = channel_ref(c, &c->files, values[1]);
        return &kernel->locks;
    case CHANNEL_LOCKS:
        return &kernel->locks;
    default:
        return NULL;
    }
}

static void channels_load(struct kckpt *c)
{
    for (const struct process *p = c->kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next)
            t->wait.channel = channel_load(c, t);
    }
}

/* ----------------------------------------------------------------- connecting
 */

static void cpus_connect(struct kckpt *c, const struct sched_plan *plan)
{
    for (uint32_t i = 0; i < c->kernel->num_cpus; i++) {
        struct linux_cpu *cpu = c->kernel->cpus[i];

        cpu->thread = plan->cpus[i].thread;
        cpu->loaded = plan->cpus[i].loaded;
        if (cpu->loaded)
            cpu->loaded->cpu = cpu;
        if (plan->cpus[i].mm)
            cpu->loaded_mm = mm_get(plan->cpus[i].mm);
    }
}

static void queues_connect(struct kernel *kernel, const struct sched_plan *plan)
{
    struct thread **link = &kernel->run_first;

    for (size_t i = 0; i < plan->num_run_queue; i++) {
        *link = kernel->run_last = plan->run_queue[i];
        link = &plan->run_queue[i]->run_next;
    }
    link = &kernel->futex_waiters;
    for (size_t i = 0; i < plan->num_futex_waiters; i++) {
        *link = plan->futex_waiters[i];
        link = &plan->futex_waiters[i]->wait.futex_next;
    }
}

/* Calls that wait for what has no number, or for the host, which may have an
 * answer today, are executed again and wait again. */
static void waits_connect(struct kernel *kernel)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next) {
            if (t->wait.wants_host || (!t->wait.channel && !t->wait.is_poll))
                sched_wake(t, WAKE_EVENT);
        }
    }
}

static void sched_connect(struct kckpt *c, const struct sched_plan *plan)
{
    cpus_connect(c, plan);
    queues_connect(c->kernel, plan);
    for (uint32_t i = 0; i < c->num_timers; i++)
        ktimer_arm(&c->kernel->timers, c->timers[i], c->timers[i]->when);
    kernel_update_timer(c->kernel);
    waits_connect(c->kernel);
}

void kckpt_load_sched(struct kckpt *c)
{
    struct sched_plan *plan = alloc_zeroed(1, sizeof(*plan));

    channels_load(c);
    ckpt_enter_subsection(c->r, NULL);
    if (kckpt_get_u32(c, "num_cpus", KERNEL_MAX_CPUS) != c->kernel->num_cpus)
        kckpt_fail(c, "key num_cpus: here are %u", c->kernel->num_cpus);
    plan->run_queue = queue_load(c, "run_queue", &plan->num_run_queue);
    plan->futex_waiters =
        queue_load(c, "futex_waiters", &plan->num_futex_waiters);
    for (uint32_t i = 0; i < c->kernel->num_cpus; i++)
        cpu_load(c, plan, i);
    if (!c->error)
        plan_check(c, plan);
    timers_check(c);
    if (!c->error)
        sched_connect(c, plan);
    mem_free(plan->run_queue);
    mem_free(plan->futex_waiters);
    mem_free(plan);
}
