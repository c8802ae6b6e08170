/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.txt against lines that gem5 v21 to v24 printed (hello world on a timing
 * CPU with two cache levels, as its documentation shows it).  The samples of
 * the histogram were recovered from its printed buckets and moments: only one
 * multiset of 64-byte multiples gives them.
 */
#include "sim/stat_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stat_objects.h"

static std::string text_of(StatNode &node, uint32_t options = STAT_TEXT_DEFAULT,
                           tick_t now = 0)
{
    StatGroup group(node);

    return capture(
        [&](FILE *out) { stat_text_write(out, group.top, now, options); });
}

static std::string framed(const std::string &lines)
{
    return "\n---------- Begin Simulation Statistics ----------\n" + lines +
           "\n---------- End Simulation Statistics   ----------\n";
}

#define AT(member) offsetof(StatObject, member)

TEST(StatText, AnEmptyTreeIsAHeaderAndAFooter)
{
    StatType type({});
    StatNode root(type);

    EXPECT_EQ(text_of(root), framed(""));
}

TEST(StatText, ScalarsHaveTheLayoutOfGem5)
{
    StatType type({
        make_stat("simSeconds", "Number of seconds simulated", "Second",
                  SIM_STAT_F64, AT(number)),
        make_stat("simTicks", "Number of ticks simulated", "Tick", SIM_STAT_U64,
                  AT(count)),
        make_formula("simFreq", "The number of ticks per simulated second",
                     "(Tick/Second)",
                     [](const sim_object *, uint32_t) { return 1e12; }),
    });
    StatNode root(type);

    root.object.number = 0.000057467;
    root.object.count = 57467000;
    EXPECT_EQ(
        text_of(root),
        framed("simSeconds                                   0.000057"
               "                       # Number of seconds simulated (Second)\n"
               "simTicks                                     57467000"
               "                       # Number of ticks simulated (Tick)\n"
               "simFreq                                  1000000000000"
               "                       # The number of ticks per simulated "
               "second ((Tick/Second))\n"));
}

TEST(StatText, PrecisionFixesTheDigits)
{
    sim_stat seconds = make_stat("hostSeconds", "Real time elapsed on the host",
                                 "Second", SIM_STAT_F64, AT(number));
    sim_stat rate = make_formula(
        "system.mem_ctrl.avgRdBWSys", "Average system read bandwidth in Byte/s",
        "(Byte/Second)",
        [](const sim_object *, uint32_t) { return 403153113.96105593; });

    seconds.precision = STAT_PRECISION(2);
    rate.precision = STAT_PRECISION(8);
    StatType type({seconds, rate});
    StatNode root(type);
    root.object.number = 0.03;
    EXPECT_EQ(
        text_of(root),
        framed(
            "hostSeconds                                      0.03"
            "                       # Real time elapsed on the host (Second)\n"
            "system.mem_ctrl.avgRdBWSys               403153113.96105593"
            "                       # Average system read bandwidth in Byte/s "
            "((Byte/Second))\n"));
}

static const char *const requestors[] = {"", "cpu.inst", "cpu.data"};

TEST(StatText, VectorsPrintNamedElementsAndATotal)
{
    StatType dcache({make_stat(
        "demandHits", "number of demand (read+write) hits", "Count",
        SIM_STAT_VECTOR, AT(vector), STAT_TOTAL | STAT_NO_ZERO | STAT_NO_NAN)});
    StatType none({});
    StatNode root(none);
    StatNode &cache =
        root.add(none, "system").add(none, "cpu").add(dcache, "dcache");

    stat_vector_init(&cache.object.vector, 3, requestors);
    cache.object.vector.data[2] = 1941;
    EXPECT_EQ(text_of(root),
              framed("system.cpu.dcache.demandHits::cpu.data           1941"
                     "                       "
                     "# number of demand (read+write) hits (Count)\n"
                     "system.cpu.dcache.demandHits::total              1941"
                     "                       "
                     "# number of demand (read+write) hits (Count)\n"));
    cache.object.vector.data[2] = 0;
    EXPECT_EQ(text_of(root), framed(""));
}

/* Without alignment, descriptions and units: easier to read. */
static std::string plain(StatNode &node)
{
    return text_of(node, STAT_TEXT_FORMULAS);
}

TEST(StatText, OptionsLeaveOutAlignmentAndDescriptions)
{
    StatType type(
        {make_stat("n", "doc", "Count", SIM_STAT_U64, AT(count)),
         make_formula("half", "doc", "Ratio",
                      [](const sim_object *, uint32_t) { return 0.5; })});
    StatNode root(type);

    EXPECT_EQ(text_of(root, STAT_TEXT_FORMULAS),
              framed("n 0\nhalf 0.500000\n"));
    EXPECT_EQ(text_of(root, STAT_TEXT_DESC), framed("n 0 # doc (Count)\n"));
    EXPECT_EQ(text_of(root, STAT_TEXT_SPACES),
              framed("n                                        "
                     "           0                      \n"));
}

