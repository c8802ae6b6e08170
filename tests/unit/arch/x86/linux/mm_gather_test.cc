// SPDX-License-Identifier: BSD-3-Clause
// The order of changes to page tables, against a model of a processor on
// another host thread: it remembers every translation and every table it has
// seen until it is told, and what it remembers must stay true until then.
#include "arch/x86/linux/mm_gather.h"

#include <cstring>
#include <map>
#include <random>
#include <set>

#include "mm_fixture.h"

namespace
{

class MmGather : public MmTest
{
  protected:
    struct Cached {
        uint64_t frame;
        bool is_writable, is_executable;
        uint64_t content; // first word
    };
    // What another processor keeps of one address space.
    struct Remote {
        std::map<uint64_t, Cached> pages;
        std::map<uint64_t, std::set<uint64_t>> tables; // by start of 2 MiB
    };
    struct Model {
        struct mm_watch base;
        MmGather *test;
    };

    void SetUp() override
    {
        MmTest::SetUp();
        model.test = this;
        model.base.changed = [](struct mm_watch *w, struct mm *of,
                                uint64_t start, uint64_t len) {
            reinterpret_cast<Model *>(w)->test->forget(of, start, len);
        };
        model.base.frame = [](struct mm_watch *w, gpa_t frame, uint64_t len) {
            for (uint64_t at = 0; at < len; at += FRAME_SIZE)
                reinterpret_cast<Model *>(w)->test->announced.insert(frame.v +
                                                                     at);
        };
        model.base.table = [](struct mm_watch *w, gpa_t table) {
            reinterpret_cast<Model *>(w)->test->announced.insert(table.v);
        };
        mm_put(mm);
        mm = mm_create(&objects, &model.base, MM_TASK_SIZE_64);
        ASSERT_NE(mm, nullptr);
    }

    static uint64_t word(const struct frames *frames, uint64_t frame)
    {
        uint64_t value;

        memcpy(&value, frames_host(frames, gpa_t{frame}), sizeof(value));
        return value;
    }
    const uint64_t *table_at(uint64_t addr) const
    {
        return (const uint64_t *)(const void *)frames_host(frames, gpa_t{addr});
    }

    // Everything that is mapped gets into the model's TLBs.
    void look(struct mm *of)
    {
        struct pagetable_leaf leaf;
        Remote &remote = remotes[of];

        for (uint64_t at = 0; pagetable_next(&of->pt, at, UINT64_MAX, &leaf);
             at = leaf.addr + leaf.size) {
            look_at_tables(of, leaf.addr);
            if (!(*leaf.entry & PTE_PRESENT))
                continue;
            for (uint64_t i = 0; i < leaf.size; i += FRAME_SIZE) {
                uint64_t frame = pagetable_frame(*leaf.entry).v + i;

                remote.pages[leaf.addr + i] = {
                    frame, (*leaf.entry & PTE_WRITE) != 0,
                    !(*leaf.entry & PTE_NX), word(frames, frame)};
            }
        }
    }
    void look_at_tables(const struct mm *of, uint64_t addr)
    {
        uint64_t table = of->pt.root.v;

        for (unsigned shift = 39; shift >= 12; shift -= 9) {
            uint64_t entry = table_at(table)[addr >> shift & 511];

            remotes[(struct mm *)of]
                .tables[addr & ~(uint64_t)(FRAME_HUGE_SIZE - 1)]
                .insert(table);
            if (!(entry & PTE_PRESENT) || (entry & PTE_LARGE))
                break;
            table = entry & PTE_ADDR;
        }
    }

    uint64_t table_of_level_1(uint64_t addr) const
    {
        uint64_t table = mm->pt.root.v;

        for (unsigned shift = 39; shift > 12; shift -= 9)
            table = table_at(table)[addr >> shift & 511] & PTE_ADDR;
        return table;
    }
    template <typename Call> void change(const Call &call)
    {
        (void)call();
        settle();
    }

    bool is_used(uint64_t frame) const
    {
        return frames_refs(frames, gpa_t{frame}) > 0;
    }

