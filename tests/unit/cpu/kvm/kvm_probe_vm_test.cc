/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_probe_vm.h"

#include <gtest/gtest.h>

#include "fake_kvm.hh"

namespace
{

TEST(KvmProbeVm, EndsAGuestThatLoopsForEver)
{
    kvm_host_cfg cfg = {};
    kvm_host *host = nullptr;
    char why[KVM_HOST_WHY_SIZE];
    kvm_probe_vm vm;
    kvm_probe_code code = {};
    if (kvm_host_open(&cfg, &host, why))
        GTEST_SKIP() << why;
    code.ring = KVM_PROBE_RING3;
    code.stub_addr = 0xffffffff80007000;
    code.len = 2;
    code.bytes[0] = 0xeb; /* jmp to itself */
    code.bytes[1] = 0xfe;
    ASSERT_EQ(kvm_probe_vm_create(host, &vm), 0);
    ASSERT_EQ(kvm_probe_vm_load(&vm, &code), 0);
    EXPECT_EQ(kvm_probe_vm_run(&vm), -EINTR);
    EXPECT_EQ(vm.run->immediate_exit, 0);
    kvm_probe_vm_destroy(&vm);
    kvm_host_close(host);
}

TEST(KvmProbeVm, ReportsMsrsThatTheHostDoesNotTake)
{
    FakeKvm fake;
    kvm_host_cfg cfg = fake.cfg();
    kvm_host *host = nullptr;
    char why[KVM_HOST_WHY_SIZE];
    kvm_probe_vm vm;
    kvm_probe_code code = {};
    ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0);
    ASSERT_EQ(kvm_probe_vm_create(host, &vm), 0);
    fake.on(KVM_SET_MSRS, [](int, void *) { return 1; });
    EXPECT_EQ(kvm_probe_vm_load(&vm, &code), -EINVAL);
    fake.on(KVM_SET_MSRS, [](int, void *) { return 3; });
    EXPECT_EQ(kvm_probe_vm_load(&vm, &code), 0);
    kvm_probe_vm_destroy(&vm);
    kvm_host_close(host);
    EXPECT_TRUE(fake.open_fds.empty());
}

} // namespace
