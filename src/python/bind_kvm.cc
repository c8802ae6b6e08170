/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's KVM, what it offers and what it really does; the VMs and vCPUs of
 * a machine.  A script may play the kernel (class PyKernel).
 */
#include "python/binding.hh"

#include <pybind11/stl.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "cpu/kvm/kvm_cpu.h"
#include "cpu/kvm/kvm_host.h"
#include "cpu/kvm/kvm_probe.h"
#include "cpu/kvm/kvm_system.h"

namespace binding
{
namespace
{

[[noreturn]] void raise(const char *name, const std::string &text, int err,
                        const char *ioctl)
{
    py::object type = py::module_::import("gearshift.errors").attr(name);
    py::object value = type(text, -err, ioctl);

    PyErr_SetObject(type.ptr(), value.ptr());
    throw py::error_already_set();
}

/* -------------------------------------------------- a kernel in the script */

/*
 * open(path), close(fd) and ioctl(fd, name, arg) of a Python object in the
 * place of the system calls; arg is a number or an address.  An exception is
 * told, and an I/O error for the caller: no C code is unwound.
 */
class PyKernel
{
  public:
    explicit PyKernel(py::object object) : object_(std::move(object))
    {
    }
    static constexpr kvm_ops make_ops()
    {
        return {do_open,   do_close, do_ioctl,     do_mmap,
                do_munmap, do_read,  do_perf_open, do_userfaultfd};
    }

  private:
    template <typename... Args>
    static int call(void *self, const char *name, Args... args)
    {
        try {
            return static_cast<PyKernel *>(self)
                ->object_.attr(name)(args...)
                .template cast<int>();
        } catch (py::error_already_set &error) {
            error.discard_as_unraisable(name);
        } catch (const py::cast_error &) {
            (void)PyErr_WarnEx(PyExc_RuntimeWarning, name, 1);
        }
        return -EIO;
    }
    static int do_open(void *self, const char *path)
    {
        return call(self, "open", path);
    }
    static int do_close(void *self, int fd)
    {
        return call(self, "close", fd);
    }
    static int do_ioctl(void *self, int fd, unsigned long request, void *arg)
    {
        return call(self, "ioctl", fd, kvm_host_request_name(request),
                    reinterpret_cast<uintptr_t>(arg));
    }
    static void *do_mmap(void *self, int, size_t len)
    {
        auto &pages = static_cast<PyKernel *>(self)->pages_;

        pages.emplace_back(len);
        return pages.back().data();
    }
    static int do_munmap(void *, void *, size_t)
    {
        return 0;
    }
    static int do_read(void *, int, void *, size_t)
    {
        return -EBADF;
    }
    static int do_perf_open(void *, perf_event_attr *, int)
    {
        return -ENOENT;
    }
    static int do_userfaultfd(void *)
    {
        return -ENOSYS;
    }

    py::object object_;
    std::list<std::vector<uint8_t>> pages_;
};

constexpr kvm_ops py_kernel_ops = PyKernel::make_ops();

/* -------------------------------------------------------------- the device */

class KvmHost
{
  public:
    KvmHost(const std::string &path, const py::object &kernel)
        : kernel_(kernel.is_none() ? nullptr
                                   : std::make_unique<PyKernel>(kernel))
    {
        kvm_host_cfg cfg = {};
        kvm_host *opened = nullptr;
        char why[KVM_HOST_WHY_SIZE];

        cfg.path = path.c_str();
        if (kernel_) {
            cfg.ops = &py_kernel_ops;
            cfg.ops_self = kernel_.get();
        }
        int err = kvm_host_open(&cfg, &opened, why);
        if (err)
            raise("KvmUnavailable", std::string("no KVM: ") + why, err, "open");
        host_.reset(opened);
    }

    kvm_host *get() const
    {
        return host_.get();
    }

    std::map<std::string, int> capabilities() const
    {
        std::map<std::string, int> values;

        for (int i = 0; i < KVM_NUM_CAPS; i++)
            values[kvm_caps[i].name] = host_->cap_value[i];
        return values;
    }

    py::list supported_cpuid() const
    {
        const kvm_cpuid2 *cpuid = nullptr;
        py::list list;

        check_list(kvm_host_supported_cpuid(get(), &cpuid),
                   KVM_GET_SUPPORTED_CPUID);
        for (uint32_t i = 0; i < cpuid->nent; i++) {
            const kvm_cpuid_entry2 &row = cpuid->entries[i];
            list.append(py::make_tuple(row.function, row.index, row.flags,
                                       row.eax, row.ebx, row.ecx, row.edx));
        }
        return list;
    }

