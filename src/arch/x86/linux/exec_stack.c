/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the top: 8 zero bytes, the program's name, the environment's strings,
 * the arguments' strings, platform, 16 random bytes; then, 16-byte aligned,
 * argc, argv[], NULL, envp[], NULL, the auxiliary vector.
 */
#include "arch/x86/linux/exec_stack.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/linux/elf.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/segment.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
    HWCAP2_FSGSBASE = 2,
    CLOCK_TICKS = 100,
    MAX_AUXV = 24,
    SIGFRAME_SIZE = 440 + 128 + 64
};

struct exec_words { /* pointers and numbers that go to the bottom */
    uint64_t *data;
    size_t len;
};

static size_t exec_count(char *const *list)
{
    size_t count = 0;

    while (list[count])
        count++;
    return count;
}

static int exec_push(struct exec_stack *stack, const void *data, uint64_t len)
{
    stack->sp -= len;
    return uaccess_write(stack->mm, stack->sp, data, len);
}

static uint64_t exec_strings_size(char *const *list)
{
    uint64_t size = 0;

    for (size_t i = 0; list[i]; i++)
        size += strlen(list[i]) + 1;
    return size;
}

/* Strings of a list in ascending order below sp; addresses go to @words. */
static int exec_push_strings(struct exec_stack *stack, char *const *list,
                             struct exec_words *words)
{
    uint64_t at = stack->sp - exec_strings_size(list);

    stack->sp = at;
    for (size_t i = 0; list[i]; i++) {
        uint64_t len = strlen(list[i]) + 1;

        if (uaccess_write(stack->mm, at, list[i], len))
            return -E2BIG;
        words->data[words->len++] = at;
        at += len;
    }
    words->data[words->len++] = 0;
    return 0;
}

static uint64_t exec_hwcap(const struct exec_stack *stack)
{
    const struct x86_cpuid *cpuid = stack->kernel->cfg.cpuid;
    struct x86_state *state;
    struct x86_cpuid_regs regs;

    if (!cpuid)
        return 0;
    state = stack->process->threads->state;
    regs = x86_cpuid_read(cpuid, state, 0, 1, 0);
    return regs.edx;
}

static uint64_t exec_hwcap2(const struct exec_stack *stack)
{
    const struct x86_cpuid *cpuid = stack->kernel->cfg.cpuid;

    return cpuid && x86_cpuid_has(cpuid, X86_FEAT_FSGSBASE) ? HWCAP2_FSGSBASE
                                                            : 0;
}

static void exec_auxv(const struct exec_stack *stack, struct exec_words *words,
                      const uint64_t strings[3])
{
    const struct process_ids *ids = &stack->process->ids;
    const struct elf_image *image = stack->image;
    uint64_t xcr0 = stack->process->threads->state->xcr0;
    const uint64_t auxv[][2] = {
        {AT_MINSIGSTKSZ, segment_xsave_size(xcr0) + SIGFRAME_SIZE},
        {AT_HWCAP,       exec_hwcap(stack)                       },
        {AT_PAGESZ,      FRAME_SIZE                              },
        {AT_CLKTCK,      CLOCK_TICKS                             },
        {AT_PHDR,        image->header_addr + stack->bias        },
        {AT_PHENT,       image->header_size                      },
        {AT_PHNUM,       image->num_headers                      },
        {AT_BASE,        stack->interp_base                      },
        {AT_FLAGS,       0                                       },
        {AT_ENTRY,       image->entry + stack->bias              },
        {AT_UID,         ids->user[ID_REAL]                      },
        {AT_EUID,        ids->user[ID_EFFECTIVE]                 },
        {AT_GID,         ids->group[ID_REAL]                     },
        {AT_EGID,        ids->group[ID_EFFECTIVE]                },
        {AT_SECURE,      0                                       },
        {AT_RANDOM,      strings[0]                              },
        {AT_HWCAP2,      exec_hwcap2(stack)                      },
        {AT_EXECFN,      strings[1]                              },
        {AT_PLATFORM,    strings[2]                              },
        {AT_NULL,        0                                       },
    };

    for (size_t i = 0; i < SIM_ARRAY_LEN(auxv); i++) {
        words->data[words->len++] = auxv[i][0];
        words->data[words->len++] = auxv[i][1];
    }
}

