/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/kernel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "arch/x86/linux/fault.h"
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_lock.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/syscall.h"
#include "base/alloc.h"
#include "base/host_clock.h"
#include "base/log.h"
#include "sim/sim.h"

/* The kernel half: one page per 8 CPUs with their descriptor tables, where
 * Linux has its per-CPU entry areas. */
#define GDT_BASE UINT64_C(0xfffffe0000001000)

enum {
    GDTS_PER_PAGE = 8,
    GDT_STRIDE = FRAME_SIZE / GDTS_PER_PAGE,
    DEFAULT_QUANTUM = 1000000,
    DEFAULT_FAULT_AROUND = 16 /* Linux's fault_around_bytes */
};

/* -------------------------------------------------------------------- random
 */

/* xoshiro256**, seeded by splitmix64 (Blackman and Vigna). */
static uint64_t kernel_splitmix(uint64_t *x)
{
    uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t kernel_random(struct kernel *kernel)
{
    uint64_t *s = kernel->random_state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

void kernel_random_bytes(struct kernel *kernel, void *data, uint64_t len)
{
    uint8_t *to = data;

    while (len) {
        uint64_t value = kernel_random(kernel);
        uint64_t part = len < sizeof(value) ? len : sizeof(value);

        memcpy(to, &value, part);
        to += part;
        len -= part;
    }
}

/* ---------------------------------------------------------------------- life
 */

/* Translations changed: the cores that use this address space flush. */
static void kernel_mm_changed(struct mm_watch *watch, struct mm *mm,
                              uint64_t start, uint64_t len)
{
    enum { FLUSH_PAGES_MAX = 32 };
    struct kernel *kernel = SIM_CONTAINER_OF(watch, struct kernel, mm_watch);

    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        struct linux_cpu *cpu = kernel->cpus[i];

        if (cpu->loaded_mm != mm)
            continue;
        if (len > FLUSH_PAGES_MAX * FRAME_SIZE) {
            x86_core_flush_tlb(cpu->core);
            continue;
        }
        for (uint64_t at = 0; at < len; at += FRAME_SIZE) {
            gva_t addr = {start + at};

            x86_core_flush_page(cpu->core, addr);
        }
    }
    if (kernel->watch_next)
        kernel->watch_next->changed(kernel->watch_next, mm, start, len);
}

static void kernel_mm_frame(struct mm_watch *watch, gpa_t frame, uint64_t len)
{
    struct kernel *kernel = SIM_CONTAINER_OF(watch, struct kernel, mm_watch);
    struct mm_watch *next = kernel->watch_next;

    if (next && next->frame)
        next->frame(next, frame, len);
}

static void kernel_mm_table(struct mm_watch *watch, gpa_t table)
{
    struct kernel *kernel = SIM_CONTAINER_OF(watch, struct kernel, mm_watch);
    struct mm_watch *next = kernel->watch_next;

    if (next && next->table)
        next->table(next, table);
}

struct kernel *kernel_create(const struct kernel_cfg *cfg)
{
    struct kernel *kernel = alloc_zeroed(1, sizeof(*kernel));
    uint64_t seed = cfg->seed;

    kernel->cfg = *cfg;
    if (!kernel->cfg.quantum_insts)
        kernel->cfg.quantum_insts = DEFAULT_QUANTUM;
    if (!kernel->cfg.fault_around)
        kernel->cfg.fault_around = DEFAULT_FAULT_AROUND;
    if (!kernel->cfg.release)
        kernel->cfg.release = "6.1.0";
    kernel->frames = frames_create(cfg->mem);
    vm_objects_init(&kernel->objects, kernel->frames);
    vfs_init(&kernel->vfs);
    kernel->mm_watch.changed = kernel_mm_changed;
    kernel->mm_watch.frame = kernel_mm_frame;
    kernel->mm_watch.table = kernel_mm_table;
    kernel->last_pid = KERNEL_FIRST_PID - 1;
    kernel->last_file_id = 4096;
    for (int i = 0; i < 4; i++)
        kernel->random_state[i] = kernel_splitmix(&seed);
    syscall_bind(kernel);
    return kernel;
}

static void kernel_unload_cpus(struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        struct linux_cpu *cpu = kernel->cpus[i];

        cpu->thread = cpu->loaded = NULL;
        mm_put(cpu->loaded_mm);
        cpu->loaded_mm = NULL;
    }
}

