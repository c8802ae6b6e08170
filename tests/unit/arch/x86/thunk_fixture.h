// SPDX-License-Identifier: BSD-3-Clause
// A register file with some memory: what a thunk sees of a core.
#ifndef TESTS_UNIT_ARCH_X86_THUNK_FIXTURE_H
#define TESTS_UNIT_ARCH_X86_THUNK_FIXTURE_H

#include "arch/x86/thunk.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <vector>

// The memory is [MEM_BASE, MEM_BASE + MEM_SIZE); everything else faults.
constexpr uint64_t MEM_BASE = 0x100000;
constexpr unsigned MEM_SIZE = 8192;

struct ThunkMachine {
    x86_state state;
    x86_fpu fpu;
    uint8_t memory[MEM_SIZE];
};

class ThunkTest : public testing::Test
{
  protected:
    void SetUp() override
    {
        x86_state_reset(&m.state);
        m.state.cr0 = 0x80050033;
        m.state.cr4 = 0x50620; // OSXSAVE FSGSBASE OSXMMEXCPT OSFXSR PAE
        m.state.xcr0 = 0xe7;
        m.state.seg[X86_CS].selector = 0x33;
        m.state.xsave[0] = 0x7f;
        m.state.xsave[1] = 0x03;
        const x86_fpu_cfg cfg = {core(), &m.state, nullptr, &mem_ops};
        x86_fpu_init(&m.fpu, &cfg);
        thunks = x86_thunks_create(
            static_cast<ptrdiff_t>(offsetof(ThunkMachine, state)) -
            static_cast<ptrdiff_t>(offsetof(ThunkMachine, fpu)));
    }

    void TearDown() override
    {
        x86_fpu_leave(&m.fpu);
        x86_thunks_destroy(thunks);
    }

    const x86_thunk *get(const std::vector<uint8_t> &bytes,
                         ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LONG_64)
    {
        ZydisDecoder decoder;
        ZydisDecodedInstruction insn;
        ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

        ZydisDecoderInit(&decoder, mode,
                         mode == ZYDIS_MACHINE_MODE_LONG_64
                             ? ZYDIS_STACK_WIDTH_64
                             : ZYDIS_STACK_WIDTH_32);
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(
                &decoder, bytes.data(), bytes.size(), &insn, operands)))
            return nullptr;
        why = nullptr;
        return x86_thunks_get(thunks, &insn, operands, bytes.data(), &why);
    }

    // Execute at RIP 0x1000 with its memory operand at @addr.
    bool run(const std::vector<uint8_t> &bytes, uint64_t addr = MEM_BASE)
    {
        const x86_thunk *thunk = get(bytes);

        EXPECT_NE(thunk, nullptr) << why;
        return thunk && run_thunk(thunk, addr);
    }

    bool run_thunk(const x86_thunk *thunk, uint64_t addr = MEM_BASE)
    {
        call.mem = {addr, X86_DS, 64};
        call.rip = 0x1000;
        call.fault = {};
        call.fault.vector = X86_NO_FAULT;
        return x86_thunk_run(&m.fpu, thunk, &call);
    }

    template <typename T> void set_vec(unsigned reg, std::vector<T> values)
    {
        memcpy(m.fpu.vec[reg], values.data(), values.size() * sizeof(T));
    }

    template <typename T> T vec(unsigned reg, unsigned i) const
    {
        T value;
        memcpy(&value, m.fpu.vec[reg] + i * sizeof(T), sizeof(T));
        return value;
    }

    template <typename T> void poke(uint64_t addr, T value)
    {
        memcpy(m.memory + (addr - MEM_BASE), &value, sizeof(T));
    }

    template <typename T> T peek(uint64_t addr) const
    {
        T value;
        memcpy(&value, m.memory + (addr - MEM_BASE), sizeof(T));
        return value;
    }

    x86_core *core()
    {
        return reinterpret_cast<x86_core *>(&m);
    }

    static bool touch(x86_core *core, const x86_mem_operand *at, unsigned size,
                      x86_fault *fault, uint8_t **out)
    {
        auto *machine = reinterpret_cast<ThunkMachine *>(core);

        for (unsigned i = 0; i < size; i++) {
            const uint64_t addr = at->offset + i;
            if (addr >= MEM_BASE && addr < MEM_BASE + MEM_SIZE)
                continue;
            *fault = {};
            fault->vector = X86_PF;
            fault->has_error = true;
            fault->addr = addr;
            return false;
        }
        *out = machine->memory + (at->offset - MEM_BASE);
        return true;
    }

    static bool read(x86_core *core, const x86_mem_operand *from, void *data,
                     unsigned size, x86_fault *fault)
    {
        uint8_t *at;
        if (!touch(core, from, size, fault, &at))
            return false;
        memcpy(data, at, size);
        return true;
    }

    static bool write(x86_core *core, const x86_mem_operand *to,
                      const void *data, unsigned size, x86_fault *fault)
    {
        uint8_t *at;
        if (!touch(core, to, size, fault, &at))
            return false;
        memcpy(at, data, size);
        return true;
    }

    static bool check_write(x86_core *core, const x86_mem_operand *to,
                            unsigned size, x86_fault *fault)
    {
        uint8_t *at;
        return touch(core, to, size, fault, &at);
    }

    static constexpr x86_fpu_mem mem_ops = {read, write, check_write};

    ThunkMachine m{};
    x86_thunks *thunks = nullptr;
    x86_thunk_call call{};
    const char *why = nullptr;
};

#define NEED_HOST(feature)                                                     \
    if (!__builtin_cpu_supports(feature))                                      \
    GTEST_SKIP() << "the host has no " feature

#endif
