/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes and threads.
 *
 * States of a thread:
 *
 *   RUNNABLE <-> RUNNING -> DEAD      sched_run_next, sched_preempt,
 * thread_exit ^            |
 *      +- WAITING <-+                 sched_wait, sched_wake
 *      +- STOPPED <-+                 stop signals, SIGCONT
 *
 * A system call that has to wait is executed again when the thread wakes up
 * (thread->wait tells it why), so that no call keeps a stack of its own.
 */
#ifndef ARCH_X86_LINUX_PROCESS_H
#define ARCH_X86_LINUX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/linux/cpu_timer.h"
#include "arch/x86/linux/ktimer.h"
#include "arch/x86/linux/signal.h"
#include "arch/x86/state.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fd_table;
struct file;
struct kernel;
struct linux_cpu;
struct mm;
struct posix_timer;

enum thread_state {
    THREAD_RUNNABLE,
    THREAD_RUNNING,
    THREAD_WAITING,
    THREAD_STOPPED,
    THREAD_DEAD,
};

enum wake_reason {
    WAKE_NONE,   /* first execution of the call */
    WAKE_EVENT,  /* the channel changed */
    WAKE_TIMER,  /* the deadline passed */
    WAKE_SIGNAL, /* a signal has to be handled */
};

/* Whose word a thread waits for.  The first two are apart as in Linux: one does
 * not wake the other's waiters. */
enum futex_kind {
    FUTEX_OF_NONE,
    FUTEX_OF_PROCESS, /* FUTEX_PRIVATE_FLAG: an address */
    FUTEX_OF_MAPPING, /* private memory without the flag: an address */
    FUTEX_OF_FRAME,   /* shared memory: a physical address */
};

struct thread_wait {
    const void *channel;
    bool is_poll;    /* any file: woken by every channel */
    bool wants_host; /* one of the files is a stream of the host */
    enum wake_reason reason;
    tick_t deadline; /* kept over restarts of the call */
    bool has_deadline;
    enum futex_kind futex_kind;
    uint64_t futex_addr; /* of the word waited for, by kind */
    uint32_t futex_mask;
    struct thread *futex_next; /* in order of arrival */
    struct file *opening;      /* a named pipe, until the other side comes */
    const void *lock_blocker;  /* owner of the record lock waited for */
    uint64_t progress;         /* bytes a transfer has done so far */
    uint64_t saved_mask;       /* of sigsuspend, ppoll */
    bool has_saved_mask;
};

enum { THREAD_TLS_SLOTS = 3 }; /* set_thread_area */

struct thread {
    struct process *process;
    struct thread *next; /* of the same process */
    struct thread *run_next;
    struct linux_cpu *cpu; /* where it runs, or whose core holds its state */
    struct x86_state *state;
    void *state_block; /* allocation behind state */
    uint32_t tid;
    enum thread_state run_state;
    uint32_t last_cpu;
    uint64_t affinity[4];
    int32_t nice;         /* -20 to 19: longer to shorter time slices */
    uint32_t policy;      /* SCHED_OTHER, _BATCH, _IDLE, _FIFO, _RR */
    uint32_t rt_priority; /* 1 to 99 with the last two, else 0 */
    bool resets_on_fork;  /* children are ordinary (SCHED_RESET_ON_FORK) */
    char comm[16];

    uint64_t sigmask;
    struct signal_set pending;
    uint64_t altstack, altstack_size;
    uint32_t altstack_flags;
    uint32_t fault_trap;
    uint64_t fault_addr, fault_error;

    struct thread_wait wait;
    struct ktimer wait_timer;
    bool in_syscall; /* the call has to be executed again */
    bool is_32_call; /* by int 0x80 or sysenter */
    uint64_t call_nr;
    int64_t restart; /* -ERESTART... to decide by signal delivery, or 0 */

    uint64_t clear_child_tid, set_child_tid;
    uint64_t robust_list;
    uint64_t rseq, rseq_signature;
    uint32_t rseq_len;
    uint32_t tls[THREAD_TLS_SLOTS][2]; /* descriptors */
    uint64_t run_ticks;
    tick_t run_since;
    uint64_t passed_stop; /* address whose hit was counted, not yet executed */
};

enum { NUM_RLIMITS = 16 };

struct process_fs { /* shared with CLONE_FS */
    uint32_t refs;
    char *cwd; /* as the guest knows it */
    uint32_t umask;
};

/* What prctl keeps and gives back; nothing here depends on it. */
enum process_setting {
    SETTING_DUMPABLE,
    SETTING_NO_NEW_PRIVS,
    SETTING_KEEPCAPS,
    SETTING_TIMERSLACK,
    SETTING_THP_DISABLE,
    NUM_PROCESS_SETTINGS
};

struct process_itimer {
    struct cpu_timer cpu;
    tick_t interval;
    int signo;
};

enum process_id { ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FS, NUM_IDS };

