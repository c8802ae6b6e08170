/* SPDX-License-Identifier: BSD-3-Clause */
/* Stops at symbols and addresses of programs; where their output goes. */
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/se_workload.h"
#include "python/binding.hh"

#include <cstring>

namespace binding
{
namespace
{

struct kernel *kernel_of(const Object &object)
{
    auto *workload = reinterpret_cast<struct se_workload *>(
        sim_object_cast(object.obj, &se_workload_type));
    if (!workload->kernel)
        throw FatalThrow(std::string(object.obj->path) +
                         ": there is no CPU to run the programs");
    return workload->kernel;
}

struct stop *stop_of(const Object &object, uint32_t id)
{
    struct stop *stop = stops_find(kernel_of(object), id);
    if (!stop)
        throw FatalThrow(std::string(object.obj->path) + ": there is no stop " +
                         std::to_string(id) + "; it was removed");
    return stop;
}

const char *text_or_null(const std::string &text)
{
    return text.empty() ? nullptr : text.c_str();
}

uint32_t add_stop(const Object &object, const py::dict &asked)
{
    auto symbol = py::cast<std::string>(asked["symbol"]);
    auto file = py::cast<std::string>(asked["file"]);
    auto cause = py::cast<std::string>(asked["cause"]);
    struct stop_spec spec = {};
    object.simulation->check_idle();
    spec.symbol = text_or_null(symbol);
    spec.file = text_or_null(file);
    spec.addr = py::cast<uint64_t>(asked["addr"]);
    spec.count = py::cast<uint64_t>(asked["count"]);
    spec.repeats = py::cast<bool>(asked["repeats"]);
    spec.pid = py::cast<uint32_t>(asked["pid"]);
    spec.cause = cause.c_str();
    return stops_add(kernel_of(object), &spec)->id;
}

py::dict read_stop(const Object &object, uint32_t id)
{
    const struct stop *stop = stop_of(object, id);
    py::dict dict;
    dict["hits"] = stop->hits;
    dict["is_over"] = stop->is_over;
    dict["was_found"] = stop->was_found;
    return dict;
}

/* (process id, address) of each place where the stop can be met now. */
py::list read_sites(const Object &object, uint32_t id)
{
    const struct kernel *kernel = kernel_of(object);
    py::list list;
    (void)stop_of(object, id);
    for (const struct process *p = kernel->processes; p; p = p->next)
        for (uint32_t i = 0; p->mm && i < p->mm->num_sites; i++)
            if (p->mm->sites[i].stop_id == id)
                list.append(py::make_tuple(p->pid, p->mm->sites[i].addr));
    return list;
}

void remove_stop(const Object &object, uint32_t id)
{
    object.simulation->check_idle();
    stops_remove(kernel_of(object), stop_of(object, id));
}

void redirect_outputs(const Object &object, const std::string &path)
{
    object.simulation->check_idle();
    int error = file_host_redirect(kernel_of(object), path.c_str());
    if (error)
        throw FatalThrow(path + ": " + std::strerror(-error));
}

} // namespace

void bind_stops(py::module_ &module)
{
    module.def("redirect_outputs", redirect_outputs, py::arg("workload"),
               py::arg("path"));
    module.def("stop_add", add_stop, py::arg("workload"), py::arg("asked"));
    module.def("stop_read", read_stop, py::arg("workload"), py::arg("id"));
    module.def("stop_sites", read_sites, py::arg("workload"), py::arg("id"));
    module.def("stop_remove", remove_stop, py::arg("workload"), py::arg("id"));
}

} // namespace binding
