/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects: create, set and read parameters, bind ports. */
#include <pybind11/stl.h>

#include <cerrno>
#include <stdexcept>
#include <vector>

#include "python/binding.hh"
#include "python/catalog.h"
#include "sim/param.h"
#include "sim/port.h"
#include "sim/report.h"

namespace binding
{
namespace
{

const struct sim_type *find_type(const std::string &name)
{
    for (auto type = sim_catalog; *type; type++)
        if (name == (*type)->name)
            return *type;
    throw py::key_error("no type " + name);
}

struct addr_range to_range(py::handle value)
{
    auto fields = py::cast<py::tuple>(value);
    auto masks = py::cast<std::vector<uint64_t>>(fields[3]);
    struct addr_range range = {};
    range.start = py::cast<uint64_t>(fields[0]);
    range.end = py::cast<uint64_t>(fields[1]);
    range.intlv_match = py::cast<uint8_t>(fields[2]);
    if (masks.size() > ADDR_RANGE_MAX_SELECTORS)
        throw py::value_error("too many interleaving bits");
    range.intlv_bits = static_cast<uint8_t>(masks.size());
    for (size_t i = 0; i < masks.size(); i++)
        range.masks[i] = masks[i];
    return range;
}

py::tuple from_range(const struct addr_range &range)
{
    py::tuple masks(range.intlv_bits);
    for (size_t i = 0; i < range.intlv_bits; i++)
        masks[i] = py::int_(range.masks[i]);
    return py::make_tuple(range.start, range.end, range.intlv_match, masks);
}

struct sim_object *to_object(py::handle value)
{
    return value.is_none() ? nullptr : py::cast<Object &>(value).obj;
}

/* Owns the memory that a union sim_value points to while it is being set. */
struct ValueBuffer {
    union sim_value value = {};
    std::string text;
    std::vector<uint64_t> u64s;
    std::vector<double> f64s;
    std::vector<std::string> texts;
    std::vector<const char *> pointers;
    std::vector<struct sim_object *> objects;
    std::vector<struct addr_range> ranges;

