// SPDX-License-Identifier: BSD-3-Clause
// A bare guest for unit tests: RAM, page tables that map it, a core in 64-bit
// user mode.
#ifndef TESTS_UNIT_ARCH_X86_GUEST_H
#define TESTS_UNIT_ARCH_X86_GUEST_H

#include "arch/x86/core.h"
#include "arch/x86/state.h"
#include "arch/x86/vmem.h"
#include "mem/physmem.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

struct Guest {
    static constexpr uint64_t kRam = 16 << 20;
    static constexpr uint64_t kCode = 0x400000; // linear = physical
    static constexpr uint64_t kData = 0x600000;
    static constexpr uint64_t kStack = 0x800000; // top
    static constexpr uint64_t kTables = 0x1000;

    struct physmem *mem = physmem_create();
    struct x86_env env = {};
    struct x86_core *core = nullptr;
    std::vector<struct x86_fault> faults;
    uint64_t syscalls = 0;

    explicit Guest(bool user = true)
    {
        EXPECT_EQ(physmem_add(mem, 0, kRam), 0);
        env.exception = [](struct x86_env *e, struct x86_core *c,
                           const struct x86_fault *fault) {
            Guest *guest = reinterpret_cast<Guest *>(
                reinterpret_cast<char *>(e) - offsetof(Guest, env));
            guest->faults.push_back(*fault);
            x86_core_stop(c);
            return true;
        };
        env.syscall = [](struct x86_env *e, struct x86_core *c,
                         enum x86_syscall_kind) {
            Guest *guest = reinterpret_cast<Guest *>(
                reinterpret_cast<char *>(e) - offsetof(Guest, env));
            guest->syscalls++;
            x86_core_stop(c);
            return true;
        };
        struct x86_core_cfg cfg = {};
        cfg.mem = mem;
        cfg.env = &env;
        core = x86_core_create(&cfg);
        map_all();
        enter_long_mode(user);
    }
    ~Guest()
    {
        x86_core_destroy(core);
        physmem_destroy(mem);
    }
    Guest(const Guest &) = delete;

    struct x86_state *state()
    {
        return x86_core_state(core);
    }
    uint64_t &gpr(int reg)
    {
        return state()->gpr[reg];
    }
    uint8_t *host(uint64_t addr)
    {
        return static_cast<uint8_t *>(physmem_host(mem, {addr}, 1));
    }
    // The 4 KiB entry of a linear address.
    uint64_t *pte(uint64_t addr)
    {
        return reinterpret_cast<uint64_t *>(
            host(kTables + 0x3000 + (addr >> 12) * 8));
    }
    void load(const std::vector<uint8_t> &bytes, uint64_t addr = kCode)
    {
        memcpy(host(addr), bytes.data(), bytes.size());
        x86_cache_invalidate(x86_core_cache(core), {addr}, bytes.size());
    }
    enum x86_stop run(const std::vector<uint8_t> &bytes, uint64_t insts)
    {
        load(bytes);
        state()->rip = kCode;
        return x86_core_run(core, insts);
    }
    uint64_t rflags()
    {
        x86_core_sync(core);
        return state()->rflags;
    }
    void set_rflags(uint64_t value)
    {
        x86_core_sync(core);
        state()->rflags = value | 2;
        x86_core_state_changed(core);
    }

  private:
    // 16 MiB identity mapped by 4 KiB pages: tables at 0x1000, 0x2000, 0x3000,
    // page tables from 0x4000 on.
    void map_all()
    {
        auto put = [&](uint64_t addr, uint64_t value) {
            memcpy(host(addr), &value, 8);
        };
        put(kTables, (kTables + 0x1000) | 7);
        put(kTables + 0x1000, (kTables + 0x2000) | 7);
        for (uint64_t i = 0; i < kRam >> 21; i++)
            put(kTables + 0x2000 + 8 * i, (kTables + 0x3000 + 0x1000 * i) | 7);
        for (uint64_t page = 0; page < kRam >> 12; page++)
            put(kTables + 0x3000 + 8 * page, page << 12 | 7);
    }
    void enter_long_mode(bool user)
    {
        struct x86_state *s = state();
        s->cr0 = 0x80010033;
        s->cr3 = kTables;
        s->cr4 = 0x50620; // PAE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE
        s->efer = 0xd01;
        s->xcr0 = 7;
        for (int i = 0; i < X86_NUM_SEGS; i++) {
            s->seg[i] = {};
            s->seg[i].limit = 0xffffffff;
            s->seg[i].selector = user ? 0x2b : 0x10;
            s->seg[i].type = 3;
            s->seg[i].s = 1;
            s->seg[i].dpl = user ? 3 : 0;
            s->seg[i].present = 1;
            s->seg[i].db = 1;
            s->seg[i].g = 1;
        }
        s->seg[X86_CS].selector = user ? 0x33 : 0x08;
        s->seg[X86_CS].type = 11;
        s->seg[X86_CS].l = 1;
        s->seg[X86_CS].db = 0;
        s->gpr[X86_RSP] = kStack;
        s->rflags = 0x202;
        x86_core_state_changed(core);
    }
};

#endif
