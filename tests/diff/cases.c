/* SPDX-License-Identifier: BSD-3-Clause */
/* Random states. */
#include "cases.h"

#include <cpuid.h>
#include <string.h>

enum { WINDOW_SLACK = 256 };

/* Processors of AMD's heed the operand-size prefix of near branches in 64-bit
 * mode; Intel's ignore it.  [APM] Vol. 3, "Jcc". */
static bool is_amd_host(void)
{
    uint32_t eax, ebx, ecx, edx;

    __cpuid(0, eax, ebx, ecx, edx);
    return ebx == signature_AMD_ebx || ebx == 0x6f677948; /* "Hygo" */
}

bool case_decode(enum diff_mode mode, const uint8_t *bytes, unsigned len,
                 struct decoded *out)
{
    ZydisDecoder decoder;

    shapes_init_decoder(mode, &decoder);
    if (is_amd_host())
        (void)ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_AMD_BRANCHES,
                                     ZYAN_TRUE);
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, len, &out->inst,
                                               out->operands));
}

struct exclusion {
    ZydisMnemonic mnemonic;
    const char *reason;
};

const char *case_exclusion(ZydisMnemonic mnemonic)
{
    static const char call[] = "a system call on the native side";
    static const char clock[] = "reads the clock";
    static const char identity[] = "reads the machine's identity";
    static const char kernel[] = "emulated or virtualised by the host kernel";
    static const char not_offered[] =
        "supervisor state: the simulated processor does not offer it";
    static const char hypervisor[] = "answered by the host's hypervisor";
    static const char random[] = "result is random by definition";
    static const char host[] = "depends on the host's monitor hardware";
    static const struct exclusion table[] = {
        {ZYDIS_MNEMONIC_SYSCALL,   call       },
        {ZYDIS_MNEMONIC_SYSENTER,  call       },
        {ZYDIS_MNEMONIC_INT,       call       },
        {ZYDIS_MNEMONIC_RDTSC,     clock      },
        {ZYDIS_MNEMONIC_RDTSCP,    clock      },
        {ZYDIS_MNEMONIC_RDPRU,     clock      },
        {ZYDIS_MNEMONIC_RDPID,     identity   },
        {ZYDIS_MNEMONIC_CPUID,     identity   },
        {ZYDIS_MNEMONIC_XGETBV,    identity   },
        {ZYDIS_MNEMONIC_SGDT,      kernel     },
        {ZYDIS_MNEMONIC_SIDT,      kernel     },
        {ZYDIS_MNEMONIC_SLDT,      kernel     },
        {ZYDIS_MNEMONIC_STR,       kernel     },
        {ZYDIS_MNEMONIC_SMSW,      kernel     },
        {ZYDIS_MNEMONIC_LAR,       identity   },
        {ZYDIS_MNEMONIC_LSL,       identity   },
        {ZYDIS_MNEMONIC_VERR,      identity   },
        {ZYDIS_MNEMONIC_VERW,      identity   },
        {ZYDIS_MNEMONIC_INT1,      kernel     },
        {ZYDIS_MNEMONIC_RDRAND,    random     },
        {ZYDIS_MNEMONIC_RDSEED,    random     },
        {ZYDIS_MNEMONIC_CLGI,      hypervisor },
        {ZYDIS_MNEMONIC_STGI,      hypervisor },
        {ZYDIS_MNEMONIC_INVLPGA,   hypervisor },
        {ZYDIS_MNEMONIC_SKINIT,    hypervisor },
        {ZYDIS_MNEMONIC_VMLOAD,    hypervisor },
        {ZYDIS_MNEMONIC_VMSAVE,    hypervisor },
        {ZYDIS_MNEMONIC_VMRUN,     hypervisor },
        {ZYDIS_MNEMONIC_VMMCALL,   hypervisor },
        {ZYDIS_MNEMONIC_VMCALL,    hypervisor },
        {ZYDIS_MNEMONIC_VMREAD,    hypervisor },
        {ZYDIS_MNEMONIC_VMWRITE,   hypervisor },
        {ZYDIS_MNEMONIC_PVALIDATE, hypervisor },
        {ZYDIS_MNEMONIC_XSAVES,    not_offered},
        {ZYDIS_MNEMONIC_XSAVES64,  not_offered},
        {ZYDIS_MNEMONIC_XRSTORS,   not_offered},
        {ZYDIS_MNEMONIC_XRSTORS64, not_offered},
        {ZYDIS_MNEMONIC_MONITORX,  host       },
        {ZYDIS_MNEMONIC_MWAITX,    host       },
    };

    for (unsigned i = 0; i < SIM_ARRAY_LEN(table); i++) {
        if (table[i].mnemonic == mnemonic)
            return table[i].reason;
    }
    return NULL;
}

