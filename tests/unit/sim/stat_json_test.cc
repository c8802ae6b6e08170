/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics as JSON, text by text. */
#include "sim/stat_json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "stat_objects.h"

static std::string json_of(StatNode &node, tick_t begin = 0, tick_t now = 9)
{
    StatGroup group(node);

    return capture([&](FILE *out) {
        json writer;

        json_init(&writer, out, 0);
        stat_json_write(&writer, group.top, begin, now);
        json_fini(&writer);
    });
}

/* The only row of a root object. */
static std::string row_json(const sim_stat &stat, void (*fill)(StatObject *obj))
{
    StatType type({stat});
    StatNode root(type);
    std::string all, key = std::string("\"") + stat.name + "\": ";

    fill(&root.object);
    all = json_of(root);
    size_t from = all.find(key) + key.size();
    return all.substr(from, all.find('\n', from) - from);
}

#define AT(member) offsetof(StatObject, member)

TEST(StatJson, NestsObjectsAndGroupsAndTellsTheInterval)
{
    StatType type(
        {make_stat("fetch.n", "doc", "Count", SIM_STAT_U64, AT(count))});
    StatType none({});
    StatNode root(none);

    root.add(type, "cpu").object.count = UINT64_MAX;
    EXPECT_EQ(json_of(root, 5, 20),
              "{\n"
              "  \"type\": \"SimStat\",\n"
              "  \"simulated_begin_time\": 5,\n"
              "  \"simulated_end_time\": 20,\n"
              "  \"cpu\": {\n"
              "    \"type\": \"SimObject\",\n"
              "    \"name\": \"cpu\",\n"
              "    \"fetch\": {\n"
              "      \"type\": \"Group\",\n"
              "      \"n\": {\"value\": 18446744073709551615, "
              "\"type\": \"Scalar\", \"datatype\": \"u64\", "
              "\"unit\": \"Count\", \"description\": \"doc\"}\n"
              "    }\n"
              "  }\n"
              "}");
}

TEST(StatJson, ASubtreeNamesItsPath)
{
    StatType none({});
    StatNode root(none);
    StatNode &cpu = root.add(none, "system").add(none, "cpu");

    EXPECT_NE(json_of(cpu).find("\"path\": \"system.cpu\""), std::string::npos);
}

TEST(StatJson, ScalarsTellTheirKind)
{
    EXPECT_EQ(row_json(make_stat("f", "d", "Ratio", SIM_STAT_F64, AT(number),
                                 STAT_HOST),
                       [](StatObject *obj) { obj->number = 0.25; }),
              "{\"value\": 0.25, \"type\": \"Scalar\", \"datatype\": \"f64\", "
              "\"unit\": \"Ratio\", \"description\": \"d\", \"host\": true}");
    EXPECT_EQ(
        row_json(
            make_stat("a", "d", "Count", SIM_STAT_AVERAGE, AT(average)),
            [](StatObject *obj) { stat_average_set(&obj->average, 2, 0); }),
        "{\"value\": 2, \"type\": \"Average\", \"datatype\": \"f64\", "
        "\"unit\": \"Count\", \"description\": \"d\"}");
    EXPECT_EQ(row_json(make_formula("x", "d", "Ratio",
                                    [](const sim_object *, uint32_t) -> double {
                                        return NAN;
                                    }),
                       [](StatObject *) {}),
              "{\"value\": null, \"type\": \"Formula\", \"datatype\": \"f64\", "
              "\"unit\": \"Ratio\", \"description\": \"d\"}");
}

TEST(StatJson, VectorsHoldTheirNamedElements)
{
    EXPECT_EQ(row_json(make_stat("v", "d", "Count", SIM_STAT_VECTOR, AT(vector),
                                 STAT_TOTAL),
                       [](StatObject *obj) {
                           static const char *const names[] = {"", "data"};

                           stat_vector_init(&obj->vector, 2, names);
                           obj->vector.data[1] = 4;
                       }),
              "{\"value\": {\"data\": {\"value\": 4, \"type\": \"Scalar\", "
              "\"unit\": \"Count\", \"datatype\": \"f64\"}}, \"total\": 4, "
              "\"type\": \"Vector\", \"unit\": \"Count\", "
              "\"description\": \"d\"}");
}

TEST(StatJson, MatricesAreVectorsOfVectors)
{
    EXPECT_EQ(
        row_json(make_stat("m", "d", "Bit", SIM_STAT_VECTOR2D, AT(matrix)),
                 [](StatObject *obj) {
                     static const char *const names[] = {"a", "b"};

                     stat_vector2d_init(&obj->matrix, 1, nullptr, 2, names);
                     obj->matrix.data[1] = 3;
                 }),
        "{\"value\": {\"0\": {\"value\": {"
        "\"a\": {\"value\": 0, \"type\": \"Scalar\", \"unit\": \"Bit\", "
        "\"datatype\": \"f64\"}, "
        "\"b\": {\"value\": 3, \"type\": \"Scalar\", \"unit\": \"Bit\", "
        "\"datatype\": \"f64\"}}, \"type\": \"Vector\"}}, "
        "\"type\": \"Vector2d\", \"unit\": \"Bit\", "
        "\"description\": \"d\"}");
}

TEST(StatJson, DistributionsGiveBucketsMomentsAndShape)
{
    EXPECT_EQ(row_json(make_stat("d", "x", "Tick", SIM_STAT_DIST, AT(dist)),
                       [](StatObject *obj) {
                           stat_dist_init(&obj->dist, 1, 4, 4);
                           stat_dist_sample(&obj->dist, 0, 1);
                           stat_dist_sample(&obj->dist, 2, 1);
                       }),
              "{\"value\": {\"0\": {\"value\": 1, \"type\": \"Scalar\", "
              "\"unit\": \"Tick\", \"datatype\": \"f64\"}}, "
              "\"type\": \"Distribution\", \"samples\": 2, \"mean\": 1, "
              "\"stdev\": 1.4142135623730951, \"sum\": 2, \"sum_squared\": 4, "
              "\"min\": 0, \"max\": 2, \"num_bins\": 1, \"bin_size\": 4, "
              "\"bin_start\": 1, \"underflow\": 1, \"overflow\": 0, "
              "\"unit\": \"Tick\", \"description\": \"x\"}");
}

TEST(StatJson, AnEmptyHistogramHasNullMoments)
{
    std::string row =
        row_json(make_stat("h", "x", "", SIM_STAT_HIST, AT(hist), STAT_NO_ZERO),
                 [](StatObject *obj) { stat_hist_init(&obj->hist, 2); });

    EXPECT_NE(row.find("\"type\": \"Histogram\", \"samples\": 0, "
                       "\"mean\": null, \"stdev\": null"),
              std::string::npos);
    EXPECT_NE(row.find("\"min\": null, \"max\": null"), std::string::npos);
    EXPECT_NE(row.find("\"gmean\": null, \"logs\": 0"), std::string::npos);
}

TEST(StatJson, HiddenRowsAreLeftOut)
{
    sim_stat stat = make_stat("n", "d", "", SIM_STAT_U64, AT(count));
    stat.is_hidden = [](const sim_object *) { return true; };
    StatType type({stat});
    StatNode root(type);

    EXPECT_EQ(json_of(root).find("\"n\""), std::string::npos);
}
