/* SPDX-License-Identifier: BSD-3-Clause */
/* Instructions as text, for traces and reports. */
#ifndef ARCH_X86_DISASM_H
#define ARCH_X86_DISASM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct x86_state;

struct x86_disasm_input {
    const uint8_t *bytes;
    size_t len;
    uint64_t rip;
};

/** x86_disasm() - Intel syntax into @out, "(bad)" for what is no instruction
 *  @state: mode in which the bytes are read */
void x86_disasm(const struct x86_state *state,
                const struct x86_disasm_input *input, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
