/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <map>
#include <set>
#include <string>

#include "base/rng.h"
#include "cpu/kvm/kvm_probe_vm.h"
#include "fake_kvm.hh"

namespace
{

x86_seg flat(uint16_t selector, uint8_t type, bool is_code)
{
    x86_seg seg = {};
    seg.limit = 0xffffffff;
    seg.selector = selector;
    seg.type = type;
    seg.s = seg.present = seg.g = 1;
    seg.dpl = 3;
    seg.l = is_code;
    seg.db = !is_code;
    return seg;
}

/* [SDM] Vol. 3A, "Memory Type Range Registers (MTRRs)". */
void draw_mtrrs(rng *rng, x86_state *state)
{
    static const uint8_t types[] = {0, 1, 4, 5, 6};
    auto type = [&] { return uint64_t{types[rng_below(rng, 5)]}; };
    auto pages = [&] { return rng_below(rng, UINT64_C(1) << 24) << 12; };

    state->msr[X86_MSR_MTRR_DEF_TYPE] = (rng_below(rng, 4) << 10) | type();
    for (int i = 0; i < 11; i++)
        for (int byte = 0; byte < 8; byte++)
            state->msr[X86_MSR_MTRR_FIXED + i] |= type() << (8 * byte);
    for (int i = 0; i < 16; i += 2) {
        state->msr[X86_MSR_MTRR_VAR + i] = pages() | type();
        state->msr[X86_MSR_MTRR_VAR + i + 1] = pages() | rng_below(rng, 2)
                                                             << 11;
    }
}

/* A program's state in 64-bit mode, with all else drawn. */
x86_state draw(rng *rng)
{
    x86_state state;
    x86_state_reset(&state);
    auto user = [&] { return rng_below(rng, UINT64_C(1) << 46); };
    for (auto &gpr : state.gpr)
        gpr = rng_u64(rng);
    state.rip = user();
    state.rflags = 2 | (rng_u64(rng) & X86_ARITH_FLAGS);
    for (auto &seg : state.seg)
        seg = flat(0x2b, 3, false);
    state.seg[X86_CS] = flat(0x33, 11, true);
    state.seg[X86_FS].base = user();
    state.seg[X86_GS].base = user();
    state.tr.limit = 0xfff;
    state.tr.selector = 0x38;
    state.gdtr = {user(), 0x47};
    state.idtr = {user(), 0xfff};
    state.cr0 = 0x80050033;
    state.cr2 = rng_u64(rng);
    state.cr3 = 0x4000;
    state.cr4 = 0x40620;
    state.cr8 = rng_below(rng, 16);
    state.efer = 0xd01;
    state.xcr0 = 7;
    for (int i = 0; i < 4; i++)
        state.dr[i] = user();
    state.dr[6] |= rng_below(rng, 16);
    for (int slot : {X86_MSR_LSTAR, X86_MSR_CSTAR, X86_MSR_KERNEL_GS_BASE,
                     X86_MSR_SYSENTER_ESP, X86_MSR_SYSENTER_EIP})
        state.msr[slot] = user();
    state.msr[X86_MSR_STAR] = rng_u64(rng);
    state.msr[X86_MSR_SFMASK] = rng_below(rng, UINT64_C(1) << 22);
    draw_mtrrs(rng, &state);
    state.events.nmi_masked = 0;
    state.xsave[512] = 7;
    state.xsave[0] = 0x7f;
    state.xsave[1] = 0x03;
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 10; j++)
            state.xsave[32 + 16 * i + j] = static_cast<uint8_t>(rng_u64(rng));
    for (int i = 160; i < 416; i++)
        state.xsave[i] = static_cast<uint8_t>(rng_u64(rng));
    for (int i = X86_XSAVE_YMM; i < X86_XSAVE_YMM + 256; i++)
        state.xsave[i] = static_cast<uint8_t>(rng_u64(rng));
    return state;
}

