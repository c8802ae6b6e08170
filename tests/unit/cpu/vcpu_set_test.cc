// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/vcpu_set.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <thread>

TEST(VcpuHostSet, HoldsMoreThan64Processors)
{
    vcpu_host_set set = {};

    EXPECT_TRUE(vcpu_host_set_is_empty(&set));
    EXPECT_EQ(vcpu_host_set_add(&set, 100), 0);
    EXPECT_EQ(vcpu_host_set_add(&set, VCPU_MAX_HOST_CPUS), -EINVAL);
    EXPECT_FALSE(vcpu_host_set_is_empty(&set));
    for (uint32_t cpu = 0; cpu < VCPU_MAX_HOST_CPUS + 1; cpu++)
        EXPECT_EQ(vcpu_host_set_has(&set, cpu), cpu == 100);
}

TEST(VcpuHostSet, ConfinesTheThreadUntilRestored)
{
    std::thread([] {
        vcpu_host_set set = {}, saved = {};
        cpu_set_t before, now;

        ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
        for (uint32_t cpu = 0; cpu < VCPU_MAX_HOST_CPUS; cpu++)
            if (CPU_ISSET(cpu, &before) && vcpu_host_set_is_empty(&set))
                (void)vcpu_host_set_add(&set, cpu);
        ASSERT_EQ(vcpu_host_set_apply(&set, &saved), 0);
        ASSERT_EQ(sched_getaffinity(0, sizeof now, &now), 0);
        EXPECT_EQ(CPU_COUNT(&now), 1);
        ASSERT_EQ(vcpu_host_set_restore(&saved), 0);
        ASSERT_EQ(sched_getaffinity(0, sizeof now, &now), 0);
        EXPECT_TRUE(CPU_EQUAL(&now, &before));
    }).join();
}

TEST(VcpuHostSet, RefusesProcessorsThatAreNotThere)
{
    vcpu_host_set set = {}, saved = {};

    ASSERT_EQ(vcpu_host_set_add(&set, VCPU_MAX_HOST_CPUS - 1), 0);
    EXPECT_EQ(vcpu_host_set_apply(&set, &saved), -EXDEV);
}
