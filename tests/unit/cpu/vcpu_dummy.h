// SPDX-License-Identifier: BSD-3-Clause
// A back end without a processor: it records what it is asked, fails where it
// is told to and exits as scripted.  All it executes is counting up RAX.
#ifndef TESTS_UNIT_CPU_VCPU_DUMMY_H
#define TESTS_UNIT_CPU_VCPU_DUMMY_H

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "arch/x86/state.h"
#include "cpu/vcpu.h"
#include "sim/ring.h"

struct DummyVcpu {
    vcpu base{};
    std::vector<std::string> calls;
    std::map<std::string, int> errors; // of the next call of an operation
    std::deque<vcpu_exit> exits;       // of the next runs; then INST_STOP
    std::function<void(vcpu *)> inside;
    std::vector<vcpu_event> injected;
    x86_state arch{};
    uint64_t &value = arch.gpr[0]; // what runs count up
    uint64_t start = 0;
    int kicked = 0; // atomic
    bool is_deaf = false;
    void *user = nullptr;

    // The base is the first member.
    static DummyVcpu &of(const vcpu *v)
    {
        return *reinterpret_cast<DummyVcpu *>(const_cast<vcpu *>(v));
    }

    int call(const std::string &name)
    {
        auto error = errors.find(name);
        int result = error == errors.end() ? 0 : error->second;

        calls.push_back(name);
        if (error != errors.end())
            errors.erase(error);
        return result;
    }

    static int run(vcpu *v, const vcpu_run_req *req, vcpu_exit *exit)
    {
        DummyVcpu &self = of(v);

        if (self.inside)
            self.inside(v);
        if (__atomic_exchange_n(&self.kicked, 0, __ATOMIC_SEQ_CST)) {
            exit->kind = VCPU_EXIT_INTR;
        } else if (!self.exits.empty() && req->max_insts) {
            *exit = self.exits.front();
            self.exits.pop_front();
        } else {
            exit->kind = VCPU_EXIT_INST_STOP;
            exit->insts = req->max_insts;
        }
        self.user = req->user;
        self.value += exit->insts;
        return self.call(req->max_insts ? "run" : "run(0)");
    }

    static void kick(vcpu *v)
    {
        __atomic_store_n(&of(v).kicked, 1, __ATOMIC_SEQ_CST);
    }

    static int inject(vcpu *v, const vcpu_event *event)
    {
        if (of(v).is_deaf && event->kind == VCPU_EVENT_INTERRUPT)
            return -EAGAIN;
        of(v).injected.push_back(*event);
        return 0;
    }
};

inline const vcpu_ops &dummy_ops()
{
    static const vcpu_ops ops = [] {
        vcpu_ops table = {};

        table.name = "dummy";
        table.caps = VCPU_CAP_EXACT_INSTS;
        table.event_kinds = (1u << VCPU_NUM_EVENT_KINDS) - 1;
        table.create = [](vcpu *v, const vcpu_create_cfg *) {
            return DummyVcpu::of(v).call("create");
        };
        table.destroy = [](vcpu *v) { DummyVcpu::of(v).call("destroy"); };
        table.init = [](vcpu *v, void *user) {
            DummyVcpu::of(v).user = user;
            DummyVcpu::of(v).value = 0;
            return DummyVcpu::of(v).call("init");
        };
        table.fini = [](vcpu *v, void *) {
            return DummyVcpu::of(v).call("fini");
        };
        table.setup = [](vcpu *v, const vcpu_setup_cfg *) {
            return DummyVcpu::of(v).call("setup");
        };
        table.bind = [](vcpu *v) { return DummyVcpu::of(v).call("bind"); };
        table.unbind = [](vcpu *v) { return DummyVcpu::of(v).call("unbind"); };
        table.run = DummyVcpu::run;
        table.halt = [](vcpu *v, void *) {
            return DummyVcpu::of(v).call("halt");
        };
        table.kick = DummyVcpu::kick;
        table.get_state = [](vcpu *v, uint32_t, x86_state *out) {
            *out = DummyVcpu::of(v).arch;
            return DummyVcpu::of(v).call("get_state");
        };
        table.set_state = [](vcpu *v, uint32_t, const x86_state *state) {
            DummyVcpu::of(v).arch = *state;
            return DummyVcpu::of(v).call("set_state");
        };
        table.start_at = [](vcpu *v, uint64_t entry, uint64_t arg) {
            DummyVcpu::of(v).start = entry + arg;
            return DummyVcpu::of(v).call("start_at");
        };
        table.inject = DummyVcpu::inject;
        table.set_irq_window = [](vcpu *v, int open) {
            return DummyVcpu::of(v).call(open ? "window" : "no window");
        };
        table.drained = [](vcpu *) { return 1; };
        table.dump = [](vcpu *v, FILE *out) {
            (void)fprintf(out, "value=%lu\n",
                          (unsigned long)DummyVcpu::of(v).value);
        };
        return table;
    }();
    return ops;
}

