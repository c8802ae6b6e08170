/* SPDX-License-Identifier: BSD-3-Clause */
/* What this host's KVM is, as a dictionary. */
#include "python/binding.hh"

#include <cstring>
#include <memory>

#include "cpu/kvm/kvm_host.h"
#include "cpu/kvm/kvm_probe.h"

namespace binding
{
namespace
{

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
    std::string reason = why;
    dict["path"] = path;
    if (!err) {
        dict["api_version"] = host->api_version;
        dict["caps"] = caps_of(*host);
        err = kvm_probe_run(host.get(), &probe);
        if (err)
            reason = path + ": a VM cannot be made: " + std::strerror(-err);
        else if (probe.runs_ring3 != KVM_YES)
            reason = path + ": a VM was made, but does not run programs";
        dict["probe"] = probe_of(probe);
    }
    dict["reason"] = reason;
    return dict;
}

} // namespace

void bind_kvm(py::module_ &module)
{
    module.def("kvm_info", kvm_info, py::arg("path") = "/dev/kvm",
               "Capabilities and probe of the host's KVM.");
}

} // namespace binding
