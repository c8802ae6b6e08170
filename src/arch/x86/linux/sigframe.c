/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signal frames of 64-bit programs, byte for byte as the kernel builds them:
 * return address, ucontext, siginfo, and above them the XSAVE image.
 * Sources: sigreturn(2); the kernel's user header asm/sigcontext.h; [SDM]
 * Vol. 1, "XSAVE-Managed State".
 */
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
#include "arch/x86/segment.h"

struct sigframe_context { /* struct sigcontext */
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate;
    uint64_t reserved[8];
};

struct sigframe_stack { /* stack_t */
    uint64_t sp;
    uint32_t flags, pad;
    uint64_t size;
};

struct sigframe {
    uint64_t pretcode;
    uint64_t uc_flags, uc_link;
    struct sigframe_stack uc_stack;
    struct sigframe_context context;
    uint64_t uc_sigmask;
    uint8_t info[128];
};

SIM_STATIC_ASSERT(sizeof(struct sigframe) == 440, "layout of the kernel");

/* Position of each register in the context, in order of the encoding. */
static const uint8_t context_gprs[X86_NUM_GPRS] = {
    [X86_RAX] = 13, [X86_RCX] = 14, [X86_RDX] = 12, [X86_RBX] = 11,
    [X86_RSP] = 15, [X86_RBP] = 10, [X86_RSI] = 9,  [X86_RDI] = 8,
    [X86_R8] = 0,   [X86_R9] = 1,   [X86_R10] = 2,  [X86_R11] = 3,
    [X86_R12] = 4,  [X86_R13] = 5,  [X86_R14] = 6,  [X86_R15] = 7,
};

enum {
    UC_FP_XSTATE = 1,
    UC_SIGCONTEXT_SS = 2,
    UC_STRICT_RESTORE_SS = 4,
    RED_ZONE = 128,
    SW_RESERVED = 464, /* offset in the legacy area */
};
#define XSTATE_MAGIC1 UINT32_C(0x46505853)
#define XSTATE_MAGIC2 UINT32_C(0x46505845)

/* Flags that sigreturn restores. */
#define RESTORED_FLAGS                                                         \
    ((uint64_t)(X86_ARITH_FLAGS | X86_TF | X86_DF_FLAG | X86_RF | X86_AC_FLAG))

uint64_t sigframe_stack(const struct thread *thread,
                        const struct signal_action *action, uint64_t sp)
{
    bool is_on_alt =
        sp - thread->altstack <= thread->altstack_size && sp > thread->altstack;

    if ((action->flags & SA_ONSTACK) && !is_on_alt &&
        !(thread->altstack_flags & SS_DISABLE))
        return thread->altstack + thread->altstack_size;
    return sp;
}

bool sigframe_put_fpu(struct thread *thread, const struct x86_state *state,
                      uint64_t addr)
{
    uint8_t image[X86_XSAVE_SIZE];
    uint32_t size = segment_xsave_size(state->xcr0);
    uint32_t extended = size + 4, magic = XSTATE_MAGIC1;
    uint32_t end = XSTATE_MAGIC2;
    uint64_t features;

    memcpy(image, state->xsave, sizeof(image));
    memset(image + SW_RESERVED, 0, 48);
    memcpy(image + SW_RESERVED, &magic, 4);
    memcpy(image + SW_RESERVED + 4, &extended, 4);
    memcpy(image + SW_RESERVED + 8, &state->xcr0, 8);
    memcpy(image + SW_RESERVED + 16, &size, 4);
    memcpy(&features, image + 512, 8);
    features |= 3;
    memcpy(image + 512, &features, 8);
    return !uaccess_write(thread->process->mm, addr, image, size) &&
           !uaccess_put(thread->process->mm, addr + size, end);
}

bool sigframe_get_fpu(struct thread *thread, struct x86_state *state,
                      uint64_t addr)
{
    uint8_t image[X86_XSAVE_SIZE] = {0};
    uint32_t size = segment_xsave_size(state->xcr0);
    uint32_t mxcsr, magic, given;
    uint64_t features, none = 0;

    if (!addr) {
        segment_reset_fpu(state);
        return true;
    }
    if (uaccess_read(thread->process->mm, addr, image, 512))
        return false;
    memcpy(&magic, image + SW_RESERVED, 4);
    memcpy(&given, image + SW_RESERVED + 16, 4);
    features = 3;
    if (magic == XSTATE_MAGIC1 && given >= 576 && given <= size) {
        if (uaccess_read(thread->process->mm, addr, image, given))
            return false;
        memcpy(&features, image + 512, 8);
        features &= state->xcr0;
    }
    memset(image + 512, 0, 64);
    memcpy(image + 512, &features, 8);
    memcpy(&mxcsr, image + 24, 4);
    if (mxcsr & ~UINT32_C(0xffff))
        return false;
    memset(image + SW_RESERVED, 0, 48);
    memcpy(image + 520, &none, 8);
    memcpy(state->xsave, image, sizeof(image));
    return true;
}

static void sigframe_save(const struct thread *thread,
                          const struct x86_state *state,
                          const struct signal_info *info,
                          struct sigframe_context *context)
{
    uint64_t *slots = &context->r8;

