/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual-8086 mode: entry by IRET, exceptions and interrupts out of it with
 * their long frame, IOPL, the I/O bitmap, 16-bit addressing and limits.
 * QEMU's TCG does not check segment limits: there, "limit" fails.
 */
#include "kernel_rt.h"

enum { VM = 1 << 17, IOPL3 = 3 << 12, V86_BASE = 0x8000 };

/* ESP is V86's own; what the frame holds is read from the kernel's stack. */
__asm__(".text\n.code16\n.align 16\n"
        "v86_start:\n"
        "v86_int: int $0x81\n"
        "v86_int3: int3\n"
        "v86_int82: int $0x82\n"
        "v86_hlt: hlt\n"
        "v86_cli: cli\n int $0x81\n"
        "v86_pushf: pushf\n int $0x81\n"
        "v86_popf: pushw $0x3202\n popf\n pushf\n pop %ax\n int $0x81\n"
        "v86_iret: pushw $0x2\n pushw $0x800\n"
        "pushw $(1f - v86_start)\n iret\n 1: int $0x81\n"
        "v86_in: in $0x20, %al\n int $0x81\n"
        "v86_in_ok: in $0x80, %al\n int $0x81\n"
        "v86_in_word: in $0x80, %ax\n int $0x81\n"
        "v86_cr0: mov %cr0, %eax\n"
        "v86_lar: lar %ax, %ax\n"
        "v86_far: lcall $0x801, $(far86 - v86_start - 16)\n int $0x81\n"
        "far86: mov %cs, %bx\n lret\n"
        "v86_ds: mov $0x700, %ax\n mov %ax, %ds\n movw $0x1234, 0x10\n"
        "int $0x81\n"
        "v86_limit: mov 0xffff, %ax\n"
        "v86_sgdt: sgdt 0\n int $0x81\n"
        "v86_lgdt: lgdt 0\n"
        "v86_end:\n"
        ".code32\n"
        /* EAX: EFLAGS, EDX: IP.  Leaves through leave_v86. */
        "enter_v86: pusha\n mov %esp, kernel_esp\n"
        "push $0x4400\n push $0x3300\n push $0x2200\n push $0x1100\n"
        "push $0x0500\n push $0xf00\n push %eax\n push $0x800\n push %edx\n"
        "iret\n"
        "leave_v86: mov kernel_esp, %esp\n popa\n ret\n"
        ".data\nkernel_esp: .long 0\n.text\n");
extern const u8 v86_start[], v86_end[], v86_int[], v86_int3[], v86_int82[],
    v86_hlt[], v86_cli[], v86_pushf[], v86_popf[], v86_iret[], v86_in[],
    v86_in_ok[], v86_in_word[], v86_cr0[], v86_lar[], v86_far[], v86_ds[],
    v86_limit[], v86_sgdt[], v86_lgdt[], enter_v86[];
extern void leave_v86(void);

static u16 ds_in_handler;

static void end_v86(void)
{
    on_fault = 0;
    leave_v86();
}

static u32 ip_of(const u8 *label)
{
    return (u32)(label - v86_start);
}

/* The frame's word @n, counted from its end: 1 is GS, 9 is EIP. */
static u32 frame(u32 n)
{
    return *(volatile u32 *)(ring0_stack + sizeof ring0_stack - 4 * n);
}

static void run_v86(const u8 *label, u32 flags)
{
    fault_vector = 256;
    fault_error = 0;
    on_fault = end_v86;
    __asm__ volatile("call enter_v86" ::"a"(flags | VM | 2), "d"(ip_of(label))
                     : "memory", "cc");
}

static void expect(const char *what, const u8 *label, u32 flags, u32 vector,
                   u32 error)
{
    run_v86(label, flags);
    check(what, vector, fault_vector);
    check(what, error, fault_error);
}

