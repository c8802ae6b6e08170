/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/syscall.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"
#include "sim/debug.h"
#include "sim/report.h"

static const char *const syscall_names_64[KERNEL_NUM_SYSCALLS] = {
#define SYSCALL(number, name) [number] = #name,
#include "arch/x86/linux/syscalls_64.def"
#undef SYSCALL
};

static const char *const syscall_names_32[KERNEL_NUM_SYSCALLS] = {
#define SYSCALL(number, name) [number] = #name,
#include "arch/x86/linux/syscalls_32.def"
#undef SYSCALL
};

static const struct syscall_row *const syscall_tables[] = {
    sys_file_rows,        sys_io_rows,      sys_path_rows,
    sys_mm_rows,          sys_proc_rows,    sys_id_rows,
    sys_time_rows,        sys_timer_rows,   sys_poll_rows,
    sys_info_rows,        futex_rows,       sys_sched_rows,
    sys_signal_rows,      sys_socket_rows,  sys_stat_rows,
    sys_lock_rows,        sys_inotify_rows, sys_socket_message_rows,
    sys_posix_timer_rows, sys_mlock_rows,
};

const char *syscall_name(uint64_t nr, enum syscall_abi abi)
{
    if (nr >= KERNEL_NUM_SYSCALLS)
        return NULL;
    return abi == SYSCALL_ABI_32 ? syscall_names_32[nr] : syscall_names_64[nr];
}

static enum syscall_abi syscall_abi_of(const struct syscall *call)
{
    return call->is_32 ? SYSCALL_ABI_32 : SYSCALL_ABI_64;
}

static void syscall_bind_row(struct kernel *kernel,
                             const struct syscall_row *row)
{
    for (uint32_t nr = 0; nr < KERNEL_NUM_SYSCALLS; nr++) {
        if (row->fn && syscall_names_64[nr] &&
            !strcmp(syscall_names_64[nr], row->name))
            kernel->calls_64[nr] = row;
        if (row->fn_32 && syscall_names_32[nr] &&
            !strcmp(syscall_names_32[nr], row->name))
            kernel->calls_32[nr] = row;
    }
}

void syscall_bind(struct kernel *kernel)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(syscall_tables); i++) {
        for (const struct syscall_row *row = syscall_tables[i]; row->name;
             row++)
            syscall_bind_row(kernel, row);
    }
}

/* ---------------------------------------------------------------------- trace
 */

/* One argument as text, by the letter of its row. */
static void syscall_trace_arg(const struct syscall *call, char letter,
                              uint64_t value, char out[80])
{
    char *text = NULL;

    switch (letter) {
    case 'd':
    case 'f':
        (void)snprintf(out, 80, "%d", (int)value);
        break;
    case 'u':
        (void)snprintf(out, 80, "%llu", (unsigned long long)value);
        break;
    case 'o':
        (void)snprintf(out, 80, "0%llo", (unsigned long long)value);
        break;
    case 's':
        if (uaccess_str(call->mm, value, 4096, &text) == 0) {
            (void)snprintf(out, 80, "\"%.70s\"", text);
            mem_free(text);
            break;
        }
        /* fallthrough */
    default:
        (void)snprintf(out, 80, "0x%llx", (unsigned long long)value);
        break;
    }
}

static void syscall_trace_enter(const struct syscall *call,
                                const struct syscall_row *row)
{
    char line[640] = "";
    size_t len = 0;

    for (size_t i = 0; row->args[i]; i++) {
        char arg[80];

        syscall_trace_arg(call, row->args[i], call->arg[i], arg);
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s",
                                i ? ", " : "", arg);
    }
    TRACE(SyscallVerbose, call->kernel->cfg.owner, "[%u] %s(%s)",
          call->thread->tid, row->name, line);
}

/* -------------------------------------------------------------------- dispatch
 */

static void syscall_args(struct syscall *call, const struct x86_state *state)
{
    static const uint8_t order_64[6] = {X86_RDI, X86_RSI, X86_RDX,
                                        X86_R10, X86_R8,  X86_R9};
    static const uint8_t order_32[6] = {X86_RBX, X86_RCX, X86_RDX,
                                        X86_RSI, X86_RDI, X86_RBP};
    const uint8_t *order = call->is_32 ? order_32 : order_64;

    for (int i = 0; i < 6; i++) {
        call->arg[i] = state->gpr[order[i]];
        if (call->is_32)
            call->arg[i] = (uint32_t)call->arg[i];
    }
}

static void syscall_report_unknown(const struct syscall *call, uint64_t nr)
{
    struct kernel *kernel = call->kernel;
    uint64_t *seen = call->is_32 ? kernel->unknown_32 : kernel->unknown_64;
    const char *name = syscall_name(nr, syscall_abi_of(call));

    if (nr < KERNEL_NUM_SYSCALLS) {
        if ((seen[nr / 64] >> (nr % 64)) & 1)
            return;
        seen[nr / 64] |= UINT64_C(1) << (nr % 64);
    }
    sim_warn(kernel->cfg.owner,
             "system call %llu (%s%s) is not implemented: ENOSYS",
             (unsigned long long)nr, name ? name : "no such call",
             call->is_32 ? ", 32-bit" : "");
}

