// SPDX-License-Identifier: BSD-3-Clause
// The page walk of vmem.h.
#include "arch/x86/vmem.h"
#include "mem/physmem.h"

#include <gtest/gtest.h>

#include <cstring>

namespace
{

constexpr uint64_t kPg = 0x80000000, kWp = 0x10000;
constexpr uint64_t kPse = 0x10, kPae = 0x20, kSmep = 1 << 20, kSmap = 1 << 21;
constexpr uint64_t kPke = 1 << 22;
constexpr uint64_t kNx = uint64_t{1} << 63;

struct Mmu : testing::Test {
    struct physmem *mem = physmem_create();
    struct x86_paging paging = {};
    struct x86_walk out = {};
    struct x86_fault fault = {};

    Mmu()
    {
        EXPECT_EQ(physmem_add(mem, 0, 1 << 20), 0);
        paging.cr0 = kPg | kWp | 1;
        paging.cr3 = 0x1000;
        paging.cr4 = kPae;
        paging.efer = 0xd00; // LME, LMA, NXE
        paging.phys_bits = 40;
    }
    ~Mmu() override
    {
        physmem_destroy(mem);
    }
    void put(uint64_t addr, uint64_t entry)
    {
        ASSERT_TRUE(physmem_write(mem, {addr}, &entry, 8));
    }
    void put32(uint64_t addr, uint32_t entry)
    {
        ASSERT_TRUE(physmem_write(mem, {addr}, &entry, 4));
    }
    uint64_t get(uint64_t addr)
    {
        uint64_t entry = 0;
        EXPECT_TRUE(physmem_read(mem, {addr}, &entry, 8));
        return entry;
    }
    // Linear 0x200000..: PML4[0], PDPT[0], PD[1], PT[*] at 0x1000..0x4000.
    void map(uint64_t upper, uint64_t leaf)
    {
        put(0x1000, 0x2000 | upper);
        put(0x2000, 0x3000 | upper);
        put(0x3008, 0x4000 | upper);
        put(0x4000, leaf);
    }
    bool walk(uint64_t addr, unsigned access)
    {
        return x86_mmu_walk(mem, &paging, {addr}, access, &out, &fault);
    }
    uint32_t error(uint64_t addr, unsigned access)
    {
        EXPECT_FALSE(walk(addr, access));
        EXPECT_EQ(fault.vector, X86_PF);
        EXPECT_EQ(fault.addr, addr);
        return fault.error;
    }
};

TEST_F(Mmu, TranslatesThroughFourLevels)
{
    map(7, 0x5000 | 7);
    ASSERT_TRUE(walk(0x200123, X86_ACCESS_READ | X86_ACCESS_USER));
    EXPECT_EQ(out.addr.v, 0x5123u);
    EXPECT_EQ(out.page_size, 4096u);
    EXPECT_TRUE(out.writable && out.user && out.executable);
    EXPECT_FALSE(out.dirty);
}

TEST_F(Mmu, SetsAccessedAndDirtyAsTheAccessSays)
{
    map(7, 0x5000 | 7);
    ASSERT_TRUE(walk(0x200000, X86_ACCESS_READ | X86_ACCESS_PROBE));
    EXPECT_EQ(get(0x4000), 0x5007u);
    ASSERT_TRUE(walk(0x200000, X86_ACCESS_READ));
    EXPECT_EQ(get(0x1000), 0x2027u);
    EXPECT_EQ(get(0x4000), 0x5027u);
    ASSERT_TRUE(walk(0x200000, X86_ACCESS_WRITE));
    EXPECT_EQ(get(0x4000), 0x5067u);
    EXPECT_EQ(get(0x3008), 0x4027u);
}

TEST_F(Mmu, TranslatesLargePages)
{
    map(7, 0);
    put(0x3008, 0x40000000 | 0x87);
    ASSERT_TRUE(walk(0x2abcde, X86_ACCESS_READ));
    EXPECT_EQ(out.addr.v, 0x400abcdeu);
    EXPECT_EQ(out.page_size, 2u << 20);
    put(0x2000, 0x80000000 | 0x87);
    ASSERT_TRUE(walk(0x2abcde, X86_ACCESS_READ));
    EXPECT_EQ(out.addr.v, 0x802abcdeu);
    EXPECT_EQ(out.page_size, 1u << 30);
}

TEST_F(Mmu, ReportsPagesThatAreNotPresent)
{
    map(7, 0);
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ), 0u);
    EXPECT_EQ(error(0x200000, X86_ACCESS_WRITE | X86_ACCESS_USER), 6u);
    EXPECT_EQ(error(0x200000, X86_ACCESS_FETCH), 16u);
}

TEST_F(Mmu, KeepsUsersOutOfSupervisorPages)
{
    map(7, 0x5000 | 3);
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ | X86_ACCESS_USER), 5u);
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_READ));
    EXPECT_TRUE(walk(0x200000,
                     X86_ACCESS_READ | X86_ACCESS_USER | X86_ACCESS_IMPLICIT));
}

