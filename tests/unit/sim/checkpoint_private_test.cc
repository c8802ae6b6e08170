/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving and loading share. */
#include "sim/checkpoint_private.h"

#include <cerrno>

#include "ckpt_tree.h"

using CheckpointPrivate = CkptDir;

TEST_F(CheckpointPrivate, OnlyTypesWithStateAreNamed)
{
    CkptSim tree;

    tree.add_toys(ckpt_thin_type);
    for (auto [obj, want] : {
             std::pair{tree.root,         ""                      },
             {&tree.a->base,     "CkptToy:3"             },
             {&tree.b->toy.base, "CkptToy:3 CkptBigToy:1"}
    }) {
        char *types = ckpt_types_text(obj);

        EXPECT_STREQ(types, want);
        mem_free(types);
    }
}

TEST_F(CheckpointPrivate, TheSumOfAFileIsItsLengthAndItsChecksum)
{
    std::string text(200000, 'x');
    char *sum = nullptr, want[17];

    write(path("file"), text);
    ckpt_checksum(text.data(), text.size(), want);
    ASSERT_EQ(ckpt_file_sum(path("file").c_str(), &sum), 0);
    EXPECT_EQ(sum, "200000 " + std::string(want));
    mem_free(sum);
    EXPECT_EQ(ckpt_file_sum(path("none").c_str(), &sum), -ENOENT);
}

TEST_F(CheckpointPrivate, AWholeFileIsRead)
{
    for (size_t size :
         {size_t{0}, size_t{5}, size_t{1} << 16, size_t{200001}}) {
        std::string text(size, 'y');
        char *data = nullptr;
        size_t len = 0;

        write(path("file"), text);
        ASSERT_EQ(ckpt_read_file(path("file").c_str(), &data, &len), 0);
        EXPECT_EQ(std::string(data, len), text);
        mem_free(data);
    }
    char *data;
    size_t len;
    EXPECT_EQ(ckpt_read_file(path("none").c_str(), &data, &len), -ENOENT);
}
