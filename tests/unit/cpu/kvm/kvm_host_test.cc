/* SPDX-License-Identifier: BSD-3-Clause */
#include <gtest/gtest.h>

#include <string>

#include "fake_kvm.hh"

namespace
{

struct Opened {
    explicit Opened(const kvm_host_cfg &cfg)
    {
        err = kvm_host_open(&cfg, &host, why);
    }
    ~Opened()
    {
        kvm_host_close(host);
    }
    Opened(const Opened &) = delete;
    Opened &operator=(const Opened &) = delete;

    kvm_host *host = nullptr;
    char why[KVM_HOST_WHY_SIZE];
    int err;
};

TEST(KvmHost, OpensAndClosesItsOneDescriptor)
{
    FakeKvm fake;
    {
        Opened kvm(fake.cfg());
        ASSERT_EQ(kvm.err, 0) << kvm.why;
        EXPECT_EQ(kvm.host->api_version, 12);
        EXPECT_EQ(kvm.host->run_size, 12288u);
        EXPECT_EQ(fake.open_fds.size(), 1u);
    }
    EXPECT_TRUE(fake.open_fds.empty());
}

TEST(KvmHost, SaysHowToGetPermission)
{
    FakeKvm fake;
    fake.open_result = -EACCES;
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm.err, -EACCES);
    EXPECT_NE(std::string(kvm.why).find("group kvm"), std::string::npos);
    EXPECT_EQ(kvm.host, nullptr);
}

TEST(KvmHost, SaysWhatIsMissingWithoutTheDevice)
{
    kvm_host_cfg cfg = {};
    cfg.path = "/nonexistent/kvm";
    Opened kvm(cfg);
    EXPECT_EQ(kvm.err, -ENOENT);
    EXPECT_NE(std::string(kvm.why).find("/nonexistent/kvm"), std::string::npos);
    EXPECT_NE(std::string(kvm.why).find("module"), std::string::npos);
}

TEST(KvmHost, RefusesAFileThatIsNotKvm)
{
    kvm_host_cfg cfg = {};
    cfg.path = "/dev/null";
    Opened kvm(cfg);
    EXPECT_EQ(kvm.err, -ENOTSUP);
    EXPECT_NE(std::string(kvm.why).find("not a KVM device"), std::string::npos);
}

TEST(KvmHost, RefusesAnotherApiVersionAndNamesIt)
{
    FakeKvm fake;
    fake.on(KVM_GET_API_VERSION, [](int, void *) { return 11; });
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm.err, -ENOTSUP);
    EXPECT_NE(std::string(kvm.why).find("11"), std::string::npos);
    EXPECT_TRUE(fake.open_fds.empty());
}

TEST(KvmHost, RefusesASharedPageThatIsTooSmall)
{
    FakeKvm fake;
    fake.on(KVM_GET_VCPU_MMAP_SIZE, [](int, void *) { return 16; });
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm.err, -EPROTO);
}

TEST(KvmHost, NamesAMissingRequiredCapability)
{
    FakeKvm fake;
    fake.caps[KVM_CAP_USER_MEMORY] = 0;
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm.err, -ENOTSUP);
    EXPECT_NE(std::string(kvm.why).find("KVM_CAP_USER_MEMORY"),
              std::string::npos);
}

TEST(KvmHost, DoesWithoutOptionalCapabilities)
{
    FakeKvm fake;
    for (const auto &cap : kvm_caps)
        if (cap.need == KVM_CAP_OPTIONAL)
            fake.caps[cap.number] = 0;
    fake.caps[KVM_CAP_SET_TSS_ADDR] = -EINVAL; /* an error means absent */
    Opened kvm(fake.cfg());
    ASSERT_EQ(kvm.err, 0) << kvm.why;
    EXPECT_EQ(kvm.host->cap_value[KVM_HAS_SET_TSS_ADDR], 0);
    EXPECT_EQ(kvm_host_num_slots(kvm.host), 32u);
}

TEST(KvmHost, RetriesInterruptedRequestsButNotKvmRun)
{
    FakeKvm fake;
    Opened kvm(fake.cfg());
    int left = 3;
    fake.on(KVM_CREATE_VM, [&](int, void *) { return left-- ? -EINTR : 7; });
    fake.on(KVM_RUN, [](int, void *) { return -EINTR; });
    EXPECT_EQ(kvm_call_create_vm(kvm.host, kvm.host->fd, 0), 7);
    EXPECT_EQ(fake.count(KVM_CREATE_VM), 4);
    EXPECT_EQ(kvm_call_run(kvm.host, 5, 0), -EINTR);
    EXPECT_EQ(fake.count(KVM_RUN), 1);
}

TEST(KvmHost, GrowsTheCpuidListUntilItFitsAndKeepsIt)
{
    FakeKvm fake;
    Opened kvm(fake.cfg());
    fake.on(KVM_GET_SUPPORTED_CPUID, [](int, void *arg) {
        auto *list = static_cast<kvm_cpuid2 *>(arg);
        if (list->nent < 300)
            return -E2BIG;
        list->nent = 300;
        list->entries[299].function = 0x1234;
        return 0;
    });
    const kvm_cpuid2 *list = nullptr;
    ASSERT_EQ(kvm_host_supported_cpuid(kvm.host, &list), 0);
    EXPECT_EQ(list->nent, 300u);
    EXPECT_EQ(list->entries[299].function, 0x1234u);
    int asked = fake.count(KVM_GET_SUPPORTED_CPUID);
    ASSERT_EQ(kvm_host_supported_cpuid(kvm.host, &list), 0);
    EXPECT_EQ(fake.count(KVM_GET_SUPPORTED_CPUID), asked);
}

