// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/linux/frames.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "mem/physmem.h"

namespace
{

class Frames : public testing::Test
{
  protected:
    void SetUp() override
    {
        mem = physmem_create();
        ASSERT_EQ(physmem_add(mem, 0, 8 << 20), 0);
        frames = frames_create(mem);
    }
    void TearDown() override
    {
        frames_destroy(frames);
        physmem_destroy(mem);
    }

    struct physmem *mem = nullptr;
    struct frames *frames = nullptr;
};

TEST_F(Frames, NeverGiveOutAddressZero)
{
    gpa_t frame;

    while (frames_alloc(frames, &frame))
        EXPECT_NE(frame.v, 0u);
    EXPECT_EQ(frames_used(frames), frames_total(frames));
}

TEST_F(Frames, AreZeroAlsoWhenUsedBefore)
{
    gpa_t frame, again;

    ASSERT_TRUE(frames_alloc(frames, &frame));
    frames_host(frames, frame)[100] = 7;
    frames_unref(frames, frame);
    ASSERT_TRUE(frames_alloc(frames, &again));
    EXPECT_EQ(again.v, frame.v);
    EXPECT_EQ(frames_host(frames, again)[100], 0);
}

TEST_F(Frames, AreFreedWithTheirLastReference)
{
    uint64_t before = frames_used(frames);
    gpa_t frame;

    ASSERT_TRUE(frames_alloc(frames, &frame));
    frames_ref(frames, frame);
    EXPECT_FALSE(frames_is_sole(frames, frame, 1));
    frames_unref(frames, frame);
    EXPECT_TRUE(frames_is_sole(frames, frame, 1));
    EXPECT_EQ(frames_used(frames), before + 1);
    frames_unref(frames, frame);
    EXPECT_EQ(frames_used(frames), before);
}

TEST_F(Frames, LargeOnesAreAlignedAndComeFromWholeBlocks)
{
    std::vector<gpa_t> large;
    gpa_t frame;

    while (frames_alloc_huge(frames, &frame)) {
        EXPECT_EQ(frame.v % FRAME_HUGE_SIZE, 0u);
        large.push_back(frame);
    }
    // The first block of four holds the reserved frame.
    EXPECT_EQ(large.size(), 3u);
    frames_unref_many(frames, large[1], FRAMES_PER_HUGE);
    ASSERT_TRUE(frames_alloc_huge(frames, &frame));
    EXPECT_EQ(frame.v, large[1].v);
}

TEST_F(Frames, SmallOnesLeaveWholeBlocksFree)
{
    gpa_t frame;

    for (int i = 0; i < 400; i++)
        ASSERT_TRUE(frames_alloc(frames, &frame));
    for (int i = 0; i < 3; i++)
        EXPECT_TRUE(frames_alloc_huge(frames, &frame));
}

TEST_F(Frames, PagesOfDevicesAreNotCounted)
{
    const gpa_t device = {0xffff0000};
    uint64_t before = frames_used(frames);

    EXPECT_FALSE(frames_is_ram(frames, device));
    EXPECT_EQ(frames_host(frames, device), nullptr);
    frames_ref(frames, device);
    frames_ref_many(frames, device, 2);
    EXPECT_FALSE(frames_is_sole(frames, device, 1));
    frames_unref(frames, device);
    EXPECT_EQ(frames_used(frames), before);
}

// The references are counted anew from a list of who has one, as after a
// checkpoint; then both allocators hand out the same frames.
TEST_F(Frames, AreCountedAgainAndHandedOutInTheSameOrder)
{
    struct frames *other = frames_create(mem);
    struct frames_order order;
    std::vector<gpa_t> kept;
    gpa_t frame, huge;

    ASSERT_TRUE(frames_alloc_huge(frames, &huge));
    for (int i = 0; i < 700; i++) {
        ASSERT_TRUE(frames_alloc(frames, &frame));
        if (i % 3)
            kept.push_back(frame);
        else
            frames_unref(frames, frame);
    }
    frames_ref(frames, kept[5]);
    frames_unref_many(frames, huge, FRAMES_PER_HUGE);
    frames_get_order(frames, &order);
    frames_recount(other);
    for (gpa_t one : kept)
        ASSERT_TRUE(frames_claim(other, one, 1));
    ASSERT_TRUE(frames_claim(other, kept[5], 1));
    ASSERT_TRUE(frames_set_order(other, &order));
    EXPECT_EQ(frames_used(other), frames_used(frames));
    EXPECT_FALSE(frames_is_sole(other, kept[5], 1));
    for (int i = 0; i < 1500; i++) {
        gpa_t a = {0}, b = {0};

        ASSERT_EQ(frames_alloc(frames, &a), frames_alloc(other, &b));
        ASSERT_EQ(a.v, b.v) << i;
    }
    free(order.partial);
    free(order.empty);
    frames_destroy(other);
}

TEST_F(Frames, ThatLieNowhereCannotBeClaimed)
{
    frames_recount(frames);
    EXPECT_FALSE(frames_claim(frames, gpa_t{64 << 20}, 1));
    EXPECT_FALSE(frames_claim(frames, gpa_t{UINT64_MAX - 4095}, 1));
    EXPECT_FALSE(frames_claim(frames, gpa_t{4096}, FRAMES_PER_HUGE));
    EXPECT_TRUE(frames_claim(frames, gpa_t{2 << 20}, FRAMES_PER_HUGE));
}

TEST_F(Frames, InUseMustNotLieBeyondTheOrder)
{
    uint64_t blocks[1] = {9};
    struct frames_order order = {1, blocks, blocks, 0, 0};

    frames_recount(frames);
    ASSERT_TRUE(frames_claim(frames, gpa_t{2 << 20}, 1));
    EXPECT_FALSE(frames_set_order(frames, &order));
    order.next_fresh = 2;
    order.num_partial = 1;
    EXPECT_FALSE(frames_set_order(frames, &order));
    order.num_partial = 0;
    EXPECT_TRUE(frames_set_order(frames, &order));
}

} // namespace