static uint64_t random_value(struct rng_state *rng)
{
    static const uint64_t edges[] = {
        0,
        1,
        UINT64_MAX,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_C(0x7fffffffffffffff),
        UINT64_C(0x8000000000000000),
    };
    uint64_t value = rnd(rng);

    switch (rnd_below(rng, 5)) {
    case 0:
        return edges[rnd_below(rng, SIM_ARRAY_LEN(edges))];
    case 1:
        return rnd_below(rng, 64);
    case 2:
        return (uint64_t)((int64_t)value >> rnd_below(rng, 64));
    case 3:
        return value >> rnd_below(rng, 64);
    default:
        return value;
    }
}

/* An address in the data pages, sometimes across the middle or past the end. */
static uint64_t random_address(struct rng_state *rng)
{
    uint64_t offset = rnd_below(rng, DIFF_DATA_SIZE - WINDOW_SLACK);

    switch (rnd_below(rng, 16)) {
    case 0:
        return DIFF_DATA + 4096 - rnd_below(rng, 64);
    case 1:
        return DIFF_DATA + DIFF_DATA_SIZE - rnd_below(rng, 64);
    case 2:
    case 3:
        return DIFF_DATA + offset;
    default:
        return DIFF_DATA + (offset & ~UINT64_C(63));
    }
}

/* ------------------------------------------------------------ vector state */

static const uint32_t float_edges[] = {
    0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
    0x7fc00000, 0x7fa00000, 1,          0x007fffff, 0x00800000, 0x7f7fffff,
    0x4b000000, 0x4f000000, 0xcf000000, 0x5f000000, 0x3f000000, 0x3fc00000,
};
static const uint64_t double_edges[] = {
    0,
    UINT64_C(0x8000000000000000),
    UINT64_C(0x3ff0000000000000),
    UINT64_C(0xbff0000000000000),
    UINT64_C(0x7ff0000000000000),
    UINT64_C(0xfff0000000000000),
    UINT64_C(0x7ff8000000000000),
    UINT64_C(0x7ff4000000000000),
    1,
    UINT64_C(0x000fffffffffffff),
    UINT64_C(0x0010000000000000),
    UINT64_C(0x7fefffffffffffff),
    UINT64_C(0x41e0000000000000),
    UINT64_C(0x43e0000000000000),
    UINT64_C(0x3fe0000000000000),
    UINT64_C(0x3ff8000000000000),
};

/* 8 bytes that are often interesting as floats, doubles or small integers. */
static uint64_t random_lane(struct rng_state *rng)
{
    uint64_t pair;

    switch (rnd_below(rng, 8)) {
    case 0:
        pair = float_edges[rnd_below(rng, SIM_ARRAY_LEN(float_edges))];
        return pair |
               (uint64_t)float_edges[rnd_below(rng, SIM_ARRAY_LEN(float_edges))]
                   << 32;
    case 1:
        return double_edges[rnd_below(rng, SIM_ARRAY_LEN(double_edges))];
    case 2: /* two floats of moderate size */
        return (rnd(rng) & UINT64_C(0x807fffff807fffff)) +
               (((uint64_t)(0x7a + rnd_below(rng, 16)) << 23) |
                (uint64_t)(0x7a + rnd_below(rng, 16)) << 55);
    case 3: /* a double of moderate size */
        return (rnd(rng) & UINT64_C(0x800fffffffffffff)) |
               (uint64_t)(0x3f0 + rnd_below(rng, 64)) << 52;
    case 4:
        return random_value(rng);
    default:
        return rnd(rng);
    }
}

