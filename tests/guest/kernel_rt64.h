/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Run time of the 64-bit kernels in tests/guest/kernel: starts in 32-bit
 * protected mode, maps the first GiB one to one with 2 MiB supervisor pages,
 * enters long mode and calls `test_main`.
 *
 * A test raises an exception with EXPECT_FAULT: the handler records it and
 * resumes at the label behind the instruction, at CPL 0 on the stack that the
 * test had.
 */
#ifndef GUEST_KERNEL_RT64_H
#define GUEST_KERNEL_RT64_H

#include "kernel_io.h"

static void test_main(void);

struct __attribute__((packed)) table_reg64 {
    u16 limit;
    u64 base;
};

struct __attribute__((packed)) tss64 {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, iomap;
};

enum selectors {
    CODE32 = 0x08,
    KERNEL_DATA = 0x10,
    USER_CODE32 = 0x1b,
    USER_DATA = 0x23,
    USER_CODE = 0x2b,
    KERNEL_CODE = 0x30,
    KERNEL_DATA2 = 0x38, /* behind KERNEL_CODE, for SYSCALL */
    MAIN_TSS = 0x40,     /* 16 bytes */
    SPARE = 0x50,
};

enum pte {
    P = 1,
    W = 2,
    U = 4,
    A = 0x20,
    D = 0x40,
    PS = 0x80,
};
#define NX (1ULL << 63)

/* Used by the start-up code, hence not static. */
u64 gdt[32] __attribute__((aligned(16)));
u64 pml4[512] __attribute__((aligned(4096)));
u64 pdpt[512] __attribute__((aligned(4096)));
u64 low_directory[512] __attribute__((aligned(4096)));
static u64 idt[512] __attribute__((aligned(16)));
static struct tss64 tss;
u8 stack0[4096] __attribute__((aligned(16)));
static u8 ist_stack[4096] __attribute__((aligned(16)));

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
    return (limit & 0xffffULL) | (u64)(base & 0xffffff) << 16 |
           (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 |
           (u64)flags << 52 | (u64)(base >> 24) << 56;
}

/* -------------------------------------------------------------- exceptions */

struct seen {
    u64 vector, error, rip, cs, rflags, rsp, ss, cr2, handler_rsp;
};
struct seen seen; /* the last exception; vector 256: none */
u64 resume_rip, resume_rsp;

__asm__(".text\n.align 16\n"
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
        "push %rax\n"
        "lea 8(%rsp), %rax\n mov %rax, seen + 64\n"
        "mov 8(%rsp), %rax\n mov %rax, seen\n"
        "mov 16(%rsp), %rax\n mov %rax, seen + 8\n"
        "mov 24(%rsp), %rax\n mov %rax, seen + 16\n"
        "mov 32(%rsp), %rax\n mov %rax, seen + 24\n"
        "mov 40(%rsp), %rax\n mov %rax, seen + 32\n"
        "mov 48(%rsp), %rax\n mov %rax, seen + 40\n"
        "mov 56(%rsp), %rax\n mov %rax, seen + 48\n"
        "mov %cr2, %rax\n mov %rax, seen + 56\n"
        "pop %rax\n"
        "mov resume_rsp, %rsp\n"
        "push $0\n mov (%rsp), %ss\n add $8, %rsp\n"
        "push $2\n popfq\n"
        "jmp *resume_rip\n");
extern const u8 fault_stubs[];

/* Run assembly that may fault.  Inputs go to RBX, RSI or RDI; RAX, RCX, RDX
 * and R8 to R11 are free.  The result is what it leaves in RAX. */
#define RUN(text, ...)                                                         \
    ({                                                                         \
        u64 result;                                                            \
        seen = (struct seen){.vector = 256};                                   \
        __asm__ volatile("movq $77f, resume_rip\n"                             \
                         "movq %%rsp, resume_rsp\n" text "\n77:"               \
                         : "=a"(result)                                        \
                         : __VA_ARGS__                                         \
                         : "memory", "cc", "rcx", "rdx", "r8", "r9", "r10",    \
                           "r11");                                             \
        result;                                                                \
    })

