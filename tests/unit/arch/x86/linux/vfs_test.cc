// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/vfs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "kernel_fixture.h"

namespace
{

using Vfs = KernelTest;

TEST_F(Vfs, ResolvesDotsAndLinksOnTheGuestsNames)
{
    ASSERT_EQ(symlink("../etc", (top + "/root/home/up").c_str()), 0);
    ASSERT_EQ(symlink("/etc/file", (top + "/root/home/abs").c_str()), 0);
    ASSERT_EQ(look("up/./file"), 0);
    EXPECT_STREQ(node.path, "/etc/file");
    ASSERT_EQ(look("abs"), 0);
    EXPECT_STREQ(node.path, "/etc/file");
    ASSERT_EQ(look("abs", 0), 0);
    EXPECT_EQ(std::string(node.path), base + "/abs");
    ASSERT_EQ(look(std::string("sub/../../../..") + base + "/sub//"), 0);
    EXPECT_EQ(std::string(node.path), base + "/sub");
    EXPECT_TRUE(S_ISDIR(node.st.st_mode));
}

TEST_F(Vfs, GivesTheErrorsOfLinux)
{
    ASSERT_EQ(symlink("loop", (top + "/root/home/loop").c_str()), 0);
    write("root/home/plain", "x");
    EXPECT_EQ(look("loop"), -ELOOP);
    EXPECT_EQ(look("missing"), -ENOENT);
    EXPECT_EQ(look("missing/x", VFS_MAY_MISS), -ENOENT);
    EXPECT_EQ(look("plain/x"), -ENOTDIR);
    EXPECT_EQ(look("plain/"), -ENOTDIR);
    EXPECT_EQ(look(""), -ENOENT);
    EXPECT_EQ(look(std::string(5000, 'a')), -ENAMETOOLONG);
    EXPECT_EQ(look(std::string(300, 'a')), -ENAMETOOLONG);
    EXPECT_EQ(look("missing", VFS_MAY_MISS), 0);
    EXPECT_FALSE(node.exists);
}

TEST_F(Vfs, NeverLeavesTheRoot)
{
    const char *paths[] = {
        "/../secret",
        "/../../../../../../../../etc/shadow",
        "../../secret",
        "up/secret",
        "out",
        "out2/shadow",
        "/proc/self/root/../secret",
        "/proc/1/root/etc/shadow",
        "/proc/self/fd/../../../../secret",
    };

    // Links that the host would follow out of the root.
    ASSERT_EQ(symlink("../..", (top + "/root/home/up").c_str()), 0);
    ASSERT_EQ(
        symlink((top + "/secret").c_str(), (top + "/root/home/out").c_str()),
        0);
    ASSERT_EQ(
        symlink("../../../../../../etc", (top + "/root/home/out2").c_str()), 0);
    for (const char *path : paths)
        EXPECT_NE(open(path, O_RDONLY), 0) << path;
}

TEST_F(Vfs, OpensPlacesWhateverElseTheFlagsSay)
{
    write("root/home/plain", "x");
    ASSERT_EQ(open("sub", O_PATH | O_DIRECTORY | O_NONBLOCK | O_NOCTTY), 0);
    file_put(file);
    ASSERT_EQ(open("plain", O_PATH | O_RDWR | O_APPEND), 0);
    file_put(file);
}

TEST_F(Vfs, WritesOnlyWhereItMay)
{
    ASSERT_EQ(symlink("/etc/new", (top + "/root/home/new").c_str()), 0);
    ASSERT_EQ(symlink("/etc/file", (top + "/root/home/link").c_str()), 0);
    EXPECT_EQ(open("/etc/file", O_RDWR), -EROFS);
    EXPECT_EQ(open("/etc/file", O_RDONLY | O_TRUNC), -EROFS);
    EXPECT_EQ(open("/etc/created", O_WRONLY | O_CREAT), -EROFS);
    EXPECT_EQ(open("new", O_WRONLY | O_CREAT), -EROFS);
    EXPECT_EQ(open("link", O_WRONLY), -EROFS);
    EXPECT_EQ(content("root/etc/file"), "read-only");
    ASSERT_EQ(open("mine", O_WRONLY | O_CREAT, 0600), 0);
    EXPECT_EQ(put(file, "written"), 7);
    file_put(file);
    EXPECT_EQ(content("root/home/mine"), "written");
    EXPECT_EQ(open("mine", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
}

TEST_F(Vfs, DoesNotOpenTheHostsPipesAndDevices)
{
    ASSERT_EQ(mkfifo((top + "/root/fifo").c_str(), 0600), 0);
    EXPECT_EQ(open("/fifo", O_RDONLY), -ENXIO);
}

TEST_F(Vfs, KeepsWhatGoesThroughANamedPipeInside)
{
    std::string host = top + "/root/home/fifo";
    char byte;
    int fd;

    ASSERT_EQ(mkfifo(host.c_str(), 0600), 0);
    fd = ::open(host.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(open("fifo", O_WRONLY | O_NONBLOCK), -ENXIO); // not the host's
    ASSERT_EQ(open("fifo", O_RDWR), 0);
    EXPECT_EQ(put(file, "inside"), 6);
    EXPECT_EQ(::read(fd, &byte, 1), 0); // no writer
    file_put(file);
    close(fd);
}

TEST_F(Vfs, MakesItsOwnDevicesAndProcesses)
{
    ASSERT_EQ(open("/dev/null", O_RDWR), 0);
    EXPECT_EQ(put(file, "gone"), 4);
    EXPECT_EQ(read(file), "");
    file_put(file);
    EXPECT_EQ(open("/dev/mem", O_RDONLY), -ENOENT);
    ASSERT_EQ(open("/proc/self/stat", O_RDONLY), 0);
    EXPECT_EQ(read(file).substr(0, 5), "100 (");
    file_put(file);
    EXPECT_EQ(open("/proc/1/stat", O_RDONLY), -ENOENT);
}

TEST_F(Vfs, ShowsSeveralDirectoriesAsOne)
{
    std::filesystem::create_directories(top + "/upper");
    std::filesystem::create_directories(top + "/lower");
    write("lower/a", "lower a");
    write("lower/b", "lower b");
    write("upper/a", "upper a");
    ASSERT_EQ(vfs_add_host(&kernel->vfs, "/both", (top + "/upper").c_str(),
                           VFS_WRITABLE),
              0);
    ASSERT_EQ(vfs_add_host(&kernel->vfs, "/both", (top + "/lower").c_str(),
                           VFS_READ_ONLY),
              0);
    ASSERT_EQ(open("/both/a", O_RDONLY), 0);
    EXPECT_EQ(read(file), "upper a");
    file_put(file);
    ASSERT_EQ(open("/both/b", O_RDONLY), 0);
    EXPECT_EQ(read(file), "lower b");
    file_put(file);
    EXPECT_EQ(open("/both/b", O_RDWR), -EROFS);
    ASSERT_EQ(open("/both/c", O_WRONLY | O_CREAT), 0);
    file_put(file);
    EXPECT_TRUE(std::filesystem::exists(top + "/upper/c"));
}

TEST_F(Vfs, ALowerLinkCannotLeadAnUpperPathAway)
{
    std::filesystem::create_directories(top + "/upper/dir");
    std::filesystem::create_directories(top + "/lower");
    ASSERT_EQ(symlink(top.c_str(), (top + "/lower/dir").c_str()), 0);
    ASSERT_EQ(vfs_add_host(&kernel->vfs, "/both", (top + "/upper").c_str(),
                           VFS_WRITABLE),
              0);
    ASSERT_EQ(vfs_add_host(&kernel->vfs, "/both", (top + "/lower").c_str(),
                           VFS_READ_ONLY),
              0);
    EXPECT_EQ(open("/both/dir/secret", O_RDONLY), -ENOENT);
}

} // namespace