static void fill_lanes(uint8_t *to, size_t len, struct rng_state *rng)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t lane = random_lane(rng);

        memcpy(to + i, &lane, 8);
    }
}

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

/* An 80-bit register: exponent and mantissa, also the odd encodings. */
static void random_x87(uint8_t *to, struct rng_state *rng)
{
    uint64_t mantissa = rnd(rng) | UINT64_C(0x8000000000000000);
    unsigned exponent = 0x3fff - 20 + rnd_below(rng, 60);

    switch (rnd_below(rng, 12)) {
    case 0:
        mantissa = 0;
        exponent = 0;
        break;
    case 1:
        exponent = 0x7fff; /* NaN or infinity */
        if (rnd_below(rng, 2))
            mantissa = UINT64_C(0x8000000000000000);
        break;
    case 2:
        mantissa >>= 1 + rnd_below(rng, 60); /* denormal or unnormal */
        exponent = rnd_below(rng, 2) ? 0 : exponent;
        break;
    case 3:
        exponent = rnd_below(rng, 0x8000);
        break;
    case 4:
        mantissa &= ~UINT64_C(0) << (63 - rnd_below(rng, 20));
        break;
    default:
        break;
    }
    memcpy(to, &mantissa, 8);
    put16(to + 8, exponent | rnd_below(rng, 2) << 15);
}

static void fill_x87(uint8_t *xsave, struct rng_state *rng)
{
    unsigned control = 0x37f, top = rnd_below(rng, 8);

    if (rnd_below(rng, 4) == 0)
        control = 0x7f | rnd_below(rng, 4) << 10 | 0x300;
    if (rnd_below(rng, 8) == 0)
        control = (control & ~0x300U) | rnd_below(rng, 2) << 9;
    if (rnd_below(rng, 2) == 0)
        control &= ~rnd_below(rng, 64);
    put16(xsave, control);
    put16(xsave + 2, top << 11 | (rnd_below(rng, 2) ? 0x4700 & rnd(rng) : 0));
    xsave[4] = rnd_below(rng, 3) ? 0xff : (uint8_t)rnd(rng);
    for (unsigned i = 0; i < 8; i++)
        random_x87(xsave + 32 + 16 * i, rng);
}

static uint32_t random_mxcsr(struct rng_state *rng)
{
    uint32_t mxcsr = 0x1f80;

    if (rnd_below(rng, 3) == 0)
        mxcsr |= rnd_below(rng, 4) << 13;
    if (rnd_below(rng, 8) == 0)
        mxcsr |= 0x8000;
    if (rnd_below(rng, 8) == 0)
        mxcsr |= 0x0040;
    if (rnd_below(rng, 8) == 0)
        mxcsr |= rnd_below(rng, 64);
    if (rnd_below(rng, 2) == 0)
        mxcsr &= ~(rnd_below(rng, 64) << 7);
    /* A flag that is set and unmasked would be an exception already taken. */
    return mxcsr & ~(~(mxcsr >> 7) & 0x3f);
}

static void fill_xsave(uint8_t *xsave, uint64_t mask, struct rng_state *rng)
{
    uint32_t mxcsr = random_mxcsr(rng);

    memset(xsave, 0, X86_XSAVE_SIZE);
    fill_x87(xsave, rng);
    memcpy(xsave + 24, &mxcsr, 4);
    mxcsr = 0x2ffff; /* MXCSR_MASK of this host's frames */
    memcpy(xsave + 28, &mxcsr, 4);
    fill_lanes(xsave + 160, 256, rng);
    mask &= 0xe7;
    memcpy(xsave + 512, &mask, 8);
    if (mask & 4)
        fill_lanes(xsave + X86_XSAVE_YMM, 256, rng);
    if (mask & 0x20) {
        for (unsigned i = 0; i < 8; i++) {
            uint64_t k = rnd_below(rng, 4) ? rnd(rng) : random_value(rng);

            memcpy(xsave + X86_XSAVE_OPMASK + 8 * i, &k, 8);
        }
    }
    if (mask & 0x40)
        fill_lanes(xsave + X86_XSAVE_ZMM_HI, 512, rng);
    if (mask & 0x80)
        fill_lanes(xsave + X86_XSAVE_HI16_ZMM, 1024, rng);
}

