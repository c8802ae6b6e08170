/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_window.h"

#include <gtest/gtest.h>

namespace
{

TEST(KvmWindow, IsNeverWantedWhereItIsNoUse)
{
    kvm_window window = {};
    EXPECT_FALSE(kvm_window_is_wanted(&window));
    kvm_window_syscall(&window);
    EXPECT_FALSE(kvm_window_is_wanted(&window));
}

TEST(KvmWindow, IsWantedWhileItMeetsSystemCalls)
{
    kvm_window window = {true, 0, 0};
    for (int i = 0; i < 100; i++) {
        EXPECT_TRUE(kvm_window_is_wanted(&window));
        kvm_window_syscall(&window);
    }
}

/* System calls until it is wanted again. */
int wait(kvm_window *window)
{
    int count = 0;
    for (; !kvm_window_is_wanted(window); count++)
        kvm_window_syscall(window);
    return count;
}

TEST(KvmWindow, WaitsLongerEachTimeItIsWasted)
{
    kvm_window window = {true, 0, 0};
    for (int expected : {1, 2, 4, 8, 16, 32, 64, 64}) {
        kvm_window_wasted(&window);
        EXPECT_EQ(wait(&window), expected);
    }
    kvm_window_syscall(&window); /* met by the window */
    kvm_window_wasted(&window);
    EXPECT_EQ(wait(&window), 64) << "half of it, doubled";
    for (int i = 0; i < 4; i++)
        kvm_window_syscall(&window);
    kvm_window_wasted(&window);
    EXPECT_EQ(wait(&window), 8);
}

} // namespace
