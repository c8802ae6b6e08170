/* SPDX-License-Identifier: BSD-3-Clause */
/* Python callables in the event queue. */
#include "python/event.hh"

namespace binding
{

Event::Event(py::function call, const std::string &name, int priority)
    : cell_{}, name_(name), call_(std::move(call))
{
    if (priority < EVENT_PRI_MIN || priority > EVENT_PRI_MAX)
        throw py::value_error("a priority lies between -128 and 127");
    event_init(&cell_.event, name_.c_str(), priority, run);
    cell_.owner = this;
}

Event::~Event()
{
    deschedule();
}

void Event::schedule(Simulation &simulation, tick_t when)
{
    if (is_scheduled())
        throw py::value_error("the event is already scheduled");
    if (when < sim_now(simulation.sim()))
        throw py::value_error("an event cannot be scheduled in the past");
    eventq_schedule(sim_eventq(simulation.sim()), &cell_.event, when);
    simulation_ = &simulation;
    simulation.events.insert(this);
    py::cast(this).inc_ref();
}

/* The queue lets go of the event. */
void Event::forget()
{
    simulation_->events.erase(this);
    simulation_ = nullptr;
    py::cast(this).dec_ref();
}

void Event::deschedule()
{
    if (!is_scheduled())
        return;
    eventq_deschedule(sim_eventq(simulation_->sim()), &cell_.event);
    forget();
}

void Event::run(struct sim_event *event, tick_t)
{
    py::gil_scoped_acquire gil;
    Event *self = reinterpret_cast<Cell *>(event)->owner;
    Simulation *simulation = self->simulation_;
    py::object keep = py::cast(self);

    self->forget();
    try {
        self->call_();
    } catch (py::error_already_set &error) {
        bool by_user = error.matches(PyExc_KeyboardInterrupt);

        error.restore();
        if (by_user)
            PyErr_Clear();
        else
            simulation->keep_exception();
        sim_exit_now(simulation->sim(),
                     by_user ? EXIT_USER : "exception in a Python event",
                     by_user ? 0 : 1);
    }
}

void bind_event(py::module_ &module, py::class_<Simulation> &)
{
    py::class_<Event>(module, "Event", "A callable at a point in time.")
        .def(py::init<py::function, const std::string &, int>(),
             py::arg("call"), py::arg("name") = "Python event",
             py::arg("priority") = int(EVENT_PRI_DEFAULT))
        .def("schedule", &Event::schedule, py::arg("sim"), py::arg("when"))
        .def("deschedule", &Event::deschedule)
        .def_property_readonly("is_scheduled", &Event::is_scheduled)
        .def_property_readonly("when", &Event::when);
    py::dict priorities;
    priorities["Minimum_Pri"] = int(EVENT_PRI_MIN);
    priorities["Debug_Enable_Pri"] = int(EVENT_PRI_DEBUG_ENABLE);
    priorities["Debug_Break_Pri"] = int(EVENT_PRI_DEBUG_BREAK);
    priorities["CPU_Switch_Pri"] = int(EVENT_PRI_CPU_SWITCH);
    priorities["Delayed_Writeback_Pri"] = int(EVENT_PRI_DELAYED_WRITEBACK);
    priorities["Default_Pri"] = int(EVENT_PRI_DEFAULT);
    priorities["DVFS_Update_Pri"] = int(EVENT_PRI_DVFS_UPDATE);
    priorities["Serialize_Pri"] = int(EVENT_PRI_SERIALIZE);
    priorities["CPU_Tick_Pri"] = int(EVENT_PRI_CPU_TICK);
    priorities["CPU_Exit_Pri"] = int(EVENT_PRI_CPU_EXIT);
    priorities["Stat_Event_Pri"] = int(EVENT_PRI_STAT);
    priorities["Progress_Event_Pri"] = int(EVENT_PRI_PROGRESS);
    priorities["Sim_Exit_Pri"] = int(EVENT_PRI_SIM_EXIT);
    priorities["Maximum_Pri"] = int(EVENT_PRI_MAX);
    module.attr("event_priorities") = priorities;
}

} // namespace binding
