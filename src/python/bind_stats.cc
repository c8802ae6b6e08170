/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics: dump as text, reset, and read as Python values. */
#include <cerrno>
#include <cstring>

#include "python/binding.hh"
#include "sim/stat_out.h"
#include "sim/stat_text.h"
#include "sim/stat_tree.h"

namespace binding
{
namespace
{

py::dict dist_dict(const struct stat_row *row)
{
    const struct stat_dist *dist = stat_row_dist(row);
    py::dict dict;
    dict["samples"] = dist->samples;
    dict["sum"] = dist->sum;
    dict["mean"] = stat_dist_mean(dist);
    dict["stdev"] = stat_dist_stdev(dist);
    dict["min_value"] = dist->min_value;
    dict["max_value"] = dist->max_value;
    dict["min"] = dist->min;
    dict["max"] = dist->max;
    dict["bucket_size"] = dist->bucket_size;
    dict["underflow"] = dist->underflow;
    dict["overflow"] = dist->overflow;
    return dict;
}

py::list values_of(const struct stat_row *row, tick_t now)
{
    py::list list;
    for (uint32_t i = 0; i < stat_row_len(row); i++)
        list.append(stat_row_value(row, i, now));
    return list;
}

py::list subnames_of(const struct stat_row *row)
{
    py::list list;
    for (uint32_t i = 0; i < stat_row_len(row); i++) {
        const char *name = stat_row_subname(row, i);
        list.append(name ? std::string(name) : std::to_string(i));
    }
    return list;
}

py::dict row_dict(const struct stat_row *row, tick_t now)
{
    py::dict dict;
    dict["unit"] = row->stat->unit;
    dict["desc"] = row->stat->doc;
    if (row->stat->kind == SIM_STAT_DIST || row->stat->kind == SIM_STAT_HIST) {
        dict["kind"] = "distribution";
        dict["values"] = values_of(row, now);
        dict["dist"] = dist_dict(row);
    } else if (row->stat->kind == SIM_STAT_VECTOR2D) {
        const struct stat_vector2d *grid = stat_row_vector2d(row);
        dict["kind"] = "vector2d";
        dict["values"] = values_of(row, now);
        dict["columns"] = grid->y_len;
    } else if (stat_row_is_vector(row)) {
        dict["kind"] = "vector";
        dict["values"] = values_of(row, now);
        dict["subnames"] = subnames_of(row);
        dict["total"] = stat_row_total(row, now);
    } else {
        dict["kind"] = "scalar";
        dict["value"] = stat_row_value(row, 0, now);
    }
    dict["is_formula"] = row->stat->kind == SIM_STAT_FORMULA;
    return dict;
}

/* {"stats": {name: row}, "groups": {name: group}, "path": object or None} */
py::dict group_dict(const struct stat_group *group, tick_t now)
{
    py::dict dict, stats, groups;
    for (uint32_t i = 0; i < group->num_rows; i++)
        if (stat_row_is_shown(&group->rows[i]))
            stats[group->rows[i].name] = row_dict(&group->rows[i], now);
    for (uint32_t i = 0; i < group->num_groups; i++)
        groups[group->groups[i]->name] = group_dict(group->groups[i], now);
    dict["stats"] = stats;
    dict["groups"] = groups;
    dict["type"] = group->obj ? py::object(py::str(group->obj->type->name))
                              : py::object(py::none());
    return dict;
}

py::object find_stat(Simulation &self, const std::string &name)
{
    const struct stat_row *row = stat_find(self.stats(), name.c_str());
    if (!row)
        return py::none();
    stat_prepare(sim_root(self.sim()));
    return row_dict(row, sim_now(self.sim()));
}

void check(int error, const std::string &what)
{
    if (error)
        throw FatalThrow(what + ": " + std::strerror(-error));
}

void dump(Simulation &self, const py::object &top)
{
    const char *what = "cannot write the statistics";
    if (top.is_none())
        check(stat_out_dump(sim_stat_out(self.sim())), what);
    else
        check(stat_out_dump_below(sim_stat_out(self.sim()),
                                  py::cast<Object &>(top).obj),
              what);
}

/* Call a method of a file in Python; what it raises is told here, because the
 * core knows errors as numbers only. */
template <typename... Args>
int call_file(void *ctx, const char *method, const Args &...args)
{
    py::gil_scoped_acquire gil;

    try {
        static_cast<py::object *>(ctx)->attr(method)(args...);
        return 0;
    } catch (py::error_already_set &error) {
        py::print("warn: statistics:", error.what(),
                  py::arg("file") = py::module_::import("sys").attr("stderr"));
        return -EIO;
    }
}

int open_file(void *ctx, const char *path)
{
    return call_file(ctx, "open", path);
}

int write_file(void *ctx, const struct stat_group *top, tick_t now)
{
    py::gil_scoped_acquire gil;

    return call_file(ctx, "write", top->obj ? top->obj->path : "",
                     group_dict(top, now));
}

void add_file(Simulation &self, const std::string &path, const py::object &file)
{
    self.stat_files.push_back(file);
    struct stat_hook hook = {open_file, write_file, &self.stat_files.back()};
    check(stat_out_add_hook(sim_stat_out(self.sim()), path.c_str(), &hook),
          "cannot write '" + path + "'");
}

void bind_outputs(py::class_<Simulation> &cls)
{
    cls.def("stats_add_text",
            [](Simulation &s, const std::string &path, uint32_t options) {
                check(stat_out_add_text(sim_stat_out(s.sim()), path.c_str(),
                                        options),
                      "cannot write '" + path + "'");
            })
        .def("stats_add_json",
             [](Simulation &s, const std::string &path) {
                 check(stat_out_add_json(sim_stat_out(s.sim()), path.c_str()),
                       "cannot write '" + path + "'");
             })
        .def("stats_add_file", add_file,
             "An object with open(path) and write(path, tree).")
        .def("stats_reopen",
             [](Simulation &s) {
                 check(stat_out_reopen(sim_stat_out(s.sim())),
                       "cannot write the statistics");
             })
        .def("stats_flush",
             [](Simulation &s) {
                 check(stat_out_flush(sim_stat_out(s.sim())),
                       "cannot write the statistics");
             })
        .def("stats_dump", dump, py::arg("top") = py::none())
        .def("stats_reset",
             [](Simulation &s) { stat_out_reset(sim_stat_out(s.sim())); })
        .def("stats_periodic",
             [](Simulation &s, tick_t period) {
                 stat_out_periodic(sim_stat_out(s.sim()), period);
             })
        .def("stats_schedule", [](Simulation &s, uint32_t actions, tick_t when,
                                  tick_t repeat) {
            stat_out_schedule(sim_stat_out(s.sim()), actions, when, repeat);
        });
}

} // namespace

void bind_stats(py::module_ &module, py::class_<Simulation> &cls)
{
    module.attr("STAT_TEXT_DESC") = int(STAT_TEXT_DESC);
    module.attr("STAT_TEXT_SPACES") = int(STAT_TEXT_SPACES);
    module.attr("STAT_TEXT_FORMULAS") = int(STAT_TEXT_FORMULAS);
    module.attr("STAT_DUMP") = int(STAT_DUMP);
    module.attr("STAT_RESET") = int(STAT_RESET);
    bind_outputs(cls);
    cls.def("stats_tree",
            [](Simulation &s) {
                stat_prepare(sim_root(s.sim()));
                return group_dict(s.stats(), sim_now(s.sim()));
            })
        .def("stat", find_stat, "One statistic by dotted name, or None.");
}

} // namespace binding