TEST(StatText, VectorsWithoutNamesAreNumberedAndMayShowShares)
{
    StatType type({make_stat("v", "", "", SIM_STAT_VECTOR, AT(vector),
                             STAT_TOTAL | STAT_PDF)});
    StatNode root(type);

    stat_vector_init(&root.object.vector, 3, nullptr);
    EXPECT_EQ(plain(root), framed("v::0 0\nv::1 0\nv::2 0\nv::total 0\n"));
    root.object.vector.data[0] = 1;
    root.object.vector.data[2] = 3;
    EXPECT_EQ(plain(root), framed("v::0 1 25.00% 25.00%\nv::1 0 0.00% 25.00%\n"
                                  "v::2 3 75.00% 100.00%\nv::total 4\n"));
}

TEST(StatText, AVectorOfOneElementHasNoSubname)
{
    StatType type(
        {make_stat("v", "", "", SIM_STAT_VECTOR, AT(vector), STAT_TOTAL)});
    StatNode root(type);

    stat_vector_init(&root.object.vector, 1, nullptr);
    root.object.vector.data[0] = 9;
    EXPECT_EQ(plain(root), framed("v 9\n"));
}

TEST(StatText, AMatrixIsALinePerRowAndColumn)
{
    static const char *const x_names[] = {"read", "write"};
    static const char *const y_names[] = {"hit", "miss"};
    StatType type(
        {make_stat("m", "", "", SIM_STAT_VECTOR2D, AT(matrix), STAT_TOTAL)});
    StatNode root(type);

    stat_vector2d_init(&root.object.matrix, 2, x_names, 2, y_names);
    root.object.matrix.data[1] = 2;
    root.object.matrix.data[2] = 3;
    EXPECT_EQ(plain(root),
              framed("m_read::hit 0\nm_read::miss 2\nm_read::total 2\n"
                     "m_write::hit 3\nm_write::miss 0\nm_write::total 3\n"
                     "m::total 5\n"));
}

TEST(StatText, AMatrixWithoutNamesIsNumbered)
{
    StatType type({make_stat("m", "", "", SIM_STAT_VECTOR2D, AT(matrix))});
    StatNode root(type);

    stat_vector2d_init(&root.object.matrix, 2, nullptr, 1, nullptr);
    root.object.matrix.data[1] = 7;
    EXPECT_EQ(plain(root), framed("m_0::0 0\nm_1::0 7\n"));
}

TEST(StatText, ADistributionListsMomentsBucketsAndExtremes)
{
    StatType type({make_stat("d", "", "", SIM_STAT_DIST, AT(dist))});
    StatNode root(type);

    stat_dist_init(&root.object.dist, 0, 5, 2);
    stat_dist_sample(&root.object.dist, 1, 2);
    stat_dist_sample(&root.object.dist, 4, 1);
    stat_dist_sample(&root.object.dist, 9, 1);
    EXPECT_EQ(plain(root),
              framed("d::samples 4\nd::mean 3.750000\nd::stdev 3.774917\n"
                     "d::underflows 0 0.00% 0.00%\n"
                     "d::0-1 2 50.00% 50.00%\n"
                     "d::2-3 0 0.00% 50.00%\n"
                     "d::4-5 1 25.00% 75.00%\n"
                     "d::overflows 1 25.00% 100.00%\n"
                     "d::min_value 1\nd::max_value 9\nd::total 4\n"));
}

TEST(StatText, AnEmptyDistributionPrintsNanUnlessToldNotTo)
{
    StatType nan({make_stat("d", "", "", SIM_STAT_DIST, AT(dist))});
    StatType quiet(
        {make_stat("d", "", "", SIM_STAT_DIST, AT(dist), STAT_NO_ZERO)});
    StatNode root(nan);
    StatNode silent(quiet);

    stat_dist_init(&root.object.dist, 0, 1, 1);
    stat_dist_init(&silent.object.dist, 0, 1, 1);
    EXPECT_EQ(plain(root), framed("d::samples 0\nd::mean nan\nd::stdev nan\n"
                                  "d::underflows 0\nd::0 0\nd::1 0\n"
                                  "d::overflows 0\nd::min_value 0\n"
                                  "d::max_value 0\nd::total 0\n"));
    EXPECT_EQ(plain(silent), framed(""));
}

