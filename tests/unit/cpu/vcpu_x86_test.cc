// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/vcpu_x86.h"

#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "vcpu_dummy.h"

/* ---------------------------------------------------------------- registers */

TEST(VcpuRegs, TheGeneralOnesComeFirstInTheOrderOfTheEncoding)
{
    const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                 "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                 "r12", "r13", "r14", "r15"};

    for (unsigned i = 0; i < 16; i++) {
        EXPECT_STREQ(vcpu_x86_regs[i].name, names[i]);
        EXPECT_EQ(vcpu_x86_regs[i].offset, offsetof(x86_state, gpr) + 8 * i);
    }
}

TEST(VcpuRegs, EachHasANameAndABitOfItsOwn)
{
    std::set<std::string> names;
    std::set<unsigned> offsets;

    for (size_t i = 0; i < vcpu_x86_num_regs; i++) {
        const vcpu_x86_reg *reg = &vcpu_x86_regs[i];

        names.insert(reg->name);
        offsets.insert(reg->offset);
        EXPECT_EQ(vcpu_x86_find_reg(reg->name), reg);
        EXPECT_EQ(__builtin_popcount(reg->group), 1) << reg->name;
    }
    EXPECT_EQ(names.size(), vcpu_x86_num_regs);
    EXPECT_EQ(offsets.size(), vcpu_x86_num_regs);
    EXPECT_EQ(vcpu_x86_find_reg("eax"), nullptr);
}

TEST(VcpuRegs, EachIsCopiedWithItsGroupAndOnlyWithIt)
{
    for (size_t i = 0; i < vcpu_x86_num_regs; i++) {
        const vcpu_x86_reg *reg = &vcpu_x86_regs[i];
        x86_state from{}, to{};

        vcpu_x86_write_reg(&from, reg, 0x5a);
        vcpu_x86_copy(&to, &from, VCPU_STATE_ALL & ~reg->group);
        EXPECT_EQ(vcpu_x86_read_reg(&to, reg), 0u) << reg->name;
        vcpu_x86_copy(&to, &from, reg->group);
        EXPECT_EQ(vcpu_x86_read_reg(&to, reg), 0x5au) << reg->name;
    }
}

TEST(VcpuRegs, AllGroupsTogetherAreTheWholeState)
{
    auto from = std::make_unique<x86_state>(),
         to = std::make_unique<x86_state>();

    x86_state_reset(from.get());
    memset(from->xsave, 0x77, sizeof from->xsave);
    memset(from->msr, 0x66, sizeof from->msr);
    memset(to.get(), 0, sizeof *to);
    vcpu_x86_copy(to.get(), from.get(), VCPU_STATE_ALL);
    EXPECT_EQ(memcmp(to.get(), from.get(), sizeof *to), 0);
}

using VcpuGpr = DummyTest;

TEST_F(VcpuGpr, AreReachedByNumberRspToo)
{
    uint64_t value = 0;

    make_ready();
    for (unsigned i = 0; i < 16; i++)
        EXPECT_EQ(vcpu_set_gpr(cpu, i, 1000 + i), 0);
    for (unsigned i = 0; i < 16; i++) {
        EXPECT_EQ(vcpu_get_gpr(cpu, i, &value), 0);
        EXPECT_EQ(value, 1000 + i);
    }
    EXPECT_EQ(dummy.arch.gpr[X86_RSP], 1004u);
    EXPECT_EQ(vcpu_get_gpr(cpu, 16, &value), -EINVAL);
    EXPECT_EQ(vcpu_set_gpr(cpu, 16, 0), -EINVAL);
}

TEST_F(VcpuGpr, TheReturnValueIsRax)
{
    make_ready();
    EXPECT_EQ(vcpu_set_return_value(cpu, 99), 0);
    EXPECT_EQ(dummy.arch.gpr[X86_RAX], 99u);
}

TEST_F(VcpuGpr, NeedAVcpuThatIsInitialised)
{
    uint64_t value = 0;

    EXPECT_EQ(vcpu_get_gpr(cpu, 0, &value), -EBADFD);
    EXPECT_EQ(vcpu_get_rip(cpu, &value), -EBADFD);
    EXPECT_EQ(vcpu_get_pc(cpu, &value), -EBADFD);
}

/* -------------------------------------------------------------------- modes */

static x86_state in_mode(vcpu_x86_mode mode)
{
    x86_state state{};

    if (mode != VCPU_MODE_REAL)
        state.cr0 = 1;
    if (mode == VCPU_MODE_V86)
        state.rflags = X86_VM;
    if (mode == VCPU_MODE_COMPATIBILITY || mode == VCPU_MODE_64)
        state.efer = 0x500;
    state.seg[X86_CS].l = mode == VCPU_MODE_64;
    return state;
}

TEST(VcpuMode, IsThatOfItsOwnRegisters)
{
    for (int mode = 0; mode < VCPU_NUM_MODES; mode++) {
        x86_state state = in_mode(static_cast<vcpu_x86_mode>(mode));

        EXPECT_EQ(vcpu_x86_mode_of(&state), mode);
        EXPECT_STRNE(vcpu_x86_mode_name(static_cast<vcpu_x86_mode>(mode)), "?");
    }
    EXPECT_STREQ(vcpu_x86_mode_name(VCPU_NUM_MODES), "?");
}

