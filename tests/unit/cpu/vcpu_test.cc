// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/vcpu.h"

#include <thread>

#include "vcpu_dummy.h"

using VcpuCreate = DummyTest;
using VcpuLife = DummyTest;
using VcpuSetup = DummyTest;
using VcpuBind = DummyTest;
using VcpuHlt = DummyTest;
using VcpuState = DummyTest;

/* ------------------------------------------------------------------- create */

TEST_F(VcpuCreate, RefusesTheIdThatIsNone)
{
    DummyVcpu other;
    vcpu_create_cfg cfg = config(VCPU_NO_ID);

    EXPECT_EQ(vcpu_create(&other.base, &cfg), -EINVAL);
    EXPECT_TRUE(other.calls.empty());
}

TEST_F(VcpuCreate, RefusesATableWithoutTheMandatoryOperations)
{
    for (int hole = 0; hole < 6; hole++) {
        DummyVcpu other;
        vcpu_ops ops = dummy_ops();
        vcpu_create_cfg cfg = config();

        cfg.ops = hole ? &ops : nullptr;
        if (hole == 1)
            ops.run = nullptr;
        if (hole == 2)
            ops.kick = nullptr;
        if (hole == 3)
            ops.get_state = nullptr;
        if (hole == 4)
            ops.set_state = nullptr;
        if (hole == 5)
            ops.dump = nullptr;
        EXPECT_EQ(vcpu_create(&other.base, &cfg), -EINVAL) << hole;
    }
}

TEST_F(VcpuCreate, FailureLeavesTheMemoryAsItWas)
{
    DummyVcpu other;
    vcpu zero{};
    vcpu_create_cfg cfg = config(1);

    other.errors["create"] = -ENOMEM;
    EXPECT_EQ(vcpu_create(&other.base, &cfg), -ENOMEM);
    EXPECT_EQ(memcmp(&other.base, &zero, sizeof zero), 0);
}

struct CountingHal {
    int left; // allocations that succeed
    int live = 0;
    vcpu_hal hal{};

    explicit CountingHal(int allowed) : left(allowed)
    {
        hal.ctx = this;
        hal.alloc_page = [](void *ctx, size_t size) -> void * {
            auto *self = static_cast<CountingHal *>(ctx);

            if (self->left-- <= 0)
                return nullptr;
            self->live++;
            return calloc(1, size);
        };
        hal.free_page = [](void *ctx, void *page, size_t) {
            static_cast<CountingHal *>(ctx)->live--;
            free(page);
        };
    }
};

TEST_F(VcpuCreate, EveryPageComesFromTheHalAndGoesBack)
{
    for (int allowed = 0; allowed < 2; allowed++) {
        for (const char *failing : {"create", "nothing"}) {
            DummyVcpu other;
            CountingHal hal(allowed);
            vcpu_create_cfg cfg = config(1);
            int expected = !allowed                     ? -ENOMEM
                           : !strcmp(failing, "create") ? -EIO
                                                        : 0;

            cfg.hal = &hal.hal;
            other.errors[failing] = -EIO;
            EXPECT_EQ(vcpu_create(&other.base, &cfg), expected);
            if (!expected) {
                EXPECT_EQ(hal.live, 1);
                EXPECT_EQ(vcpu_destroy(&other.base), 0);
            }
            EXPECT_EQ(hal.live, 0);
        }
    }
}

TEST_F(VcpuCreate, AGivenRingIsUsedAndFreed)
{
    DummyVcpu other;
    vcpu_create_cfg cfg = config(vcpu_make_id(2, 3));
    trace_ring *ring = trace_ring_create(TRACE_RING_NO_ID);

    EXPECT_EQ(trace_ring_id(cpu->ring), 0u) << "the default has the id";
    cfg.ring = ring;
    ASSERT_EQ(vcpu_create(&other.base, &cfg), 0);
    EXPECT_EQ(other.base.ring, ring);
    EXPECT_EQ(trace_ring_id(ring), vcpu_make_id(2, 3));
    EXPECT_EQ(vcpu_destroy(&other.base), 0);
}

