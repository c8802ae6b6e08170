/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_turn.h"

#include <gtest/gtest.h>

namespace
{

constexpr uint64_t EXIT = 1000, FIRST = 100;

/* A quick event, then the turn that follows, if there is one. */
uint64_t play(kvm_turn *turn, uint64_t events, uint64_t cycles)
{
    kvm_turn_judge(turn, EXIT, EXIT, FIRST);
    uint64_t size = turn->left;
    kvm_turn_charge(turn, size, events, cycles, size, EXIT);
    EXPECT_EQ(turn->left, 0u);
    return size;
}

TEST(KvmTurn, TheCoreGetsLongerTurnsWhileTheyAreWorthIt)
{
    kvm_turn turn = {};
    for (uint64_t size : {1, 2, 4, 8, 16, 16, 16})
        EXPECT_EQ(play(&turn, 5, 4000), size * FIRST);
}

TEST(KvmTurn, AnEventThatKvmTookLongToReachEndsThat)
{
    kvm_turn turn = {};
    EXPECT_EQ(play(&turn, 5, 0), FIRST);
    EXPECT_EQ(play(&turn, 5, 0), 2 * FIRST);
    kvm_turn_judge(&turn, 2 * EXIT + 1, EXIT, FIRST);
    EXPECT_EQ(turn.left, 0u);
    EXPECT_EQ(play(&turn, 5, 0), FIRST);
}

TEST(KvmTurn, AfterTurnsThatCostMoreTheCoreWaitsLongerEachTime)
{
    kvm_turn turn = {};
    for (int wait : {4, 8, 16, 32, 64, 128, 256, 256}) {
        EXPECT_EQ(play(&turn, 1, EXIT + FIRST + 1), FIRST);
        for (int i = 0; i < wait; i++)
            EXPECT_EQ(play(&turn, 0, 0), 0u) << i << " of " << wait;
    }
    EXPECT_EQ(play(&turn, 1, EXIT + FIRST), FIRST) << "worth it";
    EXPECT_EQ(play(&turn, 0, EXIT * 9), 2 * FIRST);
    for (int i = 0; i < 4; i++)
        EXPECT_EQ(play(&turn, 0, 0), 0u) << "the first wait again";
    EXPECT_EQ(play(&turn, 1, 0), FIRST);
}

TEST(KvmTurn, ATurnMayBeTakenInPieces)
{
    kvm_turn turn = {};
    kvm_turn_judge(&turn, 0, EXIT, FIRST);
    kvm_turn_charge(&turn, 60, 1, 900, 60, EXIT);
    EXPECT_EQ(turn.left, 40u);
    EXPECT_EQ(turn.last_rest, 0u);
    kvm_turn_charge(&turn, 10, 0, 200, 999, EXIT); /* it went to sleep */
    EXPECT_EQ(turn.left, 0u);
    EXPECT_EQ(turn.rest, 4u) << "1100 cycles against 1070";
}

TEST(KvmTurn, WithoutAFirstTurnTheCoreNeverGetsOne)
{
    kvm_turn turn = {};
    for (int i = 0; i < 3; i++) {
        kvm_turn_judge(&turn, 0, EXIT, 0);
        EXPECT_EQ(turn.left, 0u);
    }
}

TEST(KvmTurn, AForcedTurnIsNotJudged)
{
    kvm_turn turn = {};
    kvm_turn_force(&turn, 7);
    EXPECT_EQ(turn.left, 7u);
    kvm_turn_charge(&turn, 7, 0, EXIT * 99, 7, EXIT);
    EXPECT_EQ(turn.left, 0u);
    EXPECT_EQ(turn.rest, 0u);
    EXPECT_EQ(play(&turn, 5, 0), FIRST);
}

} // namespace
