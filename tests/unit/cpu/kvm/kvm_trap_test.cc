/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_trap.h"

#include <gtest/gtest.h>

#include <cstring>

#include "arch/x86/fault.h"
#include "arch/x86/linux/kernel.h"
#include "mem/physmem.h"

namespace
{

constexpr uint64_t kBase = 0xffffffff80007000;
constexpr uint64_t kVectors = kBase + 0x200;

class KvmTrap : public testing::Test
{
  protected:
    void SetUp() override
    {
        struct kernel_cfg cfg = {};

        mem = physmem_create();
        ASSERT_EQ(physmem_add(mem, 0, 8 << 20), 0);
        cfg.mem = mem;
        kernel = kernel_create(&cfg);
        trap = kvm_trap_create(kernel, kBase);
        ASSERT_NE(trap, nullptr);
        ASSERT_TRUE(kvm_trap_add_cpu(trap, 0));
        ASSERT_TRUE(kvm_trap_add_cpu(trap, 3));
    }
    void TearDown() override
    {
        kvm_trap_destroy(trap);
        kernel_destroy(kernel);
        physmem_destroy(mem);
    }
    uint8_t *at(uint64_t addr)
    {
        for (uint32_t i = 0; i < kernel->num_pages; i++)
            if (addr - kernel->pages[i].addr < FRAME_SIZE)
                return frames_host(kernel->frames, kernel->pages[i].frame) +
                       addr % FRAME_SIZE;
        ADD_FAILURE() << "no page at " << addr;
        return nullptr;
    }
    /* The frame that the processor leaves on the stack of CPU @index. */
    struct kvm_trap_frame after(uint8_t vector, bool has_error,
                                uint64_t beyond = 2, uint32_t index = 0)
    {
        uint64_t frame[] = {77, 0x401000, 0x33, 0x10246, 0x7ffe0, 0x2b};
        size_t size = has_error ? sizeof(frame) : sizeof(frame) - 8;
        uint64_t top = kBase + 0x2000 + (index + 1) * FRAME_SIZE;
        struct kvm_regs regs = {};
        struct kvm_trap_frame out;

        memcpy(at(top - size), has_error ? frame : frame + 1, size);
        regs.rip = kVectors + vector * 16 + beyond;
        regs.rsp = top - size;
        kvm_trap_read(trap, index, &regs, &out);
        return out;
    }

