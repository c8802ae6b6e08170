/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading checkpoints: all state comes back, and whatever is wrong is refused
 * with its place before anything has changed. */
#include <cerrno>

#include "ckpt_tree.h"
#include "sim/checkpoint_private.h"
#include "sim/stat_out.h"

namespace fs = std::filesystem;

class CheckpointLoad : public CkptDir
{
  protected:
    void SetUp() override
    {
        CkptDir::SetUp();
        saved.add_toys();
        saved.fill();
        ASSERT_EQ(save(saved), 0) << why;
        fresh.add_toys();
    }
    /* The state of a simulation as its checkpoint without the date. */
    std::string state(CkptSim &tree)
    {
        EXPECT_EQ(save(tree, "state"), 0) << why;
        std::string text = body("state");

        return text.substr(text.find('\n'));
    }
    CkptSim saved, fresh;
};

TEST_F(CheckpointLoad, RestoresTimeRandomNumbersAndAllState)
{
    ASSERT_EQ(load(fresh), 0) << why;
    EXPECT_EQ(sim_now(fresh.sim), 12345u);
    EXPECT_EQ(rng_u64(sim_rng(fresh.sim)), rng_u64(sim_rng(saved.sim)));
    EXPECT_STREQ(fresh.a->text, saved.a->text);
    EXPECT_EQ(fresh.a->friend_obj, &fresh.c->base);
    EXPECT_EQ(fresh.b->queue_len, 3u);
    EXPECT_STREQ(fresh.b->label, saved.b->label);
    EXPECT_STREQ(fresh.b->file_text, "content of the file");
    EXPECT_EQ(state(fresh), state(saved));
}

TEST_F(CheckpointLoad, LoadsOverWhatAnObjectHeldBefore)
{
    fresh.fill();
    sim_set_now(fresh.sim, 0);
    ASSERT_EQ(load(fresh), 0) << why;
    EXPECT_EQ(state(fresh), state(saved));
}

TEST_F(CheckpointLoad, AnEmptyStateComesBackEmpty)
{
    CkptSim empty;

    empty.add_toys();
    ASSERT_EQ(save(empty, "empty"), 0);
    ASSERT_EQ(load(saved, "empty"), 0) << why;
    EXPECT_EQ(state(saved), state(empty));
    EXPECT_EQ(saved.a->text, nullptr);
}

TEST_F(CheckpointLoad, ATypeThatAddsNoStateMayDiffer)
{
    CkptSim thin;

    thin.add_toys(ckpt_thin_type);
    EXPECT_EQ(load(thin), 0) << why;
    EXPECT_EQ(thin.a->u8, UINT8_MAX);
}

TEST_F(CheckpointLoad, AMissingDirectoryIsToldByName)
{
    EXPECT_EQ(load(fresh, "none"), -ENOENT);
    EXPECT_NE(std::string(why).find("none/m5.cpt: No such file"),
              std::string::npos);
}

TEST_F(CheckpointLoad, ACheckpointOfGem5IsRefused)
{
    write(path() + "/m5.cpt", "## checkpoint generated: x\n\n[root]\n"
                              "FullSystem=false\n\n[root.globals]\n"
                              "curTick=5\nversion_tags=\n");
    EXPECT_EQ(load(fresh), -EINVAL);
    EXPECT_STREQ(why, "ends in section [root.globals], key version_tags, "
                      "without a checksum: truncated, or not written by this "
                      "simulator");
}

TEST_F(CheckpointLoad, DamageIsToldWithItsPlace)
{
    std::string text = content(path() + "/m5.cpt");
    std::string state_before = state(fresh);
    size_t place = text.find("\ncurTick=") + 9;

    for (const char *digit : {"x", "1"}) {
        write(path() + "/m5.cpt",
              text.substr(0, place) + digit + text.substr(place));
        EXPECT_EQ(load(fresh), -EINVAL);
        EXPECT_STREQ(why, "the checksum does not match: damaged or edited: "
                          "section [root.globals], key curTick");
    }
    EXPECT_EQ(state(fresh), state_before);
}

