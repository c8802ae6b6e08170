/* SPDX-License-Identifier: BSD-3-Clause */
/* Comparison of two results, with the table of what is undefined. */
#include "compare.h"

#include <string.h>

#include "arch/x86/fault.h"

static const char *const gpr_names[X86_NUM_GPRS] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

/* Flags that the instruction leaves undefined. */
static uint64_t undefined_flags(const struct decoded *decoded)
{
    const ZydisAccessedFlags *flags = decoded->inst.cpu_flags;

    return flags ? flags->undefined : 0;
}

/*
 * The trap flag is the harness's own; RF is set in the image of a fault.
 * [SDM] Vol. 3B, "Single-Step Exception Condition".
 */
static const uint64_t harness_flags = X86_TF | X86_RF;

static bool differ(char text[256], const char *what, uint64_t native,
                   uint64_t model)
{
    if (native == model)
        return false;
    (void)snprintf(text, 256, "%s: native %#llx, simulated %#llx", what,
                   (unsigned long long)native, (unsigned long long)model);
    return true;
}

/* The upper half of the address space belongs to the native side's kernel:
 * whether a page is present there is not the instruction's affair. */
static uint32_t visible_error(const struct diff_result *result)
{
    return result->fault_addr >> 63 ? result->error & ~(uint32_t)X86_PF_PRESENT
                                    : result->error;
}

static bool compare_fault(const struct diff_result *native,
                          const struct diff_result *model, char text[256])
{
    if (differ(text, "exception", native->vector, model->vector))
        return true;
    if (native->vector == X86_PF)
        return differ(text, "page fault error code", visible_error(native),
                      visible_error(model)) ||
               differ(text, "page fault address", native->fault_addr,
                      model->fault_addr);
    return native->vector == X86_GP &&
           differ(text, "#GP error code", native->error, model->error);
}

static bool compare_regs(const struct decoded *decoded,
                         const struct diff_result *native,
                         const struct diff_result *model, char text[256])
{
    uint64_t ignored = harness_flags;

    for (unsigned i = 0; i < X86_NUM_GPRS; i++) {
        if (differ(text, gpr_names[i], native->out.gpr[i], model->out.gpr[i]))
            return true;
    }
    if (native->vector == X86_NO_FAULT)
        ignored |= undefined_flags(decoded);
    return differ(text, "rip", native->out.rip, model->out.rip) ||
           differ(text, "rflags", native->out.rflags & ~ignored,
                  model->out.rflags & ~ignored) ||
           differ(text, "fs base", native->out.fs_base, model->out.fs_base) ||
           differ(text, "gs base", native->out.gs_base, model->out.gs_base);
}

/* ------------------------------------------------------------- XSAVE image */

struct component {
    const char *name;
    unsigned bit, offset, len;
};
static const struct component components[] = {
    {"opmask", 5, X86_XSAVE_OPMASK,   64  },
    {"ymm",    2, X86_XSAVE_YMM,      256 },
    {"zmm_hi", 6, X86_XSAVE_ZMM_HI,   512 },
    {"hi16",   7, X86_XSAVE_HI16_ZMM, 1024},
};

static uint64_t xstate_bv(const uint8_t *xsave)
{
    uint64_t mask;

    memcpy(&mask, xsave + 512, 8);
    return mask;
}

/* A component whose XSTATE_BV bit is clear is in its initial state.
 * [SDM] Vol. 1, "XSAVE-Managed State". */
static void canonical_image(const uint8_t *xsave, uint8_t *out)
{
    uint64_t mask = xstate_bv(xsave);
    uint32_t mxcsr;

    memcpy(out, xsave, X86_XSAVE_SIZE);
    memcpy(&mxcsr, xsave + 24, 4);
    if (!(mask & 1)) {
        memset(out, 0, 24);
        out[0] = 0x7f;
        out[1] = 0x03;
        memset(out + 32, 0, 128);
    }
    if (!(mask & 2))
        memset(out + 160, 0, 256);
    for (unsigned i = 0; i < SIM_ARRAY_LEN(components); i++) {
        if (!(mask & (UINT64_C(1) << components[i].bit)))
            memset(out + components[i].offset, 0, components[i].len);
    }
    memcpy(out + 24, &mxcsr, 4);
}

static bool compare_bytes(const char *name, const uint8_t *native,
                          const uint8_t *model, unsigned len, char text[256])
{
    for (unsigned i = 0; i < len; i += 8) {
        uint64_t a, b;
        char what[40];

        if (!memcmp(native + i, model + i, 8))
            continue;
        memcpy(&a, native + i, 8);
        memcpy(&b, model + i, 8);
        (void)snprintf(what, sizeof what, "%s[%u]", name, i);
        return differ(text, what, a, b);
    }
    return false;
}

/*
 * FIP, FDP and FOP (bytes 6 to 23) are left out: this processor family writes
 * them only when an exception is pending.  [APM] Vol. 2, "FXSAVE and FXRSTOR".
 * Unused bytes 10 to 15 of each register slot are reserved.
 */