TEST_F(VcpuCreate, ATableOfTheMandatoryOperationsGoesThroughItsLife)
{
    DummyVcpu other;
    vcpu_ops ops = {};
    vcpu_create_cfg cfg = config(7);
    vcpu_setup_cfg setup_cfg = {};
    vcpu_run_req req = {};
    vcpu_event nmi = {VCPU_EVENT_NMI, 2, 0, 0, 0};

    ops.name = "little";
    ops.run = dummy_ops().run;
    ops.kick = dummy_ops().kick;
    ops.get_state = dummy_ops().get_state;
    ops.set_state = dummy_ops().set_state;
    ops.dump = dummy_ops().dump;
    cfg.ops = &ops;
    setup_cfg.aspace = &aspace;
    req.max_insts = 1;
    ASSERT_EQ(vcpu_create(&other.base, &cfg), 0);
    EXPECT_EQ(vcpu_init(&other.base, nullptr), 0);
    EXPECT_EQ(vcpu_setup(&other.base, &setup_cfg), 0);
    EXPECT_EQ(vcpu_bind(&other.base), 0);
    EXPECT_EQ(vcpu_run(&other.base, &req, &exit), 0);
    EXPECT_EQ(vcpu_queue_event(&other.base, &nmi), -ENOTSUP);
    EXPECT_EQ(vcpu_start_at(&other.base, 0, 0), -ENOTSUP);
    EXPECT_EQ(vcpu_drained(&other.base), 1);
    EXPECT_EQ(vcpu_hlt(&other.base, nullptr), 0);
    EXPECT_EQ(vcpu_unbind(&other.base), 0);
    EXPECT_EQ(vcpu_fini(&other.base, nullptr), 0);
    EXPECT_EQ(vcpu_destroy(&other.base), 0);
}

TEST_F(VcpuCreate, DestroyIsRefusedUntilFini)
{
    make_ready();
    EXPECT_EQ(vcpu_destroy(cpu), -EBUSY);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
    EXPECT_EQ(count("destroy"), 0u);
}

/* --------------------------------------------------------------- life cycle */

/* What the contract allows; every other pair must change nothing. */
struct Verb {
    const char *name;
    uint32_t allowed; // bit per state
    uint32_t no_op;   // allowed, and nothing happens
    int error;
    std::function<int(vcpu *, const void *)> call;
};

static uint32_t in(std::initializer_list<vcpu_state> states)
{
    uint32_t bits = 0;

    for (vcpu_state state : states)
        bits |= 1u << state;
    return bits;
}

static int call_setup(vcpu *v, const void *aspace)
{
    vcpu_setup_cfg cfg = {};

    cfg.aspace = aspace;
    return vcpu_setup(v, &cfg);
}

static int call_run(vcpu *v, const void *)
{
    vcpu_run_req req = {};
    vcpu_exit exit = {};

    req.max_insts = 1;
    return vcpu_run(v, &req, &exit);
}

static const vcpu_exit no_exit = {};

// clang-format off
static const Verb verbs[] = {
    {"init", in({VCPU_CREATED}), 0, -EBUSY,
     [](vcpu *v, const void *) { return vcpu_init(v, nullptr); }},
    {"fini", ~in({VCPU_CREATED}), 0, -EBADFD,
     [](vcpu *v, const void *) { return vcpu_fini(v, nullptr); }},
    {"setup", in({VCPU_FREE}), 0, -EBADFD, call_setup},
    // FREE is not set up here: that makes bind wrong, too.
    {"bind", 0, 0, -EBADFD, [](vcpu *v, const void *) { return vcpu_bind(v); }},
    {"unbind", in({VCPU_READY, VCPU_BLOCKED, VCPU_HALTED}), 0, -EBADFD,
     [](vcpu *v, const void *) { return vcpu_unbind(v); }},
    {"rebind", in({VCPU_READY, VCPU_BLOCKED, VCPU_HALTED}),
     in({VCPU_READY, VCPU_BLOCKED, VCPU_HALTED}), -EBADFD,
     [](vcpu *v, const void *) { return vcpu_rebind(v); }},
    {"run", in({VCPU_READY, VCPU_COMPLETE, VCPU_HALTED}), 0, -EBADFD, call_run},
    {"hlt", in({VCPU_READY, VCPU_BLOCKED, VCPU_COMPLETE, VCPU_HALTED}),
     in({VCPU_HALTED}), -EBADFD,
     [](vcpu *v, const void *) { return vcpu_hlt(v, nullptr); }},
    {"complete", in({VCPU_SERVICE}), 0, -EBADFD,
     [](vcpu *v, const void *) { return vcpu_complete(v, &no_exit); }},
    {"wait", in({VCPU_SERVICE}), 0, -EBADFD,
     [](vcpu *v, const void *) { return vcpu_wait(v, 1); }},
    {"respond", in({VCPU_MMIO_WAIT}), 0, -EBADFD,
     [](vcpu *v, const void *) { return vcpu_respond(v, &no_exit); }},
    {"destroy", in({VCPU_CREATED, VCPU_INVALID}), 0, -EBUSY,
     [](vcpu *v, const void *) { return vcpu_destroy(v); }},
};
// clang-format on