    // changed(): until this moment what was cached must be usable.
    void forget(struct mm *of, uint64_t start, uint64_t len)
    {
        Remote &remote = remotes[of];
        auto page = remote.pages.lower_bound(start);

        calls++;
        check();
        while (page != remote.pages.end() && page->first - start < len) {
            EXPECT_TRUE(is_same(of, *page) ||
                        announced.count(page->second.frame))
                << std::hex << page->first;
            page = remote.pages.erase(page);
        }
        auto area =
            remote.tables.lower_bound(start & ~(uint64_t)(FRAME_HUGE_SIZE - 1));
        while (area != remote.tables.end() && area->first < start + len)
            area = remote.tables.erase(area);
    }
    void check() const
    {
        for (auto &[of, remote] : remotes) {
            for (auto &[addr, page] : remote.pages) {
                EXPECT_TRUE(is_used(page.frame)) << std::hex << addr;
                EXPECT_EQ(word(frames, page.frame), page.content)
                    << std::hex << addr;
            }
            for (auto &[addr, tables] : remote.tables) {
                for (uint64_t table : tables)
                    EXPECT_TRUE(is_used(table)) << std::hex << addr;
            }
        }
    }
    // Whether the tables still allow what the model remembers.
    bool is_same(const struct mm *of,
                 const std::pair<const uint64_t, Cached> &page) const
    {
        struct pagetable_leaf leaf;

        if (!of->pt.root.v || !pagetable_find(&of->pt, page.first, &leaf) ||
            !(*leaf.entry & PTE_PRESENT))
            return false;
        return pagetable_frame(*leaf.entry).v + (page.first - leaf.addr) ==
                   page.second.frame &&
               (!page.second.is_writable || (*leaf.entry & PTE_WRITE)) &&
               (!page.second.is_executable || !(*leaf.entry & PTE_NX));
    }
    // After a call: nothing was taken away without a word.
    void settle()
    {
        check();
        for (auto &[of, remote] : remotes) {
            for (auto &page : remote.pages)
                EXPECT_TRUE(is_same(of, page)) << std::hex << page.first;
        }
        announced.clear();
    }
    void end(struct mm *of)
    {
        mm_put(of);
        EXPECT_TRUE(remotes[of].pages.empty());
        remotes.erase(of);
        settle();
    }
    void put_word(struct mm *to, uint64_t addr)
    {
        uint64_t value = ++last_value;

        struct pagetable_leaf leaf;
        uint64_t frame;

        if (uaccess_write(to, addr, &value, sizeof(value)))
            return;
        ASSERT_TRUE(pagetable_find(&to->pt, addr, &leaf));
        frame = pagetable_frame(*leaf.entry).v + (addr - leaf.addr);
        for (auto &[of, remote] : remotes) {
            for (auto &[at, page] : remote.pages) {
                if (page.frame == frame)
                    page.content = value;
            }
        }
        settle();
    }
    void TearDown() override
    {
        remotes.clear();
        MmTest::TearDown();
    }

    Model model = {};
    std::map<struct mm *, Remote> remotes;
    std::set<uint64_t> announced; // frames, since the last call
    uint64_t calls = 0;
    uint64_t last_value = 0;
};

TEST_F(MmGather, TellsNothingWhenNothingWasThere)
{
    uint64_t addr = (uint64_t)map(64 * FRAME_SIZE);

    ASSERT_EQ(mm_protect(mm, addr, 64 * FRAME_SIZE, PROT_READ), 0);
    ASSERT_EQ(mm_unmap(mm, addr, 64 * FRAME_SIZE), 0);
    EXPECT_EQ(calls, 0u);
}

TEST_F(MmGather, TellsNothingOfWiderRights)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE, PROT_READ);

    ASSERT_EQ(get(mm, addr), 0);
    ASSERT_EQ(mm_protect(mm, addr, FRAME_SIZE, PROT_READ | PROT_WRITE), 0);
    ASSERT_TRUE(put(mm, addr, 1));
    EXPECT_EQ(calls, 0u);
}

TEST_F(MmGather, TellsOnceForManyPages)
{
    uint64_t addr = (uint64_t)map(64 * FRAME_SIZE);

    ASSERT_EQ(uaccess_clear(mm, addr, 64 * FRAME_SIZE), 0);
    ASSERT_EQ(mm_protect(mm, addr, 64 * FRAME_SIZE, PROT_READ), 0);
    EXPECT_EQ(calls, 1u);
    ASSERT_EQ(mm_unmap(mm, addr, 64 * FRAME_SIZE), 0);
    EXPECT_EQ(calls, 2u);
    EXPECT_EQ(announced.size(), 64u);
}

