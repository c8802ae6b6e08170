/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where processors of different vendors decode differently.  The guest gets
 * what the host does, whatever CPUID says: a program that changes from the core
 * to the host's own execution must not notice.
 */
#ifndef ARCH_X86_QUIRKS_H
#define ARCH_X86_QUIRKS_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** x86_quirks_is_amd() - the host is one of AMD's processors */
bool x86_quirks_is_amd(void);

/** x86_quirks_decode() - decode as the host does
 *
 * - AMD: the operand-size prefix of near branches counts in 64-bit mode;
 *   Intel ignores it.  [APM] Vol. 3, "Near Branches in 64-Bit Mode".
 * - AMD: LFS, LGS, LSS and far transfers through memory have no 64-bit offset
 *   (REX.W is ignored).  [APM] Vol. 3, "LFS", "CALL (Far)".
 * - AMD: 0F 0D with a register is undefined; Intel executes a NOP.
 * - AMD: F2 makes LOOPE a LOOPNE, F3 the other way round (measured).
 * - AMD: PAUSE with REX.B is XCHG R8, RAX (measured).
 * - All: [R13D + index] without displacement
 *   size has no base; LZCNT, TZCNT and POPCNT have no VEX forms.
 */
ZyanStatus x86_quirks_decode(const ZydisDecoder *machine, const uint8_t *bytes,
                             size_t len, ZydisDecodedInstruction *insn,
                             ZydisDecodedOperand *operands);

/* Settings of a decoder; returns false if Zydis refuses. */
bool x86_quirks_set_up(ZydisDecoder *machine);

#ifdef __cplusplus
}
#endif

#endif
