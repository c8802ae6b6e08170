/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing checkpoints. */
#include <cerrno>

#include "ckpt_tree.h"

namespace fs = std::filesystem;

using CheckpointSave = CkptDir;

TEST_F(CheckpointSave, HasTheLayoutOfGem5)
{
    CkptSim tree;

    tree.add_toys();
    tree.fill();
    ASSERT_EQ(save(tree), 0) << why;
    std::string text = body();
    EXPECT_EQ(text.rfind("## checkpoint generated: ", 0), 0u);
    EXPECT_NE(text.find("\n\n[root.globals]\ncurTick=12345\n"
                        "version_tags=gearshift-2\nrng="),
              std::string::npos);
    EXPECT_NE(text.find("\n\n[a]\ntypes=CkptToy:3\nflag=true\nu8=255\n"),
              std::string::npos);
    EXPECT_NE(text.find("\nqueue=18446744073709551615 0 7\n"
                        "blob=0x00ff8020626c6f620000000000000000\n"
                        "label=a label=with \\\\ and\\nnew line \n"
                        "\n[b.Entry0]\nvalue=10\n\n[b.Entry1]\nvalue=11\n"),
              std::string::npos);
    EXPECT_NE(text.find("\n[root.files]\nb.data=19 "), std::string::npos);
    EXPECT_EQ(text.find("[root]"), std::string::npos);
    EXPECT_EQ(content(path() + "/b.data"), "content of the file");
    EXPECT_EQ(std::distance(fs::directory_iterator(top), {}), 1);
}

TEST_F(CheckpointSave, TheDirectoryNameMayHoldTheTick)
{
    CkptSim tree;

    tree.add_toys();
    tree.fill();
    ASSERT_EQ(save(tree, "cpt.%d/x"), 0) << why;
    EXPECT_TRUE(fs::exists(path("cpt.12345/x/m5.cpt")));
}

TEST_F(CheckpointSave, TwoCheckpointsOfOneStateDifferInTheDateOnly)
{
    CkptSim tree;

    tree.add_toys();
    tree.fill();
    ASSERT_EQ(save(tree, "one"), 0);
    ASSERT_EQ(save(tree, "two"), 0);
    std::string one = body("one"), two = body("two");
    EXPECT_EQ(one.substr(one.find('\n')), two.substr(two.find('\n')));
}

TEST_F(CheckpointSave, ReplacesAnOlderCheckpoint)
{
    CkptSim tree;

    tree.add_toys();
    ASSERT_EQ(save(tree), 0);
    tree.fill();
    ASSERT_EQ(save(tree), 0) << why;
    EXPECT_NE(body().find("curTick=12345"), std::string::npos);
    EXPECT_EQ(std::distance(fs::directory_iterator(top), {}), 1);
}

TEST_F(CheckpointSave, AnEmptyDirectoryIsUsed)
{
    CkptSim tree;

    tree.add_toys();
    fs::create_directory(path());
    EXPECT_EQ(save(tree), 0) << why;
}

TEST_F(CheckpointSave, ADirectoryWithOtherFilesIsLeftAlone)
{
    CkptSim tree;

    tree.add_toys();
    ASSERT_EQ(save(tree), 0);
    write(path() + "/thesis.txt", "precious");
    EXPECT_EQ(save(tree), -ENOTEMPTY);
    EXPECT_NE(std::string(why).find("cpt holds thesis.txt, which is no part "
                                    "of a checkpoint"),
              std::string::npos);
    EXPECT_EQ(content(path() + "/thesis.txt"), "precious");
    fs::remove(path() + "/m5.cpt");
    EXPECT_EQ(save(tree), -ENOTEMPTY);
}

TEST_F(CheckpointSave, ACheckpointOfAnotherSimulatorIsLeftAlone)
{
    CkptSim tree;

    tree.add_toys();
    fs::create_directory(path());
    write(path() + "/m5.cpt", "## checkpoint generated: x\n\n[root]\n");
    EXPECT_EQ(save(tree), -EINVAL);
    EXPECT_NE(std::string(why).find("cpt/m5.cpt is not replaced: ends in "
                                    "section [root], without a checksum"),
              std::string::npos)
        << why;
}

TEST_F(CheckpointSave, AFailingObjectLeavesTheOldCheckpoint)
{
    CkptSim tree;

    tree.add_toys();
    ASSERT_EQ(save(tree), 0);
    std::string old = content(path() + "/m5.cpt");
    tree.fill();
    tree.b->save_fails = true;
    EXPECT_EQ(save(tree), -EBUSY);
    EXPECT_STREQ(why, "b: the toy is not ready");
    EXPECT_EQ(content(path() + "/m5.cpt"), old);
    EXPECT_EQ(std::distance(fs::directory_iterator(top), {}), 1);
}

TEST_F(CheckpointSave, APlaceThatCannotBeWrittenIsToldByName)
{
    CkptSim tree;

    tree.add_toys();
    write(path("file"), "");
    EXPECT_EQ(save(tree, "file/cpt"), -ENOTDIR);
    EXPECT_NE(std::string(why).find("file/cpt: Not a directory"),
              std::string::npos);
    EXPECT_EQ(save(tree, "file"), -ENOTDIR);
    EXPECT_TRUE(fs::is_regular_file(path("file")));
}
