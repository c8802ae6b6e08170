/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_drop.h"

#include <gtest/gtest.h>

#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "cpu/kvm/kvm_host.h"
#include "fake_kvm.hh"

namespace
{

constexpr size_t PAGE = 4096, SIZE = 16 * PAGE;

struct KvmDrop : testing::Test {
    void SetUp() override
    {
        ram = static_cast<uint8_t *>(mmap(nullptr, SIZE, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ASSERT_NE(ram, MAP_FAILED);
        memset(ram, 0x5a, SIZE);
        fake.has_userfaultfd = true;
        fake.on(UFFDIO_REGISTER, [this](int, void *arg) {
            auto *range = static_cast<uffdio_register *>(arg);
            EXPECT_EQ(range->mode, uint64_t{UFFDIO_REGISTER_MODE_WP});
            range->ioctls = ioctls;
            return 0;
        });
        fake.on(UFFDIO_WRITEPROTECT, [this](int, void *arg) {
            if (busy && busy--)
                return -EAGAIN;
            asked.push_back(*static_cast<uffdio_writeprotect *>(arg));
            return 0;
        });
    }
    void open()
    {
        kvm_host_cfg cfg = fake.cfg();
        char why[KVM_HOST_WHY_SIZE];
        ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0) << why;
        kvm_drop_init(&drop, host);
        kvm_drop_add(&drop, ram, SIZE);
    }
    void TearDown() override
    {
        kvm_drop_fini(&drop);
        kvm_host_close(host);
        EXPECT_TRUE(fake.open_fds.empty());
        munmap(ram, SIZE);
    }
    /* As mprotect(2) leaves it: writable, with its contents. */
    void expect_dropped()
    {
        EXPECT_EQ(kvm_drop_pages(&drop, ram + PAGE, PAGE), 0);
        for (size_t i = 0; i < SIZE; i++)
            ASSERT_EQ(ram[i], 0x5a) << i;
        ram[PAGE] = 0x5a;
    }

    FakeKvm fake;
    kvm_host *host = nullptr;
    kvm_drop drop = {nullptr, -1};
    uint8_t *ram = nullptr;
    uint64_t ioctls = UINT64_C(1) << _UFFDIO_WRITEPROTECT;
    int busy = 0;
    std::vector<uffdio_writeprotect> asked;
};

TEST_F(KvmDrop, ProtectsThePagesAndTakesItBack)
{
    open();
    busy = 2;
    EXPECT_EQ(kvm_drop_pages(&drop, ram + PAGE, 2 * PAGE), 0);
    ASSERT_EQ(asked.size(), 2u);
    for (auto &it : asked) {
        EXPECT_EQ(it.range.start, reinterpret_cast<uintptr_t>(ram) + PAGE);
        EXPECT_EQ(it.range.len, 2 * PAGE);
    }
    EXPECT_EQ(asked[0].mode, uint64_t{UFFDIO_WRITEPROTECT_MODE_WP});
    EXPECT_EQ(asked[1].mode, 0u);
}

TEST_F(KvmDrop, ARefusalIsPassedOn)
{
    open();
    fake.on(UFFDIO_WRITEPROTECT, [](int, void *) { return -ENOENT; });
    EXPECT_EQ(kvm_drop_pages(&drop, ram, PAGE), -ENOENT);
}

TEST_F(KvmDrop, HostsWithoutItChangeTheMapping)
{
    fake.has_userfaultfd = false;
    open();
    EXPECT_LT(drop.fd, 0);
    expect_dropped();
    EXPECT_EQ(kvm_drop_pages(&drop, ram + 1, PAGE), -EINVAL);
}

TEST_F(KvmDrop, HostsThatRefuseTheInterfaceDoSo)
{
    fake.on(UFFDIO_API, [](int, void *) { return -EINVAL; });
    open();
    EXPECT_LT(drop.fd, 0);
    expect_dropped();
}

TEST_F(KvmDrop, HostsThatCannotWriteProtectDoSo)
{
    ioctls = 0;
    open();
    EXPECT_LT(drop.fd, 0);
    expect_dropped();
    EXPECT_TRUE(asked.empty());
}

TEST_F(KvmDrop, TheHostsOwnKeepsContentsAndRights)
{
    kvm_host real = {};
    real.ops = &kvm_host_ops;
    open();
    kvm_drop_fini(&drop);
    kvm_drop_init(&drop, &real);
    RecordProperty("has_userfaultfd", drop.fd >= 0);
    kvm_drop_add(&drop, ram, SIZE);
    expect_dropped();
}

} // namespace