TEST_F(Mmu, ProtectsAgainstWritesOfSupervisorsOnlyWithWp)
{
    map(7, 0x5000 | 5);
    EXPECT_EQ(error(0x200000, X86_ACCESS_WRITE), 3u);
    paging.cr0 &= ~kWp;
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_WRITE));
    EXPECT_EQ(error(0x200000, X86_ACCESS_WRITE | X86_ACCESS_USER), 7u);
}

TEST_F(Mmu, RefusesToFetchFromNxPages)
{
    map(7, kNx | 0x5000 | 7);
    EXPECT_EQ(error(0x200000, X86_ACCESS_FETCH | X86_ACCESS_USER), 21u);
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_READ));
    paging.efer &= ~uint64_t{0x800};
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ), 9u); // reserved bit
}

TEST_F(Mmu, ObeysSmepAndSmap)
{
    map(7, 0x5000 | 7);
    paging.cr4 |= kSmep | kSmap;
    EXPECT_EQ(error(0x200000, X86_ACCESS_FETCH), 17u);
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ), 1u);
    paging.ac = true;
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_READ));
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ | X86_ACCESS_IMPLICIT), 1u);
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_FETCH | X86_ACCESS_USER));
}

TEST_F(Mmu, ObeysProtectionKeys)
{
    map(7, uint64_t{3} << 59 | 0x5000 | 7);
    paging.cr4 |= kPke;
    paging.pkru = 2u << 6; // key 3: no writes
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_READ | X86_ACCESS_USER));
    EXPECT_EQ(out.pkey, 3);
    EXPECT_EQ(error(0x200000, X86_ACCESS_WRITE | X86_ACCESS_USER), 39u);
    paging.pkru = 1u << 6; // no accesses
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ | X86_ACCESS_USER), 37u);
    EXPECT_TRUE(walk(0x200000, X86_ACCESS_FETCH | X86_ACCESS_USER));
}

TEST_F(Mmu, ReportsReservedBits)
{
    map(7, uint64_t{1} << 45 | 0x5000 | 7); // beyond 40 bits
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ), 9u);
    map(7, 0x5000 | 7);
    put(0x3008, 0x40002000 | 0x87); // large page, bit 13
    EXPECT_EQ(error(0x200000, X86_ACCESS_READ), 9u);
}

TEST_F(Mmu, RaisesGpForAddressesThatAreNotCanonical)
{
    EXPECT_FALSE(walk(uint64_t{1} << 47, X86_ACCESS_READ));
    EXPECT_EQ(fault.vector, X86_GP);
}

TEST_F(Mmu, TranslatesPaePaging)
{
    paging.efer = 0;
    paging.cr3 = 0x1020;
    put(0x1020 + 8, 0x2000 | 1); // PDPTE 1
    ASSERT_TRUE(x86_mmu_read_pdptes(mem, paging.cr3, 40, paging.pdpte));
    put(0x2000 + 8 * 3, 0x3000 | 7);
    put(0x3000 + 8 * 5, 0x123456000 | 7);
    ASSERT_TRUE(walk(0x40605abc, X86_ACCESS_WRITE | X86_ACCESS_USER));
    EXPECT_EQ(out.addr.v, 0x123456abcu);
    EXPECT_EQ(get(0x1028), 0x2001u); // no accessed bit there
    put(0x1028, 0);
    EXPECT_TRUE(walk(0x40605abc, X86_ACCESS_READ)); // memory is not asked again
}

TEST_F(Mmu, RefusesPdptesWithReservedBitsOrOutsideRam)
{
    uint64_t pdpte[X86_NUM_PDPTES] = {9, 9, 9, 9};

    for (int bit : {1, 2, 5, 8, 40, 51, 52, 63}) {
        put(0x1018, uint64_t{1} << bit | 1);
        EXPECT_FALSE(x86_mmu_read_pdptes(mem, 0x1000, 40, pdpte)) << bit;
        EXPECT_EQ(pdpte[0], 9u);
        put(0x1018, uint64_t{1} << bit);
        EXPECT_TRUE(x86_mmu_read_pdptes(mem, 0x101f, 40, pdpte)) << bit;
        pdpte[0] = 9;
    }
    EXPECT_FALSE(x86_mmu_read_pdptes(mem, 1 << 20, 40, pdpte));
}

TEST_F(Mmu, TranslatesThirtyTwoBitPagingAndItsLargePages)
{
    paging.efer = 0;
    paging.cr4 = kPse;
    put32(0x1000 + 4 * 1, 0x2000 | 7);
    put32(0x2000 + 4 * 2, 0x7000 | 7);
    ASSERT_TRUE(walk(0x402345, X86_ACCESS_READ));
    EXPECT_EQ(out.addr.v, 0x7345u);
    put32(0x1000 + 4 * 1, 0x80000000 | 1 << 13 | 0x87);
    ASSERT_TRUE(walk(0x412345, X86_ACCESS_READ));
    EXPECT_EQ(out.addr.v, 0x180012345u); // PSE-36: bit 13 is address bit 32
    EXPECT_EQ(out.page_size, 4u << 20);
}

TEST_F(Mmu, IsTheIdentityWithoutPaging)
{
    paging.cr0 = 1;
    ASSERT_TRUE(walk(0x123456789, X86_ACCESS_WRITE));
    EXPECT_EQ(out.addr.v, 0x23456789u);
}

} // namespace
