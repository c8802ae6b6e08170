/* SPDX-License-Identifier: BSD-3-Clause */
/* Which signal an exception becomes: the kernel's table of traps.
 * Sources: [SDM] Vol. 3A, "Exception and Interrupt Reference"; signal(7),
 * sigaction(2), "The si_code field". */
#include "arch/x86/linux/fault.h"

#include <signal.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/signal.h"
#include "sim/report.h"

struct fault_row {
    int signo, code;
    bool has_addr; /* si_addr is the instruction */
};

enum { TRAP_FROM_KERNEL = SI_KERNEL };

static const struct fault_row fault_rows[X86_NUM_EXCEPTIONS] = {
    [X86_DE] = {SIGFPE,  FPE_INTDIV,       true },
    [X86_DB] = {SIGTRAP, TRAP_TRACE,       true },
    [X86_BP] = {SIGTRAP, TRAP_FROM_KERNEL, false},
    [X86_OF] = {SIGSEGV, TRAP_FROM_KERNEL, false},
    [X86_BR] = {SIGSEGV, TRAP_FROM_KERNEL, false},
    [X86_UD] = {SIGILL,  ILL_ILLOPN,       true },
    [X86_NM] = {SIGSEGV, TRAP_FROM_KERNEL, false},
    [X86_TS] = {SIGSEGV, TRAP_FROM_KERNEL, false},
    [X86_NP] = {SIGBUS,  TRAP_FROM_KERNEL, false},
    [X86_SS] = {SIGBUS,  TRAP_FROM_KERNEL, false},
    [X86_GP] = {SIGSEGV, TRAP_FROM_KERNEL, false},
    [X86_MF] = {SIGFPE,  FPE_FLTINV,       true },
    [X86_AC] = {SIGBUS,  BUS_ADRALN,       false},
    [X86_XM] = {SIGFPE,  FPE_FLTINV,       true },
};

/* Which unmasked exception: the order in which Linux looks at them. */
static int fault_fpe_code(uint32_t raised)
{
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12)
        return FPE_FLTUND;
    return raised & 0x20 ? FPE_FLTRES : 0;
}

static int fault_float_code(struct linux_cpu *cpu, uint8_t vector)
{
    const struct x86_state *state;
    uint16_t control, status;
    uint32_t mxcsr;

    x86_core_sync(cpu->core);
    state = x86_core_state(cpu->core);
    memcpy(&control, state->xsave, sizeof(control));
    memcpy(&status, state->xsave + 2, sizeof(status));
    memcpy(&mxcsr, state->xsave + 24, sizeof(mxcsr));
    if (vector == X86_MF)
        return fault_fpe_code(status & ~(uint32_t)control & 0x3f);
    return fault_fpe_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

static void fault_signal(struct linux_cpu *cpu, const struct x86_fault *fault,
                         struct signal_info *info)
{
    const struct fault_row *row = &fault_rows[fault->vector];
    uint64_t rip = x86_core_state(cpu->core)->rip;

    info->signo = row->signo ? row->signo : SIGSEGV;
    info->code = row->signo ? row->code : SI_KERNEL;
    info->addr = row->has_addr ? rip : 0;
    if (fault->vector == X86_MF || fault->vector == X86_XM)
        info->code = fault_float_code(cpu, fault->vector);
    if (fault->vector == X86_DB && !(fault->addr & (1 << 14)))
        info->code = TRAP_HWBKPT;
}

/* Serve a page fault; true if the instruction can be tried again. */
static bool fault_page(struct linux_cpu *cpu, const struct x86_fault *fault,
                       struct signal_info *info)
{
    struct mm *mm = cpu->thread->process->mm;
    uint32_t access = MM_READ;
    enum mm_result result;

    if (fault->error & X86_PF_WRITE)
        access = MM_WRITE;
    else if (fault->error & X86_PF_FETCH)
        access = MM_EXEC;
    result = mm_fault(mm, fault->addr, access);
    if (result == MM_OK) {
        gva_t addr = {fault->addr};

        cpu->thread->process->min_faults++; /* also if nothing was missing */
        x86_core_flush_page(cpu->core, addr);
        return true;
    }
    info->signo = SIGSEGV;
    info->code = result == MM_DENIED ? SEGV_ACCERR : SEGV_MAPERR;
    if (result == MM_BUS) {
        info->signo = SIGBUS;
        info->code = BUS_ADRERR;
    } else if (result == MM_NO_MEMORY) {
        info->signo = SIGKILL;
        sim_warn(cpu->kernel->cfg.owner,
                 "guest RAM is full: process %u is killed",
                 cpu->thread->process->pid);
    }
    info->addr = fault->addr;
    return false;
}

void fault_handle(struct linux_cpu *cpu, const struct x86_fault *fault)
{
    struct thread *thread = cpu->thread;
    struct signal_info info = {0};

    if (fault->vector == X86_PF) {
        if (fault_page(cpu, fault, &info))
            return;
        thread->fault_addr = fault->addr;
    } else {
        fault_signal(cpu, fault, &info);
    }
    info.trap = fault->vector;
    info.error_code = fault->has_error ? fault->error : 0;
    thread->fault_trap = fault->vector;
    thread->fault_error = info.error_code;
    signal_force(thread, &info);
    (void)signal_deliver(cpu, thread);
}
