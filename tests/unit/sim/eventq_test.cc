// SPDX-License-Identifier: BSD-3-Clause
#include "sim/eventq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "running_tree.h"

class EventQ : public testing::Test
{
  protected:
    eventq *queue = eventq_create();
    std::string order;
    std::vector<std::unique_ptr<Action>> actions;

    ~EventQ() override
    {
        eventq_destroy(queue);
    }

    /* An event that appends @letter to the order. */
    sim_event *letter(char name, int priority = EVENT_PRI_DEFAULT)
    {
        actions.push_back(std::make_unique<Action>(
            [this, name](tick_t) { order += name; }, priority));
        return &actions.back()->event;
    }

    void run_all()
    {
        while (eventq_len(queue))
            eventq_service_one(queue);
    }
};

TEST_F(EventQ, RunsEventsInTheOrderOfTicks)
{
    eventq_schedule(queue, letter('c'), 30);
    eventq_schedule(queue, letter('a'), 10);
    eventq_schedule(queue, letter('b'), 20);
    run_all();
    EXPECT_EQ(order, "abc");
    EXPECT_EQ(eventq_now(queue), 30u);
}

TEST_F(EventQ, RunsEqualTicksInPriorityOrder)
{
    eventq_schedule(queue, letter('d', EVENT_PRI_MAX), 5);
    eventq_schedule(queue, letter('a', EVENT_PRI_MIN), 5);
    eventq_schedule(queue, letter('c', EVENT_PRI_SIM_EXIT), 5);
    eventq_schedule(queue, letter('b', -1), 5);
    run_all();
    EXPECT_EQ(order, "abcd");
}

TEST_F(EventQ, RunsEqualPrioritiesInTheOrderOfScheduling)
{
    for (char name = 'a'; name <= 'z'; name++)
        eventq_schedule(queue, letter(name), 5);
    run_all();
    EXPECT_EQ(order, "abcdefghijklmnopqrstuvwxyz");
}

TEST_F(EventQ, AnEventMayScheduleItselfAgain)
{
    std::vector<tick_t> ticks;
    Action action([&](tick_t now) {
        ticks.push_back(now);
        if (now < 30)
            eventq_schedule(queue, &action.event, now + 10);
    });

    eventq_schedule(queue, &action.event, 10);
    run_all();
    EXPECT_EQ(ticks, (std::vector<tick_t>{10, 20, 30}));
    EXPECT_FALSE(event_is_scheduled(&action.event));
}

TEST_F(EventQ, AnEventOfTheSameTickWithAnEarlierPriorityStillRunsNext)
{
    sim_event *early = letter('x', EVENT_PRI_MIN);
    sim_event *moved = letter('y', EVENT_PRI_MIN);
    Action action([&](tick_t now) {
        eventq_reschedule(queue, moved, now);
        eventq_schedule(queue, early, now);
    });

    for (char name = 'a'; name <= 'f'; name++)
        eventq_schedule(queue, letter(name), 10);
    eventq_schedule(queue, moved, 50);
    eventq_schedule(queue, &action.event, 5);
    eventq_service_one(queue);
    EXPECT_EQ(eventq_now(queue), 5u);
    EXPECT_EQ(eventq_next_tick(queue), 5u);
    run_all();
    EXPECT_EQ(order, "yxabcdef");
}

TEST_F(EventQ, ADescheduledEventDoesNotRun)
{
    sim_event *b = letter('b');

    eventq_schedule(queue, letter('a'), 10);
    eventq_schedule(queue, b, 20);
    eventq_schedule(queue, letter('c'), 30);
    EXPECT_TRUE(event_is_scheduled(b));
    eventq_deschedule(queue, b);
    EXPECT_FALSE(event_is_scheduled(b));
    eventq_deschedule(queue, b);
    EXPECT_EQ(eventq_len(queue), 2u);
    run_all();
    EXPECT_EQ(order, "ac");
}

TEST_F(EventQ, AnEventOfZeroesIsIdle)
{
    sim_event zeroes = {};

    EXPECT_FALSE(event_is_scheduled(&zeroes));
    eventq_deschedule(queue, &zeroes);
    EXPECT_EQ(eventq_len(queue), 0u);
}

