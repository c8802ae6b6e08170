/* SPDX-License-Identifier: BSD-3-Clause */
/* Restartable sequences. */
#include "arch/x86/linux/rseq.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "arch/x86/core.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/signal.h"
#include "arch/x86/linux/uaccess.h"

enum {
    AREA_SIZE = 32, /* of the first version of the interface; also alignment */
    AREA_CPU_ID_START = 0,
    AREA_CPU_ID = 4,
    AREA_SECTION = 8,
    FLAG_UNREGISTER = 1,
};
#define CPU_ID_UNINITIALIZED UINT32_MAX

/* A critical section, as the program describes it. */
struct section {
    uint32_t version, flags;
    uint64_t start_ip, post_commit_offset, abort_ip;
};

static int write_cpu_ids(struct thread *thread, uint64_t addr, uint32_t start,
                         uint32_t id)
{
    uint32_t ids[2] = {start, id};

    return uaccess_put(thread->process->mm, addr + AREA_CPU_ID_START, ids);
}

static int64_t unregister(struct thread *thread, uint64_t addr, uint32_t len,
                          uint32_t signature)
{
    if (!thread->rseq || thread->rseq != addr || thread->rseq_len != len)
        return -EINVAL;
    if (thread->rseq_signature != signature)
        return -EPERM;
    if (write_cpu_ids(thread, addr, 0, CPU_ID_UNINITIALIZED))
        return -EFAULT;
    thread->rseq = 0;
    return 0;
}

int64_t rseq_register(struct thread *thread, uint64_t addr, uint32_t len,
                      uint32_t flags, uint32_t signature)
{
    uint32_t cpu = thread->last_cpu;

    if (flags == FLAG_UNREGISTER)
        return unregister(thread, addr, len, signature);
    if (flags)
        return -EINVAL;
    if (thread->rseq) {
        if (thread->rseq != addr || thread->rseq_len != len)
            return -EINVAL;
        return thread->rseq_signature == signature ? -EBUSY : -EPERM;
    }
    if (len != AREA_SIZE || !addr || addr % AREA_SIZE)
        return -EINVAL;
    if (write_cpu_ids(thread, addr, cpu, cpu))
        return -EFAULT;
    thread->rseq = addr;
    thread->rseq_len = len;
    thread->rseq_signature = signature;
    return 0;
}

static bool is_inside(const struct section *section, uint64_t rip)
{
    return rip - section->start_ip < section->post_commit_offset;
}

/* The section that the program is in, or false with *@error set. */
static bool read_section(struct thread *thread, struct section *section,
                         bool *is_set, int *error)
{
    struct mm *mm = thread->process->mm;
    uint64_t addr;
    uint32_t signature;

    *is_set = false;
    *error = uaccess_get(mm, thread->rseq + AREA_SECTION, addr);
    if (*error || !addr)
        return !*error;
    *error = uaccess_get(mm, addr, *section);
    if (!*error)
        *error =
            uaccess_get(mm, section->abort_ip - sizeof signature, signature);
    if (!*error && (section->version || is_inside(section, section->abort_ip) ||
                    signature != (uint32_t)thread->rseq_signature))
        *error = -EINVAL;
    *is_set = true;
    return !*error;
}

static int settle(struct linux_cpu *cpu, struct thread *thread)
{
    struct x86_state *state = x86_core_state(cpu->core);
    const uint64_t none = 0;
    struct section section;
    bool is_set;
    int error;

    error = write_cpu_ids(thread, thread->rseq, cpu->index, cpu->index);
    if (error || !read_section(thread, &section, &is_set, &error) || !is_set)
        return error;
    /* Left behind or aborted: either way it is over. */
    error = uaccess_put(thread->process->mm, thread->rseq + AREA_SECTION, none);
    if (!error && is_inside(&section, state->rip))
        state->rip = section.abort_ip;
    return error;
}

void rseq_settle(struct linux_cpu *cpu, struct thread *thread)
{
    const struct signal_info segv = {.signo = SIGSEGV, .code = SI_KERNEL};

    if (thread->rseq && settle(cpu, thread))
        signal_force(thread, &segv);
}
