// SPDX-License-Identifier: BSD-3-Clause
#include "mem/mem_tree.h"

#include <cstring>

extern "C" {
extern const struct sim_type x86_local_apic_type;
}

class LocalApic : public MemTree
{
  protected:
    sim_object *bus = nullptr;

    void SetUp() override
    {
        MemTree::SetUp();
        bus = add(system_xbar_type, system, "bus");
        set(bus, "width", 16);
    }
    sim_object *add_apic(const char *name)
    {
        sim_object *apic = add(x86_local_apic_type, system, name);

        set(apic, "pio_latency", 100 * NS);
        bind(bus, "mem_side_ports", apic, "pio");
        return apic;
    }
};

TEST_F(LocalApic, EachHasThePageOfItsNumber)
{
    toy_requestor *cpu = add_requestor("cpu", bus, "cpu_side_ports");

    add_apic("apic0");
    add_apic("apic1");
    start();
    access(cpu, request(UINT64_C(0x2000000000001020), MEM_READ, 4), 0);
    EXPECT_EQ(messages, "unimplemented: system.apic1: access to a register of "
                        "the local APIC at offset 0x20\n");
}

TEST_F(LocalApic, AReadGivesZeroAndIsReportedOnce)
{
    toy_requestor *cpu = add_requestor("cpu", bus, "cpu_side_ports");
    uint32_t value = 0xffffffff;
    mem_req req = request(UINT64_C(0x2000000000000030), MEM_READ, 4);

    add_apic("apic");
    start();
    req.data = &value;
    access(cpu, req, 0);
    access(cpu, req, 0);
    EXPECT_EQ(value, 0u);
    EXPECT_EQ(messages, "unimplemented: system.apic: access to a register of "
                        "the local APIC at offset 0x30\n");
}
