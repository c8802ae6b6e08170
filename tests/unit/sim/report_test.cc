// SPDX-License-Identifier: BSD-3-Clause
#include "sim/report.h"

#include <utility>
#include <vector>

#include "sim/ring.h"
#include "sim/root.h"
#include "toy_tree.h"

class ReportTest : public ToyTree
{
  protected:
    std::vector<std::string> messages;
    sim_object *obj = nullptr;

    void SetUp() override
    {
        sim_host host = {};

        host.ctx = &messages;
        host.message = [](void *ctx, const char *level, const char *text) {
            static_cast<std::vector<std::string> *>(ctx)->push_back(
                std::string(level) + "|" + text);
        };
        host.fatal = [](void *, const char *text) {
            throw std::runtime_error(text);
        };
        sim = sim_create(&host);
        root = sim_object_create(sim, &root_type, nullptr, "root", nullptr);
        obj = add(plain_type, root, "uart", "fs.py:5");
    }
};

TEST_F(ReportTest, FatalNamesTheObjectAndTheLineThatCreatedIt)
{
    EXPECT_EQ(fatal_text([this] { sim_fatal(obj, "no %s", "disk"); }),
              "uart: no disk\n  created at fs.py:5");
    EXPECT_EQ(fatal_text([this] { sim_fatal(root, "odd"); }), "root: odd");
}

TEST_F(ReportTest, FatalOfAParameterNamesTheLineThatSetIt)
{
    sim_value value = {};

    EXPECT_EQ(
        fatal_text([this] { sim_fatal_param(obj, "eventq_index", "too odd"); }),
        "uart: too odd\n  created at fs.py:5");
    value.u = 1;
    sim_param_set(obj, sim_param_find(obj->type, "eventq_index"), &value,
                  "fs.py:9");
    EXPECT_EQ(
        fatal_text([this] { sim_fatal_param(obj, "eventq_index", "too odd"); }),
        "uart: too odd\n  set at fs.py:9");
}

TEST_F(ReportTest, MessagesGoToTheHostWithTheirLevel)
{
    sim_warn(obj, "half %d", 50);
    sim_inform(obj, "hello");
    EXPECT_EQ(messages, (std::vector<std::string>{"warn|uart: half 50",
                                                  "info|uart: hello"}));
}

TEST_F(ReportTest, AGuestErrorIsShownOncePerSiteAndObjectButCountedAlways)
{
    static const char *const bad_read = "bad read of %#x";
    sim_object *other = add(plain_type, root, "other");

    for (unsigned i = 0; i < 1000; i++) {
        sim_guest_error(obj, "bad read of %#x", i);
        sim_guest_error(obj, "bad write");
    }
    sim_guest_error(other, bad_read, 7u);
    EXPECT_EQ(messages.size(), 3u);
    EXPECT_EQ(messages.front(), "guest error|uart: bad read of 0");
    EXPECT_EQ(messages.back(), "guest error|other: bad read of 0x7");
    EXPECT_EQ(sim_guest_errors(sim), 2001u);
    EXPECT_EQ(sim_unimplemented_uses(sim), 0u);
}

TEST_F(ReportTest, WhatIsMissingGoesOnUnlessTheRunIsStrict)
{
    sim_init(sim);
    sim_startup(sim);
    sim_unimplemented(obj, "DMA");
    EXPECT_EQ(messages.back(), "unimplemented|uart: DMA");
    EXPECT_STREQ(sim_simulate(sim, 10).cause, "simulate() limit reached");
    EXPECT_EQ(sim_unimplemented_uses(sim), 1u);
}

TEST_F(ReportTest, WhatIsMissingEndsAStrictRunWithAnExit)
{
    reinterpret_cast<struct root *>(root)->strict = true;
    sim_init(sim);
    sim_startup(sim);
    sim_unimplemented(obj, "DMA of %d bits", 64);
    sim_exit exit = sim_simulate(sim, 10);
    EXPECT_STREQ(exit.cause, "unimplemented: uart: DMA of 64 bits");
    EXPECT_EQ(exit.code, 1);
    EXPECT_EQ(exit.tick, 0u);
}

using ReportDeathTest = ReportTest;

TEST_F(ReportDeathTest, PanicPrintsTickPathAndTheLastRecordsAndAborts)
{
    sim_note(obj, "opened");
    sim_warn(obj, "almost empty");
    EXPECT_DEATH(sim_panic(obj, "%d bytes gone", 3),
                 "trace: last records of uart.*"
                 "trace:       0: uart: opened\n"
                 "trace:       0: uart: warn: almost empty\n"
                 "panic: tick 0: uart: 3 bytes gone");
}

TEST(ReportDeath, WithoutAHostFatalExitsWithStatusOne)
{
    struct sim *sim = sim_create(nullptr);
    sim_object *root =
        sim_object_create(sim, &plain_type, nullptr, "root", "run.py:1");

    EXPECT_EXIT(sim_fatal(root, "no"), testing::ExitedWithCode(1),
                "fatal: root: no\n  created at run.py:1");
    EXPECT_EXIT(sim_fatal(nullptr, "no sim"), testing::ExitedWithCode(1),
                "fatal: gearshift: no sim");
    EXPECT_DEATH(sim_panic(nullptr, "no object"), "panic: no object");
    testing::internal::CaptureStderr();
    sim_warn(root, "careful");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "warn: root: careful\n");
    sim_destroy(sim);
}