/* [SDM] Vol. 1, "XSAVE-Managed State Components": what @xcr0 has beyond AVX. */
void draw_wide(rng *rng, uint64_t xcr0, x86_state *state)
{
    auto fill = [&](unsigned offset, unsigned size) {
        for (unsigned i = offset; i < offset + size; i++)
            state->xsave[i] = static_cast<uint8_t>(rng_u64(rng));
    };

    state->xcr0 = xcr0;
    memcpy(state->xsave + 512, &xcr0, sizeof(xcr0));
    if (xcr0 & 0xe0) {
        fill(X86_XSAVE_OPMASK, 64);
        fill(X86_XSAVE_ZMM_HI, 512);
        fill(X86_XSAVE_HI16_ZMM, 1024);
    }
    if (xcr0 & 0x200)
        fill(X86_XSAVE_PKRU, 4);
}

/* Segments that only some modes or programs have: 16 bits, expand-down, null,
 * the limits of bytes. */
void draw_segments(rng *rng, x86_state *state)
{
    for (int i : {X86_DS, X86_ES, X86_FS, X86_GS}) {
        x86_seg &seg = state->seg[i];
        seg.selector = static_cast<uint16_t>(rng_below(rng, 1 << 13) << 3 | 3);
        seg.type = static_cast<uint8_t>(rng_below(rng, 4) << 1 | 1);
        seg.db = rng_below(rng, 2) != 0;
        seg.g = rng_below(rng, 2) != 0;
        if (!seg.g)
            seg.limit = static_cast<uint32_t>(rng_below(rng, 1 << 20));
    }
    state->ldtr.selector = 0x40;
    state->ldtr.base = rng_below(rng, UINT64_C(1) << 46);
    state->ldtr.limit = static_cast<uint32_t>(rng_below(rng, 1 << 16));
}

/* What is on its way; none of it is delivered, for nothing runs. */
void draw_events(rng *rng, x86_state *state)
{
    switch (rng_below(rng, 4)) {
    case 0:
        state->events.interrupt_injected = 1;
        state->events.interrupt_vector =
            static_cast<uint8_t>(32 + rng_below(rng, 224));
        break;
    case 1:
        state->events.nmi_masked = 1;
        break;
    case 2:
        state->events.shadow = 1;
        break;
    default:
        break;
    }
}

void expect_same(const kvm_state_io &io, const x86_state &a, const x86_state &b)
{
    EXPECT_EQ(memcmp(a.gpr, b.gpr, sizeof(a.gpr)), 0);
    EXPECT_EQ(a.rip, b.rip);
    EXPECT_EQ(a.rflags, b.rflags);
    EXPECT_EQ(memcmp(a.seg, b.seg, sizeof(a.seg)), 0);
    EXPECT_EQ(memcmp(&a.tr, &b.tr, sizeof(a.tr)), 0);
    EXPECT_EQ(a.gdtr.base, b.gdtr.base);
    EXPECT_EQ(a.idtr.limit, b.idtr.limit);
    EXPECT_EQ(a.cr0, b.cr0);
    EXPECT_EQ(a.cr2, b.cr2);
    EXPECT_EQ(a.cr3, b.cr3);
    EXPECT_EQ(a.cr4, b.cr4);
    EXPECT_EQ(a.cr8, b.cr8);
    EXPECT_EQ(a.efer, b.efer);
    EXPECT_EQ(a.xcr0, b.xcr0);
    EXPECT_EQ(memcmp(a.dr, b.dr, sizeof(a.dr)), 0);
    for (int i = 0; i < X86_NUM_MSR_SLOTS; i++)
        if (kvm_state_has_msr(&io, static_cast<x86_msr_slot>(i))) {
            EXPECT_EQ(a.msr[i], b.msr[i]) << "slot " << i;
        }
    EXPECT_EQ(memcmp(a.xsave, b.xsave, 24), 0);
    EXPECT_EQ(memcmp(a.xsave + 32, b.xsave + 32, 384), 0);
    EXPECT_EQ(memcmp(a.xsave + 512, b.xsave + 512, 8), 0);
    EXPECT_EQ(memcmp(a.xsave + 576, b.xsave + 576, 256), 0);
    EXPECT_EQ(memcmp(&a.events, &b.events, sizeof(a.events)), 0);
    EXPECT_EQ(a.mp_state, b.mp_state);
}

