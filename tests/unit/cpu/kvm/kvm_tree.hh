/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine with KVM CPUs whose kernel, and so whose guest, the test plays:
 * each KVM_RUN of a vCPU takes the next step of its script; behind the last one
 * the guest halts.  Entries that only complete an access are answered as by
 * KVM.
 */
#ifndef TESTS_UNIT_CPU_KVM_KVM_TREE_HH
#define TESTS_UNIT_CPU_KVM_KVM_TREE_HH

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../../mem/mem_tree.h"
#include "arch/x86/core.h"
#include "arch/x86/state.h"
#include "cpu/kvm/kvm_cpu.h"
#include "cpu/kvm/kvm_machine.h"
#include "cpu/kvm/kvm_system.h"
#include "dev/pio_device.h"
#include "fake_kvm.hh"
#include "mem/physmem.h"

class KvmTree : public MemTree
{
  protected:
    using Step = std::function<int(kvm_run *)>;

    void SetUp() override
    {
        MemTree::SetUp();
        play_kernel();
        set(system, "mem_mode", MEM_MODE_ATOMIC_NONCACHING);
        bus = add(system_xbar_type, system, "bus");
        set(bus, "width", 16);
        bind(bus, "mem_side_ports", add_memory("ram", 0, 4 * MIB), "port");
        kvm = reinterpret_cast<kvm_system *>(add(kvm_vm_type, system, "vm"));
        kvm->system = system;
        set_string(&kvm->base, "device", "");
        kvm->ring0 = KVM_RING0_KVM;
        kvm->ops = fake.cfg().ops;
        kvm->ops_self = &fake;
        reinterpret_cast<struct system *>(system)->kvm_vm = &kvm->base;
    }
    void TearDown() override
    {
        MemTree::TearDown();
        EXPECT_TRUE(fake.open_fds.empty()) << *fake.open_fds.begin();
        EXPECT_EQ(fake.num_mapped, 0) << "pages are left mapped";
    }
    struct kvm_cpu *add_cpu()
    {
        std::string name = "cpu" + std::to_string(cpus.size());
        sim_object *obj = add(x86_kvm_cpu_type, system, name.c_str());
        auto *cpu = reinterpret_cast<struct kvm_cpu *>(obj);

        set(obj, "cpu_id", cpus.size());
        set_string(obj, "model", "host");
        set_double(obj, "hostFactor", 1);
        set(obj, "useXSave", 1);
        set(obj, "numThreads", 1);
        bind(bus, "cpu_side_ports", obj, "icache_port");
        bind(bus, "cpu_side_ports", obj, "dcache_port");
        cpus.push_back(cpu);
        return cpu;
    }
    toy_responder *add_device(const char *name, uint64_t start, uint64_t size)
    {
        toy_responder *device = add_responder(name, start, start + size, 0);

        bind(bus, "mem_side_ports", &device->base, "port");
        return device;
    }
    x86_state *state(const struct kvm_cpu *cpu)
    {
        return x86_core_state(cpu->base.core);
    }
    uint8_t *ram()
    {
        const struct system *it =
            reinterpret_cast<const struct system *>(system);

        return static_cast<uint8_t *>(physmem_get_range(it->physmem, 0)->host);
    }
    /* Cause and code of what ends the run. */
    std::string run(tick_t ticks = TICKS_PER_SECOND)
    {
        sim_exit exit = sim_simulate(sim, ticks);

        return std::string(exit.cause) + " " + std::to_string(exit.code);
    }
    static Step leave(uint32_t reason)
    {
        return [reason](kvm_run *page) {
            page->exit_reason = reason;
            return 0;
        };
    }
    void play(std::initializer_list<Step> steps, unsigned cpu = 0)
    {
        scripts[cpu].insert(scripts[cpu].end(), steps.begin(), steps.end());
    }

    static constexpr const char *NOTHING = "simulate() limit reached 0";
    FakeKvm fake;
    sim_object *bus = nullptr;
    kvm_system *kvm = nullptr;
    std::vector<struct kvm_cpu *> cpus;
    std::map<unsigned, std::deque<Step>> scripts; /* by number of the vCPU */
    std::map<unsigned long, std::string> kept;    /* by request that gets it */
    std::map<uint32_t, uint64_t> msrs;            /* of all vCPUs */
    std::set<uint32_t> filtered;                  /* those that leave KVM */
    bool keeps_msrs = true;
    bool has_tsc_offset = false; /* a kernel and a host that move the TSC */
    uint64_t tsc_offset = 0;
    uint64_t probe_insts = 20001; /* that counters see in a run of the probe */
    int half_entries = 0;
    Step on_completion; /* of an access; none: EINTR, as KVM does */

