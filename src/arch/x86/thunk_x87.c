/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These work on the image in struct x86_fpu, not on the host's unit: the
 * environment holds pointers that only the guest knows, and its control word
 * may unmask exceptions.
 *
 * FCS is the code segment of now.
 * Source: [SDM] Vol. 1, "Saving the x87 FPU's State with FSTENV/FNSTENV and
 * FSAVE/FNSAVE".
 */
#include "arch/x86/thunk_x87.h"

#include "arch/x86/thunk_run.h"

#include <string.h>

enum { ENV_WORDS = 7, CR0_PE = 1, CR0_MP = 2, CR0_TS = 8 };

/* The environment, whatever its layout in memory. */
struct x87_env {
    uint16_t fcw, fsw, ftw;
    uint16_t fop, fcs, fds;
    uint32_t fip, fdp;
};

/* Error summary and busy follow from flags and masks. */
static void update_summary(struct x86_fpu *fpu)
{
    uint16_t fsw = x86_fx_u16(fpu->x87, X86_FX_FSW);

    fsw &= 0x7f7f;
    if (fsw & ~fpu->x87[X86_FX_FCW] & X86_FCW_MASKS)
        fsw |= 0x8080;
    x86_fx_set_u16(fpu->x87, X86_FX_FSW, fsw);
}

static void set_fcw(struct x86_fpu *fpu, uint16_t fcw)
{
    x86_fx_set_u16(fpu->x87, X86_FX_FCW, (fcw & 0x1f3f) | 0x40);
    update_summary(fpu);
}

static void load_fcw(struct x86_fpu *fpu, uint16_t fcw)
{
    if ((fpu->live & X86_LIVE_X87) && (fcw & X86_FCW_MASKS) == X86_FCW_MASKS) {
        __asm__ volatile("fldcw %0" : : "m"(fcw));
        return;
    }
    x86_fpu_leave_x87(fpu);
    set_fcw(fpu, fcw);
}

uint64_t x86_thunk_fldcw_code(struct x86_fpu *fpu, void *mem, uint64_t flags)
{
    uint16_t fcw;

    memcpy(&fcw, mem, sizeof(fcw));
    load_fcw(fpu, fcw);
    return flags;
}

bool x86_thunk_fldcw(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call)
{
    uint16_t fcw;

    (void)thunk;
    if (!fpu->mem->read(fpu->core, &call->mem, &fcw, 2, &call->fault))
        return false;
    load_fcw(fpu, fcw);
    return true;
}

/* [SDM] Vol. 3A, "Control Registers": FWAIT ignores EM, and TS without MP. */
bool x86_thunk_fwait(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call)
{
    uint64_t both = CR0_MP | CR0_TS;

    (void)thunk;
    if ((fpu->state->cr0 & both) == both)
        return x86_thunk_fault(call, X86_NM);
    return (fpu->live & X86_LIVE_X87) ||
           !(x86_fx_u16(fpu->x87, X86_FX_FSW) & X86_FSW_ES) ||
           x86_thunk_fault(call, X86_MF);
}

static void init_x87(struct x86_fpu *fpu)
{
    x86_fx_set_u16(fpu->x87, X86_FX_FCW, X86_FCW_DEFAULT);
    x86_fx_set_u16(fpu->x87, X86_FX_FSW, 0);
    fpu->x87[X86_FX_FTW] = 0;
    fpu->fip = 0;
    fpu->fdp = 0;
    fpu->fds = 0;
    fpu->fop = 0;
}

/* The stack top becomes 0 while the registers stay where they are. */
static void rotate_registers(struct x86_fpu *fpu, unsigned old_top,
                             unsigned new_top)
{
    uint8_t old[128];

    memcpy(old, fpu->x87 + X86_FX_ST, sizeof(old));
    for (unsigned i = 0; i < 8; i++) {
        unsigned from = (i + new_top - old_top) & 7;

        memcpy(fpu->x87 + X86_FX_ST + (size_t)16 * i, old + (size_t)16 * from,
               16);
    }
}

static unsigned top_of(uint16_t fsw)
{
    return fsw >> 11 & 7;
}

bool x86_thunk_fninit(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    (void)thunk;
    (void)call;
    x86_fpu_leave_x87(fpu);
    rotate_registers(fpu, top_of(x86_fx_u16(fpu->x87, X86_FX_FSW)), 0);
    init_x87(fpu);
    return true;
}

/* ---------------------------------------------------------------- environment
 */

enum x87_tag { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

/* [SDM] Vol. 2A, "FXSAVE": recreating the tag word. */
static enum x87_tag tag_of(const uint8_t *st)
{
    uint16_t exponent = (uint16_t)((st[8] | st[9] << 8) & 0x7fff);
    uint64_t mantissa;