void kernel_destroy(struct kernel *kernel)
{
    if (!kernel)
        return;
    kernel->is_over = true;
    kernel->current = NULL;
    while (kernel->processes) {
        struct process *process = kernel->processes;

        /* Nobody waits for it: to exit frees it, unless it is a zombie. */
        process->parent = NULL;
        if (!process->is_zombie)
            process_exit(process, 0);
        if (kernel->processes == process)
            process_free(process);
    }
    kernel_unload_cpus(kernel);
    for (uint32_t i = 0; i < kernel->num_pages; i++)
        frames_unref(kernel->frames, kernel->pages[i].frame);
    mem_free(kernel->pages);
    stops_fini(&kernel->stops);
    file_lock_drop_all(kernel);
    vm_objects_fini(&kernel->objects);
    vfs_fini(&kernel->vfs);
    frames_destroy(kernel->frames);
    mem_free(kernel);
}

/* ---------------------------------------------------------------------- CPUs
 */

uint64_t kernel_gdt_addr(const struct linux_cpu *cpu)
{
    return GDT_BASE + (uint64_t)(cpu->index / GDTS_PER_PAGE) * FRAME_SIZE +
           (cpu->index % GDTS_PER_PAGE) * GDT_STRIDE;
}

uint64_t *kernel_gdt(const struct linux_cpu *cpu)
{
    const struct kernel *kernel = cpu->kernel;
    gpa_t at = {kernel->gdt_frame[cpu->index / GDTS_PER_PAGE] +
                (cpu->index % GDTS_PER_PAGE) * GDT_STRIDE};

    return (uint64_t *)(void *)frames_host(kernel->frames, at);
}

/* The selectors programs see are those of Linux: 0x23, 0x2b, 0x33. */
static void kernel_fill_gdt(uint64_t *gdt)
{
    gdt[2] = UINT64_C(0x00af9b000000ffff); /* kernel code */
    gdt[3] = UINT64_C(0x00cf93000000ffff); /* kernel data */
    gdt[4] = UINT64_C(0x00cffb000000ffff); /* user code, 32-bit */
    gdt[5] = UINT64_C(0x00cff3000000ffff); /* user data */
    gdt[6] = UINT64_C(0x00affb000000ffff); /* user code, 64-bit */
}

bool kernel_map_pages(struct kernel *kernel, struct mm *mm)
{
    for (uint32_t i = 0; i < kernel->num_pages; i++) {
        const struct kernel_page *page = &kernel->pages[i];

        if (!mm_map_kernel(mm, page->addr, page->frame, page->access))
            return false;
    }
    return true;
}

bool kernel_add_page(struct kernel *kernel, uint64_t addr,
                     enum mm_kernel_access access, gpa_t *frame)
{
    struct kernel_page *page;

    /* A checkpoint may have brought it along. */
    for (uint32_t i = 0; i < kernel->num_pages; i++) {
        if (kernel->pages[i].addr == addr &&
            kernel->pages[i].access == access) {
            *frame = kernel->pages[i].frame;
            return true;
        }
    }
    if (!frames_alloc(kernel->frames, frame))
        return false;
    for (const struct process *p = kernel->processes; p; p = p->next)
        if (p->mm && !mm_map_kernel(p->mm, addr, *frame, access))
            return false;
    kernel->pages = alloc_resize(kernel->pages, kernel->num_pages + 1,
                                 sizeof(*kernel->pages));
    page = &kernel->pages[kernel->num_pages++];
    *page = (struct kernel_page){addr, *frame, access};
    return true;
}

static bool linux_env_syscall(struct x86_env *env, struct x86_core *core,
                              enum x86_syscall_kind kind)
{
    struct linux_cpu *cpu = SIM_CONTAINER_OF(env, struct linux_cpu, env);

    (void)core;
    if (kind != X86_CALL_SYSCALL && kind != X86_CALL_INT80)
        return false;
    cpu->kernel->current = cpu;
    (void)cpu->now(cpu); /* traces and timers see this tick */
    syscall_enter(cpu, kind);
    if (stops_are_set(cpu->kernel) && cpu->thread)
        stops_update(cpu->kernel, cpu->thread->process->mm);
    cpu->kernel->current = NULL;
    return true;
}

