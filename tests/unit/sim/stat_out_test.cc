/* SPDX-License-Identifier: BSD-3-Clause */
/* Outputs of the statistics of a simulation, and their schedule. */
#include "sim/stat_out.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "sim/sim.h"
#include "sim/stat_text.h"
#include "stat_objects.h"

namespace fs = std::filesystem;

class StatOut : public ::testing::Test
{
  protected:
    StatOut()
        : type({make_stat("n", "", "", SIM_STAT_U64,
                          offsetof(StatObject, count))})
    {
    }
    void SetUp() override
    {
        sim_host host = {};
        std::string name = fs::temp_directory_path() / "stat_out.XXXXXX";

        ASSERT_NE(mkdtemp(name.data()), nullptr);
        dir = name;
        host.fatal = [](void *, const char *text) {
            throw std::runtime_error(text);
        };
        sim = sim_create(&host);
        sim_set_outdir(sim, dir.c_str());
        root = sim_object_create(sim, &type.type, nullptr, "root", nullptr);
        out = sim_stat_out(sim);
    }
    void TearDown() override
    {
        sim_destroy(sim);
        fs::remove_all(dir);
    }
    void run(tick_t ticks)
    {
        if (!is_started) {
            sim_init(sim);
            sim_reset(sim);
            sim_startup(sim);
        }
        is_started = true;
        sim_simulate(sim, ticks);
    }
    uint64_t &count() const
    {
        return reinterpret_cast<StatObject *>(root)->count;
    }
    std::string content(const std::string &name) const
    {
        std::stringstream all;

        all << std::ifstream(dir / name).rdbuf();
        return all.str();
    }
    /* "n 5" for each dump of a text without alignment. */
    std::string values(const std::string &name) const
    {
        std::stringstream lines(content(name));
        std::string line, all;

        while (std::getline(lines, line))
            if (line.substr(0, 2) == "n ")
                all += line + ";";
        return all;
    }
    StatType type;
    fs::path dir;
    struct sim *sim = nullptr;
    sim_object *root = nullptr;
    stat_out *out = nullptr;
    bool is_started = false;
};

TEST_F(StatOut, AddingAnOutputEmptiesItsFile)
{
    std::ofstream(dir / "stats.txt") << "old";
    ASSERT_EQ(stat_out_add_text(out, "stats.txt", STAT_TEXT_DEFAULT), 0);
    ASSERT_EQ(stat_out_add_json(out, "stats.json"), 0);
    EXPECT_EQ(content("stats.txt"), "");
    EXPECT_EQ(content("stats.json"), "[\n]\n");
}

TEST_F(StatOut, SeveralOutputsGetEveryDump)
{
    ASSERT_EQ(stat_out_add_text(out, "a.txt", 0), 0);
    ASSERT_EQ(stat_out_add_text(out, "b.txt", STAT_TEXT_DEFAULT), 0);
    ASSERT_EQ(stat_out_add_text(out, (dir / "c.txt").c_str(), 0), 0);
    count() = 5;
    ASSERT_EQ(stat_out_dump(out), 0);
    EXPECT_EQ(values("a.txt"), "n 5;");
    EXPECT_EQ(content("c.txt"), content("a.txt"));
    EXPECT_NE(content("b.txt").find("           5"), std::string::npos);
}

TEST_F(StatOut, ASecondDumpAtOneTickWritesNothing)
{
    ASSERT_EQ(stat_out_add_text(out, "s", 0), 0);
    ASSERT_EQ(stat_out_dump(out), 0);
    ASSERT_EQ(stat_out_dump(out), 0);
    EXPECT_EQ(values("s"), "n 0;");
    run(1);
    ASSERT_EQ(stat_out_dump(out), 0);
    EXPECT_EQ(values("s"), "n 0;n 0;");
}

TEST_F(StatOut, ASubtreeMayBeDumpedAtAnyTime)
{
    sim_object_create(sim, &type.type, root, "cpu", nullptr);
    ASSERT_EQ(stat_out_add_text(out, "s", 0), 0);
    ASSERT_EQ(stat_out_dump_below(out, root->first_child), 0);
    ASSERT_EQ(stat_out_dump_below(out, root->first_child), 0);
    EXPECT_NE(content("s").find("cpu.n 0\n"), content("s").rfind("cpu.n 0\n"));
    EXPECT_EQ(values("s"), "");
}

TEST_F(StatOut, ResetZeroesAndStartsANewInterval)
{
    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    count() = 5;
    run(100);
    stat_out_reset(out);
    EXPECT_EQ(count(), 0u);
    run(100);
    ASSERT_EQ(stat_out_dump(out), 0);
    EXPECT_NE(content("j").find("\"simulated_begin_time\": 100,\n"
                                "    \"simulated_end_time\": 200,"),
              std::string::npos);
}

