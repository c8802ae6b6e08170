/* SPDX-License-Identifier: BSD-3-Clause */
/* Loader of Multiboot kernels. */
#include "arch/x86/boot/multiboot.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/state.h"
#include "mem/physmem.h"

#define HEADER_MAGIC 0x1badb002U
#define LOADER_MAGIC 0x2badb002U

enum {
    HEADER_SEARCH = 8192, /* the header lies in the first 8 KiB */
    INFO_ADDR = 0x9f000,  /* below the extended BIOS data area */
    INFO_MMAP = 0x9f100,
    INFO_CMDLINE = 0x9f400, /* to 0x9fbff */
    CMDLINE_MAX = 0x7ff,
    FLAG_UNSUPPORTED = 0xfff8 & ~4, /* bits 3 to 15 must be understood */
    INFO_HAS_MEMORY = 1 << 0,
    INFO_HAS_CMDLINE = 1 << 2,
    INFO_HAS_MMAP = 1 << 6,
    MMAP_RAM = 1,
    MAX_MMAP = 16,
};

/* "Boot information format". */
struct info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
    uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
    uint32_t rest[17];
};

struct __attribute__((packed)) mmap_entry {
    uint32_t size; /* of the rest */
    uint64_t base, length;
    uint32_t type;
};

struct load {
    struct physmem *mem;
    const struct multiboot_image *image;
    char *why;
};

/* A program header of either class. */
struct segment {
    uint64_t offset, file_size, mem_size, addr;
};

static int refuse(const struct load *load, int error, const char *fmt, ...)
    SIM_PRINTF(3, 4);
static int refuse(const struct load *load, int error, const char *fmt, ...)
{
    int len = snprintf(load->why, 160, "%s: ", load->image->name);
    va_list args;

    if (len < 0 || len >= 160)
        len = 0;
    va_start(args, fmt);
    (void)vsnprintf(load->why + len, (size_t)(160 - len), fmt, args);
    va_end(args);
    return error;
}

/* The header's flags, or -1 if there is none. */
static int64_t header_flags(const uint8_t *data, size_t len)
{
    for (size_t at = 0; at + 12 <= len && at < HEADER_SEARCH; at += 4) {
        uint32_t header[3]; /* magic, flags, checksum */

        memcpy(header, data + at, sizeof header);
        if (header[0] == HEADER_MAGIC && header[2] == 0 - header[0] - header[1])
            return header[1];
    }
    return -1;
}

bool multiboot_has_header(const uint8_t *data, size_t len)
{
    return header_flags(data, len) >= 0;
}

static int find_header(const struct load *load)
{
    int64_t flags = header_flags(load->image->data, load->image->len);

    if (flags < 0)
        return refuse(load, -ENOEXEC, "no Multiboot header in the first 8 KiB");
    if (flags & FLAG_UNSUPPORTED)
        return refuse(load, -ENOEXEC,
                      "the Multiboot header asks for features %#x that are "
                      "not known",
                      (unsigned)flags & FLAG_UNSUPPORTED);
    return 0;
}

static int load_segment(const struct load *load, const struct segment *seg)
{
    const struct multiboot_image *image = load->image;
    uint8_t *host;

    if (seg->file_size > seg->mem_size || seg->offset > image->len ||
        seg->file_size > image->len - seg->offset)
        return refuse(load, -ENOEXEC, "a segment lies outside the file");
    if (!seg->mem_size)
        return 0;
    host = physmem_host(load->mem, (gpa_t){seg->addr}, seg->mem_size);
    if (!host)
        return refuse(
            load, -ENOMEM, "the segment at %#llx of %llu bytes is not in RAM",
            (unsigned long long)seg->addr, (unsigned long long)seg->mem_size);
    if (seg->file_size)
        memcpy(host, image->data + seg->offset, seg->file_size);
    memset(host + seg->file_size, 0, seg->mem_size - seg->file_size);
    return 0;
}

static bool has_table(const struct load *load, uint64_t offset, uint64_t num,
                      uint64_t size)
{
    return offset <= load->image->len &&
           num <= (load->image->len - offset) / size;
}

static int load_elf32(const struct load *load, uint64_t *entry)
{
    Elf32_Ehdr ehdr;

    if (load->image->len < sizeof ehdr)
        return refuse(load, -ENOEXEC, "truncated ELF header");
    memcpy(&ehdr, load->image->data, sizeof ehdr);
    if (ehdr.e_machine != EM_386 || ehdr.e_phentsize != sizeof(Elf32_Phdr) ||
        !has_table(load, ehdr.e_phoff, ehdr.e_phnum, sizeof(Elf32_Phdr)))
        return refuse(load, -ENOEXEC, "not an ELF program for i386");
    for (unsigned i = 0; i < ehdr.e_phnum; i++) {
        struct segment seg;
        Elf32_Phdr phdr;
        int error;

        memcpy(&phdr, load->image->data + ehdr.e_phoff + i * sizeof phdr,
               sizeof phdr);
        seg = (struct segment){phdr.p_offset, phdr.p_filesz, phdr.p_memsz,
                               phdr.p_paddr};
        error = phdr.p_type == PT_LOAD ? load_segment(load, &seg) : 0;
        if (error)
            return error;
    }
    *entry = ehdr.e_entry;
    return 0;
}

