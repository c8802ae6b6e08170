// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/vm_object.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "mm_fixture.h"

namespace
{

class VmObject : public MmTest
{
  protected:
    void SetUp() override
    {
        char name[] = "/tmp/gearshift-test-XXXXXX";

        MmTest::SetUp();
        fd = mkstemp(name);
        ASSERT_GE(fd, 0);
        unlink(name);
        ASSERT_EQ(pwrite(fd, "content", 7, 5000), 7);
    }
    void TearDown() override
    {
        close(fd);
        MmTest::TearDown();
    }
    uint64_t map_file(uint32_t flags)
    {
        struct mm_map_request request = {};
        int64_t addr;

        EXPECT_EQ(vm_object_of_file(&objects, fd, fd, "f", &request.object), 0);
        request.len = 4 * FRAME_SIZE;
        request.prot = PROT_READ | PROT_WRITE;
        request.map_flags = flags;
        request.vma_flags = flags == MAP_SHARED ? VMA_MAY_WRITE : 0;
        addr = mm_map(mm, &request);
        vm_object_put(request.object);
        return (uint64_t)addr;
    }
    std::string in_file(off_t at)
    {
        char text[8] = {};

        EXPECT_GE(pread(fd, text, 7, at), 0);
        return text;
    }
    int fd = -1;
};

TEST_F(VmObject, PrivateChangesStayPrivate)
{
    uint64_t addr = map_file(MAP_PRIVATE);

    EXPECT_EQ(get(mm, addr + 5000), 'c');
    ASSERT_TRUE(put(mm, addr + 5000, 'X'));
    EXPECT_EQ(get(mm, addr + 5000), 'X');
    EXPECT_EQ(mm_sync(mm, addr, addr + 4 * FRAME_SIZE), 0);
    EXPECT_EQ(in_file(5000), "content");
}

TEST_F(VmObject, SharedChangesReachTheFile)
{
    uint64_t addr = map_file(MAP_SHARED);

    ASSERT_TRUE(put(mm, addr + 5000, 'X'));
    EXPECT_EQ(in_file(5000), "content");
    EXPECT_EQ(mm_sync(mm, addr, addr + 4 * FRAME_SIZE), 0);
    EXPECT_EQ(in_file(5000), "Xontent");
    ASSERT_TRUE(put(mm, addr + 5001, 'Y'));
    EXPECT_EQ(mm_unmap(mm, addr, 4 * FRAME_SIZE), 0);
    EXPECT_EQ(in_file(5000), "XYntent");
}

TEST_F(VmObject, BeyondTheEndIsABusError)
{
    uint64_t addr = map_file(MAP_SHARED);

    EXPECT_EQ(get(mm, addr + 8191), 0);
    EXPECT_EQ(mm_fault(mm, addr + 8192, MM_READ), MM_BUS);
    ASSERT_EQ(ftruncate(fd, 9000), 0);
    EXPECT_EQ(mm_fault(mm, addr + 8192, MM_READ), MM_OK);
}

TEST_F(VmObject, AReadMapsItsNeighboursAndAWriteDoesNot)
{
    uint64_t addr = map_file(MAP_PRIVATE);

    ASSERT_EQ(ftruncate(fd, 3 * FRAME_SIZE), 0);
    mm->fault_around = 16;
    ASSERT_TRUE(put(mm, addr, 'X'));
    EXPECT_EQ(mm->resident, (uint64_t)FRAME_SIZE);
    EXPECT_EQ(get(mm, addr + 2 * FRAME_SIZE), 0);
    EXPECT_EQ(mm->resident, 3u * FRAME_SIZE);
    EXPECT_EQ(get(mm, addr + 5000), 'c');
    EXPECT_EQ(get(mm, addr), 'X');
    EXPECT_EQ(mm_fault(mm, addr + 3 * FRAME_SIZE, MM_READ), MM_BUS);
    // A neighbour that was mapped for reading is copied when written.
    ASSERT_TRUE(put(mm, addr + 5000, 'Y'));
    EXPECT_EQ(in_file(5000), "content");
}

TEST_F(VmObject, ReadsAheadOnlyWhatIsMissing)
{
    struct vm_object *object;
    gpa_t frame;

    ASSERT_EQ(ftruncate(fd, 40 * FRAME_SIZE + 1), 0);
    ASSERT_EQ(vm_object_of_file(&objects, fd, -1, "f", &object), 0);
    ASSERT_EQ(vm_object_page(object, 1, &frame), VM_PAGE_OK);
    frames_host(frames, frame)[5] = 'Z'; // changed by a mapping
    vm_object_read_ahead(object, 0, 100);
    for (uint64_t i = 0; i <= 40; i++)
        EXPECT_TRUE(vm_object_cached(object, i, &frame)) << i;
    EXPECT_FALSE(vm_object_cached(object, 41, &frame));
    ASSERT_TRUE(vm_object_cached(object, 1, &frame));
    EXPECT_EQ(frames_host(frames, frame)[5], 'Z');
    EXPECT_EQ(frames_host(frames, frame)[904], 'c'); // byte 5000
    vm_object_put(object);
}

TEST_F(VmObject, SeesWhatWasWrittenToTheFile)
{
    uint64_t addr = map_file(MAP_SHARED);
    struct stat st;

    EXPECT_EQ(get(mm, addr + 5000), 'c');
    ASSERT_EQ(pwrite(fd, "N", 1, 5000), 1);
    ASSERT_EQ(fstat(fd, &st), 0);
    vm_object_refresh(vm_object_find(&objects, st.st_dev, st.st_ino), 5000, 1);
    EXPECT_EQ(get(mm, addr + 5000), 'N');
}

TEST_F(VmObject, ForgetsAFileThatChangedMeanwhile)
{
    uint64_t addr = map_file(MAP_PRIVATE);

    EXPECT_EQ(get(mm, addr + 5000), 'c');
    ASSERT_EQ(mm_unmap(mm, addr, 4 * FRAME_SIZE), 0);
    ASSERT_EQ(pwrite(fd, "different size", 14, 6000), 14);
    ASSERT_EQ(pwrite(fd, "n", 1, 5000), 1);
    addr = map_file(MAP_PRIVATE);
    EXPECT_EQ(get(mm, addr + 5000), 'n');
}

TEST_F(VmObject, MemoryWithoutAFileReadsWhatWasWritten)
{
    struct vm_object *object = vm_object_create_memory(&objects, "m");
    char text[8] = {};

    EXPECT_EQ(vm_object_write(object, 4094, "abcd", 4), 4);
    EXPECT_EQ(object->size, 4098u);
    EXPECT_EQ(vm_object_read(object, 4094, text, 100), 4);
    EXPECT_STREQ(text, "abcd");
    vm_object_truncate(object, 4095);
    EXPECT_EQ(vm_object_write(object, 4098, "z", 1), 1);
    EXPECT_EQ(vm_object_read(object, 4094, text, 4), 4);
    EXPECT_EQ(std::string(text, 4), std::string("a\0\0\0", 4));
    vm_object_put(object);
}

TEST_F(VmObject, OfADeviceShowsItsPagesOnly)
{
    const gpa_t device = {0x100000000};
    struct vm_object *object = vm_object_create_device(
        &objects, "/dev/mem", 0xffff0000, device, 0x10000);
    gpa_t page;

    EXPECT_EQ(vm_object_page(object, 0xffff0, &page), VM_PAGE_OK);
    EXPECT_EQ(page.v, 0x100000000u);
    EXPECT_EQ(vm_object_page(object, 0xfffff, &page), VM_PAGE_OK);
    EXPECT_EQ(page.v, 0x10000f000u);
    EXPECT_EQ(vm_object_page(object, 0xfffef, &page), VM_PAGE_BEYOND_END);
    EXPECT_EQ(vm_object_page(object, 0x100000, &page), VM_PAGE_BEYOND_END);
    vm_object_put(object);
}

TEST_F(VmObject, OfADeviceGivesNoMemoryToSystemCalls)
{
    const gpa_t device = {0xffff0000};
    struct mm_map_request request = {};
    int64_t addr;
    uint64_t value;

    request.object = vm_object_create_device(&objects, "/dev/mem", 0xffff0000,
                                             device, 0x10000);
    request.offset = 0xffff0000;
    request.len = 0x10000;
    request.prot = PROT_READ | PROT_WRITE;
    request.map_flags = MAP_SHARED;
    request.vma_flags = VMA_MAY_WRITE;
    addr = mm_map(mm, &request);
    vm_object_put(request.object);
    ASSERT_GT(addr, 0);
    EXPECT_EQ(mm_fault(mm, (uint64_t)addr, MM_WRITE), MM_OK);
    EXPECT_EQ(uaccess_read(mm, (uint64_t)addr, &value, 8), -EFAULT);
    struct mm *child = mm_fork(mm);
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(mm_fault(child, (uint64_t)addr, MM_WRITE), MM_OK);
    mm_put(child);
    EXPECT_EQ(mm_unmap(mm, (uint64_t)addr, 0x10000), 0);
}

TEST_F(VmObject, PagesAreToldInOrder)
{
    struct vm_object *object = vm_object_create_memory(&objects, "m");
    uint64_t index = 0;
    gpa_t frame = {0};

    EXPECT_FALSE(vm_object_next_page(object, &index, &frame));
    vm_object_set_page(object, 1500, gpa_t{0x5000});
    vm_object_set_page(object, 3, gpa_t{0x4000});
    ASSERT_TRUE(vm_object_next_page(object, &index, &frame));
    EXPECT_EQ(index, 3u);
    EXPECT_EQ(frame.v, 0x4000u);
    index++;
    ASSERT_TRUE(vm_object_next_page(object, &index, &frame));
    EXPECT_EQ(index, 1500u);
    EXPECT_EQ(frame.v, 0x5000u);
    index++;
    EXPECT_FALSE(vm_object_next_page(object, &index, &frame));
    vm_object_lose_pages(object);
    index = 0;
    EXPECT_FALSE(vm_object_next_page(object, &index, &frame));
    vm_object_put(object);
}

TEST_F(VmObject, FilesThatNobodyUsesCanBeForgotten)
{
    struct vm_object *used, *idle;
    struct stat st;

    ASSERT_EQ(fstat(fd, &st), 0);
    ASSERT_EQ(vm_object_of_file(&objects, fd, -1, "f", &used), 0);
    vm_objects_drop_idle(&objects);
    EXPECT_EQ(vm_object_find(&objects, st.st_dev, st.st_ino), used);
    vm_object_put(used);
    EXPECT_EQ(vm_object_find(&objects, st.st_dev, st.st_ino), used);
    vm_objects_drop_idle(&objects);
    idle = vm_object_find(&objects, st.st_dev, st.st_ino);
    EXPECT_EQ(idle, nullptr);
}

} // namespace