class DummyTest : public testing::Test
{
  protected:
    DummyVcpu dummy;
    vcpu *cpu = &dummy.base;
    vcpu_exit exit{};
    int aspace = 0; // something to point at

    static vcpu_create_cfg config(vcpuid_t id = 0)
    {
        vcpu_create_cfg cfg = {};

        cfg.id = id;
        cfg.ops = &dummy_ops();
        return cfg;
    }

    void SetUp() override
    {
        vcpu_create_cfg cfg = config();

        ASSERT_EQ(vcpu_create(cpu, &cfg), 0);
    }

    void TearDown() override
    {
        if (!dummy.base.ops)
            return;
        if (vcpu_state_of(cpu) != VCPU_CREATED) {
            EXPECT_EQ(vcpu_fini(cpu, nullptr), 0);
        }
        EXPECT_EQ(vcpu_destroy(cpu), 0);
    }

    int setup()
    {
        vcpu_setup_cfg cfg = {};

        cfg.aspace = &aspace;
        return vcpu_setup(cpu, &cfg);
    }

    int run(uint64_t insts = 100)
    {
        vcpu_run_req req = {};

        req.max_insts = insts;
        req.until = TICK_MAX;
        return vcpu_run(cpu, &req, &exit);
    }

    void make_ready()
    {
        ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
        ASSERT_EQ(setup(), 0);
        ASSERT_EQ(vcpu_bind(cpu), 0);
    }

    // A run that exits with KIND.
    void run_to(vcpu_exit_kind kind)
    {
        vcpu_exit next = {};

        next.kind = kind;
        dummy.exits.push_back(next);
        ASSERT_EQ(run(), 0);
        ASSERT_EQ(exit.kind, static_cast<uint32_t>(kind));
    }

    // By the calls that lead there.
    void bring_to(vcpu_state state)
    {
        if (state == VCPU_CREATED)
            return;
        if (state == VCPU_FREE) {
            ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
            return;
        }
        make_ready();
        if (state == VCPU_INVALID) {
            dummy.errors["run"] = -EIO;
            ASSERT_EQ(run(), -EIO);
        } else if (state == VCPU_BLOCKED) {
            run_to(VCPU_EXIT_HALT);
        } else if (state == VCPU_HALTED) {
            ASSERT_EQ(vcpu_hlt(cpu, nullptr), 0);
        } else if (state != VCPU_READY) {
            run_to(VCPU_EXIT_IO_IN);
            if (state == VCPU_MMIO_WAIT) {
                ASSERT_EQ(vcpu_wait(cpu, 1), 0);
            } else if (state == VCPU_COMPLETE) {
                ASSERT_EQ(vcpu_complete(cpu, &exit), 0);
            }
        }
        ASSERT_EQ(vcpu_state_of(cpu), state);
    }

    std::string error()
    {
        char text[VCPU_ERR_SIZE];

        vcpu_error(cpu, text);
        return text;
    }

    size_t count(const std::string &name) const
    {
        size_t n = 0;

        for (const auto &call : dummy.calls)
            n += call == name;
        return n;
    }
};

#endif
