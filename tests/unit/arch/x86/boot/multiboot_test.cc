// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/boot/multiboot.h"

#include <elf.h>
#include <errno.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "arch/x86/state.h"
#include "mem/physmem.h"

namespace
{

struct Multiboot : testing::Test {
    physmem *mem = physmem_create();
    x86_state state{};
    char why[160] = "";

    Multiboot()
    {
        EXPECT_EQ(physmem_add(mem, 0, 16 << 20), 0);
    }
    ~Multiboot() override
    {
        physmem_destroy(mem);
    }

    // A 32-bit kernel of one segment, loaded at @addr.
    static std::vector<uint8_t> kernel(uint32_t addr, uint32_t flags = 3)
    {
        std::vector<uint8_t> file(0x200);
        Elf32_Ehdr ehdr{};
        Elf32_Phdr phdr{};
        const uint32_t header[] = {0x1badb002, flags, -(0x1badb002 + flags)};

        std::memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
        ehdr.e_ident[EI_CLASS] = ELFCLASS32;
        ehdr.e_machine = EM_386;
        ehdr.e_phoff = sizeof ehdr;
        ehdr.e_phnum = 1;
        ehdr.e_phentsize = sizeof phdr;
        ehdr.e_entry = addr + 16;
        phdr.p_type = PT_LOAD;
        phdr.p_offset = 0x100;
        phdr.p_filesz = 0x100;
        phdr.p_memsz = 0x180;
        phdr.p_paddr = addr;
        std::memcpy(file.data(), &ehdr, sizeof ehdr);
        std::memcpy(file.data() + sizeof ehdr, &phdr, sizeof phdr);
        std::memcpy(file.data() + 0x100, header, sizeof header);
        file[0x150] = 0xab;
        return file;
    }

    int load(const std::vector<uint8_t> &file, const char *command = nullptr)
    {
        const multiboot_image image = {file.data(), file.size(), "kernel",
                                       command};
        return multiboot_load(mem, &image, &state, why);
    }
};

TEST_F(Multiboot, SegmentsAreInRamAndTheRestIsZero)
{
    uint8_t byte = 1;

    EXPECT_TRUE(physmem_write(mem, gpa_t{0x100000 + 0x150}, &byte, 1));
    ASSERT_EQ(load(kernel(0x100000)), 0) << why;
    EXPECT_TRUE(physmem_read(mem, gpa_t{0x100050}, &byte, 1));
    EXPECT_EQ(byte, 0xab);
    EXPECT_TRUE(physmem_read(mem, gpa_t{0x100150}, &byte, 1));
    EXPECT_EQ(byte, 0);
}

TEST_F(Multiboot, TheProcessorIsInFlatProtectedMode)
{
    ASSERT_EQ(load(kernel(0x100000)), 0) << why;
    EXPECT_EQ(state.gpr[X86_RAX], 0x2badb002U);
    EXPECT_EQ(state.rip, 0x100010U);
    EXPECT_EQ(state.cr0 & 0x80000001U, 1U);
    EXPECT_EQ(state.seg[X86_CS].base, 0U);
    EXPECT_EQ(state.seg[X86_SS_SEG].limit, UINT32_MAX);
}

TEST_F(Multiboot, TheInformationTellsMemoryAndCommandLine)
{
    uint32_t info[13];
    char command[8] = "";

    ASSERT_EQ(load(kernel(0x100000), "a=1"), 0) << why;
    ASSERT_TRUE(
        physmem_read(mem, gpa_t{state.gpr[X86_RBX]}, info, sizeof info));
    EXPECT_EQ(info[0], 1U | 4U | 64U);
    EXPECT_EQ(info[2], 15U * 1024); // KiB above 1 MiB
    ASSERT_TRUE(physmem_read(mem, gpa_t{info[4]}, command, 4));
    EXPECT_STREQ(command, "a=1");
}

TEST_F(Multiboot, AFileWithoutHeaderIsRefused)
{
    auto file = kernel(0x100000);

    file[0x100] ^= 1;
    EXPECT_EQ(load(file), -ENOEXEC);
    EXPECT_STREQ(why, "kernel: no Multiboot header in the first 8 KiB");
}

TEST_F(Multiboot, UnknownRequiredFeaturesAreRefused)
{
    EXPECT_EQ(load(kernel(0x100000, 1 << 5)), -ENOEXEC);
}

TEST_F(Multiboot, ASegmentOutsideRamIsRefusedWithItsAddress)
{
    EXPECT_EQ(load(kernel(0x40000000)), -ENOMEM);
    EXPECT_STREQ(
        why, "kernel: the segment at 0x40000000 of 384 bytes is not in RAM");
}

TEST_F(Multiboot, EveryTruncationIsRefusedOrLoadsWholly)
{
    const auto whole = kernel(0x100000);

    for (size_t len = 0; len < whole.size(); len++) {
        const std::vector<uint8_t> part(whole.begin(), whole.begin() + len);
        EXPECT_EQ(load(part), -ENOEXEC) << len;
    }
}

TEST_F(Multiboot, SegmentSizesThatWrapAreRefused)
{
    auto file = kernel(0x100000);
    Elf32_Phdr phdr;

    std::memcpy(&phdr, file.data() + sizeof(Elf32_Ehdr), sizeof phdr);
    phdr.p_offset = 0xffffff00;
    std::memcpy(file.data() + sizeof(Elf32_Ehdr), &phdr, sizeof phdr);
    EXPECT_EQ(load(file), -ENOEXEC);
}

} // namespace