class VcpuOrder : public DummyTest, public testing::WithParamInterface<int>
{
};

TEST_P(VcpuOrder, WrongCallsFailAndChangeNothing)
{
    auto state = static_cast<vcpu_state>(GetParam());

    bring_to(state);
    for (const Verb &verb : verbs) {
        size_t calls = dummy.calls.size();
        int expected = verb.error;

        if ((verb.allowed >> state) & 1)
            continue;
        if (!strcmp(verb.name, "hlt") &&
            (state == VCPU_SERVICE || state == VCPU_MMIO_WAIT))
            expected = -EBUSY;
        EXPECT_EQ(verb.call(cpu, &aspace), expected) << verb.name;
        EXPECT_EQ(vcpu_state_of(cpu), state) << verb.name;
        EXPECT_EQ(dummy.calls.size(), calls) << verb.name;
        EXPECT_NE(error().find(vcpu_state_name(state)), std::string::npos)
            << verb.name << ": " << error();
        EXPECT_NE(error().find(verb.name), std::string::npos) << error();
    }
}

TEST_P(VcpuOrder, RightCallsAreTaken)
{
    auto state = static_cast<vcpu_state>(GetParam());

    for (const Verb &verb : verbs) {
        if (!((verb.allowed >> state) & 1))
            continue;
        if (!dummy.base.ops)
            SetUp();
        if (vcpu_state_of(cpu) != VCPU_CREATED) {
            ASSERT_EQ(vcpu_fini(cpu, nullptr), 0);
        }
        bring_to(state);
        EXPECT_EQ(verb.call(cpu, &aspace), 0) << verb.name;
        if ((verb.no_op >> state) & 1) {
            EXPECT_EQ(vcpu_state_of(cpu), state);
        }
    }
    if (!dummy.base.ops)
        SetUp();
}

TEST_F(VcpuLife, IsClosedInsideARun)
{
    make_ready();
    dummy.inside = [this](vcpu *v) {
        for (const Verb &verb : verbs) {
            std::string name = verb.name;
            int expected = verb.error;

            if (name == "fini" || name == "hlt" || name == "run")
                expected = -EDEADLK;
            EXPECT_EQ(verb.call(v, &aspace), expected) << name;
            EXPECT_EQ(vcpu_state_of(v), VCPU_RUNNING) << name;
        }
    };
    EXPECT_EQ(run(), 0);
}

INSTANTIATE_TEST_SUITE_P(AllStates, VcpuOrder,
                         testing::Values(VCPU_INVALID, VCPU_CREATED, VCPU_FREE,
                                         VCPU_READY, VCPU_SERVICE,
                                         VCPU_MMIO_WAIT, VCPU_COMPLETE,
                                         VCPU_BLOCKED, VCPU_HALTED),
                         [](const auto &param) {
                             return vcpu_state_name(
                                 static_cast<vcpu_state>(param.param));
                         });

TEST_F(VcpuLife, InitPassesTheUserPointerOn)
{
    int user = 0;

    EXPECT_EQ(vcpu_init(cpu, &user), 0);
    EXPECT_EQ(dummy.user, &user);
}

TEST_F(VcpuLife, AFailedInitLeavesCreatedAndSaysWhy)
{
    dummy.errors["init"] = -ENODEV;
    EXPECT_EQ(vcpu_init(cpu, nullptr), -ENODEV);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_CREATED);
    EXPECT_NE(error().find("init() of dummy failed: No such device"),
              std::string::npos)
        << error();
    EXPECT_EQ(vcpu_init(cpu, nullptr), 0);
}

TEST_F(VcpuLife, AnyOtherFailureInvalidates)
{
    struct {
        const char *operation;
        std::function<int()> call;
    } steps[] = {
        {"setup",  [this] { return setup(); }                },
        {"bind",   [this] { return vcpu_bind(cpu); }         },
        {"run",    [this] { return run(); }                  },
        {"halt",   [this] { return vcpu_hlt(cpu, nullptr); } },
        {"unbind", [this] { return vcpu_unbind(cpu); }       },
        {"fini",   [this] { return vcpu_fini(cpu, nullptr); }},
    };

    for (size_t failing = 0; failing < std::size(steps); failing++) {
        ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
        for (size_t i = 0; i < failing; i++)
            ASSERT_EQ(steps[i].call(), 0) << steps[i].operation;
        dummy.errors[steps[failing].operation] = -EIO;
        EXPECT_EQ(steps[failing].call(), -EIO) << steps[failing].operation;
        EXPECT_EQ(vcpu_state_of(cpu), VCPU_INVALID) << steps[failing].operation;
        EXPECT_FALSE(vcpu_is_initialized(cpu));
        EXPECT_EQ(vcpu_fini(cpu, nullptr), 0);
    }
}