static int64_t syscall_dispatch(struct syscall *call, uint64_t nr)
{
    const struct syscall_row *row = NULL;

    if (nr < KERNEL_NUM_SYSCALLS)
        row = call->is_32 ? call->kernel->calls_32[nr]
                          : call->kernel->calls_64[nr];
    if (!row) {
        syscall_report_unknown(call, nr);
        return -ENOSYS;
    }
    if (SIM_UNLIKELY(debug_SyscallVerbose.is_on) &&
        call->thread->wait.reason == WAKE_NONE)
        syscall_trace_enter(call, row);
    return call->is_32 ? row->fn_32(call) : row->fn(call);
}

/* Put the result where the program finds it; decide about restarting. */
static bool syscall_finish(struct linux_cpu *cpu, struct thread *thread,
                           int64_t result)
{
    struct x86_state *state = x86_core_state(cpu->core);

    thread->in_syscall = false;
    thread->restart = 0;
    if (result != SYSCALL_NO_RESULT) {
        if (result == SYSCALL_RESTART || result == SYSCALL_RESTART_NO_HANDLER) {
            thread->restart = result;
            result = -EINTR;
        }
        state->gpr[X86_RAX] =
            thread->is_32_call ? (uint32_t)result : (uint64_t)result;
    }
    if (thread->restart || thread->wait.has_saved_mask ||
        signal_is_pending(thread))
        return signal_deliver(cpu, thread);
    return true;
}

static bool syscall_run(struct linux_cpu *cpu, struct thread *thread)
{
    struct syscall call = {
        .kernel = cpu->kernel,
        .cpu = cpu,
        .thread = thread,
        .process = thread->process,
        .mm = thread->process->mm,
        .is_32 = thread->is_32_call,
    };
    const char *name = syscall_name(thread->call_nr, syscall_abi_of(&call));
    uint32_t tid = thread->tid;
    uint64_t faults;
    int64_t result;

    cpu->kernel->has_polled_host = false;
    syscall_args(&call, x86_core_state(cpu->core));
    faults = call.mm->num_faults;
    result = syscall_dispatch(&call, thread->call_nr);
    if (result == SYSCALL_WAITS)
        return false;
    TRACE(SyscallBase, cpu->kernel->cfg.owner, "[%u] %s = %lld", tid,
          name ? name : "?", (long long)result);
    /* The thread may have died in the call, by a signal it sent itself. */
    if (cpu->thread != thread)
        return false;
    /* Faults of the kernel on the program's memory are the program's. */
    if (thread->process->mm == call.mm)
        thread->process->min_faults += call.mm->num_faults - faults;
    return syscall_finish(cpu, thread, result);
}

void syscall_enter(struct linux_cpu *cpu, enum x86_syscall_kind kind)
{
    struct thread *thread = cpu->thread;
    uint64_t nr = x86_core_state(cpu->core)->gpr[X86_RAX];

    thread->is_32_call = kind != X86_CALL_SYSCALL;
    thread->call_nr = thread->is_32_call ? (uint32_t)nr : nr;
    thread->wait.reason = WAKE_NONE;
    thread->wait.has_deadline = false;
    thread->wait.progress = 0;
    cpu->num_syscalls++;
    (void)syscall_run(cpu, thread);
}

bool syscall_continue(struct linux_cpu *cpu, struct thread *thread)
{
    return syscall_run(cpu, thread);
}

/* --------------------------------------------------------------------- waiting
 */

static int64_t syscall_wait_on(struct syscall *call, const void *channel,
                               tick_t deadline)
{
    struct thread *thread = call->thread;
    struct thread_wait *wait = &thread->wait;

    if (!wait->has_deadline) {
        wait->deadline = deadline;
        wait->has_deadline = true;
    }
    if (wait->reason == WAKE_TIMER ||
        wait->deadline <= kernel_now(call->kernel))
        return -ETIMEDOUT;
    if (wait->reason == WAKE_SIGNAL || signal_is_pending(thread))
        return SYSCALL_RESTART;
    wait->channel = channel;
    wait->is_poll = channel == NULL;
    wait->wants_host = channel == &call->kernel->host_channel ||
                       (!channel && call->kernel->has_polled_host);
    thread->in_syscall = true;
    if (wait->deadline != TICK_MAX) {
        ktimer_arm(&call->kernel->timers, &thread->wait_timer, wait->deadline);
        kernel_update_timer(call->kernel);
    }
    sched_leave(thread, THREAD_WAITING);
    return SYSCALL_WAITS;
}

int64_t syscall_wait(struct syscall *call, const void *channel, tick_t deadline)
{
    return syscall_wait_on(call, channel, deadline);
}

int64_t syscall_wait_any(struct syscall *call, tick_t deadline)
{
    return syscall_wait_on(call, NULL, deadline);
}

struct file *syscall_file(const struct syscall *call, uint64_t fd)
{
    return fd_table_find(call->process->files, (uint32_t)fd);
}
