/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/linux/mm.h"
#include "base/alloc.h"

#define PAGE_MASK UINT64_C(4095)

/* Program headers in one form for both classes. */
struct elf_header {
    uint32_t type, flags;
    uint64_t offset, addr, file_size, mem_size, align;
};

struct elf_parser {
    const struct elf_source *source;
    struct elf_image *image;
    char *why;
    uint64_t ph_offset;
    uint32_t ph_size, ph_count;
};

int64_t elf_read_memory(void *ctx, uint64_t offset, void *data, uint64_t len)
{
    const struct elf_memory *memory = ctx;

    if (offset >= memory->len)
        return 0;
    if (len > memory->len - offset)
        len = memory->len - offset;
    memcpy(data, memory->data + offset, len);
    return (int64_t)len;
}

int64_t elf_read_fd(void *ctx, uint64_t offset, void *data, uint64_t len)
{
    const int *fd = ctx;
    ssize_t got;

    if (offset > INT64_MAX)
        return 0;
    got = pread(*fd, data, len, (off_t)offset);
    return got < 0 ? -errno : got;
}

static int elf_bad(const struct elf_parser *parser, const char *what)
{
    (void)snprintf(parser->why, ELF_WHY_SIZE, "%s", what);
    return -ENOEXEC;
}

/* Read exactly @len bytes. */
static int elf_read(const struct elf_parser *parser, uint64_t offset,
                    void *data, uint64_t len, const char *what)
{
    int64_t got = parser->source->read(parser->source->ctx, offset, data, len);

    if (got < 0) {
        (void)snprintf(parser->why, ELF_WHY_SIZE, "cannot read %s: %s", what,
                       strerrordesc_np((int)-got));
        return (int)got;
    }
    if ((uint64_t)got != len) {
        (void)snprintf(parser->why, ELF_WHY_SIZE, "the file ends inside %s",
                       what);
        return -ENOEXEC;
    }
    return 0;
}

/* ---------------------------------------------------------------- file headers
 */

static int elf_check_header(const struct elf_parser *parser, uint16_t type,
                            uint16_t machine)
{
    if (type != ET_EXEC && type != ET_DYN)
        return elf_bad(parser, "not an executable (wrong ELF type)");
    if (machine == (parser->image->is_32 ? EM_386 : EM_X86_64))
        return 0;
    (void)snprintf(parser->why, ELF_WHY_SIZE,
                   "made for another machine (ELF machine %u); only x86-64 "
                   "and i386 programs run here",
                   machine);
    return -ENOEXEC;
}

static int elf_parse_header_64(struct elf_parser *parser)
{
    Elf64_Ehdr header;
    int error = elf_read(parser, 0, &header, sizeof(header), "the ELF header");

    if (error)
        return error;
    error = elf_check_header(parser, header.e_type, header.e_machine);
    parser->image->entry = header.e_entry;
    parser->image->is_relocatable = header.e_type == ET_DYN;
    parser->ph_offset = header.e_phoff;
    parser->ph_count = header.e_phnum;
    parser->ph_size = header.e_phentsize;
    if (!error && parser->ph_size != sizeof(Elf64_Phdr))
        error = elf_bad(parser, "program headers of an unknown size");
    return error;
}

static int elf_parse_header_32(struct elf_parser *parser)
{
    Elf32_Ehdr header;
    int error = elf_read(parser, 0, &header, sizeof(header), "the ELF header");

    if (error)
        return error;
    error = elf_check_header(parser, header.e_type, header.e_machine);
    parser->image->entry = header.e_entry;
    parser->image->is_relocatable = header.e_type == ET_DYN;
    parser->ph_offset = header.e_phoff;
    parser->ph_count = header.e_phnum;
    parser->ph_size = header.e_phentsize;
    if (!error && parser->ph_size != sizeof(Elf32_Phdr))
        error = elf_bad(parser, "program headers of an unknown size");
    return error;
}

/* ------------------------------------------------------------- program headers
 */

static int elf_read_segment(const struct elf_parser *parser, uint32_t index,
                            struct elf_header *out)
{
    uint64_t offset = parser->ph_offset + (uint64_t)index * parser->ph_size;
    Elf64_Phdr ph64;
    Elf32_Phdr ph32;
    int error;

