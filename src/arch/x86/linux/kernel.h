/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Linux kernel that programs see in syscall emulation: one tree of
 * processes over the CPUs of one simulation.  Nothing in here blocks the host,
 * except reading an input that the simulation was given when nothing else can
 * run.  All calls come from the simulation's thread.
 *
 * A CPU model embeds struct linux_cpu, gives its env to the core and asks
 * sched_run_next() for work.  System calls and exceptions come in through the
 * env's hooks.
 */
#ifndef ARCH_X86_LINUX_KERNEL_H
#define ARCH_X86_LINUX_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/ktimer.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/stops.h"
#include "arch/x86/linux/vfs.h"
#include "arch/x86/linux/vm_object.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct file_lock;
struct inotify;
struct pipe_buffer;
struct process;
struct sim_object;
struct syscall_row;
struct thread;
struct x86_cpuid;

enum {
    KERNEL_MAX_CPUS = 256,
    KERNEL_NUM_SYSCALLS = 512,
    KERNEL_FIRST_PID = 100,
};

/* The simulation around the kernel. */
struct kernel_host {
    void *ctx;
    tick_t (*now)(void *ctx);
    /* Call kernel_timer_fired() at @when; TICK_MAX: never. */
    void (*set_timer)(void *ctx, tick_t when);
    /* The last thread is gone; @code is the first process's exit status. */
    void (*exit)(void *ctx, const char *cause, int64_t code);
    /* For checkpoints; may be NULL: open standard stream @number that process
     * @pid was started with again, without cutting an output; the host
     * descriptor or -errno.  A directory for files without a name. */
    int (*open_stdio)(void *ctx, uint32_t pid, int number);
    const char *(*scratch_dir)(void *ctx);
};

struct kernel_cfg {
    struct physmem *mem;
    struct kernel_host host;
    const struct sim_object *owner; /* for messages; may be NULL */
    const struct x86_cpuid *cpuid;  /* may be NULL */
    const char *release;            /* what uname says */
    uint64_t start_time_s;          /* wall clock at tick 0, since 1970 */
    uint64_t seed;
    uint64_t quantum_insts; /* time slice; 0: default */
    /* /dev/mem: what lies at pseudo_offset is the window of pseudo operations,
     * at pseudo_window; 0: there is no /dev/mem. */
    uint64_t pseudo_offset, pseudo_window;
    uint32_t fault_around; /* pages, a power of two up to 512; 0: default */
};

/* A page of the kernel half, the same in all address spaces. */
struct kernel_page {
    uint64_t addr;
    gpa_t frame;
    enum mm_kernel_access access;
};

/* One CPU as the kernel sees it. */
struct linux_cpu {
    struct x86_env env; /* first: hooks get back to here */
    struct kernel *kernel;
    struct x86_core *core;
    uint32_t index;    /* of the seat: kernel->cpus[index] */
    tick_t period;     /* of the TSC [ticks] */
    bool has_host_tsc; /* programs read the host's, whoever executes them */
    /* What the TSC is beyond simulated time since a CPU with the host's was
     * left, so that it never goes back; 0: as the kernel says. */
    uint64_t tsc_ahead;
    struct thread *thread; /* running here, or NULL */
    struct thread *loaded; /* whose state is in the core; may be waiting */
    struct mm *loaded_mm;  /* whose tables CR3 points to; a reference */
    uint64_t slice_left;   /* of the time slice, in the unit of quantum */
    uint64_t quantum;      /* time slice; 0: kernel_cfg.quantum_insts */
    uint64_t rt_ran;       /* of real-time threads since another one ran */
    bool is_woken;         /* has been told to look for a thread */
    tick_t (*now)(struct linux_cpu *cpu);
    void (*wake)(struct linux_cpu *cpu); /* there is work: run */
    /* Sites came or went; may be NULL.  It can come from inside a hook. */
    void (*stops_changed)(struct linux_cpu *cpu);
    uint64_t num_syscalls;
    uint64_t num_faults; /* exceptions that the core has met */
};

struct kernel {
    struct kernel_cfg cfg;
    struct frames *frames;
    struct vm_objects objects;
    struct mm_watch mm_watch;
    struct mm_watch *watch_next; /* also told; a KVM back end */
    struct vfs vfs;
    struct ktimer_list timers;
    struct stops stops;
    struct linux_cpu *cpus[KERNEL_MAX_CPUS]; /* the seats */
    uint32_t num_cpus;
    struct linux_cpu *current;               /* whose hook is running */
    uint64_t gdt_frame[KERNEL_MAX_CPUS / 8]; /* 8 descriptor tables each */
    struct kernel_page *pages;
    uint32_t num_pages;

