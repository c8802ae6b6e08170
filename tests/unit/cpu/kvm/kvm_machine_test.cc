/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_machine.h"

#include <string>

#include "kvm_tree.hh"

namespace
{

/* Ring 3 of 64-bit mode at 0x1000, all memory mapped one to one. */
class KvmMachine : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        kvm->ring0 = KVM_RING0_SIMULATED;
        cpu = add_cpu();
        start();
        enter_ring3();
    }
    void enter_ring3()
    {
        x86_state *it = state(cpu);
        const uint64_t large = 0x87; /* present, writable, user, 2 MiB */
        uint64_t entry = 0x11007;
        memcpy(ram() + 0x10000, &entry, 8);
        entry = 0x12007;
        memcpy(ram() + 0x11000, &entry, 8);
        memcpy(ram() + 0x12000, &large, 8);
        it->cr0 = 0x80050033;
        it->cr3 = 0x10000;
        it->cr4 = 0x620;
        it->efer = 0xd01;
        for (auto &seg : it->seg) {
            seg.base = 0;
            seg.limit = 0xffffffff;
            seg.selector = 0x2b;
            seg.type = 3;
            seg.s = seg.present = seg.g = seg.db = 1;
            seg.dpl = 3;
        }
        it->seg[X86_CS].selector = 0x33;
        it->seg[X86_CS].type = 11;
        it->seg[X86_CS].l = 1;
        it->seg[X86_CS].db = 0;
        it->rip = 0x1000;
        x86_core_state_changed(cpu->base.core);
    }
    struct kvm_cpu *cpu = nullptr;
};

TEST_F(KvmMachine, SplitsWhereItIsToldOrTheHostEmulates)
{
    kvm_system other = {};
    for (auto ring0 : {KVM_RING0_UNKNOWN, KVM_RING0_NATIVE}) {
        other.probe.ring0 = ring0;
        other.ring0 = KVM_RING0_AUTO;
        EXPECT_FALSE(kvm_machine_is_split(&other));
        other.ring0 = KVM_RING0_SIMULATED;
        EXPECT_TRUE(kvm_machine_is_split(&other));
    }
    other.probe.ring0 = KVM_RING0_EMULATED;
    other.ring0 = KVM_RING0_AUTO;
    EXPECT_TRUE(kvm_machine_is_split(&other));
    other.ring0 = KVM_RING0_KVM;
    EXPECT_FALSE(kvm_machine_is_split(&other));
}

TEST_F(KvmMachine, OnlyRing3Of64BitModeIsKvms)
{
    EXPECT_FALSE(kvm_machine_is_for_core(cpu));
    state(cpu)->seg[X86_SS_SEG].dpl = 0;
    EXPECT_TRUE(kvm_machine_is_for_core(cpu));
    state(cpu)->seg[X86_SS_SEG].dpl = 3;
    state(cpu)->seg[X86_CS].l = 0;
    EXPECT_TRUE(kvm_machine_is_for_core(cpu));
    state(cpu)->seg[X86_CS].l = 1;
    state(cpu)->events.nmi_pending = 1;
    EXPECT_TRUE(kvm_machine_is_for_core(cpu));
    state(cpu)->events.nmi_pending = 0;
    state(cpu)->mp_state = X86_HALTED;
    EXPECT_TRUE(kvm_machine_is_for_core(cpu));
}

TEST_F(KvmMachine, TheGuestFindsNoDescriptorTable)
{
    uint16_t limit = 1;
    play({[&](kvm_run *page) {
              limit = page->s.regs.sregs.idt.limit;
              page->exit_reason = KVM_EXIT_SHUTDOWN;
              return 0;
          },
          leave(KVM_EXIT_SHUTDOWN)});
    ram()[0x1000] = 0x90;
    ram()[0x1001] = 0xf4; /* HLT: a fault in ring 3, with no table */
    EXPECT_EQ(run(), std::string(EXIT_SHUTDOWN) + " 1");
    EXPECT_EQ(limit, 0);
    EXPECT_EQ(cpu->num_fault_traps, 2u) << "NOP went on, HLT did not";
}

/* The instruction of the event is executed again, by the core. */
TEST_F(KvmMachine, ASystemCallIsTakenBackAndMadeByTheCore)
{
    state(cpu)->msr[X86_MSR_LSTAR] = 0x2000;
    state(cpu)->msr[X86_MSR_STAR] = UINT64_C(0x0023001000000000);
    x86_core_state_changed(cpu->base.core);
    ram()[0x1000] = 0x0f;
    ram()[0x1001] = 0x05;
    ram()[0x2000] = 0xf4; /* HLT, in ring 0 now */
    play({[](kvm_run *page) {
        page->s.regs.regs.rip = KVM_SPLIT_LSTAR;
        page->s.regs.regs.rcx = 0x1002;
        page->s.regs.regs.r11 = 0x202;
        page->exit_reason = KVM_EXIT_SHUTDOWN;
        return 0;
    }});
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpu->num_syscall_traps, 1u);
    EXPECT_EQ(state(cpu)->gpr[X86_RCX], 0x1002u);
    EXPECT_EQ(state(cpu)->rip, 0x2001u);
    EXPECT_EQ(state(cpu)->mp_state, X86_HALTED);
}

} // namespace
