/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of m5.cpt. */
#include "sim/checkpoint_ini.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

static const std::string date = "## checkpoint generated: today\n";

static int split(ckpt_ini *ini, const std::string &text, char why[256],
                 ckpt_ini_mode mode = CKPT_INI_STRICT)
{
    return ckpt_ini_split(ini, text.data(), text.size(), mode, why);
}

static std::string refused(const std::string &text)
{
    ckpt_ini ini;
    char why[256] = "";

    if (split(&ini, text, why))
        return why;
    ckpt_ini_fini(&ini);
    return "accepted";
}

TEST(CheckpointIni, FindsSectionsAndValuesWhateverTheirOrder)
{
    std::string text =
        (date + "\n[b]\nz=1\na=\n\n[a.c]\nk=v=w [x]\n\n[empty]\n");
    ckpt_ini ini;
    char why[256];

    ASSERT_EQ(split(&ini, text, why), 0) << why;
    ASSERT_NE(ckpt_ini_section(&ini, "b"), nullptr);
    EXPECT_STREQ(ckpt_section_value(ckpt_ini_section(&ini, "b"), "z"), "1");
    EXPECT_STREQ(ckpt_section_value(ckpt_ini_section(&ini, "b"), "a"), "");
    EXPECT_STREQ(ckpt_section_value(ckpt_ini_section(&ini, "a.c"), "k"),
                 "v=w [x]");
    EXPECT_EQ(ckpt_ini_section(&ini, "empty")->num_entries, 0u);
    EXPECT_EQ(ckpt_ini_section(&ini, "a"), nullptr);
    EXPECT_EQ(ckpt_section_value(ckpt_ini_section(&ini, "b"), "k"), nullptr);
    ckpt_ini_fini(&ini);
}

TEST(CheckpointIni, MarksTheValuesThatWereAskedFor)
{
    std::string text = (date + "[s]\na=1\nb=2\n");
    ckpt_ini ini;
    char why[256];

    ASSERT_EQ(split(&ini, text, why), 0);
    ckpt_section *section = ckpt_ini_section(&ini, "s");
    ckpt_section_value(section, "b");
    EXPECT_FALSE(section->entries[0].is_used);
    EXPECT_TRUE(section->entries[1].is_used);
    ckpt_ini_fini(&ini);
}

TEST(CheckpointIni, ManySectionsAndKeysAreFound)
{
    std::string body = date;
    ckpt_ini ini;
    char why[256];

    for (int i = 0; i < 300; i++) {
        body += "[s" + std::to_string(i) + "]\n";
        for (int k = 0; k < 20; k++)
            body += "k" + std::to_string(k) + "=" + std::to_string(i) + "\n";
    }
    std::string text = (body);
    ASSERT_EQ(split(&ini, text, why), 0);
    for (int i = 0; i < 300; i++) {
        std::string name = "s" + std::to_string(i);
        ckpt_section *section = ckpt_ini_section(&ini, name.c_str());

        ASSERT_NE(section, nullptr);
        EXPECT_EQ(ckpt_section_value(section, "k13"), std::to_string(i));
    }
    ckpt_ini_fini(&ini);
}

TEST(CheckpointIni, TellsTheLineThatIsWrong)
{
    EXPECT_EQ(refused(("[s]\n")),
              "the first line is not \"## checkpoint generated: ...\"");
    EXPECT_EQ(refused((date + "a=1\n")), "line 2: a key outside a section");
    EXPECT_EQ(refused((date + "\n[s]\nnonsense\n")),
              "section [s], line 4: not of the form key=value");
    EXPECT_EQ(refused((date + "[s]\n=1\n")),
              "section [s], line 3: not of the form key=value");
    EXPECT_EQ(refused((date + "[s\n")),
              "line 2: a section without name or bracket");
    EXPECT_EQ(refused((date + "[]\n")),
              "line 2: a section without name or bracket");
    EXPECT_EQ(refused((date + std::string("[s]\na=\0\n", 8))),
              "holds a zero byte: not a text");
}

TEST(CheckpointIni, RefusesWhatIsGivenTwice)
{
    EXPECT_EQ(refused((date + "[s]\na=1\nb=2\na=3\n")),
              "section [s], key a: given twice");
    EXPECT_EQ(refused((date + "[s]\n[t]\n[s]\n")), "section [s]: given twice");
}

TEST(CheckpointIni, TellsATextThatDoesNotEndInANewline)
{
    EXPECT_EQ(refused(date + "[s]\na=1"), "ends within a line");
}

TEST(CheckpointIni, PassesOverEverythingWhenLenient)
{
    ckpt_ini ini;
    char why[256];
    std::string text = date + std::string("x\n[s\n=1\n[t]\nno\na=\0b", 19);

    ASSERT_EQ(split(&ini, text, why, CKPT_INI_LENIENT), 0);
    ASSERT_EQ(ini.num_sections, 1u);
    EXPECT_STREQ(ckpt_section_value(ckpt_ini_section(&ini, "t"), "a"), "\001b");
    ckpt_ini_fini(&ini);
    for (const char *bad : {"", "x", "\n", "[", "[a]\n[a]\nk=\nk="}) {
        ASSERT_EQ(split(&ini, bad, why, CKPT_INI_LENIENT), 0);
        ckpt_ini_fini(&ini);
    }
}
