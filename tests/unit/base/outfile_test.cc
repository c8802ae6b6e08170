/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and directories that appear whole or not at all. */
#include "base/outfile.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/stat.h>

namespace fs = std::filesystem;

class OutfileTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        std::string name = fs::temp_directory_path() / "outfile.XXXXXX";

        ASSERT_NE(mkdtemp(name.data()), nullptr);
        top = name;
    }
    void TearDown() override
    {
        fs::remove_all(top);
    }
    std::string path(const std::string &name) const
    {
        return top / name;
    }
    static std::string content(const fs::path &name)
    {
        std::stringstream all;

        all << std::ifstream(name).rdbuf();
        return all.str();
    }
    static void write(const fs::path &name, const std::string &text)
    {
        std::ofstream(name) << text;
    }
    size_t entries() const
    {
        return static_cast<size_t>(
            std::distance(fs::directory_iterator(top), {}));
    }
    fs::path top;
};

TEST_F(OutfileTest, AFileAppearsOnlyWhenCommitted)
{
    outfile file;

    ASSERT_EQ(outfile_open(&file, path("a").c_str()), 0);
    fputs("new", file.stream);
    fflush(file.stream);
    EXPECT_FALSE(fs::exists(path("a")));
    ASSERT_EQ(outfile_commit(&file), 0);
    EXPECT_EQ(content(path("a")), "new");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, ACommitReplacesTheOldContents)
{
    outfile file;

    write(path("a"), "a longer old text");
    ASSERT_EQ(outfile_open(&file, path("a").c_str()), 0);
    fputs("new", file.stream);
    EXPECT_EQ(content(path("a")), "a longer old text");
    ASSERT_EQ(outfile_commit(&file), 0);
    EXPECT_EQ(content(path("a")), "new");
}

TEST_F(OutfileTest, AnAbortLeavesTheOldContentsAndNoTemporaryFile)
{
    outfile file;

    write(path("a"), "old");
    ASSERT_EQ(outfile_open(&file, path("a").c_str()), 0);
    fputs("new", file.stream);
    outfile_abort(&file);
    EXPECT_EQ(content(path("a")), "old");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, MissingParentsAreMade)
{
    outfile file;

    ASSERT_EQ(outfile_open(&file, path("x/y/a").c_str()), 0);
    ASSERT_EQ(outfile_commit(&file), 0);
    EXPECT_TRUE(fs::exists(path("x/y/a")));
}

TEST_F(OutfileTest, AFileInPlaceOfAParentIsAnError)
{
    outfile file;
    outdir dir;

    write(path("x"), "");
    EXPECT_EQ(outfile_open(&file, path("x/a").c_str()), -ENOTDIR);
    EXPECT_EQ(outdir_open(&dir, path("x/a").c_str()), -ENOTDIR);
}

TEST_F(OutfileTest, TwoWritersOfOnePathDoNotDisturbEachOther)
{
    outfile first, second;

    ASSERT_EQ(outfile_open(&first, path("a").c_str()), 0);
    ASSERT_EQ(outfile_open(&second, path("a").c_str()), 0);
    fputs("first", first.stream);
    fputs("second", second.stream);
    ASSERT_EQ(outfile_commit(&second), 0);
    ASSERT_EQ(outfile_commit(&first), 0);
    EXPECT_EQ(content(path("a")), "first");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, AFullDiskIsReportedAndNothingAppears)
{
    outfile file;

    ASSERT_EQ(outfile_open(&file, path("a").c_str()), 0);
    fclose(file.stream);
    file.stream = fopen("/dev/full", "w");
    ASSERT_NE(file.stream, nullptr);
    fputs("text", file.stream);
    EXPECT_EQ(outfile_commit(&file), -ENOSPC);
    EXPECT_FALSE(fs::exists(path("a")));
    EXPECT_EQ(entries(), 0u);
}

TEST_F(OutfileTest, NewFilesHaveThePermissionsOfTheUser)
{
    mode_t mask = umask(022);
    struct stat info;
    outfile file;

    ASSERT_EQ(outfile_open(&file, path("a").c_str()), 0);
    ASSERT_EQ(outfile_commit(&file), 0);
    umask(mask);
    ASSERT_EQ(stat(path("a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST_F(OutfileTest, ADirectoryAppearsWithAllItsFiles)
{
    outdir dir;

    ASSERT_EQ(outdir_open(&dir, path("cpt/").c_str()), 0);
    write(fs::path(dir.tmp) / "m5.cpt", "state");
    fs::create_directory(fs::path(dir.tmp) / "sub");
    write(fs::path(dir.tmp) / "sub/x", "deep");
    EXPECT_FALSE(fs::exists(path("cpt")));
    ASSERT_EQ(outdir_commit(&dir), 0);
    EXPECT_EQ(content(path("cpt/m5.cpt")), "state");
    EXPECT_EQ(content(path("cpt/sub/x")), "deep");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, ADirectoryReplacesTheOldOneAndItsFiles)
{
    outdir dir;

    fs::create_directory(path("cpt"));
    write(path("cpt/old"), "old");
    ASSERT_EQ(outdir_open(&dir, path("cpt").c_str()), 0);
    write(fs::path(dir.tmp) / "new", "new");
    EXPECT_TRUE(fs::exists(path("cpt/old")));
    ASSERT_EQ(outdir_commit(&dir), 0);
    EXPECT_FALSE(fs::exists(path("cpt/old")));
    EXPECT_EQ(content(path("cpt/new")), "new");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, AnAbortedDirectoryLeavesTheOldOne)
{
    outdir dir;

    fs::create_directory(path("cpt"));
    write(path("cpt/old"), "old");
    ASSERT_EQ(outdir_open(&dir, path("cpt").c_str()), 0);
    write(fs::path(dir.tmp) / "new", "new");
    outdir_abort(&dir);
    EXPECT_EQ(content(path("cpt/old")), "old");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(OutfileTest, AFileIsNotReplacedByADirectory)
{
    outdir dir;

    write(path("cpt"), "a file");
    ASSERT_EQ(outdir_open(&dir, path("cpt").c_str()), 0);
    EXPECT_EQ(outdir_commit(&dir), -ENOTDIR);
    EXPECT_EQ(content(path("cpt")), "a file");
    EXPECT_EQ(entries(), 1u);
}
