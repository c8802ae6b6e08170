// SPDX-License-Identifier: BSD-3-Clause
#include "sim/clock.h"

#include <cmath>

#include "clocked_toy.h"
#include "sim/stat.h"
#include "toy_tree.h"

class ClockTest : public ToyTree
{
  protected:
    void set(sim_object *obj, const char *name, const sim_value &value,
             const char *origin = nullptr)
    {
        sim_param_set(obj, sim_param_find(obj->type, name), &value, origin);
    }

    void set_u(sim_object *obj, const char *name, uint64_t number,
               const char *origin = nullptr)
    {
        sim_value value = {};

        value.u = number;
        set(obj, name, value, origin);
    }

    void set_obj(sim_object *obj, const char *name, sim_object *other)
    {
        sim_value value = {};

        value.obj = other;
        set(obj, name, value, "run.py:4");
    }

    sim_object *source(const char *name, std::vector<uint64_t> periods)
    {
        sim_object *obj = add(src_clock_domain_type, root, name);
        sim_value value = {};

        value.vec_u64 = {periods.data(), static_cast<uint32_t>(periods.size())};
        set(obj, "clock", value);
        return obj;
    }

    sim_object *derived(const char *name, sim_object *from, uint64_t divider)
    {
        sim_object *obj = add(derived_clock_domain_type, root, name);

        set_obj(obj, "clk_domain", from);
        set_u(obj, "clk_divider", divider, "run.py:5");
        return obj;
    }

    static tick_t period(const sim_object *domain)
    {
        return reinterpret_cast<const clock_domain *>(domain)->period;
    }
};

TEST_F(ClockTest, ASourceHasThePeriodOfItsPerformanceLevel)
{
    sim_object *fast = source("fast", {500, 1000});
    sim_object *slow = source("slow", {500, 1000});

    set_u(slow, "init_perf_level", 1);
    sim_init(sim);
    EXPECT_EQ(period(fast), 500u);
    EXPECT_EQ(period(slow), 1000u);
}

TEST_F(ClockTest, ALevelThatTheClockLacksIsFatal)
{
    set_u(source("clk", {500}), "init_perf_level", 1, "run.py:8");
    EXPECT_EQ(fatal_text([this] { sim_init(sim); }),
              "clk: performance level 1, but the clock has 1 levels\n"
              "  set at run.py:8");
}

TEST_F(ClockTest, DerivedDomainsDivideEvenWhenTheyComeFirstInTheTree)
{
    sim_object *third = add(derived_clock_domain_type, root, "third");
    sim_object *clk = source("clk", {500});
    sim_object *sixth = derived("sixth", third, 2);

    set_obj(third, "clk_domain", clk);
    set_u(third, "clk_divider", 3);
    sim_init(sim);
    EXPECT_EQ(period(third), 1500u);
    EXPECT_EQ(period(sixth), 3000u);
}

TEST_F(ClockTest, ACircleOfDomainsIsFatal)
{
    sim_object *a = add(derived_clock_domain_type, root, "a");
    sim_object *b = derived("b", a, 2);

    set_obj(a, "clk_domain", b);
    set_u(a, "clk_divider", 2);
    EXPECT_EQ(fatal_text([this] { sim_init(sim); }),
              "a: the clock domain is derived from itself\n"
              "  set at run.py:4");
}

TEST_F(ClockTest, APeriodThatDoesNotFitIsFatal)
{
    derived("d", source("clk", {UINT64_MAX / 2}), 3);
    EXPECT_EQ(fatal_text([this] { sim_init(sim); }),
              "d: the period does not fit into 64 bits\n  set at run.py:5");
}

TEST_F(ClockTest, AnObjectKnowsItsPeriodBeforeItsDomainIsInitialised)
{
    sim_object *obj = add(clocked_toy_type, root, "aaa");

    set_obj(obj, "clk_domain", source("clk", {250}));
    sim_init(sim);
    EXPECT_EQ(reinterpret_cast<clocked_toy *>(obj)->period_at_init, 250u);
}

TEST_F(ClockTest, EdgesAndCyclesRoundUp)
{
    sim_object *obj = add(clocked_toy_type, root, "toy");
    auto *clocked = reinterpret_cast<clocked_object *>(obj);

    set_obj(obj, "clk_domain", source("clk", {300}));
    sim_init(sim);
    EXPECT_EQ(clock_edge(clocked, 0, 0), 0u);
    EXPECT_EQ(clock_edge(clocked, 1, 0), 300u);
    EXPECT_EQ(clock_edge(clocked, 300, 0), 300u);
    EXPECT_EQ(clock_edge(clocked, 301, 2), 1200u);
    EXPECT_EQ(clock_cycles_to_ticks(clocked, 4), 1200u);
    EXPECT_EQ(clock_ticks_to_cycles(clocked, 0), 0u);
    EXPECT_EQ(clock_ticks_to_cycles(clocked, 300), 1u);
    EXPECT_EQ(clock_ticks_to_cycles(clocked, 301), 2u);
    EXPECT_EQ(clock_ticks_to_cycles(clocked, UINT64_MAX), UINT64_MAX / 300 + 1);
}

TEST_F(ClockTest, StatisticsShowPeriodAndVoltage)
{
    sim_object *clk = source("clk", {500});
    sim_object *volts = add(voltage_domain_type, root, "volts");
    double levels[] = {1.1, 0.9};
    sim_value value = {};

    value.vec_f64 = {levels, 2};
    set(volts, "voltage", value);
    sim_init(sim);
    EXPECT_EQ(clock_domain_type.stats[0].formula(clk, 0), 500.0);
    EXPECT_EQ(voltage_domain_type.stats[0].formula(volts, 0), 1.1);
}