  private:
    template <typename T> void keep(unsigned long set, unsigned long get)
    {
        fake.on(set, [this, get](int, void *arg) {
            kept[get].assign(static_cast<char *>(arg), sizeof(T));
            return 0;
        });
        fake.on(get, [this, get](int, void *arg) {
            const std::string &image = kept[get];
            memcpy(arg, image.data(), image.size());
            return 0;
        });
    }
    void play_msrs()
    {
        fake.on(KVM_SET_MSRS, [this](int, void *arg) {
            auto *list = static_cast<kvm_msrs *>(arg);
            for (uint32_t i = 0; keeps_msrs && i < list->nmsrs; i++)
                msrs[list->entries[i].index] = list->entries[i].data;
            return static_cast<int>(list->nmsrs);
        });
        fake.on(KVM_GET_MSRS, [this](int, void *arg) {
            auto *list = static_cast<kvm_msrs *>(arg);
            for (uint32_t i = 0; i < list->nmsrs; i++)
                list->entries[i].data = msrs[list->entries[i].index];
            return static_cast<int>(list->nmsrs);
        });
        auto attr = [this](void *arg, bool is_set) {
            auto *it = static_cast<kvm_device_attr *>(arg);
            auto *value = reinterpret_cast<uint64_t *>(it->addr);
            if (!has_tsc_offset || it->group != KVM_VCPU_TSC_CTRL ||
                it->attr != KVM_VCPU_TSC_OFFSET)
                return -ENXIO;
            (is_set ? tsc_offset : *value) = is_set ? *value : tsc_offset;
            return 0;
        };
        fake.on(KVM_SET_DEVICE_ATTR,
                [attr](int, void *arg) { return attr(arg, true); });
        fake.on(KVM_GET_DEVICE_ATTR,
                [attr](int, void *arg) { return attr(arg, false); });
        fake.on(KVM_X86_SET_MSR_FILTER, [this](int, void *arg) {
            filtered.clear();
            for (auto &range : static_cast<kvm_msr_filter *>(arg)->ranges)
                if (range.nmsrs)
                    filtered.insert(range.base);
            return 0;
        });
    }
    void play_kernel()
    {
        keep<kvm_regs>(KVM_SET_REGS, KVM_GET_REGS);
        keep<kvm_sregs>(KVM_SET_SREGS, KVM_GET_SREGS);
        keep<kvm_xcrs>(KVM_SET_XCRS, KVM_GET_XCRS);
        keep<kvm_xsave>(KVM_SET_XSAVE, KVM_GET_XSAVE2);
        keep<kvm_debugregs>(KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS);
        keep<kvm_vcpu_events>(KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS);
        keep<kvm_mp_state>(KVM_SET_MP_STATE, KVM_GET_MP_STATE);
        play_msrs();
        fake.caps[KVM_CAP_SYNC_REGS] = 7;
        fake.caps[KVM_CAP_NR_MEMSLOTS] = 32;
        fake.caps[KVM_CAP_MAX_VCPU_ID] = 16;
        fake.caps[KVM_CAP_COALESCED_MMIO] = 2;
        fake.on(KVM_CREATE_VCPU, [this](int, void *arg) {
            int fd = fake.new_fd();
            if (kvm->vm) /* else it is the probe's */
                number_of[fd] =
                    static_cast<unsigned>(reinterpret_cast<uintptr_t>(arg));
            return fd;
        });
        fake.on(KVM_RUN, [this](int fd, void *) { return enter(fd); });
    }
    int enter(int fd)
    {
        auto *page = reinterpret_cast<kvm_run *>(fake.page_of.at(fd));
        auto number = number_of.find(fd);

        if (number == number_of.end()) {
            page->exit_reason = KVM_EXIT_IO;
            page->io.port = 0x80;
            for (auto &counter : fake.counters)
                counter.second += probe_insts;
            return 0;
        }
        if (page->immediate_exit) {
            half_entries++;
            return on_completion ? on_completion(page) : -EINTR;
        }
        auto &script = scripts[number->second];
        if (script.empty()) {
            page->exit_reason = KVM_EXIT_HLT;
            return 0;
        }
        Step step = script.front();
        script.pop_front();
        return step(page);
    }

    std::map<int, unsigned> number_of; /* vCPUs, by descriptor */
};

#endif
