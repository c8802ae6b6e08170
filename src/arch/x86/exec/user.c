/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What user programs ask of the processor: CPUID, time, random numbers, XGETBV,
 * system calls, software interrupts, FS and GS bases, HLT and undefined
 * instructions.
 * Source: [SDM] Vol. 2.
 */
#define X86_EXEC_FULL

#include "arch/x86/cpuid.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/exec/sys.h"
#include "arch/x86/exec/undefined.h"
#include "arch/x86/far.h"
#include "arch/x86/msr.h"
#include "arch/x86/quirks.h"
#include "arch/x86/segment.h"
#include "arch/x86/sysreg.h"
#include "sim/report.h"

enum { ENDS = X86_ROW_ENDS };

struct x86_op *x86_exec_undefined(struct x86_core *core, struct x86_op *op)
{
    return x86_raise(core, op, X86_UD);
}

struct x86_op *x86_exec_too_long(struct x86_core *core, struct x86_op *op)
{
    return x86_raise_error(core, op, X86_GP, 0);
}

struct x86_op *x86_exec_unknown(struct x86_core *core, struct x86_op *op)
{
    if (core->owner)
        sim_unimplemented(core->owner, "x86: instruction %s: raising #UD",
                          (const char *)op->aux);
    return x86_raise(core, op, X86_UD);
}

/* The environment was asked, with RIP behind the instruction. */
static struct x86_op *answer(struct x86_core *core, struct x86_op *op,
                             bool is_known, const uint64_t *result)
{
    if (!is_known)
        return x86_raise(core, op, X86_UD);
    core->state.gpr[X86_RAX] = *result;
    return x86_leave(core);
}

struct x86_op *x86_exec_pseudo_op(struct x86_core *core, struct x86_op *op)
{
    struct x86_env *env = core->env;
    uint64_t result = 0;

    core->state.rip = x86_sys_next_rip(core, op);
    x86_fpu_leave(&core->fpu);
    return answer(core, op,
                  env->pseudo_op &&
                      env->pseudo_op(env, core, (uint16_t)op->imm, &result),
                  &result);
}

struct x86_op *x86_exec_hypercall(struct x86_core *core, struct x86_op *op)
{
    struct x86_env *env = core->env;
    uint64_t result = 0;

    core->state.rip = x86_sys_next_rip(core, op);
    x86_fpu_leave(&core->fpu);
    return answer(core, op,
                  env->hypercall && env->hypercall(env, core, &result),
                  &result);
}

EXEC(cpuid)
{
    struct x86_cpuid_regs regs = {0, 0, 0, 0};

    if (core->cpuid)
        regs = x86_cpuid_read(core->cpuid, &core->state, core->id,
                              GPR(32, X86_RAX), GPR(32, X86_RCX));
    PUT_GPR(32, X86_RAX, regs.eax);
    PUT_GPR(32, X86_RBX, regs.ebx);
    PUT_GPR(32, X86_RCX, regs.ecx);
    PUT_GPR(32, X86_RDX, regs.edx);
    return op + 1;
}

EXEC(rdtsc)
{
    uint64_t tsc;

    if ((core->state.cr4 & X86_CR4_TSD) && core->cpl != 0)
        return x86_raise_error(core, op, X86_GP, 0);
    x86_fpu_leave(&core->fpu);
    tsc = x86_tsc_read(core);
    PUT_GPR(32, X86_RAX, (uint32_t)tsc);
    PUT_GPR(32, X86_RDX, (uint32_t)(tsc >> 32));
    return op + 1;
}

EXEC(rdtscp)
{
    struct x86_op *next = rdtsc(core, op);

    if (next)
        PUT_GPR(32, X86_RCX, (uint32_t)core->state.msr[X86_MSR_TSC_AUX]);
    return next;
}

EXEC(rdpid)
{
    PUT(64, 0, core->state.msr[X86_MSR_TSC_AUX]);
    return op + 1;
}

/* Always successful: CF set, the other flags clear. */
static uint64_t random_bits(struct x86_core *core)
{
    core->flags = FLAG_CF;
    x86_fpu_leave(&core->fpu);
    if (core->env->random)
        return core->env->random(core->env, core);
    core->flags = 0; /* no source of random numbers: not ready */
    return 0;
}