/* A kernel that keeps what it is given. */
struct KvmState : testing::Test {
    template <typename T> void keep(unsigned long set, unsigned long get)
    {
        fake.on(set, [this, get](int, void *arg) {
            kept[get].assign(static_cast<char *>(arg), sizeof(T));
            return 0;
        });
        fake.on(get, [this, get](int, void *arg) {
            memcpy(arg, kept[get].data(), kept[get].size());
            return 0;
        });
    }
    void SetUp() override
    {
        keep<kvm_regs>(KVM_SET_REGS, KVM_GET_REGS);
        keep<kvm_sregs>(KVM_SET_SREGS, KVM_GET_SREGS);
        keep<kvm_sregs2>(KVM_SET_SREGS2, KVM_GET_SREGS2);
        keep<kvm_xcrs>(KVM_SET_XCRS, KVM_GET_XCRS);
        keep<kvm_xsave>(KVM_SET_XSAVE, KVM_GET_XSAVE2);
        keep<kvm_debugregs>(KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS);
        keep<kvm_vcpu_events>(KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS);
        keep<kvm_mp_state>(KVM_SET_MP_STATE, KVM_GET_MP_STATE);
        fake.on(KVM_SET_MSRS, [this](int, void *arg) { return msr(arg, 1); });
        fake.on(KVM_GET_MSRS, [this](int, void *arg) { return msr(arg, 0); });
        fake.on(KVM_SET_DEVICE_ATTR, [this](int, void *arg) {
            uint64_t *value = tsc_offset_of(arg);
            if (value && keeps_offset)
                offset = *value;
            return value ? 0 : -ENXIO;
        });
        fake.on(KVM_GET_DEVICE_ATTR, [this](int, void *arg) {
            uint64_t *value = tsc_offset_of(arg);
            if (value)
                *value = offset;
            return value ? 0 : -ENXIO;
        });
        fake.caps[KVM_CAP_SYNC_REGS] = 7;
    }
    static uint64_t *tsc_offset_of(void *arg)
    {
        auto *attr = static_cast<kvm_device_attr *>(arg);
        bool is_it = attr->group == KVM_VCPU_TSC_CTRL &&
                     attr->attr == KVM_VCPU_TSC_OFFSET;
        return is_it ? reinterpret_cast<uint64_t *>(attr->addr) : nullptr;
    }
    int msr(void *arg, int is_set)
    {
        auto *list = static_cast<kvm_msrs *>(arg);
        for (uint32_t i = 0; i < list->nmsrs; i++) {
            auto &entry = list->entries[i];
            if (entry.index == refused)
                return static_cast<int>(i);
            if (!is_set)
                entry.data = msrs[entry.index];
            else if (!forgotten.count(entry.index))
                msrs[entry.index] = entry.data;
        }
        return static_cast<int>(list->nmsrs);
    }
    void open()
    {
        kvm_host_cfg cfg = fake.cfg();
        ASSERT_EQ(kvm_host_open(&cfg, &host, why), 0);
        ASSERT_EQ(kvm_state_init(&io, host, 5), 0);
    }
    void TearDown() override
    {
        kvm_state_fini(&io);
        kvm_host_close(host);
    }

    FakeKvm fake;
    std::map<unsigned long, std::string> kept;
    std::map<uint32_t, uint64_t> msrs;
    uint32_t refused = 0;
    std::set<uint32_t> forgotten; /* taken, and not kept */
    uint64_t offset = 0;          /* of the TSC */
    bool keeps_offset = true;
    kvm_host *host = nullptr;
    kvm_state_io io = {};
    char why[KVM_HOST_WHY_SIZE];
};

