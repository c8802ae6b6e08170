/* SPDX-License-Identifier: BSD-3-Clause */
/* The life cycle of a simulation. */
#include "python/binding.hh"

namespace binding
{
namespace
{

/* Run a step of the life cycle without the interpreter lock. */
template <void (*step)(struct sim *)> void unlocked(Simulation &self)
{
    self.check_idle();
    py::gil_scoped_release release;
    step(self.sim());
}

bool drain(Simulation &self)
{
    self.check_idle();
    py::gil_scoped_release release;
    return sim_drain(self.sim());
}

void bind_limits(py::class_<Simulation> &cls)
{
    cls.def_property(
           "max_tick",
           [](const Simulation &s) { return sim_max_tick(s.sim()); },
           [](Simulation &s, tick_t when) { sim_set_max_tick(s.sim(), when); })
        .def("exit_now",
             [](Simulation &s, const std::string &cause, int64_t code) {
                 sim_exit_now(s.sim(), cause.c_str(), code);
             })
        .def("exit_at",
             [](Simulation &s, const std::string &cause, int64_t code,
                tick_t when, tick_t repeat) {
                 sim_exit_at(s.sim(), cause.c_str(), code, when, repeat);
             })
        .def("schedule_tick_exit", [](Simulation &s, tick_t when) {
            sim_schedule_tick_exit(s.sim(), when);
        });
}

} // namespace

void bind_sim(py::module_ &module, py::class_<Simulation> &cls)
{
    module.attr("TICK_MAX") = TICK_MAX;
    cls.def(py::init<>())
        .def("init", unlocked<sim_init>)
        .def("reset", unlocked<sim_reset>)
        .def("startup", unlocked<sim_startup>)
        .def("resume", unlocked<sim_resume>)
        .def("drain", drain)
        .def("simulate", &Simulation::simulate, py::arg("ticks") = TICK_MAX)
        .def_property_readonly(
            "now", [](const Simulation &s) { return sim_now(s.sim()); })
        .def_property_readonly(
            "insts", [](const Simulation &s) { return sim_insts(s.sim()); })
        .def_property(
            "outdir", [](const Simulation &s) { return sim_outdir(s.sim()); },
            [](Simulation &s, const std::string &dir) {
                sim_set_outdir(s.sim(), dir.c_str());
            })
        .def("set_seed",
             [](Simulation &s, uint64_t seed) { sim_set_seed(s.sim(), seed); })
        .def("before_fork", [](Simulation &s) { sim_before_fork(s.sim()); })
        .def("after_fork", [](Simulation &s, const std::string &dir) {
            sim_after_fork(s.sim(), dir.c_str());
        });
    bind_limits(cls);
}

} // namespace binding
