/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls: a handler and its row stand together in one sys_*.c; numbers
 * come from syscalls_64.def and syscalls_32.def by name.
 *
 * A handler returns a value or -errno.  To wait it returns what syscall_wait()
 * gave it; it is called again, with the same arguments, when the thread wakes.
 */
#ifndef ARCH_X86_LINUX_SYSCALL_H
#define ARCH_X86_LINUX_SYSCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/process.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct kernel;

struct syscall {
    struct kernel *kernel;
    struct linux_cpu *cpu;
    struct thread *thread;
    struct process *process;
    struct mm *mm;
    uint64_t arg[6];
    bool is_32;
};

typedef int64_t (*syscall_fn)(struct syscall *call);

/*
 * Letters of args, one per argument, for the trace: d decimal, u unsigned,
 * x hexadecimal, o octal, p pointer, s string, f descriptor.
 */
struct syscall_row {
    const char *name;
    const char *args;
    syscall_fn fn;    /* for 64-bit programs; NULL: not there */
    syscall_fn fn_32; /* for 32-bit programs; NULL: not there */
};

#define SYSCALL_ROW_ANY(name_, args_, fn_, fn_32_)                             \
    {                                                                          \
        .name = #name_, .args = args_, .fn = fn_, .fn_32 = fn_32_              \
    }
/* One function, called sys_<name>, for both classes of programs. */
#define SYSCALL_ROW(name_, args_)                                              \
    SYSCALL_ROW_ANY(name_, args_, sys_##name_, sys_##name_)
/* Another one, sys_<name>_32, for 32-bit programs. */
#define SYSCALL_ROW_BOTH(name_, args_)                                         \
    SYSCALL_ROW_ANY(name_, args_, sys_##name_, sys_##name_##_32)
#define SYSCALL_ROW_64(name_, args_)                                           \
    SYSCALL_ROW_ANY(name_, args_, sys_##name_, NULL)
#define SYSCALL_ROW_32(name_, args_, fn_)                                      \
    SYSCALL_ROW_ANY(name_, args_, NULL, fn_)
#define SYSCALL_END                                                            \
    {                                                                          \
        .name = NULL                                                           \
    }

/* Results that do not reach the program. */
enum {
    SYSCALL_WAITS = -4096,     /* the thread left its CPU */
    SYSCALL_NO_RESULT = -4097, /* registers are set already */
    SYSCALL_RESTART = -512,    /* ERESTARTSYS: EINTR without SA_RESTART */
    SYSCALL_RESTART_NO_HANDLER = -514, /* EINTR if a handler runs */
};

extern const struct syscall_row sys_file_rows[];
extern const struct syscall_row sys_io_rows[];
extern const struct syscall_row sys_inotify_rows[];
extern const struct syscall_row sys_lock_rows[];
extern const struct syscall_row sys_stat_rows[];
extern const struct syscall_row sys_path_rows[];
extern const struct syscall_row sys_mlock_rows[];
extern const struct syscall_row sys_mm_rows[];
extern const struct syscall_row sys_proc_rows[];
extern const struct syscall_row sys_id_rows[];
extern const struct syscall_row sys_signal_rows[];
extern const struct syscall_row sys_time_rows[];
extern const struct syscall_row sys_timer_rows[];
extern const struct syscall_row sys_posix_timer_rows[];
extern const struct syscall_row sys_poll_rows[];
extern const struct syscall_row sys_info_rows[];
extern const struct syscall_row sys_sched_rows[];
extern const struct syscall_row sys_socket_rows[];
extern const struct syscall_row sys_socket_message_rows[];
extern const struct syscall_row futex_rows[];

/* Connect numbers and rows. */
void syscall_bind(struct kernel *kernel);
enum syscall_abi { SYSCALL_ABI_64, SYSCALL_ABI_32 };
const char *syscall_name(uint64_t nr, enum syscall_abi abi);

/** syscall_enter() - the instruction was executed on @cpu. */
void syscall_enter(struct linux_cpu *cpu, enum x86_syscall_kind kind);
/** syscall_continue() - execute the call of a woken thread again.
 *  Returns: false if it waits again. */
bool syscall_continue(struct linux_cpu *cpu, struct thread *thread);

/**
 * syscall_wait() - let the thread wait on @channel
 * @deadline: TICK_MAX for none; the first one given is kept over wake-ups
 *
 * Returns: SYSCALL_WAITS, or at once -ETIMEDOUT or SYSCALL_RESTART if the
 * thread was woken by its deadline or by a signal.
 */
int64_t syscall_wait(struct syscall *call, const void *channel,
                     tick_t deadline);
/* The same for a thread that waits for any file. */
int64_t syscall_wait_any(struct syscall *call, tick_t deadline);

/* The open description behind a descriptor argument, or NULL. */
struct file *syscall_file(const struct syscall *call, uint64_t fd);

#ifdef __cplusplus
}
#endif

#endif
