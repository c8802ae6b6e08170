/* SPDX-License-Identifier: BSD-3-Clause */
/* Signal frames of 32-bit programs, with and without siginfo.
 * Source: the kernel's user header asm/sigcontext.h; sigreturn(2). */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/segment.h"
#include "arch/x86/linux/sigframe.h"
#include "arch/x86/linux/signal.h"
#include "arch/x86/linux/uaccess.h"

struct sigframe32_context {
    uint32_t gs, fs, es, ds;
    uint32_t di, si, bp, sp, bx, dx, cx, ax;
    uint32_t trapno, err, ip, cs, flags, sp_at_signal, ss;
    uint32_t fpstate, oldmask, cr2;
};

enum { FPSTATE_SIZE = 624, FSAVE_SIZE = 112 };

struct sigframe32_old {
    uint32_t pretcode, sig;
    struct sigframe32_context context;
    uint8_t fpstate_unused[FPSTATE_SIZE];
    uint32_t extramask;
    uint8_t retcode[8];
};

struct sigframe32_rt {
    uint32_t pretcode, sig, pinfo, puc;
    uint8_t info[128];
    uint32_t uc_flags, uc_link;
    uint32_t stack_sp, stack_flags, stack_size;
    struct sigframe32_context context;
    uint32_t sigmask[2];
    uint8_t retcode[8];
};

#define RESTORED_FLAGS                                                         \
    ((uint64_t)(X86_ARITH_FLAGS | X86_TF | X86_DF_FLAG | X86_RF | X86_AC_FLAG))

static uint64_t sigframe32_mask(const struct thread *thread)
{
    return thread->wait.has_saved_mask ? thread->wait.saved_mask
                                       : thread->sigmask;
}

static void sigframe32_save(const struct thread *thread,
                            const struct x86_state *state,
                            struct sigframe32_context *context)
{
    context->gs = state->seg[X86_GS].selector;
    context->fs = state->seg[X86_FS].selector;
    context->es = state->seg[X86_ES].selector;
    context->ds = state->seg[X86_DS].selector;
    context->di = (uint32_t)state->gpr[X86_RDI];
    context->si = (uint32_t)state->gpr[X86_RSI];
    context->bp = (uint32_t)state->gpr[X86_RBP];
    context->sp = context->sp_at_signal = (uint32_t)state->gpr[X86_RSP];
    context->bx = (uint32_t)state->gpr[X86_RBX];
    context->dx = (uint32_t)state->gpr[X86_RDX];
    context->cx = (uint32_t)state->gpr[X86_RCX];
    context->ax = (uint32_t)state->gpr[X86_RAX];
    context->trapno = thread->fault_trap;
    context->err = (uint32_t)thread->fault_error;
    context->cr2 = (uint32_t)thread->fault_addr;
    context->ip = (uint32_t)state->rip;
    context->cs = state->seg[X86_CS].selector;
    context->ss = state->seg[X86_SS_SEG].selector;
    context->flags = (uint32_t)state->rflags;
    context->oldmask = (uint32_t)sigframe32_mask(thread);
}

/* The old FSAVE area in front of the image: control, status and tag words are
 * what programs look at; the registers are read from the image. */
static bool sigframe32_put_fpu(struct thread *thread,
                               const struct x86_state *state, uint64_t *sp,
                               uint32_t *fpstate)
{
    uint8_t legacy[FSAVE_SIZE] = {0};

    *sp -= segment_xsave_size(state->xcr0) + 4;
    *sp &= ~UINT64_C(63);
    if (!sigframe_put_fpu(thread, state, *sp))
        return false;
    memcpy(legacy, state->xsave, 2);
    memcpy(legacy + 4, state->xsave + 2, 2);
    for (unsigned i = 0; i < 8; i++) {
        unsigned is_used = (state->xsave[4] >> i) & 1;

        if (!is_used)
            legacy[8 + i / 4] |= (uint8_t)(3 << (i % 4 * 2));
        memcpy(legacy + 28 + i * 10, state->xsave + 32 + i * 16, 10);
    }
    memcpy(legacy + 108, state->xsave + 2, 2);
    *sp -= FSAVE_SIZE;
    *fpstate = (uint32_t)*sp;
    return !uaccess_put(thread->process->mm, *sp, legacy);
}

static void sigframe32_enter(struct linux_cpu *cpu, struct thread *thread,
                             const struct signal_action *action,
                             const uint64_t args[4])
{
    struct x86_state *state = x86_core_state(cpu->core);

    state->gpr[X86_RAX] = args[0];
    state->gpr[X86_RDX] = args[1];
    state->gpr[X86_RCX] = args[2];
    state->gpr[X86_RSP] = args[3];
    state->rip = action->handler;
    state->rflags &= ~(uint64_t)(X86_DF_FLAG | X86_RF | X86_TF);
    (void)segment_load(state, thread, X86_CS, SELECTOR_USER32_CS);
    (void)segment_load(state, thread, X86_SS_SEG, SELECTOR_USER_DS);
    (void)segment_load(state, thread, X86_DS, SELECTOR_USER_DS);
    (void)segment_load(state, thread, X86_ES, SELECTOR_USER_DS);
    x86_core_state_changed(cpu->core);
}

static uint64_t sigframe32_place(uint64_t sp, uint64_t size)
{
    return ((sp - size + 4) & ~UINT64_C(15)) - 4;
}

