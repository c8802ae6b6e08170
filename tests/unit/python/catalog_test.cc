// SPDX-License-Identifier: BSD-3-Clause
/*
 * What must hold for every type: a new device is covered by these tests before
 * it has one of its own.  The defaults are read by a small parser of the units
 * that sim/param.h names, independent of the one in Python.
 */
#include "python/catalog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/field.h"
#include "sim/param.h"
#include "sim/port.h"
#include "sim/sim.h"
#include "sim/stat.h"

class EveryType : public testing::TestWithParam<const sim_type *>
{
  protected:
    const sim_type *type = GetParam();

    /* Calls @visit with each row of the tables that @table gives. */
    template <typename Row, typename Visit>
    void for_each_own(const Row *rows, Visit visit)
    {
        for (; rows && *reinterpret_cast<const char *const *>(rows); rows++)
            visit(*rows);
    }

    template <typename Row, typename Visit>
    void for_each_inherited(const Row *sim_type::*table, Visit visit)
    {
        for (const sim_type *t = type; t; t = t->base)
            for_each_own(t->*table, visit);
    }
};

static std::vector<const sim_type *> all_types()
{
    std::vector<const sim_type *> types;

    for (auto type = sim_catalog; *type; type++)
        types.push_back(*type);
    return types;
}

static std::string
type_name(const testing::TestParamInfo<const sim_type *> &info)
{
    return info.param->name;
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryType, testing::ValuesIn(all_types()),
                         type_name);

TEST(Catalog, NamesAreUniqueAndBasesComeFirst)
{
    std::set<std::string> names;
    std::set<const sim_type *> seen;

    for (const sim_type *type : all_types()) {
        EXPECT_TRUE(names.insert(type->name).second) << type->name;
        EXPECT_TRUE(!type->base || seen.count(type->base)) << type->name;
        seen.insert(type);
    }
}

/* A sentence without its full stop. */
static void expect_doc(const char *doc, const std::string &where)
{
    ASSERT_NE(doc, nullptr) << where;
    size_t len = strlen(doc);
    ASSERT_GT(len, 3u) << where;
    EXPECT_NE(doc[len - 1], '.') << where;
    EXPECT_NE(doc[len - 1], ' ') << where;
    EXPECT_EQ(strchr(doc, '\n'), nullptr) << where;
}

TEST_P(EveryType, HasADocAndContainsItsBase)
{
    expect_doc(type->doc, type->name);
    EXPECT_EQ(type->base == nullptr, type == &sim_object_type);
    EXPECT_GE(type->size, type->base ? type->base->size : sizeof(sim_object));
}

/* ------------------------------------------------------------------- fields */

static size_t size_of(sim_kind kind)
{
    switch (kind) {
    case SIM_BOOL:
    case SIM_U8:
        return 1;
    case SIM_U16:
        return 2;
    case SIM_U32:
        return 4;
    case SIM_U64:
    case SIM_I64:
    case SIM_F64:
    case SIM_STR:
    case SIM_OBJ:
        return 8;
    case SIM_RANGE:
        return sizeof(addr_range);
    default:
        return sizeof(sim_vec_u64);
    }
}

static void expect_inside(const sim_field &field, size_t type_size)
{
    EXPECT_GE(field.count, 1u) << field.name;
    EXPECT_LE(field.offset + field.count * size_of(field.kind), type_size)
        << field.name;
}

TEST_P(EveryType, ParametersAreDescribedAndInsideTheObject)
{
    static const std::set<std::string> units = {
        "",  "ticks",  "bytes", "period", "B/s", "addr", "port",
        "V", "cycles", "degC",  "W",      "Hz",  "%"};

    for_each_own(type->params, [&](const sim_param &param) {
        expect_doc(param.field.doc, param.field.name);
        ASSERT_NE(param.field.unit, nullptr) << param.field.name;
        EXPECT_TRUE(units.count(param.field.unit))
            << param.field.name << ": " << param.field.unit;
        expect_inside(param.field, type->size);
        EXPECT_TRUE(!param.max || param.min <= param.max) << param.field.name;
        bool is_obj =
            param.field.kind == SIM_OBJ || param.field.kind == SIM_VEC_OBJ;
        EXPECT_EQ(is_obj, param.obj_type != nullptr) << param.field.name;
        EXPECT_TRUE(!param.names || param.field.kind == SIM_U32)
            << param.field.name;
    });
}