TEST_F(CheckpointLoad, AnObjectThatIsMissingHereIsRefused)
{
    CkptSim smaller;

    smaller.a = reinterpret_cast<ckpt_toy *>(
        smaller.add(ckpt_toy_type, smaller.root, "a"));
    smaller.add(ckpt_big_toy_type, smaller.root, "b");
    EXPECT_EQ(load(smaller), -EINVAL);
    EXPECT_STREQ(why, "section [a], key friend: \"a.c\" is not the path of an "
                      "object here");
    EXPECT_EQ(smaller.a->u8, 0);
    EXPECT_EQ(load_edited("[a.c]", "[a.d]"), "section [a.c]: missing");
    EXPECT_EQ(load_edited("\n[root.files]", "\n[d]\n\n[root.files]"),
              "section [d]: no such object in this configuration");
    EXPECT_EQ(load_edited("\n[root.files]", "\n[b.d]\ntypes=X:1\n"
                                            "\n[root.files]"),
              "section [b.d]: no such object in this configuration");
}

TEST_F(CheckpointLoad, AnObjectThatWasNotSavedIsRefused)
{
    fresh.add(ckpt_toy_type, fresh.root, "more");
    EXPECT_EQ(load(fresh), -EINVAL);
    EXPECT_STREQ(why, "section [more]: missing");
    EXPECT_EQ(fresh.a->u8, 0);
}

TEST_F(CheckpointLoad, AnotherTypeOrVersionIsRefused)
{
    CkptSim newer, other;

    newer.add_toys(ckpt_new_toy_type);
    EXPECT_EQ(load(newer), -EINVAL);
    EXPECT_STREQ(why, "section [a], key types: saved by version CkptToy:3, "
                      "here is CkptToy:4");
    other.add_toys(ckpt_big_toy_type);
    EXPECT_EQ(load(other), -EINVAL);
    EXPECT_STREQ(why, "section [a], key types: saved by type CkptToy:3, "
                      "here is CkptToy:3 CkptBigToy:1");
}

TEST_F(CheckpointLoad, EachDamageHasItsOwnMessage)
{
    EXPECT_EQ(load_edited("\nu8=255\n", "\n"), "section [a], key u8: missing");
    EXPECT_EQ(load_edited("\nu8=255\n", "\nu8=255\nu8=255\n"),
              "section [a], key u8: given twice");
    EXPECT_EQ(load_edited("\nu8=255\n", "\nu8=256\n"),
              "section [a], key u8: \"256\" is not in the range of its type");
    EXPECT_EQ(load_edited("\nu8=255\n", "\nu8=255 junk\n"),
              "section [a], key u8: has 2 values instead of 1");
    EXPECT_EQ(load_edited("\nu8=255\n", "\nu8=255x\n"),
              "section [a], key u8: \"255x\" is not an unsigned number");
    EXPECT_EQ(load_edited("\nu8=255\n", "\nu8=255\nu9=1\n"),
              "section [a], key u9: not known here");
    EXPECT_EQ(load_edited("\nbytes=0 1 2 3\n", "\nbytes=0 1 2\n"),
              "section [a], key bytes: has 3 values instead of 4");
    EXPECT_EQ(load_edited("\ncurTick=12345\n", "\n"),
              "section [root.globals], key curTick: missing");
    EXPECT_EQ(load_edited("\ncurTick=12345\n", "\ncurTick=-1\n"),
              "section [root.globals], key curTick: "
              "not an unsigned 64-bit number");
    EXPECT_EQ(load_edited("\nrng=", "\nrng=1 "),
              "section [root.globals], key rng: has 5 values instead of 4");
    EXPECT_EQ(load_edited("gearshift-2", "other"),
              "section [root.globals], key version_tags: "
              "not gearshift-2: another format");
    EXPECT_EQ(load_edited("\n[root.files]\n", "\n[files]\n"),
              "section [root.files]: missing");
    EXPECT_EQ(load_edited("\nb.data=19 ", "\nb.data=18 "),
              "section [root.files], key b.data: "
              "length or checksum of the file does not match");
    EXPECT_EQ(load_edited("\nb.data=19 ", "\nb.date=19 "),
              "section [root.files], key b.date: No such file or directory");
    EXPECT_EQ(load_edited("\nb.data=19 ", "\n../b.data=19 "),
              "section [root.files], key ../b.data: not a file name");
    EXPECT_EQ(load_edited("\nqueue=", "\nmore=1\nqueue="),
              "section [b], key more: not known here");
    EXPECT_EQ(load_edited("\nqueue=", "\nqueues="),
              "section [b], key queue: missing");
}

