/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System registers in 64-bit mode: XCR0, MSRs, TSD, RDPMC, UMIP, LMSW, PCID,
 * INVPCID, global pages, MONITOR.  Checks of a feature that CPUID does not
 * offer are left out.  QEMU's TCG accepts more MSRs and offers MONITOR.
 */
/* clang-format off */
/* guest-flags: -O1 -ffreestanding -fno-pic -fno-stack-protector -mno-red-zone -mgeneral-regs-only -static -nostdlib -no-pie -Wl,--build-id=none -Wl,--section-start=.multiboot=0x100000,-Ttext=0x101000,-z,norelro,-z,max-page-size=4096 */
/* clang-format on */
#include "kernel_rt64.h"

enum {
    TSD = 1 << 2,
    PGE = 1 << 7,
    PCE = 1 << 8,
    UMIP = 1 << 11,
    PCIDE = 1 << 17,
    OSXSAVE = 1 << 18,
};

static u64 directory[512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));
static u64 frame0[512] __attribute__((aligned(4096)));
static u64 frame1[512] __attribute__((aligned(4096)));
u8 stack3[4096] __attribute__((aligned(16)));

#define PAGE0 0x40000000UL

static void set_cr4(u64 set, u64 clear)
{
    u64 cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" ::"r"((cr4 | set) & ~clear) : "memory");
}

static u32 cpuid(u32 leaf, u32 which)
{
    u32 regs[4];

    __asm__ volatile("cpuid"
                     : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]),
                       "=d"(regs[3])
                     : "a"(leaf), "c"(0));
    return regs[which];
}

#define HAS(leaf, reg, bit) (cpuid(leaf, reg) >> (bit)&1)

/* To CPL 3 at label 1; faults come back to the test. */
#define USER(text)                                                             \
    "push $0x23; push $stack3 + 4000; push $0x202; push $0x2b; push $1f\n"     \
    "iretq\n 1: " text "\n hlt\n"

static void user_pages(u64 bits)
{
    for (u32 i = 0; i < 512; i++)
        low_directory[i] = (low_directory[i] & ~(u64)U) | bits;
    flush_tlb();
}

/* -------------------------------------------------------------------- XCR0 */

#define XSETBV(value)                                                          \
    "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $" #value ", %%eax; xsetbv"

static void test_xcr0(void)
{
    if (!HAS(1, 2, 26))
        return;
    set_cr4(0, OSXSAVE);
    check("CPUID.OSXSAVE follows CR4", 0, HAS(1, 2, 27));
    EXPECT_FAULT("XSETBV without CR4.OSXSAVE", 6, 0, XSETBV(1), "b"(0));
    EXPECT_FAULT("XGETBV without CR4.OSXSAVE", 6, 0, "xor %%ecx, %%ecx; xgetbv",
                 "b"(0));
    set_cr4(OSXSAVE, 0);
    check("CPUID.OSXSAVE follows CR4", 1, HAS(1, 2, 27));
    EXPECT_NO_FAULT("x87 and SSE", XSETBV(3), "b"(0));
    EXPECT_FAULT("without x87", 13, 0, XSETBV(2), "b"(0));
    EXPECT_FAULT("AVX without SSE", 13, 0, XSETBV(5), "b"(0));
    EXPECT_FAULT("a part of AVX-512", 13, 0, XSETBV(0x27), "b"(0));
    EXPECT_FAULT("unknown components", 13, 0, XSETBV(0x40000003), "b"(0));
    EXPECT_FAULT("XCR5", 13, 0,
                 "mov $5, %%ecx; xor %%edx, %%edx; mov $3, %%eax; xsetbv",
                 "b"(0));
    user_pages(U);
    EXPECT_FAULT("XSETBV at CPL 3", 13, 0, USER(XSETBV(3)), "b"(0));
    user_pages(0);
}

/* -------------------------------------------------------------------- MSRs */

static void expect_refused(const char *what, u32 index, u64 value)
{
    EXPECT_FAULT("WRMSR", 13, 0,
                 "mov %%ebx, %%ecx; mov %%esi, %%eax; mov %%rsi, %%rdx\n"
                 "shr $32, %%rdx; wrmsr",
                 "b"(index), "S"(value));
    if (seen.vector != 13)
        put_text(what), put_text("\n");
}

