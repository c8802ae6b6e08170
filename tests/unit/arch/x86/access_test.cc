// SPDX-License-Identifier: BSD-3-Clause
// Accesses beyond the common ones: across pages, to devices, misaligned.
#include "guest.h"

namespace
{

constexpr uint64_t kEdge = Guest::kData + 4096 - 4;

TEST(X86Access, LoadsAndStoresAcrossPages)
{
    Guest guest;
    // Two linear neighbours whose frames are not.
    *guest.pte(Guest::kData + 4096) = 0x700007;
    x86_core_flush_tlb(guest.core);
    guest.gpr(X86_RDI) = kEdge;
    guest.gpr(X86_RAX) = 0x1122334455667788;
    // mov [rdi], rax; mov rbx, [rdi]; add qword [rdi], 1
    guest.run({0x48, 0x89, 0x07, 0x48, 0x8b, 0x1f, 0x48, 0x83, 0x07, 0x01}, 3);
    EXPECT_EQ(guest.gpr(X86_RBX), 0x1122334455667788u);
    uint32_t low, high;
    memcpy(&low, guest.host(kEdge), 4);
    memcpy(&high, guest.host(0x700000), 4);
    EXPECT_EQ(low, 0x55667789u);
    EXPECT_EQ(high, 0x11223344u);
}

TEST(X86Access, StoresNothingIfTheSecondPageFaults)
{
    Guest guest;
    *guest.pte(Guest::kData + 4096) = 0;
    guest.gpr(X86_RDI) = kEdge;
    guest.gpr(X86_RAX) = UINT64_MAX;
    guest.run({0x48, 0x89, 0x07}, 1); // mov [rdi], rax
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].addr, Guest::kData + 4096);
    uint32_t low;
    memcpy(&low, guest.host(kEdge), 4);
    EXPECT_EQ(low, 0u);
}

TEST(X86Access, AsksTheEnvironmentForDevices)
{
    struct DeviceGuest : Guest {
        uint64_t written = 0, address = 0;
        unsigned size = 0;
    } guest;
    guest.env.mmio_read = [](struct x86_env *, struct x86_core *, gpa_t addr,
                             unsigned) { return addr.v & 0xff; };
    guest.env.mmio_write = [](struct x86_env *e, struct x86_core *, gpa_t addr,
                              unsigned size, uint64_t value) {
        auto *self = reinterpret_cast<DeviceGuest *>(
            reinterpret_cast<char *>(e) - offsetof(Guest, env));
        self->address = addr.v;
        self->size = size;
        self->written = value;
    };
    *guest.pte(0x900000) = 0xfee00007; // no RAM there
    guest.gpr(X86_RDI) = 0x900010;
    guest.gpr(X86_RAX) = 0xabcd;
    // mov ebx, [rdi + 0x20]; mov [rdi], ax
    guest.run({0x8b, 0x5f, 0x20, 0x66, 0x89, 0x07}, 2);
    EXPECT_EQ(guest.gpr(X86_RBX), 0x30u);
    EXPECT_EQ(guest.address, 0xfee00010u);
    EXPECT_EQ(guest.size, 2u);
    EXPECT_EQ(guest.written, 0xabcdu);
}

TEST(X86Access, RaisesAlignmentChecksOnlyWhenAskedTo)
{
    Guest guest;
    guest.gpr(X86_RDI) = Guest::kData + 1;
    guest.run({0x8b, 0x07}, 1); // mov eax, [rdi]
    EXPECT_TRUE(guest.faults.empty());
    guest.state()->cr0 |= 1 << 18;
    guest.set_rflags(X86_AC_FLAG | X86_IF);
    guest.run({0x8b, 0x07}, 1);
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].vector, X86_AC);
}

TEST(X86Access, RaisesGpOrSsForAddressesThatAreNotCanonical)
{
    Guest guest;
    guest.gpr(X86_RDI) = guest.gpr(X86_RBP) = uint64_t{1} << 63;
    guest.run({0x8b, 0x07}, 1);       // mov eax, [rdi]
    guest.run({0x8b, 0x45, 0x00}, 1); // mov eax, [rbp]
    ASSERT_EQ(guest.faults.size(), 2u);
    EXPECT_EQ(guest.faults[0].vector, X86_GP);
    EXPECT_EQ(guest.faults[1].vector, X86_SS);
}

TEST(X86Access, StopsARepeatedStoreAtTheFirstPageItMayNotWrite)
{
    Guest guest;
    *guest.pte(Guest::kData + 8192) &= ~uint64_t{2};
    guest.gpr(X86_RDI) = Guest::kData;
    guest.gpr(X86_RCX) = 10000;
    guest.gpr(X86_RAX) = 0x5a;
    guest.run({0xf3, 0xaa}, 1); // rep stosb
    ASSERT_EQ(guest.faults.size(), 1u);
    EXPECT_EQ(guest.faults[0].addr, Guest::kData + 8192);
    EXPECT_EQ(guest.gpr(X86_RDI), Guest::kData + 8192);
    EXPECT_EQ(guest.gpr(X86_RCX), 10000u - 8192);
    EXPECT_EQ(guest.state()->rip, Guest::kCode);
    EXPECT_EQ(*guest.host(Guest::kData + 8191), 0x5a);
}

} // namespace