    std::vector<uint32_t> supported_msrs() const
    {
        const kvm_msr_list *msrs = nullptr;

        check_list(kvm_host_supported_msrs(get(), &msrs),
                   KVM_GET_MSR_INDEX_LIST);
        return {msrs->indices, msrs->indices + msrs->nmsrs};
    }

    std::vector<uint32_t> feature_msrs() const
    {
        const kvm_msr_list *msrs = nullptr;

        check_list(kvm_host_feature_msrs(get(), &msrs),
                   KVM_GET_MSR_FEATURE_INDEX_LIST);
        return {msrs->indices, msrs->indices + msrs->nmsrs};
    }

    void check() const
    {
        kvm_probe probe = {};
        char why[KVM_HOST_WHY_SIZE];
        int err = kvm_probe_check(get(), &probe, why);

        if (err)
            raise("KvmUnavailable",
                  std::string("no KVM: ") + why + "; see gearshift kvm-info",
                  err, "");
    }

  private:
    void check_list(int err, unsigned long request) const
    {
        const char *name = kvm_host_request_name(request);

        if (err)
            raise("KvmError",
                  std::string(host_->path) + ": " + name + ": " +
                      std::strerror(-err),
                  err, name);
    }

    std::unique_ptr<PyKernel> kernel_; /* outlives the host */
    std::unique_ptr<kvm_host, void (*)(kvm_host *)> host_{nullptr,
                                                          kvm_host_close};
};

/* --------------------------------------------------------------- the probe */

py::list caps_of(const kvm_host &host)
{
    py::list list;
    for (int i = 0; i < KVM_NUM_CAPS; i++)
        list.append(py::make_tuple(
            kvm_caps[i].number, kvm_caps[i].name, host.cap_value[i],
            kvm_caps[i].need == KVM_CAP_REQUIRED, kvm_caps[i].purpose));
    return list;
}

py::dict probe_of(const kvm_probe &probe)
{
    py::dict dict;
    dict["vendor"] = kvm_vendor_name(probe.vendor);
    dict["ring0"] = kvm_ring0_name(probe.ring0);
    dict["rdtsc_faults"] = kvm_answer_name(probe.rdtsc_faults);
    dict["syscall_window"] = kvm_answer_name(probe.syscall_window);
    dict["rdtsc_is_host"] = kvm_answer_name(probe.rdtsc_is_host);
    dict["runs_ring3"] = kvm_answer_name(probe.runs_ring3);
    dict["syscall_enters_ring0"] = kvm_answer_name(probe.syscall_enters_ring0);
    dict["guest_debug"] = kvm_answer_name(probe.guest_debug);
    dict["perf_counter"] = kvm_answer_name(probe.perf_counter);
    dict["avx_state"] = kvm_answer_name(probe.avx_state);
    dict["avx512_state"] = kvm_answer_name(probe.avx512_state);
    dict["stub_addr"] = probe.stub_addr;
    dict["tsc_khz"] = probe.tsc_khz;
    dict["exit_ns"] = probe.exit_ns;
    dict["probe_us"] = probe.probe_us;
    return dict;
}

/* "reason" is empty where KVM can be used. */
py::dict kvm_info(const std::string &path)
{
    kvm_host_cfg cfg = {};
    kvm_host *opened = nullptr;
    kvm_probe probe = {};
    char why[KVM_HOST_WHY_SIZE];
    py::dict dict;

    cfg.path = path.c_str();
    int err = kvm_host_open(&cfg, &opened, why);
    std::unique_ptr<kvm_host, void (*)(kvm_host *)> host(opened,
                                                         kvm_host_close);
    dict["path"] = path;
    if (!err) {
        dict["api_version"] = host->api_version;
        dict["caps"] = caps_of(*host);
        (void)!kvm_probe_check(host.get(), &probe, why);
        dict["probe"] = probe_of(probe);
    }
    dict["reason"] = std::string(why);
    return dict;
}

/* ------------------------------------------------------- VMs of a machine */

struct kvm_system *vm_of(const Object &object)
{
    return reinterpret_cast<struct kvm_system *>(
        sim_object_cast(object.obj, &kvm_vm_type));
}

void add_slot(void *self, kvm_slot_ref ref, const kvm_slot_map *map)
{
    static_cast<py::list *>(self)->append(py::make_tuple(
        ref.num, map->gpa, map->size, (map->flags & KVM_SLOT_READONLY) != 0,
        (map->flags & KVM_SLOT_LOG_DIRTY) != 0));
}

py::dict kvm_vm_info(const Object &object)
{
    const struct kvm_system *kvm = vm_of(object);
    py::dict dict;
    py::list slots;

    dict["is_started"] = kvm->vm && kvm_vm_is_started(kvm->vm);
    dict["fd"] = kvm->vm ? kvm_vm_fd(kvm->vm) : -1;
    dict["has_irqchip"] = kvm->vm && kvm_vm_has_irqchip(kvm->vm);
    if (kvm->vm)
        kvm_vm_visit_slots(kvm->vm, add_slot, &slots);
    dict["slots"] = slots;
    return dict;
}

/* None: not open, or no KVM CPU. */
py::object kvm_vcpu_info(const Object &object)
{
    py::dict dict;

    if (!sim_object_is_a(object.obj, &base_kvm_cpu_type))
        return py::none();
    const struct kvm_cpu *cpu = kvm_cpu_of(object.obj);
    if (!cpu->run)
        return py::none();
    dict["id"] = cpu->vcpu_id;
    dict["fd"] = cpu->fd;
    dict["vm"] = cpu->kvm->base.path;
    return dict;
}

const struct kvm_cpu *open_vcpu_of(const Object &object)
{
    const struct kvm_cpu *cpu = kvm_cpu_of(object.obj);

    if (!cpu->run)
        raise("KvmError",
              std::string(object.obj->path) +
                  ": KVM has its registers from the first simulate() on",
              -ENODEV, "");
    return cpu;
}

/* Bytes that belong to a register: KVM's number tells. */
size_t size_of_reg(uint64_t reg)
{
    return size_t{1} << ((reg & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

void check_reg(const struct kvm_cpu *cpu, uint64_t reg, int err,
               const char *name)
{
    char text[2 * sizeof(reg) + 1];

    if (!err)
        return;
    (void)std::snprintf(text, sizeof(text), "%" PRIx64, reg);
    raise("KvmError",
          std::string(cpu->base.base.base.path) + ": " + name +
              ": register 0x" + text + ": " + std::strerror(-err),
          err, name);
}

py::bytes kvm_get_reg(const Object &object, uint64_t reg)
{
    const struct kvm_cpu *cpu = open_vcpu_of(object);
    std::string value(size_of_reg(reg), '\0');

    check_reg(cpu, reg,
              kvm_host_get_reg(cpu->kvm->host, cpu->fd, reg, value.data()),
              "KVM_GET_ONE_REG");
    return value;
}

void kvm_set_reg(const Object &object, uint64_t reg, std::string value)
{
    const struct kvm_cpu *cpu = open_vcpu_of(object);

    value.resize(size_of_reg(reg));
    check_reg(cpu, reg,
              kvm_host_set_reg(cpu->kvm->host, cpu->fd, reg, value.data()),
              "KVM_SET_ONE_REG");
}

} // namespace

void bind_kvm(py::module_ &module)
{
    module.def("kvm_info", kvm_info, py::arg("path") = "/dev/kvm",
               "Capabilities and probe of the host's KVM.");
    module.def("kvm_vm_info", kvm_vm_info);
    module.def("kvm_vcpu_info", kvm_vcpu_info);
    module.def("kvm_get_reg", kvm_get_reg);
    module.def("kvm_set_reg",
               [](const Object &object, uint64_t reg, const py::bytes &value) {
                   kvm_set_reg(object, reg, value);
               });
    py::class_<KvmHost>(module, "KvmHost")
        .def(py::init<const std::string &, const py::object &>(),
             py::arg("path") = "/dev/kvm", py::arg("kernel") = py::none())
        .def_property_readonly(
            "path", [](const KvmHost &self) { return self.get()->path; })
        .def_property_readonly(
            "api_version",
            [](const KvmHost &self) { return self.get()->api_version; })
        .def_property_readonly(
            "run_size",
            [](const KvmHost &self) { return self.get()->run_size; })
        .def("capabilities", &KvmHost::capabilities)
        .def("supported_cpuid", &KvmHost::supported_cpuid)
        .def("supported_msrs", &KvmHost::supported_msrs)
        .def("feature_msrs", &KvmHost::feature_msrs)
        .def("check", &KvmHost::check);
}

} // namespace binding