TEST_F(EventQ, ReschedulingMovesAnEventBothWays)
{
    sim_event *a = letter('a'), *c = letter('c');

    eventq_schedule(queue, a, 30);
    eventq_schedule(queue, letter('b'), 20);
    eventq_schedule(queue, c, 10);
    eventq_reschedule(queue, a, 5);
    eventq_reschedule(queue, c, 40);
    EXPECT_EQ(eventq_next_tick(queue), 5u);
    run_all();
    EXPECT_EQ(order, "abc");
}

TEST_F(EventQ, TheNextTickIsKnownInsideAnEventToo)
{
    std::vector<tick_t> seen;
    Action action([&](tick_t) {
        seen.push_back(eventq_next_tick(queue));
        seen.push_back(eventq_len(queue));
    });

    EXPECT_EQ(eventq_next_tick(queue), TICK_MAX);
    eventq_schedule(queue, &action.event, 1);
    eventq_schedule(queue, letter('a'), 70);
    eventq_schedule(queue, letter('b'), 60);
    eventq_service_one(queue);
    EXPECT_EQ(seen, (std::vector<tick_t>{60, 2}));
}

TEST_F(EventQ, SchedulingBeforeTheHorizonLowersIt)
{
    volatile tick_t horizon = 100;

    eventq_set_horizon(queue, &horizon);
    eventq_schedule(queue, letter('a'), 150);
    EXPECT_EQ(horizon, 100u);
    eventq_schedule(queue, letter('b'), 60);
    EXPECT_EQ(horizon, 60u);
    eventq_reschedule(queue, &actions[0]->event, 40);
    EXPECT_EQ(horizon, 40u);
    eventq_set_horizon(queue, nullptr);
    eventq_schedule(queue, letter('c'), 1);
    EXPECT_EQ(horizon, 40u);
}

TEST_F(EventQ, EventsAreIdleAfterTheQueueWasDestroyed)
{
    Action action([](tick_t) {});
    eventq *other = eventq_create();

    eventq_schedule(other, &action.event, 5);
    eventq_destroy(other);
    EXPECT_FALSE(event_is_scheduled(&action.event));
}

/* The oracle: a sorted set of (tick, priority, sequence). */
TEST_F(EventQ, AgreesWithASortedSetUnderRandomUse)
{
    using Key = std::tuple<tick_t, int, uint64_t, int>;
    constexpr int NUM = 700;
    std::mt19937 random(1);
    std::set<Key> expected;
    std::vector<Key> keys(NUM);
    std::vector<int> served;
    uint64_t sequence = 0;

    for (int i = 0; i < NUM; i++)
        actions.push_back(std::make_unique<Action>(
            [&served, i](tick_t) { served.push_back(i); },
            static_cast<int>(random() % 5) - 2));
    for (int round = 0; round < 60000; round++) {
        int i = static_cast<int>(random() % NUM);
        sim_event *event = &actions[static_cast<size_t>(i)]->event;
        Key &key = keys[static_cast<size_t>(i)];
        unsigned what = random() % 8;

        if (what < 5) {
            tick_t when = eventq_now(queue) + random() % 50;

            expected.erase(key);
            key = {when, event->priority, sequence++, i};
            expected.insert(key);
            eventq_reschedule(queue, event, when);
        } else if (what < 6) {
            expected.erase(key);
            key = {};
            eventq_deschedule(queue, event);
        } else if (!expected.empty()) {
            Key first = *expected.begin();

            ASSERT_EQ(eventq_next_tick(queue), std::get<0>(first));
            eventq_service_one(queue);
            ASSERT_EQ(served.back(), std::get<3>(first));
            expected.erase(first);
        }
        ASSERT_EQ(eventq_len(queue), expected.size());
    }
    EXPECT_GT(served.size(), 5000u);
}

