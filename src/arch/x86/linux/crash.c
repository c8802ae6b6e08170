/* SPDX-License-Identifier: BSD-3-Clause */
/* The report follows frame pointers and, where there are none, words on the
 * stack that point behind a call into code; it is a help, not a proof. */
#include "arch/x86/linux/crash.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/signal.h"
#include "arch/x86/linux/symbolize.h"
#include "arch/x86/linux/uaccess.h"
#include "sim/report.h"

enum { CRASH_MAX_FRAMES = 16 };

static const char *const crash_gprs[X86_NUM_GPRS] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

/* "function+0x12 (/path)" for an address in code. */
static void crash_describe(const struct mm *mm, uint64_t addr, char out[200])
{
    struct symbolized at;

    symbolize(mm, addr, &at);
    if (at.function)
        (void)snprintf(out, 200, "%.80s+0x%" PRIx64 " (%.90s)", at.function,
                       at.offset, at.path);
    else if (at.path)
        (void)snprintf(out, 200, "0x%" PRIx64 " in %.120s", at.offset, at.path);
    else
        (void)snprintf(out, 200, "?");
}

static bool crash_is_code(const struct mm *mm, uint64_t addr)
{
    const struct vma *vma = mm_at(mm, addr);

    return vma && (vma->prot & MM_EXEC);
}

/* Whether a call instruction ends just before @addr. */
static bool crash_is_return(struct mm *mm, uint64_t addr)
{
    uint8_t before[6]; /* E8 rel32; FF /2 with 0, 1 or 4 bytes behind */

    return crash_is_code(mm, addr) &&
           !uaccess_get(mm, addr - sizeof(before), before) &&
           (before[1] == 0xe8 || before[4] == 0xff || before[3] == 0xff ||
            before[0] == 0xff);
}

static void crash_frame(const struct kernel *kernel, const struct mm *mm,
                        unsigned number, uint64_t addr)
{
    char text[200];

    crash_describe(mm, addr, text);
    sim_warn(kernel->cfg.owner, "  #%u 0x%" PRIx64 " %s", number, addr, text);
}

static void crash_backtrace(const struct kernel *kernel, struct mm *mm,
                            const struct x86_state *state)
{
    uint64_t frame = state->gpr[X86_RBP], sp = state->gpr[X86_RSP], top;
    unsigned count = 0;

    crash_frame(kernel, mm, count++, state->rip);
    /* A function without a frame of its own: its caller is on top. */
    if (!uaccess_get(mm, sp, top) && crash_is_return(mm, top))
        crash_frame(kernel, mm, count++, top);
    while (count < CRASH_MAX_FRAMES && frame > sp && frame - sp < (8U << 20)) {
        uint64_t words[2];

        if (uaccess_get(mm, frame, words) || !crash_is_code(mm, words[1]))
            break;
        crash_frame(kernel, mm, count++, words[1]);
        if (words[0] <= frame)
            break;
        frame = words[0];
    }
    for (uint64_t at = sp; count < 4 && at < sp + 2048; at += 8) {
        uint64_t word;

        if (uaccess_get(mm, at, word))
            break;
        if (crash_is_return(mm, word))
            crash_frame(kernel, mm, count++, word);
    }
}

void crash_report(struct linux_cpu *cpu, struct thread *thread,
                  const struct signal_info *info)
{
    struct kernel *kernel = cpu->kernel;
    struct process *process = thread->process;
    const struct x86_state *state = x86_core_state(cpu->core);

    if (process->did_dump || !process->mm)
        return;
    process->did_dump = true;
    x86_core_sync(cpu->core);
    sim_warn(kernel->cfg.owner,
             "process %u (%s) dies by SIG%s, code %d, address 0x%" PRIx64,
             process->pid, thread->comm, signal_name(info->signo), info->code,
             info->addr);
    sim_warn(kernel->cfg.owner, "  rip 0x%016" PRIx64 " rflags 0x%" PRIx64,
             state->rip, state->rflags);
    for (int i = 0; i < X86_NUM_GPRS; i += 4)
        sim_warn(kernel->cfg.owner,
                 "  %-3s 0x%016" PRIx64 " %-3s 0x%016" PRIx64
                 " %-3s 0x%016" PRIx64 " %-3s 0x%016" PRIx64,
                 crash_gprs[i], state->gpr[i], crash_gprs[i + 1],
                 state->gpr[i + 1], crash_gprs[i + 2], state->gpr[i + 2],
                 crash_gprs[i + 3], state->gpr[i + 3]);
    crash_backtrace(kernel, process->mm, state);
}
