/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 64-bit mode: exceptions with the 64-bit frame and interrupt stacks, SYSCALL
 * and SYSRET, SWAPGS, CPL 3, page protection (NX, SMEP, SMAP, WP), canonical
 * addresses, control registers, compatibility mode.
 */
/* clang-format off */
/* guest-flags: -O1 -ffreestanding -fno-pic -fno-stack-protector -mno-red-zone -mgeneral-regs-only -static -nostdlib -no-pie -Wl,--build-id=none -Wl,--section-start=.multiboot=0x100000,-Ttext=0x101000,-z,norelro,-z,max-page-size=4096 */
/* clang-format on */
#include "kernel_rt64.h"

static u64 directory[512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));
static u64 frame0[512] __attribute__((aligned(4096)));
u8 stack3[4096] __attribute__((aligned(16)));

#define PAGE0 0x40000000UL /* virtual address of frame0: table[0] */

static void map0(u64 bits)
{
    pdpt[1] = (u64)directory | P | W | U;
    directory[0] = (u64)table | P | W | U;
    table[0] = (u64)frame0 | bits;
    flush_tlb();
}

/* -------------------------------------------------------------- exceptions */

static void test_exceptions(void)
{
    u64 rsp;

    __asm__("mov %%rsp, %0" : "=r"(rsp));
    EXPECT_FAULT("UD2", 6, 0, "ud2", "b"(0));
    check("the frame has SS:RSP even without a change", resume_rsp, seen.rsp);
    check("the handler's frame is aligned", 8, seen.handler_rsp & 15);
    check("CS in the frame", KERNEL_CODE, seen.cs);
    EXPECT_FAULT("DIV by zero", 0, 0, "xor %%ecx, %%ecx; div %%rcx", "b"(0));
    EXPECT_FAULT("INT3", 3, 0, "int3", "b"(0));
    EXPECT_FAULT("PUSH ES is invalid", 6, 0, ".byte 0x06", "b"(0));
    EXPECT_FAULT("not canonical", 13, 0, "mov (%%rsi), %%rcx",
                 "S"(0x800000000000UL));
    for (u32 vector = 8; vector < 15; vector++)
        set_gate(vector, 0x8e, 1); /* the stack itself is bad */
    EXPECT_FAULT("not canonical stack", 12, 0, "mov %%rsi, %%rsp; push %%rax",
                 "S"(0x800000000100UL));
    for (u32 vector = 9; vector < 15; vector++)
        set_gate(vector, 0x8e, 0);
    EXPECT_FAULT("not canonical jump", 13, 0, "jmp *%%rsi",
                 "S"(0x800000000000UL));
    EXPECT_FAULT("far jump beyond the table", 13, 0x1000,
                 "ljmp *1f; 1: .long 0; .word 0x1003", "b"(0));
    set_gate(6, 0x8e, 1);
    EXPECT_FAULT("UD2 on an interrupt stack", 6, 0, "ud2", "b"(0));
    check("IST 1 is used", (u64)ist_stack + sizeof ist_stack - 8 * 7,
          seen.handler_rsp);
    set_gate(6, 0x0e, 0);
    EXPECT_FAULT("a gate that is not present", 11, 6 * 8 + 2 + 1, "ud2",
                 "b"(0));
    set_gate(6, 0x8e, 0);
    (void)rsp;
}

static void test_double_fault(void)
{
    u64 saved = idt[2 * 13];

    idt[2 * 13] = 0;
    EXPECT_FAULT("#GP without a gate becomes #DF", 8, 0, "mov (%%rsi), %%rcx",
                 "S"(0x800000000000UL));
    idt[2 * 13] = saved;
    saved = idt[2 * 14];
    idt[2 * 14] = 0;
    map0(0);
    EXPECT_FAULT("#PF without a gate becomes #DF", 8, 0, "mov (%%rsi), %%rcx",
                 "S"(PAGE0));
    idt[2 * 14] = saved;
}

/* ------------------------------------------------------------------ paging */