#define RANDOM(N, NAME)                                                        \
    EXEC(NAME##_##N)                                                           \
    {                                                                          \
        PUT(N, 0, (uint##N##_t)random_bits(core));                             \
        return op + 1;                                                         \
    }
FOR_WIDE_SIZES(RANDOM, random)

EXEC(xgetbv)
{
    uint64_t value = core->state.xcr0;
    uint32_t index = GPR(32, X86_RCX);

    if (!(core->state.cr4 & X86_CR4_OSXSAVE))
        return x86_raise(core, op, X86_UD);
    if (index > 1 || (index == 1 && core->cpuid &&
                      !x86_cpuid_has(core->cpuid, X86_FEAT_XGETBV1)))
        return x86_raise_error(core, op, X86_GP, 0);
    if (index == 1) { /* XINUSE, of what is enabled */
        x86_fpu_leave_x87(&core->fpu);
        value &= x86_fpu_in_use(&core->fpu);
    }
    PUT_GPR(32, X86_RAX, (uint32_t)value);
    PUT_GPR(32, X86_RDX, (uint32_t)(value >> 32));
    return op + 1;
}

/* ------------------------------------------------------------- system calls */

/* The environment's kernel, or the guest's own by @enter. */
static struct x86_op *call_kernel(struct x86_core *core, struct x86_op *op,
                                  enum x86_syscall_kind kind,
                                  bool (*enter)(struct x86_core *,
                                                struct x86_fault *))
{
    core->state.rip = op->next_rip;
    x86_fpu_leave(&core->fpu);
    if (core->env->syscall && core->env->syscall(core->env, core, kind))
        return x86_leave(core);
    core->state.rip = op->next_rip;
    if (!enter(core, &core->fault))
        return x86_raise_set(core, op);
    return x86_leave(core);
}

EXEC(syscall_64)
{
    bool is_64 = core->mode == X86_MODE_64;

    if (!x86_has_syscall(&core->state))
        return x86_raise(core, op, X86_UD);
    core->state.gpr[X86_RCX] = op->next_rip;
    if (is_64)
        core->state.gpr[X86_R11] = x86_core_rflags(core) & ~(uint64_t)X86_RF;
    return call_kernel(core, op, is_64 ? X86_CALL_SYSCALL : X86_CALL_SYSCALL32,
                       x86_syscall);
}

EXEC(sysenter)
{
    if (!x86_has_sysenter(&core->state))
        return x86_raise(core, op, X86_UD);
    return call_kernel(core, op, X86_CALL_SYSENTER, x86_sysenter);
}

static struct x86_op *software_interrupt(struct x86_core *core,
                                         struct x86_op *op, unsigned vector)
{
    return x86_trap(core, op, (enum x86_vector)vector, X86_FROM_INT_N);
}

EXEC(int_n)
{
    core->state.rip = op->next_rip;
    x86_fpu_leave(&core->fpu);
    if ((uint8_t)op->imm == 0x80 && core->env->syscall &&
        core->env->syscall(core->env, core, X86_CALL_INT80))
        return x86_leave(core);
    return software_interrupt(core, op, (uint8_t)op->imm);
}

EXEC(int3)
{
    return x86_trap(core, op, X86_BP, X86_FROM_TRAP);
}

EXEC(int1)
{
    return x86_trap(core, op, X86_DB, X86_FROM_TRAP);
}

EXEC(into)
{
    if (core->flags & FLAG_OF)
        return x86_trap(core, op, X86_OF, X86_FROM_TRAP);
    return op + 1;
}

EXEC(bound_16)
{
    const int16_t index = (int16_t)GET(16, 0);
    const uint64_t ea = x86_op_offset(core, op);
    LOAD(16, low, ea);

    /* AMD's processors read both first. */
    if (index < (int16_t)low && !x86_quirks_is_amd())
        return x86_raise(core, op, X86_BR);
    LOAD(16, high, ea + 2);
    if (index < (int16_t)low || index > (int16_t)high)
        return x86_raise(core, op, X86_BR);
    return op + 1;
}

EXEC(bound_32)
{
    const int32_t index = (int32_t)GET(32, 0);
    const uint64_t ea = x86_op_offset(core, op);
    LOAD(32, low, ea);

    /* AMD's processors read both first. */
    if (index < (int32_t)low && !x86_quirks_is_amd())
        return x86_raise(core, op, X86_BR);
    LOAD(32, high, ea + 4);
    if (index < (int32_t)low || index > (int32_t)high)
        return x86_raise(core, op, X86_BR);
    return op + 1;
}

/* ------------------------------------------------------------- FS and GS bases
 */

#define BASE(NAME, SEG)                                                        \
    EXEC(rd##NAME##_32)                                                        \
    {                                                                          \
        if (!(core->state.cr4 & X86_CR4_FSGSBASE))                             \
            return x86_raise(core, op, X86_UD);                                \
        PUT(32, 0, (uint32_t)core->state.seg[SEG].base);                       \
        return op + 1;                                                         \
    }                                                                          \
    EXEC(rd##NAME##_64)                                                        \
    {                                                                          \
        if (!(core->state.cr4 & X86_CR4_FSGSBASE))                             \
            return x86_raise(core, op, X86_UD);                                \
        PUT(64, 0, core->state.seg[SEG].base);                                 \
        return op + 1;                                                         \
    }                                                                          \
    EXEC(wr##NAME##_32)                                                        \
    {                                                                          \
        return write_base(core, op, SEG, GET(32, 0));                          \
    }                                                                          \
    EXEC(wr##NAME##_64)                                                        \
    {                                                                          \
        return write_base(core, op, SEG, GET(64, 0));                          \
    }

static struct x86_op *write_base(struct x86_core *core, struct x86_op *op,
                                 enum x86_seg_name seg, uint64_t value)
{
    if (!(core->state.cr4 & X86_CR4_FSGSBASE))
        return x86_raise(core, op, X86_UD);
    if (!x86_is_canonical(value))
        return x86_raise_error(core, op, X86_GP, 0);
    core->state.seg[seg].base = value;
    return op + 1;
}

BASE(fsbase, X86_FS)
BASE(gsbase, X86_GS)

/* One cache line of zeros at RAX.  [APM] Vol. 3, "CLZERO". */
EXEC(clzero)
{
    static const uint8_t zeros[64];
    uint64_t offset = core->state.gpr[X86_RAX] & x86_addr_mask(op), linear;

    if (!x86_linear_addr(core, x86_op_seg(op), offset, 1, X86_ACCESS_WRITE,
                         &linear) ||
        !x86_write_linear(core, linear & ~(uint64_t)(sizeof zeros - 1), zeros,
                          sizeof zeros))
        return x86_raise_set(core, op);
    return op + 1;
}

/* ------------------------------------------------------------------ the rest
 */

EXEC(hlt)
{
    if (core->cpl != 0)
        return x86_raise_error(core, op, X86_GP, 0);
    core->state.rip = op->next_rip;
    core->state.mp_state = X86_HALTED; /* an interrupt may wait already */
    return x86_leave(core);
}

#define NONE_ROW(MNEMONIC, FLAGS, NAME)                                        \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, SYSTEM, FLAGS,    \
            NAME)
#define REG_ROW(MNEMONIC, SIZE, NAME)                                          \
    ROW_REG(MNEMONIC, (REG, NONE, NONE, NONE), SIZE, 0, PLAIN, SYSTEM, 0, NAME)
#define RANDOM_ROWS(MNEMONIC)                                                  \
    REG_ROW(MNEMONIC, 2, random_16), REG_ROW(MNEMONIC, 4, random_32),          \
        REG_ROW(MNEMONIC, 8, random_64)

static const struct x86_row user_rows[] = {
    NONE_ROW(CPUID, 0, cpuid),
    NONE_ROW(RDTSC, 0, rdtsc),
    NONE_ROW(RDTSCP, 0, rdtscp),
    REG_ROW(RDPID, 0, rdpid),
    RANDOM_ROWS(RDRAND),
    RANDOM_ROWS(RDSEED),
    NONE_ROW(XGETBV, 0, xgetbv),
    NONE_ROW(SYSCALL, ENDS | X86_ROW_SYSCALL, syscall_64),
    NONE_ROW(SYSENTER, ENDS | X86_ROW_SYSCALL, sysenter),
    ROW_REG(INT, (IMM, NONE, NONE, NONE), 0, 0, PLAIN, SYSTEM, ENDS, int_n),
    NONE_ROW(INT3, ENDS, int3),
    NONE_ROW(INT1, ENDS, int1),
    NONE_ROW(INTO, ENDS, into),
    ROW_REG(BOUND, (REG, MEM, NONE, NONE), 2, 0, PLAIN, SYSTEM, 0, bound_16),
    ROW_REG(BOUND, (REG, MEM, NONE, NONE), 4, 0, PLAIN, SYSTEM, 0, bound_32),
    ROW_REG(CLZERO, (REG, NONE, NONE, NONE), 0, 0, PLAIN, MEM_WRITE, 0, clzero),
    REG_ROW(RDFSBASE, 4, rdfsbase_32),
    REG_ROW(RDFSBASE, 8, rdfsbase_64),
    REG_ROW(RDGSBASE, 4, rdgsbase_32),
    REG_ROW(RDGSBASE, 8, rdgsbase_64),
    REG_ROW(WRFSBASE, 4, wrfsbase_32),
    REG_ROW(WRFSBASE, 8, wrfsbase_64),
    REG_ROW(WRGSBASE, 4, wrgsbase_32),
    REG_ROW(WRGSBASE, 8, wrgsbase_64),
    NONE_ROW(HLT, ENDS, hlt),
    NONE_ROW(UD2, ENDS, x86_exec_undefined),
    ROW_REG(UD0, (REG, REG, NONE, NONE), 0, 0, PLAIN, SYSTEM, ENDS,
            x86_exec_undefined),
    ROW_REG(UD0, (REG, MEM, NONE, NONE), 0, 0, PLAIN, SYSTEM, ENDS,
            x86_exec_undefined),
    ROW_REG(UD1, (REG, REG, NONE, NONE), 0, 0, PLAIN, SYSTEM, ENDS,
            x86_exec_undefined),
    ROW_REG(UD1, (REG, MEM, NONE, NONE), 0, 0, PLAIN, SYSTEM, ENDS,
            x86_exec_undefined),
};

X86_TABLE(user);