TEST_F(KvmState, CarriesEveryGroupBothWays)
{
    open();
    rng rng;
    rng_seed(&rng, 1);
    x86_state state = draw(&rng), back;
    state.mp_state = X86_HALTED;
    state.events.interrupt_injected = 1;
    state.events.interrupt_vector = 0x81;
    x86_state_reset(&back);
    EXPECT_STREQ(kvm_state_missing(&io), "");
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), 0);
    ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_ALL), 0);
    expect_same(io, state, back);
}

x86_state pae_state()
{
    x86_state state;

    x86_state_reset(&state);
    state.cr0 = 0x80000011;
    state.cr4 = 0x20;
    state.cr3 = 0x1020;
    for (int i = 0; i < X86_NUM_PDPTES; i++)
        state.pdpte[i] = 0x1000u * (i + 1) + 1;
    return state;
}

TEST_F(KvmState, CarriesThePointersOfPaePaging)
{
    fake.caps[KVM_CAP_SREGS2] = 1;
    open();
    x86_state state = pae_state(), back;
    x86_state_reset(&back);
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_SREGS), 0);
    EXPECT_EQ(fake.count(KVM_SET_SREGS2), 1);
    ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_SREGS), 0);
    EXPECT_EQ(memcmp(state.pdpte, back.pdpte, sizeof(state.pdpte)), 0);
    EXPECT_EQ(back.cr3, 0x1020u);
    auto *put =
        reinterpret_cast<const kvm_sregs2 *>(kept[KVM_GET_SREGS2].data());
    EXPECT_EQ(put->cr3, 0x1020u);
    state.efer = 0x500; // long mode has none
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_SREGS), 0);
    EXPECT_EQ(fake.count(KVM_SET_SREGS2), 1);
}

TEST_F(KvmState, LeavesThePointersToHostsThatDoNotTellThem)
{
    fake.caps[KVM_CAP_SREGS2] = 0;
    open();
    x86_state state = pae_state(), back;
    x86_state_reset(&back);
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_SREGS), 0);
    ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_SREGS), 0);
    EXPECT_EQ(fake.count(KVM_SET_SREGS2) + fake.count(KVM_GET_SREGS2), 0);
    EXPECT_EQ(kvm_state_get_pdptes(&io, back.pdpte), -ENODATA);
}

TEST_F(KvmState, TouchesOnlyTheGroupsThatAreAskedFor)
{
    open();
    x86_state state;
    x86_state_reset(&state);
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_REGS), 0);
    EXPECT_EQ(fake.count(KVM_SET_REGS), 1);
    EXPECT_EQ(fake.count(KVM_SET_SREGS), 0);
    EXPECT_EQ(fake.count(KVM_SET_XSAVE), 0);
}

TEST_F(KvmState, NamesWhatTheHostCannotCarryAndGoesOnWithout)
{
    refused = 0xc0000103;
    fake.caps[KVM_CAP_DEBUGREGS] = 0;
    open();
    x86_state state;
    x86_state_reset(&state);
    EXPECT_STREQ(kvm_state_missing(&io), "debug, MSR 0xc0000103");
    EXPECT_FALSE(kvm_state_has_msr(&io, X86_MSR_TSC_AUX));
    EXPECT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), 0);
    EXPECT_EQ(fake.count(KVM_SET_DEBUGREGS), 0);
}

TEST_F(KvmState, FindsItsRegistersInTwoRequests)
{
    open();
    EXPECT_EQ(fake.count(KVM_GET_MSRS), 1);
    EXPECT_EQ(fake.count(KVM_SET_MSRS), 1);
    for (int slot : std::initializer_list<int>{
             X86_MSR_PAT, X86_MSR_MTRR_DEF_TYPE, X86_MSR_MTRR_FIXED + 10,
             X86_MSR_MTRR_VAR + 15})
        EXPECT_TRUE(kvm_state_has_msr(&io, static_cast<x86_msr_slot>(slot)))
            << "slot " << slot;
}