static void test_msrs(void)
{
    static const u32 addresses[] = {0x175,      0x176,      0xc0000082,
                                    0xc0000083, 0xc0000100, 0xc0000101,
                                    0xc0000102};

    for (u32 i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        u64 before = rdmsr(addresses[i]);

        wrmsr(addresses[i], 0xffff800000000000UL);
        check("a canonical address", 0xffff800000000000UL, rdmsr(addresses[i]));
        expect_refused("not canonical", addresses[i], 0x800000000000UL);
        wrmsr(addresses[i], before);
    }
    wrmsr(0x277, 0x0706050401000600UL ^ 0x0002000000000000UL);
    expect_refused("PAT: type 2", 0x277, 2);
    expect_refused("PAT: type 3", 0x277, 3UL << 56);
    expect_refused("PAT: type 8", 0x277, 8UL << 8);
    expect_refused("EFER: reserved", 0xc0000080, rdmsr(0xc0000080) | 2);
    expect_refused("MTRRCAP is read-only", 0xfe, 0);
    expect_refused("MTRR: type 2", 0x250, 2);
    expect_refused("MTRR: default type 7", 0x2ff, 7);
    expect_refused("MTRR: base with bit 8", 0x200, 0x106);
    expect_refused("MTRR: base beyond MAXPHYADDR", 0x200, 1UL << 52);
    expect_refused("MTRR: mask with bit 0", 0x201, 0x801);
    wrmsr(0x10, 1000);
    check("TSC was written", 1, rdmsr(0x10) - 1000 < 100000000);
}

/* ------------------------------------------------- CR4's restrictions on CPL 3
 */

static void test_user_restrictions(void)
{
    user_pages(U);
    EXPECT_FAULT("RDTSC at CPL 3", 13, 0, USER("rdtsc"), "b"(0));
    check("was executed", 0xf4, *(const u8 *)seen.rip);
    set_cr4(TSD, 0);
    EXPECT_FAULT("RDTSC with TSD", 13, 0, USER("rdtsc"), "b"(0));
    check("was not executed", 0x0f, *(const u8 *)seen.rip);
    EXPECT_NO_FAULT("RDTSC with TSD at CPL 0", "rdtsc", "b"(0));
    set_cr4(0, TSD);
    set_cr4(0, PCE);
    EXPECT_FAULT("RDPMC without PCE", 13, 0, USER("xor %%ecx, %%ecx; rdpmc"),
                 "b"(0));
    check("was not executed", 0x0f, *(const u8 *)seen.rip);
    EXPECT_FAULT("SMSW at CPL 3", 13, 0, USER("smsw %%eax"), "b"(0));
    check("was executed", 0xf4, *(const u8 *)seen.rip);
    if (HAS(7, 2, 2)) {
        set_cr4(UMIP, 0);
        EXPECT_FAULT("SMSW with UMIP", 13, 0, USER("smsw %%eax"), "b"(0));
        check("was not executed", 0x0f, *(const u8 *)seen.rip);
        EXPECT_FAULT("SGDT with UMIP", 13, 0, USER("sgdt stack3"), "b"(0));
        check("was not executed", 0x0f, *(const u8 *)seen.rip);
        EXPECT_FAULT("SLDT with UMIP", 13, 0, USER("sldt %%eax"), "b"(0));
        check("was not executed", 0x0f, *(const u8 *)seen.rip);
        EXPECT_NO_FAULT("STR with UMIP at CPL 0", "str %%eax", "b"(0));
        set_cr4(0, UMIP);
    }
    user_pages(0);
    if (!HAS(1, 2, 3))
        EXPECT_FAULT("MONITOR that is not offered", 6, 0,
                     "lea stack3, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx\n"
                     "monitor",
                     "b"(0));
}

static void test_lmsw(void)
{
    u64 cr0 = RUN("mov %%cr0, %%rax", "b"(0));

    check(
        "LMSW sets TS and MP", cr0 | 0xa,
        RUN("smsw %%eax; or $0xa, %%eax; lmsw %%ax; mov %%cr0, %%rax", "b"(0)));
    check("LMSW cannot clear PE", cr0,
          RUN("xor %%eax, %%eax; lmsw %%ax; mov %%cr0, %%rax", "b"(0)) |
              (cr0 & 0xe));
    (void)RUN("mov %%rbx, %%cr0", "b"(cr0));
    check("CLTS", cr0 & ~8UL,
          RUN("mov %%cr0, %%rax; or $8, %%rax; mov %%rax, %%cr0; clts\n"
              "mov %%cr0, %%rax",
              "b"(0)));
    (void)RUN("mov %%rbx, %%cr0", "b"(cr0));
}

