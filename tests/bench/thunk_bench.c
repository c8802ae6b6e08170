/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nanoseconds per native thunk, called as the engine calls it: test what is
 * ready, call the code.  Beside it the same dependent instruction executed
 * natively, for a ratio that does not depend on the machine.
 */
#include <stdio.h>
#include <string.h>

#include "arch/x86/thunk.h"
#include "base/alloc.h"
#include "base/host_clock.h"

enum { ROUNDS = 20000000 };

struct machine {
    struct x86_state state;
    struct x86_fpu fpu;
    SIM_ALIGNAS(64) uint8_t memory[64];
};

struct form {
    const char *name;
    uint8_t bytes[10];
    uint8_t len;
};

static const struct form forms[] = {
    {"addsd xmm0, xmm1",               {0xf2, 0x0f, 0x58, 0xc1},             4},
    {"addsd xmm0, [rax]",              {0xf2, 0x0f, 0x58, 0x00},             4},
    {"mulps xmm0, xmm1",               {0x0f, 0x59, 0xc1},                   3},
    {"pshufb xmm0, xmm1",              {0x66, 0x0f, 0x38, 0x00, 0xc1},       5},
    {"movdqu xmm0, [rax]",             {0xf3, 0x0f, 0x6f, 0x00},             4},
    {"movdqu [rax], xmm0",             {0xf3, 0x0f, 0x7f, 0x00},             4},
    {"cvtsi2sd xmm0, rbx",             {0xf2, 0x48, 0x0f, 0x2a, 0xc3},       5},
    {"cvttsd2si rbx, xmm0",            {0xf2, 0x48, 0x0f, 0x2c, 0xd8},       5},
    {"ucomisd xmm0, xmm1",             {0x66, 0x0f, 0x2e, 0xc1},             4},
    {"aesenc xmm0, xmm1",              {0x66, 0x0f, 0x38, 0xdc, 0xc1},       5},
    {"vaddpd ymm0, ymm0, ymm1",        {0xc5, 0xfd, 0x58, 0xc1},             4},
    {"vpaddd ymm0, ymm0, [rax]",       {0xc5, 0xfd, 0xfe, 0x00},             4},
    {"vfmadd231pd ymm0, ymm1, ymm2",   {0xc4, 0xe2, 0xf5, 0xb8, 0xc2},       5},
    {"vaddps zmm0{k1}, zmm0, zmm1",    {0x62, 0xf1, 0x7c, 0x49, 0x58, 0xc1}, 6},
    {"vpcmpeqb k1, zmm0, zmm1",        {0x62, 0xf1, 0x7d, 0x48, 0x74, 0xc9}, 6},
    {"fadd st0, st1",                  {0xd8, 0xc1},                         2},
    {"fld qword [rax] (and fstp st0)", {0xdd, 0x00},                         2},
    {"paddb mm0, mm1",                 {0x0f, 0xfc, 0xc1},                   3},
};

static const struct x86_thunk *decode(struct x86_thunks *thunks,
                                      const uint8_t *bytes, unsigned len)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

    (void)ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                           ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder, bytes, len, &insn, operands)))
        return NULL;
    return x86_thunks_get(thunks, &insn, operands, bytes, NULL);
}

static double time_thunk(struct machine *machine, const struct x86_thunk *thunk,
                         const struct x86_thunk *after)
{
    struct x86_fpu *fpu = &machine->fpu;
    uint64_t start, flags = 0;

    x86_fpu_enter(fpu, X86_LIVE_MXCSR | X86_LIVE_X87);
    start = host_clock_cpu_ns();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        if (SIM_UNLIKELY(thunk->needs & fpu->unready))
            break;
        flags += thunk->code(fpu, machine->memory, 0);
        if (after)
            (void)after->code(fpu, machine->memory, 0);
    }
    start = host_clock_cpu_ns() - start;
    x86_fpu_leave(fpu);
    __asm__ volatile("" : : "r"(flags));
    return (double)start / ROUNDS;
}

static double time_native(void)
{
    uint64_t start = host_clock_cpu_ns();

    for (uint32_t i = 0; i < ROUNDS; i++)
        __asm__ volatile("addsd %%xmm1, %%xmm0" : : : "xmm0");
    return (double)(host_clock_cpu_ns() - start) / ROUNDS;
}

static double time_build(struct x86_thunks *thunks)
{
    enum { NUM = 4000 };
    uint64_t start = host_clock_cpu_ns();

    for (uint32_t i = 0; i < NUM; i++) {
        uint8_t bytes[8] = {0x0f, 0x58, 0x88, (uint8_t)i, (uint8_t)(i >> 8)};

        (void)decode(thunks, bytes, 7);
    }
    return (double)(host_clock_cpu_ns() - start) / NUM;
}

static void run_forms(struct machine *machine, struct x86_thunks *thunks)
{
    static const uint8_t fstp[] = {0xdd, 0xd8};
    double native = time_native();

    (void)printf("%-32s %6.2f ns\n", "addsd, native, dependent", native);
    for (size_t i = 0; i < SIM_ARRAY_LEN(forms); i++) {
        const struct form *form = &forms[i];
        const struct x86_thunk *thunk = decode(thunks, form->bytes, form->len);
        double ns;

        if (!thunk) {
            (void)printf("%-32s not on this host\n", form->name);
            continue;
        }
        ns =
            time_thunk(machine, thunk,
                       form->bytes[0] == 0xdd ? decode(thunks, fstp, 2) : NULL);
        (void)printf("%-32s %6.2f ns  %6.0f MIPS  %5.1f times native\n",
                     form->name, ns, 1e3 / ns, ns / native);
    }
}

int main(void)
{
    struct machine *memory = alloc_zeroed(2, sizeof *memory);
    struct machine *machine =
        (struct machine *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    struct x86_fpu_cfg cfg = {.state = &machine->state};
    struct x86_thunks *thunks =
        x86_thunks_create((ptrdiff_t)offsetof(struct machine, state) -
                          (ptrdiff_t)offsetof(struct machine, fpu));

    x86_state_reset(&machine->state);
    machine->state.cr0 = 0x80050033;
    machine->state.cr4 = 0x50620;
    machine->state.xcr0 = 0xe7;
    x86_fpu_init(&machine->fpu, &cfg);
    x86_fx_set_u16(machine->fpu.x87, X86_FX_FCW, X86_FCW_DEFAULT);
    run_forms(machine, thunks);
    (void)printf("%-32s %6.0f ns\n", "decode and build a thunk",
                 time_build(thunks));
    x86_thunks_destroy(thunks);
    mem_free(memory);
    return 0;
}
