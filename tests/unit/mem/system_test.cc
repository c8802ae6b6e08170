// SPDX-License-Identifier: BSD-3-Clause
#include "mem_tree.h"

#include "mem/physmem.h"

class SystemObject : public MemTree
{
  protected:
    struct system *sys()
    {
        return reinterpret_cast<struct system *>(system);
    }
};

TEST_F(SystemObject, RamExistsAfterInit)
{
    add_ram("mem", 0, 4 * MIB);
    sim_init(sim);
    EXPECT_EQ(physmem_total_size(sys()->physmem), 4 * MIB);
}

TEST_F(SystemObject, IsFoundFromBelow)
{
    sim_object *mem = add_ram("mem", 0, MIB);

    EXPECT_EQ(system_of(mem), sys());
    EXPECT_EQ(system_of(system), sys());
    std::string text = fatal_text([this] { system_of(root); });
    EXPECT_NE(text.find("is not below a System"), std::string::npos) << text;
}

TEST_F(SystemObject, NumbersRequestorsAndNamesThemByTheirPathBelow)
{
    sim_object *mem = add_ram("mem", 0, MIB);

    sim_init(sim);
    EXPECT_EQ(system_add_requestor(sys(), mem, nullptr), 1);
    EXPECT_EQ(system_add_requestor(sys(), mem, "data"), 2);
    EXPECT_EQ(system_num_requestors(sys()), 3u);
    EXPECT_STREQ(system_requestor_names(sys())[0], "system.functional");
    EXPECT_STREQ(system_requestor_names(sys())[1], "mem");
    EXPECT_STREQ(system_requestor_names(sys())[2], "mem.data");
}

TEST_F(SystemObject, ASharedBackstoreIsRefusedWithTheReason)
{
    set_string(system, "shared_backstore", "ram");
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("cannot be shared"), std::string::npos) << text;
    EXPECT_NE(text.find("run.py:1"), std::string::npos) << text;
}

TEST_F(SystemObject, TheInvalidMemoryModeIsRefused)
{
    set(system, "mem_mode", MEM_MODE_INVALID);
    std::string text = fatal_text([this] { sim_init(sim); });
    EXPECT_NE(text.find("'timing'"), std::string::npos) << text;
}

TEST_F(SystemObject, TheMemoryModeMayChangeWhileItRuns)
{
    sim_init(sim);
    EXPECT_TRUE(system_is_timing(sys()));
    set(system, "mem_mode", MEM_MODE_ATOMIC);
    EXPECT_FALSE(system_is_timing(sys()));
}

TEST_F(SystemObject, TheWindowOfPseudoOperationsLiesOutsideRam)
{
    set(system, "m5ops_base", 0xffff0000);
    add_ram("mem", 0, MIB);
    sim_init(sim);
    EXPECT_EQ(sys()->pseudo_window, 0xffff0000u);
    EXPECT_EQ(system_pseudo_op_at(sys(), {0xffff2104}), 0x21);
    EXPECT_EQ(system_pseudo_op_at(sys(), {0xfffeffff}), -1);
    EXPECT_EQ(system_pseudo_op_at(sys(), {0x100000000}), -1);
}

TEST_F(SystemObject, TheWindowGivesWayToRam)
{
    set(system, "m5ops_base", 0x10000);
    add_ram("low", 0, MIB);
    add_ram("next", MIB, MIB + 0x3000);
    sim_init(sim);
    EXPECT_EQ(sys()->pseudo_window, MIB + 0x10000);
}

TEST_F(SystemObject, ThereMayBeNoWindow)
{
    set(system, "m5ops_base", 0);
    add_ram("mem", 0, MIB);
    sim_init(sim);
    EXPECT_EQ(system_pseudo_op_at(sys(), {0}), -1);
}

TEST_F(SystemObject, EachHasANumberOfItsOwn)
{
    sim_object *second = add(system_type, root, "second");
    set(second, "mem_mode", MEM_MODE_ATOMIC);
    sim_init(sim);
    EXPECT_EQ(sys()->vm_id, 0u);
    EXPECT_EQ(reinterpret_cast<struct system *>(second)->vm_id, 1u);
}
