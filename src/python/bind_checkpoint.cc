/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints: save and load, with the core's reason on failure. */
#include "python/binding.hh"
#include "sim/checkpoint.h"

namespace binding
{
namespace
{

template <int (*act)(struct sim *, const char *, char *)>
void run(Simulation &self, const std::string &dir)
{
    const char *verb = act == ckpt_save ? "write" : "load";
    char why[256] = "";
    int err = 0;

    self.check_idle();
    {
        py::gil_scoped_release release;
        err = act(self.sim(), dir.c_str(), why);
    }
    if (err)
        throw FatalThrow(std::string("cannot ") + verb + " the checkpoint '" +
                         dir + "': " + why);
}

} // namespace

void bind_checkpoint(py::module_ &, py::class_<Simulation> &cls)
{
    cls.def("save", run<ckpt_save>).def("load", run<ckpt_load>);
}

} // namespace binding
