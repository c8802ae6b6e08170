/* SPDX-License-Identifier: BSD-3-Clause */
/* Order, names, reset and values of the statistics of a tree. */
#include "sim/stat_tree.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stat_objects.h"

static double twice_count(const sim_object *obj, uint32_t index)
{
    auto stats = reinterpret_cast<const StatObject *>(obj);

    return 2.0 * static_cast<double>(stats->count) + index;
}

static uint32_t two(const sim_object *)
{
    return 2;
}

static bool is_hidden(const sim_object *)
{
    return true;
}

static sim_stat count_stat(const char *name)
{
    return make_stat(name, "d", "Count", SIM_STAT_U64,
                     offsetof(StatObject, count));
}

static void list_names(const stat_group *group, const std::string &path,
                       std::string *all)
{
    for (uint32_t i = 0; i < group->num_rows; i++)
        *all += path + group->rows[i].name + "\n";
    for (uint32_t i = 0; i < group->num_groups; i++)
        list_names(group->groups[i], path + group->groups[i]->name + ".", all);
}

TEST(StatTree, RowsOfBaseTypesComeFirstThenGroupsByName)
{
    StatType base({count_stat("fromBase")});
    StatType leaf({count_stat("z"), count_stat("commitStats0.numOps"),
                   count_stat("a"), count_stat("commitStats0.ipc"),
                   count_stat("fetch.unit.stalls")},
                  &base.type);
    StatNode root(base);
    std::string names;

    root.add(leaf, "cpu2");
    root.add(base, "cpu10").add(base, "dcache");
    StatGroup group(root);
    list_names(group.top, "", &names);
    EXPECT_EQ(names, "fromBase\n"
                     "cpu10.fromBase\n"
                     "cpu10.dcache.fromBase\n"
                     "cpu2.fromBase\n"
                     "cpu2.z\n"
                     "cpu2.a\n"
                     "cpu2.commitStats0.numOps\n"
                     "cpu2.commitStats0.ipc\n"
                     "cpu2.fetch.unit.stalls\n");
}

TEST(StatTree, ADottedNameSharesTheGroupOfAChildOfThatName)
{
    StatType leaf({count_stat("own")});
    StatType top({count_stat("dram.total")});
    StatNode root(top);
    std::string names;

    root.add(leaf, "dram");
    StatGroup group(root);
    EXPECT_EQ(group.top->num_groups, 1u);
    list_names(group.top, "", &names);
    EXPECT_EQ(names, "dram.total\ndram.own\n");
}

TEST(StatTree, FindsARowByItsDottedName)
{
    StatType leaf({count_stat("commitStats0.numOps")});
    StatType empty({});
    StatNode root(empty);
    StatNode &cpu = root.add(empty, "system").add(leaf, "cpu");
    StatGroup group(root);
    const stat_row *row;

    cpu.object.count = 5;
    row = stat_find(group.top, "system.cpu.commitStats0.numOps");
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(stat_row_value(row, 0, 0), 5);
    EXPECT_EQ(stat_find(group.top, "system.cpu"), nullptr);
    EXPECT_EQ(stat_find(group.top, "system.cp.x"), nullptr);
    EXPECT_EQ(stat_find(group.top, "system.cpu.commitStats0.numOp"), nullptr);
}

TEST(StatTree, ASubtreeKeepsItsPath)
{
    StatType leaf({count_stat("n")});
    StatNode root(leaf);
    StatNode &cpu = root.add(leaf, "system").add(leaf, "cpu");
    StatGroup whole(root), part(cpu);

    EXPECT_STREQ(stat_group_path(whole.top), "");
    EXPECT_STREQ(stat_group_path(part.top), "system.cpu");
}

static std::string calls;

static void base_op(sim_object *obj)
{
    calls += std::string("base ") + obj->name + "; ";
}

static void leaf_op(sim_object *obj)
{
    calls += std::string("leaf ") + obj->name + "; ";
}

TEST(StatTree, OpsRunParentsBeforeChildrenAndBaseTypesFirst)
{
    StatType base({});
    StatType leaf({}, &base.type);
    StatNode root(base);

    base.ops.reset_stats = base.ops.pre_dump = base_op;
    leaf.ops.reset_stats = leaf.ops.pre_dump = leaf_op;
    root.add(leaf, "b");
    root.add(leaf, "a");
    calls.clear();
    stat_reset(root.base(), 0);
    EXPECT_EQ(calls, "base root; base b; leaf b; base a; leaf a; ");
    calls.clear();
    stat_prepare(root.base());
    EXPECT_EQ(calls, "base root; base b; leaf b; base a; leaf a; ");
}

