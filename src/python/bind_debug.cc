/* SPDX-License-Identifier: BSD-3-Clause */
/* Debug flags, shared by all simulations of the process. */
#include <cerrno>
#include <cstring>

#include "python/binding.hh"
#include "sim/debug.h"

namespace binding
{
namespace
{

py::list flags()
{
    py::list list;
    for (auto flag = debug_flags; *flag; flag++) {
        py::list members;
        for (auto name = (*flag)->members; name && *name; name++)
            members.append(*name);
        list.append(py::make_tuple((*flag)->name, (*flag)->doc, members,
                                   (*flag)->is_on));
    }
    return list;
}

void open_file(const std::string &path)
{
    int error = debug_open(path.c_str());
    if (error)
        throw FatalThrow("cannot write the debug file '" + path +
                         "': " + std::strerror(-error));
}

} // namespace

void bind_debug(py::module_ &module)
{
    module.def("debug_flags", flags, "List of (name, doc, members, is_on).");
    module.def("debug_set", [](const std::string &name, bool on) {
        return debug_set(name.c_str(), on) == 0;
    });
    module.def("debug_open", open_file);
    module.def("debug_window", debug_set_window);
    module.def("debug_activate", [](const std::string &pattern) {
        debug_select(DEBUG_ACTIVATE, pattern.c_str());
    });
    module.def("debug_ignore", [](const std::string &pattern) {
        debug_select(DEBUG_IGNORE, pattern.c_str());
    });
    module.def("debug_flush", debug_flush);
    module.def("debug_close", debug_close);
}

} // namespace binding
