// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "arch/x86/linux/signal.h"

namespace
{

siginfo_t encode(const struct signal_info &info)
{
    uint8_t raw[128];
    siginfo_t out;

    static_assert(sizeof(out) == sizeof(raw), "");
    signal_info_encode(&info, raw);
    memcpy(&out, raw, sizeof(out));
    return out;
}

TEST(Siginfo, HasTheHostsLayoutForFaults)
{
    struct signal_info info = {};

    info.signo = SIGSEGV;
    info.code = SEGV_ACCERR;
    info.addr = 0x123456789;
    siginfo_t out = encode(info);
    EXPECT_EQ(out.si_signo, SIGSEGV);
    EXPECT_EQ(out.si_code, SEGV_ACCERR);
    EXPECT_EQ(out.si_addr, (void *)0x123456789);
}

TEST(Siginfo, HasTheHostsLayoutForChildren)
{
    struct signal_info info = {};

    info.signo = SIGCHLD;
    info.code = CLD_EXITED;
    info.pid = 77;
    info.uid = 5;
    info.status = 3;
    siginfo_t out = encode(info);
    EXPECT_EQ(out.si_pid, 77);
    EXPECT_EQ(out.si_uid, 5u);
    EXPECT_EQ(out.si_status, 3);
}

TEST(Siginfo, HasTheHostsLayoutForQueuedValues)
{
    struct signal_info info = {}, back;
    uint8_t raw[128];

    info.signo = SIGUSR1;
    info.code = SI_QUEUE;
    info.pid = 1;
    info.uid = 2;
    info.value = 0x1122334455667788;
    siginfo_t out = encode(info);
    EXPECT_EQ(out.si_value.sival_ptr, (void *)0x1122334455667788);
    signal_info_encode(&info, raw);
    signal_info_decode(raw, &back);
    EXPECT_EQ(back.value, info.value);
    EXPECT_EQ(back.pid, 1u);
}

} // namespace