static int load_elf64(const struct load *load, uint64_t *entry)
{
    Elf64_Ehdr ehdr;

    if (load->image->len < sizeof ehdr)
        return refuse(load, -ENOEXEC, "truncated ELF header");
    memcpy(&ehdr, load->image->data, sizeof ehdr);
    if (ehdr.e_machine != EM_X86_64 || ehdr.e_phentsize != sizeof(Elf64_Phdr) ||
        !has_table(load, ehdr.e_phoff, ehdr.e_phnum, sizeof(Elf64_Phdr)))
        return refuse(load, -ENOEXEC, "not an ELF program for x86-64");
    for (unsigned i = 0; i < ehdr.e_phnum; i++) {
        struct segment seg;
        Elf64_Phdr phdr;
        int error;

        memcpy(&phdr, load->image->data + ehdr.e_phoff + i * sizeof phdr,
               sizeof phdr);
        seg = (struct segment){phdr.p_offset, phdr.p_filesz, phdr.p_memsz,
                               phdr.p_paddr};
        error = phdr.p_type == PT_LOAD ? load_segment(load, &seg) : 0;
        if (error)
            return error;
    }
    *entry = ehdr.e_entry;
    return 0;
}

static int load_elf(const struct load *load, uint64_t *entry)
{
    const uint8_t *data = load->image->data;

    if (load->image->len < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG) != 0)
        return refuse(load, -ENOEXEC, "not an ELF file");
    return data[EI_CLASS] == ELFCLASS64 ? load_elf64(load, entry)
                                        : load_elf32(load, entry);
}

/* -------------------------------------------------------- boot information */

static uint32_t put_mmap(struct physmem *mem)
{
    struct mmap_entry entries[MAX_MMAP];
    size_t count = physmem_num_ranges(mem);

    if (count > MAX_MMAP)
        count = MAX_MMAP;
    for (size_t i = 0; i < count; i++) {
        const struct physmem_range *range = physmem_get_range(mem, i);

        entries[i] = (struct mmap_entry){.size = sizeof *entries - 4,
                                         .base = range->start,
                                         .length = range->size,
                                         .type = MMAP_RAM};
    }
    (void)physmem_write(mem, (gpa_t){INFO_MMAP}, entries,
                        count * sizeof *entries);
    return (uint32_t)(count * sizeof *entries);
}

static int put_info(const struct load *load)
{
    const char *command = load->image->command_line;
    const struct physmem_range *low =
        physmem_range_of(load->mem, (gpa_t){1 << 20});
    struct info info = {.flags = INFO_HAS_MEMORY | INFO_HAS_MMAP,
                        .mem_lower = 640,
                        .mmap_addr = INFO_MMAP};
    size_t len = command ? strlen(command) + 1 : 0;

    if (len > CMDLINE_MAX)
        return refuse(load, -ENOEXEC, "the command line is longer than %d",
                      CMDLINE_MAX);
    if (!physmem_host(load->mem, (gpa_t){INFO_ADDR}, 0xc00))
        return refuse(load, -ENOMEM, "no RAM below 640 KiB");
    if (low)
        info.mem_upper = (uint32_t)((low->start + low->size) / 1024 - 1024);
    info.mmap_length = put_mmap(load->mem);
    if (command) {
        info.flags |= INFO_HAS_CMDLINE;
        info.cmdline = INFO_CMDLINE;
        (void)physmem_write(load->mem, (gpa_t){INFO_CMDLINE}, command, len);
    }
    (void)physmem_write(load->mem, (gpa_t){INFO_ADDR}, &info, sizeof info);
    return 0;
}

/* "Machine state": 32-bit protected mode, flat segments, paging and interrupts
 * off, A20 open. */
static void set_state(struct x86_state *state, uint64_t entry)
{
    const struct x86_seg data = {.limit = UINT32_MAX,
                                 .selector = 0x10,
                                 .type = 3,
                                 .s = 1,
                                 .present = 1,
                                 .db = 1,
                                 .g = 1};

    x86_state_reset(state);
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = data;
    state->seg[X86_CS].selector = 8;
    state->seg[X86_CS].type = 11;
    state->cr0 = (state->cr0 & ~UINT64_C(0x60000000)) | 1; /* PE; caches on */
    state->rip = (uint32_t)entry;
    state->gpr[X86_RAX] = LOADER_MAGIC;
    state->gpr[X86_RBX] = INFO_ADDR;
    state->mp_state = X86_RUNNABLE;
}

int multiboot_load(struct physmem *mem, const struct multiboot_image *image,
                   struct x86_state *state, char why[160])
{
    const struct load load = {.mem = mem, .image = image, .why = why};
    uint64_t entry = 0;
    int error = find_header(&load);

    if (!error)
        error = load_elf(&load, &entry);
    if (!error)
        error = put_info(&load);
    if (!error)
        set_state(state, entry);
    return error;
}
