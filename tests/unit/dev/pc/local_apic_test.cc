// SPDX-License-Identifier: BSD-3-Clause
#include "pc_tree.h"

#include <vector>

#include "arch/x86/intr.h"
#include "arch/x86/state.h"

extern "C" {
extern const struct sim_type x86_local_apic_type;
}

namespace
{

enum {
    ID = 2,
    VERSION = 3,
    TPR = 8,
    PPR = 10,
    EOI = 11,
    LDR = 13,
    DFR = 14,
    SVR = 15,
    ESR = 40,
    ICR = 48,
    ICR_HIGH = 49,
    LVT_TIMER = 50,
    LVT_ERROR = 55,
    INITIAL = 56,
    CURRENT = 57,
    DIVIDE = 62
};

// A processor that writes down what it is asked; its TSC counts nanoseconds.
struct Processor {
    x86_intr_cpu base;
    x86_state state;
    unsigned pokes, nmis, inits;
    std::vector<int> starts;

    static Processor *of(x86_intr_cpu *cpu)
    {
        return reinterpret_cast<Processor *>(cpu);
    }
    static const x86_intr_cpu_ops ops;
};

const x86_intr_cpu_ops Processor::ops = {
    [](x86_intr_cpu *cpu) { of(cpu)->pokes++; },
    [](x86_intr_cpu *cpu) { of(cpu)->nmis++; },
    [](x86_intr_cpu *cpu) { of(cpu)->inits++; },
    [](x86_intr_cpu *cpu, uint8_t vector) {
        of(cpu)->starts.push_back(vector);
    },
    [](x86_intr_cpu *, uint64_t tsc) -> tick_t { return tsc * 1000; },
};

class LocalApic : public PcTree
{
  protected:
    Processor processors[3] = {};
    x86_intr *apics[3] = {};

