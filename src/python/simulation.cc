/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulation: owns a struct sim and answers the core's callbacks. */
#include "python/binding.hh"
#include "python/event.hh"
#include "sim/stat_tree.h"

namespace binding
{

Simulation::Simulation()
{
    struct sim_host host = {};
    host.ctx = this;
    host.message = on_message;
    host.fatal = on_fatal;
    host.is_interrupted = on_poll;
    sim_ = sim_create(&host);
}

Simulation::~Simulation()
{
    while (!events.empty())
        (*events.begin())->deschedule();
    if (stats_)
        stat_group_destroy(stats_);
    sim_destroy(sim_);
}

void Simulation::on_message(void *, const char *level, const char *text)
{
    py::gil_scoped_acquire gil;
    try {
        py::module_::import("gearshift.log").attr("message")(level, text);
    } catch (py::error_already_set &error) {
        error.discard_as_unraisable("gearshift message");
    }
}

void Simulation::on_fatal(void *, const char *text)
{
    throw FatalThrow(text);
}

/* Lets Python's signal handlers run; Ctrl-C ends the run in an orderly way. */
bool Simulation::on_poll(void *ctx)
{
    auto self = static_cast<Simulation *>(ctx);
    py::gil_scoped_acquire gil;
    if (self->pending_)
        return true;
    if (PyErr_CheckSignals() == 0)
        return false;
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_Clear();
    else
        self->keep_exception();
    return true;
}

void Simulation::keep_exception()
{
    py::error_already_set error;
    if (!pending_)
        pending_ = std::make_exception_ptr(std::move(error));
}

void Simulation::check_idle() const
{
    if (is_running_)
        throw FatalThrow("simulate() is already running; it cannot be called "
                         "from a callback or another thread");
}

namespace
{

/* Sets a flag for the time of a scope. */
class Running
{
  public:
    explicit Running(bool &flag) : flag_(flag)
    {
        flag_ = true;
    }
    ~Running()
    {
        flag_ = false;
    }

  private:
    bool &flag_;
};

} // namespace

py::tuple Simulation::simulate(tick_t ticks)
{
    check_idle();
    struct sim_exit exit;
    {
        Running running(is_running_);
        py::gil_scoped_release release;
        exit = sim_simulate(sim_, ticks);
    }
    if (pending_) {
        std::exception_ptr error = std::move(pending_);
        pending_ = nullptr;
        std::rethrow_exception(error);
    }
    return py::make_tuple(exit.cause, exit.code, exit.tick);
}

stat_group *Simulation::stats()
{
    if (!stats_)
        stats_ = stat_group_create(sim_root(sim_));
    return stats_;
}

} // namespace binding