    void set_scalar(enum sim_kind kind, py::handle from);
    void set_vector(enum sim_kind kind, py::handle from);
};

void ValueBuffer::set_scalar(enum sim_kind kind, py::handle from)
{
    switch (kind) {
    case SIM_BOOL:
        value.u = py::cast<bool>(from);
        break;
    case SIM_I64:
        value.i = py::cast<int64_t>(from);
        break;
    case SIM_F64:
        value.f = py::cast<double>(from);
        break;
    case SIM_STR:
        if (!from.is_none()) {
            text = py::cast<std::string>(from);
            value.s = text.c_str();
        }
        break;
    case SIM_OBJ:
        value.obj = to_object(from);
        break;
    case SIM_RANGE:
        value.range = to_range(from);
        break;
    default:
        value.u = py::cast<uint64_t>(from);
        break;
    }
}

template <typename Vec, typename Item>
void point(Vec &vec, std::vector<Item> &items)
{
    vec.data = items.data();
    vec.len = static_cast<uint32_t>(items.size());
}

void ValueBuffer::set_vector(enum sim_kind kind, py::handle from)
{
    switch (kind) {
    case SIM_VEC_U64:
        u64s = py::cast<std::vector<uint64_t>>(from);
        point(value.vec_u64, u64s);
        break;
    case SIM_VEC_F64:
        f64s = py::cast<std::vector<double>>(from);
        point(value.vec_f64, f64s);
        break;
    case SIM_VEC_STR:
        texts = py::cast<std::vector<std::string>>(from);
        for (const auto &item : texts)
            pointers.push_back(item.c_str());
        point(value.vec_str, pointers);
        break;
    case SIM_VEC_OBJ:
        for (auto item : from)
            objects.push_back(to_object(item));
        point(value.vec_obj, objects);
        break;
    default:
        for (auto item : from)
            ranges.push_back(to_range(item));
        point(value.vec_range, ranges);
        break;
    }
}

const struct sim_param *find_param(const Object &self, const std::string &name)
{
    const struct sim_param *param =
        sim_param_find(self.obj->type, name.c_str());
    if (!param)
        throw py::key_error(std::string(self.obj->path) + " has no parameter " +
                            name);
    return param;
}

void set_param(const Object &self, const std::string &name, py::handle from,
               const py::object &origin)
{
    const struct sim_param *param = find_param(self, name);
    ValueBuffer buffer;
    std::string where;
    char why[160] = "";

    if (param->field.kind >= SIM_VEC_U64)
        buffer.set_vector(param->field.kind, from);
    else
        buffer.set_scalar(param->field.kind, from);
    if (!origin.is_none())
        where = py::cast<std::string>(origin);
    if (sim_param_check(param, &buffer.value, why) != 0)
        throw FatalThrow(std::string(self.obj->path) + "." + name + ": " + why +
                         (where.empty() ? "" : "\n  set at " + where));
    sim_param_set(self.obj, param, &buffer.value,
                  where.empty() ? nullptr : where.c_str());
}

py::object wrap(const Object &holder, struct sim_object *obj)
{
    if (!obj)
        return py::none();
    return py::cast(Object{holder.owner, holder.simulation, obj});
}

py::object read_scalar(const Object &holder, enum sim_kind kind, const void *at)
{
    switch (kind) {
    case SIM_BOOL:
        return py::bool_(*static_cast<const bool *>(at));
    case SIM_U8:
        return py::int_(*static_cast<const uint8_t *>(at));
    case SIM_U16:
        return py::int_(*static_cast<const uint16_t *>(at));
    case SIM_U32:
        return py::int_(*static_cast<const uint32_t *>(at));
    case SIM_U64:
        return py::int_(*static_cast<const uint64_t *>(at));
    case SIM_I64:
        return py::int_(*static_cast<const int64_t *>(at));
    case SIM_F64:
        return py::float_(*static_cast<const double *>(at));
    case SIM_OBJ:
        return wrap(holder, *static_cast<struct sim_object *const *>(at));
    case SIM_RANGE:
        return from_range(*static_cast<const struct addr_range *>(at));
    default: {
        auto str = *static_cast<const char *const *>(at);
        return str ? py::object(py::str(str)) : py::object(py::none());
    }
    }
}

template <typename Vec, typename Convert>
py::list read_vector(const void *at, Convert convert)
{
    auto vec = static_cast<const Vec *>(at);
    py::list list;
    for (uint32_t i = 0; i < vec->len; i++)
        list.append(convert(vec->data[i]));
    return list;
}

template <typename T> py::object plain(const T &value)
{
    return py::cast(value);
}

py::object read_field(const Object &holder, enum sim_kind kind, const void *at)
{
    switch (kind) {
    case SIM_VEC_U64:
        return read_vector<struct sim_vec_u64>(at, plain<uint64_t>);
    case SIM_VEC_F64:
        return read_vector<struct sim_vec_f64>(at, plain<double>);
    case SIM_VEC_STR:
        return read_vector<struct sim_vec_str>(
            at, [](const char *str) { return py::str(str); });
    case SIM_VEC_OBJ:
        return read_vector<struct sim_vec_obj>(
            at,
            [&holder](struct sim_object *obj) { return wrap(holder, obj); });
    case SIM_VEC_RANGE:
        return read_vector<struct sim_vec_range>(at, from_range);
    default:
        return read_scalar(holder, kind, at);
    }
}

uint32_t to_index(long index)
{
    return index < 0 ? 0 : static_cast<uint32_t>(index);
}

void bind_ports(const Object &a, const std::string &a_port, long a_index,
                const Object &b, const std::string &b_port, long b_index)
{
    char why[200] = "";
    if (sim_port_bind(a.obj, a_port.c_str(), to_index(a_index), b.obj,
                      b_port.c_str(), to_index(b_index), why) != 0)
        throw FatalThrow(why);
}

Object create(const py::object &owner, const std::string &type,
              const py::object &parent, const std::string &name,
              const py::object &origin)
{
    std::string where = origin.is_none() ? "" : py::cast<std::string>(origin);
    auto &self = py::cast<Simulation &>(owner);
    return Object{owner, &self,
                  sim_object_create(self.sim(), find_type(type),
                                    to_object(parent), name.c_str(),
                                    where.empty() ? nullptr : where.c_str())};
}

} // namespace

py::object param_value(const Object &holder, const char *name)
{
    const struct sim_param *param = sim_param_find(holder.obj->type, name);
    if (!param)
        throw py::key_error(name);
    auto base = reinterpret_cast<const char *>(holder.obj);
    return read_field(holder, param->field.kind, base + param->field.offset);
}

void bind_object(py::module_ &module)
{
    py::class_<Object>(module, "Object", "An object of the core.")
        .def_property_readonly("path",
                               [](const Object &o) { return o.obj->path; })
        .def_property_readonly(
            "type", [](const Object &o) { return o.obj->type->name; })
        .def("set_param", set_param, py::arg("name"), py::arg("value"),
             py::arg("origin") = py::none())
        .def("get_param",
             [](const Object &o, const std::string &name) {
                 return param_value(o, name.c_str());
             })
        .def("param_origin",
             [](const Object &o, const std::string &name) {
                 return sim_param_origin(o.obj, name.c_str());
             })
        .def("unimplemented",
             [](const Object &o, const std::string &text) {
                 sim_unimplemented(o.obj, "%s", text.c_str());
             })
        .def("__eq__",
             [](const Object &a, const Object &b) { return a.obj == b.obj; })
        .def("__hash__",
             [](const Object &o) { return std::hash<const void *>()(o.obj); });
    module.def("bind_ports", bind_ports, "Connect two ports.");
    module.def("create", create, py::arg("sim"), py::arg("type"),
               py::arg("parent"), py::arg("name"),
               py::arg("origin") = py::none(),
               "Create an object; parent None for the root.");
}

} // namespace binding