TEST_F(CheckpointLoad, StateBeyondTheTableIsCheckedByItsOp)
{
    EXPECT_EQ(load_edited("\nblob=0x00", "\nblob=0x"),
              "section [b], key blob: wrong number of bytes");
    EXPECT_EQ(load_edited("\nblob=0x00", "\nblob=0xzz"),
              "section [b], key blob: not bytes in hex");
    EXPECT_EQ(load_edited("\nlabel=a", "\nlabel=\\a"),
              "section [b], key label: not a string with known escapes");
    EXPECT_EQ(load_edited("\nlabel=a", "\nlabel=" + std::string(80, 'x')),
              "section [b]: the label is too long");
    EXPECT_EQ(load_edited("[b.Entry1]", "[b.Entry2]"),
              "section [b.Entry1]: missing");
    EXPECT_EQ(load_edited("\n[b.Entry1]", "\n[b.Entry2]\n\n[b.Entry1]"),
              "section [b.Entry2]: not known here");
    EXPECT_EQ(load_edited("\nqueue=1", "\nqueue=x1"),
              "section [b], key queue: not unsigned 64-bit numbers");
    fresh.b->load_fails = true;
    EXPECT_EQ(load(fresh), -EPERM);
    EXPECT_STREQ(why, "section [b]: Operation not permitted");
}

TEST_F(CheckpointLoad, AChangedFileIsRefusedBeforeAnythingIsLoaded)
{
    write(path() + "/b.data", "content of the filE");
    EXPECT_EQ(load(fresh), -EINVAL);
    EXPECT_EQ(fresh.a->u8, 0);
    fs::remove(path() + "/b.data");
    EXPECT_EQ(load(fresh), -ENOENT);
    EXPECT_EQ(sim_now(fresh.sim), 0u);
}

TEST_F(CheckpointLoad, AnEventBeforeTheCheckpointsTimeIsRefused)
{
    sim_exit_at(fresh.sim, "early", 0, 100, 0);
    EXPECT_EQ(load(fresh), -EINVAL);
    EXPECT_STREQ(why, "an event is scheduled at tick 100, before the "
                      "checkpoint's tick 12345");
    EXPECT_EQ(fresh.a->u8, 0);
}

TEST_F(CheckpointLoad, PeriodicStatisticsGoOnAfterTheCheckpointsTime)
{
    stat_out_periodic(sim_stat_out(fresh.sim), 100);
    EXPECT_EQ(load(fresh), 0) << why;
    EXPECT_EQ(eventq_next_tick(sim_eventq(fresh.sim)), 12445u);
}

/* ------------------------------------------------------------ random damage */

static std::string damaged(std::string text, std::mt19937_64 &rng)
{
    size_t at = rng() % text.size();

    switch (rng() % 5) {
    case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << rng() % 8));
        return text;
    case 1:
        return text.substr(0, at);
    case 2:
        return text.erase(at, 1 + rng() % 40);
    case 3:
        return text.insert(at, 1 + rng() % 3, static_cast<char>(rng()));
    default: {
        size_t from = rng() % text.size();

        return text.insert(at, text.substr(from, rng() % 200));
    }
    }
}