static bool linux_env_exception(struct x86_env *env, struct x86_core *core,
                                const struct x86_fault *fault)
{
    struct linux_cpu *cpu = SIM_CONTAINER_OF(env, struct linux_cpu, env);

    (void)core;
    cpu->num_faults++;
    cpu->kernel->current = cpu;
    fault_handle(cpu, fault);
    cpu->kernel->current = NULL;
    return true;
}

static uint64_t linux_env_read_tsc(struct x86_env *env, struct x86_core *core)
{
    struct linux_cpu *cpu = SIM_CONTAINER_OF(env, struct linux_cpu, env);

    (void)core;
    if (cpu->has_host_tsc)
        return host_clock_tsc();
    return cpu->now(cpu) / cpu->period +
           (cpu->tsc_ahead ? cpu->tsc_ahead : cpu->kernel->tsc_ahead);
}

void kernel_leave_host_tsc(struct linux_cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;

    cpu->tsc_ahead = host_clock_tsc() - cpu->now(cpu) / cpu->period;
    if (cpu->tsc_ahead > kernel->tsc_ahead)
        kernel->tsc_ahead = cpu->tsc_ahead;
}

static uint64_t linux_env_random(struct x86_env *env, struct x86_core *core)
{
    struct linux_cpu *cpu = SIM_CONTAINER_OF(env, struct linux_cpu, env);

    (void)core;
    return kernel_random(cpu->kernel);
}

void linux_env_init(struct linux_cpu *cpu)
{
    cpu->env.syscall = linux_env_syscall;
    cpu->env.exception = linux_env_exception;
    cpu->env.read_tsc = linux_env_read_tsc;
    cpu->env.random = linux_env_random;
}

void kernel_add_cpu(struct kernel *kernel, struct linux_cpu *cpu)
{
    uint32_t group = kernel->num_cpus / GDTS_PER_PAGE;
    uint64_t *page = &kernel->gdt_frame[group];

    SIM_ASSERT(kernel->num_cpus < KERNEL_MAX_CPUS);
    cpu->kernel = kernel;
    cpu->index = kernel->num_cpus++;
    kernel->cpus[cpu->index] = cpu;
    if (cpu->core)
        frames_set_cache(kernel->frames, x86_core_cache(cpu->core));
    if (!*page) {
        gpa_t frame;

        if (!kernel_add_page(kernel, GDT_BASE + (uint64_t)group * FRAME_SIZE,
                             MM_KERNEL_DATA, &frame))
            log_exit("guest RAM is too small for %u CPUs", kernel->num_cpus);
        *page = frame.v;
    }
    kernel_fill_gdt(kernel_gdt(cpu));
}

/* The same part of a time slice, whatever the CPUs count it in. */
static uint64_t kernel_scale_slice(const struct linux_cpu *old,
                                   const struct linux_cpu *cpu)
{
    uint64_t from = old->quantum, to = cpu->quantum;

    if (!from)
        from = old->kernel->cfg.quantum_insts;
    if (!to)
        to = old->kernel->cfg.quantum_insts;
    if (from == to || !old->slice_left)
        return old->slice_left;
    return (uint64_t)((double)old->slice_left / (double)from * (double)to) + 1;
}

void kernel_change_cpu(struct linux_cpu *old, struct linux_cpu *cpu)
{
    struct kernel *kernel = old->kernel;

    SIM_ASSERT(kernel && !cpu->kernel && kernel->cpus[old->index] == old);
    cpu->kernel = kernel;
    cpu->index = old->index;
    cpu->thread = old->thread;
    cpu->loaded = old->loaded;
    cpu->loaded_mm = old->loaded_mm;
    cpu->tsc_ahead = old->tsc_ahead;
    cpu->slice_left = kernel_scale_slice(old, cpu);
    cpu->rt_ran = old->rt_ran;
    cpu->is_woken = old->is_woken;
    kernel->cpus[cpu->index] = cpu;
    if (cpu->loaded)
        cpu->loaded->cpu = cpu;
    old->kernel = NULL;
    old->thread = old->loaded = NULL;
    old->loaded_mm = NULL;
    old->is_woken = false;
}