TEST_F(VcpuGpr, RipIsAnOffsetAndPcAnAddress)
{
    uint64_t rip = 0, pc = 0;

    make_ready();
    x86_state_reset(&dummy.arch);
    ASSERT_EQ(vcpu_get_rip(cpu, &rip), 0);
    ASSERT_EQ(vcpu_get_pc(cpu, &pc), 0);
    EXPECT_EQ(rip, 0xfff0u);
    EXPECT_EQ(pc, 0xfffffff0u);
}

TEST_F(VcpuGpr, AdvancingWrapsAsTheModeSays)
{
    struct {
        vcpu_x86_mode mode;
        uint8_t db;
        uint64_t before, after;
    } rows[] = {
        {VCPU_MODE_REAL,          0, 0xfffe,         1          },
        {VCPU_MODE_PROTECTED,     0, 0xfffe,         1          },
        {VCPU_MODE_PROTECTED,     1, 0xfffffffe,     1          },
        {VCPU_MODE_COMPATIBILITY, 1, 0xfffffffe,     1          },
        {VCPU_MODE_64,            0, 0xfffffffe,     0x100000001},
        {VCPU_MODE_64,            0, UINT64_MAX - 1, 1          },
    };

    make_ready();
    for (const auto &row : rows) {
        dummy.arch = in_mode(row.mode);
        dummy.arch.seg[X86_CS].db = row.db;
        dummy.arch.rip = row.before;
        dummy.arch.rflags |= X86_RF;
        dummy.arch.events.shadow = 1;
        ASSERT_EQ(vcpu_advance_rip(cpu, 3), 0);
        EXPECT_EQ(dummy.arch.rip, row.after) << row.mode;
        EXPECT_EQ(dummy.arch.events.shadow, 0);
        EXPECT_EQ(dummy.arch.rflags & X86_RF, 0u);
    }
}

TEST(VcpuStart, InRealModeCsGetsTheParagraph)
{
    x86_state state = in_mode(VCPU_MODE_REAL);

    state.mp_state = X86_WAIT_SIPI;
    vcpu_x86_start(&state, 0x7c03, 0x80);
    EXPECT_EQ(state.seg[X86_CS].selector, 0x7c0);
    EXPECT_EQ(state.seg[X86_CS].base, 0x7c00u);
    EXPECT_EQ(state.rip, 3u);
    EXPECT_EQ(state.gpr[X86_RAX], 0x80u);
    EXPECT_EQ(state.mp_state, X86_RUNNABLE);
}

TEST(VcpuStart, ElsewhereCsStays)
{
    x86_state state = in_mode(VCPU_MODE_64);

    state.seg[X86_CS].selector = 0x33;
    vcpu_x86_start(&state, 0xffffffff81000000, 0);
    EXPECT_EQ(state.rip, 0xffffffff81000000u);
    EXPECT_EQ(state.seg[X86_CS].selector, 0x33);
    state = in_mode(VCPU_MODE_PROTECTED);
    state.seg[X86_CS].db = 1;
    state.seg[X86_CS].base = 0x1000;
    vcpu_x86_start(&state, 0x100020, 0);
    EXPECT_EQ(state.rip, 0xff020u);
}

/* --------------------------------------------------------------------- text */

static std::string dump_of(const x86_state &state)
{
    char *text = nullptr;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    vcpu_x86_dump(&state, out);
    (void)fclose(out);
    std::string dump(text, size);
    free(text);
    return dump;
}

TEST(VcpuDump, HasAllSectionsAndRegisters)
{
    x86_state state{};

    x86_state_reset(&state);
    state.xsave[0x240] = 0xab;
    std::string dump = dump_of(state);
    for (const char *part :
         {"mode real", "registers\n", "segments and control\n", "debug\n",
          "XCRs\n", "MSRs\n", "events\n", "multiprocessor\n", "xsave\n",
          "  0240  ab 00", "rip              000000000000fff0"})
        EXPECT_NE(dump.find(part), std::string::npos) << part << dump;
    for (size_t i = 0; i < vcpu_x86_num_regs; i++)
        EXPECT_NE(dump.find(vcpu_x86_regs[i].name), std::string::npos);
}

TEST(VcpuDiff, NamesWhatChanged)
{
    x86_state before{}, after{};
    char line[256], tiny[8];

    EXPECT_EQ(vcpu_x86_diff(&before, &after, line, sizeof line), 0u);
    EXPECT_STREQ(line, "");
    after.gpr[X86_RBX] = 16;
    after.rip = 3;
    EXPECT_EQ(vcpu_x86_diff(&before, &after, line, sizeof line), 2u);
    EXPECT_STREQ(line, "rbx 0 -> 10, rip 0 -> 3");
    EXPECT_EQ(vcpu_x86_diff(&before, &after, tiny, sizeof tiny), 2u);
    EXPECT_STREQ(tiny, "rbx 0 -");
}