TEST_F(StatOut, ScheduledEventsDumpThenResetAndRepeat)
{
    ASSERT_EQ(stat_out_add_text(out, "s", 0), 0);
    count() = 7;
    stat_out_schedule(out, STAT_DUMP | STAT_RESET, 10, 20);
    stat_out_schedule(out, STAT_DUMP, 35, 0);
    run(40);
    EXPECT_EQ(values("s"), "n 7;n 0;n 0;");
    stat_out_schedule(out, STAT_RESET, 45, 0);
    count() = 3;
    run(8);
    EXPECT_EQ(count(), 0u);
    EXPECT_EQ(values("s"), "n 7;n 0;n 0;");
}

TEST_F(StatOut, PeriodicDumpsStartAtThePeriodAndStopWithZero)
{
    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    stat_out_periodic(out, 10);
    stat_out_periodic(out, 30);
    run(65);
    for (const char *end : {"\": 30,", "\": 60,"})
        EXPECT_NE(content("j").find("\"simulated_end_time" + std::string(end)),
                  std::string::npos);
    EXPECT_EQ(content("j").find("\"simulated_end_time\": 10,"),
              std::string::npos);
    stat_out_periodic(out, 20);
    run(30);
    EXPECT_NE(content("j").find("\"simulated_end_time\": 85,"),
              std::string::npos);
    std::string before = content("j");
    stat_out_periodic(out, 0);
    run(100);
    EXPECT_EQ(content("j"), before);
}

TEST_F(StatOut, EventsThatAJumpOfTimeSkipsAreMovedIntoTheFuture)
{
    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    stat_out_periodic(out, 50);
    stat_out_schedule(out, STAT_DUMP, 2000, 0);
    stat_out_rebase(out, 1000);
    sim_set_now(sim, 1000);
    run(60);
    EXPECT_NE(content("j").find("\"simulated_end_time\": 1050,"),
              std::string::npos);
    stat_out_periodic(out, 0);
    run(1000);
    EXPECT_NE(content("j").find("\"simulated_end_time\": 2000,"),
              std::string::npos);
}

TEST_F(StatOut, JsonIsACompleteListAfterEveryDump)
{
    std::string python = "/usr/bin/python3 -c 'import json, sys;"
                         "sys.exit(len(json.load(open(sys.argv[1]))))' ";

    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    for (int dumps = 1; dumps <= 3; dumps++) {
        run(10);
        ASSERT_EQ(stat_out_dump(out), 0);
        int status = system((python + (dir / "j").string()).c_str());
        EXPECT_EQ(WEXITSTATUS(status), dumps);
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(dir), {}), 1);
}

TEST_F(StatOut, ALongListIsWrittenInLargeStepsAndCompletedByAFlush)
{
    static const std::string doc(1 << 20, 'x');
    sim_stat row = make_stat("n", doc.c_str(), "", SIM_STAT_U64,
                             offsetof(StatObject, count));
    StatType big({row});
    size_t steps = 0, last = 0;

    sim_object *child = sim_object_create(sim, &big.type, root, "big", nullptr);
    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    for (int i = 0; i < 30; i++) {
        ASSERT_EQ(stat_out_dump_below(out, child), 0);
        size_t size = fs::file_size(dir / "j");

        steps += size != last;
        last = size;
        ASSERT_EQ(content("j").substr(size - 4), "}\n]\n");
    }
    EXPECT_LT(steps, 20u);
    ASSERT_EQ(stat_out_flush(out), 0);
    EXPECT_GT(fs::file_size(dir / "j"), 30u << 20);
    sim_destroy(sim);
    sim = nullptr;
}

TEST_F(StatOut, AFileThatCannotBeOpenedIsAnError)
{
    EXPECT_EQ(stat_out_add_text(out, "no/such/dir", 0), -ENOENT);
    std::ofstream(dir / "file") << "";
    EXPECT_EQ(stat_out_add_json(out, "file/j"), -ENOTDIR);
    EXPECT_EQ(stat_out_dump(out), 0);
}

TEST_F(StatOut, AFullDiskStopsAScheduledDumpWithAMessage)
{
    ASSERT_EQ(stat_out_add_text(out, "/dev/full", 0), 0);
    ASSERT_EQ(stat_out_add_text(out, "s", 0), 0);
    EXPECT_EQ(stat_out_dump(out), -ENOSPC);
    EXPECT_EQ(values("s"), "n 0;");
    stat_out_periodic(out, 10);
    try {
        run(20);
        FAIL();
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find("cannot write the statistics"),
                  std::string::npos);
    }
}

TEST_F(StatOut, AChildWithItsOwnDirectoryStartsAnew)
{
    ASSERT_EQ(stat_out_add_text(out, "s", 0), 0);
    ASSERT_EQ(stat_out_add_json(out, "j"), 0);
    ASSERT_EQ(stat_out_dump(out), 0);
    std::string parent = content("s");
    fs::create_directory(dir / "child");
    sim_set_outdir(sim, (dir / "child").c_str());
    ASSERT_EQ(stat_out_reopen(out), 0);
    run(5);
    ASSERT_EQ(stat_out_dump(out), 0);
    EXPECT_EQ(content("s"), parent);
    EXPECT_EQ(values("child/s"), "n 0;");
    EXPECT_NE(content("child/j").find("\"simulated_end_time\": 5,"),
              std::string::npos);
}
