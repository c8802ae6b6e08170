// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/disasm.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "arch/x86/state.h"

namespace
{

std::string text(const std::vector<uint8_t> &bytes, bool is_long)
{
    struct x86_disasm_input input = {bytes.data(), bytes.size(), 0x1000};
    static struct x86_state state;
    char out[96];

    state.efer = is_long ? 1 << 10 : 0;
    state.seg[X86_CS].l = is_long;
    state.seg[X86_CS].db = !is_long;
    x86_disasm(&state, &input, out, sizeof(out));
    return out;
}

TEST(Disasm, FollowsTheMode)
{
    EXPECT_EQ(text({0x48, 0x89, 0xc8}, true), "mov rax, rcx");
    EXPECT_EQ(text({0x40}, false), "inc eax");
    EXPECT_EQ(text({0xeb, 0xfe}, true), "jmp 0x0000000000001000");
}

TEST(Disasm, SaysWhatIsNoInstruction)
{
    EXPECT_EQ(text({0x06}, true), "(bad)");
    EXPECT_EQ(text({0x48}, true), "(bad)");
}

} // namespace
