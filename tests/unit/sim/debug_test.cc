// SPDX-License-Identifier: BSD-3-Clause
#include "sim/debug.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "running_tree.h"
#include "sim/ring.h"

class DebugTest : public RunningTree
{
  protected:
    std::string path = testing::TempDir() + "debug_test.out";
    sim_object *obj = nullptr;

    void SetUp() override
    {
        RunningTree::SetUp();
        obj = add(plain_type, root, "cpu");
        ASSERT_EQ(debug_open(path.c_str()), 0);
    }

    void TearDown() override
    {
        for (auto flag = debug_flags; *flag; flag++)
            (*flag)->is_on = false;
        debug_set_window(0, TICK_MAX);
        debug_select_all();
        debug_close();
        std::filesystem::remove(path);
        RunningTree::TearDown();
    }

    std::string output() const
    {
        debug_flush();
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
};

TEST_F(DebugTest, FlagsAreSortedAndDescribed)
{
    const char *last = "";

    for (auto flag = debug_flags; *flag; flag++) {
        EXPECT_GT(strlen((*flag)->doc), 5u) << (*flag)->name;
        EXPECT_LT(strcmp(last, (*flag)->name), 0) << (*flag)->name;
        last = (*flag)->name;
    }
}

TEST_F(DebugTest, MembersOfCompoundFlagsExist)
{
    for (auto flag = debug_flags; *flag; flag++)
        if ((*flag)->members && *flag != &debug_All) {
            EXPECT_EQ(debug_set((*flag)->name, true), 0) << (*flag)->name;
            EXPECT_TRUE((*flag)->is_on);
        }
    EXPECT_TRUE(debug_SyscallBase.is_on);
    EXPECT_TRUE(debug_SyscallVerbose.is_on);
    EXPECT_FALSE(debug_Exec.is_on);
}

TEST_F(DebugTest, AnUnknownFlagIsRefused)
{
    EXPECT_EQ(debug_set("NoSuchFlag", true), -ENOENT);
}

TEST_F(DebugTest, ATraceAppearsOnlyWhileItsFlagIsOn)
{
    TRACE(Exec, obj, "hidden");
    EXPECT_EQ(debug_set("Exec", true), 0);
    TRACE(Exec, obj, "mov %s, %d", "rax", 5);
    TRACE(Faults, obj, "hidden too");
    EXPECT_EQ(debug_set("Exec", false), 0);
    TRACE(Exec, obj, "hidden again");
    EXPECT_EQ(output(), "      0: cpu: mov rax, 5\n");
}

TEST_F(DebugTest, TheArgumentsOfASilentTraceAreNotEvaluated)
{
    int calls = 0;

    TRACE(Exec, obj, "%d", ++calls);
    EXPECT_EQ(calls, 0);
}

TEST_F(DebugTest, TracesCarryTheTickAndStayInsideTheWindow)
{
    Action event([&](tick_t now) {
        TRACE(Exec, obj, "at\n");
        eventq_schedule(sim_eventq(sim), &event.event, now + 10);
    });

    debug_set("Exec", true);
    debug_set_window(20, 30);
    start();
    eventq_schedule(sim_eventq(sim), &event.event, 10);
    sim_simulate(sim, 50);
    EXPECT_EQ(output(), "     20: cpu: at\n     30: cpu: at\n");
}

TEST_F(DebugTest, TheFlagAllStandsForEveryFlag)
{
    EXPECT_EQ(debug_set("All", true), 0);
    for (auto flag = debug_flags; *flag; flag++)
        EXPECT_TRUE((*flag)->is_on || (*flag)->members) << (*flag)->name;
    EXPECT_EQ(debug_set("All", false), 0);
    EXPECT_FALSE(debug_Exec.is_on);
}

TEST_F(DebugTest, OnlyActivatedObjectsAndThoseBelowThemArePrinted)
{
    auto tlb = add(plain_type, obj, "tlb");
    auto other = add(plain_type, root, "cpu2");

    debug_set("Exec", true);
    debug_select(DEBUG_ACTIVATE, "nothing");
    debug_select(DEBUG_ACTIVATE, "cpu");
    TRACE(Exec, root, "no");
    TRACE(Exec, obj, "yes");
    TRACE(Exec, tlb, "below");
    TRACE(Exec, other, "no");
    EXPECT_EQ(output(), "      0: cpu: yes\n      0: cpu.tlb: below\n");
}

TEST_F(DebugTest, IgnoredObjectsStaySilentEvenWhenActivated)
{
    auto tlb = add(plain_type, obj, "tlb");
    auto cache = add(plain_type, obj, "cache");

    debug_set("Exec", true);
    debug_select(DEBUG_ACTIVATE, "cpu");
    debug_select(DEBUG_IGNORE, "*.tlb");
    TRACE(Exec, obj, "self");
    TRACE(Exec, tlb, "ignored");
    TRACE(Exec, cache, "kept");
    EXPECT_EQ(output(), "      0: cpu: self\n      0: cpu.cache: kept\n");
}

TEST_F(DebugTest, TheFlagEventNamesWhatIsServed)
{
    debug_set("Event", true);
    start();
    sim_exit_at(sim, "over", 0, 40, 0);
    sim_simulate(sim, 100);
    /* The time is that of the event before. */
    EXPECT_EQ(output(), "      0: root: exit at 40\n");
}

TEST_F(DebugTest, TracesStayInTheRingOfTheObject)
{
    std::string last;

    debug_set("Exec", true);
    TRACE(Exec, obj, "one");
    TRACE(Exec, obj, "two");
    trace_ring_visit(
        obj->ring,
        [](void *ctx, tick_t, const char *text) {
            *static_cast<std::string *>(ctx) = text;
        },
        &last);
    EXPECT_EQ(last, "two");
    EXPECT_EQ(root->ring, nullptr);
}

TEST_F(DebugTest, AFileNamedGzIsCompressed)
{
    std::string zip = path + ".gz";
    char text[100] = "";

    ASSERT_EQ(debug_open(zip.c_str()), 0);
    debug_set("Exec", true);
    TRACE(Exec, obj, "packed");
    debug_close();
    std::ifstream raw(zip, std::ios::binary);
    EXPECT_EQ(raw.get(), 0x1f);
    gzFile file = gzopen(zip.c_str(), "rb");
    ASSERT_GT(gzread(file, text, sizeof text - 1), 0);
    EXPECT_STREQ(text, "      0: cpu: packed\n");
    gzclose(file);
    std::filesystem::remove(zip);
}

TEST_F(DebugTest, AFileThatCannotBeOpenedIsAnError)
{
    EXPECT_EQ(debug_open("/no/such/folder/trace"), -ENOENT);
    EXPECT_EQ(debug_open("/no/such/folder/trace.gz"), -ENOENT);
}

TEST_F(DebugTest, CoutAndCerrAreTheStandardStreams)
{
    debug_set("Exec", true);
    ASSERT_EQ(debug_open("cerr"), 0);
    testing::internal::CaptureStderr();
    TRACE(Exec, obj, "to stderr");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "      0: cpu: to stderr\n");
    ASSERT_EQ(debug_open("cout"), 0);
    testing::internal::CaptureStdout();
    TRACE(Exec, obj, "to stdout");
    debug_flush();
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "      0: cpu: to stdout\n");
}