/* -------------------------------------------------------- memory operands */

static int gpr_index(ZydisRegister reg)
{
    ZydisRegister full =
        ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (full < ZYDIS_REGISTER_RAX || full > ZYDIS_REGISTER_R15)
        return -1;
    return (int)(full - ZYDIS_REGISTER_RAX);
}

static bool is_vector(ZydisRegister reg)
{
    ZydisRegisterClass class = ZydisRegisterGetClass(reg);

    return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM ||
           class == ZYDIS_REGCLASS_ZMM;
}

/* Small, mostly distinct indices for VSIB addressing. */
static void fill_vsib(uint8_t *xsave, ZydisRegister reg, uint64_t mask,
                      struct rng_state *rng)
{
    unsigned id = (unsigned)ZydisRegisterGetId(reg);
    bool is_64 = rnd_below(rng, 2);

    for (unsigned byte = 0; byte < 64; byte += 4) {
        uint32_t value = is_64 && (byte & 4) ? 0 : rnd_below(rng, 200);
        uint8_t *to = xsave + 160 + 16 * id + byte;

        if (byte >= 16 && byte < 32)
            to = xsave + X86_XSAVE_YMM + 16 * id + (byte - 16);
        if (byte >= 32)
            to = xsave + X86_XSAVE_ZMM_HI + 32 * id + (byte - 32);
        if (id >= 16)
            to = xsave + X86_XSAVE_HI16_ZMM + 64 * (id - 16) + byte;
        if ((id < 16 && byte < 16) || (byte < 32 && id < 16 && (mask & 4)) ||
            (mask & 0x80))
            memcpy(to, &value, 4);
    }
}

static bool restores_state(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_LDMXCSR:
        return true;
    default:
        return false;
    }
}

/* Random bytes make no valid image: put one where the operand points. */
static void plant_image(struct diff_case *out, ZydisMnemonic mnemonic,
                        uint64_t target, uint64_t mask, struct rng_state *rng)
{
    uint8_t image[X86_XSAVE_SIZE];
    uint64_t offset = target - DIFF_DATA, bv = mask & rnd(rng);

    if (offset + X86_XSAVE_SIZE > DIFF_DATA_SIZE || rnd_below(rng, 8) == 0)
        return;
    fill_xsave(image, mask, rng);
    memcpy(image + 512, &bv, 8);
    memset(image + 520, 0, 56);
    if (mnemonic == ZYDIS_MNEMONIC_LDMXCSR)
        memcpy(out->data + offset, image + 24, 4);
    else
        memcpy(out->data + offset, image, sizeof image);
}

/* Give the base register the value that makes the operand hit a target. */
static void aim(struct diff_case *out, const struct decoded *decoded,
                const ZydisDecodedOperand *operand, uint64_t mask,
                struct rng_state *rng)
{
    uint64_t target = random_address(rng);
    int base = gpr_index(operand->mem.base);
    int index = gpr_index(operand->mem.index);

