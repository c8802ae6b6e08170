// SPDX-License-Identifier: BSD-3-Clause
#include "sim/pseudo_op.h"

#include <cstring>
#include <string>

#include "running_tree.h"
#include "sim/report.h"

namespace
{

// A CPU without memory, which writes down what it is asked.
class PseudoOp : public RunningTree
{
  protected:
    pseudo_machine machine = {};
    pseudo_call call = {};
    tick_t quiesced_until = 0;
    uint64_t woken = UINT64_MAX, begun = 0, ended = 0;

    static PseudoOp *of(pseudo_call *call)
    {
        return static_cast<PseudoOp *>(call->ctx);
    }

    void SetUp() override
    {
        static const pseudo_cpu_ops ops = {
            [](pseudo_call *, uint64_t, void *, uint64_t) -> uint64_t {
                return 0;
            },
            [](pseudo_call *, uint64_t, const void *, uint64_t) -> uint64_t {
                return 0;
            },
            [](pseudo_call *c, tick_t until) { of(c)->quiesced_until = until; },
            [](pseudo_call *) -> tick_t { return 5000; },
            [](pseudo_call *, uint64_t cycles) -> tick_t {
                return cycles * 10;
            },
            [](pseudo_call *c, uint64_t id) {
                of(c)->woken = id;
                return id < 4;
            },
            [](pseudo_call *c, pseudo_work what) {
                (what == PSEUDO_WORK_BEGIN ? of(c)->begun : of(c)->ended)++;
            },
        };

        RunningTree::SetUp();
        machine.work_item_id = -1;
        machine.work_begin_cpu_id_exit = -1;
        machine.owner = sim_root(sim);
        call.machine = &machine;
        call.ops = &ops;
        call.ctx = this;
        call.cpu = sim_root(sim);
        call.may_dump = call.may_checkpoint = true;
        start();
    }

