/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which flags an unmasked overflow or underflow leaves depends on the result
 * with an unbounded exponent, which nothing but the trap itself shows.  So the
 * rare instruction that is going to raise #XM is let raise it here.  The signal
 * handler makes the thunk return at once: nothing has been pushed when the
 * instruction executes, and RDI still is the first argument.
 */
#include "arch/x86/thunk_trap.h"

#include <signal.h>
#include <ucontext.h>

void x86_thunk_trap_return(void);
__asm__(".text\n"
        ".type x86_thunk_trap_return, @function\n"
        "x86_thunk_trap_return:\n\t"
        "ret\n"
        ".size x86_thunk_trap_return, . - x86_thunk_trap_return\n");

static void on_sigfpe(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    struct x86_fpu *fpu;

    (void)signo;
    (void)info;
    fpu = (struct x86_fpu *)(uintptr_t)uc->uc_mcontext.gregs[REG_RDI];
    fpu->trapped = uc->uc_mcontext.fpregs->mxcsr;
    uc->uc_mcontext.fpregs->mxcsr = X86_MXCSR_DEFAULT;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)x86_thunk_trap_return;
}

static void run(struct x86_fpu *fpu, struct x86_trap *trap)
{
    uint32_t host;

    __asm__ volatile("stmxcsr %0" : "=m"(host));
    __asm__ volatile("ldmxcsr %0" : : "m"(trap->mxcsr));
    trap->flags = trap->code(fpu, trap->mem, trap->flags);
    __asm__ volatile("stmxcsr %0" : "=m"(trap->mxcsr));
    __asm__ volatile("ldmxcsr %0" : : "m"(host));
}

bool x86_thunk_trap(struct x86_fpu *fpu, struct x86_trap *trap)
{
    struct sigaction action = {.sa_sigaction = on_sigfpe,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction old_action;
    sigset_t fpe, old_mask;

    sigemptyset(&fpe);
    sigaddset(&fpe, SIGFPE);
    sigemptyset(&action.sa_mask);
    (void)pthread_sigmask(SIG_UNBLOCK, &fpe, &old_mask);
    (void)sigaction(SIGFPE, &action, &old_action);
    fpu->trapped = 0;
    run(fpu, trap);
    (void)sigaction(SIGFPE, &old_action, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
    if (!fpu->trapped)
        return true;
    trap->mxcsr = fpu->trapped;
    return false;
}
