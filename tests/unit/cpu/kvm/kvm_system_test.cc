/* SPDX-License-Identifier: BSD-3-Clause */
#include <atomic>
#include <string>
#include <thread>

#include "kvm_tree.hh"

extern "C" {
extern const struct sim_type x86_emu_linux_type;
}

namespace
{

class KvmSystem : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        fake.on(KVM_SET_USER_MEMORY_REGION, [this](int, void *) {
            regions++;
            return 0;
        });
    }
    int regions = 0;
};

TEST_F(KvmSystem, IsFoundFromItsCpus)
{
    struct kvm_cpu *cpu = add_cpu();
    EXPECT_EQ(kvm_system_of(&cpu->base.base.base), kvm);
    EXPECT_EQ(kvm->vm, nullptr);
}

TEST_F(KvmSystem, StartsOnceForAllCpus)
{
    add_cpu();
    add_cpu();
    start();
    EXPECT_EQ(fake.count(KVM_CREATE_VM), 2); /* one is the probe's */
    EXPECT_EQ(fake.count(KVM_CREATE_VCPU), 3);
    EXPECT_EQ(regions, 2);
    kvm_system_startup(kvm);
    EXPECT_EQ(fake.count(KVM_CREATE_VM), 2);
}

TEST_F(KvmSystem, EndsAfterItsCpusThoughItWasMadeFirst)
{
    add_cpu();
    start();
    ASSERT_EQ(kvm->base.next_sibling->type, cpus[0]->base.base.base.type);
    EXPECT_EQ(fake.open_fds.size(), 3u); /* device, VM, vCPU; see TearDown */
}

TEST_F(KvmSystem, ABusyHostIsTold)
{
    add_cpu();
    fake.open_result = -EBUSY;
    std::string text = fatal_text([this] { start(); });
    EXPECT_NE(text.find("no KVM: /dev/kvm: Device or resource busy"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("another hypervisor"), std::string::npos) << text;
}

TEST_F(KvmSystem, AHostThatRunsNoProgramsIsTold)
{
    add_cpu();
    fake.on(KVM_RUN, [this](int fd, void *) {
        reinterpret_cast<kvm_run *>(fake.page_of.at(fd))->exit_reason =
            KVM_EXIT_SHUTDOWN;
        return 0;
    });
    std::string text = fatal_text([this] { start(); });
    EXPECT_NE(text.find("does not execute code of ring 3"), std::string::npos)
        << text;
}

TEST_F(KvmSystem, RegionsWhoseWritesAreGatheredAreRegistered)
{
    kvm_coalesced_mmio_zone zone = {};
    addr_range range = {};
    sim_value value = {};
    range.start = 0xd0000000;
    range.end = 0xd0001000;
    value.vec_range.data = &range;
    value.vec_range.len = 1;
    set_value(&kvm->base, "coalescedMMIO", value);
    fake.on(KVM_REGISTER_COALESCED_MMIO, [&](int, void *arg) {
        zone = *static_cast<kvm_coalesced_mmio_zone *>(arg);
        return 0;
    });
    add_cpu();
    start();
    EXPECT_EQ(zone.addr, 0xd0000000u);
    EXPECT_EQ(zone.size, 0x1000u);
}

TEST_F(KvmSystem, SettlesOnlyWhatIsStale)
{
    add_cpu();
    start();
    regions = 0;
    kvm_system_settle(kvm);
    EXPECT_EQ(regions, 0);
    kvm->is_all_stale = true;
    kvm_system_settle(kvm);
    EXPECT_EQ(regions, 2); /* the slot goes and comes back */
    EXPECT_EQ(kvm->num_invalidations, 1u);
    kvm_system_settle(kvm);
    EXPECT_EQ(regions, 2);
    kvm->stale[0] = {0x3000, 0x1000};
    kvm->stale[1] = {0x9000, 0x2000};
    kvm->num_stale = 2;
    kvm_system_settle(kvm);
    EXPECT_EQ(regions, 2);
    EXPECT_EQ(kvm->num_frame_invalidations, 2u);
    EXPECT_EQ(kvm->num_stale, 0u);
}

TEST_F(KvmSystem, MemoryThatKvmDoesNotMapAgainIsTold)
{
    add_cpu();
    start();
    fake.on(KVM_SET_USER_MEMORY_REGION, [](int, void *) { return -ENOMEM; });
    kvm->is_all_stale = true;
    std::string text = fatal_text([this] { kvm_system_settle(kvm); });
    EXPECT_NE(text.find("KVM_SET_USER_MEMORY_REGION: Cannot allocate memory"),
              std::string::npos)
        << text;
}

/* With programs: what the emulated kernel tells of its page tables. */
class KvmSystemWatch : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        sim_object *workload = add(x86_emu_linux_type, system, "workload");
        set_string(workload, "private_tmp", "/tmp");
        set(workload, "quantum", 1000000);
        set(workload, "fault_around", 1);
        sim_set_outdir(sim, "/tmp");
        reinterpret_cast<struct system *>(system)->workload =
            reinterpret_cast<struct workload *>(workload);
        add_cpu();
        add_cpu();
        start();
        ASSERT_NE(kvm->trap, nullptr);
        watch = &kvm->watch;
    }
    mm_watch *watch = nullptr;
    std::atomic<bool> is_over{false};
};

