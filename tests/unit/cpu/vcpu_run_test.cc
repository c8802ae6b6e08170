// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "vcpu_dummy.h"

using VcpuRun = DummyTest;
using VcpuService = DummyTest;
using VcpuEvents = DummyTest;
using VcpuThreads = DummyTest;

TEST_F(VcpuRun, EachKindOfExitHasItsState)
{
    make_ready();
    for (int kind = 0; kind < VCPU_NUM_EXITS; kind++) {
        vcpu_state state;

        run_to(static_cast<vcpu_exit_kind>(kind));
        state = vcpu_state_of(cpu);
        switch (kind) {
        case VCPU_EXIT_HALT:
            EXPECT_EQ(state, VCPU_BLOCKED);
            vcpu_wake(cpu);
            break;
        case VCPU_EXIT_IO_IN:
        case VCPU_EXIT_IO_OUT:
        case VCPU_EXIT_MMIO_RD:
        case VCPU_EXIT_MMIO_WR:
        case VCPU_EXIT_MSR_RD:
        case VCPU_EXIT_MSR_WR:
        case VCPU_EXIT_HYPERCALL:
        case VCPU_EXIT_NESTED_PF:
            EXPECT_EQ(state, VCPU_SERVICE);
            EXPECT_EQ(vcpu_complete(cpu, &exit), 0);
            break;
        default:
            EXPECT_EQ(state, VCPU_READY);
        }
    }
}

TEST_F(VcpuRun, AKindBeyondTheEnumIsUnknownWithItsRawCode)
{
    vcpu_exit odd = {};

    odd.kind = 1000;
    odd.raw = 4711;
    make_ready();
    dummy.exits.push_back(odd);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_UNKNOWN);
    EXPECT_EQ(exit.raw, 4711u);
}

TEST_F(VcpuRun, AnErrorIsNotAnExit)
{
    make_ready();
    dummy.errors["run"] = -EFAULT;
    EXPECT_EQ(run(), -EFAULT);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_INVALID);
    EXPECT_NE(error().find("run() of dummy failed: Bad address"),
              std::string::npos)
        << error();
}

TEST_F(VcpuRun, IsRunningOnlyInside)
{
    make_ready();
    dummy.inside = [](vcpu *v) {
        EXPECT_TRUE(vcpu_is_running(v));
        EXPECT_EQ(vcpu_current(), v);
    };
    EXPECT_EQ(vcpu_current(), nullptr);
    EXPECT_EQ(run(), 0);
    EXPECT_FALSE(vcpu_is_running(cpu));
    EXPECT_EQ(vcpu_current(), nullptr);
}

TEST_F(VcpuRun, AKickBeforeTheRunIsNotLost)
{
    make_ready();
    vcpu_kick(cpu);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INTR);
    EXPECT_EQ(count("run"), 0u);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INST_STOP);
}

TEST_F(VcpuRun, AKickInsideTheRunEndsIt)
{
    make_ready();
    dummy.inside = [](vcpu *v) { vcpu_kick(v); };
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INTR);
    dummy.inside = nullptr;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INST_STOP) << "one kick, one exit";
}

TEST_F(VcpuRun, AKickDoesNotLoseWhatWasServed)
{
    bring_to(VCPU_COMPLETE);
    vcpu_kick(cpu);
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INTR);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_COMPLETE);
    dummy.inside = [](vcpu *v) { EXPECT_TRUE(v->is_served); };
    EXPECT_EQ(run(), 0);
}

TEST_F(VcpuRun, AnExceptionOfCxxInvalidatesAndFreesTheThread)
{
    DummyVcpu second;

    make_ready();
    dummy.inside = [](vcpu *) { throw std::runtime_error("hook"); };
    EXPECT_THROW((void)run(), std::runtime_error);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_INVALID);
    EXPECT_EQ(vcpu_current(), nullptr);
}

TEST_F(VcpuRun, TracedRunsGoToTheRing)
{
    std::string text;
    auto add = [](void *ctx, tick_t, const char *record) {
        *static_cast<std::string *>(ctx) += std::string(record) + "\n";
    };

    make_ready();
    ASSERT_EQ(run(11), 0);
    vcpu_trace_runs(cpu, 1);
    ASSERT_EQ(run(22), 0);
    vcpu_trace_runs(cpu, 0);
    ASSERT_EQ(run(33), 0);
    vcpu_log(cpu, "said by hand");
    trace_ring_visit(cpu->ring, add, &text);
    EXPECT_EQ(text, "vCPU 0.0: dummy\n"
                    "INVALID -> CREATED\n"
                    "CREATED -> FREE\n"
                    "FREE -> READY\n"
                    "exit INST_STOP raw=0 insts=22\n"
                    "said by hand\n");
}

