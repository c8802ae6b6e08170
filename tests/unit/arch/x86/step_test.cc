// SPDX-License-Identifier: BSD-3-Clause
// Traces and single steps.
#include "guest.h"

namespace
{

using Records = std::vector<struct x86_trace_record>;

void keep(void *ctx, struct x86_core *, const struct x86_trace_record *record)
{
    static_cast<Records *>(ctx)->push_back(*record);
}

TEST(X86Step, RecordsAddressesAndBranches)
{
    Guest guest;
    Records records;
    guest.gpr(X86_RDI) = Guest::kData;
    x86_core_set_trace(guest.core, keep, &records);
    // add [rdi + 8], eax; test eax, eax; jz +1; nop; jnz -1
    guest.run({0x01, 0x47, 0x08, 0x85, 0xc0, 0x74, 0x01, 0x90, 0x75, 0xff}, 4);
    ASSERT_EQ(records.size(), 4u);
    EXPECT_EQ(records[0].rip, Guest::kCode);
    EXPECT_EQ(records[0].len, 3);
    EXPECT_EQ(records[0].bytes[1], 0x47);
    ASSERT_EQ(records[0].num_mem, 2);
    EXPECT_EQ(records[0].mem[0].addr, Guest::kData + 8);
    EXPECT_EQ(records[0].mem[0].size, 4u);
    EXPECT_NE(records[0].mem[0].is_write, records[0].mem[1].is_write);
    EXPECT_TRUE(records[2].is_branch && records[2].is_taken);
    EXPECT_EQ(records[2].next_rip, Guest::kCode + 8);
    EXPECT_TRUE(records[3].is_branch);
    EXPECT_FALSE(records[3].is_taken);
    x86_core_set_trace(guest.core, nullptr, nullptr);
    guest.run({0x90}, 1);
    EXPECT_EQ(records.size(), 4u);
}

TEST(X86Step, DoesNotRecordAnInstructionThatFaults)
{
    Guest guest;
    Records records;
    guest.gpr(X86_RDI) = 0x7000000;
    x86_core_set_trace(guest.core, keep, &records);
    guest.run({0x90, 0x8b, 0x07}, 2); // nop; mov eax, [rdi]
    EXPECT_EQ(records.size(), 1u);
    EXPECT_EQ(guest.faults.size(), 1u);
}

TEST(X86Step, TrapsBehindTheInstructionWithTfSet)
{
    Guest guest;
    guest.set_rflags(X86_TF | X86_IF);
    guest.run({0xff, 0xc0, 0xff, 0xc0}, 10); // inc eax; inc eax
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].vector, X86_DB);
    EXPECT_EQ(guest.state()->rip, Guest::kCode + 2);
    EXPECT_EQ(guest.gpr(X86_RAX), 1u);
}

TEST(X86Step, GivesTheSameResultTracedAndPlain)
{
    // 1: imul eax, eax, 77; adc ebx, eax; rol ebx, 3; push rbx; pop rdx;
    // dec ecx; jnz 1b
    const std::vector<uint8_t> loop = {0x6b, 0xc0, 0x4d, 0x11, 0xc3,
                                       0xc1, 0xc3, 0x03, 0x53, 0x5a,
                                       0xff, 0xc9, 0x75, 0xf2};
    uint64_t rbx[2], rflags[2];
    for (int traced = 0; traced < 2; traced++) {
        Guest guest;
        Records records;
        guest.gpr(X86_RAX) = 12345;
        guest.gpr(X86_RCX) = 500;
        if (traced)
            x86_core_set_trace(guest.core, keep, &records);
        guest.run(loop, 3001);
        rbx[traced] = guest.gpr(X86_RBX);
        rflags[traced] = guest.rflags();
    }
    EXPECT_EQ(rbx[0], rbx[1]);
    EXPECT_EQ(rflags[0], rflags[1]);
}

} // namespace
