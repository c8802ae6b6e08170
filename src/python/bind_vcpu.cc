/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vCPU of a CPU: what it is, its registers, its ring, events for it.
 * Works while the simulation stands still, and in callbacks of events.
 */
#include <pybind11/stl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "arch/x86/vmem.h"
#include "base/alloc.h"
#include "cpu/base_cpu.h"
#include "cpu/core_vcpu.h"
#include "cpu/vcpu.h"
#include "cpu/vcpu_x86.h"
#include "mem/system.h"
#include "python/binding.hh"
#include "sim/report.h"
#include "sim/ring.h"

namespace binding
{
namespace
{

[[noreturn]] void raise(const char *name, int error, const std::string &text)
{
    py::object type = py::module_::import("gearshift.errors").attr(name);
    py::object value = type(text, -error);

    PyErr_SetObject(type.ptr(), value.ptr());
    throw py::error_already_set();
}

struct vcpu *vcpu_of(const Object &object)
{
    struct base_cpu *cpu = base_cpu_of(object.obj);

    if (!cpu->vcpu.ops)
        raise("VcpuStateError", -ENODEV,
              std::string(object.obj->path) + ": has no vCPU yet");
    return &cpu->vcpu;
}

/* A call of the contract that failed. */
void check(struct vcpu *vcpu, int error)
{
    char text[VCPU_ERR_SIZE];
    bool is_order = error == -EBADFD || error == -EBUSY || error == -EALREADY ||
                    error == -EDEADLK;

    if (!error)
        return;
    vcpu_error(vcpu, text);
    raise(is_order ? "VcpuStateError" : "VcpuError", error,
          text[0] ? text : strerror(-error));
}

using State = std::unique_ptr<x86_state>;

State state_of(struct vcpu *vcpu, uint32_t groups)
{
    auto state = std::make_unique<x86_state>();

    check(vcpu, vcpu_get_state(vcpu, groups, state.get()));
    return state;
}

py::dict identity(const Object &object)
{
    struct vcpu *vcpu = vcpu_of(object);
    py::dict dict;

    dict["id"] = vcpu->id;
    dict["vm_id"] = vcpu_vm_id(vcpu);
    dict["index"] = vcpu_index(vcpu);
    dict["state"] = vcpu_state_name(vcpu_state_of(vcpu));
    dict["back_end"] = vcpu->ops->name;
    dict["is_bsp"] = vcpu_is_bsp(vcpu);
    dict["is_bootstrap"] = vcpu_is_bootstrap(vcpu);
    dict["is_host_vm"] = vcpu_is_host_vm(vcpu);
    dict["is_guest_vm"] = vcpu_is_guest_vm(vcpu);
    dict["is_running"] = vcpu_is_running(vcpu);
    dict["is_initialized"] = vcpu_is_initialized(vcpu);
    dict["bound_thread"] = vcpu->bound_tid;
    dict["num_runs"] = vcpu->num_runs;
    return dict;
}

const struct vcpu_x86_reg *reg_of(const std::string &name)
{
    const struct vcpu_x86_reg *reg = vcpu_x86_find_reg(name.c_str());

    if (!reg)
        throw py::key_error(name);
    return reg;
}

uint64_t read_reg(const Object &object, const std::string &name)
{
    const struct vcpu_x86_reg *reg = reg_of(name);

    return vcpu_x86_read_reg(state_of(vcpu_of(object), reg->group).get(), reg);
}

void write_reg(const Object &object, const std::string &name, uint64_t value)
{
    const struct vcpu_x86_reg *reg = reg_of(name);
    struct vcpu *vcpu = vcpu_of(object);
    State state = state_of(vcpu, reg->group);

    vcpu_x86_write_reg(state.get(), reg, value);
    check(vcpu, vcpu_set_state(vcpu, reg->group, state.get()));
}

std::vector<std::string> reg_names()
{
    std::vector<std::string> names;

    for (size_t i = 0; i < vcpu_x86_num_regs; i++)
        names.emplace_back(vcpu_x86_regs[i].name);
    return names;
}

std::string mode(const Object &object)
{
    struct vcpu *vcpu = vcpu_of(object);
    enum vcpu_x86_mode value = VCPU_MODE_REAL;

    check(vcpu, vcpu_get_mode(vcpu, &value));
    return vcpu_x86_mode_name(value);
}

uint64_t pc(const Object &object)
{
    struct vcpu *vcpu = vcpu_of(object);
    uint64_t value = 0;

    check(vcpu, vcpu_get_pc(vcpu, &value));
    return value;
}

/* Registers by the vCPU, tables in guest RAM: the same for every back end. */
py::dict translate(const Object &object, uint64_t va, unsigned access)
{
    struct base_cpu *cpu = base_cpu_of(object.obj);
    struct vcpu *vcpu = vcpu_of(object);
    State state = state_of(vcpu, VCPU_STATE_REGS | VCPU_STATE_SREGS);
    struct x86_paging paging;
    struct x86_walk walk = {};
    struct x86_fault fault = {};
    py::dict dict;

    x86_core_paging(cpu->core, &paging);
    paging.cr0 = state->cr0;
    paging.cr3 = state->cr3;
    paging.cr4 = state->cr4;
    paging.efer = state->efer;
    std::copy(std::begin(state->pdpte), std::end(state->pdpte), paging.pdpte);
    paging.ac = state->rflags & X86_AC_FLAG;
    dict["is_mapped"] = x86_mmu_walk(cpu->system->physmem, &paging, gva_t{va},
                                     access | X86_ACCESS_PROBE, &walk, &fault);
    dict["paddr"] = walk.addr.v;
    dict["page_size"] = walk.page_size;
    dict["writable"] = walk.writable;
    dict["user"] = walk.user;
    dict["executable"] = walk.executable;
    dict["dirty"] = walk.dirty;
    dict["is_global"] = walk.global;
    dict["pkey"] = walk.pkey;
    dict["vector"] = fault.vector;
    dict["error"] = fault.error;
    return dict;
}

py::dict ring(const Object &object)
{
    struct vcpu *vcpu = vcpu_of(object);
    py::list records;
    py::dict dict;
    auto add = [](void *ctx, tick_t tick, const char *text) {
        auto bytes = py::bytes(text);

        static_cast<py::list *>(ctx)->append(
            py::make_tuple(tick, bytes.attr("decode")("utf-8", "replace")));
    };

    trace_ring_visit(vcpu->ring, add, &records);
    dict["address"] = reinterpret_cast<uintptr_t>(vcpu->ring);
    dict["id"] = trace_ring_id(vcpu->ring);
    dict["size"] = static_cast<unsigned>(TRACE_RING_BYTES);
    dict["dropped"] = trace_ring_dropped(vcpu->ring);
    dict["lost"] = trace_ring_lost(vcpu->ring);
    dict["records"] = records;
    return dict;
}

bool write(const Object &object, const std::string &text)
{
    return trace_ring_write(vcpu_of(object)->ring,
                            base_cpu_of(object.obj)->runner.now, text.data(),
                            text.size());
}

/* What @print writes. */
template <typename Print> std::string text_of(Print print)
{
    char *text = nullptr;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        throw std::bad_alloc();
    print(out);
    (void)fclose(out);
    std::unique_ptr<char, void (*)(void *)> owner(text, mem_free);
    return std::string(text, size);
}

std::string dump(const Object &object)
{
    struct vcpu *vcpu = vcpu_of(object);

    return text_of([vcpu](FILE *out) { vcpu_dump(vcpu, out); });
}

/* One section each. */
const struct {
    const char *name;
    uint32_t group;
} dump_groups[] = {
    {"registers", VCPU_STATE_REGS  },
    {"sregs",     VCPU_STATE_SREGS },
    {"xsave",     VCPU_STATE_XSAVE },
    {"xcrs",      VCPU_STATE_XCRS  },
    {"msrs",      VCPU_STATE_MSRS  },
    {"debug",     VCPU_STATE_DEBUG },
    {"events",    VCPU_STATE_EVENTS},
    {"mp",        VCPU_STATE_MP    },
};

std::string dump_group(const Object &object, const std::string &name)
{
    for (const auto &row : dump_groups) {
        if (name != row.name)
            continue;
        State state = state_of(vcpu_of(object), row.group);
        return text_of([&](FILE *out) {
            vcpu_x86_dump_groups(state.get(), row.group, out);
        });
    }
    throw py::value_error("no group of registers '" + name + "'");
}

enum vcpu_event_kind kind_of(const std::string &name)
{
    for (int i = 0; i < VCPU_NUM_EVENT_KINDS; i++)
        if (name == vcpu_event_name(static_cast<vcpu_event_kind>(i)))
            return static_cast<vcpu_event_kind>(i);
    throw py::value_error("no kind of event '" + name + "'");
}

void inject(const Object &object, const std::string &kind, uint8_t vector,
            const py::object &error, uint64_t addr)
{
    struct vcpu *vcpu = vcpu_of(object);
    struct vcpu_event event = {};

    event.kind = kind_of(kind);
    event.vector = vector;
    event.has_error = !error.is_none();
    event.error = error.is_none() ? 0 : py::cast<uint32_t>(error);
    event.addr = addr;
    check(vcpu, vcpu_queue_event(vcpu, &event));
    base_cpu_wake_for_event(base_cpu_of(object.obj));
}

py::list pending_events(const Object &object)
{
    struct vcpu_event events[VCPU_EVQ_SIZE];
    uint32_t count = vcpu_evq_copy(&vcpu_of(object)->events, events);
    py::list list;

    for (uint32_t i = 0; i < count; i++)
        list.append(py::make_tuple(
            vcpu_event_name(static_cast<vcpu_event_kind>(events[i].kind)),
            events[i].vector,
            events[i].has_error ? py::object(py::int_(events[i].error))
                                : py::object(py::none())));
    return list;
}

void start_at(const Object &object, uint64_t entry, uint64_t arg)
{
    struct vcpu *vcpu = vcpu_of(object);

    object.simulation->check_idle();
    check(vcpu, vcpu_start_at(vcpu, entry, arg));
    base_cpu_wake_for_event(base_cpu_of(object.obj));
}

py::list exit_kinds()
{
    py::list list;

    for (int i = 0; i < VCPU_NUM_EXITS; i++)
        list.append(
            py::make_tuple(vcpu_exit_name(static_cast<vcpu_exit_kind>(i)),
                           vcpu_exit_doc(static_cast<vcpu_exit_kind>(i))));
    return list;
}

} // namespace

void bind_vcpu(py::module_ &module)
{
    module.def("vcpu_identity", identity);
    module.def("vcpu_reg_names", reg_names);
    module.def("vcpu_read_reg", read_reg);
    module.def("vcpu_write_reg", write_reg);
    module.def("vcpu_mode", mode);
    module.def("vcpu_pc", pc);
    module.def("vcpu_translate", translate);
    module.def("vcpu_ring", ring);
    module.def("log_push",
               [](const Object &object) { return sim_log_push(object.obj); });
    module.def("log_pop", [](const Object &object) {
        if (!sim_log_depth(object.obj->sim))
            throw FatalThrow("messages go to no ring");
        sim_log_pop(object.obj->sim);
    });
    module.def("vcpu_write", write);
    module.def("vcpu_dump", dump);
    module.def("vcpu_dump_group", dump_group);
    module.def("vcpu_inject", inject, py::arg("cpu"), py::arg("kind"),
               py::arg("vector"), py::arg("error"), py::arg("addr"));
    module.def("vcpu_pending_events", pending_events);
    module.def("vcpu_start_at", start_at);
    module.def("vcpu_trace", [](const Object &object, bool runs, bool regs) {
        base_cpu_trace_vcpu(base_cpu_of(object.obj), runs, regs);
    });
    module.def("vcpu_exit_kinds", exit_kinds);
}

} // namespace binding
