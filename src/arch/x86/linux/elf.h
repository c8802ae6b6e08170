/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading of ELF programs.  Everything in the file is untrusted: each number is
 * checked before it is used, and an error says what is wrong with the file.
 * Sources: [ELF] "ELF Header", "Program Header"; elf(5).
 */
#ifndef ARCH_X86_LINUX_ELF_H
#define ARCH_X86_LINUX_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ELF_MAX_SEGMENTS = 64, ELF_MAX_INTERP = 4096, ELF_WHY_SIZE = 200 };

/* Where the bytes come from.  read returns the bytes copied, which are fewer
 * than @len only at the end, or -errno. */
struct elf_source {
    int64_t (*read)(void *ctx, uint64_t offset, void *data, uint64_t len);
    void *ctx;
};

struct elf_segment {
    uint64_t offset, addr, file_size, mem_size;
    uint32_t prot; /* enum mm_prot */
};

struct elf_image {
    bool is_32;
    bool is_relocatable; /* ET_DYN: may be loaded anywhere */
    bool has_exec_stack;
    uint64_t entry;
    uint64_t header_addr; /* of the program headers once loaded; 0: none */
    uint32_t header_size, num_headers;
    uint64_t low, high; /* addresses of the segments, page-aligned */
    uint64_t align;     /* of the load address */
    uint32_t num_segments;
    struct elf_segment segments[ELF_MAX_SEGMENTS];
    char interp[ELF_MAX_INTERP]; /* "": none */
};

/** elf_parse() - read the headers
 *  Returns: 0; -ENOEXEC and the reason in @why; or -errno of the read. */
SIM_MUST_CHECK int elf_parse(const struct elf_source *source,
                             struct elf_image *image, char why[ELF_WHY_SIZE]);

/* A function of the program. */
struct elf_symbol {
    uint64_t addr, size;
    const char *name; /* in elf_symbols.names */
    bool is_indirect; /* it only chooses the function, at load time */
};

struct elf_symbols {
    struct elf_symbol *symbols; /* sorted by address */
    size_t count;
    char *names;
};

/** elf_symbols_read() - functions of .symtab, or of .dynsym without one;
 *  nothing at all is not an error. */
void elf_symbols_read(const struct elf_source *source,
                      struct elf_symbols *symbols);
void elf_symbols_free(struct elf_symbols *symbols);
/* The function that holds @addr (before relocation), or NULL. */
const struct elf_symbol *elf_symbols_find(const struct elf_symbols *symbols,
                                          uint64_t addr);

/* A source over memory and over a host descriptor. */
struct elf_memory {
    const uint8_t *data;
    size_t len;
};
int64_t elf_read_memory(void *ctx, uint64_t offset, void *data, uint64_t len);
int64_t elf_read_fd(void *ctx, uint64_t offset, void *data, uint64_t len);

#ifdef __cplusplus
}
#endif

#endif
