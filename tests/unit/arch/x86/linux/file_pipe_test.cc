// SPDX-License-Identifier: BSD-3-Clause
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "kernel_fixture.h"

namespace
{

class Pipe : public KernelTest
{
  protected:
    void SetUp() override
    {
        KernelTest::SetUp();
        file_pipe_create(kernel, 0, ends);
    }
    void TearDown() override
    {
        file_put(ends[0]);
        file_put(ends[1]);
        KernelTest::TearDown();
    }
    struct file *ends[2] = {};
};

TEST_F(Pipe, KeepsOrderOverTheEndOfItsBuffer)
{
    for (int round = 0; round < 1000; round++) {
        std::string text = std::to_string(round) + std::string(200, 'x');

        ASSERT_EQ(put(ends[1], text), (int64_t)text.size());
        ASSERT_EQ(read(ends[0]), text);
    }
}

TEST_F(Pipe, AsksToWaitWhenEmptyOrFull)
{
    EXPECT_EQ(read(ends[0]), "error " + std::to_string(EAGAIN));
    EXPECT_EQ(put(ends[1], std::string(65536, 'x')), 65536);
    EXPECT_EQ(put(ends[1], "y"), -EAGAIN);
    EXPECT_EQ(file_poll(ends[0]) & POLLIN, (uint32_t)POLLIN);
    EXPECT_EQ(file_poll(ends[1]) & POLLOUT, 0u);
}

TEST_F(Pipe, DoesNotTearSmallWrites)
{
    EXPECT_EQ(put(ends[1], std::string(65536 - 100, 'x')), 65536 - 100);
    EXPECT_EQ(put(ends[1], std::string(200, 'y')), -EAGAIN);
    EXPECT_EQ(put(ends[1], std::string(5000, 'z')), 100);
}

TEST_F(Pipe, EndsWhenTheOtherSideIsGone)
{
    EXPECT_EQ(put(ends[1], "last"), 4);
    file_put(ends[1]);
    ends[1] = nullptr;
    EXPECT_EQ(read(ends[0]), "last");
    EXPECT_EQ(read(ends[0]), "");
    EXPECT_NE(file_poll(ends[0]) & POLLHUP, 0u);
}

TEST_F(Pipe, BreaksWithoutReaders)
{
    file_put(ends[0]);
    ends[0] = nullptr;
    EXPECT_EQ(put(ends[1], "x"), -EPIPE);
}

TEST_F(Pipe, KeepsItsContentWhenResized)
{
    EXPECT_EQ(put(ends[1], "content"), 7);
    EXPECT_EQ(file_pipe_capacity(ends[1], 100000), 131072);
    EXPECT_EQ(file_pipe_capacity(ends[0], -1), 131072);
    EXPECT_EQ(read(ends[0]), "content");
}

TEST_F(Pipe, SocketPairsGoBothWays)
{
    struct file *pair[2];

    file_socketpair_create(kernel, 0, pair);
    EXPECT_EQ(put(pair[0], "there"), 5);
    EXPECT_EQ(put(pair[1], "back"), 4);
    EXPECT_EQ(read(pair[0]), "back");
    EXPECT_EQ(read(pair[1]), "there");
    EXPECT_EQ(file_socket_shutdown(pair[0], SHUT_WR), 0);
    EXPECT_EQ(read(pair[1]), "");
    EXPECT_EQ(put(pair[0], "x"), -EPIPE);
    EXPECT_EQ(put(pair[1], "still"), 5);
    file_put(pair[0]);
    file_put(pair[1]);
}

} // namespace
