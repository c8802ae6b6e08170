// SPDX-License-Identifier: BSD-3-Clause
#include "arch/x86/state_ckpt.h"

#include "../../sim/ckpt_tree.h"
#include "arch/x86/state.h"

namespace
{

// An object whose state is that of a processor.
struct Holder {
    sim_object base;
    x86_state state;
};

void save_holder(const sim_object *obj, ckpt_writer *w)
{
    ckpt_subsection(w, "core");
    x86_state_save(&reinterpret_cast<const Holder *>(obj)->state, w);
}

int load_holder(sim_object *obj, ckpt_reader *r)
{
    ckpt_enter_subsection(r, "core");
    return x86_state_load(&reinterpret_cast<Holder *>(obj)->state, r);
}

sim_ops make_ops()
{
    sim_ops ops = {};

    ops.save = save_holder;
    ops.load = load_holder;
    return ops;
}

const sim_ops holder_ops = make_ops();

sim_type make_type()
{
    sim_type type = {};

    type.name = "Holder";
    type.doc = "Holds the state of a processor";
    type.base = &sim_object_type;
    type.size = sizeof(Holder);
    type.ops = &holder_ops;
    return type;
}

const sim_type holder_type = make_type();

class StateCkpt : public CkptDir
{
  protected:
    static x86_state *add(CkptSim &tree)
    {
        return &reinterpret_cast<Holder *>(
                    tree.add(holder_type, tree.root, "holder"))
                    ->state;
    }
    // Members one by one: what lies between them is nobody's.
    void fill(x86_state *state, std::mt19937_64 &random)
    {
        auto any = [&](auto &member) {
            member = static_cast<std::decay_t<decltype(member)>>(random());
        };

        for (auto &reg : state->gpr)
            any(reg);
        any(state->rip);
        any(state->rflags);
        for (auto &seg : state->seg)
            fill(&seg, any);
        fill(&state->ldtr, any);
        fill(&state->tr, any);
        any(state->gdtr.base);
        any(state->gdtr.limit);
        any(state->idtr.base);
        any(state->idtr.limit);
        for (uint64_t *reg :
             {&state->cr0, &state->cr2, &state->cr3, &state->cr4, &state->cr8,
              &state->efer, &state->apic_base, &state->xcr0,
              &state->tsc_offset})
            any(*reg);
        for (auto &entry : state->pdpte)
            any(entry);
        for (auto &reg : state->dr)
            any(reg);
        for (auto &msr : state->msr)
            any(msr);
        fill(&state->events, any);
        state->mp_state = random() % (X86_HALTED + 1);
        for (auto &byte : state->xsave)
            any(byte);
        state->xsave[26] = state->xsave[27] = 0; // MXCSR has 16 bits
    }
    template <typename Any> static void fill(x86_seg *seg, Any any)
    {
        any(seg->base);
        any(seg->limit);
        any(seg->selector);
        for (uint8_t *part :
             {&seg->type, &seg->s, &seg->dpl, &seg->present, &seg->avl, &seg->l,
              &seg->db, &seg->g, &seg->unusable})
            any(*part);
    }
    template <typename Any> static void fill(x86_events *events, Any any)
    {
        for (uint8_t *part :
             {&events->exception_vector, &events->exception_injected,
              &events->exception_has_error, &events->nmi_injected,
              &events->nmi_pending, &events->nmi_masked,
              &events->interrupt_injected, &events->interrupt_vector,
              &events->interrupt_soft, &events->shadow, &events->smi_pending})
            any(*part);
        any(events->exception_error);
        any(events->exception_payload);
    }
    // What loading the text with one replacement says.
    std::string edited(const std::string &from, const std::string &to)
    {
        CkptSim fresh;
        std::string text = body();
        size_t at = text.find(from);

        add(fresh);
        EXPECT_NE(at, std::string::npos);
        text.replace(at, from.size(), to);
        write(path() + "/m5.cpt", sealed(text));
        return load(fresh) ? why : "loaded";
    }
};

TEST_F(StateCkpt, EveryBitComesBack)
{
    std::mt19937_64 random(1);

    for (int i = 0; i < 20; i++) {
        CkptSim saved, fresh;
        x86_state *before = add(saved), *after = add(fresh);

        fill(before, random);
        ASSERT_EQ(save(saved), 0) << why;
        ASSERT_EQ(load(fresh), 0) << why;
        // Whole objects: both were zero between the members.
        ASSERT_EQ(memcmp(before, after, sizeof(*before)), 0);
    }
}

TEST_F(StateCkpt, NonsenseIsRefusedWithItsKey)
{
    CkptSim saved;

    add(saved);
    ASSERT_EQ(save(saved), 0) << why;
    const std::string es = "es=0 0 0 0 0 0 0 0 0 0 0 0";
    EXPECT_EQ(edited(es, "es=0 0 0 0 0 0 0 0 0 0 0"),
              "section [holder.core], key es: has too few values");
    ASSERT_EQ(save(saved), 0) << why;
    EXPECT_EQ(edited(es, es + " 0"),
              "section [holder.core], key es: has too many values");
    ASSERT_EQ(save(saved), 0) << why;
    EXPECT_EQ(edited(es, "es=65536 0 0 0 0 0 0 0 0 0 0 0"),
              "section [holder.core], key es: \"65536\" is not in the range of "
              "its type");
    ASSERT_EQ(save(saved), 0) << why;
    EXPECT_EQ(edited("mp_state=0", "mp_state=4"),
              "section [holder.core]: there is no mp_state 4");
    ASSERT_EQ(save(saved), 0) << why;
    EXPECT_EQ(edited("xsave=0x" + std::string(56, '0'),
                     "xsave=0x" + std::string(56, 'f')),
              "section [holder.core]: MXCSR has reserved bits");
}

} // namespace
