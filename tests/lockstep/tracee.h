/* SPDX-License-Identifier: BSD-3-Clause */
/* A native process under ptrace: the oracle of a lockstep run. */
#ifndef TESTS_LOCKSTEP_TRACEE_H
#define TESTS_LOCKSTEP_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct tracee {
    pid_t pid;
    int mem;        /* /proc/PID/mem */
    bool is_over;   /* exited or was killed */
    int status;     /* of waitpid, when it is over */
    uint64_t entry; /* AT_ENTRY: where the program proper starts */
};

/* One line of /proc/PID/maps. */
struct region {
    uint64_t start, end;
    bool is_readable, is_writable, is_executable;
};

/**
 * tracee_start() - exec the program and stop at its entry point
 *
 * The dynamic loader has run by then.  Addresses are not randomised, and the
 * vDSO is hidden, so that the clock is read by system calls.
 * Returns: false with a message on stderr.
 */
bool tracee_start(struct tracee *tracee, char *const argv[]);
void tracee_kill(struct tracee *tracee);

/** tracee_refuse_syscall() - at a system call: let it end with -ENOSYS. */
void tracee_refuse_syscall(struct tracee *tracee);
void tracee_get_regs(struct tracee *tracee, struct user_regs_struct *regs);
/* Extended state as XSAVE writes it on this host; returns its size. */
size_t tracee_get_xsave(struct tracee *tracee, void *data, size_t size);

/* Run to the next system call's entry, or from the entry to its exit. */
void tracee_to_syscall(struct tracee *tracee);
void tracee_step(struct tracee *tracee);

bool tracee_read(struct tracee *tracee, uint64_t addr, void *data, size_t len);
/* The mappings in order; at most @max, returns their number. */
size_t tracee_regions(struct tracee *tracee, struct region *out, size_t max);

#endif
