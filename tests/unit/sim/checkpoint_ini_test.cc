/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of m5.cpt. */
#include "sim/checkpoint_ini.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

static const std::string date = "## checkpoint generated: today\n";

static std::string sealed(const std::string &body)
{
    char sum[17];

    ckpt_checksum(body.data(), body.size(), sum);
    return body + CKPT_LAST_LINE + sum + "\n";
}

static std::string refused(const std::string &text)
{
    ckpt_ini ini;
    char why[256] = "";

    if (!ckpt_ini_parse(&ini, text.data(), text.size(), why)) {
        bool is_damaged = ini.is_damaged;

        ckpt_ini_fini(&ini);
        return is_damaged ? "damaged" : "accepted";
    }
    return why;
}

TEST(CheckpointIni, FindsSectionsAndValuesWhateverTheirOrder)
{
    std::string text =
        sealed(date + "\n[b]\nz=1\na=\n\n[a.c]\nk=v=w [x]\n\n[empty]\n");
    ckpt_ini ini;
    char why[256];

    ASSERT_EQ(ckpt_ini_parse(&ini, text.data(), text.size(), why), 0) << why;
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
    std::string text = sealed(date + "[s]\na=1\nb=2\n");
    ckpt_ini ini;
    char why[256];

    ASSERT_EQ(ckpt_ini_parse(&ini, text.data(), text.size(), why), 0);
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
    std::string text = sealed(body);
    ASSERT_EQ(ckpt_ini_parse(&ini, text.data(), text.size(), why), 0);
    for (int i = 0; i < 300; i++) {
        std::string name = "s" + std::to_string(i);
        ckpt_section *section = ckpt_ini_section(&ini, name.c_str());

        ASSERT_NE(section, nullptr);
        EXPECT_EQ(ckpt_section_value(section, "k13"), std::to_string(i));
    }
    ckpt_ini_fini(&ini);
}

TEST(CheckpointIni, RefusesATextWithoutItsChecksum)
{
    std::string want = "without a checksum: truncated, or not written by this "
                       "simulator";
    std::string good = sealed(date + "[s]\na=1\n");

    EXPECT_EQ(refused(""), want);
    EXPECT_EQ(refused("\n"), want);
    EXPECT_EQ(refused(date + "[root]\nFullSystem=false\n"),
              "ends in section [root], key FullSystem, " + want);
    EXPECT_EQ(refused(date + "\n[a]\nk=1\n\n[a.b]\nlo"),
              "ends in section [a.b], " + want);
    EXPECT_EQ(refused("[" + std::string(300, 'x') + "\n"), want);
    for (size_t len = 0; len < good.size(); len++)
        EXPECT_NE(refused(good.substr(0, len)), "accepted") << len;
    EXPECT_NE(refused(good + "\n"), "accepted");
    EXPECT_EQ(refused(good), "accepted");
}

TEST(CheckpointIni, RefusesEveryChangedByte)
{
    std::string good = sealed(date + "[s]\na=1\n");

    for (size_t i = 0; i < good.size(); i++) {
        std::string bad = good;

        bad[i] = static_cast<char>(bad[i] ^ 1);
        EXPECT_NE(refused(bad), "accepted") << i;
    }
}

TEST(CheckpointIni, TellsTheLineThatIsWrong)
{
    EXPECT_EQ(refused(sealed("[s]\n")),
              "the first line is not \"## checkpoint generated: ...\"");
    EXPECT_EQ(refused(sealed(date + "a=1\n")),
              "line 2: a key outside a section");
    EXPECT_EQ(refused(sealed(date + "\n[s]\nnonsense\n")),
              "line 4: not of the form key=value");
    EXPECT_EQ(refused(sealed(date + "[s]\n=1\n")),
              "line 3: not of the form key=value");
    EXPECT_EQ(refused(sealed(date + "[s\n")),
              "line 2: a section without name or bracket");
    EXPECT_EQ(refused(sealed(date + "[]\n")),
              "line 2: a section without name or bracket");
    EXPECT_EQ(refused(sealed(date + std::string("[s]\na=\0\n", 8))),
              "holds a zero byte: not a text");
}

TEST(CheckpointIni, RefusesWhatIsGivenTwice)
{
    EXPECT_EQ(refused(sealed(date + "[s]\na=1\nb=2\na=3\n")),
              "section [s], key a: given twice");
    EXPECT_EQ(refused(sealed(date + "[s]\n[t]\n[s]\n")),
              "section [s]: given twice");
}
