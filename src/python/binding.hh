/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the extension share.  The extension exposes the catalog and
 * one class, Simulation, whose objects are named by paths and handles; the
 * Python package builds its classes on top.
 *
 * Errors: the core's sim_fatal() throws FatalThrow through the C frames (they
 * are compiled with -fexceptions); Python sees gearshift.FatalError.
 */
#ifndef PYTHON_BINDING_HH
#define PYTHON_BINDING_HH

#include <pybind11/pybind11.h>

#include <exception>
#include <list>
#include <memory>
#include <set>
#include <string>

#include "sim/object.h"
#include "sim/sim.h"

struct stat_group;

namespace binding
{

namespace py = pybind11;

/* A message of sim_fatal() on its way to Python. */
class FatalThrow : public std::exception
{
  public:
    explicit FatalThrow(std::string text) : text_(std::move(text))
    {
    }
    const char *what() const noexcept override
    {
        return text_.c_str();
    }

  private:
    std::string text_;
};

class Event;

/* One struct sim and what Python needs around it. */
class Simulation
{
  public:
    Simulation();
    ~Simulation();
    Simulation(const Simulation &) = delete;
    Simulation &operator=(const Simulation &) = delete;

    struct sim *sim() const
    {
        return sim_;
    }
    /* Refuses calls from a callback that would enter the loop again. */
    void check_idle() const;
    py::tuple simulate(tick_t ticks);
    /* Keeps the first exception of a callback for the end of simulate(). */
    void keep_exception();
    stat_group *stats();

    std::set<Event *> events; /* that are scheduled; each holds a reference */
    std::list<py::object> stat_files; /* outputs of statistics in Python */
    std::list<std::shared_ptr<void>> hooks; /* that the core refers to */

  private:
    static void on_message(void *ctx, const char *level, const char *text);
    static void on_fatal(void *ctx, const char *text);
    static bool on_poll(void *ctx);

    struct sim *sim_;
    stat_group *stats_ = nullptr;
    bool is_running_ = false;
    std::exception_ptr pending_;
};

/* An object as Python sees it; keeps its simulation alive. */
struct Object {
    py::object owner; /* the simulation */
    Simulation *simulation;
    struct sim_object *obj;
};

/* One function per file bind_*.cc. */
void bind_catalog(py::module_ &module);
void bind_object(py::module_ &module);
void bind_sim(py::module_ &module, py::class_<Simulation> &cls);
void bind_event(py::module_ &module, py::class_<Simulation> &cls);
void bind_stats(py::module_ &module, py::class_<Simulation> &cls);
void bind_checkpoint(py::module_ &module, py::class_<Simulation> &cls);
void bind_debug(py::module_ &module);
void bind_cpu(py::module_ &module);
void bind_kvm(py::module_ &module);
void bind_msr(py::module_ &module);
void bind_stops(py::module_ &module);
void bind_vcpu(py::module_ &module);

/* The inverse of sim_param_set(), as Python values. */
py::object param_value(const Object &holder, const char *name);

} // namespace binding

#endif