    void SetUp() override
    {
        static const char *const names[] = {"apic0", "apic1", "apic2"};

        PcTree::SetUp();
        for (uint32_t i = 0; i < 3; i++) {
            sim_object *apic = add_device(x86_local_apic_type, names[i]);

            set(apic, "pio_latency", 100 * NS);
            x86_state_reset(&processors[i].state);
            processors[i].base.ops = &Processor::ops;
            processors[i].base.state = &processors[i].state;
            apics[i] = x86_intr_of(apic);
            apics[i]->cpu = &processors[i].base;
            apics[i]->id = i;
        }
        start();
        for (auto *apic : apics)
            apic->ops->write(apic, SVR, 0x1ff);
    }
    uint32_t get(unsigned reg, unsigned cpu_id = 0)
    {
        return apics[cpu_id]->ops->read(apics[cpu_id], reg);
    }
    void put(unsigned reg, uint32_t value, unsigned cpu_id = 0)
    {
        apics[cpu_id]->ops->write(apics[cpu_id], reg, value);
    }
    int pending(unsigned cpu_id = 0)
    {
        return apics[cpu_id]->ops->pending(apics[cpu_id]);
    }
    // Take the interrupt that is pending.
    int take(unsigned cpu_id = 0)
    {
        int vector = pending(cpu_id);

        if (vector >= 0)
            apics[cpu_id]->ops->acknowledge(apics[cpu_id],
                                            static_cast<uint8_t>(vector));
        return vector;
    }
    bool get_msr(uint32_t index, uint64_t *value)
    {
        return apics[0]->ops->msr_read(apics[0], index, value);
    }
    bool put_msr(uint32_t index, uint64_t value)
    {
        return apics[0]->ops->msr_write(apics[0], index, value);
    }
    void run(tick_t ticks)
    {
        (void)sim_simulate(sim, ticks);
    }
    void enter_x2()
    {
        for (auto &processor : processors)
            processor.state.apic_base |= 1 << 10;
    }
};

TEST_F(LocalApic, HasThePageOfItsNumberOnTheBus)
{
    EXPECT_EQ(read(UINT64_C(0x2000000000000030), 4), 0x50014u);
    EXPECT_EQ(read(UINT64_C(0x2000000000001020), 4), 1u << 24);
}

TEST_F(LocalApic, ServesTheHighestVectorFirst)
{
    put(ICR, 0x40041);
    put(ICR, 0x40052);
    put(ICR, 0x40051);
    EXPECT_GE(processors[0].pokes, 3u);
    EXPECT_EQ(take(), 0x52);
    EXPECT_EQ(pending(), -1); // 0x51 is of the same class
    put(EOI, 0);
    EXPECT_EQ(take(), 0x51);
    put(EOI, 0);
    EXPECT_EQ(take(), 0x41);
    put(EOI, 0);
    put(EOI, 0); // one too many
    EXPECT_EQ(pending(), -1);
}

TEST_F(LocalApic, SharesTheTaskPriorityWithCr8)
{
    put(TPR, 0x57);
    EXPECT_EQ(processors[0].state.cr8, 5u);
    put(ICR, 0x4005f);
    EXPECT_EQ(pending(), -1);
    EXPECT_EQ(get(PPR), 0x57u);
    processors[0].state.cr8 = 4;
    EXPECT_EQ(get(TPR), 0x40u);
    EXPECT_EQ(take(), 0x5f);
    EXPECT_EQ(get(PPR), 0x50u);
}

TEST_F(LocalApic, SendsToWhomTheMessageAddresses)
{
    struct Case {
        uint32_t high, low;
        unsigned takers; // bit per processor
    };
    static const Case cases[] = {
        {1u << 24,    0x80,                     2},
        {0xffu << 24, 0x80,                     7},
        {7u << 24,    0x80,                     0},
        {0,           0x80 | 1 << 18,           1}, // itself
        {0,           0x80 | 2 << 18,           7}, // all
        {0,           0x80 | 3 << 18,           6}, // all others
        {6u << 24,    0x80 | 1 << 11,           6}, // logical
        {6u << 24,    0x80 | 1 << 11 | 1u << 8, 2}, // lowest priority
    };

    for (unsigned i = 0; i < 3; i++)
        put(LDR, 1u << (24 + i), i);
    put(TPR, 0x10, 2);
    for (const Case &c : cases) {
        unsigned takers = 0;

        put(ICR_HIGH, c.high);
        put(ICR, c.low);
        for (unsigned i = 0; i < 3; i++) {
            if (take(i) == 0x80)
                takers |= 1u << i;
            put(EOI, 0, i);
        }
        EXPECT_EQ(takers, c.takers) << std::hex << c.low;
    }
}

TEST_F(LocalApic, FormsClusters)
{
    for (unsigned i = 0; i < 3; i++)
        put(DFR, 0, i);
    put(LDR, 0x11u << 24, 0);
    put(LDR, 0x12u << 24, 1);
    put(LDR, 0x21u << 24, 2);
    put(ICR_HIGH, 0x13u << 24);
    put(ICR, 0x80 | 1 << 11);
    EXPECT_EQ(take(0), 0x80);
    EXPECT_EQ(take(1), 0x80);
    EXPECT_EQ(take(2), -1);
}

TEST_F(LocalApic, StartsProcessors)
{
    put(TPR, 0x50, 1);
    put(ICR_HIGH, 1u << 24);
    put(ICR, 0x4500);
    EXPECT_EQ(processors[1].inits, 1u);
    EXPECT_EQ(get(SVR, 1), 0xffu); // INIT resets the APIC
    put(ICR, 0x8500);              // de-assert: nothing
    EXPECT_EQ(processors[1].inits, 1u);
    put(ICR, 0x4608);
    EXPECT_EQ(processors[1].starts, std::vector<int>{8});
    put(ICR, 0x4400);
    EXPECT_EQ(processors[1].nmis, 1u);
}

TEST_F(LocalApic, CountsDown)
{
    put(DIVIDE, 0); // by 2; the clock has 1 ns
    put(LVT_TIMER, 0x70);
    put(INITIAL, 100);
    run(60 * NS);
    EXPECT_EQ(get(CURRENT), 70u);
    EXPECT_EQ(pending(), -1);
    run(140 * NS);
    EXPECT_EQ(take(), 0x70);
    EXPECT_EQ(get(CURRENT), 0u);
    put(EOI, 0);
    run(1000 * NS);
    EXPECT_EQ(pending(), -1);
}

TEST_F(LocalApic, RepeatsItsCount)
{
    put(DIVIDE, 0xb); // by 1
    put(LVT_TIMER, 0x20070);
    put(INITIAL, 100);
    for (int i = 0; i < 3; i++) {
        run(100 * NS);
        EXPECT_EQ(take(), 0x70) << i;
        put(EOI, 0);
    }
    put(INITIAL, 0);
    run(1000 * NS);
    EXPECT_EQ(pending(), -1);
}

TEST_F(LocalApic, MeetsADeadline)
{
    EXPECT_TRUE(put_msr(0x6e0, 500));
    EXPECT_EQ(processors[0].state.msr[X86_MSR_TSC_DEADLINE], 0u); // not now
    put(LVT_TIMER, 0x40070);
    EXPECT_TRUE(put_msr(0x6e0, 500));
    EXPECT_EQ(processors[0].state.msr[X86_MSR_TSC_DEADLINE], 500u);
    run(499 * NS);
    EXPECT_EQ(pending(), -1);
    run(2 * NS);
    EXPECT_EQ(take(), 0x70);
    EXPECT_EQ(processors[0].state.msr[X86_MSR_TSC_DEADLINE], 0u);
    put(EOI, 0);
    EXPECT_TRUE(put_msr(0x6e0, 800));
    put(LVT_TIMER, 0x70); // another mode disarms
    run(1000 * NS);
    EXPECT_EQ(pending(), -1);
}

TEST_F(LocalApic, MasksEverythingWhileItIsDisabled)
{
    put(LVT_TIMER, 0x70);
    put(ICR, 0x40080);
    put(SVR, 0xff);
    EXPECT_EQ(get(LVT_TIMER), 0x10070u);
    put(LVT_TIMER, 0x70);
    EXPECT_EQ(get(LVT_TIMER), 0x10070u);
    EXPECT_EQ(pending(), -1);
    put(SVR, 0x1ff);
    EXPECT_EQ(take(), 0x80); // requests survive
}

TEST_F(LocalApic, ReportsErrors)
{
    put(LVT_ERROR, 0x33);
    put(ICR, 0x40005);
    EXPECT_EQ(get(ESR), 0u);
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0x20u);
    EXPECT_EQ(take(), 0x33);
    put(EOI, 0);
    (void)get(1); // reserved
    put(ESR, 0);
    EXPECT_EQ(get(ESR), 0x80u);
}

