/* SPDX-License-Identifier: BSD-3-Clause */
/* KVM behind the contract of vCPUs. */
#include "cpu/kvm/kvm_vcpu.h"

#include <string>
#include <thread>

#include "kvm_tree.hh"

namespace
{

class KvmVcpu : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        cpu = add_cpu();
        start();
        vcpu = &cpu->base.vcpu;
    }
    vcpu_exit enter(uint64_t max_insts = UINT64_MAX)
    {
        vcpu_run_req req = {};
        vcpu_exit exit = {};
        req.max_insts = max_insts;
        req.until = TICK_MAX;
        EXPECT_EQ(kvm_cpu_prepare(cpu), 0);
        EXPECT_EQ(kvm_vcpu_bind(cpu), 0);
        EXPECT_EQ(vcpu_run(vcpu, &req, &exit), 0);
        return exit;
    }
    struct kvm_cpu *cpu = nullptr;
    struct vcpu *vcpu = nullptr;
};

TEST_F(KvmVcpu, BindsToTheThreadThatRunsIt)
{
    EXPECT_EQ(vcpu_state_of(vcpu), VCPU_FREE);
    EXPECT_EQ(kvm_vcpu_bind(cpu), 0);
    EXPECT_EQ(kvm_vcpu_bind(cpu), 0);
    EXPECT_EQ(vcpu_state_of(vcpu), VCPU_READY);
    std::thread([this] { EXPECT_EQ(kvm_vcpu_bind(cpu), 0); }).join();
    EXPECT_FALSE(vcpu_is_ready_here(vcpu));
    EXPECT_EQ(kvm_vcpu_bind(cpu), 0);
    EXPECT_TRUE(vcpu_is_ready_here(vcpu));
}

TEST_F(KvmVcpu, TellsWhatEndedARun)
{
    play({[](kvm_run *) { return -EINTR; }, [](kvm_run *) { return -EAGAIN; },
          [](kvm_run *) { return -EFAULT; }, leave(KVM_EXIT_DEBUG)});
    EXPECT_EQ(enter().kind, VCPU_EXIT_INTR);
    EXPECT_EQ(cpu->run_error, -EINTR);
    EXPECT_EQ(enter().kind, VCPU_EXIT_INTR);
    EXPECT_EQ(enter().kind, VCPU_EXIT_INTERNAL_ERROR);
    EXPECT_EQ(cpu->run_error, -EFAULT);
    vcpu_exit exit = enter();
    EXPECT_EQ(exit.kind, VCPU_EXIT_UNKNOWN);
    EXPECT_EQ(exit.raw, static_cast<uint64_t>(KVM_EXIT_DEBUG));
}

TEST_F(KvmVcpu, ARunWithoutInstructionsDoesNotEnter)
{
    int runs = fake.count(KVM_RUN);
    EXPECT_EQ(enter(0).kind, VCPU_EXIT_NOTHING);
    EXPECT_EQ(fake.count(KVM_RUN), runs);
}

TEST_F(KvmVcpu, AKickBeforeTheRunTurnsItBack)
{
    int runs = fake.count(KVM_RUN);
    EXPECT_EQ(kvm_vcpu_bind(cpu), 0);
    vcpu_kick(vcpu);
    EXPECT_EQ(enter().kind, VCPU_EXIT_INTR);
    EXPECT_EQ(fake.count(KVM_RUN), runs);
    EXPECT_EQ(cpu->run->immediate_exit, 0);
}

TEST_F(KvmVcpu, AKickInsideTheRunIsSeenByTheKernel)
{
    bool is_asked = false;
    play({[&](kvm_run *page) {
        vcpu_kick(vcpu);
        is_asked = page->immediate_exit;
        return -EINTR;
    }});
    EXPECT_EQ(enter().kind, VCPU_EXIT_INTR);
    EXPECT_TRUE(is_asked);
    EXPECT_EQ(cpu->run->immediate_exit, 0);
}

TEST_F(KvmVcpu, IsThereAfterADrain)
{
    EXPECT_EQ(run(), NOTHING);
    EXPECT_TRUE(sim_drain(sim));
    EXPECT_EQ(vcpu->ops->drained(vcpu), 1);
}

} // namespace