static void set_cr4(u64 set, u64 clear)
{
    u64 cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" ::"r"((cr4 | set) & ~clear) : "memory");
}

static u32 has_feature7(u32 bit)
{
    u32 eax = 0, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (eax < 7)
        return 0;
    eax = 7;
    ecx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ebx >> bit & 1;
}

static void test_paging(void)
{
    map0(P);
    EXPECT_NO_FAULT("read of a supervisor page", "mov (%%rsi), %%rax",
                    "S"(PAGE0));
    check("accessed", A, table[0] & (A | D));
    EXPECT_FAULT("write to a read-only page", 14, 3, "mov %%rax, 16(%%rsi)",
                 "S"(PAGE0));
    check("CR2", PAGE0 + 16, seen.cr2);
    map0(P | W);
    EXPECT_NO_FAULT("write", "movb $0xc3, (%%rsi)", "S"(PAGE0));
    check("accessed and dirty", A | D, table[0] & (A | D));
    EXPECT_NO_FAULT("execute", "call *%%rsi", "S"(PAGE0));
    map0(P | W | NX);
    EXPECT_FAULT("execute with NX", 14, 0x11, "jmp *%%rsi", "S"(PAGE0));
    map0(0);
    EXPECT_FAULT("not present", 14, 0, "mov (%%rsi), %%rax", "S"(PAGE0));
    map0(P | W | 1ULL << 51);
    EXPECT_FAULT("reserved bit", 14, 9, "mov (%%rsi), %%rax", "S"(PAGE0));
    map0(P | W);
    EXPECT_FAULT("an access across the end", 14, 0, "mov 4092(%%rsi), %%rax",
                 "S"(PAGE0));
    check("CR2 is the second page", PAGE0 + 4096, seen.cr2);
}

static void test_supervisor_protection(void)
{
    map0(P | W | U);
    EXPECT_NO_FAULT("user page from the kernel", "mov (%%rsi), %%rax",
                    "S"(PAGE0));
    if (has_feature7(7)) {
        set_cr4(1 << 20, 0);
        EXPECT_FAULT("SMEP", 14, 0x11, "jmp *%%rsi", "S"(PAGE0));
        set_cr4(0, 1 << 20);
    }
    if (has_feature7(20)) {
        set_cr4(1 << 21, 0);
        EXPECT_FAULT("SMAP", 14, 1, "mov (%%rsi), %%rax", "S"(PAGE0));
        EXPECT_NO_FAULT("SMAP with AC", "stac; mov (%%rsi), %%rax; clac",
                        "S"(PAGE0));
        set_cr4(0, 1 << 21);
    }
}

static void test_large_pages(void)
{
    u64 offset = (u64)frame0 & 0x1fffff;

    map0(P | W);
    directory[1] = ((u64)frame0 & ~0x1fffffUL) | PS | P | W;
    EXPECT_NO_FAULT("write through a 2 MiB page", "movl $0x5a5a, 8(%%rsi)",
                    "S"(PAGE0 + 0x200000 + offset));
    check("it reached the frame", 0x5a5a, frame0[1] & 0xffffffff);
    check("its dirty bit", A | D, directory[1] & (A | D));
    pdpt[2] = 0 | PS | P | W;
    EXPECT_NO_FAULT("write through a 1 GiB page", "movl $0x6b6b, 8(%%rsi)",
                    "S"(0x80000000UL + (u64)frame0));
    check("it reached the frame", 0x6b6b, frame0[1] & 0xffffffff);
    pdpt[2] = 0;
    flush_tlb();
}

/* ------------------------------------------------------ CPL 3 and SYSCALL */

/* To CPL 3 at label 1 with RSI, RDI kept; faults come back to the test. */
#define USER(text)                                                             \
    "push $0x23; push $stack3 + 4000; push $0x202; push $0x2b; push $1f\n"     \
    "iretq\n 1: " text "\n hlt\n"

