// SPDX-License-Identifier: BSD-3-Clause
#include "sim/workload.h"

#include "toy_tree.h"

using WorkloadTest = ToyTree;

TEST_F(WorkloadTest, AStubIsAWorkloadThatCanBeBuilt)
{
    sim_object *stub = add(stub_workload_type, root, "workload");

    EXPECT_TRUE(sim_object_is_a(stub, &workload_type));
    EXPECT_TRUE(workload_type.is_abstract);
}