static void test_frame(void)
{
    expect("INT with IOPL 3", v86_int, IOPL3, 0x81, 0);
    check("EIP is behind INT", ip_of(v86_int) + 2, frame(9));
    check("CS", 0x800, frame(8));
    check("VM in the frame", VM | IOPL3 | 2, frame(7) & (VM | IOPL3 | 2));
    check("ESP", 0xf00, frame(6));
    check("SS", 0x500, frame(5));
    check("ES", 0x1100, frame(4));
    check("DS", 0x2200, frame(3));
    check("FS", 0x3300, frame(2));
    check("GS", 0x4400, frame(1));
    __asm__ volatile("mov %%fs, %0" : "=r"(ds_in_handler));
    check("FS is null in the handler", 0, ds_in_handler);
    check("VM is clear in the handler", 0, ({
              u32 flags;
              __asm__ volatile("pushf; pop %0" : "=r"(flags));
              flags &VM;
          }));
}

static void test_iopl(void)
{
    expect("INT with IOPL 0", v86_int, 0, 13, 0);
    check("EIP is that of INT", ip_of(v86_int), fault_eip);
    expect("INT through a kernel's gate", v86_int82, IOPL3, 13, 0x82 * 8 + 2);
    check("EIP is that of INT", ip_of(v86_int82), fault_eip);
    expect("INT3 with IOPL 0", v86_int3, 0, 3, 0);
    check("EIP is behind INT3", ip_of(v86_int3) + 1, fault_eip);
    expect("HLT", v86_hlt, IOPL3, 13, 0);
    expect("CLI with IOPL 0", v86_cli, 0, 13, 0);
    expect("CLI with IOPL 3", v86_cli, IOPL3 | 0x200, 0x81, 0);
    check("IF is clear", 0, frame(7) & 0x200);
    expect("PUSHF with IOPL 0", v86_pushf, 0, 13, 0);
    expect("PUSHF with IOPL 3", v86_pushf, IOPL3, 0x81, 0);
    expect("POPF with IOPL 0", v86_popf, 0, 13, 0);
    check("IP behind the PUSH", ip_of(v86_popf) + 3, fault_eip);
    expect("POPF with IOPL 3", v86_popf, IOPL3, 0x81, 0);
    check("VM stays", VM, frame(7) & VM);
    check("POPF sets IF", 0x200, frame(7) & 0x200);
    expect("IRET with IOPL 0", v86_iret, 0, 13, 0);
    expect("IRET with IOPL 3", v86_iret, IOPL3, 0x81, 0);
    check("VM and IOPL stay", VM | IOPL3, frame(7) & (VM | IOPL3));
}

static void test_ports(void)
{
    main_tss.bitmap[0x80 / 8] = 0xfe;
    expect("IN that the bitmap forbids, with IOPL 3", v86_in, IOPL3, 13, 0);
    expect("IN that the bitmap allows", v86_in_ok, 0, 13, 0);
    check("it was executed", ip_of(v86_in_ok) + 2, fault_eip);
    expect("IN of two ports of which one is forbidden", v86_in_word, 0, 13, 0);
    check("it was not executed", ip_of(v86_in_word), fault_eip);
}

static void test_instructions(void)
{
    expect("MOV from CR0", v86_cr0, IOPL3, 13, 0);
    expect("LAR", v86_lar, IOPL3, 6, 0);
    expect("LGDT", v86_lgdt, IOPL3, 13, 0);
    expect("far call and return", v86_far, IOPL3, 0x81, 0);
    expect("store through DS", v86_ds, IOPL3, 0x81, 0);
    check("a segment is sixteen bytes times its selector", 0x1234,
          *(volatile u16 *)0x7010);
    expect("limit of 64 KiB", v86_limit, IOPL3, 13, 0);
    expect("SGDT", v86_sgdt, IOPL3, 0x81, 0);
}

static void test_main(void)
{
    u8 *to = (u8 *)V86_BASE;

    for (const u8 *from = v86_start; from < v86_end; from++)
        *to++ = *from;
    idt[0x81] = gate(KERNEL_CODE, stub(0x81), 0xee);
    test_frame();
    test_iopl();
    test_ports();
    test_instructions();
}
