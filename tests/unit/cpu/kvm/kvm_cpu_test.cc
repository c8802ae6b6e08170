/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and closing vCPUs, and what happens when the kernel refuses. */
#include <set>
#include <string>

#include "kvm_tree.hh"

namespace
{

class KvmCpu : public KvmTree
{
  protected:
    std::string start_text()
    {
        return fatal_text([this] { start(); });
    }
};

TEST_F(KvmCpu, TouchesNoKvmUntilItStarts)
{
    add_cpu();
    fake.open_result = -ENOENT;
    EXPECT_EQ(fatal_text([this] {
                  sim_init(sim);
                  sim_reset(sim);
              }),
              "");
    EXPECT_EQ(fake.count(KVM_GET_API_VERSION), 0);
    std::string text = fatal_text([this] { sim_startup(sim); });
    EXPECT_NE(text.find("system.vm: no KVM: /dev/kvm: No such file"),
              std::string::npos)
        << text;
}

TEST_F(KvmCpu, ASystemWithoutAVmIsTold)
{
    add_cpu();
    reinterpret_cast<struct system *>(system)->kvm_vm = nullptr;
    std::string text = start_text();
    EXPECT_NE(text.find("set system.kvm_vm = KvmVM()"), std::string::npos)
        << text;
}

TEST_F(KvmCpu, APageThatCannotBeMappedIsTold)
{
    add_cpu();
    fake.on(KVM_SET_TSS_ADDR, [this](int, void *) {
        fake.refuses_mmap = fake.count(KVM_CREATE_VM) > 1;
        return 0;
    });
    std::string text = start_text();
    EXPECT_NE(text.find("KVM makes no vCPU: KVM: Cannot allocate memory"),
              std::string::npos)
        << text;
}

/* Stands by, and has its vCPU all the same. */
TEST_F(KvmCpu, ACpuThatStandsByHasAVcpuAndNoPlaceInTheGang)
{
    add_cpu();
    set(&add_cpu()->base.base.base, "switched_out", 1);
    start();
    EXPECT_EQ(kvm->gang.size, 1u);
    EXPECT_NE(cpus[1]->run, nullptr);
}

TEST_F(KvmCpu, ParametersWithoutEffectAreTold)
{
    struct kvm_cpu *cpu = add_cpu();
    cpu->use_perf_overflow = true;
    cpu->use_xsave = false;
    start();
    EXPECT_NE(messages.find("usePerfOverflow: usePerf is False"),
              std::string::npos)
        << messages;
    EXPECT_NE(messages.find("useXSave=False"), std::string::npos) << messages;
}

TEST_F(KvmCpu, WhatTheHostDoesNotCarryIsOneLine)
{
    fake.caps[KVM_CAP_DEBUGREGS] = 0;
    add_cpu();
    start();
    EXPECT_NE(messages.find("info: system.cpu0: not carried between KVM and "
                            "the simulator: debug"),
              std::string::npos)
        << messages;
    EXPECT_EQ(run(), NOTHING);
}

TEST_F(KvmCpu, TheFrequencyOfTheTscIsGivenOrMeasured)
{
    set(&add_cpu()->base.base.base, "hostFreq", 2000000000);
    add_cpu();
    start();
    EXPECT_DOUBLE_EQ(cpus[0]->ticks_per_tsc, 500);
    EXPECT_NEAR(cpus[1]->ticks_per_tsc * kvm->probe.tsc_khz, 1e9, 1);
}

/* The child of a fork closes what is its parent's and makes its own. */
TEST_F(KvmCpu, AForkMakesAVcpuOfItsOwn)
{
    add_cpu();
    start();
    int vms = fake.count(KVM_CREATE_VM);
    int fd = cpus[0]->fd;
    ASSERT_TRUE(sim_drain(sim));
    sim_before_fork(sim);
    sim_after_fork(sim, "/tmp");
    EXPECT_EQ(cpus[0]->run, nullptr);
    EXPECT_EQ(fake.open_fds.count(fd), 0u);
    sim_resume(sim);
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(cpus[0]->num_halts, 1u);
    EXPECT_EQ(fake.count(KVM_CREATE_VM), vms + 2); /* the probe's, and one */
}

/*
 * Whichever request fails, from the first to those of a run: it is tolerated,
 * or one message names it and the status is 1.  Nothing stays open (TearDown).
 */
struct Attempt {
    unsigned long failed = 0; /* 0: nothing did */
    std::string fatal, messages, end;
};

class Machine : public KvmTree
{
  public:
    void TestBody() override
    {
    }
    Attempt attempt(int left)
    {
        Attempt result;

        SetUp();
        kvm->ring0 = KVM_RING0_KVM;
        fake.caps[KVM_CAP_SYNC_REGS] = 0;
        add_cpu();
        fake.left = left;
        result.fatal = fatal_text([&] {
            start();
            result.end = run();
        });
        result.failed = fake.failed;
        result.messages = messages;
        fake.left = -1;
        TearDown();
        return result;
    }
};

/* The host does without: the capability is missing, an MSR is not carried, or
 * the probe learns less. */
bool is_tolerated(const Attempt &attempt)
{
    return attempt.fatal.empty() && attempt.end == "simulate() limit reached 0";
}

void expect_told(const Attempt &attempt, const char *name, int left)
{
    /* Whose name tells more. */
    if (std::string(name) == "KVM_CHECK_EXTENSION")
        name = "lacks KVM_CAP_";
    bool is_named = attempt.fatal.find(name) != std::string::npos ||
                    attempt.messages.find(name) != std::string::npos;
    bool is_status_1 = !attempt.fatal.empty() ||
                       attempt.end.substr(attempt.end.size() - 2) == " 1";

    EXPECT_TRUE(is_named && is_status_1)
        << "request " << left << ", " << name << ": " << attempt.fatal << "; "
        << attempt.end << "; " << attempt.messages;
}

TEST(KvmCpuFailure, EachRequestThatFailsIsNamedOrToleratedAndNothingLeaks)
{
    std::set<std::string> told, tolerated;
    int left = 0;

    for (;; left++) {
        Attempt attempt = Machine().attempt(left);
        const char *name = kvm_host_request_name(attempt.failed);
        if (!attempt.failed)
            break;
        if (is_tolerated(attempt)) {
            tolerated.insert(name);
            continue;
        }
        told.insert(name);
        expect_told(attempt, name, left);
    }
    EXPECT_GT(left, 60);
    for (const char *name :
         {"KVM_GET_API_VERSION", "KVM_GET_VCPU_MMAP_SIZE", "KVM_CREATE_VM",
          "KVM_CREATE_VCPU", "KVM_SET_USER_MEMORY_REGION", "KVM_SET_CPUID2",
          "KVM_SET_REGS", "KVM_SET_SREGS", "KVM_RUN", "KVM_SET_TSS_ADDR"})
        EXPECT_TRUE(told.count(name)) << name;
    EXPECT_EQ(tolerated.count("KVM_CREATE_VM"), 0u);
}

} // namespace
