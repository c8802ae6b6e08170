/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control and debug registers, descriptor table registers, MSRs, interrupt
 * flag, TLB and cache control, SWAPGS.
 * Source: [SDM] Vol. 2; Vol. 3A, "System Instruction Summary".
 */
#define X86_EXEC_FULL

#include "arch/x86/cpuid.h"
#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/sys.h"
#include "arch/x86/msr.h"
#include "arch/x86/segment.h"
#include "arch/x86/sysreg.h"
#include "arch/x86/task.h"

enum { ENDS = X86_ROW_ENDS };

/* ------------------------------------------------- control, debug registers */

EXEC(mov_to_cr)
{
    uint64_t value = GET(64, 1);

    REQUIRE_CPL0();
    if (core->mode != X86_MODE_64)
        value = (uint32_t)value;
    return SYS_FINISH_IF(x86_cr_write(core, op->reg[0], value, &core->fault));
}

EXEC(mov_from_cr)
{
    uint64_t value;

    REQUIRE_CPL0();
    if (!x86_cr_read(core, op->reg[1], &value, &core->fault))
        return x86_raise_set(core, op);
    PUT(64, 0, core->mode == X86_MODE_64 ? value : (uint32_t)value);
    return op + 1;
}

EXEC(mov_to_dr)
{
    uint64_t value = GET(64, 1);

    REQUIRE_CPL0();
    if (core->mode != X86_MODE_64)
        value = (uint32_t)value;
    return SYS_FINISH_IF(x86_dr_write(core, op->reg[0], value, &core->fault));
}

EXEC(mov_from_dr)
{
    uint64_t value;

    REQUIRE_CPL0();
    if (!x86_dr_read(core, op->reg[1], &value, &core->fault))
        return x86_raise_set(core, op);
    PUT(64, 0, core->mode == X86_MODE_64 ? value : (uint32_t)value);
    return op + 1;
}

EXEC(clts)
{
    REQUIRE_CPL0();
    core->state.cr0 &= ~(uint64_t)X86_CR0_TS;
    x86_core_mode_changed(core);
    return x86_sys_finish(core, op);
}

EXEC(lmsw_r)
{
    REQUIRE_CPL0();
    return SYS_FINISH_IF(x86_lmsw(core, GET(16, 0), &core->fault));
}

EXEC(lmsw_m)
{
    REQUIRE_CPL0();
    LOAD(16, value, x86_op_offset(core, op));
    return SYS_FINISH_IF(x86_lmsw(core, value, &core->fault));
}

/* CR4.UMIP: SGDT SIDT SLDT SMSW STR are privileged. */
#define REQUIRE_NO_UMIP()                                                      \
    do {                                                                       \
        if ((core->state.cr4 & X86_CR4_UMIP) && core->cpl != 0)                \
            return x86_raise_error(core, op, X86_GP, 0);                       \
    } while (0)

EXEC(smsw_r16)
{
    REQUIRE_NO_UMIP();
    PUT(16, 0, (uint16_t)core->state.cr0);
    return op + 1;
}

EXEC(smsw_r32)
{
    REQUIRE_NO_UMIP();
    PUT(32, 0, (uint32_t)core->state.cr0);
    return op + 1;
}

EXEC(smsw_r64)
{
    REQUIRE_NO_UMIP();
    PUT(64, 0, core->state.cr0);
    return op + 1;
}

EXEC(smsw_m)
{
    REQUIRE_NO_UMIP();
    STORE(16, x86_op_offset(core, op), (uint16_t)core->state.cr0);
    return op + 1;
}

/* --------------------------------------------------------- descriptor tables
 */

/* LGDT, LIDT: limit and base.  With 16-bit operands the base has 24 bits. */
static struct x86_op *load_table(struct x86_core *core, struct x86_op *op,
                                 struct x86_table_reg *table)
{
    const uint64_t ea = x86_op_offset(core, op);
    uint64_t base = 0;
    unsigned width = core->mode == X86_MODE_64 ? 8 : 4;