    memcpy(&mantissa, st, 8);
    if (exponent == 0)
        return mantissa ? TAG_SPECIAL : TAG_ZERO;
    if (exponent == 0x7fff)
        return TAG_SPECIAL;
    return mantissa >> 63 ? TAG_VALID : TAG_SPECIAL;
}

static uint16_t full_tags(const struct x86_fpu *fpu)
{
    unsigned top = top_of(x86_fx_u16(fpu->x87, X86_FX_FSW));
    unsigned tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const uint8_t *st = fpu->x87 + X86_FX_ST + (size_t)16 * ((i - top) & 7);
        unsigned tag = fpu->x87[X86_FX_FTW] >> i & 1 ? tag_of(st) : TAG_EMPTY;

        tags |= tag << 2 * i;
    }
    return (uint16_t)tags;
}

static uint8_t short_tags(uint16_t tags)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < 8; i++) {
        if ((tags >> 2 * i & 3) != TAG_EMPTY)
            bits |= 1u << i;
    }
    return (uint8_t)bits;
}

static bool is_real_format(const struct x86_fpu *fpu)
{
    return !(fpu->state->cr0 & CR0_PE) || (fpu->state->rflags & X86_VM);
}

static void get_env(const struct x86_fpu *fpu, struct x87_env *env)
{
    env->fcw = x86_fx_u16(fpu->x87, X86_FX_FCW);
    env->fsw = x86_fx_u16(fpu->x87, X86_FX_FSW);
    env->ftw = full_tags(fpu);
    env->fop = fpu->fop;
    env->fip = (uint32_t)fpu->fip;
    env->fdp = (uint32_t)fpu->fdp;
    env->fcs = 0;
    env->fds = 0;
    if (fpu->has_selectors) {
        env->fcs = fpu->fip ? fpu->state->seg[X86_CS].selector : fpu->fcs;
        env->fds = fpu->fds;
    }
    if (is_real_format(fpu)) {
        env->fip += (uint32_t)env->fcs << 4;
        env->fdp += (uint32_t)env->fds << 4;
    }
}

/* [SDM] Vol. 1, figures "Protected Mode x87 FPU State Image in Memory" and
 * "Real Mode ...". */
static void write_env32(const struct x86_fpu *fpu, const struct x87_env *env,
                        uint8_t *out)
{
    uint32_t word[ENV_WORDS] = {
        0xffff0000u | env->fcw,
        0xffff0000u | env->fsw,
        0xffff0000u | env->ftw,
        env->fip,
        (uint32_t)env->fop << 16 | env->fcs,
        env->fdp,
        0xffff0000u | env->fds,
    };

    if (is_real_format(fpu)) {
        word[3] = 0xffff0000u | (env->fip & 0xffff);
        word[4] = (env->fip >> 16 & 0xffff) << 12 | (env->fop & 0x7ffu);
        word[5] = 0xffff0000u | (env->fdp & 0xffff);
        word[6] = (env->fdp >> 16 & 0xffff) << 12;
    }
    memcpy(out, word, sizeof(word));
}

static void write_env16(const struct x86_fpu *fpu, const struct x87_env *env,
                        uint8_t *out)
{
    uint16_t word[ENV_WORDS] = {
        env->fcw, env->fsw,           env->ftw, (uint16_t)env->fip,
        env->fcs, (uint16_t)env->fdp, env->fds,
    };

    if (is_real_format(fpu)) {
        word[4] = (uint16_t)((env->fip >> 16 & 15) << 12 | (env->fop & 0x7ff));
        word[6] = (uint16_t)((env->fdp >> 16 & 15) << 12);
    }
    memcpy(out, word, sizeof(word));
}

static void read_env32(const struct x86_fpu *fpu, const uint8_t *in,
                       struct x87_env *env)
{
    uint32_t word[ENV_WORDS];

    memcpy(word, in, sizeof(word));
    *env = (struct x87_env){
        .fcw = (uint16_t)word[0],
        .fsw = (uint16_t)word[1],
        .ftw = (uint16_t)word[2],
        .fip = word[3],
        .fcs = (uint16_t)word[4],
        .fop = word[4] >> 16 & 0x7ff,
        .fdp = word[5],
        .fds = (uint16_t)word[6],
    };
    if (is_real_format(fpu)) {
        env->fip = (word[3] & 0xffff) | (word[4] >> 12 & 0xffff) << 16;
        env->fop = word[4] & 0x7ff;
        env->fdp = (word[5] & 0xffff) | (word[6] >> 12 & 0xffff) << 16;
        env->fcs = 0;
        env->fds = 0;
    }
}

static void read_env16(const struct x86_fpu *fpu, const uint8_t *in,
                       struct x87_env *env)
{
    uint16_t word[ENV_WORDS];

    memcpy(word, in, sizeof(word));
    *env = (struct x87_env){
        .fcw = word[0],
        .fsw = word[1],
        .ftw = word[2],
        .fip = word[3],
        .fcs = word[4],
        .fdp = word[5],
        .fds = word[6],
    };
    if (is_real_format(fpu)) {
        env->fip = word[3] | (uint32_t)(word[4] >> 12) << 16;
        env->fop = word[4] & 0x7ff;
        env->fdp = word[5] | (uint32_t)(word[6] >> 12) << 16;
        env->fcs = 0;
        env->fds = 0;
    }
}