/* ----------------------------------------------------- accesses and handlers
 */

TEST_F(VcpuService, TheNextRunGetsWhatWasServed)
{
    bring_to(VCPU_SERVICE);
    exit.u.mmio.data[0] = 42;
    ASSERT_EQ(vcpu_complete(cpu, &exit), 0);
    dummy.inside = [](vcpu *v) {
        EXPECT_TRUE(v->is_served);
        EXPECT_EQ(v->served.u.mmio.data[0], 42);
    };
    ASSERT_EQ(run(0), 0);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
    EXPECT_EQ(count("run(0)"), 1u);
    dummy.inside = [](vcpu *v) { EXPECT_FALSE(v->is_served); };
    ASSERT_EQ(run(), 0);
}

TEST_F(VcpuService, WaitsForTheLastResponse)
{
    bring_to(VCPU_SERVICE);
    EXPECT_EQ(vcpu_wait(cpu, 0), -EINVAL);
    ASSERT_EQ(vcpu_wait(cpu, 3), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(vcpu_state_of(cpu), VCPU_MMIO_WAIT);
        EXPECT_EQ(run(), -EBADFD);
        EXPECT_EQ(vcpu_respond(cpu, &exit), 0);
    }
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_COMPLETE);
}

TEST_F(VcpuService, WhatTheHandlerServesNeverReachesTheCaller)
{
    vcpu_exit io = {};

    io.kind = VCPU_EXIT_IO_OUT;
    io.insts = 10;
    make_ready();
    vcpu_set_exit_handler(
        cpu,
        [](void *, vcpu *v, vcpu_exit *e) {
            EXPECT_TRUE(vcpu_is_running(v));
            return e->kind == VCPU_EXIT_IO_OUT ? 1 : 0;
        },
        nullptr);
    dummy.exits = {io, io, io};
    ASSERT_EQ(run(100), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INST_STOP);
    EXPECT_EQ(exit.insts, 70u);
    EXPECT_EQ(cpu->num_builtin_exits, 3u);
}

TEST_F(VcpuService, AUsedUpBudgetIsNothing)
{
    vcpu_exit io = {};

    io.kind = VCPU_EXIT_IO_IN;
    io.insts = 10;
    make_ready();
    vcpu_set_exit_handler(
        cpu, [](void *, vcpu *, vcpu_exit *) { return 1; }, nullptr);
    dummy.exits = {io};
    ASSERT_EQ(run(10), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_NOTHING);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
    EXPECT_EQ(count("run(0)"), 1u) << "the read was taken in";
}

TEST_F(VcpuService, AHandlersErrorIsAnExit)
{
    make_ready();
    vcpu_set_exit_handler(
        cpu, [](void *, vcpu *, vcpu_exit *) { return -ENOSYS; }, nullptr);
    ASSERT_EQ(run(10), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INTERNAL_ERROR);
    EXPECT_EQ(exit.raw, static_cast<uint32_t>(ENOSYS));
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
}

/* ------------------------------------------------------------------- events */

static vcpu_event interrupt(uint8_t vector)
{
    return {VCPU_EVENT_INTERRUPT, vector, 0, 0, 0};
}

TEST_F(VcpuEvents, OnePerEntryInOrderOfKind)
{
    vcpu_event events[] = {
        interrupt(0x30),
        {VCPU_EVENT_NMI,       2, 0, 0, 0},
        {VCPU_EVENT_EXCEPTION, 0, 0, 0, 0}
    };

    make_ready();
    for (const auto &event : events)
        ASSERT_EQ(vcpu_queue_event(cpu, &event), 0);
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(run(), 0);
        ASSERT_EQ(exit.kind, VCPU_EXIT_INST_STOP);
    }
    ASSERT_EQ(dummy.injected.size(), 3u);
    EXPECT_EQ(dummy.injected[0].kind, VCPU_EVENT_EXCEPTION);
    EXPECT_EQ(dummy.injected[1].kind, VCPU_EVENT_NMI);
    EXPECT_EQ(dummy.injected[2].vector, 0x30);
    EXPECT_EQ(cpu->attention, 0u) << "a plain run again";
}