    REQUIRE_CPL0();
    LOAD(16, limit, ea);
    if (!x86_read(core, x86_op_seg(op), ea + 2, &base, width))
        return x86_raise_set(core, op);
    if (width == 8 && !x86_is_canonical(base))
        return x86_raise_error(core, op, X86_GP, 0);
    if (width == 4 && (op->flags & X86_OP_SIZE16))
        base &= 0xffffff;
    *table = (struct x86_table_reg){.base = base, .limit = limit};
    return op + 1;
}

static struct x86_op *store_table(struct x86_core *core, struct x86_op *op,
                                  const struct x86_table_reg *table)
{
    const uint64_t ea = x86_op_offset(core, op);
    unsigned width = core->mode == X86_MODE_64 ? 8 : 4;
    uint8_t image[10];

    REQUIRE_NO_UMIP();
    memcpy(image, &table->limit, 2);
    memcpy(image + 2, &table->base, 8);
    if (!x86_write(core, x86_op_seg(op), ea, image, 2 + width))
        return x86_raise_set(core, op);
    return op + 1;
}

EXEC(lgdt)
{
    return load_table(core, op, &core->state.gdtr);
}

EXEC(lidt)
{
    return load_table(core, op, &core->state.idtr);
}

EXEC(sgdt)
{
    return store_table(core, op, &core->state.gdtr);
}

EXEC(sidt)
{
    return store_table(core, op, &core->state.idtr);
}

EXEC(lldt_r)
{
    REQUIRE_PROTECTED();
    REQUIRE_CPL0();
    return x86_load_ldtr(core, GET(16, 0), &core->fault)
               ? op + 1
               : x86_raise_set(core, op);
}

EXEC(lldt_m)
{
    REQUIRE_PROTECTED();
    REQUIRE_CPL0();
    LOAD(16, selector, x86_op_offset(core, op));
    return x86_load_ldtr(core, selector, &core->fault)
               ? op + 1
               : x86_raise_set(core, op);
}

EXEC(ltr_r)
{
    REQUIRE_PROTECTED();
    REQUIRE_CPL0();
    return x86_load_tr(core, GET(16, 0), &core->fault)
               ? op + 1
               : x86_raise_set(core, op);
}

EXEC(ltr_m)
{
    REQUIRE_PROTECTED();
    REQUIRE_CPL0();
    LOAD(16, selector, x86_op_offset(core, op));
    return x86_load_tr(core, selector, &core->fault) ? op + 1
                                                     : x86_raise_set(core, op);
}

