// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/vmem.h"

#include "guest.h"

TEST(X86Vmem, CopiesAcrossPages)
{
    Guest guest;
    std::vector<uint8_t> in(10000), out(10000);
    for (size_t i = 0; i < in.size(); i++)
        in[i] = static_cast<uint8_t>(i * 7);
    EXPECT_EQ(x86_vmem_write(guest.core, {Guest::kData + 100}, in.data(),
                             in.size(), X86_ACCESS_USER, nullptr),
              in.size());
    EXPECT_EQ(x86_vmem_read(guest.core, {Guest::kData + 100}, out.data(),
                            out.size(), X86_ACCESS_USER, nullptr),
              out.size());
    EXPECT_EQ(in, out);
    EXPECT_EQ(memcmp(guest.host(Guest::kData + 100), in.data(), in.size()), 0);
}

TEST(X86Vmem, StopsAtTheFirstByteThatCannotBeAccessed)
{
    Guest guest;
    struct x86_fault fault = {};
    uint8_t data[200] = {};
    *guest.pte(Guest::kData + 4096) = 0;
    EXPECT_EQ(x86_vmem_write(guest.core, {Guest::kData + 4000}, data, 200,
                             X86_ACCESS_USER, &fault),
              96u);
    EXPECT_EQ(fault.vector, X86_PF);
    EXPECT_EQ(fault.addr, Guest::kData + 4096);
    EXPECT_EQ(fault.error, (uint32_t)(X86_PF_WRITE | X86_PF_USER));
}

TEST(X86Vmem, DropsCodeThatItOverwrites)
{
    Guest guest;
    const uint8_t two = 2;
    guest.run({0xb8, 1, 0, 0, 0}, 1); // mov eax, 1
    EXPECT_EQ(guest.gpr(X86_RAX), 1u);
    EXPECT_EQ(x86_vmem_write(guest.core, {Guest::kCode + 1}, &two, 1,
                             X86_ACCESS_USER, nullptr),
              1u);
    guest.state()->rip = Guest::kCode;
    x86_core_run(guest.core, 1);
    EXPECT_EQ(guest.gpr(X86_RAX), 2u);
}
