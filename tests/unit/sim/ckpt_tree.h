/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulations made of toys with state, and a directory for checkpoints. */
#ifndef TESTS_UNIT_SIM_CKPT_TREE_H
#define TESTS_UNIT_SIM_CKPT_TREE_H

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "base/alloc.h"
#include "base/rng.h"
#include "ckpt_toy.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_seal.h"
#include "sim/sim.h"

/* root with children a (toy) and b (big toy), a with child c (toy). */
struct CkptSim {
    struct sim *sim = sim_create(nullptr);
    sim_object *root = add(ckpt_root_type, nullptr, "root");
    ckpt_toy *a = nullptr, *c = nullptr;
    ckpt_big_toy *b = nullptr;

    CkptSim() = default;
    CkptSim(const CkptSim &) = delete;
    ~CkptSim()
    {
        sim_destroy(sim);
    }
    sim_object *add(const sim_type &type, sim_object *parent, const char *name)
    {
        return sim_object_create(sim, &type, parent, name, nullptr);
    }
    void add_toys(const sim_type &type = ckpt_toy_type)
    {
        a = reinterpret_cast<ckpt_toy *>(add(type, root, "a"));
        b = reinterpret_cast<ckpt_big_toy *>(add(ckpt_big_toy_type, root, "b"));
        c = reinterpret_cast<ckpt_toy *>(add(ckpt_toy_type, &a->base, "c"));
    }
    void fill()
    {
        fill_scalars(a, 1);
        fill_lists(a);
        fill_scalars(c, 2);
        fill_scalars(&b->toy, 3);
        b->queue_len = 3;
        b->queue[0] = UINT64_MAX;
        b->queue[2] = 7;
        memcpy(b->blob, "\x00\xff\x80 blob", 8);
        strcpy(b->label, "a label=with \\ and\nnew line ");
        b->entries[0] = 10;
        b->entries[1] = 11;
        strcpy(b->file_text, "content of the file");
        sim_set_now(sim, 12345);
        rng_u64(sim_rng(sim));
    }
    void fill_scalars(ckpt_toy *toy, uint8_t seed)
    {
        toy->flag = true;
        toy->u8 = UINT8_MAX;
        toy->u16 = UINT16_MAX;
        toy->u32 = UINT32_MAX;
        toy->u64 = UINT64_MAX - seed;
        toy->i64 = INT64_MIN + seed;
        toy->f64 = -0.1 * seed;
        toy->text = alloc_strdup("two words, \\ and\n=\\0");
        toy->friend_obj = &c->base;
        toy->range = {
            0x1000, 0x9000, 2, 3, {0x40, 0x80}
        };
        toy->flags[1] = true;
        for (uint8_t i = 0; i < 4; i++)
            toy->bytes[i] = static_cast<uint8_t>(seed * i);
        toy->words[1] = seed;
        toy->ratios[0] = 1e300 * seed;
        toy->names[1] = alloc_strdup("in a list");
    }
    template <typename V, typename T>
    static void fill_list(V *list, std::initializer_list<T> values)
    {
        list->len = static_cast<uint32_t>(values.size());
        list->data = static_cast<decltype(list->data)>(
            alloc_zeroed(values.size(), sizeof(T)));
        std::copy(values.begin(), values.end(), list->data);
    }
    void fill_lists(ckpt_toy *toy)
    {
        fill_list(&toy->numbers, {uint64_t{5}, UINT64_MAX});
        fill_list(&toy->levels, {0.25, -1.0, 3e-320});
        fill_list<sim_vec_str, const char *>(
            &toy->words_list, {alloc_strdup(""), alloc_strdup("b c"), nullptr});
        fill_list<sim_vec_obj, sim_object *>(&toy->friends,
                                             {&b->toy.base, nullptr});
        fill_list<sim_vec_range, addr_range>(
            &toy->ranges, {
                              addr_range{0, 1, 0, 0, {}},
                              a->range
        });
    }
};

class CkptDir : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        std::string name =
            std::filesystem::temp_directory_path() / "ckpt.XXXXXX";

        ASSERT_NE(mkdtemp(name.data()), nullptr);
        top = name;
    }
    void TearDown() override
    {
        std::filesystem::remove_all(top);
    }
    std::string path(const std::string &name = "cpt") const
    {
        return top / name;
    }
    static std::string content(const std::string &name)
    {
        std::stringstream all;

        all << std::ifstream(name, std::ios::binary).rdbuf();
        return all.str();
    }
    static void write(const std::string &name, const std::string &text)
    {
        std::ofstream(name, std::ios::binary) << text;
    }
    /* The text of m5.cpt, without its seal. */
    std::string body(const std::string &name = "cpt") const
    {
        std::string text = content(path(name) + "/m5.cpt");

        return text.substr(0, text.rfind("\n[root.checksums]"));
    }
    /* With sums that match, whatever the text is. */
    static std::string sealed(const std::string &text)
    {
        char *line = ckpt_last_line(text.data(), text.size());
        std::string all = text + line;

        mem_free(line);
        return all;
    }
    int save(CkptSim &sim, const std::string &name = "cpt")
    {
        why[0] = 0;
        return ckpt_save(sim.sim, path(name).c_str(), why);
    }
    int load(CkptSim &sim, const std::string &name = "cpt")
    {
        why[0] = 0;
        return ckpt_load(sim.sim, path(name).c_str(), why);
    }
    /* Load with @from replaced by @to in m5.cpt: the reason of the refusal. */
    std::string load_edited(const std::string &from, const std::string &to)
    {
        CkptSim fresh;
        std::string text = body();
        size_t at = text.find(from);

        fresh.add_toys();
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        std::filesystem::copy(path(), path("edited"),
                              std::filesystem::copy_options::recursive);
        write(path("edited") + "/m5.cpt", sealed(text));
        int err = load(fresh, "edited");
        std::filesystem::remove_all(path("edited"));
        return err ? why : "loaded";
    }
    std::filesystem::path top;
    char why[256] = "";
};

#endif
