// SPDX-License-Identifier: BSD-3-Clause
#include "cpu/vcpu_manager.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "vcpu_dummy.h"

class VcpuManager : public testing::Test
{
  protected:
    int made = 0, live = 0, error = 0;
    int aspace = 0;
    vcpu_factory factory = {this, make, drop};
    vcpu_manager *manager = vcpu_manager_create(&factory);

    ~VcpuManager() override
    {
        vcpu_manager_destroy(manager);
        EXPECT_EQ(live, 0);
    }

    static vcpu *make(void *ctx, vcpuid_t id, int *error)
    {
        auto *self = static_cast<VcpuManager *>(ctx);
        auto dummy = std::make_unique<DummyVcpu>();
        vcpu_create_cfg cfg = {};

        cfg.id = id;
        cfg.ops = &dummy_ops();
        if (self->error && self->made == 2) {
            *error = self->error;
            return nullptr;
        }
        *error = vcpu_create(&dummy->base, &cfg);
        if (*error)
            return nullptr;
        self->made++;
        self->live++;
        return &dummy.release()->base;
    }

    static void drop(void *ctx, vcpu *v)
    {
        static_cast<VcpuManager *>(ctx)->live--;
        delete &DummyVcpu::of(v);
    }

    vcpu *add(vcpuid_t id)
    {
        vcpu_setup_cfg cfg = {};
        vcpu *v;

        cfg.aspace = &aspace;
        EXPECT_EQ(vcpu_manager_add(manager, id), 0);
        v = vcpu_manager_find(manager, id);
        EXPECT_EQ(vcpu_init(v, nullptr), 0);
        EXPECT_EQ(vcpu_setup(v, &cfg), 0);
        return v;
    }

    static vcpu_run_req request(uint64_t insts = 10)
    {
        vcpu_run_req req = {};

        req.max_insts = insts;
        return req;
    }
};

TEST_F(VcpuManager, AnIdNamesOneVcpu)
{
    vcpu_run_req req = request();
    vcpu_exit exit;

    EXPECT_EQ(vcpu_manager_add(manager, 5), 0);
    EXPECT_EQ(vcpu_manager_add(manager, 5), -EEXIST);
    EXPECT_EQ(vcpu_manager_add(manager, VCPU_NO_ID), -EINVAL);
    EXPECT_EQ(vcpu_manager_count(manager), 1u);
    EXPECT_EQ(vcpu_manager_find(manager, 6), nullptr);
    EXPECT_EQ(vcpu_manager_run(manager, 6, &req, &exit), -ENOENT);
    EXPECT_EQ(vcpu_manager_hlt(manager, 6, nullptr), -ENOENT);
    EXPECT_EQ(vcpu_manager_on(manager, 6, 0, 0), -ENOENT);
    EXPECT_EQ(vcpu_manager_remove(manager, 6), -ENOENT);
    EXPECT_EQ(vcpu_manager_run_until_unhandled(manager, 6, &req, &exit),
              -ENOENT);
}

TEST_F(VcpuManager, TheFactoryCanBeReplacedAndEachFreesItsOwn)
{
    static int others;
    vcpu_factory other = factory;

    others = 0;
    other.drop = [](void *ctx, vcpu *v) {
        others++;
        drop(ctx, v);
    };
    ASSERT_EQ(vcpu_manager_add(manager, 0), 0);
    vcpu_manager_set_factory(manager, &other);
    ASSERT_EQ(vcpu_manager_add(manager, 1), 0);
    EXPECT_EQ(vcpu_manager_remove(manager, 0), 0);
    EXPECT_EQ(others, 0);
    EXPECT_EQ(vcpu_manager_remove(manager, 1), 0);
    EXPECT_EQ(others, 1);
}

TEST_F(VcpuManager, SeveralVmsHaveDenseIdsOfTheirOwn)
{
    EXPECT_EQ(vcpu_manager_add_vm(manager, 0, 2), 0);
    EXPECT_EQ(vcpu_manager_add_vm(manager, 7, 3), 0);
    for (uint32_t i = 0; i < 3; i++) {
        vcpu *v = vcpu_manager_find(manager, vcpu_make_id(7, i));

        ASSERT_NE(v, nullptr);
        EXPECT_TRUE(vcpu_is_guest_vm(v));
        EXPECT_EQ(vcpu_is_bsp(v), i == 0);
        EXPECT_FALSE(vcpu_is_bootstrap(v));
    }
    EXPECT_EQ(vcpu_manager_add_vm(manager, 7, 1), -EEXIST);
}

TEST_F(VcpuManager, AVmIsMadeWhollyOrNotAtAll)
{
    error = -EMFILE;
    EXPECT_EQ(vcpu_manager_add_vm(manager, 1, 4), -EMFILE);
    EXPECT_EQ(vcpu_manager_count(manager), 0u);
    EXPECT_EQ(live, 0);
}

TEST_F(VcpuManager, RemoveTakesTheWholeWayDown)
{
    vcpu *v = add(0);

    ASSERT_EQ(vcpu_bind(v), 0);
    EXPECT_EQ(vcpu_manager_remove(manager, 0), 0);
    EXPECT_EQ(live, 0);
}

