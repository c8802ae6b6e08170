// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/vcpu_event.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

class VcpuEvq : public testing::Test
{
  protected:
    vcpu_evq queue;

    VcpuEvq()
    {
        vcpu_evq_init(&queue);
    }

    ~VcpuEvq() override
    {
        vcpu_evq_fini(&queue);
    }

    int push(vcpu_event_kind kind, uint8_t vector)
    {
        vcpu_event event = {static_cast<uint8_t>(kind), vector, 0, 0, 0};

        return vcpu_evq_push(&queue, &event);
    }

    std::vector<int> vectors()
    {
        vcpu_event events[VCPU_EVQ_SIZE];
        uint32_t count = vcpu_evq_copy(&queue, events);
        std::vector<int> out;

        for (uint32_t i = 0; i < count; i++)
            out.push_back(events[i].vector);
        return out;
    }
};

TEST_F(VcpuEvq, ExceptionsBeforeNmisBeforeInterruptsAndByAge)
{
    ASSERT_EQ(push(VCPU_EVENT_INTERRUPT, 0x30), 0);
    ASSERT_EQ(push(VCPU_EVENT_NMI, 2), 0);
    ASSERT_EQ(push(VCPU_EVENT_INTERRUPT, 0x20), 0);
    ASSERT_EQ(push(VCPU_EVENT_EXCEPTION, 14), 0);
    EXPECT_EQ(vectors(), (std::vector<int>{14, 2, 0x30, 0x20}));
}

TEST_F(VcpuEvq, TheDivideErrorIsAVectorLikeAnyOther)
{
    vcpu_event event;

    ASSERT_EQ(push(VCPU_EVENT_EXCEPTION, 0), 0);
    ASSERT_TRUE(vcpu_evq_peek(&queue, &event));
    EXPECT_EQ(event.vector, 0);
}

TEST_F(VcpuEvq, RefusesWhatDoesNotExist)
{
    EXPECT_EQ(push(VCPU_EVENT_EXCEPTION, 32), -EINVAL);
    EXPECT_EQ(push(VCPU_NUM_EVENT_KINDS, 0), -EINVAL);
    EXPECT_TRUE(vectors().empty());
}

TEST_F(VcpuEvq, OverflowIsAnError)
{
    for (uint8_t i = 0; i < VCPU_EVQ_SIZE; i++)
        ASSERT_EQ(push(VCPU_EVENT_INTERRUPT, i), 0);
    EXPECT_EQ(push(VCPU_EVENT_EXCEPTION, 0), -ENOSPC);
    EXPECT_EQ(vectors().size(), static_cast<size_t>(VCPU_EVQ_SIZE));
}

TEST_F(VcpuEvq, RemovesTheOneThatIsMeant)
{
    vcpu_event event = {VCPU_EVENT_INTERRUPT, 0x31, 0, 0, 0};

    ASSERT_EQ(push(VCPU_EVENT_INTERRUPT, 0x30), 0);
    ASSERT_EQ(push(VCPU_EVENT_INTERRUPT, 0x31), 0);
    EXPECT_EQ(vcpu_evq_remove(&queue, &event), 1u);
    EXPECT_EQ(vcpu_evq_remove(&queue, &event), 1u) << "not there: nothing";
    EXPECT_EQ(vectors(), (std::vector<int>{0x30}));
    vcpu_evq_clear(&queue);
    EXPECT_FALSE(vcpu_evq_peek(&queue, &event));
}

TEST_F(VcpuEvq, TakesFromManyThreads)
{
    std::vector<std::thread> threads;

    for (int i = 0; i < 4; i++)
        threads.emplace_back([this] {
            for (int j = 0; j < 1000; j++) {
                vcpu_event event = {VCPU_EVENT_NMI, 2, 0, 0, 0};

                if (!vcpu_evq_push(&queue, &event))
                    vcpu_evq_remove(&queue, &event);
            }
        });
    for (auto &thread : threads)
        thread.join();
    EXPECT_TRUE(vectors().empty());
}

TEST(VcpuEventName, EachKindHasOne)
{
    EXPECT_STREQ(vcpu_event_name(VCPU_EVENT_SIPI), "sipi");
    EXPECT_STREQ(vcpu_event_name(VCPU_NUM_EVENT_KINDS), "?");
}
