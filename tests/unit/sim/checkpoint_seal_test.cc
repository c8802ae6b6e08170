/* SPDX-License-Identifier: BSD-3-Clause */
/* What is sealed comes back; what was changed is refused with its place. */
#include "sim/checkpoint_seal.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "base/alloc.h"

static const std::string plain = "## checkpoint generated: today\n\n[b]\nz=1\n"
                                 "a=2\n\n[a.c]\nk=v=w [x]\n\n[empty]\n";

static std::string sealed(const std::string &text)
{
    char *all = nullptr, why[256];

    if (ckpt_seal(text.data(), text.size(), &all, why))
        return why;
    std::string copy = all;
    mem_free(all);
    return copy;
}

/* With last line, but the table as it stands. */
static std::string closed(const std::string &text)
{
    char *line = ckpt_last_line(text.data(), text.size());
    std::string all = text + line;

    mem_free(line);
    return all;
}

static std::string refused(const std::string &text)
{
    ckpt_ini ini;
    char why[256] = "";

    if (ckpt_unseal(&ini, text.data(), text.size(), why))
        return why;
    ckpt_ini_fini(&ini);
    return "accepted";
}

static std::string edited(const std::string &from, const std::string &to)
{
    const std::string before = "the checksum does not match: damaged or "
                               "edited: ";
    std::string text = sealed(plain), why;
    size_t at = text.find(from);

    EXPECT_NE(at, std::string::npos) << from;
    why = refused(text.replace(at, from.size(), to));
    EXPECT_EQ(why.substr(0, before.size()), before);
    return why.substr(before.size());
}

TEST(CheckpointSeal, AddsATableAndALastLine)
{
    std::string all = sealed(plain);

    EXPECT_EQ(all.substr(0, plain.size()), plain);
    std::string table = all.substr(plain.size());
    EXPECT_EQ(table.rfind("\n[root.checksums]\na.c=k:", 0), 0u) << table;
    EXPECT_NE(table.find("\nb=a:"), std::string::npos) << table;
    EXPECT_NE(table.find("\nempty=\n## checksum: xxh64 "), std::string::npos);
}

TEST(CheckpointSeal, WhatWasSealedComesBackWithoutTheTable)
{
    std::string all = sealed(plain);
    ckpt_ini ini;
    char why[256];

    ASSERT_EQ(ckpt_unseal(&ini, all.data(), all.size(), why), 0) << why;
    EXPECT_EQ(ini.num_sections, 3u);
    EXPECT_STREQ(ckpt_section_value(ckpt_ini_section(&ini, "b"), "z"), "1");
    EXPECT_EQ(ckpt_ini_section(&ini, CKPT_CHECKSUMS), nullptr);
    ckpt_ini_fini(&ini);
}

TEST(CheckpointSeal, WhatCouldNotBeReadIsNotSealed)
{
    EXPECT_EQ(sealed("## checkpoint generated: now\n[s]\na=1\na=2\n"),
              "section [s], key a: given twice");
}

TEST(CheckpointSeal, RefusesATextWithoutItsLastLine)
{
    std::string want = "without a checksum: truncated, or not written by this "
                       "simulator";
    std::string good = sealed(plain);

    EXPECT_EQ(refused(""), want);
    EXPECT_EQ(refused("\n"), want);
    EXPECT_EQ(refused("## checkpoint generated: x\n[root]\nFullSystem=false\n"),
              "ends in section [root], key FullSystem, " + want);
    EXPECT_EQ(refused("## checkpoint generated: x\n[a]\nk=1\n\n[a.b]\nlo"),
              "ends in section [a.b], " + want);
    EXPECT_EQ(refused("[" + std::string(300, 'x') + "\n"), want);
    for (size_t len = 0; len < good.size(); len++)
        EXPECT_NE(refused(good.substr(0, len)), "accepted") << len;
    EXPECT_NE(refused(good + "\n"), "accepted");
    EXPECT_EQ(refused(good), "accepted");
}

TEST(CheckpointSeal, TellsWhatWasChanged)
{
    EXPECT_EQ(edited("z=1", "z=2"), "section [b], key z");
    EXPECT_EQ(edited("z=1", "y=1"), "section [b], key z: missing");
    EXPECT_EQ(edited("z=1\n", ""), "section [b], key z: missing");
    EXPECT_EQ(edited("z=1", "z"), "section [b], key z: missing");
    EXPECT_EQ(edited("z=1\n", "z=1\ny=1\n"),
              "section [b]: has more keys than were saved");
    EXPECT_EQ(edited("[a.c]", "[a.d]"), "section [a.c]: missing");
    EXPECT_EQ(edited("[a.c]", "[a.c"), "section [a.c]: missing");
    EXPECT_EQ(edited("\n[a.c]", "\n[d]\n\n[a.c]"),
              "section [d]: was not saved");
    EXPECT_EQ(edited("today", "Today"), "the first line");
}

TEST(CheckpointSeal, TellsDamageOfTheSealItself)
{
    std::string all = sealed(plain);
    size_t sums = all.rfind("xxh64 ") + 6;

    EXPECT_EQ(edited("\nb=a:", "\nb=b:"), "section [root.checksums], key b");
    EXPECT_EQ(edited("\nb=a:", "\nc=a:"), "section [root.checksums], key c");
    EXPECT_EQ(edited("\nb=a:", "\nb="), "section [root.checksums], key b");
    EXPECT_EQ(edited("\nb=a:", "\nb a:"), "section [root.checksums]");
    EXPECT_EQ(edited("[root.checksums]", "[root.checks]"),
              "section [root.checksums]: missing");
    for (size_t at : {sums, sums + 16})
        EXPECT_EQ(edited(all.substr(at), "x" + all.substr(at + 1)),
                  at == sums ? "between the sections or in the last line"
                             : "the last line");
}

TEST(CheckpointSeal, WithoutDamageTheTableIsNotNeeded)
{
    EXPECT_EQ(refused(closed(plain)), "accepted");
    EXPECT_EQ(refused(closed(plain + "nonsense\n")),
              "section [empty], line 11: not of the form key=value");
}

TEST(CheckpointSeal, RefusesEveryChangedBit)
{
    std::string good = sealed(plain);

    for (size_t i = 0; i < good.size(); i++) {
        for (int bit = 0; bit < 8; bit++) {
            std::string bad = good;

            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            EXPECT_NE(refused(bad), "accepted") << i;
        }
    }
}