/* system.mem_ctrl.bytesPerActivate of the documented run. */
TEST(StatText, AHistogramEqualsTheOneGem5Printed)
{
    static const struct {
        int lines;
        uint64_t count;
    } samples[] = {
        {1,  33},
        {2,  20},
        {3,  5 },
        {4,  6 },
        {5,  3 },
        {6,  4 },
        {7,  5 },
        {8,  1 },
        {9,  2 },
        {15, 2 },
        {16, 6 }
    };
    StatType type(
        {make_stat("bytesPerActivate", "Bytes accessed per row activation",
                   "Byte", SIM_STAT_HIST, AT(hist), STAT_NO_ZERO)});
    StatType none({});
    StatNode root(none);
    StatNode &ctrl = root.add(none, "system").add(type, "mem_ctrl");

    stat_hist_init(&ctrl.object.hist, 16);
    for (const auto &sample : samples)
        stat_hist_sample(&ctrl.object.hist, 64 * sample.lines, sample.count);
    const char *lines[][2] = {
        {"samples           87",   "                     " },
        {"mean    248.643678",     "                     " },
        {"gmean   156.736101",     "                     " },
        {"stdev   277.501728",     "                     " },
        {"0-127           33",     "     37.93%     37.93%"},
        {"128-255           25",   "     28.74%     66.67%"},
        {"256-383            9",   "     10.34%     77.01%"},
        {"384-511            9",   "     10.34%     87.36%"},
        {"512-639            3",   "      3.45%     90.80%"},
        {"896-1023            2",  "      2.30%     93.10%"},
        {"1024-1151            6", "      6.90%    100.00%"},
        {"total           87",     "                     " },
    };
    std::string want;
    for (const auto &line : lines) {
        std::string text =
            std::string("system.mem_ctrl.bytesPerActivate::") + line[0];
        size_t name_len = text.find(' ');
        std::string value = text.substr(text.find_last_of(' ') + 1);

        text.resize(name_len);
        text.resize(std::max<size_t>(40, name_len), ' ');
        text += std::string(13 - value.size(), ' ') + value;
        std::string shares = line[1];
        shares.insert(0, 22 - shares.size(), ' ');
        want += text + shares + " # Bytes accessed per row activation (Byte)\n";
    }
    EXPECT_EQ(text_of(root), framed(want));
}

TEST(StatText, LargeBucketBoundsHaveSixDigits)
{
    StatType type(
        {make_stat("h", "", "", SIM_STAT_HIST, AT(hist), STAT_NO_ZERO)});
    StatNode root(type);

    stat_hist_init(&root.object.hist, 2);
    stat_hist_sample(&root.object.hist, 1 << 21, 1);
    EXPECT_NE(plain(root).find("\nh::2.09715e+06-4.1943e+06 1 100.00%"),
              std::string::npos);
}

TEST(StatText, NanAndInfinityAreWordsAndNoNanHidesTheFirst)
{
    sim_stat shown = make_formula(
        "shown", "", "",
        [](const sim_object *, uint32_t) -> double { return NAN; });
    sim_stat hidden = shown;
    sim_stat inf =
        make_formula("inf", "", "", [](const sim_object *, uint32_t) -> double {
            return INFINITY;
        });
    hidden.name = "hidden";
    hidden.flags = STAT_NO_NAN;
    StatType type({shown, hidden, inf});
    StatNode root(type);

    EXPECT_EQ(plain(root), framed("shown nan\ninf inf\n"));
}

TEST(StatText, ASubtreeIsPrintedWithItsFullPath)
{
    StatType type({make_stat("n", "", "", SIM_STAT_U64, AT(count))});
    StatNode root(type);
    StatNode &cpu = root.add(type, "system").add(type, "cpu");

    cpu.object.count = 3;
    EXPECT_EQ(plain(cpu), framed("system.cpu.n 3\n"));
}

TEST(StatText, AnAverageIsTakenUpToTheTickOfTheDump)
{
    StatType type({make_stat("avg", "", "", SIM_STAT_AVERAGE, AT(average))});
    StatNode root(type);

    stat_average_set(&root.object.average, 2, 0);
    stat_average_set(&root.object.average, 4, 50);
    EXPECT_EQ(text_of(root, 0, 99), framed("avg 3\n"));
}

TEST(StatText, TwoDumpsOfOneStateAreIdentical)
{
    StatType type({make_stat("d", "", "", SIM_STAT_DIST, AT(dist))});
    StatNode root(type);

    stat_dist_init(&root.object.dist, 0, 100, 3);
    for (int i = 0; i < 200; i++)
        stat_dist_sample(&root.object.dist, i * 0.7, 1);
    EXPECT_EQ(text_of(root), text_of(root));
}