TEST_P(EveryType, ParametersAreDistinctUnlessARowRepeatsThatOfABase)
{
    std::map<std::string, const sim_field *> seen;
    std::set<std::string> own;

    for_each_own(type->params, [&](const sim_param &param) {
        EXPECT_TRUE(own.insert(param.field.name).second) << param.field.name;
    });
    for_each_inherited(&sim_type::params, [&](const sim_param &param) {
        const sim_field *&other = seen[param.field.name];

        if (other) {
            EXPECT_EQ(other->offset, param.field.offset) << param.field.name;
            EXPECT_EQ(other->kind, param.field.kind) << param.field.name;
        }
        other = &param.field;
    });
}

TEST_P(EveryType, PortsAreNotNamedLikeAnythingElse)
{
    std::set<std::string> names;

    for_each_inherited(&sim_type::params, [&](const sim_param &param) {
        names.insert(param.field.name);
    });
    for_each_inherited(&sim_type::ports, [&](const sim_port_desc &port) {
        EXPECT_TRUE(names.insert(port.name).second) << port.name;
        if (port.old_name) {
            EXPECT_TRUE(names.insert(port.old_name).second) << port.old_name;
        }
    });
}

TEST_P(EveryType, StateIsDescribedDistinctAndInsideTheObject)
{
    std::set<std::string> names;

    for_each_own(type->state, [&](const sim_field &field) {
        expect_doc(field.doc, field.name);
        EXPECT_NE(field.unit, nullptr) << field.name;
        EXPECT_TRUE(names.insert(field.name).second) << field.name;
        expect_inside(field, type->size);
    });
}

TEST_P(EveryType, PortsAreDescribedAndInsideTheObject)
{
    for_each_own(type->ports, [&](const sim_port_desc &port) {
        expect_doc(port.doc, port.name);
        ASSERT_NE(port.kind, nullptr) << port.name;
        size_t size = port.is_vector ? sizeof(sim_port_vec) : sizeof(sim_port);
        EXPECT_LE(port.offset + size, type->size) << port.name;
    });
}

TEST_P(EveryType, StatisticsAreDescribedAndDistinct)
{
    static const std::set<std::string> units = {
        "Count", "Tick",  "Cycle", "Byte", "Second",        "Ratio",
        "Bit",   "Joule", "Watt",  "Volt", "DegreeCelsius", "Unspecified"};
    std::set<std::string> names;

    for_each_inherited(&sim_type::stats, [&](const sim_stat &stat) {
        EXPECT_TRUE(names.insert(stat.name).second) << stat.name;
    });
    for_each_own(type->stats, [&](const sim_stat &stat) {
        expect_doc(stat.doc, stat.name);
        ASSERT_NE(stat.unit, nullptr) << stat.name;
        bool is_rate = stat.unit[0] == '(' && strchr(stat.unit, '/');
        EXPECT_TRUE(is_rate || units.count(stat.unit))
            << stat.name << ": " << stat.unit;
        EXPECT_EQ(stat.kind == SIM_STAT_FORMULA, stat.formula != nullptr)
            << stat.name;
        EXPECT_LT(stat.offset, type->size) << stat.name;
    });
}

/* ----------------------------------------------------------------- defaults */

/* What one of a suffix is worth; a frequency gives a period. */
static const std::map<std::string, std::map<std::string, double>> &suffixes()
{
    static const std::map<std::string, double> times = {
        {"s",  1e12},
        {"ms", 1e9 },
        {"us", 1e6 },
        {"ns", 1e3 },
        {"ps", 1   },
        {"t",  1   }
    };
    static const std::map<std::string, double> sizes = {
        {"",    1                     },
        {"B",   1                     },
        {"kB",  1024.                 },
        {"KiB", 1024.                 },
        {"kiB", 1024.                 },
        {"MB",  1024. * 1024          },
        {"MiB", 1024. * 1024          },
        {"GB",  1024. * 1024 * 1024   },
        {"GiB", 1024. * 1024 * 1024   },
        {"TiB", 1024. * 1024 * 1048576},
    };
    static const std::map<std::string, std::map<std::string, double>> all = [] {
        std::map<std::string, std::map<std::string, double>> units;

        units["ticks"] = times;
        units["ticks"][""] = 1;
        units["period"] = times;
        for (const char *frequency : {"Hz", "kHz", "MHz", "GHz"})
            units["period"][frequency] = 1;
        units["bytes"] = units["addr"] = sizes;
        for (auto &[suffix, worth] : sizes)
            units["B/s"][suffix + "/s"] = worth;
        units["V"] = {
            {"V",  1   },
            {"mV", 1e-3}
        };
        units["Hz"] = {
            {"Hz",  1  },
            {"kHz", 1e3},
            {"MHz", 1e6},
            {"GHz", 1e9}
        };
        units["degC"] = {
            {"",  1},
            {"C", 1}
        };
        units["W"] = {
            {"W",  1   },
            {"mW", 1e-3}
        };
        return units;
    }();
    return all;
}