static void user_pages(u64 bits)
{
    for (u32 i = 0; i < 512; i++)
        low_directory[i] = (low_directory[i] & ~(u64)U) | bits;
    flush_tlb();
}

static void test_user(void)
{
    u64 cs;

    map0(P | W);
    user_pages(U);
    cs = RUN(USER("mov %%cs, %%eax"), "b"(0));
    check("HLT at CPL 3", 13, seen.vector);
    check("CS of the user", USER_CODE, cs);
    check("SS of the user", USER_DATA, seen.ss);
    check("RSP of the user", (u64)stack3 + 4000, seen.rsp);
    check("RSP0 is used", (u64)stack0 + sizeof stack0 - 8 * 7,
          seen.handler_rsp);
    EXPECT_FAULT("user reads a supervisor page", 14, 5,
                 USER("mov (%%rsi), %%rax"), "S"(PAGE0));
    EXPECT_FAULT("user jumps to a supervisor page", 14, 0x15,
                 USER("jmp *%%rsi"), "S"(PAGE0));
    map0(P | U);
    EXPECT_FAULT("user writes a read-only page", 14, 7,
                 USER("mov %%rax, (%%rsi)"), "S"(PAGE0));
    EXPECT_FAULT("INT through a kernel's gate", 13, 0x82 * 8 + 2,
                 USER("int $0x82"), "b"(0));
    EXPECT_FAULT("WRMSR at CPL 3", 13, 0, USER("wrmsr"), "b"(0));
    EXPECT_FAULT("IN without permission", 13, 0, USER("in $0x40, %%al"),
                 "b"(0));
    user_pages(0);
}

__asm__("syscall_entry:\n"
        "mov %rsp, %r9\n mov $stack0 + 2000, %rsp\n"
        "mov %cs, %eax\n shl $16, %eax\n mov %ss, %ax\n mov %rax, in_kernel\n"
        "pushfq\n pop %rax\n mov %rax, kernel_flags\n"
        "mov %r9, %rsp\n sysretq\n");
extern const u8 syscall_entry[];
u64 in_kernel, kernel_flags;

static void test_syscall(void)
{
    user_pages(U);
    wrmsr(0xc0000081, (u64)0x1b << 48 | (u64)KERNEL_CODE << 32);
    wrmsr(0xc0000082, (u64)syscall_entry);
    wrmsr(0xc0000084, 0x401);
    EXPECT_FAULT("SYSCALL and SYSRET, then HLT", 13, 0, USER("stc; syscall"),
                 "b"(0));
    check("CS and SS in the kernel", KERNEL_CODE << 16 | KERNEL_DATA2,
          in_kernel);
    check("SFMASK cleared CF", 0, kernel_flags & 1);
    check("CS after SYSRET", USER_CODE, seen.cs);
    check("SS after SYSRET", USER_DATA, seen.ss);
    check("flags came back", 1, seen.rflags & 1);
    wrmsr(0xc0000080, 0x900); /* SCE off */
    EXPECT_FAULT("SYSCALL without EFER.SCE", 6, 0, "syscall", "b"(0));
    wrmsr(0xc0000080, 0x901);
    user_pages(0);
}

static void test_swapgs(void)
{
    u64 value;

    frame0[2] = 0x77;
    wrmsr(0xc0000101, 0x1111);
    wrmsr(0xc0000102, (u64)frame0);
    value = RUN("swapgs; mov %%gs:16, %%rax; swapgs", "b"(0));
    check("SWAPGS reads through the other base", 0x77, value);
    check("and back", 0x1111, rdmsr(0xc0000101));
    wrmsr(0xc0000101, 0);
}

/* --------------------------------------------------------------- registers */

