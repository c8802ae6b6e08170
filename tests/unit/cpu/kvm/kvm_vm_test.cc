/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_vm.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "fake_kvm.hh"

namespace
{

constexpr uint64_t PAGE = 4096;

/* A VM of @cfg's kernel over two ranges of RAM. */
struct Machine {
    explicit Machine(const kvm_host_cfg &cfg)
    {
        EXPECT_EQ(physmem_add(mem, 0, 0x200000), 0);
        EXPECT_EQ(physmem_add(mem, 0x100000000, 0x200000), 0);
        err = kvm_host_open(&cfg, &host, why);
        if (!err)
            err = kvm_vm_create(host, mem, &vm);
    }
    ~Machine()
    {
        EXPECT_EQ(kvm_vm_destroy(vm), 0);
        kvm_host_close(host);
        physmem_destroy(mem);
    }
    Machine(const Machine &) = delete;
    Machine &operator=(const Machine &) = delete;

    kvm_slot_map map(uint64_t gpa, uint64_t size, uint32_t flags = 0)
    {
        return {gpa, size, physmem_get_range(mem, 0)->host, flags};
    }

    physmem *mem = physmem_create();
    kvm_host *host = nullptr;
    kvm_vm *vm = nullptr;
    char why[KVM_HOST_WHY_SIZE];
    int err = 0;
};

struct KvmVm : testing::Test {
    void SetUp() override
    {
        fake.caps[KVM_CAP_NR_MEMSLOTS] = 32;
        fake.caps[KVM_CAP_MAX_VCPU_ID] = 16;
        fake.on(KVM_SET_USER_MEMORY_REGION, [this](int, void *arg) {
            regions.push_back(*static_cast<kvm_userspace_memory_region *>(arg));
            return 0;
        });
    }
    FakeKvm fake;
    std::vector<kvm_userspace_memory_region> regions;
};

TEST_F(KvmVm, MapsAllRamOnceThoughEightThreadsStartIt)
{
    Machine machine(fake.cfg());
    std::vector<std::thread> threads;
    EXPECT_FALSE(kvm_vm_is_started(machine.vm));
    EXPECT_TRUE(regions.empty());
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&] { EXPECT_EQ(kvm_vm_startup(machine.vm), 0); });
    for (auto &thread : threads)
        thread.join();
    ASSERT_EQ(regions.size(), 2u);
    EXPECT_EQ(regions[1].guest_phys_addr, 0x100000000u);
    EXPECT_EQ(regions[1].memory_size, 0x200000u);
    EXPECT_TRUE(kvm_vm_is_started(machine.vm));
}

TEST_F(KvmVm, KeepsTheFailureOfItsStart)
{
    fake.on(KVM_SET_USER_MEMORY_REGION, [](int, void *) { return -ENOMEM; });
    Machine machine(fake.cfg());
    uint32_t id = 0;
    EXPECT_EQ(kvm_vm_startup(machine.vm), -ENOMEM);
    EXPECT_EQ(kvm_vm_startup(machine.vm), -ENOMEM);
    EXPECT_EQ(kvm_vm_open_vcpu(machine.vm, &id), -EAGAIN);
}

TEST_F(KvmVm, NumbersVcpusFromZeroAfterItsStartOnly)
{
    Machine machine(fake.cfg());
    uint32_t id = 99;
    EXPECT_EQ(kvm_vm_open_vcpu(machine.vm, &id), -EAGAIN);
    ASSERT_EQ(kvm_vm_startup(machine.vm), 0);
    int first = kvm_vm_open_vcpu(machine.vm, &id);
    EXPECT_EQ(id, 0u);
    EXPECT_EQ(kvm_vm_destroy(machine.vm), -EBUSY);
    kvm_vm_close_vcpu(machine.vm, first);
    int second = kvm_vm_open_vcpu(machine.vm, &id);
    EXPECT_EQ(id, 1u);
    kvm_vm_close_vcpu(machine.vm, second);
}

TEST_F(KvmVm, FillsItsSlotsToTheLimitAndReusesFreedOnes)
{
    fake.caps[KVM_CAP_NR_MEMSLOTS] = 3;
    Machine machine(fake.cfg());
    kvm_slot_ref refs[3], more;
    for (auto &ref : refs)
        ASSERT_EQ(kvm_vm_alloc_slot(machine.vm, &ref), 0);
    EXPECT_EQ(kvm_vm_alloc_slot(machine.vm, &more), -ENOSPC);
    ASSERT_EQ(kvm_vm_free_slot(machine.vm, refs[1]), 0);
    ASSERT_EQ(kvm_vm_alloc_slot(machine.vm, &more), 0);
    EXPECT_EQ(more.num, 1u);
    kvm_slot_map map = machine.map(0, PAGE);
    EXPECT_EQ(kvm_vm_map_slot(machine.vm, refs[1], &map), -ESTALE);
    EXPECT_EQ(kvm_vm_free_slot(machine.vm, refs[1]), -ESTALE);
    EXPECT_EQ(kvm_vm_map_slot(machine.vm, more, &map), 0);
}

