/* SPDX-License-Identifier: BSD-3-Clause */
/* An event whose work is a Python callable. */
#ifndef PYTHON_EVENT_HH
#define PYTHON_EVENT_HH

#include "python/binding.hh"
#include "sim/eventq.h"

namespace binding
{

class Event
{
  public:
    Event(py::function call, const std::string &name, int priority);
    ~Event();
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;

    void schedule(Simulation &simulation, tick_t when);
    void deschedule();
    bool is_scheduled() const
    {
        return event_is_scheduled(&cell_.event);
    }
    tick_t when() const
    {
        return cell_.event.when;
    }

  private:
    /* Standard layout, event first: the core hands back &cell.event. */
    struct Cell {
        struct sim_event event;
        Event *owner;
    };
    static void run(struct sim_event *event, tick_t now);
    void forget();

    Cell cell_;
    std::string name_;
    py::function call_;
    Simulation *simulation_ = nullptr;
};

} // namespace binding

#endif