/* ---------------------------------------------------------------------- time
 */

tick_t kernel_now(const struct kernel *kernel)
{
    if (kernel->current && kernel->current->now)
        return kernel->current->now(kernel->current);
    return kernel->cfg.host.now ? kernel->cfg.host.now(kernel->cfg.host.ctx)
                                : 0;
}

uint64_t kernel_boot_ns(const struct kernel *kernel)
{
    return kernel_now(kernel) / 1000;
}

uint64_t kernel_wall_ns(const struct kernel *kernel)
{
    return kernel->cfg.start_time_s * UINT64_C(1000000000) +
           kernel_boot_ns(kernel);
}

void kernel_update_timer(struct kernel *kernel)
{
    if (kernel->cfg.host.set_timer)
        kernel->cfg.host.set_timer(kernel->cfg.host.ctx,
                                   ktimer_next(&kernel->timers));
}

void kernel_timer_fired(struct kernel *kernel, tick_t now)
{
    ktimer_expire(&kernel->timers, now);
    kernel_update_timer(kernel);
}

/* ------------------------------------------------------------------- look-ups
 */

struct process *kernel_find_process(const struct kernel *kernel, uint32_t pid)
{
    struct process *process = kernel->processes;

    while (process && process->pid != pid)
        process = process->next;
    return process;
}

struct thread *kernel_find_thread(const struct kernel *kernel, uint32_t tid)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next) {
            if (t->tid == tid)
                return t;
        }
    }
    return NULL;
}

uint32_t kernel_new_pid(struct kernel *kernel)
{
    do {
        kernel->last_pid = kernel->last_pid < 4194303 ? kernel->last_pid + 1
                                                      : KERNEL_FIRST_PID;
    } while (kernel_find_process(kernel, kernel->last_pid) ||
             kernel_find_thread(kernel, kernel->last_pid));
    return kernel->last_pid;
}

void kernel_wake(struct kernel *kernel, const void *channel)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next) {
            if (t->run_state == THREAD_WAITING &&
                (t->wait.is_poll || t->wait.channel == channel))
                sched_wake(t, WAKE_EVENT);
        }
    }
}

void kernel_sync_object(struct kernel *kernel, struct vm_object *object)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (uint32_t i = 0; p->mm && i < p->mm->num_vmas; i++) {
            const struct vma *vma = &p->mm->vmas[i];

            if (vma->object == object)
                (void)mm_sync(p->mm, vma->start, vma->end);
        }
    }
}

/* ----------------------------------------------------------- the host's inputs
 */

static bool kernel_waits_for_host(const struct kernel *kernel)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next) {
            if (t->run_state == THREAD_WAITING && t->wait.wants_host)
                return true;
        }
    }
    return false;
}

/* Streams of the host that processes have open for reading. */
static nfds_t kernel_host_streams(const struct kernel *kernel,
                                  struct pollfd *fds, nfds_t max)
{
    nfds_t count = 0;

    for (struct process *p = kernel->processes; p; p = p->next) {
        for (uint32_t i = 0; p->files && i < p->files->len; i++) {
            const struct file *file = p->files->entries[i].file;

            if (!file || file->channel != &kernel->host_channel || count == max)
                continue;
            fds[count].fd = file->host_fd;
            fds[count++].events = POLLIN;
        }
    }
    return count;
}

bool kernel_poll_host(struct kernel *kernel)
{
    enum { MAX_STREAMS = 64 };
    struct pollfd fds[MAX_STREAMS];
    nfds_t count;
    int ready;

    if (!kernel_waits_for_host(kernel))
        return false;
    count = kernel_host_streams(kernel, fds, MAX_STREAMS);
    if (!count)
        return false;
    /* Timers of the guest come first: simulated time is free to advance. */
    ready = poll(fds, count, kernel->timers.first ? 0 : -1);
    if (ready < 0 && kernel->cfg.host.exit) {
        /* A signal to the simulator: let the script decide. */
        kernel->is_interrupted = true;
        kernel->cfg.host.exit(kernel->cfg.host.ctx, EXIT_USER, 0);
    }
    if (ready <= 0)
        return false;
    kernel_wake(kernel, &kernel->host_channel);
    return true;
}