    struct inotify *inotifies; /* all who watch files */
    uint32_t last_inotify_cookie;
    struct pipe_buffer *fifos; /* named pipes that are open */
    struct file *epolls;       /* all epoll descriptions */
    struct file_lock *locks;   /* advisory locks; also the channel */
    struct process *processes; /* all, newest first */
    struct process *first_process;
    struct thread *futex_waiters;        /* in order of arrival */
    struct thread *run_first, *run_last; /* runnable, not on a CPU */
    uint64_t tsc_ahead; /* the most of all CPUs; for a checkpoint */
    uint32_t last_pid;
    uint64_t last_file_id;
    uint64_t num_files_in_flight; /* descriptors inside sockets */
    uint64_t random_state[4];
    uint32_t num_threads;
    uint64_t num_context_switches;
    uint64_t num_forks;
    int32_t exit_code; /* of the first process, once it is gone */
    bool is_over;
    bool is_interrupted;  /* while it waited for the host's input */
    bool has_polled_host; /* the current call asked for a host stream */
    char host_channel;    /* address: threads that wait for the host's input */

    const struct syscall_row *calls_64[KERNEL_NUM_SYSCALLS];
    const struct syscall_row *calls_32[KERNEL_NUM_SYSCALLS];
    uint64_t unknown_64[KERNEL_NUM_SYSCALLS / 64]; /* reported already */
    uint64_t unknown_32[KERNEL_NUM_SYSCALLS / 64];
};

struct kernel *kernel_create(const struct kernel_cfg *cfg);
void kernel_destroy(struct kernel *kernel);

/** kernel_leave_host_tsc() - @cpu, which has the host's TSC, may be replaced by
 *  one that has not. */
void kernel_leave_host_tsc(struct linux_cpu *cpu);
/** kernel_add_cpu() - @cpu's core, period and hooks are set; fills its env's
 *  hooks that belong to the kernel.  Call linux_env_init() before the core is
 *  created. */
void kernel_add_cpu(struct kernel *kernel, struct linux_cpu *cpu);
void linux_env_init(struct linux_cpu *cpu);
/** kernel_change_cpu() - @cpu gets the seat of @old: index, thread, address
 *  space and what is left of the time slice.  The state in the core is the
 *  caller's business; counters stay with their CPU. */
void kernel_change_cpu(struct linux_cpu *old, struct linux_cpu *cpu);
void kernel_timer_fired(struct kernel *kernel, tick_t now);
/* A timer was armed or cancelled. */
void kernel_update_timer(struct kernel *kernel);

tick_t kernel_now(const struct kernel *kernel);
/* Simulated time since 1970 and since boot [ns]. */
uint64_t kernel_wall_ns(const struct kernel *kernel);
uint64_t kernel_boot_ns(const struct kernel *kernel);
uint64_t kernel_random(struct kernel *kernel);
void kernel_random_bytes(struct kernel *kernel, void *data, uint64_t len);

struct process *kernel_find_process(const struct kernel *kernel, uint32_t pid);
struct thread *kernel_find_thread(const struct kernel *kernel, uint32_t tid);
uint32_t kernel_new_pid(struct kernel *kernel);

/** kernel_wake() - @channel changed: threads that wait on it try again. */
void kernel_wake(struct kernel *kernel, const void *channel);

/* Bring what shared mappings of all processes changed to the file. */
void kernel_sync_object(struct kernel *kernel, struct vm_object *object);
/** kernel_poll_host() - wait for the host's inputs because nothing can run.
 *  Returns: false if no thread waits for them. */
bool kernel_poll_host(struct kernel *kernel);

/* Linear address of the descriptor table of @cpu; the supervisor's. */
uint64_t kernel_gdt_addr(const struct linux_cpu *cpu);
/** kernel_add_page() - a page of zeroes at @addr in all address spaces, those
 *  that exist and those that come.  Returns: its frame; false if guest RAM is
 *  full. */
bool kernel_add_page(struct kernel *kernel, uint64_t addr,
                     enum mm_kernel_access access, gpa_t *frame);
/* Map the pages of the kernel half into a new address space. */
bool kernel_map_pages(struct kernel *kernel, struct mm *mm);
uint64_t *kernel_gdt(const struct linux_cpu *cpu);

#ifdef __cplusplus
}
#endif

#endif
