/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalog as Python lists and dictionaries: one per type and row. */
#include "python/binding.hh"
#include "python/catalog.h"
#include "sim/param.h"
#include "sim/port.h"
#include "sim/stat.h"

namespace binding
{
namespace
{

const char *kind_name(enum sim_kind kind)
{
    switch (kind) {
    case SIM_BOOL:
        return "bool";
    case SIM_U8:
        return "u8";
    case SIM_U16:
        return "u16";
    case SIM_U32:
        return "u32";
    case SIM_U64:
        return "u64";
    case SIM_I64:
        return "i64";
    case SIM_F64:
        return "f64";
    case SIM_STR:
        return "str";
    case SIM_OBJ:
        return "obj";
    case SIM_RANGE:
        return "range";
    case SIM_VEC_U64:
        return "vec_u64";
    case SIM_VEC_F64:
        return "vec_f64";
    case SIM_VEC_STR:
        return "vec_str";
    case SIM_VEC_OBJ:
        return "vec_obj";
    case SIM_VEC_RANGE:
        return "vec_range";
    }
    return "?";
}

const char *stat_kind_name(enum sim_stat_kind kind)
{
    switch (kind) {
    case SIM_STAT_U64:
        return "counter";
    case SIM_STAT_F64:
        return "scalar";
    case SIM_STAT_AVERAGE:
        return "average";
    case SIM_STAT_VECTOR:
        return "vector";
    case SIM_STAT_VECTOR2D:
        return "vector2d";
    case SIM_STAT_DIST:
        return "distribution";
    case SIM_STAT_HIST:
        return "histogram";
    case SIM_STAT_FORMULA:
        return "formula";
    }
    return "?";
}

py::object text(const char *str)
{
    return str ? py::object(py::str(str)) : py::object(py::none());
}

py::object names_list(const char *const *names)
{
    if (!names)
        return py::none();
    py::list list;
    for (; *names; names++)
        list.append(*names);
    return std::move(list);
}

py::dict param_row(const struct sim_param &param)
{
    py::dict row;
    row["name"] = param.field.name;
    row["doc"] = text(param.field.doc);
    row["unit"] = text(param.field.unit);
    row["kind"] = kind_name(param.field.kind);
    row["default"] = text(param.def);
    row["min"] = param.min;
    row["max"] = param.max;
    row["pow2"] = param.pow2;
    row["nonempty"] = param.nonempty;
    row["ignored"] = text(param.ignored);
    row["obj_type"] = text(param.obj_type ? param.obj_type->name : nullptr);
    row["names"] = names_list(param.names);
    row["names_id"] = reinterpret_cast<uintptr_t>(param.names);
    return row;
}

py::dict port_row(const struct sim_port_desc &port)
{
    py::dict row;
    row["name"] = port.name;
    row["doc"] = text(port.doc);
    row["kind"] = port.kind;
    row["role"] = port.role == SIM_REQUESTOR ? "requestor" : "responder";
    row["is_vector"] = port.is_vector;
    row["is_optional"] = port.is_optional;
    row["old_name"] = text(port.old_name);
    return row;
}

py::dict stat_row_dict(const struct sim_stat &stat)
{
    py::dict row;
    row["name"] = stat.name;
    row["doc"] = text(stat.doc);
    row["unit"] = text(stat.unit);
    row["kind"] = stat_kind_name(stat.kind);
    return row;
}

py::dict state_row(const struct sim_field &field)
{
    py::dict row;
    row["name"] = field.name;
    row["doc"] = text(field.doc);
    row["unit"] = text(field.unit);
    row["kind"] = kind_name(field.kind);
    row["count"] = field.count;
    return row;
}

py::dict type_dict(const struct sim_type *type)
{
    py::list params, ports, stats, state;
    for (auto row = type->params; row && row->field.name; row++)
        params.append(param_row(*row));
    for (auto row = type->ports; row && row->name; row++)
        ports.append(port_row(*row));
    for (auto row = type->stats; row && row->name; row++)
        stats.append(stat_row_dict(*row));
    for (auto row = type->state; row && row->name; row++)
        state.append(state_row(*row));
    py::dict dict;
    dict["name"] = type->name;
    dict["doc"] = text(type->doc);
    dict["base"] = text(type->base ? type->base->name : nullptr);
    dict["version"] = type->version;
    dict["is_abstract"] = type->is_abstract;
    dict["params"] = params;
    dict["ports"] = ports;
    dict["stats"] = stats;
    dict["state"] = state;
    return dict;
}

} // namespace

void bind_catalog(py::module_ &module)
{
    module.def(
        "types",
        [] {
            py::list list;
            for (auto type = sim_catalog; *type; type++)
                list.append(type_dict(*type));
            return list;
        },
        "All types, base types first: params, ports, stats and state rows.");
}

} // namespace binding
