// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/file.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "kernel_fixture.h"

namespace
{

using File = KernelTest;

TEST_F(File, DescriptorsAreTheLowestFreeNumbers)
{
    struct fd_table *files = process->files;

    EXPECT_EQ(fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, 0), 0);
    EXPECT_EQ(fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, 0), 1);
    EXPECT_EQ(fd_table_add(files, file_eventfd_create(kernel, 0, 0), 9, 0), 9);
    EXPECT_EQ(fd_table_close(files, 0), 0);
    EXPECT_EQ(fd_table_close(files, 0), -EBADF);
    EXPECT_EQ(fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, 0), 0);
    files->limit = 2;
    EXPECT_EQ(fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, 0),
              -EMFILE);
}

TEST_F(File, ACopiedTableSharesDescriptions)
{
    struct fd_table *files = process->files, *copy;

    (void)fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, 0);
    (void)fd_table_add(files, file_eventfd_create(kernel, 0, 0), 0, O_CLOEXEC);
    copy = fd_table_copy(files);
    EXPECT_EQ(fd_table_find(copy, 0), fd_table_find(files, 0));
    fd_table_close_on_exec(copy);
    EXPECT_NE(fd_table_find(copy, 0), nullptr);
    EXPECT_EQ(fd_table_find(copy, 1), nullptr);
    EXPECT_NE(fd_table_find(files, 1), nullptr);
    fd_table_put(copy);
}

TEST_F(File, AccessModesAreObeyed)
{
    struct file *ends[2];

    file_pipe_create(kernel, 0, ends);
    EXPECT_EQ(put(ends[0], "x"), -EBADF);
    EXPECT_EQ(read(ends[1]), "error " + std::to_string(EBADF));
    file_put(ends[0]);
    file_put(ends[1]);
}

} // namespace
