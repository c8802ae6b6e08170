// SPDX-License-Identifier: BSD-3-Clause
// A bus with devices, reached by one requestor.
#ifndef TESTS_UNIT_DEV_PC_TREE_H
#define TESTS_UNIT_DEV_PC_TREE_H

#include "dev/pio_device.h"
#include "mem/mem_tree.h"

class PcTree : public MemTree
{
  protected:
    sim_object *bus = nullptr;
    toy_requestor *cpu = nullptr;

    void SetUp() override
    {
        MemTree::SetUp();
        bus = add(system_xbar_type, system, "bus");
        set(bus, "width", 16);
        cpu = add_requestor("cpu", bus, "cpu_side_ports");
    }
    sim_object *add_device(const sim_type &type, const char *name)
    {
        sim_object *device = add(type, system, name);

        bind(bus, "mem_side_ports", device, "pio");
        return device;
    }

    uint64_t read(uint64_t addr, uint32_t size = 1)
    {
        uint64_t value = 0;
        mem_req req = request(addr, MEM_READ, size);

        req.data = &value;
        access(cpu, req, sim_now(sim));
        return value;
    }
    void write(uint64_t addr, uint64_t value, uint32_t size = 1)
    {
        mem_req req = request(addr, MEM_WRITE, size);

        req.data = &value;
        access(cpu, req, sim_now(sim));
    }
    uint64_t in(uint16_t port, uint32_t size = 1)
    {
        return read(PIO_PORT_BASE | port, size);
    }
    void out(uint16_t port, uint64_t value, uint32_t size = 1)
    {
        write(PIO_PORT_BASE | port, value, size);
    }
};

#endif