TEST_F(LocalApic, TakesExternalVectorsWithoutPriority)
{
    x86_intr_msg msg = {};

    msg.mode = X86_INTR_EXTERNAL;
    msg.vector = 8;
    put(SVR, 0xff);
    EXPECT_EQ(x86_intr_send(system, &msg), 1u);
    EXPECT_EQ(take(), 8);
    EXPECT_EQ(pending(), -1);
}

TEST_F(LocalApic, HasRegistersAsMsrs)
{
    uint64_t value;

    EXPECT_FALSE(get_msr(0x802, &value)); // not in xAPIC mode
    enter_x2();
    EXPECT_TRUE(get_msr(0x802, &value));
    EXPECT_EQ(value, 0u);
    EXPECT_TRUE(get_msr(0x80d, &value));
    EXPECT_EQ(value, 1u);
    EXPECT_FALSE(get_msr(0x80e, &value)); // there is no DFR
    EXPECT_FALSE(put_msr(0x80d, 1));
    EXPECT_FALSE(put_msr(0x808, 0x100));
    EXPECT_FALSE(put_msr(0x80b, 1));
    EXPECT_FALSE(put_msr(0x840, 0));
    EXPECT_TRUE(put_msr(0x83f, 0x91));
    EXPECT_EQ(take(), 0x91);
    EXPECT_TRUE(put_msr(0x80b, 0));
    EXPECT_TRUE(put_msr(0x830, UINT64_C(2) << 32 | 0x92));
    EXPECT_EQ(take(2), 0x92);
    EXPECT_TRUE(put_msr(0x830, UINT64_C(6) << 32 | 0x93 | 1 << 11));
    EXPECT_EQ(take(1), 0x93); // members 1 and 2 of cluster 0
    EXPECT_TRUE(get_msr(0x830, &value));
    EXPECT_EQ(value, UINT64_C(6) << 32 | 0x93 | 1 << 11);
}

} // namespace
