// SPDX-License-Identifier: BSD-3-Clause
// A bare core in 32-bit protected mode at CPL 0 without paging, with a GDT, an
// IDT, a TSS and a stack at fixed places, for tests of segmentation and gates.
#ifndef TESTS_UNIT_ARCH_X86_LEGACY_GUEST_H
#define TESTS_UNIT_ARCH_X86_LEGACY_GUEST_H

#include <gtest/gtest.h>

#include <cstring>

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/segment.h"
#include "arch/x86/state.h"
#include "mem/physmem.h"

struct LegacyGuest {
    static constexpr uint32_t kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000,
                              kOtherTss = 0x3800, kStack0 = 0x7000,
                              kStack = 0x8000;
    // Selectors.
    static constexpr uint16_t kCode = 0x08, kData = 0x10, kUserCode = 0x1b,
                              kUserData = 0x23, kMainTss = 0x28, kSpare = 0x30;

    struct physmem *mem = physmem_create();
    struct x86_env env = {};
    struct x86_core *core;
    struct x86_fault fault = {};

    LegacyGuest()
    {
        EXPECT_EQ(physmem_add(mem, 0, 1 << 20), 0);
        struct x86_core_cfg cfg = {};
        cfg.mem = mem;
        cfg.env = &env;
        core = x86_core_create(&cfg);
        put_gdt(kCode, descriptor(0, 0xfffff, 0x9b, 0xc));
        put_gdt(kData, descriptor(0, 0xfffff, 0x93, 0xc));
        put_gdt(kUserCode, descriptor(0, 0xfffff, 0xfb, 0xc));
        put_gdt(kUserData, descriptor(0, 0xfffff, 0xf3, 0xc));
        put_gdt(kMainTss, descriptor(kTss, 103, 0x89, 0));
        put32(kTss + 4, kStack0);
        put32(kTss + 8, kData);
        state()->cr0 = 0x11;
        state()->gdtr = {kGdt, 0xff};
        state()->idtr = {kIdt, 0x7ff};
        enter(0);
        EXPECT_TRUE(x86_load_tr(core, kMainTss, &fault));
    }
    ~LegacyGuest()
    {
        x86_core_destroy(core);
        physmem_destroy(mem);
    }
    LegacyGuest(const LegacyGuest &) = delete;

    struct x86_state *state()
    {
        return x86_core_state(core);
    }
    // Flat segments, flags clear, the stack's top at kStack.
    void enter(unsigned cpl)
    {
        uint64_t code = gdt(cpl ? kUserCode : kCode);
        uint64_t data = gdt(cpl ? kUserData : kData);
        struct x86_state *s = state();

        for (int i = 0; i < X86_NUM_SEGS; i++)
            x86_desc_decode(data, cpl ? kUserData : kData, &s->seg[i]);
        x86_desc_decode(code, cpl ? kUserCode : kCode, &s->seg[X86_CS]);
        s->gpr[X86_RSP] = kStack;
        s->rip = 0x5000;
        s->rflags = 2;
        x86_core_state_changed(core);
    }
    uint32_t get32(uint32_t addr)
    {
        uint32_t value;

        memcpy(&value, physmem_host(mem, {addr}, 4), 4);
        return value;
    }
    void put32(uint32_t addr, uint32_t value)
    {
        memcpy(physmem_host(mem, {addr}, 4), &value, 4);
    }
    uint64_t gdt(uint16_t selector)
    {
        uint32_t at = kGdt + (selector & ~7u);

        return get32(at) | static_cast<uint64_t>(get32(at + 4)) << 32;
    }
    void put_gdt(uint16_t selector, uint64_t raw)
    {
        memcpy(physmem_host(mem, {kGdt + (selector & ~7u)}, 8), &raw, 8);
    }
    void put_idt(unsigned vector, uint64_t raw)
    {
        memcpy(physmem_host(mem, {kIdt + 8 * vector}, 8), &raw, 8);
    }
    // The same stack slot again after a push.
    uint32_t pushed(unsigned slot)
    {
        return get32(static_cast<uint32_t>(state()->gpr[X86_RSP]) + 4 * slot);
    }
    static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access,
                               uint32_t flags)
    {
        return (limit & 0xffffULL) |
               static_cast<uint64_t>(base & 0xffffff) << 16 |
               static_cast<uint64_t>(access) << 40 |
               static_cast<uint64_t>(limit >> 16 & 15) << 48 |
               static_cast<uint64_t>(flags) << 52 |
               static_cast<uint64_t>(base >> 24) << 56;
    }
    static uint64_t gate(uint16_t selector, uint32_t offset, uint32_t access,
                         uint32_t params = 0)
    {
        return (offset & 0xffffULL) | static_cast<uint64_t>(selector) << 16 |
               static_cast<uint64_t>(params) << 32 |
               static_cast<uint64_t>(access) << 40 |
               static_cast<uint64_t>(offset >> 16) << 48;
    }
};

#endif