static void test_registers(void)
{
    u64 value;

    value = RUN("mov $5, %%eax; mov %%rax, %%cr8; mov %%cr8, %%rcx\n"
                "xor %%eax, %%eax; mov %%rax, %%cr8; mov %%rcx, %%rax",
                "b"(0));
    check("CR8 holds a priority", 5, value);
    EXPECT_FAULT("CR8 above 15", 13, 0, "mov %%rsi, %%cr8", "S"(16UL));
    EXPECT_FAULT("CR0.PG without PE", 13, 0, "mov %%rsi, %%cr0",
                 "S"(0x80000000UL));
    EXPECT_FAULT("clearing CR4.PAE", 13, 0,
                 "mov %%cr4, %%rax; and $~0x20, %%rax; mov %%rax, %%cr4",
                 "b"(0));
    EXPECT_FAULT("changing EFER.LME with paging on", 13, 0,
                 "mov $0xc0000080, %%ecx; rdmsr; and $~0x100, %%eax; wrmsr",
                 "b"(0));
    EXPECT_FAULT("unknown MSR", 13, 0, "mov $0x12345678, %%ecx; rdmsr", "b"(0));
    EXPECT_FAULT("LSTAR not canonical", 13, 0,
                 "mov $0xc0000082, %%ecx; mov $0x8000, %%edx; xor %%eax, %%eax;"
                 "wrmsr",
                 "b"(0));
    EXPECT_FAULT("LOCK on a register", 6, 0, ".byte 0xf0, 0x01, 0xc0", "b"(0));
    EXPECT_FAULT("MOV to CR5", 6, 0, ".byte 0x0f, 0x22, 0xe8", "b"(0));
}

static void test_cmpxchg16b(void)
{
    frame0[0] = 1;
    frame0[1] = 2;
    (void)RUN("mov $1, %%eax; mov $2, %%edx; mov $4, %%ecx\n"
              "lock cmpxchg16b (%%rsi)",
              "S"(frame0), "b"(3));
    check("CMPXCHG16B at CPL 0, low", 3, frame0[0]);
    check("CMPXCHG16B at CPL 0, high", 4, frame0[1]);
    EXPECT_FAULT("CMPXCHG16B misaligned", 13, 0, "lock cmpxchg16b 8(%%rsi)",
                 "S"(frame0));
}

/* To 32-bit code in compatibility mode and back. */
__asm__(".code32\n"
        "compat: mov $0x12345678, %eax\n inc %eax\n"
        ".byte 0x40\n" /* INC EAX here, a REX prefix in 64-bit mode */
        "ljmp $0x30, $compat_back\n"
        ".code64\n");

static void test_compatibility(void)
{
    u64 value = RUN("mov $-1, %%rax\n"
                    "ljmp *2f\n 2: .long compat\n .word 8\n"
                    "compat_back: mov %%eax, %%eax",
                    "b"(0));

    check("compatibility mode", 256, seen.vector);
    check("32-bit code ran", 0x1234567a, value);
}

static void test_single_step(void)
{
    EXPECT_FAULT("single step", 1, 0,
                 "pushfq; orl $0x100, (%%rsp); popfq; nop; nop", "b"(0));
    (void)RUN("xor %%eax, %%eax; mov %%rax, %%dr6", "b"(0));
    EXPECT_FAULT("instruction breakpoint", 1, 0,
                 "mov $1f, %%eax; mov %%rax, %%dr0; mov $0x402, %%eax\n"
                 "mov %%rax, %%dr7; 1: nop",
                 "b"(0));
    check("B0 in DR6", 1, RUN("mov %%dr6, %%rax", "b"(0)) & 15);
    EXPECT_FAULT("data breakpoint", 1, 0,
                 "mov %%rsi, %%dr1; mov $0xd00408, %%eax; mov %%rax, %%dr7\n"
                 "movl $1, (%%rsi); nop",
                 "S"(frame0));
    (void)RUN("mov $0x400, %%eax; mov %%rax, %%dr7", "b"(0));
}

static void test_main(void)
{
    test_exceptions();
    test_paging();
    test_double_fault();
    test_supervisor_protection();
    test_large_pages();
    test_user();
    test_syscall();
    test_swapgs();
    test_cmpxchg16b();
    test_compatibility();
    test_single_step();
    test_registers();
}
