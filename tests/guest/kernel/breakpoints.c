/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Debug exceptions in 64-bit mode: instruction, data and port breakpoints,
 * general detect, single steps, the resume flag, DR4 and DR5.  QEMU's TCG has
 * no general detect: there, its three checks fail.
 */
/* clang-format off */
/* guest-flags: -O1 -ffreestanding -fno-pic -fno-stack-protector -mno-red-zone -mgeneral-regs-only -static -nostdlib -no-pie -Wl,--build-id=none -Wl,--section-start=.multiboot=0x100000,-Ttext=0x101000,-z,norelro,-z,max-page-size=4096 */
/* clang-format on */
#include "kernel_rt64.h"

enum { BD = 1 << 13, BS = 1 << 14, GD = 1 << 13, DE = 8 };
enum { EXECUTE, WRITE, PORT, ACCESS };
enum { LEN1 = 0, LEN2 = 1, LEN8 = 2, LEN4 = 3 };

static u64 words[4] __attribute__((aligned(32)));

static void set_dr7(u64 value)
{
    __asm__ volatile("mov %0, %%dr7" ::"r"(value | 0x400));
}

static void set_dr6(u64 value)
{
    __asm__ volatile("mov %0, %%dr6" ::"r"(value));
}

static u64 dr6(void)
{
    u64 value;

    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

/* Breakpoint 0, globally enabled. */
static void arm(u64 address, u32 condition, u32 length)
{
    set_dr6(0);
    __asm__ volatile("mov %0, %%dr0" ::"r"(address));
    set_dr7(2 | condition << 16 | length << 18);
}

static void disarm(void)
{
    set_dr7(0);
}

static void set_cr4(u64 set, u64 clear)
{
    u64 cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" ::"r"((cr4 | set) & ~clear) : "memory");
}

extern const u8 bp_at[], rf_at[], step_at[];

static void test_instruction(void)
{
    arm((u64)bp_at, EXECUTE, LEN1);
    EXPECT_FAULT("instruction breakpoint", 1, 0, "nop; bp_at: nop; nop",
                 "b"(0));
    check("a fault: RIP of the instruction", (u64)bp_at, seen.rip);
    check("RF is not pushed", 0, seen.rflags & 0x10000);
    check("B0", 0xffff0ff1, dr6());
    arm((u64)rf_at, EXECUTE, LEN1);
    EXPECT_NO_FAULT("IRET with RF passes over it",
                    "mov %%rsp, %%rax; push $0; push %%rax; push $0x10002\n"
                    "push $0x30; push $rf_at; iretq; ud2; rf_at: nop",
                    "b"(0));
    EXPECT_FAULT("but only once", 1, 0,
                 "mov %%rsp, %%rax; push $0; push %%rax; push $0x10002\n"
                 "push $0x30; push $1f; iretq; 1: nop; jmp *%%rbx",
                 "b"(rf_at));
    disarm();
    EXPECT_NO_FAULT("not when disabled", "nop; nop", "b"(0));
}

#define DATA(what, wanted, text)                                               \
    do {                                                                       \
        (void)RUN(text, "S"(words));                                           \
        check(what, wanted, seen.vector);                                      \
    } while (0)

static void test_data(void)
{
    arm((u64)words, WRITE, LEN4);
    DATA("write", 1, "movl $1, (%%rsi); nop");
    check("a trap: it was written", 1, words[0] & 0xffffffff);
    check("B0", 1, dr6() & 0xf);
    DATA("read of a write breakpoint", 256, "mov (%%rsi), %%eax; nop");
    DATA("write of one byte inside", 1, "movb $1, 3(%%rsi); nop");
    DATA("write behind it", 256, "movb $1, 4(%%rsi); nop");
    DATA("read, modify, write", 1, "addl $1, (%%rsi); nop");
    DATA("push", 1, "lea 8(%%rsi), %%rsp; push %%rax; nop");
    DATA("string store", 1,
         "mov %%rsi, %%rdi; push %%rdi; mov $2, %%ecx; rep stosb; pop %%rdi");
    arm((u64)words, ACCESS, LEN8);
    DATA("read", 1, "mov (%%rsi), %%eax; nop");
    DATA("read that ends inside", 1, "mov -3(%%rsi), %%eax; nop");
    DATA("read of bytes 7 and 8", 1, "movw 7(%%rsi), %%ax; nop");
    DATA("no access", 256, "lea (%%rsi), %%rax; nop");
    DATA("a comparison reads", 1, "cmpb $0, 5(%%rsi); nop");
    disarm();
    DATA("disarmed", 256, "movl $1, (%%rsi); nop");
}

static void test_port(void)
{
    set_cr4(DE, 0);
    arm(0x80, PORT, LEN1);
    EXPECT_FAULT("port breakpoint", 1, 0, "out %%al, $0x80; nop", "b"(0));
    EXPECT_FAULT("IN", 1, 0, "in $0x80, %%al; nop", "b"(0));
    EXPECT_NO_FAULT("another port", "out %%al, $0x81; nop", "b"(0));
    disarm();
    EXPECT_FAULT("DR4 with CR4.DE", 6, 0, "mov %%dr4, %%rax", "b"(0));
    EXPECT_FAULT("DR5 with CR4.DE", 6, 0, "mov %%rax, %%dr5", "b"(0));
    set_cr4(0, DE);
    set_dr6(0);
    check("DR4 is DR6", 0xffff0ff0,
          RUN(".byte 0x0f, 0x21, 0xe0", "b"(0)) & 0xffffffff);
    check("DR5 is DR7", 0x400,
          RUN(".byte 0x0f, 0x21, 0xe8", "b"(0)) & 0xffffffff);
}

static void test_registers(void)
{
    set_dr6(0);
    set_dr7(GD);
    EXPECT_FAULT("general detect", 1, 0, "mov %%dr0, %%rax", "b"(0));
    check("BD", BD, dr6() & BD);
    check("GD was cleared", 0x400, RUN("mov %%dr7, %%rax", "b"(0)) & 0xffff);
    EXPECT_FAULT("DR7 above 32 bits", 13, 0, "mov %%rsi, %%dr7",
                 "S"(1UL << 32 | 0x400));
    EXPECT_FAULT("DR6 above 32 bits", 13, 0, "mov %%rsi, %%dr6",
                 "S"(1UL << 32));
    set_dr6(0xffffffff);
    check("bits of DR6 that can be set", 0xffffeff, dr6() >> 4 & 0xffffeff);
}

/* Steps until the text ends; counts them. */
u64 num_steps, step_rips[8];
__asm__("step_handler:\n"
        "push %rax\n push %rbx\n"
        "mov num_steps, %rbx\n and $7, %ebx\n"
        "mov 16(%rsp), %rax\n mov %rax, step_rips(, %rbx, 8)\n"
        "incq num_steps\n pop %rbx\n pop %rax\n iretq\n");
extern const u8 step_handler[];

static void set_handler(u32 vector, const u8 *handler)
{
    u64 offset = (u64)handler;

    idt[2 * vector] = (offset & 0xffffU) | (u64)KERNEL_CODE << 16 |
                      0x8eULL << 40 | (offset >> 16 & 0xffff) << 48;
}

#define STEPS(text)                                                            \
    ({                                                                         \
        num_steps = 0;                                                         \
        __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq\n" text           \
                         "\n pushfq; andl $~0x100, (%%rsp); popfq" ::          \
                             : "memory", "cc", "rax", "rcx", "rdi", "rsi");    \
        num_steps - 3; /* PUSHF, AND, POPF */                                  \
    })

static void test_single_step(void)
{
    set_handler(1, step_handler);
    set_dr6(0);
    check("three instructions", 3, STEPS("nop; nop; nop"));
    check("BS", BS, dr6() & BS);
    check("POPF that sets TF does not trap", (u64)step_at,
          (STEPS("nop; step_at: nop"), step_rips[0]));
    check("each element of a repeated string", 6,
          STEPS("mov $words, %%edi; mov $4, %%ecx; rep stosb"));
    check("REP with a count of zero", 2, STEPS("xor %%ecx, %%ecx; rep movsb"));
    check("MOV SS and the next one are one step", 2,
          STEPS("mov %%ss, %%eax; mov %%eax, %%ss; nop"));
    check("a taken branch", 1, STEPS("jmp 1f; nop; 1:"));
    set_handler(1, fault_stubs + 16);
}

static void test_main(void)
{
    set_cr4(0, DE);
    test_instruction();
    test_data();
    test_port();
    test_registers();
    test_single_step();
}