TEST_F(VcpuLife, ASecondInitStartsAfresh)
{
    vcpu_event nmi = {VCPU_EVENT_NMI, 2, 0, 0, 0};
    vcpu_event events[VCPU_EVQ_SIZE];

    make_ready();
    ASSERT_EQ(run(100), 0);
    ASSERT_EQ(vcpu_queue_event(cpu, &nmi), 0);
    vcpu_kick(cpu);
    ASSERT_EQ(vcpu_fini(cpu, nullptr), 0);
    make_ready();
    EXPECT_EQ(vcpu_evq_copy(&cpu->events, events), 0u);
    EXPECT_EQ(dummy.value, 0u);
    EXPECT_EQ(cpu->num_runs, 0u);
    ASSERT_EQ(run(5), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_INST_STOP) << "the old kick is gone";
}

TEST_F(VcpuLife, FiniUnbindsWhatIsBound)
{
    make_ready();
    EXPECT_EQ(vcpu_fini(cpu, nullptr), 0);
    EXPECT_EQ(count("unbind"), 1u);
    EXPECT_EQ(count("fini"), 1u);
    EXPECT_FALSE(cpu->is_bound);
}

/* -------------------------------------------------------------------- setup */

TEST_F(VcpuSetup, HappensOncePerInit)
{
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    EXPECT_EQ(setup(), 0);
    EXPECT_EQ(setup(), -EALREADY);
    EXPECT_EQ(count("setup"), 1u);
    ASSERT_EQ(vcpu_fini(cpu, nullptr), 0);
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    EXPECT_EQ(setup(), 0);
}

TEST_F(VcpuSetup, NeedsMemory)
{
    vcpu_setup_cfg cfg = {};

    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    EXPECT_EQ(vcpu_setup(cpu, &cfg), -EINVAL);
    EXPECT_EQ(vcpu_set_aspace(cpu, nullptr), -EINVAL);
    EXPECT_EQ(vcpu_set_aspace(cpu, &aspace), 0);
    EXPECT_EQ(vcpu_setup(cpu, &cfg), 0);
    EXPECT_EQ(vcpu_set_aspace(cpu, &aspace), -EALREADY);
}

TEST_F(VcpuSetup, WithoutEntryTheResetStateStands)
{
    make_ready();
    EXPECT_EQ(count("start_at"), 0u);
    EXPECT_FALSE(cpu->has_entry);
}

TEST_F(VcpuSetup, TheEntryIsGivenOnceBeforeAndAnyTimeAfter)
{
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    EXPECT_EQ(vcpu_set_entry(cpu, 0x1000), 0);
    EXPECT_EQ(vcpu_set_entry(cpu, 0x2000), -EALREADY);
    EXPECT_EQ(count("start_at"), 0u);
    ASSERT_EQ(setup(), 0);
    EXPECT_EQ(dummy.start, 0x1000u);
    EXPECT_EQ(vcpu_set_entry(cpu, 0x3000), 0);
    EXPECT_EQ(dummy.start, 0x3000u);
    EXPECT_EQ(vcpu_start_at(cpu, 0x4000, 5), 0);
    EXPECT_EQ(dummy.start, 0x4005u);
}

/* --------------------------------------------------------------------- bind */

TEST_F(VcpuBind, RemembersTheThread)
{
    make_ready();
    EXPECT_TRUE(cpu->is_bound);
    EXPECT_NE(cpu->bound_tid, 0);
    EXPECT_EQ(vcpu_unbind(cpu), 0);
    EXPECT_EQ(cpu->bound_tid, 0);
    EXPECT_NE(cpu->last_tid, 0);
}

TEST_F(VcpuBind, AnotherThreadMustBindBeforeItRuns)
{
    make_ready();
    std::thread([this] {
        EXPECT_EQ(run(), -EXDEV);
        EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
        EXPECT_EQ(vcpu_rebind(cpu), 0);
        EXPECT_EQ(run(), 0);
    }).join();
    EXPECT_EQ(count("bind"), 2u);
    EXPECT_EQ(count("unbind"), 1u);
    EXPECT_EQ(run(), -EXDEV);
    EXPECT_NE(cpu->last_tid, cpu->bound_tid);
}

