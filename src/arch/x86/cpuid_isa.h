/* SPDX-License-Identifier: BSD-3-Clause */
/* Which instructions a CPUID model has. */
#ifndef ARCH_X86_CPUID_ISA_H
#define ARCH_X86_CPUID_ISA_H

#include <stdbool.h>

#include <Zydis/Zydis.h>

#include "arch/x86/cpuid.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * x86_cpuid_offers() - does the model have this instruction?
 * @cpuid: NULL: everything
 *
 * What it does not have is #UD.  LZCNT and TZCNT are true in any case: without
 * their feature they execute as BSR and BSF, which the decoder can be told
 * (ZYDIS_DECODER_MODE_LZCNT, ZYDIS_DECODER_MODE_TZCNT).
 */
bool x86_cpuid_offers(const struct x86_cpuid *cpuid,
                      const ZydisDecodedInstruction *insn);

#ifdef __cplusplus
}
#endif

#endif