    if (restores_state(decoded->inst.mnemonic)) {
        target &= ~UINT64_C(63);
        plant_image(out, decoded->inst.mnemonic, target, mask, rng);
    }
    if (is_vector(operand->mem.index))
        fill_vsib(out->in.xsave, operand->mem.index, mask, rng);
    if (base < 0 && index >= 0 && operand->mem.scale == 1)
        base = index, index = -1;
    if (base < 0)
        return;
    if (index >= 0 && index != base) {
        uint64_t value = rnd_below(rng, 256);

        if (rnd_below(rng, 2))
            value = 0 - value;
        out->in.gpr[index] = out->mode == DIFF_LONG64 ? value : (uint32_t)value;
        target -= value * operand->mem.scale;
    }
    target -= (uint64_t)operand->mem.disp.value;
    if (out->mode == DIFF_COMPAT16)
        target -= DIFF_DATA;
    else if (operand->mem.segment == ZYDIS_REGISTER_FS)
        target -= out->in.fs_base;
    else if (operand->mem.segment == ZYDIS_REGISTER_GS)
        target -= out->in.gs_base;
    if (decoded->inst.address_width == 32)
        target =
            (uint32_t)target |
            (out->mode == DIFF_LONG64 ? rnd(rng) & ~UINT64_C(0xffffffff) : 0);
    if (decoded->inst.address_width == 16)
        target = (uint16_t)target | (rnd(rng) & 0xffff0000);
    out->in.gpr[base] = target;
}

static void fill_gprs(struct diff_case *out, struct rng_state *rng)
{
    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        out->in.gpr[i] = random_value(rng);
    out->in.gpr[X86_RSP] = DIFF_DATA + 2048 + 8 * rnd_below(rng, 64);
    if (rnd_below(rng, 2))
        out->in.gpr[X86_RBP] = DIFF_DATA + 1024 + 8 * rnd_below(rng, 64);
    out->in.fs_base = rnd_below(rng, 2) ? DIFF_DATA : rnd_below(rng, 4096);
    out->in.gs_base = rnd_below(rng, 2) ? DIFF_DATA : rnd_below(rng, 4096);
}

/* What 32-bit code cannot see is zero. */
static void narrow_gprs(struct diff_case *out)
{
    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        out->in.gpr[i] = i < 8 ? (uint32_t)out->in.gpr[i] : 0;
    out->in.fs_base = 0;
    out->in.gs_base = 0;
}

/* The segments' bases are those of the descriptors; of ESP the upper half does
 * not take part. */
static void narrow_to_segments(struct diff_case *out, struct rng_state *rng)
{
    uint32_t above = rnd_below(rng, 2) ? 0 : (uint32_t)rnd(rng) << 16;

    out->in.gpr[X86_RSP] = (uint16_t)out->in.gpr[X86_RSP] | above;
    out->in.fs_base = DIFF_DATA;
    out->in.gs_base = DIFF_DATA;
}

static bool is_repeated(const struct decoded *decoded)
{
    return decoded->inst.attributes &
           (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
            ZYDIS_ATTRIB_HAS_REPNE);
}

/* Mostly valid targets for what the decoder calls a branch through a value. */
static void fill_code(struct diff_case *out, const struct decoded *decoded,
                      struct rng_state *rng)
{
    uint32_t room = DIFF_CODE_SIZE - 16;

    out->len = decoded->inst.length;
    out->offset = (uint16_t)rnd_below(rng, room);
    if (rnd_below(rng, 2) == 0)
        out->offset = (uint16_t)(DIFF_CODE_SIZE - out->len);
    out->in.rip = (out->mode == DIFF_COMPAT16 ? 0 : DIFF_CODE) + out->offset;
}

void case_fill(struct diff_case *out, const struct decoded *decoded,
               uint64_t xsave_mask, struct rng_state *rng)
{
    fill_code(out, decoded, rng);
    fill_gprs(out, rng);
    if (out->mode != DIFF_LONG64)
        narrow_gprs(out);
    if (out->mode == DIFF_COMPAT16)
        narrow_to_segments(out, rng);
    fill_xsave(out->in.xsave, xsave_mask, rng);
    fill_lanes(out->data, DIFF_DATA_SIZE, rng);
    out->in.rflags = X86_RF_FIXED1 | X86_IF | (rnd(rng) & X86_ARITH_FLAGS);
    if (rnd_below(rng, 4) == 0)
        out->in.rflags |= X86_DF_FLAG;
    for (unsigned i = 0; i < decoded->inst.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoded->operands[i];

        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            rnd_below(rng, 32) != 0)
            aim(out, decoded, operand, xsave_mask, rng);
    }
    if (is_repeated(decoded))
        out->in.gpr[X86_RCX] = rnd_below(rng, 40);
}