TEST_F(KvmSystemWatch, ATableThatGoesMakesAllStale)
{
    EXPECT_FALSE(kvm->is_all_stale);
    watch->table(watch, gpa_t{0x5000});
    EXPECT_TRUE(kvm->is_all_stale);
    kvm_system_settle(kvm);
    EXPECT_EQ(kvm->num_invalidations, 1u);
}

TEST_F(KvmSystemWatch, NeighbouringFramesAreOneRunAndManyRunsAreAll)
{
    watch->frame(watch, gpa_t{0x5000}, 0x1000);
    watch->frame(watch, gpa_t{0x6000}, 0x2000);
    EXPECT_EQ(kvm->num_stale, 1u);
    EXPECT_EQ(kvm->stale[0].size, 0x3000u);
    for (uint64_t i = 1; i < KVM_SYSTEM_MAX_STALE; i++)
        watch->frame(watch, gpa_t{0x10000 * i}, 0x1000);
    EXPECT_FALSE(kvm->is_all_stale);
    watch->frame(watch, gpa_t{0x3000}, 0x1000);
    EXPECT_TRUE(kvm->is_all_stale);
}

/* Before the kernel's call returns, nobody is in the guest with the old ones.
 */
TEST_F(KvmSystemWatch, AChangeWaitsForThoseWhoUseTheAddressSpace)
{
    mm *some = reinterpret_cast<mm *>(&watch);
    kvm_gang *gang = &kvm->gang;
    cpus[1]->base.linux_cpu.loaded_mm = some;
    cpus[1]->worker.phase = KVM_WORKER_RUNNING;
    gang->num_running = 1;
    std::thread worker([&] {
        while (
            !__atomic_load_n(&cpus[1]->run->immediate_exit, __ATOMIC_SEQ_CST) &&
            !is_over)
            std::this_thread::yield();
        pthread_mutex_lock(&gang->lock);
        gang->num_running = 0;
        pthread_cond_signal(&gang->done);
        pthread_mutex_unlock(&gang->lock);
    });
    ASSERT_EQ(kvm_timer_bind(&cpus[1]->timer, &cpus[1]->run->immediate_exit),
              0);
    watch->changed(watch, some, 0, 0x1000);
    uint32_t still = gang->num_running;
    is_over = true;
    worker.join();
    EXPECT_EQ(still, 0u);
    kvm_timer_unbind(&cpus[1]->timer);
    cpus[1]->worker.phase = KVM_WORKER_NONE;
    cpus[1]->base.linux_cpu.loaded_mm = nullptr;
}

} // namespace