/* Registers beside the refused one still go, each with its own value. */
TEST_F(KvmState, GoesOnBehindARegisterThatIsRefused)
{
    open();
    const int all = io.num_msrs;
    for (uint32_t index : {0xc0000081u, 0x176u, 0x20fu}) {
        TearDown();
        refused = index;
        open();
        rng rng;
        rng_seed(&rng, index);
        x86_state state = draw(&rng), back;
        x86_state_reset(&back);
        EXPECT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), 0);
        EXPECT_EQ(kvm_state_get(&io, &back, KVM_STATE_ALL), 0);
        expect_same(io, state, back);
        EXPECT_EQ(io.num_msrs, all - 1);
    }
}

TEST_F(KvmState, CarriesWhatOnlyMachinesUseWhereItIsKept)
{
    uint64_t lost[KVM_STATE_MAX_MSRS];
    offset = 7;
    msrs[0x1d9] = 1;
    open();
    EXPECT_TRUE(io.has_tsc_offset);
    EXPECT_EQ(offset, 7u) << "a trial is taken back";
    EXPECT_FALSE(kvm_state_has_msr(&io, X86_MSR_DEBUGCTL));
    EXPECT_EQ(kvm_state_add_machine_msrs(&io, lost), 0u);
    EXPECT_EQ(msrs[0x1d9], 1u) << "a trial is taken back";
    rng rng;
    rng_seed(&rng, 4);
    x86_state state = draw(&rng), back;
    state.msr[X86_MSR_DEBUGCTL] = 2;
    state.msr[X86_MSR_TSC_ADJUST] = 1234;
    state.tsc_offset = UINT64_C(0) - 99;
    x86_state_reset(&back);
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_MSRS), 0);
    EXPECT_EQ(offset, UINT64_C(0) - 99);
    offset -= 1; /* the guest has set its TSC */
    ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_MSRS), 0);
    EXPECT_EQ(back.msr[X86_MSR_DEBUGCTL], 2u);
    EXPECT_EQ(back.msr[X86_MSR_TSC_ADJUST], 1234u);
    EXPECT_EQ(back.tsc_offset, UINT64_C(0) - 100);
}

TEST_F(KvmState, LeavesRegistersToTheCoreThatAreTakenAndNotKept)
{
    uint64_t lost[KVM_STATE_MAX_MSRS] = {};
    forgotten = {0x1d9, 0x3b};
    keeps_offset = false;
    open();
    EXPECT_FALSE(io.has_tsc_offset);
    EXPECT_EQ(kvm_state_add_machine_msrs(&io, lost), 2u);
    EXPECT_EQ(lost[0], 0x3bu);
    EXPECT_EQ(lost[1], 0x1d9u);
    EXPECT_STREQ(kvm_state_missing(&io), "");
    x86_state state;
    x86_state_reset(&state);
    state.tsc_offset = 5;
    state.msr[X86_MSR_DEBUGCTL] = 3;
    ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_MSRS), 0);
    ASSERT_EQ(kvm_state_get(&io, &state, KVM_STATE_MSRS), 0);
    EXPECT_EQ(state.tsc_offset, 5u);
    EXPECT_EQ(state.msr[X86_MSR_DEBUGCTL], 3u);
}

TEST_F(KvmState, DoesNotKeepWhatMovesACounterThatStands)
{
    uint64_t lost[KVM_STATE_MAX_MSRS] = {};
    keeps_offset = false;
    open();
    EXPECT_EQ(kvm_state_add_machine_msrs(&io, lost), 1u);
    EXPECT_EQ(lost[0], 0x3bu);
}

TEST_F(KvmState, PassesARefusalOn)
{
    open();
    x86_state state;
    x86_state_reset(&state);
    fake.on(KVM_SET_SREGS, [](int, void *) { return -EINVAL; });
    EXPECT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), -EINVAL);
}