/* What a message must name when the byte @at of the text is damaged: its
 * section and key, or for what lies between two sections either. */
struct Place {
    std::string name, other;
};

static Place place_of(const std::string &text, size_t at)
{
    size_t start = text.rfind('\n', at ? at - 1 : 0);
    std::string line, section;

    start = start == std::string::npos || !at ? 0 : start + 1;
    line = text.substr(start, text.find('\n', start) - start);
    if (!start)
        return {"the first line", ""};
    if (line.rfind("## checksum", 0) == 0)
        return {"last line", "without a checksum"};
    size_t head = text.rfind("\n[", line[0] == '[' ? start : start - 1);
    section = head == std::string::npos
                  ? ""
                  : text.substr(head + 1, text.find(']', head) - head);
    if (line.empty()) {
        size_t next = text.find('[', at);

        return {text.substr(next, text.find(']', next) + 1 - next), section};
    }
    if (line[0] == '[')
        return {"section " + section, ""};
    return {"section " + section + ", key " + line.substr(0, line.find('=')),
            section == "[root.checksums]" ? section : ""};
}

TEST_F(CheckpointLoad, EveryFlippedBitIsToldWithSectionAndKey)
{
    std::string good = content(path() + "/m5.cpt"), before = state(fresh);

    for (size_t at = 0; at < good.size(); at++) {
        Place place = place_of(good, at);

        for (int bit = 0; bit < 8; bit++) {
            std::string bad = good;

            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            ASSERT_EQ(ckpt_load_text(fresh.sim, path().c_str(), bad.data(),
                                     bad.size(), why),
                      -EINVAL)
                << "byte " << at << " bit " << bit;
            std::string told = why;
            ASSERT_TRUE(told.find(place.name) != std::string::npos ||
                        (!place.other.empty() &&
                         told.find(place.other) != std::string::npos))
                << "byte " << at << " bit " << bit << " of " << place.name
                << ": " << told;
        }
    }
    EXPECT_EQ(state(fresh), before);
}

TEST_F(CheckpointLoad, EveryRandomDamageIsRefusedAndChangesNothing)
{
    std::string good = content(path() + "/m5.cpt"), before = state(fresh);
    std::mt19937_64 rng(11);

    for (int i = 0; i < 5000; i++) {
        std::string bad = damaged(good, rng);

        if (bad == good)
            continue;
        ASSERT_NE(ckpt_load_text(fresh.sim, path().c_str(), bad.data(),
                                 bad.size(), why),
                  0)
            << "round " << i;
    }
    EXPECT_EQ(state(fresh), before);
}

/* Behind a valid checksum the parser and every decoder see the damage. */
TEST_F(CheckpointLoad, DamageBehindAValidChecksumNeverCrashes)
{
    std::string good = body();
    std::mt19937_64 rng(12);
    int loaded = 0, refused = 0;

    for (int i = 0; i < 5000; i++) {
        std::string bad = damaged(good, rng);

        if (rng() % 2)
            bad = damaged(bad, rng);
        bad = sealed(bad);
        why[0] = 0;
        int err = ckpt_load_text(fresh.sim, path().c_str(), bad.data(),
                                 bad.size(), why);
        (err ? refused : loaded)++;
        ASSERT_EQ(err != 0, why[0] != 0) << "round " << i << why;
        sim_set_now(fresh.sim, 0);
    }
    EXPECT_GT(refused, 3000);
    EXPECT_GT(loaded, 50);
}

TEST_F(CheckpointLoad, RandomDamageOfAFileIsRefused)
{
    std::string good = content(path() + "/b.data");
    std::mt19937_64 rng(13);

    for (int i = 0; i < 200; i++) {
        std::string bad = damaged(good, rng);

        write(path() + "/b.data", bad);
        ASSERT_EQ(load(fresh) == 0, bad == good) << "round " << i;
        if (bad == good)
            sim_set_now(fresh.sim, 0);
    }
}
