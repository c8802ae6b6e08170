/* SPDX-License-Identifier: BSD-3-Clause */
/* Model-specific registers that Python callables answer. */
#include "mem/system.h"
#include "python/binding.hh"

namespace binding
{
namespace
{

class Msr
{
  public:
    Msr(Simulation &simulation, uint32_t first, uint32_t last, py::object read,
        py::object write)
        : cell_{}, simulation_(simulation), read_(std::move(read)),
          write_(std::move(write))
    {
        cell_.msr.first = first;
        cell_.msr.last = last;
        cell_.msr.read = on_read;
        cell_.msr.write = on_write;
        cell_.owner = this;
    }
    struct system_msr *msr()
    {
        return &cell_.msr;
    }

  private:
    /* Standard layout, the register first: the core hands back &cell.msr. */
    struct Cell {
        struct system_msr msr;
        Msr *owner;
    };
    static Msr &of(struct system_msr *msr)
    {
        return *reinterpret_cast<Cell *>(msr)->owner;
    }
    /* What @call says; false, and the end of the run, if it raises. */
    template <typename Call> bool ask(Call call)
    {
        py::gil_scoped_acquire gil;
        try {
            return call();
        } catch (py::error_already_set &error) {
            error.restore();
            simulation_.keep_exception();
        } catch (const py::cast_error &) {
            PyErr_SetString(PyExc_TypeError,
                            "a register's value is a number of 64 bits");
            simulation_.keep_exception();
        }
        sim_exit_now(simulation_.sim(), "exception in a handler of an MSR", 1);
        return false;
    }
    static bool on_read(struct system_msr *msr, uint32_t cpu_id, uint32_t index,
                        uint64_t *value)
    {
        Msr &self = of(msr);
        return self.ask([&] {
            if (self.read_.is_none())
                return false;
            py::object answer = self.read_(cpu_id, index);
            if (!answer.is_none())
                *value = py::cast<uint64_t>(answer);
            return !answer.is_none();
        });
    }
    static bool on_write(struct system_msr *msr, uint32_t cpu_id,
                         uint32_t index, uint64_t value)
    {
        Msr &self = of(msr);
        return self.ask([&] {
            return !self.write_.is_none() &&
                   !self.write_(cpu_id, index, value).is(py::bool_(false));
        });
    }

    Cell cell_;
    Simulation &simulation_;
    py::object read_, write_;
};

void add_msr(const Object &object, uint32_t first, uint32_t last,
             py::object read, py::object write)
{
    object.simulation->check_idle();
    auto msr = std::make_shared<Msr>(*object.simulation, first, last,
                                     std::move(read), std::move(write));
    system_add_msr(system_of(object.obj), msr->msr());
    object.simulation->hooks.push_back(std::move(msr));
}

} // namespace

void bind_msr(py::module_ &module)
{
    module.def("system_add_msr", add_msr, py::arg("system"), py::arg("first"),
               py::arg("last"), py::arg("read"), py::arg("write"));
}

} // namespace binding