TEST_F(KvmVm, RefusesWrongMappingsBeforeTheKernelSeesThem)
{
    fake.caps[KVM_CAP_READONLY_MEM] = 0;
    Machine machine(fake.cfg());
    kvm_slot_ref one, two;
    ASSERT_EQ(kvm_vm_alloc_slot(machine.vm, &one), 0);
    ASSERT_EQ(kvm_vm_alloc_slot(machine.vm, &two), 0);
    kvm_slot_map map = machine.map(0x10000, 0x4000);
    ASSERT_EQ(kvm_vm_map_slot(machine.vm, one, &map), 0);
    EXPECT_EQ(kvm_vm_map_slot(machine.vm, one, &map), -EBUSY);
    auto refused = [&](const kvm_slot_map &bad) {
        return kvm_vm_map_slot(machine.vm, two, &bad);
    };
    EXPECT_EQ(refused(machine.map(0x13000, PAGE)), -EEXIST);
    EXPECT_EQ(refused(machine.map(0xf000, 2 * PAGE)), -EEXIST);
    EXPECT_EQ(refused(machine.map(0x8000, 0x20000)), -EEXIST);
    EXPECT_EQ(refused(machine.map(0x20800, PAGE)), -EINVAL);
    EXPECT_EQ(refused(machine.map(0x20000, 100)), -EINVAL);
    EXPECT_EQ(refused(machine.map(0x20000, 0)), -EINVAL);
    EXPECT_EQ(refused(machine.map(0xfffffffffffff000, 2 * PAGE)), -EINVAL);
    EXPECT_EQ(refused(machine.map(0x20000, PAGE, 0x80)), -EINVAL);
    EXPECT_EQ(refused(machine.map(0x20000, PAGE, KVM_SLOT_READONLY)), -ENOTSUP);
    EXPECT_EQ(regions.size(), 1u);
    map = machine.map(0x14000, PAGE); /* neighbours do not overlap */
    EXPECT_EQ(kvm_vm_map_slot(machine.vm, two, &map), 0);
    EXPECT_EQ(kvm_vm_find_slot(machine.vm, 0x13fff).num, one.num);
    EXPECT_EQ(kvm_vm_find_slot(machine.vm, 0x14000).num, two.num);
    EXPECT_EQ(kvm_vm_find_slot(machine.vm, 0x15000).gen, 0u);
}

TEST_F(KvmVm, DisablesASlotOnceAndMapsItAgain)
{
    Machine machine(fake.cfg());
    kvm_slot_ref ref;
    kvm_slot_map map = machine.map(0, PAGE);
    ASSERT_EQ(kvm_vm_alloc_slot(machine.vm, &ref), 0);
    ASSERT_EQ(kvm_vm_map_slot(machine.vm, ref, &map), 0);
    EXPECT_EQ(kvm_vm_disable_slot(machine.vm, ref), 0);
    EXPECT_EQ(kvm_vm_disable_slot(machine.vm, ref), 0);
    ASSERT_EQ(regions.size(), 2u);
    EXPECT_EQ(regions[1].memory_size, 0u);
    EXPECT_EQ(kvm_vm_map_slot(machine.vm, ref, &map), 0);
}

TEST_F(KvmVm, TakesSlotsAwayAndGivesThemBackToInvalidate)
{
    Machine machine(fake.cfg());
    ASSERT_EQ(kvm_vm_startup(machine.vm), 0);
    regions.clear();
    EXPECT_EQ(kvm_vm_invalidate_all(machine.vm), 0);
    ASSERT_EQ(regions.size(), 4u);
    EXPECT_EQ(regions[0].memory_size, 0u);
    EXPECT_EQ(regions[1].memory_size, 0x200000u);
    EXPECT_EQ(kvm_vm_invalidate_frames(machine.vm, 0x1ff000, PAGE), 0);
    EXPECT_EQ(kvm_vm_invalidate_frames(machine.vm, 0x1ff000, PAGE + 1),
              -EINVAL);
    EXPECT_EQ(kvm_vm_invalidate_frames(machine.vm, 0x400000, PAGE), -EINVAL);
    physmem_get_range(machine.mem, 0)->host[0x1ff000] = 1; /* writable */
}

TEST_F(KvmVm, HasOneInterruptChipAndLinesOnlyWithIt)
{
    Machine machine(fake.cfg());
    EXPECT_EQ(kvm_vm_set_irq_line(machine.vm, 4, 1), -ENXIO);
    EXPECT_EQ(kvm_vm_create_irqchip(machine.vm), 0);
    EXPECT_EQ(kvm_vm_create_irqchip(machine.vm), -EEXIST);
    EXPECT_TRUE(kvm_vm_has_irqchip(machine.vm));
    fake.on(KVM_IRQ_LINE, [](int, void *arg) {
        auto *line = static_cast<kvm_irq_level *>(arg);
        return line->irq == 4 && line->level == 1 ? 0 : -EIO;
    });
    EXPECT_EQ(kvm_vm_set_irq_line(machine.vm, 4, 1), 0);
}

