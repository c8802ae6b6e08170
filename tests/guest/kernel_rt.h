/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Run time of the small kernels in tests/guest/kernel.  Each is one C file for
 * 32-bit protected mode that includes this header and defines `test_main`.
 *
 * A test raises an exception with EXPECT_FAULT: the handler records vector,
 * error code and CR2 and resumes at the label behind the instruction.
 */
#ifndef GUEST_KERNEL_RT_H
#define GUEST_KERNEL_RT_H

#include "kernel_io.h"

static void test_main(void);

/* ------------------------------------------------------------- descriptors */

struct __attribute__((packed)) table_reg {
    u16 limit;
    u32 base;
};

struct __attribute__((packed)) tss32 {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, iomap;
    u8 bitmap[32 + 1]; /* ports 0 to 255 */
};

enum selectors {
    KERNEL_CODE = 0x08,
    KERNEL_DATA = 0x10,
    USER_CODE = 0x1b,
    USER_DATA = 0x23,
    MAIN_TSS = 0x28,
    SPARE = 0x30, /* and up: for tests */
};

static u64 gdt[32] __attribute__((aligned(16)));
static u64 idt[256] __attribute__((aligned(16)));
static struct tss32 main_tss __attribute__((aligned(128)));
static u8 ring0_stack[8192] __attribute__((aligned(16)));

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
    return (limit & 0xffffULL) | (u64)(base & 0xffffff) << 16 |
           (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 |
           (u64)flags << 52 | (u64)(base >> 24) << 56;
}

static u64 gate(u16 selector, const void *handler, u32 access)
{
    u32 offset = (u32)handler;

    return (offset & 0xffffU) | (u64)selector << 16 | (u64)access << 40 |
           (u64)(offset >> 16) << 48;
}

/* -------------------------------------------------------------- exceptions */

/* What the last exception looked like; vector 256: none since it was reset. */
static volatile u32 fault_vector = 256, fault_error, fault_eip, fault_cr2;
static volatile u32 fault_cs, fault_eflags, fault_esp, fault_ss;
static volatile u32 resume_eip;         /* 0: go on where the frame says */
static void (*volatile on_fault)(void); /* called by the handler if set */

struct frame {
    u32 edi, esi, ebp, skip_esp, ebx, edx, ecx, eax;
    u32 vector, error, eip, cs, eflags, esp, ss;
};

__attribute__((used)) static void handle_fault(struct frame *frame)
{
    fault_vector = frame->vector;
    fault_error = frame->error;
    fault_eip = frame->eip;
    fault_cs = frame->cs;
    fault_eflags = frame->eflags;
    if (frame->cs & 3) {
        fault_esp = frame->esp;
        fault_ss = frame->ss;
    }
    __asm__ volatile("mov %%cr2, %0" : "=r"(fault_cr2));
    if (resume_eip)
        frame->eip = resume_eip;
    resume_eip = 0;
    frame->eflags &= ~0x100U; /* TF */
    if (on_fault)
        on_fault();
}

/* 256 stubs of 16 bytes: push an error code if the CPU did not, push the
 * vector, join. */
__asm__(".text\n"
        ".align 16\n"
        "fault_stubs:\n"
        ".set vector, 0\n"
        ".rept 256\n"
        ".align 16\n"
        ".if (vector == 8) || ((vector >= 10) && (vector <= 14)) || "
        "(vector == 17)\n"
        ".else\n"
        "push $0\n"
        ".endif\n"
        "push $vector\n"
        "jmp fault_common\n"
        ".set vector, vector + 1\n"
        ".endr\n"
        "fault_common:\n"
        "pusha\n"
        "mov $0x10, %eax\n"
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "cld\n"
        "push %esp\n"
        "call handle_fault\n"
        "add $4, %esp\n"
        "mov 8*4+12(%esp), %eax\n" /* CS of the frame */
        "test $3, %al\n"
        "jz 1f\n"
        "mov $0x23, %eax\n"
        "mov %eax, %ds\n"
        "mov %eax, %es\n"
        "1: popa\n"
        "add $8, %esp\n"
        "iret\n");
extern const u8 fault_stubs[];

static const void *stub(u32 vector)
{
    return fault_stubs + 16 * vector;
}

/* Run assembly that is to fault; afterwards look at fault_vector and so on.
 * Inputs go to EBX, ESI or EDI; EAX, ECX and EDX are free. */
#define RUN(text, ...)                                                         \
    do {                                                                       \
        fault_vector = 256;                                                    \
        fault_error = 0;                                                       \
        __asm__ volatile("movl $77f, %[resume]\n" text "\n77:"                 \
                         : [resume] "=m"(resume_eip)                           \
                         : __VA_ARGS__                                         \
                         : "memory", "cc", "eax", "ecx", "edx");               \
        resume_eip = 0;                                                        \
    } while (0)

#define EXPECT_FAULT(what, vector, error, text, ...)                           \
    do {                                                                       \
        RUN(text, __VA_ARGS__);                                                \
        check(what " (vector)", vector, fault_vector);                         \
        check(what " (error code)", error, fault_error);                       \
    } while (0)
#define EXPECT_NO_FAULT(what, text, ...)                                       \
    do {                                                                       \
        RUN(text, __VA_ARGS__);                                                \
        check(what, 256, fault_vector);                                        \
    } while (0)

static void set_up_tables(void)
{
    const struct table_reg gdtr = {sizeof gdt - 1, (u32)gdt};
    const struct table_reg idtr = {sizeof idt - 1, (u32)idt};

    gdt[1] = descriptor(0, 0xfffff, 0x9b, 0xc);
    gdt[2] = descriptor(0, 0xfffff, 0x93, 0xc);
    gdt[3] = descriptor(0, 0xfffff, 0xfb, 0xc);
    gdt[4] = descriptor(0, 0xfffff, 0xf3, 0xc);
    main_tss.ss0 = KERNEL_DATA;
    main_tss.esp0 = (u32)ring0_stack + sizeof ring0_stack;
    main_tss.iomap = (u16) __builtin_offsetof(struct tss32, bitmap);
    for (u32 i = 0; i < sizeof main_tss.bitmap; i++)
        main_tss.bitmap[i] = 0xff;
    gdt[5] = descriptor((u32)&main_tss, sizeof main_tss - 1, 0x89, 0);
    for (u32 vector = 0; vector < 256; vector++)
        idt[vector] = gate(KERNEL_CODE, stub(vector),
                           vector == 3 || vector == 4 ? 0xee : 0x8e);
    __asm__ volatile("lgdt %0\n"
                     "lidt %1\n"
                     "ljmp $0x08, $1f\n"
                     "1: mov %2, %%ds\n"
                     "mov %2, %%es\n"
                     "mov %2, %%fs\n"
                     "mov %2, %%gs\n"
                     "mov %2, %%ss\n"
                     "ltr %w3" ::"m"(gdtr),
                     "m"(idtr), "r"(KERNEL_DATA), "r"(MAIN_TSS));
}

__attribute__((used)) static void kernel_main(void)
{
    set_up_tables();
    test_main();
    finish();
}

__asm__(".section .multiboot, \"a\"\n"
        ".align 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n"
        ".text\n"
        ".globl _start\n"
        "_start:\n"
        "mov $boot_stack_top, %esp\n"
        "push $0\n"
        "popf\n"
        "call kernel_main\n"
        ".bss\n"
        ".align 16\n"
        ".skip 16384\n"
        "boot_stack_top:\n"
        ".text\n");

#endif
