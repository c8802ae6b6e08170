/* SPDX-License-Identifier: BSD-3-Clause */
/* What scripts do with CPUs while the simulation stands still. */
#include "cpu/base_cpu.h"
#include "cpu/take_over.h"
#include "python/binding.hh"

namespace binding
{
namespace
{

struct base_cpu *cpu_of(const Object &object)
{
    object.simulation->check_idle();
    return base_cpu_of(object.obj);
}

void stop_after(const Object &cpu, uint64_t insts, const std::string &cause)
{
    base_cpu_stop_after(base_cpu_of(cpu.obj), insts, cause.c_str());
}

} // namespace

void bind_cpu(py::module_ &module)
{
    module.def("cpu_switch_out",
               [](const Object &cpu) { base_cpu_switch_out(cpu_of(cpu)); });
    module.def("cpu_check_pair", [](const Object &cpu, const Object &old) {
        base_cpu_check_pair(cpu_of(cpu), cpu_of(old));
    });
    module.def("cpu_take_over", [](const Object &cpu, const Object &old) {
        base_cpu_take_over(cpu_of(cpu), cpu_of(old));
    });
    module.def("cpu_is_switched_out", [](const Object &cpu) {
        return base_cpu_of(cpu.obj)->is_switched_out;
    });
    module.def("cpu_stop_after", stop_after, py::arg("cpu"), py::arg("insts"),
               py::arg("cause"));
    module.def("cpu_cancel_stops",
               [](const Object &cpu, const std::string &cause) {
                   base_cpu_cancel_stops(base_cpu_of(cpu.obj), cause.c_str());
               });
    module.def("cpu_num_insts", [](const Object &cpu) {
        return base_cpu_of(cpu.obj)->num_insts;
    });
    module.def("cpu_counts_insts", [](const Object &cpu) {
        return base_cpu_inst_stop_refusal(base_cpu_of(cpu.obj)) == nullptr;
    });
}

} // namespace binding