TEST_F(KvmState, GoesThroughTheSharedPageWithoutAnIoctl)
{
    open();
    rng rng;
    rng_seed(&rng, 2);
    x86_state state = draw(&rng), back;
    static kvm_run run;
    uint32_t three = KVM_STATE_REGS | KVM_STATE_SREGS | KVM_STATE_EVENTS;
    x86_state_reset(&back);
    EXPECT_EQ(kvm_state_put_run(&io, &run, &state, KVM_STATE_ALL), three);
    EXPECT_EQ(run.kvm_dirty_regs, 7u);
    EXPECT_EQ(kvm_state_get_run(&io, &run, &back, KVM_STATE_ALL), three);
    EXPECT_EQ(memcmp(state.gpr, back.gpr, sizeof(back.gpr)), 0);
    EXPECT_EQ(memcmp(state.seg, back.seg, sizeof(back.seg)), 0);
    EXPECT_EQ(fake.count(KVM_SET_REGS), 0);
}

/* A vCPU of this host's KVM. */
class KvmStateHost : public testing::Test
{
  protected:
    void SetUp() override
    {
        kvm_host_cfg cfg = {};
        char why[KVM_HOST_WHY_SIZE];

        if (kvm_host_open(&cfg, &host, why))
            GTEST_SKIP() << why;
        has_vm = !kvm_probe_vm_create(host, &vm);
        ASSERT_TRUE(has_vm);
        has_io = !kvm_state_init(&io, host, vm.vcpu_fd);
        ASSERT_TRUE(has_io);
    }
    void TearDown() override
    {
        if (has_io)
            kvm_state_fini(&io);
        if (has_vm)
            kvm_probe_vm_destroy(&vm);
        kvm_host_close(host);
    }

    kvm_host *host = nullptr;
    kvm_probe_vm vm;
    kvm_state_io io;
    struct rng rng;
    bool has_vm = false, has_io = false;
};

TEST_F(KvmStateHost, CarriesAThousandStatesUnchanged)
{
    RecordProperty("missing", kvm_state_missing(&io));
    rng_seed(&rng, 3);
    for (int i = 0; i < 1000 && !HasFailure(); i++) {
        x86_state state = draw(&rng), back;
        x86_state_reset(&back);
        ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), 0);
        ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_ALL), 0);
        expect_same(io, state, back);
    }
}

/* The widest set of components that the host takes for a guest. */
uint64_t widest(kvm_state_io *io, rng *rng)
{
    for (uint64_t xcr0 : {0x2e7, 0xe7, 0x207}) {
        x86_state state = draw(rng);
        draw_wide(rng, xcr0, &state);
        if (!kvm_state_put(io, &state, KVM_STATE_XCRS | KVM_STATE_XSAVE))
            return xcr0;
    }
    return 7;
}

void expect_same_wide(const x86_state &a, const x86_state &b)
{
    if (a.xcr0 & 0xe0) {
        EXPECT_EQ(memcmp(a.xsave + X86_XSAVE_OPMASK, b.xsave + X86_XSAVE_OPMASK,
                         X86_XSAVE_PKRU - X86_XSAVE_OPMASK),
                  0);
    }
    if (a.xcr0 & 0x200) {
        EXPECT_EQ(memcmp(a.xsave + X86_XSAVE_PKRU, b.xsave + X86_XSAVE_PKRU, 4),
                  0);
    }
    EXPECT_EQ(memcmp(&a.ldtr, &b.ldtr, sizeof(a.ldtr)), 0);
}

TEST_F(KvmStateHost, CarriesWideVectorsSegmentsAndEventsUnchanged)
{
    rng_seed(&rng, 4);
    uint64_t xcr0 = widest(&io, &rng);
    RecordProperty("xcr0", static_cast<int>(xcr0));
    for (int i = 0; i < 1000 && !HasFailure(); i++) {
        x86_state state = draw(&rng), back;
        draw_wide(&rng, xcr0, &state);
        draw_segments(&rng, &state);
        draw_events(&rng, &state);
        x86_state_reset(&back);
        ASSERT_EQ(kvm_state_put(&io, &state, KVM_STATE_ALL), 0) << i;
        ASSERT_EQ(kvm_state_get(&io, &back, KVM_STATE_ALL), 0) << i;
        expect_same(io, state, back);
        expect_same_wide(state, back);
    }
}

} // namespace
