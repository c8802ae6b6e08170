// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/testers/traffic_trace.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include <unistd.h>
#include <zlib.h>

class TrafficTrace : public testing::Test
{
  protected:
    std::string path;
    traffic_trace trace = {};
    char why[256] = "";

    void SetUp() override
    {
        char name[] = "/tmp/trace_XXXXXX";
        int fd = mkstemp(name);
        ASSERT_GE(fd, 0);
        close(fd);
        path = name;
    }
    void TearDown() override
    {
        traffic_trace_fini(&trace);
        unlink(path.c_str());
    }
    int load(const std::string &text)
    {
        std::ofstream(path) << text;
        return traffic_trace_load(&trace, path.c_str(), why);
    }
    void expect_refused(const std::string &text, const std::string &reason)
    {
        EXPECT_EQ(load(text), -EINVAL) << text;
        EXPECT_EQ(why, path + reason);
        EXPECT_EQ(trace.requests, nullptr);
    }
};

TEST_F(TrafficTrace, ReadsRequestsAndSkipsCommentsAndBlankLines)
{
    ASSERT_EQ(load("# two requests\n\n0 r 0x1000 64\n"
                   "\t5000  w  4160 32 # the second\n"),
              0)
        << why;
    ASSERT_EQ(trace.len, 2u);
    EXPECT_EQ(trace.requests[0].addr, 0x1000u);
    EXPECT_FALSE(trace.requests[0].is_write);
    EXPECT_EQ(trace.requests[1].tick, 5000u);
    EXPECT_EQ(trace.requests[1].addr, 4160u);
    EXPECT_EQ(trace.requests[1].size, 32u);
    EXPECT_TRUE(trace.requests[1].is_write);
}

TEST_F(TrafficTrace, TheLastLineNeedsNoNewline)
{
    EXPECT_EQ(load("0 r 0 64"), 0) << why;
}

TEST_F(TrafficTrace, ReadsCompressedTraces)
{
    gzFile file = gzopen(path.c_str(), "w");
    for (int i = 0; i < 10000; i++)
        gzprintf(file, "%d r %#x 64\n", i * 1000, i * 64);
    gzclose(file);
    ASSERT_EQ(traffic_trace_load(&trace, path.c_str(), why), 0) << why;
    EXPECT_EQ(trace.len, 10000u);
    EXPECT_EQ(trace.requests[9999].addr, 9999u * 64);
}

TEST_F(TrafficTrace, ACompressedTraceThatIsCutIsRefused)
{
    gzFile file = gzopen(path.c_str(), "w");
    for (int i = 0; i < 100000; i++)
        gzprintf(file, "%d r %#x 64\n", i * 1000, (i * 7919) % 65536);
    gzclose(file);
    ASSERT_EQ(truncate(path.c_str(), 100000), 0);
    EXPECT_EQ(traffic_trace_load(&trace, path.c_str(), why), -EIO);
    EXPECT_NE(std::string(why).find("cut short after line"), std::string::npos)
        << why;
}

TEST_F(TrafficTrace, WrongLinesAreNamedByNumber)
{
    expect_refused("0 r 0 64\n1 x 0 64\n",
                   ":2: the second word must be r or w");
    expect_refused("soon r 0 64\n", ":1: the tick is not a number");
    expect_refused("-1 r 0 64\n", ":1: the tick is not a number");
    expect_refused("0 r 0xzz 64\n", ":1: the address is not a number");
    expect_refused("0 r 0 64k\n", ":1: the size is not a number");
    expect_refused("0 r 0 0\n", ":1: the size must be 1 to 4096 bytes");
    expect_refused("0 r 0\n", ":1: expected: TICK r|w ADDRESS SIZE");
    expect_refused("0 r 0 64 7\n", ":1: expected: TICK r|w ADDRESS SIZE");
    expect_refused("5 r 0 64\n4 r 0 64\n",
                   ":2: the tick is before that of the line above");
    expect_refused("99999999999999999999 r 0 64\n",
                   ":1: the tick is not a number");
    expect_refused(std::string(1000, '0') + " r 0 64\n",
                   ":1: the line is too long");
}

TEST_F(TrafficTrace, AnEmptyOrMissingTraceIsRefused)
{
    expect_refused("# nothing\n", ": no requests");
    EXPECT_EQ(traffic_trace_load(&trace, "/nowhere/trace", why), -ENOENT);
    EXPECT_STREQ(why, "/nowhere/trace: No such file or directory");
}
