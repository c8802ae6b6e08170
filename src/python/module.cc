/* SPDX-License-Identifier: BSD-3-Clause */
/* The extension module gearshift._core. */
#include "python/binding.hh"

namespace py = pybind11;

namespace
{

/* Turn a FatalThrow into gearshift.errors.FatalError. */
// NOLINTNEXTLINE(performance-unnecessary-value-param): pybind11 wants a value
void translate(std::exception_ptr thrown)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const binding::FatalThrow &fatal) {
        py::object type =
            py::module_::import("gearshift.errors").attr("FatalError");
        PyErr_SetString(type.ptr(), fatal.what());
    }
}

} // namespace

PYBIND11_MODULE(_core, module)
{
    module.doc() = "The simulator's core; use the package gearshift instead.";
    py::register_exception_translator(translate);
    binding::bind_catalog(module);
    binding::bind_object(module);
    py::class_<binding::Simulation> cls(module, "Simulation");
    binding::bind_sim(module, cls);
    binding::bind_event(module, cls);
    binding::bind_stats(module, cls);
    binding::bind_checkpoint(module, cls);
    binding::bind_debug(module);
    binding::bind_cpu(module);
    binding::bind_kvm(module);
    binding::bind_msr(module);
    binding::bind_stops(module);
    binding::bind_vcpu(module);
}
