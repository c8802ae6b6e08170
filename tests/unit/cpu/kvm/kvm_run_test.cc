/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of each way in which KVM_RUN returns. */
#include <cinttypes>
#include <string>

#include "kvm_tree.hh"

namespace
{

class KvmRun : public KvmTree
{
  protected:
    void SetUp() override
    {
        KvmTree::SetUp();
        cpu = add_cpu();
    }
    /* A failure that ends the run: told once, with the state. */
    void expect_dump(const std::string &cause)
    {
        EXPECT_NE(messages.find("warn: cpu0: " + cause + ": exit reason"),
                  std::string::npos)
            << messages;
        EXPECT_NE(messages.find("rip 0x"), std::string::npos) << messages;
    }
    struct kvm_cpu *cpu = nullptr;
};

TEST_F(KvmRun, HltEndsTheTurnAndNothingIsLeftToDo)
{
    start();
    EXPECT_EQ(run(), NOTHING);
    EXPECT_EQ(state(cpu)->mp_state, X86_HALTED) << messages;
    EXPECT_EQ(cpu->num_exits, 1u);
    EXPECT_EQ(cpu->num_halts, 1u);
}

} // namespace
