/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting programs: the ELF file and its interpreter are mapped, the stack
 * gets arguments, environment and auxiliary vector.  Addresses are those of
 * Linux without randomisation.
 * Sources: execve(2), getauxval(3), vm layout of the kernel's documentation.
 */
#ifndef ARCH_X86_LINUX_EXEC_H
#define ARCH_X86_LINUX_EXEC_H

#include <stdint.h>

#include "arch/x86/linux/file.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct linux_cpu;
struct process;
struct thread;

enum { EXEC_WHY_SIZE = 300, EXEC_MAX_ARGS = 0x7fffff / 8 };

struct exec_request {
    const char *path; /* of the program as the guest names it */
    const char *base; /* directory for a relative path */
    char **argv;      /* end with NULL; may be replaced for scripts */
    char **envp;
};

/**
 * exec_program() - replace the program of @thread's process
 * @cpu: runs the thread, or NULL for a process that has not started
 *
 * On failure the old program is untouched.
 * Returns: 0, or -errno with the reason in @why.
 */
SIM_MUST_CHECK int exec_program(struct linux_cpu *cpu, struct thread *thread,
                                const struct exec_request *request,
                                char why[EXEC_WHY_SIZE]);

/* What a script says about a process to start. */
struct exec_start {
    const char *path;
    char **argv, **envp;
    const char *cwd;
    int stdio[3]; /* host descriptors, taken over; -1: /dev/null */
    enum file_stdio_kind stdio_kind[3];
    uint32_t pid; /* 0: the next one */
    uint32_t uid, euid, gid, egid, pgid;
};

/** exec_start_process() - make a process and queue its thread
 *  Returns: 0, or -errno with the reason in @why. */
SIM_MUST_CHECK int exec_start_process(struct kernel *kernel,
                                      const struct exec_start *start,
                                      char why[EXEC_WHY_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
