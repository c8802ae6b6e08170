/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: ELF headers and symbol tables from arbitrary bytes. */
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/linux/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct elf_image image;
    struct elf_memory memory = {data, len};
    struct elf_source source = {elf_read_memory, &memory};
    struct elf_symbols symbols;
    char why[ELF_WHY_SIZE];

    if (elf_parse(&source, &image, why) == 0) {
        elf_symbols_read(&source, &symbols);
        (void)elf_symbols_find(&symbols, image.entry);
        elf_symbols_free(&symbols);
    }
    return 0;
}
