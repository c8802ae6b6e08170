/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/disasm.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

#include "arch/x86/state.h"

enum { EFER_LMA = 1 << 10 };

static void disasm_init(const struct x86_state *state, ZydisDecoder *decoder)
{
    const struct x86_seg *cs = &state->seg[X86_CS];
    ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LEGACY_16;
    ZydisStackWidth width = ZYDIS_STACK_WIDTH_16;

    if ((state->efer & EFER_LMA) && cs->l) {
        mode = ZYDIS_MACHINE_MODE_LONG_64;
        width = ZYDIS_STACK_WIDTH_64;
    } else if (cs->db) {
        mode = ZYDIS_MACHINE_MODE_LEGACY_32;
        width = ZYDIS_STACK_WIDTH_32;
    }
    (void)ZydisDecoderInit(decoder, mode, width);
}

void x86_disasm(const struct x86_state *state,
                const struct x86_disasm_input *input, char *out, size_t size)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction instruction;
    ZydisFormatter formatter;
    ZydisDecoder decoder;

    disasm_init(state, &decoder);
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, input->bytes, input->len,
                                           &instruction, operands)) ||
        ZYAN_FAILED(
            ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
        ZYAN_FAILED(ZydisFormatterFormatInstruction(
            &formatter, &instruction, operands,
            instruction.operand_count_visible, out, size, input->rip, NULL)))
        (void)snprintf(out, size, "(bad)");
}