    if (parser->image->is_32) {
        error = elf_read(parser, offset, &ph32, sizeof(ph32),
                         "the program headers");
        if (error)
            return error;
        *out = (struct elf_header){ph32.p_type,  ph32.p_flags,  ph32.p_offset,
                                   ph32.p_vaddr, ph32.p_filesz, ph32.p_memsz,
                                   ph32.p_align};
        return 0;
    }
    error =
        elf_read(parser, offset, &ph64, sizeof(ph64), "the program headers");
    if (error)
        return error;
    *out = (struct elf_header){ph64.p_type,  ph64.p_flags,  ph64.p_offset,
                               ph64.p_vaddr, ph64.p_filesz, ph64.p_memsz,
                               ph64.p_align};
    return 0;
}

static int elf_check_segment(const struct elf_parser *parser,
                             const struct elf_header *header)
{
    uint64_t limit = parser->image->is_32 ? MM_TASK_SIZE_32 : MM_TASK_SIZE_64;

    if (header->file_size > header->mem_size)
        return elf_bad(parser, "a segment is larger in the file than in "
                               "memory");
    if (header->mem_size > limit || header->addr > limit - header->mem_size)
        return elf_bad(parser, "a segment lies outside the address space");
    if (header->offset > (uint64_t)INT64_MAX - header->file_size)
        return elf_bad(parser, "a segment has an absurd file offset");
    if ((header->addr ^ header->offset) & PAGE_MASK)
        return elf_bad(parser, "a segment's address and offset do not agree "
                               "within a page");
    return 0;
}

static int elf_add_segment(struct elf_parser *parser,
                           const struct elf_header *header)
{
    struct elf_image *image = parser->image;
    struct elf_segment *segment;
    uint64_t end = (header->addr + header->mem_size + PAGE_MASK) & ~PAGE_MASK;
    int error = elf_check_segment(parser, header);

    if (error || !header->mem_size)
        return error;
    if (image->num_segments == ELF_MAX_SEGMENTS)
        return elf_bad(parser, "too many segments");
    if (image->num_segments && header->addr < image->high - PAGE_MASK - 1 &&
        header->addr < image->segments[image->num_segments - 1].addr)
        return elf_bad(parser, "segments are not in ascending order");
    if (!image->num_segments)
        image->low = header->addr & ~PAGE_MASK;
    if (end > image->high)
        image->high = end;
    if (header->align > image->align && header->align <= (UINT64_C(1) << 30) &&
        !(header->align & (header->align - 1)))
        image->align = header->align;
    segment = &image->segments[image->num_segments++];
    segment->offset = header->offset;
    segment->addr = header->addr;
    segment->file_size = header->file_size;
    segment->mem_size = header->mem_size;
    segment->prot = (header->flags & PF_R ? MM_READ : 0U) |
                    (header->flags & PF_W ? MM_WRITE : 0U) |
                    (header->flags & PF_X ? MM_EXEC : 0U);
    if (parser->ph_offset >= header->offset &&
        parser->ph_offset - header->offset < header->file_size)
        image->header_addr = parser->ph_offset - header->offset + header->addr;
    return 0;
}

static int elf_read_interp(struct elf_parser *parser,
                           const struct elf_header *header)
{
    int error;

    if (header->file_size < 2 || header->file_size > ELF_MAX_INTERP)
        return elf_bad(parser, "the interpreter's name has an absurd length");
    error = elf_read(parser, header->offset, parser->image->interp,
                     header->file_size, "the interpreter's name");
    if (!error && parser->image->interp[header->file_size - 1])
        error = elf_bad(parser, "the interpreter's name has no end");
    return error;
}

static int elf_parse_segment(struct elf_parser *parser, uint32_t index)
{
    struct elf_header header;
    int error = elf_read_segment(parser, index, &header);

    if (error)
        return error;
    switch (header.type) {
    case PT_LOAD:
        return elf_add_segment(parser, &header);
    case PT_INTERP:
        return elf_read_interp(parser, &header);
    case PT_GNU_STACK:
        parser->image->has_exec_stack = (header.flags & PF_X) != 0;
        return 0;
    default:
        return 0;
    }
}