TEST_F(VcpuBind, RebindKeepsWhatIsBlocked)
{
    bring_to(VCPU_BLOCKED);
    std::thread([this] { EXPECT_EQ(vcpu_rebind(cpu), 0); }).join();
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_BLOCKED);
}

TEST_F(VcpuBind, InsideAnotherRunIsRefused)
{
    DummyVcpu second;
    vcpu_create_cfg cfg = config(1);
    vcpu_setup_cfg setup_cfg = {};

    setup_cfg.aspace = &aspace;
    make_ready();
    ASSERT_EQ(vcpu_create(&second.base, &cfg), 0);
    ASSERT_EQ(vcpu_init(&second.base, nullptr), 0);
    ASSERT_EQ(vcpu_setup(&second.base, &setup_cfg), 0);
    dummy.inside = [&](vcpu *) {
        EXPECT_EQ(vcpu_bind(&second.base), -EDEADLK);
        EXPECT_EQ(vcpu_state_of(&second.base), VCPU_FREE);
    };
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(vcpu_fini(&second.base, nullptr), 0);
    EXPECT_EQ(vcpu_destroy(&second.base), 0);
}

TEST_F(VcpuBind, ToAProcessorThatIsNotThereIsRefused)
{
    ASSERT_EQ(vcpu_init(cpu, nullptr), 0);
    ASSERT_EQ(setup(), 0);
    ASSERT_EQ(vcpu_host_set_add(&cpu->host_cpus, 1023), 0);
    EXPECT_EQ(vcpu_bind(cpu), -EXDEV);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_FREE);
    EXPECT_EQ(count("bind"), 0u);
}

/* --------------------------------------------------------------------- halt */

TEST_F(VcpuHlt, TakesInWhatWasServed)
{
    bring_to(VCPU_COMPLETE);
    EXPECT_EQ(vcpu_hlt(cpu, nullptr), 0);
    EXPECT_EQ(count("run(0)"), 1u);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_HALTED);
}

TEST_F(VcpuHlt, RunGoesOnWithTheSameState)
{
    make_ready();
    ASSERT_EQ(run(40), 0);
    ASSERT_EQ(vcpu_hlt(cpu, nullptr), 0);
    ASSERT_EQ(run(2), 0);
    EXPECT_EQ(dummy.value, 42u);
    EXPECT_EQ(vcpu_state_of(cpu), VCPU_READY);
}

/* -------------------------------------------------------------------- state */

TEST_F(VcpuState, IsReachableWhereverThereIsOne)
{
    x86_state state = {};

    state.gpr[0] = 77;

    EXPECT_EQ(vcpu_get_state(cpu, VCPU_STATE_ALL, &state), -EBADFD);
    make_ready();
    EXPECT_EQ(vcpu_set_state(cpu, VCPU_STATE_ALL, &state), 0);
    dummy.inside = [](vcpu *v) {
        x86_state inside = {};

        EXPECT_EQ(vcpu_get_state(v, VCPU_STATE_ALL, &inside), 0);
        EXPECT_EQ(inside.gpr[0], 77u);
    };
    EXPECT_EQ(run(1), 0);
    ASSERT_EQ(vcpu_unbind(cpu), 0);
    EXPECT_EQ(vcpu_get_state(cpu, VCPU_STATE_ALL, &state), 0);
    EXPECT_EQ(state.gpr[0], 78u);
}

TEST_F(VcpuState, DrainedMeansThatNothingIsOnItsWay)
{
    EXPECT_EQ(vcpu_drained(cpu), 1);
    bring_to(VCPU_COMPLETE);
    EXPECT_EQ(vcpu_drained(cpu), 0);
    ASSERT_EQ(run(0), 0);
    EXPECT_EQ(vcpu_drained(cpu), 1);
}

TEST_F(VcpuState, DumpTellsAll)
{
    char *text = nullptr;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    vcpu_event fault = {VCPU_EVENT_EXCEPTION, 13, 1, 0x18, 0};

    make_ready();
    ASSERT_EQ(vcpu_queue_event(cpu, &fault), 0);
    EXPECT_EQ(vcpu_bind(cpu), -EBADFD);
    vcpu_dump(cpu, out);
    (void)fclose(out);
    std::string dump = text;
    free(text);
    EXPECT_NE(dump.find("vCPU 0.0 (dummy) READY"), std::string::npos) << dump;
    EXPECT_NE(dump.find("pending exception vector=13 error=0x18"),
              std::string::npos)
        << dump;
    EXPECT_NE(dump.find("last error: vCPU 0.0: bind() in state READY"),
              std::string::npos)
        << dump;
    EXPECT_NE(dump.find("value=0"), std::string::npos) << dump;
}
