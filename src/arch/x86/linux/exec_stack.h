/* SPDX-License-Identifier: BSD-3-Clause */
/* The initial stack of a program. */
#ifndef ARCH_X86_LINUX_EXEC_STACK_H
#define ARCH_X86_LINUX_EXEC_STACK_H

#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct elf_image;
struct kernel;
struct mm;
struct process;

struct exec_stack {
    struct kernel *kernel;
    const struct process *process;
    struct mm *mm;
    const struct elf_image *image;
    uint64_t bias;        /* load address minus linked address */
    uint64_t interp_base; /* 0: none */
    char *const *argv, *const *envp;
    const char *exec_name;
    uint64_t sp; /* result */
};

/** exec_stack_build() - map the stack and fill it; 0 or -errno (E2BIG). */
SIM_MUST_CHECK int exec_stack_build(struct exec_stack *stack);

#ifdef __cplusplus
}
#endif

#endif