TEST_F(VcpuManager, MoveHandsOverOnce)
{
    vcpu_manager *other = vcpu_manager_create(&factory);
    vcpu *v = add(3);

    EXPECT_EQ(vcpu_manager_move(manager, other, 3), 0);
    EXPECT_EQ(vcpu_manager_move(manager, other, 3), -ENOENT);
    EXPECT_EQ(vcpu_manager_find(other, 3), v);
    EXPECT_EQ(vcpu_manager_find(manager, 3), nullptr);
    add(3);
    EXPECT_EQ(vcpu_manager_move(manager, other, 3), -EEXIST);
    EXPECT_NE(vcpu_manager_find(manager, 3), nullptr);
    vcpu_manager_destroy(other);
    EXPECT_EQ(live, 1);
}

TEST_F(VcpuManager, OnStartsAtTheEntry)
{
    vcpu *v = add(1);
    DummyVcpu &dummy = DummyVcpu::of(v);
    vcpu_run_req req = request();
    vcpu_exit exit = {}, halt = {};

    halt.kind = VCPU_EXIT_HALT;
    ASSERT_EQ(vcpu_bind(v), 0);
    dummy.exits.push_back(halt);
    ASSERT_EQ(vcpu_manager_run(manager, 1, &req, &exit), 0);
    ASSERT_EQ(vcpu_state_of(v), VCPU_BLOCKED);
    EXPECT_EQ(vcpu_manager_on(manager, 1, 0x8000, 7), 0);
    EXPECT_EQ(dummy.start, 0x8007u);
    EXPECT_EQ(vcpu_state_of(v), VCPU_READY);
    EXPECT_EQ(vcpu_manager_hlt(manager, 1, nullptr), 0);
}

TEST_F(VcpuManager, RunUntilUnhandledUnbindsOnEveryWayOut)
{
    vcpu *v = add(0);
    DummyVcpu &dummy = DummyVcpu::of(v);
    vcpu_run_req req = request();
    vcpu_exit exit = {}, handled = {}, foreign = {};

    handled.kind = VCPU_EXIT_IO_OUT;
    handled.insts = 10;
    foreign.kind = VCPU_EXIT_SYSTEM_DOWN;
    vcpu_set_exit_handler(
        v,
        [](void *, vcpu *, vcpu_exit *e) {
            return e->kind == VCPU_EXIT_IO_OUT ? 1 : 0;
        },
        nullptr);
    dummy.exits = {handled, handled, foreign};
    EXPECT_EQ(vcpu_manager_run_until_unhandled(manager, 0, &req, &exit), 0);
    EXPECT_EQ(exit.kind, VCPU_EXIT_SYSTEM_DOWN);
    EXPECT_EQ(v->num_builtin_exits, 2u);
    EXPECT_EQ(vcpu_state_of(v), VCPU_FREE);
    dummy.errors["run"] = -EIO;
    EXPECT_EQ(vcpu_manager_run_until_unhandled(manager, 0, &req, &exit), -EIO);
    EXPECT_EQ(vcpu_state_of(v), VCPU_INVALID);
    EXPECT_EQ(vcpu_fini(v, nullptr), 0);
    EXPECT_FALSE(v->is_bound);
}

TEST_F(VcpuManager, TheExitDecidesWhoRunsNext)
{
    vcpu_run_req req = request();
    std::vector<vcpuid_t> order;

    for (vcpuid_t id = 0; id < 3; id++)
        ASSERT_EQ(vcpu_bind(add(id)), 0);
    EXPECT_EQ(vcpu_manager_schedule(
                  manager, 0, &req,
                  [](void *ctx, vcpuid_t id, const vcpu_exit *) {
                      auto *seen = static_cast<std::vector<vcpuid_t> *>(ctx);

                      seen->push_back(id);
                      return seen->size() < 7 ? (id + 2) % 3 : VCPU_NO_ID;
                  },
                  &order),
              0);
    EXPECT_EQ(order, (std::vector<vcpuid_t>{0, 2, 1, 0, 2, 1, 0}));
    EXPECT_EQ(
        vcpu_manager_schedule(
            manager, 0, &req,
            [](void *, vcpuid_t, const vcpu_exit *) { return vcpuid_t{99}; },
            nullptr),
        -ENOENT);
}

TEST_F(VcpuManager, ManyVcpusRunOnFewThreads)
{
    for (unsigned num_threads : {1u, 2u, 3u}) {
        std::vector<std::thread> threads;
        std::atomic<unsigned> next{0};

        for (vcpuid_t id = 0; id < 8; id++)
            add(id);
        for (unsigned i = 0; i < num_threads; i++)
            threads.emplace_back([&] {
                vcpu_run_req req = request(5);
                vcpu_exit exit;

                // A turn of each vCPU is one thread's alone.
                for (unsigned turn = next++; turn < 8; turn = next++)
                    for (int round = 0; round < 100; round++)
                        EXPECT_EQ(vcpu_manager_run_until_unhandled(
                                      manager, turn, &req, &exit),
                                  0);
            });
        for (auto &thread : threads)
            thread.join();
        for (vcpuid_t id = 0; id < 8; id++) {
            EXPECT_EQ(DummyVcpu::of(vcpu_manager_find(manager, id)).value,
                      500u);
            EXPECT_EQ(vcpu_manager_remove(manager, id), 0);
        }
    }
}