TEST_F(MmGather, AnnouncesEachRightThatIsLost)
{
    const uint32_t prots[] = {PROT_READ | PROT_WRITE | PROT_EXEC,
                              PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE};
    uint64_t addr = (uint64_t)map(FRAME_SIZE, prots[0]);

    put_word(mm, addr);
    for (uint32_t prot : prots) {
        look(mm);
        change([&] { return mm_protect(mm, addr, FRAME_SIZE, prot); });
    }
    EXPECT_EQ(calls, 3u);
}

TEST_F(MmGather, AnnouncesWhatACopyReplaces)
{
    uint64_t addr = (uint64_t)map(FRAME_SIZE);
    struct mm *child;

    put_word(mm, addr);
    look(mm);
    child = mm_fork(mm);
    ASSERT_NE(child, nullptr);
    settle(); // the parent's right to write is gone, and was announced
    look(child);
    put_word(child, addr);
    look(child);
    put_word(mm, addr); // the last owner keeps the frame
    end(child);
}

TEST_F(MmGather, AnnouncesATableThatALargePageReplaces)
{
    uint64_t addr = UINT64_C(0x40000000);

    ASSERT_EQ(map(FRAME_SIZE, PROT_READ | PROT_WRITE, addr), (int64_t)addr);
    put_word(mm, addr);
    look(mm);
    ASSERT_EQ(mm_unmap(mm, addr, FRAME_SIZE), 0);
    settle();
    ASSERT_EQ(map(FRAME_HUGE_SIZE, PROT_READ | PROT_WRITE, addr),
              (int64_t)addr);
    remotes[mm].tables[addr].insert(
        table_of_level_1(addr)); // a cached entry for the empty table
    calls = 0;
    put_word(mm, addr);
    EXPECT_EQ(calls, 1u);
    EXPECT_EQ(mm->resident, (uint64_t)FRAME_HUGE_SIZE);
}

TEST_F(MmGather, KeepsTheOrderOverRandomCalls)
{
    const uint64_t base = UINT64_C(0x40000000);
    const uint64_t pages = 3 * FRAMES_PER_HUGE;
    std::mt19937_64 random(7);
    struct mm *spaces[2] = {mm, nullptr};

    mm->fault_around = 16;
    map(pages * FRAME_SIZE, PROT_READ | PROT_WRITE, base);
    for (int i = 0; i < 3000 && !HasFailure(); i++) {
        struct mm *of = spaces[spaces[1] ? random() % 2 : 0];
        uint64_t addr = base + random() % pages * FRAME_SIZE;
        uint64_t len = (1 + random() % (random() % 4 ? 8 : 700)) * FRAME_SIZE;
        uint64_t to = base + random() % pages * FRAME_SIZE;
        const uint64_t move[2] = {len, len};
        const uint32_t prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                  PROT_READ | PROT_WRITE | PROT_EXEC};
        uint32_t prot = prots[random() % 4];

        switch (random() % 9) {
        case 0:
            change([&] { return mm_unmap(of, addr, len % (16 * FRAME_SIZE)); });
            break;
        case 1:
            change([&] { return mm_protect(of, addr, len, prot); });
            break;
        case 2:
            change([&] {
                return mm_remap(of, addr, move, MREMAP_MAYMOVE | MREMAP_FIXED,
                                to);
            });
            break;
        case 3:
            change([&] { return mm_advise(of, addr, len, MADV_DONTNEED); });
            break;
        case 4:
            if (spaces[1])
                end(spaces[1]);
            of = spaces[0];
            spaces[1] = mm_fork(of);
            settle();
            break;
        case 5:
            std::swap(mm, of);
            map(len, PROT_READ | PROT_WRITE, addr, MAP_PRIVATE | MAP_FIXED);
            std::swap(mm, of);
            settle();
            break;
        default:
            for (uint64_t at = 0; at < len; at += 5 * FRAME_SIZE)
                put_word(of, addr + at);
        }
        look(of);
    }
    if (spaces[1])
        end(spaces[1]);
    EXPECT_GT(calls, 500u);
}

} // namespace