static bool compare_x87(const uint8_t *native, const uint8_t *model,
                        char text[256])
{
    static const char *const names[] = {"fcw", "fsw", "ftw"};
    static const unsigned widths[] = {2, 2, 1};

    for (unsigned i = 0; i < 3; i++) {
        uint64_t a = 0, b = 0;

        memcpy(&a, native + 2 * i, widths[i]);
        memcpy(&b, model + 2 * i, widths[i]);
        if (differ(text, names[i], a, b))
            return true;
    }
    for (unsigned i = 0; i < 8; i++) {
        char name[8];

        (void)snprintf(name, sizeof name, "st%u", i);
        if (memcmp(native + 32 + 16 * i, model + 32 + 16 * i, 10)) {
            uint8_t a[16] = {0}, b[16] = {0};

            memcpy(a, native + 32 + 16 * i, 10);
            memcpy(b, model + 32 + 16 * i, 10);
            return compare_bytes(name, a, b, 16, text);
        }
    }
    return false;
}

static bool compare_xsave(const struct diff_result *native,
                          const struct diff_result *model, char text[256])
{
    uint8_t a[X86_XSAVE_SIZE], b[X86_XSAVE_SIZE];
    uint32_t mxcsr_a, mxcsr_b;

    canonical_image(native->out.xsave, a);
    canonical_image(model->out.xsave, b);
    memcpy(&mxcsr_a, a + 24, 4);
    memcpy(&mxcsr_b, b + 24, 4);
    if (compare_x87(a, b, text) || differ(text, "mxcsr", mxcsr_a, mxcsr_b) ||
        compare_bytes("xmm", a + 160, b + 160, 256, text))
        return true;
    for (unsigned i = 0; i < SIM_ARRAY_LEN(components); i++) {
        const struct component *part = &components[i];

        if (compare_bytes(part->name, a + part->offset, b + part->offset,
                          part->len, text))
            return true;
    }
    return false;
}

bool compare_results(const struct diff_case *test,
                     const struct decoded *decoded,
                     const struct diff_result *native,
                     const struct diff_result *model, char text[256])
{
    (void)test;
    return compare_fault(native, model, text) ||
           compare_regs(decoded, native, model, text) ||
           compare_xsave(native, model, text) ||
           compare_bytes("memory", native->data, model->data, DIFF_DATA_SIZE,
                         text);
}

/* ------------------------------------------------------------------ print */

static void print_state(FILE *out, const char *name,
                        const struct diff_state *state)
{
    (void)fprintf(
        out, "  %s: rip %#llx rflags %#llx fs %#llx gs %#llx\n", name,
        (unsigned long long)state->rip, (unsigned long long)state->rflags,
        (unsigned long long)state->fs_base, (unsigned long long)state->gs_base);
    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        (void)fprintf(out, "    %-3s %016llx%s", gpr_names[i],
                      (unsigned long long)state->gpr[i],
                      i % 4 == 3 ? "\n" : "");
}

static void print_fault(FILE *out, const char *name,
                        const struct diff_result *result)
{
    if (result->vector != X86_NO_FAULT)
        (void)fprintf(out, "  %s: vector %u error %#x address %#llx\n", name,
                      result->vector, result->error,
                      (unsigned long long)result->fault_addr);
}

static void print_vector(FILE *out, const char *side,
                         const struct diff_state *state, unsigned id)
{
    uint64_t low[2], high[2];
    uint32_t mxcsr;

    memcpy(low, state->xsave + 160 + 16 * id, 16);
    memcpy(high, state->xsave + X86_XSAVE_YMM + 16 * id, 16);
    memcpy(&mxcsr, state->xsave + 24, 4);
    (void)fprintf(
        out, "    %s ymm%u %016llx_%016llx_%016llx_%016llx mxcsr %x\n", side,
        id, (unsigned long long)high[1], (unsigned long long)high[0],
        (unsigned long long)low[1], (unsigned long long)low[0], mxcsr);
}

static void print_operands(FILE *out, const struct diff_case *test,
                           const struct decoded *decoded,
                           const struct diff_result *native,
                           const struct diff_result *model)
{
    for (unsigned i = 0; i < decoded->inst.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoded->operands[i];
        ZydisRegisterClass class;
        unsigned id;

        if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        class = ZydisRegisterGetClass(operand->reg.value);
        id = (unsigned)ZydisRegisterGetId(operand->reg.value);
        if ((class != ZYDIS_REGCLASS_XMM && class != ZYDIS_REGCLASS_YMM &&
             class != ZYDIS_REGCLASS_ZMM) ||
            id > 15)
            continue;
        print_vector(out, "before   ", &test->in, id);
        print_vector(out, "native   ", &native->out, id);
        print_vector(out, "simulated", &model->out, id);
    }
}

void compare_print(FILE *out, const struct diff_case *test,
                   const struct decoded *decoded,
                   const struct diff_result *native,
                   const struct diff_result *model)
{
    ZydisFormatter formatter;
    char text[128];

    (void)ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    (void)ZydisFormatterFormatInstruction(
        &formatter, &decoded->inst, decoded->operands,
        decoded->inst.operand_count_visible, text, sizeof text, test->in.rip,
        ZYAN_NULL);
    (void)fprintf(out, "  %s   (", text);
    for (unsigned i = 0; i < test->len; i++)
        (void)fprintf(out, "%s%02x", i ? " " : "", test->bytes[i]);
    (void)fprintf(out, ")\n");
    print_state(out, "before   ", &test->in);
    print_fault(out, "native   ", native);
    print_state(out, "native   ", &native->out);
    print_fault(out, "simulated", model);
    print_state(out, "simulated", &model->out);
    print_operands(out, test, decoded, native, model);
}
