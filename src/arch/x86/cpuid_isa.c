/* SPDX-License-Identifier: BSD-3-Clause */
/* The decoder's instruction sets and the features that announce them. */
#include "arch/x86/cpuid_isa.h"

static const struct isa_row {
    uint8_t first, second; /* enum x86_feature + 1; 0: no condition */
    bool is_never;
} isa_rows[ZYDIS_ISA_SET_MAX_VALUE + 1] = {
#define X86_ISA(set, first, second)                                            \
    [ZYDIS_ISA_SET_##                                                          \
        set] = {X86_FEAT_##first + 1, X86_FEAT_##second + 1, false},
#define X86_ISA_NEVER(set) [ZYDIS_ISA_SET_##set] = {0, 0, true},
#include "arch/x86/cpuid_isa.def"
#undef X86_ISA
#undef X86_ISA_NEVER
};

/* Instructions that differ from the rest of their set. */
static bool is_always_there(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_LZCNT:
    case ZYDIS_MNEMONIC_TZCNT:
    case ZYDIS_MNEMONIC_ENDBR32: /* NOP without CET */
    case ZYDIS_MNEMONIC_ENDBR64:
    case ZYDIS_MNEMONIC_RDSSPD:
    case ZYDIS_MNEMONIC_RDSSPQ:
        return true;
    default:
        return false;
    }
}

static bool has(const struct x86_cpuid *cpuid, uint8_t feature)
{
    return !feature || x86_cpuid_has(cpuid, feature - 1);
}

bool x86_cpuid_offers(const struct x86_cpuid *cpuid,
                      const ZydisDecodedInstruction *insn)
{
    const struct isa_row *row = &isa_rows[insn->meta.isa_set];

    if (is_always_there(insn->mnemonic))
        return insn->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
    if (row->is_never || insn->meta.isa_set == ZYDIS_ISA_SET_CET)
        return false;
    if (!cpuid)
        return true;
    return has(cpuid, row->first) && has(cpuid, row->second);
}
