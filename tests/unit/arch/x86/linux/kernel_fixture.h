// SPDX-License-Identifier: BSD-3-Clause
// An emulated kernel without CPUs over a directory of the host, for tests.
#ifndef TESTS_KERNEL_FIXTURE_H
#define TESTS_KERNEL_FIXTURE_H

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "mem/physmem.h"

class KernelTest : public testing::Test
{
  protected:
    void SetUp() override
    {
        char name[] = "/tmp/gearshift-test-XXXXXX";
        struct kernel_cfg cfg = {};

        mem = physmem_create();
        ASSERT_EQ(physmem_add(mem, 0, 32 << 20), 0);
        cfg.mem = mem;
        kernel = kernel_create(&cfg);
        top = mkdtemp(name);
        std::filesystem::create_directories(top + "/root/etc");
        std::filesystem::create_directories(top + "/root/home/sub");
        write("root/etc/file", "read-only");
        write("secret", "secret");
        ASSERT_EQ(vfs_add_host(&kernel->vfs, "/", (top + "/root").c_str(),
                               VFS_READ_ONLY),
                  0);
        vfs_add_made(&kernel->vfs, "/proc");
        vfs_add_made(&kernel->vfs, "/dev");
        ASSERT_EQ(vfs_add_host(&kernel->vfs, base.c_str(),
                               (top + "/root/home").c_str(), VFS_WRITABLE),
                  0);
        process = process_create(kernel, nullptr);
        process->fs = process_fs_copy(nullptr);
        process->files = fd_table_create();
        process->handlers = signal_handlers_create();
    }
    void TearDown() override
    {
        process_free(process);
        kernel_destroy(kernel);
        physmem_destroy(mem);
        std::filesystem::remove_all(top);
    }
    void write(const std::string &name, const std::string &text)
    {
        std::ofstream(top + "/" + name) << text;
    }
    std::string content(const std::string &name)
    {
        std::ifstream in(top + "/" + name);

        return std::string(std::istreambuf_iterator<char>(in), {});
    }
    int look(const std::string &path, unsigned flags = VFS_FOLLOW)
    {
        return vfs_lookup(kernel, process, base.c_str(), path.c_str(), flags,
                          &node);
    }
    // Opens by path; the error, or 0 with the description in file.
    int open(const std::string &path, uint32_t flags, uint32_t mode = 0644)
    {
        unsigned how = flags & O_NOFOLLOW ? 0U : (unsigned)VFS_FOLLOW;
        int error =
            look(path, how | (flags & O_CREAT ? (unsigned)VFS_MAY_MISS : 0U));

        return error ? error
                     : vfs_open(kernel, process, &node, flags, mode, &file);
    }
    std::string read(struct file *from)
    {
        char buffer[256] = {};
        struct iovec vec = {buffer, sizeof(buffer)};
        struct file_io io = {&vec, 1, -1};
        int64_t got = file_read(from, &io);

        return got < 0 ? "error " + std::to_string(-got)
                       : std::string(buffer, (size_t)got);
    }
    static int64_t put(struct file *to, std::string text)
    {
        struct iovec vec = {text.data(), text.size()};
        struct file_io io = {&vec, 1, -1};

        return file_write(to, &io);
    }

    struct physmem *mem = nullptr;
    struct kernel *kernel = nullptr;
    struct process *process = nullptr;
    struct file *file = nullptr;
    struct vfs_node node = {};
    const std::string base = "/home"; // where relative paths start
    std::string top;
};

#endif
