/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_sync.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "../../arch/x86/guest.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_regs.h"
#include "fake_kvm.hh"

namespace
{

/* A core in ring 3 and a vCPU whose kernel is played. */
struct KvmSync : testing::Test {
    void keep(unsigned long set, unsigned long get, size_t size)
    {
        fake.on(set, [this, get, size](int, void *arg) {
            kept[get].assign(static_cast<char *>(arg), size);
            return 0;
        });
        fake.on(get, [this, get](int, void *arg) {
            memcpy(arg, kept[get].data(), kept[get].size());
            return 0;
        });
    }
    void SetUp() override
    {
        keep(KVM_SET_REGS, KVM_GET_REGS, sizeof(kvm_regs));
        keep(KVM_SET_SREGS, KVM_GET_SREGS, sizeof(kvm_sregs));
        keep(KVM_SET_XCRS, KVM_GET_XCRS, sizeof(kvm_xcrs));
        keep(KVM_SET_XSAVE, KVM_GET_XSAVE2, sizeof(kvm_xsave));
        keep(KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS, sizeof(kvm_debugregs));
        keep(KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS, sizeof(kvm_vcpu_events));
        keep(KVM_SET_MP_STATE, KVM_GET_MP_STATE, sizeof(kvm_mp_state));
        auto all = [](int, void *arg) {
            return static_cast<int>(static_cast<kvm_msrs *>(arg)->nmsrs);
        };
        fake.on(KVM_SET_MSRS, all);
        fake.on(KVM_GET_MSRS, all);
        fake.caps[KVM_CAP_SYNC_REGS] = 7;
    }
    void open(bool is_split = true)
    {
        kvm_host_cfg cfg = fake.cfg();

        ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0);
        ASSERT_EQ(kvm_sync_init(&sync, host, 5, &run, guest.core), 0);
        sync.is_split = is_split;
        ASSERT_EQ(kvm_sync_enter(&sync), 0);
        run.kvm_dirty_regs = 0;
        sets = fake.count(KVM_SET_XSAVE);
    }
    /* The guest ran: its registers, in the shared page. */
    void leave(uint64_t rip, uint64_t rax)
    {
        run.s.regs.regs = sync.regs;
        run.s.regs.sregs = sync.sregs;
        run.s.regs.regs.rip = rip;
        run.s.regs.regs.rax = rax;
        run.s.regs.regs.rflags = 2 | X86_ZF;
        ASSERT_EQ(kvm_sync_exit(&sync), 0);
    }
    void TearDown() override
    {
        kvm_sync_fini(&sync);
        kvm_host_close(host);
    }

    Guest guest;
    FakeKvm fake;
    std::map<unsigned long, std::string> kept;
    kvm_host *host = nullptr;
    kvm_run run = {};
    kvm_sync sync = {};
    int sets = 0;
    char why[KVM_HOST_WHY_SIZE];
};

TEST_F(KvmSync, GivesEverythingAtTheFirstEntry)
{
    guest.gpr(X86_RBX) = 5;
    open();
    kvm_regs regs;
    memcpy(&regs, kept[KVM_GET_REGS].data(), sizeof(regs));
    EXPECT_EQ(regs.rbx, 5u);
    EXPECT_EQ(fake.count(KVM_SET_SREGS), 1);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), 1);
    EXPECT_TRUE(run.kvm_valid_regs & KVM_SYNC_X86_REGS);
    /* Also where a run is turned back before the kernel writes it. */
    EXPECT_EQ(run.s.regs.regs.rbx, 5u);
}

TEST_F(KvmSync, AnExitThatNobodyLooksIntoCostsNoRequest)
{
    open();
    int before = fake.count(KVM_GET_XSAVE2) + fake.count(KVM_GET_REGS);
    leave(Guest::kCode + 2, 7);
    EXPECT_EQ(guest.gpr(X86_RAX), 7u);
    EXPECT_EQ(guest.state()->rip, Guest::kCode + 2);
    guest.gpr(X86_RAX) = 9; /* a system call's result */
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_GET_XSAVE2) + fake.count(KVM_GET_REGS), before);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), sets);
    EXPECT_EQ(run.kvm_dirty_regs, uint64_t(KVM_SYNC_X86_REGS));
    EXPECT_EQ(run.s.regs.regs.rax, 9u);
}

TEST_F(KvmSync, FetchesVectorsWhenSomebodyLooks)
{
    open();
    leave(Guest::kCode + 2, 7);
    kept[KVM_GET_XSAVE2][160] = 0x5a; /* XMM0 */
    kept[KVM_GET_XSAVE2][512] = 3;
    x86_core_sync(guest.core);
    EXPECT_EQ(guest.state()->xsave[160], 0x5a);
    EXPECT_TRUE(guest.state()->rflags & X86_ZF);
    EXPECT_EQ(sync.num_get, 1u);
    x86_core_sync(guest.core);
    EXPECT_EQ(sync.num_get, 1u);
    /* Only looked at: not given back. */
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), sets);
}