    uint64_t run(uint16_t func, uint64_t a = 0, uint64_t b = 0)
    {
        uint64_t result = 77;

        call.args[0] = a;
        call.args[1] = b;
        EXPECT_TRUE(pseudo_op_run(&call, func, &result)) << func;
        return result;
    }
    void expect(const char *cause, tick_t tick, int64_t code = 0)
    {
        expect_exit(sim_simulate(sim, TICK_MAX), cause, tick, code);
    }
};

TEST_F(PseudoOp, ExitsWithGem5sWordsAfterTheDelay)
{
    call.now = 100;
    run(0x21, 3);
    expect("m5_exit instruction encountered", 100 + 3000);
    call.now = 4000;
    run(0x22, 0, 7);
    expect("m5_fail instruction encountered", 4000, 7);
    run(0x52);
    expect("switchcpu", 4000);
    run(0x43, 1);
    expect("checkpoint", 5000);
}

TEST_F(PseudoOp, RepeatsACheckpointEveryPeriod)
{
    run(0x43, 1, 2);
    expect("checkpoint", 1000);
    expect("checkpoint", 3000);
    expect("checkpoint", 5000);
}

TEST_F(PseudoOp, TakesAnAbsurdDelayForNever)
{
    run(0x21, UINT64_MAX);
    run(0x02, UINT64_MAX);
    EXPECT_EQ(quiesced_until, TICK_MAX);
    EXPECT_EQ(sim_simulate(sim, 1000).tick, 1000u);
}

TEST_F(PseudoOp, ObeysTheParametersThatForbidCheckpointsAndDumps)
{
    call.may_checkpoint = call.may_dump = false;
    run(0x43);
    run(0x42);
    EXPECT_STREQ(sim_simulate(sim, 10).cause, "simulate() limit reached");
}

TEST_F(PseudoOp, PutsTheCpuToSleep)
{
    call.now = 1000;
    run(0x01);
    EXPECT_EQ(quiesced_until, TICK_MAX);
    run(0x02, 5);
    EXPECT_EQ(quiesced_until, 6000u);
    run(0x03, 5);
    EXPECT_EQ(quiesced_until, 1050u);
    EXPECT_EQ(run(0x04), 5u);
    run(0x09, 2);
    EXPECT_EQ(woken, 2u);
    run(0x09, 9);
    EXPECT_EQ(sim_guest_errors(sim), 1u);
}

TEST_F(PseudoOp, AnswersWithNumbers)
{
    uint64_t key[2] = {};

    call.now = 7000;
    EXPECT_EQ(run(0x07), 7u);
    for (int i = 0; i < 6; i++)
        call.args[i] = 1;
    EXPECT_EQ(run(0x23, 10, 20), 34u);
    machine.init_param = 42;
    EXPECT_EQ(run(0x30), 42u);
    memcpy(key, "dist-size", 9);
    EXPECT_EQ(run(0x30, key[0], key[1]), 1u);
    memcpy(key, "nonsense", 9);
    EXPECT_EQ(run(0x30, key[0], key[1]), 0u);
    EXPECT_EQ(sim_guest_errors(sim), 1u);
}

TEST_F(PseudoOp, CountsWorkItemsAndLeavesAtTheCounts)
{
    machine.work_begin_exit_count = 2;
    machine.work_end_exit_count = 1;
    run(0x5a, 5);
    run(0x5a, 6);
    expect("work started count reach", 0);
    run(0x5b, 5);
    expect("work items exit count reached", 0);
    EXPECT_EQ(begun, 2u);
    EXPECT_EQ(ended, 1u);
}

TEST_F(PseudoOp, CountsOnlyTheWorkItemThatIsAskedFor)
{
    machine.work_item_id = 3;
    machine.work_begin_ckpt_count = 1;
    run(0x5a, 2);
    EXPECT_EQ(machine.work_begins, 0u);
    run(0x5a, 3);
    expect("checkpoint", 0);
}

TEST_F(PseudoOp, ChecksPointsWhenEnoughCpusWork)
{
    machine.work_cpus_ckpt_count = 2;
    call.cpu_id = 1;
    run(0x5a, 0);
    run(0x5a, 0);
    EXPECT_STREQ(sim_simulate(sim, 10).cause, "simulate() limit reached");
    call.now = sim_now(sim);
    call.cpu_id = 200;
    run(0x5a, 0);
    EXPECT_STREQ(sim_simulate(sim, TICK_MAX).cause, "checkpoint");
}

TEST_F(PseudoOp, LeavesAtEachWorkItemIfToldTo)
{
    machine.exit_on_work_items = true;
    run(0x5a, 9);
    expect("workbegin", 0, 9);
    run(0x5b, 9);
    expect("workend", 0, 9);
    EXPECT_EQ(begun, 0u);
}

TEST_F(PseudoOp, NeverEndsTheProcess)
{
    run(0x54);
    expect("m5_panic instruction encountered", 0, 1);
    run(0x51);
    expect("m5_debug_break instruction encountered", 0);
}

TEST_F(PseudoOp, SaysWhatIsNotImplemented)
{
    EXPECT_EQ(run(0x31), 0u);
    EXPECT_EQ(run(0x53), 0u);
    EXPECT_EQ(sim_unimplemented_uses(sim), 2u);
}

TEST_F(PseudoOp, RefusesWhatDoesNotExist)
{
    for (int number : {0x05, 0x20, 0x55, 0x71, 0xffff}) {
        auto func = static_cast<uint16_t>(number);
        uint64_t result = 77;

        EXPECT_FALSE(pseudo_op_run(&call, func, &result)) << func;
        EXPECT_EQ(result, 0u);
    }
    EXPECT_EQ(sim_guest_errors(sim), 5u);
}

TEST_F(PseudoOp, AreNamed)
{
    EXPECT_STREQ(pseudo_op_name(0x5a), "work_begin");
    EXPECT_EQ(pseudo_op_name(0x59), nullptr);
    EXPECT_EQ(pseudo_op_of_offset(0x2308), 0x23);
    EXPECT_EQ(pseudo_op_of_offset(0xffff), 0xff);
}

} // namespace