    struct physmem *mem = nullptr;
    struct kernel *kernel = nullptr;
    struct kvm_trap *trap = nullptr;
};

TEST_F(KvmTrap, EveryStubIsAnOutToThePort)
{
    EXPECT_EQ(at(kBase)[0], 0xe6);
    EXPECT_EQ(at(kBase)[1], KVM_TRAP_PORT);
    for (int v = 0; v < KVM_TRAP_NUM_VECTORS; v++)
        EXPECT_EQ(memcmp(at(kVectors + v * 16), at(kBase), 2), 0) << v;
}

/* [SDM] Vol. 3A, "64-Bit Mode IDT". */
TEST_F(KvmTrap, EveryGateLeadsToItsStub)
{
    struct kvm_sregs sregs = {};

    kvm_trap_put(trap, 0, &sregs);
    EXPECT_EQ(sregs.idt.limit, 32 * 16 - 1);
    for (int v = 0; v < KVM_TRAP_NUM_VECTORS; v++) {
        const uint8_t *gate = at(sregs.idt.base + v * 16);
        uint64_t target = 0, high = 0;

        memcpy(&target, gate, 2);
        memcpy(&high, gate + 6, 6);
        EXPECT_EQ(target | high << 16, kVectors + v * 16) << v;
        EXPECT_EQ(gate[2] | gate[3] << 8, 0x10) << v;
        EXPECT_EQ(gate[4], 0) << v; /* no stack of its own */
        EXPECT_EQ(gate[5], v == 3 || v == 4 ? 0xee : 0x8e) << v;
    }
}

TEST_F(KvmTrap, RingThreeMayUseThePortAndNoOther)
{
    struct kvm_sregs sregs = {};
    uint64_t rsp0 = 0;

    kvm_trap_put(trap, 3, &sregs);
    const uint8_t *tss = at(sregs.tr.base);
    memcpy(&rsp0, tss + 4, 8);
    EXPECT_EQ(rsp0, sregs.tr.base + FRAME_SIZE);
    unsigned map = tss[0x66] | tss[0x67] << 8;
    for (unsigned port = 0; map + port / 8 < sregs.tr.limit; port++)
        EXPECT_EQ(tss[map + port / 8] >> port % 8 & 1, port != KVM_TRAP_PORT)
            << port;
    EXPECT_EQ(tss[sregs.tr.limit], 0xff); /* the byte behind */
    EXPECT_EQ(sregs.tr.type, 11);
}

TEST_F(KvmTrap, CpusHaveStacksOfTheirOwn)
{
    struct kvm_sregs a = {}, b = {};

    kvm_trap_put(trap, 0, &a);
    kvm_trap_put(trap, 3, &b);
    EXPECT_EQ(b.tr.base - a.tr.base, 3u * FRAME_SIZE);
    EXPECT_EQ(a.idt.base, b.idt.base);
    EXPECT_TRUE(kvm_trap_add_cpu(trap, 0)); /* twice is no error */
}

TEST_F(KvmTrap, SyscallLeadsToTheFirstStub)
{
    struct kvm_msr_entry msrs[KVM_TRAP_NUM_MSRS];

    kvm_trap_msrs(trap, msrs);
    EXPECT_EQ(msrs[0].index, 0xc0000081u);
    EXPECT_EQ(msrs[0].data >> 32, 0x230010u);
    EXPECT_EQ(msrs[1].index, 0xc0000082u);
    EXPECT_EQ(msrs[1].data, kBase);
    EXPECT_TRUE(msrs[2].data & X86_TF);
    EXPECT_TRUE(msrs[2].data & X86_IF);
    kvm_trap_open_window(trap);
    kvm_trap_msrs(trap, msrs);
    EXPECT_TRUE(msrs[2].data & X86_TF);
    EXPECT_FALSE(msrs[2].data & X86_IF);
}

TEST_F(KvmTrap, ReadsAFrameOfEveryVector)
{
    for (uint8_t v = 0; v < KVM_TRAP_NUM_VECTORS; v++) {
        bool has_error = v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21 ||
                         v == 29 || v == 30;
        struct kvm_trap_frame frame = after(v, has_error);

        EXPECT_EQ(frame.kind, KVM_TRAP_EXCEPTION) << int(v);
        EXPECT_EQ(frame.vector, v);
        EXPECT_EQ(frame.has_error, has_error) << int(v);
        EXPECT_EQ(frame.error, has_error ? 77u : 0u);
        EXPECT_EQ(frame.rip, 0x401000u);
        EXPECT_EQ(frame.rsp, 0x7ffe0u);
        EXPECT_EQ(frame.rflags, 0x10246u);
        EXPECT_EQ(frame.cs, 0x33);
        EXPECT_EQ(frame.ss, 0x2b);
    }
}

TEST_F(KvmTrap, IsAtAStubBeforeAndBehindTheOut)
{
    EXPECT_EQ(after(X86_PF, true, 0).kind, KVM_TRAP_EXCEPTION);
    EXPECT_EQ(after(X86_PF, true, 2).kind, KVM_TRAP_EXCEPTION);
    EXPECT_EQ(after(X86_PF, true, 3).kind, KVM_TRAP_NONE);
    EXPECT_EQ(after(X86_PF, true, 2, 3).kind, KVM_TRAP_EXCEPTION);
}

TEST_F(KvmTrap, KnowsAProgramsOwnOut)
{
    struct kvm_regs regs = {};
    struct kvm_trap_frame frame;

    regs.rip = 0x401002;
    kvm_trap_read(trap, 0, &regs, &frame);
    EXPECT_EQ(frame.kind, KVM_TRAP_NONE);
    regs.rip = kBase + 2;
    kvm_trap_read(trap, 0, &regs, &frame);
    EXPECT_EQ(frame.kind, KVM_TRAP_SYSCALL);
    /* A program that jumps to a stub has no frame there. */
    regs.rip = kVectors + 2;
    regs.rsp = 0x7ffe0;
    kvm_trap_read(trap, 0, &regs, &frame);
    EXPECT_EQ(frame.kind, KVM_TRAP_NONE);
}

TEST_F(KvmTrap, ItsPagesAreInEveryAddressSpace)
{
    uint32_t code = 0, data = 0;

    for (uint32_t i = 0; i < kernel->num_pages; i++)
        (kernel->pages[i].access == MM_KERNEL_CODE ? code : data)++;
    EXPECT_EQ(code, 1u); /* ring 3 reads and executes the stubs alone */
    EXPECT_EQ(data, 3u);
}

} // namespace