    for (int i = 0; i < X86_NUM_GPRS; i++)
        slots[context_gprs[i]] = state->gpr[i];
    context->ip = state->rip;
    context->flags = state->rflags;
    context->cs = state->seg[X86_CS].selector;
    context->ss = state->seg[X86_SS_SEG].selector;
    context->err = thread->fault_error;
    context->trapno = thread->fault_trap;
    context->cr2 = thread->fault_addr;
    context->oldmask =
        thread->wait.has_saved_mask ? thread->wait.saved_mask : thread->sigmask;
    (void)info;
}

/* Handlers are 64-bit code, whatever they interrupt; SS must only be valid.
 * Linux, arch/x86/kernel/signal_64.c. */
static void sigframe_enter_segments(struct x86_state *state,
                                    const struct thread *thread)
{
    const struct x86_seg *ss = &state->seg[X86_SS_SEG];
    bool is_data =
        ss->present && !ss->unusable && ss->s && ss->dpl == 3 &&
        (ss->type & (X86_SEG_CODE | X86_SEG_WRITABLE)) == X86_SEG_WRITABLE;

    (void)segment_load(state, thread, X86_CS, SELECTOR_USER_CS);
    if (!is_data)
        (void)segment_load(state, thread, X86_SS_SEG, SELECTOR_USER_DS);
}

static void sigframe_enter(struct x86_state *state, uint64_t sp,
                           const struct signal_action *action, int signo)
{
    state->gpr[X86_RDI] = (uint64_t)signo;
    state->gpr[X86_RAX] = 0;
    state->gpr[X86_RSI] = sp + offsetof(struct sigframe, info);
    state->gpr[X86_RDX] = sp + offsetof(struct sigframe, uc_flags);
    state->gpr[X86_RSP] = sp;
    state->rip = action->handler;
    state->rflags &= ~(uint64_t)(X86_DF_FLAG | X86_RF | X86_TF);
}

bool sigframe_push(struct linux_cpu *cpu, struct thread *thread,
                   const struct signal_info *info)
{
    const struct signal_action *action =
        &thread->process->handlers->action[info->signo];
    struct x86_state *state = x86_core_state(cpu->core);
    struct sigframe frame = {0};
    uint64_t old_sp = state->gpr[X86_RSP];
    uint64_t sp = sigframe_stack(thread, action, old_sp - RED_ZONE);

    x86_core_sync(cpu->core);
    sp -= segment_xsave_size(state->xcr0) + 4;
    sp &= ~UINT64_C(63);
    frame.context.fpstate = sp;
    if (!sigframe_put_fpu(thread, state, sp))
        return false;
    sp = ((sp - sizeof(frame)) & ~UINT64_C(15)) - 8;
    frame.pretcode = action->restorer;
    frame.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS;
    if (state->seg[X86_CS].l)
        frame.uc_flags |= UC_STRICT_RESTORE_SS;
    frame.uc_stack.sp = thread->altstack;
    frame.uc_stack.size = thread->altstack_size;
    frame.uc_stack.flags = thread->altstack_flags;
    sigframe_save(thread, state, info, &frame.context);
    frame.uc_sigmask = frame.context.oldmask;
    signal_info_encode(info, frame.info);
    if (!action->restorer || uaccess_put(thread->process->mm, sp, frame))
        return false;
    sigframe_enter(state, sp, action, info->signo);
    sigframe_enter_segments(state, thread);
    x86_core_state_changed(cpu->core);
    return true;
}

/* Old emulators of DOS expect that SS of a frame of 32-bit code may be
 * anything: without the flag, it is mended where it does not load. */
static bool sigframe_restore_segments(struct x86_state *state,
                                      const struct thread *thread,
                                      const struct sigframe *frame)
{
    bool is_strict = frame->uc_flags & UC_STRICT_RESTORE_SS;

    if (!segment_load(state, thread, X86_CS, frame->context.cs | 3))
        return false;
    if (segment_load(state, thread, X86_SS_SEG, frame->context.ss | 3))
        return true;
    return !is_strict && state->seg[X86_CS].l &&
           segment_load(state, thread, X86_SS_SEG, SELECTOR_USER_DS);
}

static void sigframe_restore(struct x86_state *state,
                             const struct sigframe_context *context)
{
    const uint64_t *slots = &context->r8;

    for (int i = 0; i < X86_NUM_GPRS; i++)
        state->gpr[i] = slots[context_gprs[i]];
    state->rip = context->ip;
    state->rflags =
        (state->rflags & ~RESTORED_FLAGS) | (context->flags & RESTORED_FLAGS);
}

bool sigframe_pop(struct linux_cpu *cpu, struct thread *thread)
{
    struct x86_state *state = x86_core_state(cpu->core);
    struct sigframe frame;

    x86_core_sync(cpu->core);
    if (uaccess_get(thread->process->mm, state->gpr[X86_RSP] - 8, frame) ||
        !sigframe_get_fpu(thread, state, frame.context.fpstate))
        return false;
    sigframe_restore(state, &frame.context);
    if (!sigframe_restore_segments(state, thread, &frame))
        return false;
    thread->sigmask =
        frame.uc_sigmask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    thread->altstack = frame.uc_stack.sp;
    thread->altstack_size = frame.uc_stack.size;
    thread->altstack_flags = frame.uc_stack.flags;
    x86_core_state_changed(cpu->core);
    return true;
}
