// SPDX-License-Identifier: BSD-3-Clause
#include "sim/param.h"

#include <cerrno>
#include <cmath>

#include "toy_tree.h"

class ParamTest : public ToyTree
{
  protected:
    sim_object *obj = nullptr;
    char why[160] = "";

    void SetUp() override
    {
        ToyTree::SetUp();
        obj = add(toy_type, root, "t");
    }

    int check_u(const char *name, uint64_t number)
    {
        sim_value value = {};

        value.u = number;
        return sim_param_check(param(name), &value, why);
    }

    int check(const char *name, const sim_value &value)
    {
        return sim_param_check(param(name), &value, why);
    }
};

TEST_F(ParamTest, FindsRowsOfTheTypeAndItsBases)
{
    EXPECT_STREQ(sim_param_find(&clever_toy_type, "size")->field.name, "size");
    EXPECT_NE(sim_param_find(&clever_toy_type, "eventq_index"), nullptr);
    EXPECT_EQ(sim_param_find(&toy_type, "Size"), nullptr);
}

TEST_F(ParamTest, LimitsSpeakTheUnitOfTheParameter)
{
    EXPECT_EQ(check_u("first_port", 0xfff0), 0);
    EXPECT_EQ(check_u("first_port", 0x10000), -ERANGE);
    EXPECT_STREQ(why, "maximum is 0xfff0 (First I/O port)");
    EXPECT_EQ(check_u("size", 2097152), -ERANGE);
    EXPECT_STREQ(why, "maximum is 1MiB (Its size)");
    EXPECT_EQ(check_u("latency", 999), -ERANGE);
    EXPECT_STREQ(why, "minimum is 1ns (Its latency)");
    EXPECT_EQ(check_u("latency", 1500001), -ERANGE);
    EXPECT_STREQ(why, "maximum is 1500ns (Its latency)");
    EXPECT_EQ(check_u("small", 1), -ERANGE);
    EXPECT_STREQ(why, "minimum is 2 cycles (A small number)");
}

TEST_F(ParamTest, TheTypeOfTheMemberLimitsToo)
{
    EXPECT_EQ(check_u("small", 255), 0);
    EXPECT_EQ(check_u("small", 256), -ERANGE);
    EXPECT_STREQ(why, "maximum is 255 cycles (A small number)");
    EXPECT_EQ(check_u("is_red", 2), -ERANGE);
}

TEST_F(ParamTest, PowersOfTwoAreCheckedAndZeroIsNone)
{
    EXPECT_EQ(check_u("size", 4096), 0);
    EXPECT_EQ(check_u("size", 4097), -ERANGE);
    EXPECT_STREQ(why, "must be a power of two (Its size)");
    EXPECT_EQ(check_u("size", 0), -ERANGE);
}

TEST_F(ParamTest, AnEnumHoldsTheIndexOfOneOfItsNames)
{
    EXPECT_EQ(check_u("colour", 2), 0);
    EXPECT_EQ(check_u("colour", 3), -EINVAL);
    EXPECT_STREQ(why, "3 is not the index of a name (Its colour)");
}

TEST_F(ParamTest, SignedAndFloatingValuesHaveLimits)
{
    sim_value value = {};

    value.i = -7;
    EXPECT_EQ(check("offset", value), 0);
    value.i = 6;
    EXPECT_EQ(check("offset", value), -ERANGE);
    value.f = 2.0;
    EXPECT_EQ(check("ratio", value), 0);
    value.f = 2.5;
    EXPECT_EQ(check("ratio", value), -ERANGE);
    value.f = std::nan("");
    EXPECT_EQ(check("ratio", value), -EINVAL);
}

TEST_F(ParamTest, ObjectsMustHaveTheTypeOfTheRow)
{
    sim_value value = {};

    EXPECT_EQ(check("friend_toy", value), 0);
    value.obj = add(clever_toy_type, root, "clever");
    EXPECT_EQ(check("friend_toy", value), 0);
    value.obj = root;
    EXPECT_EQ(check("friend_toy", value), -EINVAL);
    EXPECT_STREQ(why, "root is a Plain, not a Toy (Its friend)");
}

