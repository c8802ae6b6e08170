/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multiboot (version 1) kernels: ELF files, 32- or 64-bit, with a Multiboot
 * header.  Leaves out: boot modules, video modes, the a.out fields.
 * Source: Multiboot Specification 0.6.96, "Machine state", "Boot information
 * format".
 */
#ifndef ARCH_X86_BOOT_MULTIBOOT_H
#define ARCH_X86_BOOT_MULTIBOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;
struct x86_state;

struct multiboot_image {
    const uint8_t *data; /* the whole file */
    size_t len;
    const char *name;         /* for messages and the boot loader's field */
    const char *command_line; /* may be NULL */
};

/** multiboot_has_header() - whether the first 8 KiB hold a valid header. */
bool multiboot_has_header(const uint8_t *data, size_t len);

/**
 * multiboot_load() - place a kernel in RAM and prepare the processor
 * @state: set to the machine state the specification promises
 * @why:   on failure, the reason as text
 *
 * The boot information is put just below 640 KiB.
 *
 * Returns: 0; -ENOEXEC (no Multiboot header, not ELF for x86, damaged),
 * -ENOMEM (a segment does not lie in RAM).
 */
SIM_MUST_CHECK int multiboot_load(struct physmem *mem,
                                  const struct multiboot_image *image,
                                  struct x86_state *state, char why[160]);

#ifdef __cplusplus
}
#endif

#endif
