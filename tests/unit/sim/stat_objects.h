/* SPDX-License-Identifier: BSD-3-Clause */
/* A small object with a statistic of every kind, and trees made of it without
 * the rest of the kernel. */
#ifndef TESTS_STAT_OBJECTS_H
#define TESTS_STAT_OBJECTS_H

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "sim/object.h"
#include "sim/stat.h"
#include "sim/stat_tree.h"

struct StatObject {
    sim_object base;
    uint64_t count;
    double number;
    stat_average average;
    stat_vector vector;
    stat_vector2d matrix;
    stat_dist dist;
    stat_dist hist;
};

inline sim_stat make_stat(const char *name, const char *doc, const char *unit,
                          sim_stat_kind kind, size_t offset, uint32_t flags = 0)
{
    sim_stat stat = {};

    stat.name = name;
    stat.doc = doc;
    stat.unit = unit;
    stat.kind = kind;
    stat.offset = static_cast<uint32_t>(offset);
    stat.flags = flags;
    return stat;
}

inline sim_stat make_formula(const char *name, const char *doc,
                             const char *unit, stat_formula_t formula)
{
    sim_stat stat = make_stat(name, doc, unit, SIM_STAT_FORMULA, 0);

    stat.formula = formula;
    return stat;
}

/* A type whose table is @rows (the end row is added). */
struct StatType {
    std::vector<sim_stat> rows;
    sim_ops ops = {};
    sim_type type = {};

    explicit StatType(std::vector<sim_stat> table,
                      const sim_type *base_type = nullptr)
        : rows(std::move(table))
    {
        rows.push_back(sim_stat{});
        type.name = "StatObject";
        type.base = base_type;
        type.size = sizeof(StatObject);
        type.stats = rows.data();
        type.ops = &ops;
    }
    StatType(const StatType &) = delete;
};

/* An object that knows its path; children are attached at the end. */
struct StatNode {
    StatObject object = {};
    std::string name, path;
    std::vector<std::unique_ptr<StatNode>> children;

    explicit StatNode(const StatType &type) : StatNode(type, "root", "root")
    {
    }
    StatNode(const StatType &type, std::string own_name, std::string own_path)
        : name(std::move(own_name)), path(std::move(own_path))
    {
        object.base.type = &type.type;
        object.base.name = name.c_str();
        object.base.path = path.c_str();
    }
    ~StatNode()
    {
        stat_vector_fini(&object.vector);
        stat_vector2d_fini(&object.matrix);
        stat_dist_fini(&object.dist);
        stat_dist_fini(&object.hist);
    }
    StatNode &add(const StatType &type, const std::string &child_name)
    {
        std::string below =
            object.base.parent ? path + "." + child_name : child_name;
        auto child = std::make_unique<StatNode>(type, child_name, below);
        sim_object **link = &object.base.first_child;

        child->object.base.parent = &object.base;
        while (*link)
            link = &(*link)->next_sibling;
        *link = &child->object.base;
        children.push_back(std::move(child));
        return *children.back();
    }
    sim_object *base()
    {
        return &object.base;
    }
};

/* The tree of groups, freed at the end of the test. */
struct StatGroup {
    stat_group *top;

    explicit StatGroup(StatNode &node) : top(stat_group_create(node.base()))
    {
    }
    ~StatGroup()
    {
        stat_group_destroy(top);
    }
    StatGroup(const StatGroup &) = delete;
};

/* What @write puts into a stream. */
template <typename F> std::string capture(F write)
{
    char *text = nullptr;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    write(out);
    fclose(out);
    std::string all(text, len);
    free(text);
    return all;
}

#endif