TEST_F(VcpuEvents, WhatCannotBeTakenOpensAWindow)
{
    vcpu_event event = interrupt(0x40);

    make_ready();
    dummy.is_deaf = true;
    ASSERT_EQ(vcpu_queue_event(cpu, &event), 0);
    ASSERT_EQ(run(), 0);
    ASSERT_EQ(run(), 0);
    EXPECT_EQ(count("window"), 1u);
    EXPECT_TRUE(dummy.injected.empty());
    dummy.is_deaf = false;
    ASSERT_EQ(run(), 0);
    EXPECT_EQ(count("no window"), 1u);
    EXPECT_EQ(dummy.injected.size(), 1u);
}

TEST_F(VcpuEvents, WakeTheBlocked)
{
    vcpu_event event = interrupt(0x40);
    int woken = 0;

    bring_to(VCPU_BLOCKED);
    vcpu_set_wake_handler(
        cpu, [](void *ctx, vcpu *) { ++*static_cast<int *>(ctx); }, &woken);
    ASSERT_EQ(vcpu_queue_event(cpu, &event), 0);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
    EXPECT_EQ(woken, 1);
}

TEST_F(VcpuEvents, OneThatComesWhileTheGuestFallsAsleepWakesIt)
{
    make_ready();
    dummy.inside = [](vcpu *v) {
        vcpu_event event = interrupt(0x40);

        ASSERT_EQ(vcpu_queue_event(v, &event), 0);
    };
    run_to(VCPU_EXIT_HALT);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
}

TEST_F(VcpuEvents, AMaskedOneDoesNotKeepTheGuestAwake)
{
    vcpu_event event = interrupt(0x40);

    make_ready();
    dummy.is_deaf = true;
    ASSERT_EQ(vcpu_queue_event(cpu, &event), 0);
    run_to(VCPU_EXIT_HALT);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_BLOCKED);
}

TEST_F(VcpuEvents, ACutOffDeliveryIsFirstNextTime)
{
    vcpu_event first = interrupt(0x40), second = interrupt(0x41);

    make_ready();
    ASSERT_EQ(vcpu_queue_event(cpu, &first), 0);
    ASSERT_EQ(vcpu_queue_event(cpu, &second), 0);
    ASSERT_EQ(run(), 0);
    ASSERT_EQ(vcpu_requeue_event(cpu, &first), 0);
    ASSERT_EQ(run(), 0);
    ASSERT_EQ(dummy.injected.size(), 2u);
    EXPECT_EQ(dummy.injected[1].vector, 0x40);
}

TEST_F(VcpuEvents, NeedAVcpuThatLives)
{
    vcpu_event event = interrupt(0x40);

    EXPECT_EQ(vcpu_queue_event(cpu, &event), -EBADFD);
}

/* ------------------------------------------------------------------ threads */

TEST_F(VcpuThreads, FiniAndHltStopARunningOne)
{
    std::atomic<bool> is_up{false};
    std::atomic<bool> is_over{false};

    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    ASSERT_EQ(setup(), 0);
    std::thread owner([&] {
        ASSERT_EQ(vcpu_bind(cpu), 0);
        for (;;) {
            int result = run(1);

            is_up = true;
            if (result)
                break;
        }
        is_over = true;
    });
    while (!is_up)
        std::this_thread::yield();
    ASSERT_EQ(vcpu_hlt(cpu, nullptr), 0);
    EXPECT_EQ(vcpu_fini(cpu, nullptr), 0);
    owner.join();
    EXPECT_TRUE(is_over);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_CREATED);
    EXPECT_EQ(count("unbind"), 1u);
}

static vcpu *kicked_by_signal;

TEST_F(VcpuThreads, AKickFromASignalHandlerIsSeen)
{
    make_ready();
    kicked_by_signal = cpu;
    auto old = signal(SIGUSR2, [](int) { vcpu_kick(kicked_by_signal); });
    dummy.inside = [](vcpu *) { (void)raise(SIGUSR2); };
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INTR);
    (void)signal(SIGUSR2, old);
}
