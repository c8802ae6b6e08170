// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/debug.h"

#include <gtest/gtest.h>

#include "arch/x86/sysreg.h"
#include "arch/x86/vmem.h"

namespace
{

enum { EXECUTE, WRITE, PORT, ACCESS };

// Breakpoint @index at @address; @len is the field's value.
void set_break(x86_state *state, unsigned index, uint64_t address,
               unsigned condition, unsigned len)
{
    state->dr[index] = address;
    state->dr[7] |= UINT64_C(1) << (2 * index) | (condition | len << 2)
                                                     << (16 + 4 * index);
}

TEST(Debug, IsArmedByAnyEnableBit)
{
    x86_state state = {};

    state.dr[7] = 0xffff0400;
    EXPECT_FALSE(x86_debug_is_armed(&state));
    state.dr[7] = 0x480;
    EXPECT_TRUE(x86_debug_is_armed(&state));
}

TEST(Debug, BreaksOnTheFirstByteOfAnInstruction)
{
    x86_state state = {};

    set_break(&state, 2, 0x1000, EXECUTE, 0);
    EXPECT_EQ(x86_debug_code_hits(&state, 0x1000), 4u);
    EXPECT_EQ(x86_debug_code_hits(&state, 0x1001), 0u);
    EXPECT_EQ(x86_debug_data_hits(&state, 0x1000, 1, X86_ACCESS_READ), 0u);
}

struct Access {
    uint64_t address;
    unsigned size, access;
    unsigned hits;
};

TEST(Debug, BreaksOnDataThatOverlaps)
{
    static const Access accesses[] = {
        {0x1000, 4, X86_ACCESS_WRITE, 1},
        {0x1003, 1, X86_ACCESS_WRITE, 1},
        {0x1004, 1, X86_ACCESS_WRITE, 0},
        {0x0ffd, 4, X86_ACCESS_WRITE, 1},
        {0x0ffc, 4, X86_ACCESS_WRITE, 0},
        {0x1000, 4, X86_ACCESS_READ,  0},
        {0x2007, 2, X86_ACCESS_READ,  2},
        {0x2008, 2, X86_ACCESS_READ,  0},
        {0x2000, 1, X86_ACCESS_WRITE, 2},
    };
    x86_state state = {};

    set_break(&state, 0, 0x1002, WRITE, 3); // aligned down to 4
    set_break(&state, 1, 0x2000, ACCESS, 2);
    for (const Access &a : accesses)
        EXPECT_EQ(x86_debug_data_hits(&state, a.address, a.size, a.access),
                  a.hits)
            << std::hex << a.address;
}

TEST(Debug, ReportsWhatIsMetWithoutBeingEnabledOnlyBesideWhatIs)
{
    x86_state state = {};

    state.dr[0] = state.dr[1] = 0x1000;
    EXPECT_EQ(x86_debug_code_hits(&state, 0x1000), 0u);
    state.dr[7] = 2;
    EXPECT_EQ(x86_debug_code_hits(&state, 0x1000), 3u);
}

TEST(Debug, BreaksOnPortsOnlyWithDebugExtensions)
{
    x86_state state = {};

    set_break(&state, 3, 0x80, PORT, 1);
    EXPECT_EQ(x86_debug_port_hits(&state, 0x80, 1), 0u);
    state.cr4 = X86_CR4_DE;
    EXPECT_EQ(x86_debug_port_hits(&state, 0x7e, 4), 8u);
    EXPECT_EQ(x86_debug_port_hits(&state, 0x82, 1), 0u);
}

} // namespace