/* -------------------------------------------------------- PCID, global pages
 */

static void test_pcid(void)
{
    static u64 descriptor[2] __attribute__((aligned(16)));
    u64 cr3 = RUN("mov %%cr3, %%rax", "b"(0));

    if (HAS(7, 1, 10)) {
        EXPECT_NO_FAULT("INVPCID of everything",
                        "mov $2, %%eax; invpcid (%%rsi), %%rax",
                        "S"(descriptor));
        EXPECT_FAULT("INVPCID of type 4", 13, 0,
                     "mov $4, %%eax; invpcid (%%rsi), %%rax", "S"(descriptor));
        descriptor[0] = 1;
        EXPECT_FAULT("INVPCID of a PCID without CR4.PCIDE", 13, 0,
                     "mov $1, %%eax; invpcid (%%rsi), %%rax", "S"(descriptor));
        descriptor[0] = 1 << 12;
        EXPECT_FAULT("INVPCID with reserved bits", 13, 0,
                     "xor %%eax, %%eax; invpcid (%%rsi), %%rax",
                     "S"(descriptor));
        descriptor[0] = 0;
        descriptor[1] = 1UL << 47;
        EXPECT_FAULT("INVPCID of an address that is not canonical", 13, 0,
                     "xor %%eax, %%eax; invpcid (%%rsi), %%rax",
                     "S"(descriptor));
    }
    if (!HAS(1, 2, 17))
        return;
    EXPECT_FAULT("CR4.PCIDE with a CR3 that names a PCID", 13, 0,
                 "mov %%cr3, %%rcx; lea 1(%%rcx), %%rax; mov %%rax, %%cr3\n"
                 "mov %%cr4, %%rax; or $0x20000, %%rax; mov %%rax, %%cr4",
                 "b"(0));
    (void)RUN("mov %%rbx, %%cr3", "b"(cr3));
    set_cr4(PCIDE, 0);
    EXPECT_NO_FAULT("CR3 with a PCID, kept", "mov %%rbx, %%cr3",
                    "b"(cr3 | 5 | 1UL << 63));
    check("bit 63 of CR3 is not kept", cr3 | 5,
          RUN("mov %%cr3, %%rax", "b"(0)));
    EXPECT_FAULT("CR0.PG cannot be cleared", 13, 0,
                 "mov %%cr0, %%rax; btr $31, %%rax; mov %%rax, %%cr0", "b"(0));
    (void)RUN("mov %%rbx, %%cr3", "b"(cr3));
    set_cr4(0, PCIDE);
}

static u64 read_page(void)
{
    return RUN("mov (%%rsi), %%rax", "S"(PAGE0));
}

static void test_invalidation(void)
{
    pdpt[1] = (u64)directory | P | W;
    directory[0] = (u64)table | P | W;
    frame0[0] = 100;
    frame1[0] = 101;
    table[0] = (u64)frame0 | P | W;
    flush_tlb();
    check("the first frame", 100, read_page());
    table[0] = (u64)frame1 | P | W;
    __asm__ volatile("invlpg (%0)" ::"r"(PAGE0) : "memory");
    check("the second one after INVLPG", 101, read_page());
    table[0] = (u64)frame0 | P | W;
    flush_tlb();
    check("the first one after MOV to CR3", 100, read_page());
    set_cr4(PGE, 0);
    table[0] = (u64)frame1 | P | W | 1 << 8;
    flush_tlb();
    check("a global page", 101, read_page());
    table[0] = (u64)frame0 | P | W;
    set_cr4(0, PGE);
    check("is forgotten when CR4.PGE changes", 100, read_page());
    table[0] = 0;
    set_cr4(PGE, 0);
    set_cr4(0, PGE);
    (void)read_page();
    check("not present any more", 14, seen.vector);
    check("accessed bits of the upper levels", A, directory[0] & pdpt[1] & A);
}

static void test_main(void)
{
    test_xcr0();
    test_msrs();
    test_user_restrictions();
    test_lmsw();
    test_pcid();
    test_invalidation();
}