TEST_F(ParamTest, EachElementOfAListIsChecked)
{
    uint64_t numbers[] = {3, 9, 10};
    addr_range ranges[1] = {};
    sim_object *friends[] = {obj, root};
    sim_value value = {};

    EXPECT_EQ(check("numbers", value), -EINVAL);
    EXPECT_STREQ(why, "needs at least one element (Its numbers)");
    value.vec_u64 = {numbers, 2};
    EXPECT_EQ(check("numbers", value), 0);
    value.vec_u64 = {numbers, 3};
    EXPECT_EQ(check("numbers", value), -ERANGE);
    value.vec_obj = {friends, 1};
    EXPECT_EQ(check("friends", value), 0);
    value.vec_obj = {friends, 2};
    EXPECT_EQ(check("friends", value), -EINVAL);
    ranges[0].start = 0x2000;
    ranges[0].end = 0x1000;
    value.vec_range = {ranges, 1};
    EXPECT_EQ(check("ranges", value), -EINVAL);
    EXPECT_STREQ(why, "the range ends at 0x1000, before its start 0x2000 "
                      "(More addresses)");
}

TEST_F(ParamTest, SetStoresCopiesOfEverything)
{
    char text[] = "hello";
    const char *words[] = {text, "world"};
    uint64_t numbers[] = {1, 2, 3};
    sim_value value = {};

    value.s = text;
    sim_param_set(obj, param("label"), &value, nullptr);
    value.vec_str = {words, 2};
    sim_param_set(obj, param("words"), &value, nullptr);
    value.vec_u64 = {numbers, 3};
    sim_param_set(obj, param("numbers"), &value, nullptr);
    value.obj = obj;
    sim_param_set(obj, param("friend_toy"), &value, nullptr);
    text[0] = 'J';
    numbers[1] = 7;

    EXPECT_STREQ(as_toy(obj)->label, "hello");
    ASSERT_EQ(as_toy(obj)->words.len, 2u);
    EXPECT_STREQ(as_toy(obj)->words.data[0], "hello");
    EXPECT_STREQ(as_toy(obj)->words.data[1], "world");
    ASSERT_EQ(as_toy(obj)->numbers.len, 3u);
    EXPECT_EQ(as_toy(obj)->numbers.data[1], 2u);
    EXPECT_EQ(&as_toy(obj)->friend_toy->base, obj);
}

TEST_F(ParamTest, SetReplacesWhatWasThere)
{
    const char *words[] = {"one"};
    sim_value value = {};

    value.s = "first";
    sim_param_set(obj, param("label"), &value, nullptr);
    value.s = "second";
    sim_param_set(obj, param("label"), &value, nullptr);
    EXPECT_STREQ(as_toy(obj)->label, "second");
    value.s = nullptr;
    sim_param_set(obj, param("label"), &value, nullptr);
    EXPECT_EQ(as_toy(obj)->label, nullptr);
    value.vec_str = {words, 1};
    sim_param_set(obj, param("words"), &value, nullptr);
    value.vec_str = {nullptr, 0};
    sim_param_set(obj, param("words"), &value, nullptr);
    EXPECT_EQ(as_toy(obj)->words.len, 0u);
}

TEST_F(ParamTest, SetTouchesOnlyTheMember)
{
    toy *t = as_toy(obj);
    sim_value value = {};

    t->first_port = 0xffff;
    value.u = 0x12;
    sim_param_set(obj, param("small"), &value, nullptr);
    value.u = 1;
    sim_param_set(obj, param("is_red"), &value, nullptr);
    EXPECT_EQ(t->small, 0x12);
    EXPECT_TRUE(t->is_red);
    EXPECT_EQ(t->first_port, 0xffff);
}

TEST_F(ParamTest, TheOriginIsThatOfTheLastSetting)
{
    sim_value value = {};

    EXPECT_EQ(sim_param_origin(obj, "size"), nullptr);
    value.u = 64;
    sim_param_set(obj, param("size"), &value, "a.py:1");
    EXPECT_STREQ(sim_param_origin(obj, "size"), "a.py:1");
    sim_param_set(obj, param("size"), &value, "a.py:2");
    EXPECT_STREQ(sim_param_origin(obj, "size"), "a.py:2");
    sim_param_set(obj, param("size"), &value, nullptr);
    EXPECT_EQ(sim_param_origin(obj, "size"), nullptr);
}

using ParamDeathTest = ParamTest;

TEST_F(ParamDeathTest, SetAssertsThatTheValueWasChecked)
{
    sim_value value = {};

    value.u = 3;
    EXPECT_DEATH(sim_param_set(obj, param("size"), &value, nullptr),
                 "assertion failed");
}