TEST_F(KvmSync, GivesVectorsBackWhenTheyChanged)
{
    open();
    leave(Guest::kCode + 2, 7);
    x86_core_sync(guest.core);
    guest.state()->xsave[160] = 0x77;
    guest.state()->xsave[512] |= 2;
    x86_core_state_changed(guest.core);
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), sets + 1);
    EXPECT_EQ(kept[KVM_GET_XSAVE2][160], 0x77);
}

TEST_F(KvmSync, TheOverlayNeverReachesTheCore)
{
    guest.state()->idtr = {0x1234000, 0xfff};
    open();
    kvm_sregs sregs;
    memcpy(&sregs, kept[KVM_GET_SREGS].data(), sizeof(sregs));
    EXPECT_EQ(sregs.idt.limit, 0); /* a split machine's ring 3 */
    leave(Guest::kCode + 2, 7);
    EXPECT_EQ(guest.state()->idtr.base, 0x1234000u);
    EXPECT_EQ(guest.state()->idtr.limit, 0xfff);
}

TEST_F(KvmSync, AMachineThatKvmRunsWhollyHasItsOwnTables)
{
    guest.state()->idtr = {0x1234000, 0xfff};
    open(false);
    kvm_sregs sregs;
    memcpy(&sregs, kept[KVM_GET_SREGS].data(), sizeof(sregs));
    EXPECT_EQ(sregs.idt.base, 0x1234000u);
    EXPECT_TRUE(run.kvm_valid_regs & KVM_SYNC_X86_EVENTS);
    /* An NMI that came meanwhile goes in with the next entry. */
    leave(Guest::kCode + 2, 7);
    guest.state()->events.nmi_pending = 1;
    int events = fake.count(KVM_SET_VCPU_EVENTS);
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_VCPU_EVENTS), events + 1);
}

TEST_F(KvmSync, DoesWithoutTheSharedPage)
{
    fake.caps[KVM_CAP_SYNC_REGS] = 0;
    open();
    EXPECT_EQ(run.kvm_valid_regs, 0u);
    kvm_regs regs;
    memcpy(&regs, kept[KVM_GET_REGS].data(), sizeof(regs));
    regs.rax = 0x99;
    kept[KVM_GET_REGS].assign(reinterpret_cast<char *>(&regs), sizeof(regs));
    ASSERT_EQ(kvm_sync_exit(&sync), 0);
    EXPECT_EQ(guest.gpr(X86_RAX), 0x99u);
    guest.gpr(X86_RAX)++;
    int before = fake.count(KVM_SET_REGS);
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_REGS), before + 1);
    EXPECT_EQ(run.kvm_dirty_regs, 0u);
}

TEST_F(KvmSync, GivesEverythingAnewAfterAnotherCpuRan)
{
    open();
    leave(Guest::kCode + 2, 7);
    x86_core_sync(guest.core);
    kvm_sync_forget(&sync);
    guest.gpr(X86_RAX) = 11;
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), sets + 1);
    EXPECT_EQ(run.s.regs.regs.rax, 11u);
}

TEST_F(KvmSync, TakesAFaultBackThatIsOnItsWay)
{
    kvm_vcpu_events events = {};

    open();
    leave(Guest::kCode, 0);
    int before = fake.count(KVM_SET_VCPU_EVENTS);
    ASSERT_EQ(kvm_sync_drop_fault(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_VCPU_EVENTS), before) << "there was none";
    events.exception.injected = 1;
    events.exception.nr = X86_PF;
    events.exception.has_error_code = 1;
    memcpy(kept[KVM_GET_VCPU_EVENTS].data(), &events, sizeof(events));
    ASSERT_EQ(kvm_sync_drop_fault(&sync), 0);
    memcpy(&events, kept[KVM_GET_VCPU_EVENTS].data(), sizeof(events));
    EXPECT_EQ(events.exception.injected, 0);
}

TEST_F(KvmSync, ATrapStaysWithItsThread)
{
    open();
    leave(Guest::kCode + 1, 0);
    int before = fake.count(KVM_SET_VCPU_EVENTS);
    ASSERT_EQ(kvm_sync_drop_fault(&sync), 0); /* INT3 would not be shown */
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_VCPU_EVENTS), before) << "it is delivered";
    leave(Guest::kCode + 1, 0);
    ASSERT_EQ(kvm_sync_drop_fault(&sync), 0);
    guest.gpr(X86_RSP) += 4096; /* another thread */
    ASSERT_EQ(kvm_sync_enter(&sync), 0);
    EXPECT_EQ(fake.count(KVM_SET_VCPU_EVENTS), before + 1);
}

TEST_F(KvmSync, TellsWhatTheKernelRefuses)
{
    open();
    fake.on(KVM_SET_SREGS, [](int, void *) { return -EINVAL; });
    kvm_sync_forget(&sync);
    EXPECT_EQ(kvm_sync_enter(&sync), -EINVAL);
}

} // namespace
