// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/task.h"

#include "legacy_guest.h"

namespace
{

constexpr uint16_t kOther = LegacyGuest::kSpare;

struct Task : LegacyGuest, testing::Test {
    Task()
    {
        put_gdt(kOther, descriptor(kOtherTss, 103, 0x89, 0));
        put32(kOtherTss + 32, 0x6000); // EIP
        put32(kOtherTss + 36, 2);
        put32(kOtherTss + 40, 0xaaaa); // EAX
        put32(kOtherTss + 56, 0x7800); // ESP
        for (unsigned at : {72u, 80u, 84u, 88u, 92u})
            put32(kOtherTss + at, kData);
        put32(kOtherTss + 76, kCode);
    }
    unsigned type(uint16_t selector)
    {
        return gdt(selector) >> 40 & 0xf;
    }
    bool jump()
    {
        return x86_task_switch(core, kOther, X86_TASK_JUMP, &fault);
    }
};

TEST_F(Task, ExchangesTheRegisters)
{
    state()->gpr[X86_RAX] = 0x1111;
    ASSERT_TRUE(jump());
    EXPECT_EQ(state()->rip, 0x6000u);
    EXPECT_EQ(state()->gpr[X86_RAX], 0xaaaau);
    EXPECT_EQ(state()->gpr[X86_RSP], 0x7800u);
    EXPECT_EQ(get32(kTss + 32), 0x5000u);
    EXPECT_EQ(get32(kTss + 40), 0x1111u);
    EXPECT_EQ(get32(kTss + 56), kStack);
    EXPECT_EQ(state()->tr.selector, kOther);
    EXPECT_EQ(state()->cr0 & 8, 8u) << "TS";
}

TEST_F(Task, MarksBusyByTheKindOfSwitch)
{
    ASSERT_TRUE(jump());
    EXPECT_EQ(type(kMainTss), X86_TSS_AVAIL);
    EXPECT_EQ(type(kOther), X86_TSS_BUSY);
    ASSERT_TRUE(x86_task_switch(core, kMainTss, X86_TASK_CALL, &fault));
    EXPECT_EQ(type(kMainTss), X86_TSS_BUSY);
    EXPECT_EQ(type(kOther), X86_TSS_BUSY);
    EXPECT_EQ(get32(kTss) & 0xffff, kOther) << "back link";
    EXPECT_TRUE(x86_core_rflags(core) & X86_NT);
    ASSERT_TRUE(x86_task_return(core, &fault));
    EXPECT_EQ(type(kMainTss), X86_TSS_AVAIL);
    EXPECT_EQ(type(kOther), X86_TSS_BUSY);
    EXPECT_FALSE(get32(kTss + 36) & X86_NT) << "cleared in the saved flags";
}

TEST_F(Task, RefusesWhatIsNoAvailableTss)
{
    EXPECT_FALSE(x86_task_switch(core, kMainTss, X86_TASK_JUMP, &fault));
    EXPECT_EQ(fault.vector, X86_GP) << "busy";
    EXPECT_FALSE(x86_task_switch(core, kOther, X86_TASK_IRET, &fault));
    EXPECT_EQ(fault.vector, X86_TS) << "available";
    EXPECT_FALSE(x86_task_switch(core, kData, X86_TASK_CALL, &fault));
    EXPECT_EQ(fault.vector, X86_GP);
    put_gdt(kOther, descriptor(kOtherTss, 102, 0x89, 0));
    EXPECT_FALSE(jump());
    EXPECT_EQ(fault.vector, X86_TS) << "too small";
    put_gdt(kOther, descriptor(kOtherTss, 103, 0x09, 0));
    EXPECT_FALSE(jump());
    EXPECT_EQ(fault.vector, X86_NP);
    EXPECT_EQ(fault.source, X86_FROM_FAULT);
    EXPECT_EQ(state()->rip, 0x5000u);
}

TEST_F(Task, BlamesTheNewTaskForItsSegments)
{
    put32(kOtherTss + 76, kData); // CS
    EXPECT_FALSE(jump());
    EXPECT_EQ(fault.vector, X86_TS);
    EXPECT_EQ(fault.error, kData);
    EXPECT_EQ(fault.source, X86_FROM_TRAP);
    EXPECT_EQ(state()->rip, 0x6000u);
    EXPECT_EQ(state()->tr.selector, kOther);
}

TEST_F(Task, TrapsWhenTheNewTaskAsksForIt)
{
    put32(kOtherTss + 100, 1);
    EXPECT_FALSE(jump());
    EXPECT_EQ(fault.vector, X86_DB);
    EXPECT_EQ(fault.addr, 1u << 15);
    EXPECT_EQ(state()->rip, 0x6000u);
}

TEST_F(Task, DisarmsLocalBreakpoints)
{
    state()->dr[7] = 0x7ff;
    ASSERT_TRUE(jump());
    EXPECT_EQ(state()->dr[7], 0x6aau);
}

TEST_F(Task, Knows16BitSegments)
{
    static const uint16_t words[22] = {
        0, 0, 0,      0, 0, 0, 0,     0x6000, 2,     0xaa,  1,
        2, 3, 0x7800, 5, 6, 7, kData, kCode,  kData, kData, 0};

    put_gdt(kOther, descriptor(kOtherTss, 43, 0x81, 0));
    memcpy(physmem_host(mem, {kOtherTss}, sizeof words), words, sizeof words);
    ASSERT_TRUE(jump());
    EXPECT_EQ(state()->rip, 0x6000u);
    EXPECT_EQ(state()->gpr[X86_RAX], 0xaau);
    EXPECT_EQ(state()->gpr[X86_RSP], 0x7800u);
    EXPECT_TRUE(state()->seg[X86_FS].unusable);
}

TEST_F(Task, PushesTheErrorCodeOfAnInterrupt)
{
    x86_fault event = {};

    event.vector = X86_GP;
    event.has_error = true;
    event.error = 0x77;
    ASSERT_TRUE(x86_task_interrupt(core, kOther, &event, &fault));
    EXPECT_EQ(state()->gpr[X86_RSP], 0x77fcu);
    EXPECT_EQ(get32(0x77fc), 0x77u);
    EXPECT_TRUE(get32(kTss + 36) & X86_RF) << "the old task resumes";
}

TEST_F(Task, GivesStacksOfInnerLevels)
{
    uint16_t ss;
    uint64_t sp;

    put32(kTss + 12, 0x7400);
    put32(kTss + 16, 0x31);
    ASSERT_TRUE(x86_task_stack(core, 1, &ss, &sp, &fault));
    EXPECT_EQ(ss, 0x31);
    EXPECT_EQ(sp, 0x7400u);
    state()->tr.limit = 15;
    EXPECT_FALSE(x86_task_stack(core, 1, &ss, &sp, &fault));
    EXPECT_EQ(fault.vector, X86_TS);
}

TEST_F(Task, LooksPortsUpInItsBitmap)
{
    state()->tr.limit = 104 + 16 + 1;
    put32(kTss + 100, 104u << 16);
    for (unsigned i = 0; i < 16; i += 4)
        put32(kTss + 104 + i, 0);
    put32(kTss + 104, 1u << 9);
    EXPECT_TRUE(x86_task_io_allowed(core, 8, 1, &fault));
    EXPECT_FALSE(x86_task_io_allowed(core, 9, 1, &fault));
    EXPECT_FALSE(x86_task_io_allowed(core, 6, 4, &fault));
    EXPECT_TRUE(x86_task_io_allowed(core, 10, 4, &fault));
    EXPECT_FALSE(x86_task_io_allowed(core, 1000, 1, &fault)) << "beyond";
    EXPECT_EQ(fault.vector, X86_GP);
}

} // namespace
