/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of state tables as text. */
#include "sim/checkpoint_value.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/alloc.h"
#include "ckpt_tree.h"

class CheckpointValue : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        tree.add_toys();
    }
    const sim_field *field(const std::string &name)
    {
        const sim_field *row = ckpt_toy_type.state;

        while (row->name && name != row->name)
            row++;
        EXPECT_NE(row->name, nullptr) << name;
        return row;
    }
    std::string written(const char *name)
    {
        char *text = nullptr;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);

        ckpt_value_write(out, tree.a, field(name));
        fclose(out);
        std::string all(text, len);
        mem_free(text);
        return all;
    }
    std::string refused(const char *name, const char *text)
    {
        char why[160] = "";
        int err = ckpt_value_read(tree.sim, tree.a, field(name), text, why);

        return err == -EINVAL ? why : "accepted";
    }
    CkptSim tree;
};

TEST_F(CheckpointValue, WritesWhatGem5Writes)
{
    tree.fill();
    EXPECT_EQ(written("flag"), "true");
    EXPECT_EQ(written("u64"), "18446744073709551614");
    EXPECT_EQ(written("i64"), "-9223372036854775807");
    EXPECT_EQ(written("f64"), "-0.1");
    EXPECT_EQ(written("flags"), "false true false");
    EXPECT_EQ(written("bytes"), "0 1 2 3");
    EXPECT_EQ(written("friend"), "a.c");
    EXPECT_EQ(written("text"), "two words, \\\\ and\\n=\\\\0");
    EXPECT_EQ(written("words_list"), "\\e b\\sc \\0");
    EXPECT_EQ(written("friends"), "b \\0");
    EXPECT_EQ(written("range"), "4096 36864 2 3 64 128 0 0 0 0 0 0");
}

TEST_F(CheckpointValue, EveryKindReadsBackTheSame)
{
    char why[160];

    tree.fill();
    for (const sim_field *row = ckpt_toy_type.state; row->name; row++) {
        std::string text = written(row->name);

        ASSERT_EQ(ckpt_value_read(tree.sim, tree.a, row, text.c_str(), why), 0)
            << row->name << ": " << why;
        EXPECT_EQ(written(row->name), text);
    }
    EXPECT_STREQ(tree.a->text, "two words, \\ and\n=\\0");
    EXPECT_STREQ(tree.a->words_list.data[0], "");
    EXPECT_EQ(tree.a->words_list.data[2], nullptr);
    EXPECT_EQ(tree.a->friends.data[0], &tree.b->toy.base);
    EXPECT_EQ(tree.a->ranges.data[1].masks[1], 0x80u);
}

TEST_F(CheckpointValue, AnEmptyObjectReadsBackEmpty)
{
    char why[160];

    for (const sim_field *row = ckpt_toy_type.state; row->name; row++) {
        std::string text = written(row->name);

        ASSERT_EQ(ckpt_value_read(tree.sim, tree.a, row, text.c_str(), why), 0)
            << row->name << ": " << why;
    }
    EXPECT_EQ(tree.a->text, nullptr);
    EXPECT_EQ(tree.a->numbers.len, 0u);
    EXPECT_EQ(tree.a->numbers.data, nullptr);
}

TEST_F(CheckpointValue, TellsWhatIsWrong)
{
    EXPECT_EQ(refused("flag", "1"), "\"1\" is not true or false");
    EXPECT_EQ(refused("u8", "256"), "\"256\" is not in the range of its type");
    EXPECT_EQ(refused("u16", "65536"),
              "\"65536\" is not in the range of its type");
    EXPECT_EQ(refused("u32", "-1"), "\"-1\" is not an unsigned number");
    EXPECT_EQ(refused("u64", "18446744073709551616"),
              "\"18446744073709551616\" is not in the range of its type");
    EXPECT_EQ(refused("i64", "x"), "\"x\" is not a signed 64-bit number");
    EXPECT_EQ(refused("f64", "1.0e"), "\"1.0e\" is not a number");
    EXPECT_EQ(refused("u64", "1 2"), "has 2 values instead of 1");
    EXPECT_EQ(refused("u64", ""), "has 0 values instead of 1");
    EXPECT_EQ(refused("u64", "1 "), "has 2 values instead of 1");
    EXPECT_EQ(refused("words", "1"), "has 1 values instead of 2");
    EXPECT_EQ(refused("words", "1 2 3"), "has 3 values instead of 2");
    EXPECT_EQ(refused("ranges", "1 2 3"), "has 3 values instead of 12");
    EXPECT_EQ(refused("range", "0 1 9 0 0 0 0 0 0 0 0 0"),
              "\"9\" is not in the range of its type");
    EXPECT_EQ(refused("text", "a\\x"),
              "\"a\\x\" is not a string with known escapes");
    EXPECT_EQ(refused("text", "a\\"),
              "\"a\\\" is not a string with known escapes");
    EXPECT_EQ(refused("friend", "nobody"),
              "\"nobody\" is not the path of an object here");
}

TEST_F(CheckpointValue, ARefusedListLeavesNothingBehind)
{
    tree.fill();
    EXPECT_NE(refused("words_list", "a b \\x"), "accepted");
    EXPECT_EQ(tree.a->words_list.len, 0u);
    EXPECT_NE(refused("names", "a \\x"), "accepted");
    EXPECT_EQ(tree.a->names[0], nullptr);
    EXPECT_EQ(tree.a->names[1], nullptr);
}