/* Reads "32KiB" in the parameter's unit; false if it is no such number. */
static bool parse_number(const sim_param &param, const std::string &text,
                         double *number)
{
    char *rest = nullptr;
    auto unit = suffixes().find(param.field.unit);

    *number = text.rfind("0x", 0) == 0
                  ? static_cast<double>(strtoull(text.c_str(), &rest, 16))
                  : strtod(text.c_str(), &rest);
    if (rest == text.c_str())
        return false;
    if (unit == suffixes().end())
        return *rest == 0;
    auto suffix = unit->second.find(rest);
    if (suffix == unit->second.end())
        return false;
    *number *= suffix->second;
    return true;
}

static bool parse_enum(const sim_param &param, const std::string &text,
                       sim_value *value)
{
    for (value->u = 0; param.names[value->u]; value->u++)
        if (text == param.names[value->u])
            return true;
    return false;
}

static bool is_reference(const std::string &text)
{
    return text == "NULL" || text.rfind("Parent.", 0) == 0 ||
           text.rfind("Self.", 0) == 0 ||
           (text.size() > 2 && isupper(text[0]) && text.back() == ')');
}

/* A scalar, or the only element of a list. */
static bool parse_scalar(const sim_param &param, const std::string &text,
                         sim_value *value)
{
    double number;

    if (param.names)
        return parse_enum(param, text, value);
    if (param.field.kind == SIM_BOOL) {
        value->u = text == "True";
        return text == "True" || text == "False";
    }
    if (!parse_number(param, text, &number))
        return false;
    if (param.field.kind == SIM_F64 || param.field.kind == SIM_VEC_F64)
        value->f = number;
    else if (param.field.kind == SIM_I64)
        value->i = static_cast<int64_t>(number);
    else if (number < 0 || number != std::floor(number))
        return false;
    else
        value->u = static_cast<uint64_t>(number);
    return true;
}

static bool is_default_valid(const sim_param &param, const std::string &text,
                             char why[160])
{
    sim_param scalar = param;
    sim_value value = {};
    double size;

    switch (param.field.kind) {
    case SIM_STR:
        return true;
    case SIM_OBJ:
        return is_reference(text);
    case SIM_RANGE:
        scalar.field.unit = "bytes";
        return parse_number(scalar, text, &size) && size > 0;
    case SIM_VEC_STR:
    case SIM_VEC_OBJ:
    case SIM_VEC_RANGE:
        return text == "[]" || is_reference(text) || text[0] == '[';
    case SIM_VEC_U64:
    case SIM_VEC_F64:
        if (text[0] == '[')
            return !param.nonempty || text != "[]";
        scalar.field.kind = param.field.kind == SIM_VEC_U64 ? SIM_U64 : SIM_F64;
        break;
    default:
        break;
    }
    return is_reference(text) || (parse_scalar(scalar, text, &value) &&
                                  sim_param_check(&scalar, &value, why) == 0);
}

TEST_P(EveryType, EveryDefaultIsValidForItsParameter)
{
    for_each_own(type->params, [&](const sim_param &param) {
        char why[160] = "no value of this kind";

        if (param.def) {
            EXPECT_TRUE(is_default_valid(param, param.def, why))
                << param.field.name << " = \"" << param.def << "\": " << why;
        }
    });
}

/* -------------------------------------------------------------------- objects
 */

TEST_P(EveryType, AnObjectThatWasNeverInitialisedCanBeDestroyed)
{
    struct sim *sim = sim_create(nullptr);
    sim_object *root =
        sim_object_create(sim, sim_catalog[1], nullptr, "root", nullptr);

    if (!type->is_abstract) {
        sim_object *obj = sim_object_create(sim, type, root, "obj", "x.py:1");
        EXPECT_STREQ(obj->path, "obj");
    }
    sim_destroy(sim);
}