TEST(KvmHost, PassesOtherErrorsOfTheListsOn)
{
    FakeKvm fake;
    Opened kvm(fake.cfg());
    fake.on(KVM_GET_SUPPORTED_CPUID, [](int, void *) { return -EIO; });
    fake.on(KVM_GET_MSR_INDEX_LIST, [](int, void *) { return -E2BIG; });
    const kvm_cpuid2 *cpuid = nullptr;
    const kvm_msr_list *msrs = nullptr;
    EXPECT_EQ(kvm_host_supported_cpuid(kvm.host, &cpuid), -EIO);
    EXPECT_EQ(kvm_host_supported_msrs(kvm.host, &msrs), -E2BIG);
    EXPECT_EQ(msrs, nullptr);
}

TEST(KvmHost, NamesRequests)
{
    EXPECT_STREQ(kvm_host_request_name(KVM_GET_REGS), "KVM_GET_REGS");
    EXPECT_STREQ(kvm_host_request_name(1), "?");
}

TEST(KvmHost, FindsTheRealListsStable)
{
    Opened kvm(kvm_host_cfg{});
    if (kvm.err)
        GTEST_SKIP() << kvm.why;
    const kvm_cpuid2 *cpuid = nullptr;
    const kvm_msr_list *msrs = nullptr;
    ASSERT_EQ(kvm_host_supported_cpuid(kvm.host, &cpuid), 0);
    EXPECT_GT(cpuid->nent, 0u);
    ASSERT_EQ(kvm_host_supported_msrs(kvm.host, &msrs), 0);
    EXPECT_GT(msrs->nmsrs, 0u);
}

TEST(KvmHost, SuspectsAnotherHypervisorBehindABusyDevice)
{
    FakeKvm fake;
    fake.open_result = -EBUSY;
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm.err, -EBUSY);
    EXPECT_NE(std::string(kvm.why).find("another hypervisor"),
              std::string::npos);
}

TEST(KvmHost, SingleRegistersNeedTheCapability)
{
    FakeKvm fake;
    uint64_t value = 7, kept = 0;
    auto one = [&](void *arg) { return static_cast<kvm_one_reg *>(arg); };
    fake.on(KVM_SET_ONE_REG, [&](int fd, void *arg) {
        memcpy(&kept, reinterpret_cast<void *>(one(arg)->addr), 8);
        return fd == 5 && one(arg)->id == 0x1234 ? 0 : -EINVAL;
    });
    fake.on(KVM_GET_ONE_REG, [&](int, void *arg) {
        memcpy(reinterpret_cast<void *>(one(arg)->addr), &kept, 8);
        return one(arg)->id == 0x1234 ? 0 : -EINVAL;
    });
    Opened kvm(fake.cfg());
    EXPECT_EQ(kvm_host_set_reg(kvm.host, 5, 0x1234, &value), 0);
    value = 0;
    EXPECT_EQ(kvm_host_get_reg(kvm.host, 5, 0x1234, &value), 0);
    EXPECT_EQ(value, 7u);
    EXPECT_EQ(kvm_host_get_reg(kvm.host, 5, 0x1235, &value), -EINVAL);

    fake.caps[KVM_CAP_ONE_REG] = 0;
    Opened without(fake.cfg());
    int asked = fake.count(KVM_GET_ONE_REG);
    EXPECT_EQ(kvm_host_get_reg(without.host, 5, 0x1234, &value), -ENOTSUP);
    EXPECT_EQ(kvm_host_set_reg(without.host, 5, 0x1234, &value), -ENOTSUP);
    EXPECT_EQ(fake.count(KVM_GET_ONE_REG), asked);
}

TEST(KvmHost, FeatureMsrsNeedTheCapability)
{
    FakeKvm fake;
    const kvm_msr_list *list = nullptr;
    fake.on(KVM_GET_MSR_FEATURE_INDEX_LIST, [](int, void *arg) {
        auto *msrs = static_cast<kvm_msr_list *>(arg);
        msrs->nmsrs = 1;
        msrs->indices[0] = 0x480;
        return 0;
    });
    Opened kvm(fake.cfg());
    ASSERT_EQ(kvm_host_feature_msrs(kvm.host, &list), 0);
    ASSERT_EQ(kvm_host_feature_msrs(kvm.host, &list), 0);
    EXPECT_EQ(list->indices[0], 0x480u);
    EXPECT_EQ(fake.count(KVM_GET_MSR_FEATURE_INDEX_LIST), 1);
    fake.caps[KVM_CAP_GET_MSR_FEATURES] = 0;
    Opened without(fake.cfg());
    EXPECT_EQ(kvm_host_feature_msrs(without.host, &list), -ENOTSUP);
}

} // namespace
