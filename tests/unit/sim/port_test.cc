// SPDX-License-Identifier: BSD-3-Clause
#include "sim/port.h"

#include <cerrno>

#include "toy_tree.h"

class PortTest : public ToyTree
{
  protected:
    sim_object *a = nullptr, *b = nullptr;
    char why[200] = "";

    void SetUp() override
    {
        ToyTree::SetUp();
        a = add(toy_type, root, "a", "run.py:7");
        b = add(toy_type, root, "b");
    }

    int bind(const char *a_port, const char *b_port, uint32_t b_index = 0)
    {
        return sim_port_bind(a, a_port, 0, b, b_port, b_index, why);
    }
};

TEST_F(PortTest, BoundPortsKnowEachOtherAndTheirOwners)
{
    EXPECT_EQ(bind("out", "in"), 0);
    EXPECT_EQ(as_toy(a)->out.peer, &as_toy(b)->in);
    EXPECT_EQ(as_toy(b)->in.peer, &as_toy(a)->out);
    EXPECT_EQ(as_toy(b)->in.owner, b);
    EXPECT_STREQ(as_toy(b)->in.desc->name, "in");
}

TEST_F(PortTest, DeprecatedNamesWork)
{
    EXPECT_EQ(bind("master", "in"), 0);
    EXPECT_NE(as_toy(a)->out.peer, nullptr);
}

TEST_F(PortTest, EachWrongConnectionHasItsReason)
{
    EXPECT_EQ(bind("outt", "in"), -ENOENT);
    EXPECT_STREQ(why, "a (Toy) has no port 'outt'");
    EXPECT_EQ(bind("irq", "in"), -EINVAL);
    EXPECT_STREQ(why, "a.irq is a port of kind 'int', b.in of kind 'mem'");
    EXPECT_EQ(bind("out", "out"), -EINVAL);
    EXPECT_STREQ(why, "a.out and b.out are both requestors");
    EXPECT_EQ(bind("in", "many"), -EINVAL);
    EXPECT_STREQ(why, "a.in and b.many are both responders");
    EXPECT_EQ(bind("out", "in", 3), -ENOENT);
    EXPECT_EQ(bind("out", "in"), 0);
    EXPECT_EQ(bind("maybe", "in"), -EBUSY);
    EXPECT_STREQ(why, "b.in is already connected to a.out");
    EXPECT_EQ(as_toy(a)->maybe.peer, nullptr);
}

TEST_F(PortTest, AVectorGrowsAndKeepsItsAddresses)
{
    ASSERT_EQ(bind("out", "many", SIM_PORT_APPEND), 0);
    sim_port *first = sim_port_get(b, "many", 0);

    for (int i = 0; i < 100; i++) {
        sim_object *t = add(toy_type, root, ("t" + std::to_string(i)).c_str());
        ASSERT_EQ(sim_port_bind(t, "out", 0, b, "many", SIM_PORT_APPEND, why),
                  0);
    }
    EXPECT_EQ(as_toy(b)->many.len, 101u);
    EXPECT_EQ(sim_port_get(b, "many", 0), first);
    EXPECT_EQ(first->peer, &as_toy(a)->out);
    EXPECT_EQ(sim_port_get(b, "many", 100)->index, 100u);
    EXPECT_EQ(sim_port_get(b, "many", 101), nullptr);
}

TEST_F(PortTest, AnIndexInsideAVectorIsTheElement)
{
    ASSERT_EQ(bind("out", "many", 2), 0);
    EXPECT_EQ(as_toy(b)->many.len, 3u);
    EXPECT_EQ(sim_port_get(b, "many", 0)->peer, nullptr);
    EXPECT_EQ(sim_port_get(b, "many", 2)->peer, &as_toy(a)->out);
    EXPECT_EQ(bind("maybe", "many", 2), -EBUSY);
}

TEST_F(PortTest, AFailedBindingChangesNothing)
{
    ASSERT_EQ(bind("out", "in"), 0);
    EXPECT_EQ(bind("out", "many", SIM_PORT_APPEND), -EBUSY);
    EXPECT_EQ(as_toy(b)->many.len, 0u);
}

TEST_F(PortTest, ARequiredPortThatIsOpenIsFatal)
{
    EXPECT_EQ(fatal_text([&] { sim_port_check(a); }),
              "a: port 'out' is not connected (Where it asks)\n"
              "  created at run.py:7");
    ASSERT_EQ(bind("out", "in"), 0);
    ASSERT_EQ(sim_port_bind(b, "out", 0, a, "in", 0, why), 0);
    EXPECT_EQ(fatal_text([&] { sim_port_check(a); }), "");
}

TEST_F(PortTest, AGapInAVectorIsFatal)
{
    ASSERT_EQ(bind("out", "many", 1), 0);
    ASSERT_EQ(sim_port_bind(b, "out", 0, b, "in", 0, why), 0);
    EXPECT_EQ(fatal_text([&] { sim_port_check(b); }),
              "b: port 'many[0]' is not connected (Where many ask)");
}