#define EXPECT_FAULT(what, vector_, error_, text, ...)                         \
    do {                                                                       \
        (void)RUN(text, __VA_ARGS__);                                          \
        check(what " (vector)", vector_, seen.vector);                         \
        check(what " (error code)", error_, seen.error);                       \
    } while (0)
#define EXPECT_NO_FAULT(what, text, ...)                                       \
    do {                                                                       \
        (void)RUN(text, __VA_ARGS__);                                          \
        check(what, 256, seen.vector);                                         \
    } while (0)

static void set_gate(u32 vector, u32 access, u32 ist)
{
    u64 offset = (u64)(fault_stubs + 16 * vector);

    idt[2 * vector] = (offset & 0xffffU) | (u64)KERNEL_CODE << 16 |
                      (u64)ist << 32 | (u64)access << 40 |
                      (offset >> 16 & 0xffff) << 48;
    idt[2 * vector + 1] = offset >> 32;
}

static inline u64 rdmsr(u32 index)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return low | (u64)high << 32;
}

static inline void wrmsr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(index), "a"((u32)value),
                     "d"((u32)(value >> 32)));
}

static inline void flush_tlb(void)
{
    u64 cr3;

    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3)::"memory");
}

__attribute__((used)) static void kernel_main(void)
{
    const struct table_reg64 idtr = {sizeof idt - 1, (u64)idt};

    gdt[3] = descriptor(0, 0xfffff, 0xfb, 0xc);
    gdt[4] = descriptor(0, 0xfffff, 0xf3, 0xc);
    gdt[5] = descriptor(0, 0xfffff, 0xfb, 0xa);
    gdt[7] = gdt[2];
    gdt[8] = descriptor((u32)(u64)&tss, sizeof tss - 1, 0x89, 0);
    tss.rsp[0] = (u64)stack0 + sizeof stack0;
    tss.ist[0] = (u64)ist_stack + sizeof ist_stack;
    tss.iomap = sizeof tss;
    for (u32 vector = 0; vector < 256; vector++)
        set_gate(vector, vector == 3 ? 0xee : 0x8e, 0);
    __asm__ volatile("lidt %0\n ltr %w1" ::"m"(idtr), "r"(MAIN_TSS));
    test_main();
    finish();
}

__asm__(".section .multiboot, \"a\"\n"
        ".align 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n"
        ".text\n"
        ".code32\n"
        ".globl _start\n"
        "_start:\n"
        "mov $boot_stack_top, %esp\n"
        "push $0\n popf\n"
        /* First GiB: 512 large pages. */
        "mov $low_directory, %edi\n"
        "mov $0x83, %eax\n"
        "mov $512, %ecx\n"
        "1: mov %eax, (%edi)\n movl $0, 4(%edi)\n"
        "add $0x200000, %eax\n add $8, %edi\n loop 1b\n"
        "movl $pdpt + 7, pml4\n"
        "movl $low_directory + 7, pdpt\n"
        /* GDT entries that the switch needs. */
        "movl $0x0000ffff, gdt + 8\n movl $0x00cf9b00, gdt + 12\n"
        "movl $0x0000ffff, gdt + 16\n movl $0x00cf9300, gdt + 20\n"
        "movl $0x0000ffff, gdt + 48\n movl $0x00af9b00, gdt + 52\n"
        "lgdt boot_gdtr\n"
        "mov $0x10, %eax\n"
        "mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
        "mov %cr4, %eax\n or $0x20, %eax\n mov %eax, %cr4\n"
        "mov $pml4, %eax\n mov %eax, %cr3\n"
        "mov $0xc0000080, %ecx\n mov $0x901, %eax\n xor %edx, %edx\n wrmsr\n"
        "mov %cr0, %eax\n or $0x80010000, %eax\n mov %eax, %cr0\n"
        "ljmp $0x30, $boot64\n"
        "boot_gdtr: .word 255\n .long gdt\n"
        ".code64\n"
        "boot64:\n"
        "xor %eax, %eax\n mov %eax, %ss\n"
        "call kernel_main\n"
        ".bss\n.align 16\n.skip 16384\nboot_stack_top:\n.text\n");

#endif
