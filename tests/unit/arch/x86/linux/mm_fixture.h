// SPDX-License-Identifier: BSD-3-Clause
// An address space over 64 MiB of guest RAM, for tests.
#ifndef TESTS_MM_FIXTURE_H
#define TESTS_MM_FIXTURE_H

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/uaccess.h"
#include "arch/x86/linux/vm_object.h"
#include "mem/physmem.h"

class MmTest : public testing::Test
{
  protected:
    struct Watch {
        struct mm_watch base;
        uint64_t calls;
    };

    void SetUp() override
    {
        mem = physmem_create();
        ASSERT_EQ(physmem_add(mem, 0, 64 << 20), 0);
        frames = frames_create(mem);
        vm_objects_init(&objects, frames);
        watch.base.changed = [](struct mm_watch *w, struct mm *, uint64_t,
                                uint64_t) {
            reinterpret_cast<Watch *>(w)->calls++;
        };
        used_before = frames_used(frames);
        mm = mm_create(&objects, &watch.base, MM_TASK_SIZE_64);
        ASSERT_NE(mm, nullptr);
    }
    void TearDown() override
    {
        mm_put(mm);
        vm_objects_fini(&objects);
        // Nothing is lost.
        EXPECT_EQ(frames_used(frames), used_before);
        frames_destroy(frames);
        physmem_destroy(mem);
    }
    int64_t map(uint64_t len, uint32_t prot = PROT_READ | PROT_WRITE,
                uint64_t addr = 0, uint32_t flags = MAP_PRIVATE)
    {
        struct mm_map_request request = {};

        request.addr = addr;
        request.len = len;
        request.prot = prot;
        request.map_flags = flags | MAP_ANONYMOUS;
        return mm_map(mm, &request);
    }
    static int get(struct mm *from, uint64_t addr)
    {
        uint8_t byte;

        return uaccess_read(from, addr, &byte, 1) ? -1 : byte;
    }
    static bool put(struct mm *to, uint64_t addr, uint8_t value)
    {
        return uaccess_write(to, addr, &value, 1) == 0;
    }

    struct physmem *mem = nullptr;
    struct frames *frames = nullptr;
    struct vm_objects objects = {};
    struct mm *mm = nullptr;
    Watch watch = {};
    uint64_t used_before = 0;
};

#endif