int elf_parse(const struct elf_source *source, struct elf_image *image,
              char why[ELF_WHY_SIZE])
{
    struct elf_parser parser = {.source = source, .image = image, .why = why};
    unsigned char ident[EI_NIDENT];
    int error;

    memset(image, 0, sizeof(*image));
    image->align = PAGE_MASK + 1;
    error = elf_read(&parser, 0, ident, sizeof(ident), "the ELF header");
    if (error)
        return error;
    if (memcmp(ident, ELFMAG, SELFMAG) != 0)
        return elf_bad(&parser, "not an ELF file");
    if (ident[EI_DATA] != ELFDATA2LSB)
        return elf_bad(&parser, "made for a big-endian machine");
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
        return elf_bad(&parser, "unknown ELF class");
    image->is_32 = ident[EI_CLASS] == ELFCLASS32;
    error = image->is_32 ? elf_parse_header_32(&parser)
                         : elf_parse_header_64(&parser);
    if (!error && (!parser.ph_count || parser.ph_count > 4096))
        error = elf_bad(&parser, "an absurd number of program headers");
    if (!error && parser.ph_offset > INT64_MAX / 2)
        error = elf_bad(&parser, "an absurd offset of the program headers");
    for (uint32_t i = 0; !error && i < parser.ph_count; i++)
        error = elf_parse_segment(&parser, i);
    if (!error && !image->num_segments)
        error = elf_bad(&parser, "nothing to load in it");
    image->header_size = parser.ph_size;
    image->num_headers = parser.ph_count;
    return error;
}

/* --------------------------------------------------------------------- symbols
 */

enum { MAX_TABLE = 256 << 20 };

/* A section table of 64-bit or 32-bit form, read whole. */
static void *elf_read_section(const struct elf_source *source, uint64_t offset,
                              uint64_t size)
{
    void *data;

    if (!size || size > MAX_TABLE)
        return NULL;
    data = alloc_zeroed(size + 1, 1);
    if (source->read(source->ctx, offset, data, size) != (int64_t)size) {
        mem_free(data);
        return NULL;
    }
    return data;
}

static int elf_compare_symbols(const void *a, const void *b)
{
    const struct elf_symbol *x = a, *y = b;

    return (x->addr > y->addr) - (x->addr < y->addr);
}

static void elf_take_symbols(struct elf_symbols *out, const Elf64_Sym *table,
                             size_t count, size_t names_size)
{
    out->symbols = alloc_zeroed(count, sizeof(*out->symbols));
    for (size_t i = 0; i < count; i++) {
        unsigned type = ELF64_ST_TYPE(table[i].st_info);

        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !table[i].st_value ||
            table[i].st_name >= names_size)
            continue;
        out->symbols[out->count].addr = table[i].st_value;
        out->symbols[out->count].size = table[i].st_size;
        out->symbols[out->count].is_indirect = type == STT_GNU_IFUNC;
        out->symbols[out->count++].name = out->names + table[i].st_name;
    }
    qsort(out->symbols, out->count, sizeof(*out->symbols), elf_compare_symbols);
}

static const Elf64_Shdr *elf_find_section(const Elf64_Shdr *sections,
                                          uint32_t count, uint32_t type)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sections[i].sh_type == type && sections[i].sh_link < count)
            return &sections[i];
    }
    return NULL;
}

void elf_symbols_read(const struct elf_source *source,
                      struct elf_symbols *symbols)
{
    const Elf64_Shdr *section, *strings;
    Elf64_Shdr *sections;
    Elf64_Sym *table;
    Elf64_Ehdr header;

    memset(symbols, 0, sizeof(*symbols));
    if (source->read(source->ctx, 0, &header, sizeof(header)) !=
            sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_shentsize != sizeof(*sections))
        return;
    sections = elf_read_section(source, header.e_shoff,
                                (uint64_t)header.e_shnum * sizeof(*sections));
    if (!sections)
        return;
    section = elf_find_section(sections, header.e_shnum, SHT_SYMTAB);
    if (!section)
        section = elf_find_section(sections, header.e_shnum, SHT_DYNSYM);
    if (section) {
        strings = &sections[section->sh_link];
        table = elf_read_section(source, section->sh_offset, section->sh_size);
        symbols->names =
            elf_read_section(source, strings->sh_offset, strings->sh_size);
        if (table && symbols->names)
            elf_take_symbols(symbols, table, section->sh_size / sizeof(*table),
                             strings->sh_size);
        mem_free(table);
    }
    mem_free(sections);
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    mem_free(symbols->symbols);
    mem_free(symbols->names);
}

const struct elf_symbol *elf_symbols_find(const struct elf_symbols *symbols,
                                          uint64_t addr)
{
    size_t low = 0, high = symbols->count;
    const struct elf_symbol *symbol;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (symbols->symbols[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (!low)
        return NULL;
    symbol = &symbols->symbols[low - 1];
    if (symbol->size && addr - symbol->addr >= symbol->size)
        return NULL;
    return symbol;
}