/* The words, 4 or 8 bytes each, with the stack pointer aligned below. */
static int exec_push_words(struct exec_stack *stack,
                           const struct exec_words *words, size_t auxv_at)
{
    uint64_t width = stack->image->is_32 ? 4 : 8;
    uint64_t at;

    stack->sp = (stack->sp - words->len * width) & ~UINT64_C(15);
    at = stack->sp;
    for (size_t i = 0; i < words->len; i++, at += width) {
        if (uaccess_write(stack->mm, at, &words->data[i], width))
            return -E2BIG;
    }
    stack->mm->stack_start = stack->sp;
    stack->mm->auxv_start = stack->sp + auxv_at * width;
    stack->mm->auxv_len = (words->len - auxv_at) * width;
    return 0;
}

static int exec_push_all(struct exec_stack *stack, struct exec_words *words)
{
    const char *platform = stack->image->is_32 ? "i686" : "x86_64";
    uint64_t strings[3]; /* random bytes, name, platform */
    uint8_t random[16];
    char *name[2] = {alloc_strdup(stack->exec_name), NULL};
    struct exec_words ignored = {.data = alloc_zeroed(2, 8)};
    struct exec_words env = {
        .data = alloc_zeroed(exec_count(stack->envp) + 1, sizeof(uint64_t))};
    size_t auxv_at;
    int error = exec_push_strings(stack, name, &ignored);

    strings[1] = stack->sp;
    stack->mm->env_end = stack->sp;
    if (!error)
        error = exec_push_strings(stack, stack->envp, &env);
    stack->mm->env_start = stack->mm->arg_end = stack->sp;
    words->data[words->len++] = exec_count(stack->argv);
    if (!error)
        error = exec_push_strings(stack, stack->argv, words);
    stack->mm->arg_start = stack->sp;
    memcpy(&words->data[words->len], env.data, env.len * sizeof(*env.data));
    words->len += env.len;
    stack->sp &= ~UINT64_C(15);
    if (!error)
        error = exec_push(stack, platform, strlen(platform) + 1);
    strings[2] = stack->sp;
    kernel_random_bytes(stack->kernel, random, sizeof(random));
    if (!error)
        error = exec_push(stack, random, sizeof(random));
    strings[0] = stack->sp;
    auxv_at = words->len;
    exec_auxv(stack, words, strings);
    mem_free(name[0]);
    mem_free(ignored.data);
    mem_free(env.data);
    return error ? error : exec_push_words(stack, words, auxv_at);
}

int exec_stack_build(struct exec_stack *stack)
{
    uint64_t limit = stack->process->rlimits[3][0]; /* RLIMIT_STACK */
    uint64_t top = stack->mm->task_size;
    uint64_t start = (top - 1) & ~(uint64_t)(FRAME_HUGE_SIZE - 1);
    struct exec_words words = {
        .data = alloc_zeroed(exec_count(stack->argv) + exec_count(stack->envp) +
                                 3 + 2 * MAX_AUXV,
                             sizeof(uint64_t))};
    uint64_t room =
        exec_strings_size(stack->argv) + exec_strings_size(stack->envp);
    struct vma vma = {.start = start,
                      .end = top,
                      .prot = MM_READ | MM_WRITE,
                      .flags = VMA_STACK | VMA_GROWS_DOWN};
    int error = -E2BIG;

    stack->mm->limit_stack = limit;
    if (stack->image->has_exec_stack)
        vma.prot |= MM_EXEC;
    mm_insert(stack->mm, &vma);
    stack->sp = top - (stack->image->is_32 ? 4 : 8);
    if (room <= limit / 4)
        error = exec_push_all(stack, &words);
    mem_free(words.data);
    return error;
}