static std::vector<sim_stat> every_kind()
{
    return {
        make_stat("u", "d", "", SIM_STAT_U64, offsetof(StatObject, count)),
        make_stat("f", "d", "", SIM_STAT_F64, offsetof(StatObject, number)),
        make_stat("a", "d", "", SIM_STAT_AVERAGE,
                  offsetof(StatObject, average)),
        make_stat("v", "d", "", SIM_STAT_VECTOR, offsetof(StatObject, vector)),
        make_stat("m", "d", "", SIM_STAT_VECTOR2D,
                  offsetof(StatObject, matrix)),
        make_stat("d", "d", "", SIM_STAT_DIST, offsetof(StatObject, dist)),
        make_stat("h", "d", "", SIM_STAT_HIST, offsetof(StatObject, hist)),
        make_formula("x", "d", "", twice_count),
    };
}

static void init_and_fill(StatObject *obj)
{
    obj->count = 3;
    obj->number = 1.5;
    stat_average_set(&obj->average, 2, 0);
    stat_vector_init(&obj->vector, 2, nullptr);
    obj->vector.data[1] = 4;
    stat_vector2d_init(&obj->matrix, 2, nullptr, 2, nullptr);
    obj->matrix.data[3] = 5;
    stat_dist_init(&obj->dist, 0, 3, 1);
    stat_dist_sample(&obj->dist, 3, 6);
    stat_hist_init(&obj->hist, 2);
    stat_hist_sample(&obj->hist, 1, 7);
}

TEST(StatTree, GivesTheValuesOfEveryKind)
{
    StatType type(every_kind());
    StatNode root(type);

    init_and_fill(&root.object);
    StatGroup group(root);
    const double want[] = {3, 1.5, 2, 4, 5, 6, 7, 6};
    const uint32_t len[] = {1, 1, 1, 2, 4, 4, 2, 1};
    for (uint32_t i = 0; i < group.top->num_rows; i++) {
        const stat_row *row = &group.top->rows[i];

        ASSERT_EQ(stat_row_len(row), len[i]) << row->name;
        EXPECT_EQ(stat_row_value(row, len[i] - 1, 10), want[i]) << row->name;
        EXPECT_EQ(stat_row_total(row, 10), want[i]) << row->name;
    }
}

TEST(StatTree, ResetZeroesEveryKind)
{
    StatType type(every_kind());
    StatNode root(type);

    init_and_fill(&root.object);
    root.object.average.value = 0;
    stat_reset(root.base(), 100);
    StatGroup group(root);
    for (uint32_t i = 0; i < group.top->num_rows; i++)
        EXPECT_EQ(stat_row_total(&group.top->rows[i], 100), 0)
            << group.top->rows[i].name;
    EXPECT_EQ(root.object.average.start, 100u);
}

TEST(StatTree, AVectorFormulaMayBringItsOwnTotal)
{
    sim_stat formula = make_formula("x", "d", "", twice_count);
    formula.formula_len = two;
    sim_stat own_total = formula;
    own_total.formula_total = [](const sim_object *) { return 42.0; };
    StatType type({formula, own_total});
    StatNode root(type);
    StatGroup group(root);

    EXPECT_TRUE(stat_row_is_vector(&group.top->rows[0]));
    EXPECT_EQ(stat_row_total(&group.top->rows[0], 0), 1);
    EXPECT_EQ(stat_row_total(&group.top->rows[1], 0), 42);
}

TEST(StatTree, AHiddenRowSaysSo)
{
    sim_stat stat = count_stat("n");
    stat.is_hidden = is_hidden;
    StatType type({stat, count_stat("m")});
    StatNode root(type);
    StatGroup group(root);

    EXPECT_FALSE(stat_row_is_shown(&group.top->rows[0]));
    EXPECT_TRUE(stat_row_is_shown(&group.top->rows[1]));
}

TEST(StatTree, MomentsWithoutSamplesAreNotANumber)
{
    stat_dist dist = {};

    stat_dist_init(&dist, 0, 9, 1);
    EXPECT_TRUE(std::isnan(stat_dist_mean(&dist)));
    EXPECT_TRUE(std::isnan(stat_dist_gmean(&dist)));
    EXPECT_TRUE(std::isnan(stat_dist_stdev(&dist)));
    stat_dist_sample(&dist, 2, 1);
    stat_dist_sample(&dist, 4, 1);
    EXPECT_DOUBLE_EQ(stat_dist_mean(&dist), 3);
    EXPECT_DOUBLE_EQ(stat_dist_stdev(&dist), std::sqrt(2.0));
    stat_dist_fini(&dist);
}