static bool touch_image(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                        struct x86_thunk_call *call, uint8_t *image,
                        enum x86_thunk_mem what)
{
    struct x86_mem_span span = {call->mem, thunk->mem_size, image};

    return what == X86_THUNK_READ ? x86_span_read(fpu, &span, &call->fault)
                                  : x86_span_write(fpu, &span, &call->fault);
}

static bool has_registers(const struct x86_thunk *thunk)
{
    return thunk->mem_size > 28;
}

/* 14 or 28 bytes. */
static unsigned env_size(const struct x86_thunk *thunk)
{
    return has_registers(thunk) ? thunk->mem_size - 80u : thunk->mem_size;
}

bool x86_thunk_fnstenv(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    uint8_t image[108] = {0};
    unsigned size = env_size(thunk);
    struct x87_env env;

    x86_fpu_leave_x87(fpu);
    get_env(fpu, &env);
    if (size == 28)
        write_env32(fpu, &env, image);
    else
        write_env16(fpu, &env, image);
    for (unsigned i = 0; i < 8 && has_registers(thunk); i++)
        memcpy(image + size + (size_t)10 * i,
               fpu->x87 + X86_FX_ST + (size_t)16 * i, 10);
    if (!touch_image(fpu, thunk, call, image, X86_THUNK_WRITE))
        return false;
    if (has_registers(thunk))
        return x86_thunk_fninit(fpu, thunk, call);
    set_fcw(fpu, x86_fx_u16(fpu->x87, X86_FX_FCW) | X86_FCW_MASKS);
    return true;
}

static void set_env(struct x86_fpu *fpu, const struct x87_env *env)
{
    unsigned old_top = top_of(x86_fx_u16(fpu->x87, X86_FX_FSW));

    rotate_registers(fpu, old_top, top_of(env->fsw));
    x86_fx_set_u16(fpu->x87, X86_FX_FSW, env->fsw);
    fpu->x87[X86_FX_FTW] = short_tags(env->ftw);
    set_fcw(fpu, env->fcw);
    fpu->fip = env->fip;
    fpu->fdp = env->fdp;
    fpu->fop = env->fop;
    fpu->fcs = env->fcs;
    fpu->fds = env->fds;
}

bool x86_thunk_fldenv(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                      struct x86_thunk_call *call)
{
    uint8_t image[108];
    unsigned size = env_size(thunk);
    struct x87_env env;

    if (!touch_image(fpu, thunk, call, image, X86_THUNK_READ))
        return false;
    x86_fpu_leave_x87(fpu);
    if (size == 28)
        read_env32(fpu, image, &env);
    else
        read_env16(fpu, image, &env);
    set_env(fpu, &env);
    for (unsigned i = 0; i < 8 && has_registers(thunk); i++)
        memcpy(fpu->x87 + X86_FX_ST + (size_t)16 * i,
               image + size + (size_t)10 * i, 10);
    return true;
}

/* ---------------------------------------------------------------- MXCSR, VZERO
 */

bool x86_thunk_ldmxcsr(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    uint32_t value;

    (void)thunk;
    if (!fpu->mem->read(fpu->core, &call->mem, &value, 4, &call->fault))
        return false;
    if (value & ~x86_fpu_mxcsr_mask(fpu))
        return x86_thunk_fault(call, X86_GP);
    x86_fpu_set_mxcsr(fpu, value);
    return true;
}

bool x86_thunk_stmxcsr(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                       struct x86_thunk_call *call)
{
    uint32_t value = x86_fpu_mxcsr(fpu);

    (void)thunk;
    return fpu->mem->write(fpu->core, &call->mem, &value, 4, &call->fault);
}

uint64_t x86_thunk_stmxcsr_code(struct x86_fpu *fpu, void *mem, uint64_t flags)
{
    uint32_t value = x86_fpu_mxcsr(fpu);

    memcpy(mem, &value, sizeof(value));
    return flags;
}

uint64_t x86_thunk_vzeroupper_code(struct x86_fpu *fpu, void *mem,
                                   uint64_t flags)
{
    (void)mem;
    for (unsigned i = 0; i < 16; i++)
        memset(fpu->vec[i] + 16, 0, 48);
    return flags;
}

bool x86_thunk_vzero(struct x86_fpu *fpu, const struct x86_thunk *thunk,
                     struct x86_thunk_call *call)
{
    unsigned keep = thunk->mnemonic == ZYDIS_MNEMONIC_VZEROUPPER ? 16 : 0;
    unsigned num = thunk->mode_bits == 64 ? 16 : 8;

    (void)call;
    for (unsigned i = 0; i < num; i++)
        memset(fpu->vec[i] + keep, 0, 64 - keep);
    return true;
}
