/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_regs.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace
{

TEST(KvmRegs, MovesVectorComponentsBetweenTheHostsPlacesAndOurs)
{
    x86_xsave_layout layout = {};
    x86_state state = {}, back = {};
    std::vector<uint8_t> image(4096, 0xee);
    layout.comp[X86_XCOMP_AVX] = {256, 576, 0};
    layout.comp[X86_XCOMP_OPMASK] = {64, 832, 0};
    layout.comp[X86_XCOMP_PKRU] = {8, 2432, 0};
    state.xsave[512] = 0x27; /* x87, SSE, AVX, opmasks */
    state.xsave[513] = 2;    /* PKRU */
    state.xsave[X86_XSAVE_OPMASK] = 0x55;
    state.xsave[X86_XSAVE_PKRU] = 0x66;
    kvm_xsave_to(&state, &layout, image.data(), image.size());
    EXPECT_EQ(image[832], 0x55);
    EXPECT_EQ(image[2432], 0x66);
    EXPECT_EQ(image[X86_XSAVE_OPMASK], 0);
    kvm_xsave_from(image.data(), image.size(), &layout, &back);
    EXPECT_EQ(memcmp(state.xsave, back.xsave, X86_XSAVE_SIZE), 0);
}

TEST(KvmRegs, ClearsComponentsThatAreInTheirInitialState)
{
    x86_xsave_layout layout = {};
    x86_state state = {};
    std::vector<uint8_t> image(4096, 0);
    layout.comp[X86_XCOMP_AVX] = {256, 576, 0};
    image[576] = 1; /* left over, XSTATE_BV is zero */
    state.xsave[X86_XSAVE_YMM] = 2;
    kvm_xsave_from(image.data(), image.size(), &layout, &state);
    EXPECT_EQ(state.xsave[X86_XSAVE_YMM], 0);
}

TEST(KvmRegs, KeepsEventsOnTheirWay)
{
    x86_state state = {}, back = {};
    kvm_vcpu_events events;
    x86_state_reset(&state);
    state.events.exception_injected = 1;
    state.events.exception_vector = 14;
    state.events.exception_has_error = 1;
    state.events.exception_error = 6;
    state.events.nmi_masked = 1;
    state.events.shadow = 2;
    kvm_events_to(&state, &events);
    EXPECT_EQ(events.exception.nr, 14);
    kvm_events_from(&events, &back);
    EXPECT_EQ(memcmp(&state.events, &back.events, sizeof(back.events)), 0);
}

} // namespace
