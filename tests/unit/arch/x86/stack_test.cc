// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/stack.h"

#include "legacy_guest.h"

namespace
{

struct Stack : LegacyGuest, testing::Test {
};

TEST_F(Stack, PushesAndPopsInEverySize)
{
    for (unsigned size : {2u, 4u}) {
        x86_stack stack = x86_stack_current(core);
        uint64_t value;

        ASSERT_TRUE(x86_stack_push(&stack, size, 0x11223344, &fault));
        EXPECT_EQ(stack.sp, kStack - size);
        ASSERT_TRUE(x86_stack_pop(&stack, size, &value, &fault));
        EXPECT_EQ(value, size == 2 ? 0x3344u : 0x11223344u);
        EXPECT_EQ(stack.sp, kStack);
    }
}

TEST_F(Stack, LeavesRspAloneUntilItIsCommitted)
{
    x86_stack stack = x86_stack_current(core);

    ASSERT_TRUE(x86_stack_push(&stack, 4, 1, &fault));
    EXPECT_EQ(state()->gpr[X86_RSP], kStack);
    x86_stack_commit(&stack);
    EXPECT_EQ(state()->gpr[X86_RSP], kStack - 4);
}

TEST_F(Stack, WrapsA16BitPointerAndKeepsWhatIsAboveIt)
{
    x86_seg ss = state()->seg[X86_SS_SEG];

    ss.db = 0;
    state()->gpr[X86_RSP] = 0x70000;
    x86_stack stack = x86_stack_make(core, &ss, 0x70000, 0);
    ASSERT_TRUE(x86_stack_push(&stack, 2, 0xabcd, &fault));
    EXPECT_EQ(stack.sp, 0x7fffeu);
    EXPECT_EQ(get32(0xfffc) >> 16, 0xabcdu);
    x86_stack_commit(&stack);
    EXPECT_EQ(state()->gpr[X86_RSP], 0x7fffeu);
}

TEST_F(Stack, FaultsOutsideItsSegment)
{
    x86_seg ss = state()->seg[X86_SS_SEG];
    uint64_t value;

    ss.limit = 0x7fff;
    x86_stack stack = x86_stack_make(core, &ss, 0x7ffe, 0);
    stack.fault_error = 0x30;
    EXPECT_FALSE(x86_stack_pop(&stack, 4, &value, &fault));
    EXPECT_EQ(fault.vector, X86_SS);
    EXPECT_EQ(fault.error, 0x30u);
    EXPECT_EQ(stack.sp, 0x7ffeu);
    ss.type = X86_SEG_DOWN | X86_SEG_WRITABLE;
    stack = x86_stack_make(core, &ss, 0x8004, 0);
    EXPECT_TRUE(x86_stack_push(&stack, 4, 1, &fault));
    EXPECT_FALSE(x86_stack_push(&stack, 4, 1, &fault));
}

TEST_F(Stack, IsFlatAndCanonicalIn64BitMode)
{
    state()->efer |= 1 << 10;
    state()->seg[X86_CS].l = 1;
    state()->gpr[X86_RSP] = UINT64_C(0x800000000008);
    x86_stack stack = x86_stack_current(core);
    EXPECT_FALSE(x86_stack_push(&stack, 8, 1, &fault));
    EXPECT_EQ(fault.vector, X86_SS);
}

} // namespace
