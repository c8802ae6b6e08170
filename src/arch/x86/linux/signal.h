/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals: actions, pending sets, delivery.
 * Sources: signal(7), sigaction(2), sigaltstack(2), sigreturn(2).
 */
#ifndef ARCH_X86_LINUX_SIGNAL_H
#define ARCH_X86_LINUX_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct linux_cpu;
struct process;
struct thread;

enum { SIGNAL_MAX = 64, SIGINFO_SIZE = 128 };

#define SIGNAL_BIT(sig) (UINT64_C(1) << ((sig)-1))

/* As the 64-bit kernel lays it out; the 32-bit form is converted. */
struct signal_action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

struct signal_handlers { /* shared by the threads, or with CLONE_SIGHAND */
    uint32_t refs;
    struct signal_action action[SIGNAL_MAX + 1];
};

/* What siginfo_t carries. */
struct signal_info {
    int32_t signo, code, error;
    uint32_t pid, uid;   /* kill, SIGCHLD, timers: timer id and overrun */
    int32_t status;      /* SIGCHLD */
    uint64_t value;      /* rt_sigqueueinfo, timers */
    uint64_t addr;       /* faults */
    uint32_t trap;       /* vector, for the context */
    uint32_t error_code; /* of the exception */
    uint64_t utime, stime;
};

struct signal_pending {
    struct signal_info info;
    struct signal_pending *next;
};

struct signal_set {
    uint64_t bits;
    struct signal_pending *first;
};

struct signal_handlers *signal_handlers_create(void);
struct signal_handlers *
signal_handlers_copy(const struct signal_handlers *handlers);
void signal_handlers_put(struct signal_handlers *handlers);
/* exec: handlers become the default, ignored stays ignored. */
void signal_handlers_reset(struct signal_handlers *handlers);

const char *signal_name(int sig);

/** signal_send_thread(), signal_send_process() - make a signal pending and
 *  interrupt who has to handle it. */
void signal_send_thread(struct thread *thread, const struct signal_info *info);
void signal_send_process(struct process *process,
                         const struct signal_info *info);
/* A fault of the running thread: cannot be ignored or blocked. */
void signal_force(struct thread *thread, const struct signal_info *info);
/* Whether a signal is pending that the thread does not block. */
bool signal_is_pending(const struct thread *thread);
/** signal_take() - remove the next pending signal out of @mask. */
bool signal_take(struct thread *thread, uint64_t mask,
                 struct signal_info *info);
uint64_t signal_pending_bits(const struct thread *thread);
void signal_set_clear(struct signal_set *set);
/* At the end of the set, whatever is pending already. */
void signal_set_append(struct signal_set *set, const struct signal_info *info);
/** signal_find_timer() - the waiting signal of timer @id, or NULL. */
struct signal_info *signal_find_timer(const struct signal_set *set, int signo,
                                      uint32_t id);
/* The mask changed or an action became "ignore". */
void signal_discard_ignored(struct thread *thread, int sig);

/**
 * signal_deliver() - act on pending signals before @thread returns to its
 * program on @cpu: build a frame, end the process, or stop it
 *
 * Returns: false if the thread cannot run on.
 */
bool signal_deliver(struct linux_cpu *cpu, struct thread *thread);

/* Layout of siginfo_t for 64-bit and 32-bit programs. */
void signal_info_encode(const struct signal_info *info, uint8_t out[128]);
void signal_info_encode_32(const struct signal_info *info, uint8_t out[128]);
void signal_info_decode(const uint8_t in[128], struct signal_info *info);

/* ---------------------------------------------------------------- frames */

/* sigframe.c and sigframe32.c: false if the stack cannot be written or the
 * frame to return from cannot be read. */
bool sigframe_push(struct linux_cpu *cpu, struct thread *thread,
                   const struct signal_info *info);
bool sigframe_pop(struct linux_cpu *cpu, struct thread *thread);
bool sigframe32_push(struct linux_cpu *cpu, struct thread *thread,
                     const struct signal_info *info);
enum sigframe32_kind { SIGFRAME32_OLD, SIGFRAME32_RT };
bool sigframe32_pop(struct linux_cpu *cpu, struct thread *thread,
                    enum sigframe32_kind kind);
/* Where the frame goes: the alternate stack if the action wants it. */
uint64_t sigframe_stack(const struct thread *thread,
                        const struct signal_action *action, uint64_t sp);

#ifdef __cplusplus
}
#endif

#endif