TEST_F(KvmVm, TakesAddressesOfItsOwnPagesBeforeVcpusOnly)
{
    Machine machine(fake.cfg());
    uint32_t id = 0;
    EXPECT_EQ(kvm_vm_set_tss_addr(machine.vm, 0xfffbd001), -EINVAL);
    EXPECT_EQ(kvm_vm_set_tss_addr(machine.vm, 0xfffbd000), 0);
    EXPECT_EQ(kvm_vm_set_identity_map(machine.vm, 0xfffbc000), 0);
    ASSERT_EQ(kvm_vm_startup(machine.vm), 0);
    int fd = kvm_vm_open_vcpu(machine.vm, &id);
    EXPECT_EQ(kvm_vm_set_tss_addr(machine.vm, 0xfffbd000), -EBUSY);
    EXPECT_EQ(kvm_vm_set_identity_map(machine.vm, 0xfffbc000), -EBUSY);
    EXPECT_EQ(kvm_vm_create_irqchip(machine.vm), -EBUSY);
    kvm_vm_close_vcpu(machine.vm, fd);
}

void keep(void *self, const kvm_coalesced_mmio *write)
{
    static_cast<std::vector<uint64_t> *>(self)->push_back(write->phys_addr);
}

TEST_F(KvmVm, DrainsTheRingInOrderAcrossItsEnd)
{
    fake.caps[KVM_CAP_COALESCED_MMIO] = 2;
    Machine machine(fake.cfg());
    alignas(8) static uint8_t page[12288];
    auto *run = reinterpret_cast<kvm_run *>(page);
    auto *ring = reinterpret_cast<kvm_coalesced_mmio_ring *>(page + 8192);
    std::vector<uint64_t> seen;
    uint32_t top = KVM_RING_ENTRIES;
    ring->first = top - 2;
    ring->last = 1;
    ring->coalesced_mmio[top - 2].phys_addr = 1;
    ring->coalesced_mmio[top - 1].phys_addr = 2;
    ring->coalesced_mmio[0].phys_addr = 3;
    EXPECT_EQ(kvm_vm_drain(machine.vm, run, keep, &seen), 3);
    EXPECT_EQ(seen, (std::vector<uint64_t>{1, 2, 3}));
    EXPECT_EQ(kvm_vm_drain(machine.vm, run, keep, &seen), 0);
    ring->last = top;
    EXPECT_EQ(kvm_vm_drain(machine.vm, run, keep, &seen), -EPROTO);
    fake.caps[KVM_CAP_COALESCED_MMIO] = 3;
    Machine beyond(fake.cfg());
    EXPECT_EQ(kvm_vm_drain(beyond.vm, run, keep, &seen), -EPROTO);
    fake.caps[KVM_CAP_COALESCED_PIO] = 0;
    Machine without(fake.cfg());
    EXPECT_EQ(kvm_vm_coalesce(without.vm, KVM_COALESCED_PIO, 0x80, 1),
              -ENOTSUP);
}

TEST(KvmVmHost, TakesSlotsAndSeveralVmsAndGivesAllBack)
{
    Machine one{kvm_host_cfg{}};
    if (!one.host)
        GTEST_SKIP() << one.why;
    Machine two{kvm_host_cfg{}};
    uint64_t bitmap[8] = {};
    uint32_t id = 0;
    ASSERT_EQ(two.err, 0);
    for (Machine *machine : {&one, &two}) {
        ASSERT_EQ(
            kvm_vm_coalesce(machine->vm, KVM_COALESCED_MMIO, 0xfee00000, PAGE),
            0);
        ASSERT_EQ(kvm_vm_startup(machine->vm), 0);
        int fd = kvm_vm_open_vcpu(machine->vm, &id);
        ASSERT_GE(fd, 0);
        kvm_slot_ref ref = kvm_vm_find_slot(machine->vm, 0);
        EXPECT_EQ(kvm_vm_dirty_log(machine->vm, ref, bitmap), -EINVAL);
        EXPECT_EQ(kvm_vm_set_slot_flags(machine->vm, ref, KVM_SLOT_LOG_DIRTY),
                  0);
        EXPECT_EQ(kvm_vm_dirty_log(machine->vm, ref, bitmap), 0);
        EXPECT_EQ(kvm_vm_invalidate_all(machine->vm), 0);
        kvm_vm_close_vcpu(machine->vm, fd);
    }
}

TEST_F(KvmVm, ShowsItsSlots)
{
    Machine machine(fake.cfg());
    std::vector<std::pair<uint32_t, uint64_t>> seen;
    auto see = [](void *self, kvm_slot_ref ref, const kvm_slot_map *map) {
        static_cast<decltype(seen) *>(self)->emplace_back(ref.num, map->gpa);
    };
    kvm_vm_visit_slots(machine.vm, see, &seen);
    EXPECT_TRUE(seen.empty());
    ASSERT_EQ(kvm_vm_startup(machine.vm), 0);
    EXPECT_EQ(kvm_vm_disable_slot(machine.vm, kvm_vm_find_slot(machine.vm, 0)),
              0);
    kvm_vm_visit_slots(machine.vm, see, &seen);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0].first, 1u);
    EXPECT_EQ(seen[0].second, 0x100000000u);
    EXPECT_GT(kvm_vm_fd(machine.vm), 0);
}

} // namespace