/* The same for events that act inside other events, where the root is free. */
TEST_F(EventQ, AgreesWithASortedSetWhenEventsMoveOthers)
{
    using Key = std::tuple<tick_t, int, uint64_t, int>;
    constexpr int NUM = 100;
    std::mt19937 random(2);
    std::set<Key> expected;
    std::vector<Key> keys(NUM);
    uint64_t sequence = 0;
    int served = 0;
    auto move = [&](int i, tick_t when) {
        sim_event *event = &actions[static_cast<size_t>(i)]->event;
        Key &key = keys[static_cast<size_t>(i)];

        expected.erase(key);
        key = {when, event->priority, sequence++, i};
        expected.insert(key);
        eventq_reschedule(queue, event, when);
    };
    auto cancel = [&](int i) {
        expected.erase(keys[static_cast<size_t>(i)]);
        eventq_deschedule(queue, &actions[static_cast<size_t>(i)]->event);
    };

    for (int i = 0; i < NUM; i++)
        actions.push_back(std::make_unique<Action>(
            [&, i](tick_t now) {
                ASSERT_EQ(std::get<3>(*expected.begin()), i);
                expected.erase(expected.begin());
                served++;
                for (unsigned n = random() % 4; n > 0; n--)
                    move(static_cast<int>(random() % NUM), now + random() % 20);
                if (random() % 4 == 0)
                    cancel(static_cast<int>(random() % NUM));
                ASSERT_EQ(eventq_len(queue), expected.size());
            },
            static_cast<int>(random() % 5) - 2));
    for (int round = 0; round < 20000 && !HasFatalFailure(); round++) {
        if (expected.empty())
            move(0, eventq_now(queue));
        eventq_service_one(queue);
    }
    EXPECT_EQ(served, 20000);
}

TEST_F(EventQ, TimeCannotPassAnEvent)
{
    eventq_set_now(queue, 50);
    EXPECT_EQ(eventq_now(queue), 50u);
    eventq_schedule(queue, letter('a'), 60);
    EXPECT_DEATH(eventq_set_now(queue, 61), "assertion failed");
    EXPECT_DEATH(eventq_schedule(queue, letter('b'), 49), "assertion failed");
}

/* ------------------------------------------------------------ other threads */

struct Post {
    sim_async async;
    std::vector<int> *seen;
    int number;
};

static void post_run(sim_async *async, tick_t)
{
    auto *post = reinterpret_cast<Post *>(async);

    post->seen->push_back(post->number);
}

TEST_F(EventQ, PostedWorkRunsOnceInTheOrderOfPosting)
{
    std::vector<int> seen;
    Post posts[3] = {};
    int wakes = 0;

    eventq_set_waker(
        queue, [](void *ctx) { ++*static_cast<int *>(ctx); }, &wakes);
    for (int i = 0; i < 3; i++) {
        posts[i] = {
            {post_run, nullptr, false},
            &seen, i
        };
        eventq_post_async(queue, &posts[i].async);
        eventq_post_async(queue, &posts[i].async);
    }
    EXPECT_TRUE(eventq_has_async(queue));
    eventq_run_async(queue);
    EXPECT_FALSE(eventq_has_async(queue));
    EXPECT_EQ(seen, (std::vector<int>{0, 1, 2}));
    EXPECT_EQ(wakes, 3);
    eventq_post_async(queue, &posts[1].async);
    eventq_run_async(queue);
    EXPECT_EQ(seen.size(), 4u);
}

TEST_F(EventQ, NothingIsLostWhenThreadsPostWhileTheLoopTakes)
{
    constexpr int THREADS = 4, EACH = 2000;
    std::vector<int> seen;
    std::vector<Post> posts(THREADS * EACH);
    std::vector<std::thread> threads;

    for (int i = 0; i < THREADS * EACH; i++)
        posts[static_cast<size_t>(i)] = {
            {post_run, nullptr, false},
            &seen, i
        };
    for (int t = 0; t < THREADS; t++)
        threads.emplace_back([&, t] {
            for (int i = 0; i < EACH; i++)
                eventq_post_async(
                    queue, &posts[static_cast<size_t>(t * EACH + i)].async);
        });
    while (seen.size() < THREADS * EACH)
        eventq_run_async(queue);
    for (auto &thread : threads)
        thread.join();
    /* The order of each thread is kept. */
    std::vector<int> last(THREADS, -1);
    for (int number : seen) {
        ASSERT_GT(number, last[static_cast<size_t>(number / EACH)]);
        last[static_cast<size_t>(number / EACH)] = number;
    }
}
