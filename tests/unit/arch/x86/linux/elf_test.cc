// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/elf.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace
{

using Bytes = std::vector<uint8_t>;

// The smallest program: one header, one segment.
Bytes make_elf()
{
    Bytes file(0x2000);
    Elf64_Ehdr header = {};
    Elf64_Phdr segment = {};

    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_entry = 0x401000;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(segment);
    header.e_phnum = 1;
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_vaddr = 0x400000;
    segment.p_filesz = 0x2000;
    segment.p_memsz = 0x3000;
    segment.p_align = 0x1000;
    memcpy(file.data(), &header, sizeof(header));
    memcpy(file.data() + sizeof(header), &segment, sizeof(segment));
    return file;
}

Elf64_Ehdr *header_of(Bytes &file)
{
    return reinterpret_cast<Elf64_Ehdr *>(file.data());
}

Elf64_Phdr *segment_of(Bytes &file)
{
    return reinterpret_cast<Elf64_Phdr *>(file.data() + sizeof(Elf64_Ehdr));
}

int parse(const Bytes &file, struct elf_image *image, std::string *why)
{
    struct elf_memory memory = {file.data(), file.size()};
    struct elf_source source = {elf_read_memory, &memory};
    char text[ELF_WHY_SIZE] = "";
    int error = elf_parse(&source, image, text);

    *why = text;
    return error;
}

TEST(Elf, ReadsSegmentsAndEntry)
{
    struct elf_image image;
    std::string why;

    ASSERT_EQ(parse(make_elf(), &image, &why), 0) << why;
    EXPECT_EQ(image.entry, 0x401000u);
    EXPECT_EQ(image.num_segments, 1u);
    EXPECT_EQ(image.low, 0x400000u);
    EXPECT_EQ(image.high, 0x403000u);
    EXPECT_EQ(image.header_addr, 0x400040u);
    EXPECT_FALSE(image.is_32);
}

TEST(Elf, SaysWhatIsWrong)
{
#define DAMAGE(what, text)                                                     \
    {                                                                          \
        [](Bytes &f) { what; }, text                                           \
    }
    const struct {
        void (*damage)(Bytes &file);
        const char *text;
    } cases[] = {
        DAMAGE(f[0] = 0, "not an ELF file"),
        DAMAGE(f.resize(20), "ends inside the ELF header"),
        DAMAGE(f.resize(70), "ends inside the program headers"),
        DAMAGE(f.clear(), "ends inside the ELF header"),
        DAMAGE(header_of(f)->e_machine = EM_AARCH64, "another machine"),
        DAMAGE(header_of(f)->e_type = ET_REL, "wrong ELF type"),
        DAMAGE(f[EI_DATA] = ELFDATA2MSB, "big-endian"),
        DAMAGE(header_of(f)->e_phnum = 60000, "absurd number"),
        DAMAGE(header_of(f)->e_phoff = UINT64_MAX - 8, "absurd offset"),
        DAMAGE(segment_of(f)->p_filesz = UINT64_MAX, "larger in the file"),
        DAMAGE(segment_of(f)->p_memsz = UINT64_C(1) << 60,
               "outside the address space"),
        DAMAGE(segment_of(f)->p_vaddr = UINT64_MAX - 0xfff,
               "outside the address space"),
        DAMAGE(segment_of(f)->p_offset = 0x10, "do not agree"),
        DAMAGE(segment_of(f)->p_type = PT_NOTE, "nothing to load"),
    };
#undef DAMAGE

    for (const auto &one : cases) {
        Bytes file = make_elf();
        struct elf_image image;
        std::string why;

        one.damage(file);
        EXPECT_EQ(parse(file, &image, &why), -ENOEXEC) << one.text;
        EXPECT_NE(why.find(one.text), std::string::npos)
            << "got: " << why << ", wanted: " << one.text;
    }
}

TEST(Elf, RandomDamageNeverCrashes)
{
    std::mt19937 random(1);

    for (int i = 0; i < 20000; i++) {
        Bytes file = make_elf();
        struct elf_image image;
        std::string why;

        for (unsigned n = random() % 8 + 1; n; n--)
            file[random() % 128] = (uint8_t)random();
        int error = parse(file, &image, &why);

        EXPECT_EQ(error != 0, !why.empty());
    }
}

TEST(Elf, FindsFunctionsOfThisProgram)
{
    std::ifstream in("/proc/self/exe", std::ios::binary);
    Bytes file((std::istreambuf_iterator<char>(in)),
               std::istreambuf_iterator<char>());
    struct elf_memory memory = {file.data(), file.size()};
    struct elf_source source = {elf_read_memory, &memory};
    struct elf_symbols symbols;
    const struct elf_symbol *found = nullptr;

    elf_symbols_read(&source, &symbols);
    ASSERT_GT(symbols.count, 100u);
    for (size_t i = 0; i < symbols.count && !found; i++) {
        if (!strcmp(symbols.symbols[i].name, "elf_parse"))
            found = elf_symbols_find(&symbols, symbols.symbols[i].addr + 1);
    }
    ASSERT_NE(found, nullptr);
    EXPECT_STREQ(found->name, "elf_parse");
    EXPECT_EQ(elf_symbols_find(&symbols, 0), nullptr);
    elf_symbols_free(&symbols);
}

} // namespace