static bool sigframe32_push_old(struct linux_cpu *cpu, struct thread *thread,
                                const struct signal_action *action, int signo,
                                uint64_t sp)
{
    struct x86_state *state = x86_core_state(cpu->core);
    struct sigframe32_old frame = {0};
    uint64_t args[4] = {(uint64_t)signo, 0, 0, 0};

    if (!sigframe32_put_fpu(thread, state, &sp, &frame.context.fpstate))
        return false;
    sp = sigframe32_place(sp, sizeof(frame));
    frame.pretcode = (uint32_t)action->restorer;
    frame.sig = (uint32_t)signo;
    frame.extramask = (uint32_t)(sigframe32_mask(thread) >> 32);
    sigframe32_save(thread, state, &frame.context);
    if (!action->restorer || uaccess_put(thread->process->mm, sp, frame))
        return false;
    args[3] = sp;
    sigframe32_enter(cpu, thread, action, args);
    return true;
}

static bool sigframe32_push_rt(struct linux_cpu *cpu, struct thread *thread,
                               const struct signal_action *action,
                               const struct signal_info *info, uint64_t sp)
{
    struct x86_state *state = x86_core_state(cpu->core);
    struct sigframe32_rt frame = {0};
    uint64_t args[4] = {(uint64_t)info->signo, 0, 0, 0};

    if (!sigframe32_put_fpu(thread, state, &sp, &frame.context.fpstate))
        return false;
    sp = sigframe32_place(sp, sizeof(frame));
    frame.pretcode = (uint32_t)action->restorer;
    frame.sig = (uint32_t)info->signo;
    frame.pinfo = (uint32_t)(sp + offsetof(struct sigframe32_rt, info));
    frame.puc = (uint32_t)(sp + offsetof(struct sigframe32_rt, uc_flags));
    signal_info_encode_32(info, frame.info);
    frame.uc_flags = 1;
    frame.stack_sp = (uint32_t)thread->altstack;
    frame.stack_flags = thread->altstack_flags;
    frame.stack_size = (uint32_t)thread->altstack_size;
    sigframe32_save(thread, state, &frame.context);
    frame.sigmask[0] = (uint32_t)sigframe32_mask(thread);
    frame.sigmask[1] = (uint32_t)(sigframe32_mask(thread) >> 32);
    if (!action->restorer || uaccess_put(thread->process->mm, sp, frame))
        return false;
    args[1] = frame.pinfo;
    args[2] = frame.puc;
    args[3] = sp;
    sigframe32_enter(cpu, thread, action, args);
    return true;
}

bool sigframe32_push(struct linux_cpu *cpu, struct thread *thread,
                     const struct signal_info *info)
{
    const struct signal_action *action =
        &thread->process->handlers->action[info->signo];
    uint64_t sp = (uint32_t)x86_core_state(cpu->core)->gpr[X86_RSP];

    x86_core_sync(cpu->core);
    sp = sigframe_stack(thread, action, sp);
    if (action->flags & SA_SIGINFO)
        return sigframe32_push_rt(cpu, thread, action, info, sp);
    return sigframe32_push_old(cpu, thread, action, info->signo, sp);
}

static bool sigframe32_load_segments(struct x86_state *state,
                                     const struct thread *thread,
                                     const struct sigframe32_context *context)
{
    return segment_load(state, thread, X86_GS, (uint16_t)context->gs) &&
           segment_load(state, thread, X86_FS, (uint16_t)context->fs) &&
           segment_load(state, thread, X86_ES, (uint16_t)context->es) &&
           segment_load(state, thread, X86_DS, (uint16_t)context->ds) &&
           segment_load(state, thread, X86_CS, (uint16_t)context->cs | 3) &&
           segment_load(state, thread, X86_SS_SEG, (uint16_t)context->ss | 3);
}

static bool sigframe32_restore(struct linux_cpu *cpu, struct thread *thread,
                               const struct sigframe32_context *context)
{
    struct x86_state *state = x86_core_state(cpu->core);
    uint64_t image = context->fpstate ? context->fpstate + FSAVE_SIZE : 0;

    x86_core_sync(cpu->core);
    if (!sigframe_get_fpu(thread, state, image) ||
        !sigframe32_load_segments(state, thread, context))
        return false;
    state->gpr[X86_RDI] = context->di;
    state->gpr[X86_RSI] = context->si;
    state->gpr[X86_RBP] = context->bp;
    state->gpr[X86_RSP] = context->sp;
    state->gpr[X86_RBX] = context->bx;
    state->gpr[X86_RDX] = context->dx;
    state->gpr[X86_RCX] = context->cx;
    state->gpr[X86_RAX] = context->ax;
    state->rip = context->ip;
    state->rflags =
        (state->rflags & ~RESTORED_FLAGS) | (context->flags & RESTORED_FLAGS);
    x86_core_state_changed(cpu->core);
    return true;
}

bool sigframe32_pop(struct linux_cpu *cpu, struct thread *thread,
                    enum sigframe32_kind kind)
{
    struct mm *mm = thread->process->mm;
    uint64_t sp = (uint32_t)x86_core_state(cpu->core)->gpr[X86_RSP];
    struct sigframe32_old old;
    struct sigframe32_rt rt;
    uint64_t mask;

    if (kind == SIGFRAME32_OLD) {
        if (uaccess_get(mm, sp - 8, old) ||
            !sigframe32_restore(cpu, thread, &old.context))
            return false;
        mask = old.context.oldmask | (uint64_t)old.extramask << 32;
    } else {
        if (uaccess_get(mm, sp - 4, rt) ||
            !sigframe32_restore(cpu, thread, &rt.context))
            return false;
        mask = rt.sigmask[0] | (uint64_t)rt.sigmask[1] << 32;
        thread->altstack = rt.stack_sp;
        thread->altstack_size = rt.stack_size;
        thread->altstack_flags = rt.stack_flags;
    }
    thread->sigmask = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    return true;
}