struct process_ids {
    uint32_t user[NUM_IDS], group[NUM_IDS];
};

struct process {
    struct kernel *kernel;
    struct process *next; /* all processes */
    struct process *parent;
    struct thread *threads;
    uint32_t num_threads;
    uint32_t pid, pgid, sid;
    struct mm *mm;
    struct fd_table *files;
    struct process_fs *fs;
    struct signal_handlers *handlers;
    struct signal_set pending;
    struct process_ids ids;
    uint64_t *groups; /* supplementary ones, in order */
    uint32_t num_groups;
    bool has_groups; /* setgroups(2) was called; else it is the real group */
    uint64_t rlimits[NUM_RLIMITS][2];
    char *exe; /* canonical guest path */
    bool is_32;
    bool is_zombie; /* waits for its parent to ask for the status */
    bool is_stopped;
    bool is_exiting; /* exit_group or a fatal signal */
    bool has_status; /* stopped or continued, not yet told to the parent */
    bool did_dump;   /* the crash report was given */
    int32_t status;  /* as wait4 returns it */
    uint32_t exit_signal;
    bool vfork_waits; /* the parent waits until exec or exit */
    uint64_t personality;
    uint32_t death_signal;
    bool is_subreaper;
    uint64_t settings[NUM_PROCESS_SETTINGS];
    uint64_t run_ticks, child_ticks;
    tick_t start;
    struct ktimer alarm;
    tick_t alarm_interval;
    struct process_itimer itimers[2]; /* ITIMER_VIRTUAL, ITIMER_PROF */
    struct cpu_timer cpu_limit;       /* RLIMIT_CPU */
    struct cpu_timer *cpu_timers;     /* armed ones */
    struct ktimer cpu_check;          /* when one of them may expire */
    struct posix_timer *timers;
    uint32_t last_timer_id;
    uint64_t min_faults, child_faults;
    uint64_t max_resident, child_max_resident; /* [bytes]; of former images */
};

struct process *process_create(struct kernel *kernel, struct process *parent);
void process_free(struct process *process);
/** process_set_groups() - its supplementary groups, which are copied. */
void process_set_groups(struct process *process, const uint64_t *groups,
                        uint32_t count);
/* Linux's NGROUPS_MAX. */
enum { PROCESS_MAX_GROUPS = 65536 };
struct thread *thread_create(struct process *process);
/* The thread ends; the process with its last one. */
void thread_exit(struct thread *thread, int32_t status);
/** process_exit() - all threads end; @status as wait4 returns it. */
void process_exit(struct process *process, int32_t status);
/* Only @survivor is left (exec). */
void process_kill_others(struct process *process, struct thread *survivor);
/* Other processes use the new image or the status: wake the vfork parent. */
void process_release_vfork(struct process *process);
void process_reap(struct process *process);
void process_notify_parent(struct process *process, int code, int status);
struct process_fs *process_fs_copy(const struct process_fs *fs);
void process_fs_put(struct process_fs *fs);
uint64_t process_run_ticks(const struct process *process);
/* The most memory that was resident at once [bytes]. */
uint64_t process_max_resident(const struct process *process);
uint64_t thread_run_ticks(const struct thread *thread);

/* Exit status as a shell sees it: code, or 128 + signal. */
int process_shell_status(int32_t status);

/* ------------------------------------------------------------- scheduling */

/** sched_run_next() - choose what @cpu executes; its state is in the core.
 *  Returns: false if there is nothing to run. */
bool sched_run_next(struct linux_cpu *cpu);
/** sched_ran() - @insts were executed; ends the time slice if it is used up
 *  and somebody else waits for a CPU. */
void sched_ran(struct linux_cpu *cpu, uint64_t insts);
/* A round of SCHED_RR [ticks]: Linux's default, 100 ms. */
#define SCHED_RR_SLICE (TICKS_PER_SECOND / 10)

void sched_enqueue(struct thread *thread);
void sched_dequeue(struct thread *thread);
/** sched_set_priority() - its real-time priority, 0: it is an ordinary thread;
 *  its place in the queue, and who runs, follow at once. */
void sched_set_priority(struct thread *thread, uint32_t priority);
/* The running thread leaves its CPU; the core stops. */
void sched_leave(struct thread *thread, enum thread_state state);
void sched_yield_cpu(struct thread *thread);
/** sched_wake() - a waiting thread continues with @reason. */
void sched_wake(struct thread *thread, enum wake_reason reason);
/* Copy the thread's state out of the core that holds it. */
void sched_save(struct thread *thread);
/* The thread's registers, in the core or saved. */
struct x86_state *sched_state(struct thread *thread);
/* State other than GPRs and RIP was changed. */
void sched_state_changed(struct thread *thread);
void sched_load_tls(struct linux_cpu *cpu, const struct thread *thread);
/* The CPUs use another address space for @process now. */
void sched_mm_changed(struct process *process);

#ifdef __cplusplus
}
#endif

#endif