#define STORE_SELECTOR(NAME, VALUE)                                            \
    EXEC(NAME##_r16)                                                           \
    {                                                                          \
        REQUIRE_PROTECTED();                                                   \
        REQUIRE_NO_UMIP();                                                     \
        PUT(16, 0, VALUE);                                                     \
        return op + 1;                                                         \
    }                                                                          \
    EXEC(NAME##_r64)                                                           \
    {                                                                          \
        REQUIRE_PROTECTED();                                                   \
        REQUIRE_NO_UMIP();                                                     \
        PUT(64, 0, VALUE);                                                     \
        return op + 1;                                                         \
    }                                                                          \
    EXEC(NAME##_m)                                                             \
    {                                                                          \
        REQUIRE_PROTECTED();                                                   \
        REQUIRE_NO_UMIP();                                                     \
        STORE(16, x86_op_offset(core, op), VALUE);                             \
        return op + 1;                                                         \
    }
STORE_SELECTOR(sldt, core->state.ldtr.selector)
STORE_SELECTOR(str, core->state.tr.selector)

/* ---------------------------------------------------------------------- MSRs
 */

EXEC(rdmsr)
{
    uint64_t value;

    REQUIRE_CPL0();
    x86_fpu_leave(&core->fpu);
    if (!x86_msr_read(core, GPR(32, X86_RCX), &value, &core->fault))
        return x86_raise_set(core, op);
    PUT_GPR(32, X86_RAX, (uint32_t)value);
    PUT_GPR(32, X86_RDX, (uint32_t)(value >> 32));
    return op + 1;
}

EXEC(wrmsr)
{
    uint64_t value = GPR(32, X86_RAX) | (uint64_t)GPR(32, X86_RDX) << 32;

    REQUIRE_CPL0();
    x86_fpu_leave(&core->fpu);
    return SYS_FINISH_IF(
        x86_msr_write(core, GPR(32, X86_RCX), value, &core->fault));
}

/* No counters are offered (CPUID leaf 0AH): every index is #GP. */
EXEC(rdpmc)
{
    return x86_raise_error(core, op, X86_GP, 0);
}

EXEC(xsetbv)
{
    uint64_t value = GPR(32, X86_RAX) | (uint64_t)GPR(32, X86_RDX) << 32;

    if (!(core->state.cr4 & X86_CR4_OSXSAVE))
        return x86_raise(core, op, X86_UD);
    return SYS_FINISH_IF(
        x86_xcr_write(core, GPR(32, X86_RCX), value, &core->fault));
}

/* ------------------------------------------------------------ interrupt flag
 */

/* [SDM] Vol. 2, CLI and STI: IOPL decides; with CR4.PVI or VME the virtual
 * flag would be used instead, which CPUID does not offer here. */
static bool may_change_if(const struct x86_core *core)
{
    unsigned iopl = (unsigned)(core->state.rflags >> 12) & 3;

    if (x86_in_real_mode(&core->state))
        return true;
    return core->cpl <= iopl;
}

EXEC(cli)
{
    if (!may_change_if(core))
        return x86_raise_error(core, op, X86_GP, 0);
    core->state.rflags &= ~(uint64_t)X86_IF;
    return op + 1;
}

EXEC(sti)
{
    if (!may_change_if(core))
        return x86_raise_error(core, op, X86_GP, 0);
    if (!(core->state.rflags & X86_IF))
        core->state.events.shadow = 1;
    core->state.rflags |= X86_IF;
    x86_core_poke(core);
    return x86_sys_finish(core, op);
}

EXEC(clac)
{
    if (core->cpl != 0)
        return x86_raise(core, op, X86_UD);
    x86_core_set_rflags(core, x86_core_rflags(core) & ~(uint64_t)X86_AC_FLAG);
    return x86_sys_finish(core, op);
}

EXEC(stac)
{
    if (core->cpl != 0)
        return x86_raise(core, op, X86_UD);
    x86_core_set_rflags(core, x86_core_rflags(core) | X86_AC_FLAG);
    return x86_sys_finish(core, op);
}

EXEC(swapgs)
{
    uint64_t base = core->state.seg[X86_GS].base;

    REQUIRE_CPL0();
    core->state.seg[X86_GS].base = core->state.msr[X86_MSR_KERNEL_GS_BASE];
    core->state.msr[X86_MSR_KERNEL_GS_BASE] = base;
    return op + 1;
}

/* ---------------------------------------------------------- TLB and caches */

EXEC(invlpg)
{
    uint64_t addr = x86_op_offset(core, op);

    REQUIRE_CPL0();
    if (core->mode != X86_MODE_64)
        addr = (uint32_t)(addr + core->state.seg[x86_op_seg(op)].base);
    else if (x86_op_seg(op) == X86_FS || x86_op_seg(op) == X86_GS)
        addr += core->state.seg[x86_op_seg(op)].base;
    x86_core_flush_page(core, (gva_t){addr});
    return x86_sys_finish(core, op);
}

/* All types flush everything, which the architecture allows. */
EXEC(invpcid)
{
    const uint64_t type = GET(64, 0), ea = x86_op_offset(core, op);

    REQUIRE_CPL0();
    LOAD(64, pcid, ea);
    LOAD(64, addr, ea + 8);
    if (type > 3 || (type < 2 && pcid >> 12) ||
        (type == 0 && !x86_is_canonical(addr)) ||
        (type < 2 && !(core->state.cr4 & X86_CR4_PCIDE) && pcid))
        return x86_raise_error(core, op, X86_GP, 0);
    x86_core_flush_tlb(core);
    return x86_sys_finish(core, op);
}

/* INVD, WBINVD, WBNOINVD (a prefixed WBINVD): caches hold no data. */
EXEC(flush_caches)
{
    REQUIRE_CPL0();
    return op + 1;
}

#define NONE_ROW(MNEMONIC, FLAGS, NAME)                                        \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, SYSTEM, FLAGS,    \
            NAME)
#define ONE_ROW(MNEMONIC, KIND, SIZE, FLAGS, NAME)                             \
    ROW_REG(MNEMONIC, (KIND, NONE, NONE, NONE), SIZE, 0, PLAIN, SYSTEM, FLAGS, \
            NAME)
#define TWO_ROW(MNEMONIC, A, B, FLAGS, NAME)                                   \
    ROW_REG(MNEMONIC, (A, B, NONE, NONE), 0, 0, PLAIN, SYSTEM, FLAGS, NAME)
#define SELECTOR_ROWS(MNEMONIC, NAME)                                          \
    ONE_ROW(MNEMONIC, REG, 2, 0, NAME##_r16),                                  \
        ONE_ROW(MNEMONIC, REG, 0, 0, NAME##_r64),                              \
        ONE_ROW(MNEMONIC, MEM, 0, 0, NAME##_m)

static const struct x86_row system_rows[] = {
    TWO_ROW(MOV, CR, REG, ENDS, mov_to_cr),
    TWO_ROW(MOV, REG, CR, 0, mov_from_cr),
    TWO_ROW(MOV, DR, REG, ENDS, mov_to_dr),
    TWO_ROW(MOV, REG, DR, 0, mov_from_dr),
    NONE_ROW(CLTS, ENDS, clts),
    ONE_ROW(LMSW, REG, 0, ENDS, lmsw_r),
    ONE_ROW(LMSW, MEM, 0, ENDS, lmsw_m),
    ONE_ROW(SMSW, REG, 2, 0, smsw_r16),
    ONE_ROW(SMSW, REG, 4, 0, smsw_r32),
    ONE_ROW(SMSW, REG, 8, 0, smsw_r64),
    ONE_ROW(SMSW, MEM, 0, 0, smsw_m),
    ONE_ROW(LGDT, MEM, 0, 0, lgdt),
    ONE_ROW(LIDT, MEM, 0, 0, lidt),
    ONE_ROW(SGDT, MEM, 0, 0, sgdt),
    ONE_ROW(SIDT, MEM, 0, 0, sidt),
    ONE_ROW(LLDT, REG, 0, 0, lldt_r),
    ONE_ROW(LLDT, MEM, 0, 0, lldt_m),
    ONE_ROW(LTR, REG, 0, 0, ltr_r),
    ONE_ROW(LTR, MEM, 0, 0, ltr_m),
    SELECTOR_ROWS(SLDT, sldt),
    SELECTOR_ROWS(STR, str),
    NONE_ROW(RDMSR, 0, rdmsr),
    NONE_ROW(WRMSR, ENDS, wrmsr),
    NONE_ROW(RDPMC, 0, rdpmc),
    NONE_ROW(XSETBV, ENDS, xsetbv),
    NONE_ROW(CLI, 0, cli),
    NONE_ROW(STI, ENDS, sti),
    NONE_ROW(CLAC, ENDS, clac),
    NONE_ROW(STAC, ENDS, stac),
    NONE_ROW(SWAPGS, 0, swapgs),
    ONE_ROW(INVLPG, MEM, 0, ENDS, invlpg),
    TWO_ROW(INVPCID, REG, MEM, ENDS, invpcid),
    NONE_ROW(INVD, 0, flush_caches),
    NONE_ROW(WBINVD, 0, flush_caches),
};

X86_TABLE(system);
