/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace
{

TEST(KvmWatchdog, InterruptsASystemCallAndSetsTheFlag)
{
    kvm_watchdog dog;
    uint8_t flag = 0;
    int fds[2];
    char byte;
    ASSERT_EQ(pipe(fds), 0);
    ASSERT_EQ(kvm_watchdog_start(&dog, 1000000, &flag), 0);
    EXPECT_EQ(read(fds[0], &byte, 1), -1); /* would never end by itself */
    EXPECT_EQ(errno, EINTR);
    kvm_watchdog_stop(&dog);
    EXPECT_EQ(flag, 1);
    close(fds[0]);
    close(fds[1]);
}

TEST(KvmWatchdog, LeavesTheSignalAsItFoundIt)
{
    kvm_watchdog dog;
    uint8_t flag = 0;
    struct sigaction now;
    ASSERT_EQ(kvm_watchdog_start(&dog, 1000000000000, &flag), 0);
    kvm_watchdog_stop(&dog);
    ASSERT_EQ(sigaction(SIGRTMAX - 1, nullptr, &now), 0);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
    EXPECT_EQ(flag, 0);
}

} // namespace
