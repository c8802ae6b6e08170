// SPDX-License-Identifier: BSD-3-Clause
#include "sim/object.h"

#include "sim/ring.h"
#include "toy_tree.h"

using ObjectTest = ToyTree;

TEST_F(ObjectTest, PathsLeaveOutTheRoot)
{
    sim_object *a = add(plain_type, root, "system");
    sim_object *b = add(plain_type, a, "cpu0");

    EXPECT_STREQ(root->path, "root");
    EXPECT_STREQ(a->path, "system");
    EXPECT_STREQ(b->path, "system.cpu0");
    EXPECT_STREQ(b->name, "cpu0");
    EXPECT_EQ(b->parent, a);
}

TEST_F(ObjectTest, FindsObjectsByTheirWholePathOnly)
{
    sim_object *system = add(plain_type, root, "system");
    sim_object *cpu = add(plain_type, system, "cpu");
    sim_object *cpu0 = add(plain_type, system, "cpu0");

    EXPECT_EQ(sim_object_find(sim, "root"), root);
    EXPECT_EQ(sim_object_find(sim, "system"), system);
    EXPECT_EQ(sim_object_find(sim, "system.cpu"), cpu);
    EXPECT_EQ(sim_object_find(sim, "system.cpu0"), cpu0);
    EXPECT_EQ(sim_object_find(sim, "system.cp"), nullptr);
    EXPECT_EQ(sim_object_find(sim, "cpu"), nullptr);
    EXPECT_EQ(sim_object_find(sim, "system.cpu.x"), nullptr);
    EXPECT_EQ(sim_object_find(sim, ""), nullptr);
    EXPECT_EQ(sim_object_child(system, "cpu0"), cpu0);
}

TEST_F(ObjectTest, TraversalVisitsParentsFirstInOrderOfAttachment)
{
    sim_object *b = add(plain_type, root, "b");
    sim_object *a = add(plain_type, root, "a");
    add(plain_type, b, "z");
    add(plain_type, b, "y");
    add(plain_type, a, "x");
    std::string all;

    for (auto *o = root; o; o = sim_object_next(root, o))
        all += std::string(o->path) + " ";
    EXPECT_EQ(all, "root b b.z b.y a a.x ");
    all.clear();
    for (auto *o = b; o; o = sim_object_next(b, o))
        all += std::string(o->path) + " ";
    EXPECT_EQ(all, "b b.z b.y ");
}

TEST_F(ObjectTest, OpsRunBaseFirstAndFiniDerivedFirst)
{
    sim_object *obj = add(clever_toy_type, root, "t");

    sim_object_init(obj);
    EXPECT_EQ(calls(), "t.toy_init t.clever_init ");
    sim_object_reset(obj);
    EXPECT_EQ(calls(), "t.toy_reset t.clever_reset ");
    sim_object_startup(obj);
    EXPECT_EQ(calls(), "t.toy_startup t.clever_startup ");
    sim_object_resume(obj);
    EXPECT_EQ(calls(), "t.toy_resume t.clever_resume ");
    sim_object_reset_stats(obj);
    EXPECT_EQ(calls(), "t.toy_reset_stats t.clever_reset_stats ");
    sim_object_pre_dump(obj);
    EXPECT_EQ(calls(), "t.toy_pre_dump t.clever_pre_dump ");
    sim_object_after_fork(obj);
    EXPECT_EQ(calls(), "t.toy_after_fork t.clever_after_fork ");
    sim_object_fini(obj);
    EXPECT_EQ(calls(), "t.clever_fini t.toy_fini ");
}

TEST_F(ObjectTest, AnObjectDrainsUntilAllItsTypesAreDrained)
{
    sim_object *obj = add(clever_toy_type, root, "t");

    as_toy(obj)->is_draining = true;
    EXPECT_EQ(sim_object_drain(obj), SIM_DRAINING);
    EXPECT_EQ(calls(), "t.clever_drain ");
    as_toy(obj)->is_draining = false;
    EXPECT_EQ(sim_object_drain(obj), SIM_DRAINED);
}

TEST_F(ObjectTest, IsAFollowsTheBaseTypes)
{
    sim_object *obj = add(clever_toy_type, root, "t");

    EXPECT_TRUE(sim_object_is_a(obj, &clever_toy_type));
    EXPECT_TRUE(sim_object_is_a(obj, &toy_type));
    EXPECT_TRUE(sim_object_is_a(obj, &sim_object_type));
    EXPECT_FALSE(sim_object_is_a(obj, &plain_type));
    EXPECT_EQ(sim_object_cast(obj, &toy_type), obj);
}

TEST_F(ObjectTest, OriginIsACopy)
{
    char text[] = "run.py:3";
    sim_object *obj = add(plain_type, root, "t", text);

    text[0] = 'X';
    EXPECT_STREQ(obj->origin, "run.py:3");
}

using ObjectDeathTest = ToyTree;

TEST_F(ObjectDeathTest, MisuseIsCaught)
{
    sim_object *obj = add(plain_type, root, "t");

    EXPECT_DEATH(add(plain_type, root, "t"), "assertion failed");
    EXPECT_DEATH(add(sim_object_type, root, "u"), "is_abstract");
    EXPECT_DEATH(add(plain_type, nullptr, "root2"), "assertion failed");
    sim_note(obj, "said before");
    EXPECT_DEATH(sim_object_cast(obj, &toy_type),
                 "trace:       0: .*: said before\n"
                 "panic: tick 0: .*: used as a .*, but is a ");
}
