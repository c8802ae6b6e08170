/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real mode: the vector table, interrupts and their frames, far calls, limits
 * of 64 KiB, "unreal" segments, the open A20 gate.
 *
 * The 16-bit part is copied to 0x8000 and leaves its results behind itself.
 * QEMU's TCG does not check segment limits: there, the checks named "limit"
 * fail.
 */
#include "kernel_rt.h"

enum { CODE16 = SPARE, DATA16 = SPARE + 8, FLAT = KERNEL_DATA };
enum { REAL_BASE = 0x8000, NUM_RESULTS = 64 };

/* R n, reg: the result of check n.  Everything is addressed from real_start,
 * which is where CS begins. */
__asm__(".text\n.code16\n.align 16\n"
        ".set here, 0\n"
        "real_start:\n"
        ".macro R n, reg\n"
        "mov \\reg, %cs:(results - real_start + 2 * \\n)\n"
        ".endm\n"
        ".macro SEEN n\n" /* vector, where it came from */
        "mov %cs:(seen - real_start), %ax\n R \\n, %ax\n"
        "mov %cs:(seen_ip - real_start), %ax\n R (\\n + 1), %ax\n"
        "movw $0xffff, %cs:(seen - real_start)\n"
        ".endm\n"
        ".macro RESUME label\n"
        "movw $(\\label - real_start), %cs:(resume - real_start)\n"
        ".endm\n"
        ".macro HANDLER vector\n"
        "handler_\\vector:\n"
        "movw $\\vector, %cs:(seen - real_start)\n"
        "jmp handle\n"
        ".endm\n"
        ".macro VECTOR vector\n"
        "movw $(handler_\\vector - real_start), %es:(4 * \\vector)\n"
        "movw %cs, %es:(4 * \\vector + 2)\n"
        ".endm\n"
        /* From 16-bit protected mode. */
        "mov %cr0, %eax\n and $0xfffffffe, %eax\n mov %eax, %cr0\n"
        "ljmp $0x800, $(real_entry - real_start)\n"
        "real_entry:\n"
        "xor %ax, %ax\n mov %ax, %ss\n mov $0x7000, %sp\n"
        "mov %ax, %ds\n mov %ax, %es\n"
        "lidtl %cs:(real_idtr - real_start)\n"
        "VECTOR 0\n VECTOR 1\n VECTOR 6\n VECTOR 13\n VECTOR 64\n"
        "movw $0xffff, %cs:(seen - real_start)\n"
        /* 0: INT n */
        "sti\n int $64\n after_int: cli\n"
        "SEEN 0\n mov %cs:(seen_cs - real_start), %ax\n R 2, %ax\n"
        "mov %cs:(seen_flags - real_start), %ax\n R 3, %ax\n"
        "mov %cs:(inside_flags - real_start), %ax\n R 4, %ax\n"
        "R 5, %sp\n"
        /* 6: far call and return */
        "lcall $0x800, $(far_target - real_start)\n"
        "after_far: R 6, %ax\n R 7, %bx\n R 8, %sp\n"
        /* 9: faults push the address of the instruction */
        "RESUME 1f\n xor %cx, %cx\n div_at: div %cx\n 1: SEEN 9\n"
        "RESUME 1f\n ud_at: ud2\n 1: SEEN 11\n"
        /* 13: instructions of protected mode */
        "RESUME 1f\n str %ax\n 1: SEEN 13\n"
        "RESUME 1f\n lar %ax, %ax\n 1: SEEN 15\n"
        /* 17: limit of 64 KiB */
        "RESUME 1f\n limit_at: mov 0xffff, %ax\n 1: SEEN 17\n"
        "RESUME 1f\n xor %ebx, %ebx\n mov $0x10000, %ebx\n"
        "movb (%ebx), %al\n 1: SEEN 19\n"
        "mov $0xffff, %bx\n movb (%bx), %al\n SEEN 21\n"
        /* 23: the stack pointer wraps */
        "xor %sp, %sp\n push %ax\n R 23, %sp\n mov $0x7000, %sp\n"
        /* 24: single step */
        "RESUME 0f\n 0:\n"
        "movw $0, %cs:(resume - real_start)\n"
        "pushf\n pop %ax\n or $0x100, %ax\n push %ax\n popf\n nop\n"
        "stepped: nop\n SEEN 24\n"
        /* 26: unreal mode: FS reaches everything */
        "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
        "mov $0x10, %bx\n mov %bx, %fs\n"
        "and $0xfe, %al\n mov %eax, %cr0\n"
        "mov $big_word, %ebx\n"
        "mov %fs:(%ebx), %ax\n R 26, %ax\n SEEN 27\n"
        "mov %fs, %ax\n R 29, %ax\n"
        /* 30: loading a selector keeps the limit */
        "xor %ax, %ax\n mov %ax, %fs\n mov %fs:(%ebx), %ax\n R 30, %ax\n"
        "SEEN 31\n"
        /* 33: no wrap at 1 MiB */
        "mov $0xffff, %ax\n mov %ax, %gs\n"
        "movw $0x1111, %es:0x0600\n"
        "mov $0x100600, %ebx\n movw $0x2222, %fs:(%ebx)\n"
        "mov %gs:0x0610, %ax\n R 33, %ax\n mov %es:0x0600, %ax\n R 34, %ax\n"
        /* 35: IRET with 32-bit operands */
        "pushfl\n pushl $0x800\n pushl $(1f - real_start)\n iretl\n"
        "1: R 35, %sp\n"
        /* 36: another vector table */
        "movw $(handler_64 - real_start), %es:(0x6000 + 4 * 65)\n"
        "movw %cs, %es:(0x6000 + 4 * 65 + 2)\n"
        "lidtl %cs:(other_idtr - real_start)\n int $65\n"
        "SEEN 36\n lidtl %cs:(real_idtr - real_start)\n"
        /* 38: privileged instructions are allowed, POPF sets IOPL and NT */
        "push $0x7002\n popf\n pushf\n pop %ax\n R 38, %ax\n"
        "push $2\n popf\n smsw %ax\n R 39, %ax\n"
        /* 40: POP SS keeps the next instruction together */
        "pushw $0x100\n pop %ss\n mov $0x5000, %sp\n mov %ss, %ax\n R 40, %ax\n"
        /* Back to protected mode. */
        "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
        "ljmpl $0x08, $real_done\n"
        "far_target: mov %sp, %bp\n mov (%bp), %ax\n mov 2(%bp), %bx\n lret\n"
        "HANDLER 0\n HANDLER 1\n HANDLER 6\n HANDLER 13\n HANDLER 64\n"
        "handle: push %bp\n mov %sp, %bp\n push %ax\n"
        "pushf\n pop %cs:(inside_flags - real_start)\n"
        "mov 2(%bp), %ax\n mov %ax, %cs:(seen_ip - real_start)\n"
        "mov 4(%bp), %ax\n mov %ax, %cs:(seen_cs - real_start)\n"
        "mov 6(%bp), %ax\n mov %ax, %cs:(seen_flags - real_start)\n"
        "andw $0xfeff, 6(%bp)\n"
        "mov %cs:(resume - real_start), %ax\n test %ax, %ax\n jz 1f\n"
        "mov %ax, 2(%bp)\n 1: movw $0, %cs:(resume - real_start)\n"
        "pop %ax\n pop %bp\n iret\n"
        ".align 4\n"
        "real_idtr: .word 0x3ff\n .long 0\n"
        "other_idtr: .word 0x3ff\n .long 0x6000\n"
        "seen: .word 0xffff\n seen_ip: .word 0\n seen_cs: .word 0\n"
        "seen_flags: .word 0\n inside_flags: .word 0\n resume: .word 0\n"
        "results: .skip 128\n"
        "real_end:\n"
        ".code32\n"
        "real_done: mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n"
        "mov %eax, %fs\n mov %eax, %gs\n mov %eax, %ss\n"
        "mov real_esp, %esp\n lidt real_back_idtr\n popa\n ret\n"
        "go_real: pusha\n mov %esp, real_esp\n sidt real_back_idtr\n"
        "mov $0x38, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %fs\n"
        "mov %eax, %gs\n mov %eax, %ss\n ljmp $0x30, $0\n"
        ".data\nreal_esp: .long 0\nreal_back_idtr: .skip 8\n"
        "big_word: .word 0x4b1d\n.text\n");
extern const u8 real_start[], real_end[], results[], after_int[], after_far[],
    div_at[], ud_at[], limit_at[], stepped[];
extern void go_real(void);

static u16 offset_of(const u8 *label)
{
    return (u16)(label - real_start);
}

static void run_real(void)
{
    u8 *to = (u8 *)REAL_BASE;

    gdt[CODE16 / 8] = descriptor(REAL_BASE, 0xffff, 0x9b, 0);
    gdt[DATA16 / 8] = descriptor(0, 0xffff, 0x93, 0);
    for (const u8 *from = real_start; from < real_end; from++)
        *to++ = *from;
    go_real();
}

static void test_main(void)
{
    const volatile u16 *r;

    run_real();
    r = (const volatile u16 *)(REAL_BASE + offset_of(results));
    check("INT n: vector", 64, r[0]);
    check("INT n pushes the next address", offset_of(after_int), r[1]);
    check("INT n pushes CS", REAL_BASE / 16, r[2]);
    check("INT n pushes the flags", 0x202, r[3] & 0xf22);
    check("IF is clear in the handler", 0, r[4] & 0x200);
    check("IRET pops three words", 0x7000, r[5]);
    check("far call pushes IP", offset_of(after_far), r[6]);
    check("far call pushes CS", REAL_BASE / 16, r[7]);
    check("far return", 0x7000, r[8]);
    check("DIV by zero", 0, r[9]);
    check("#DE pushes the address of DIV", offset_of(div_at), r[10]);
    check("UD2", 6, r[11]);
    check("#UD pushes the address of UD2", offset_of(ud_at), r[12]);
    check("STR is undefined", 6, r[13]);
    check("LAR is undefined", 6, r[15]);
    check("limit: a word at 0xffff", 13, r[17]);
    check("limit: its address", offset_of(limit_at), r[18]);
    check("limit: offset 0x10000", 13, r[19]);
    check("a byte at 0xffff", 0xffff, r[21]);
    check("SP wraps", 0xfffe, r[23]);
    check("single step", 1, r[24]);
    check("single step behind one instruction", offset_of(stepped), r[25]);
    check("unreal mode reads beyond 1 MiB", 0x4b1d, r[26]);
    check("without a fault", 0xffff, r[27]);
    check("the selector of protected mode stays", FLAT, r[29]);
    check("a new selector keeps the limit", 0x4b1d, r[30]);
    check("without a fault", 0xffff, r[31]);
    check("FFFF:0610 is above 1 MiB", 0x2222, r[33]);
    check("and not at 0x600", 0x1111, r[34]);
    check("32-bit IRET pops twelve bytes", 0x7000, r[35]);
    check("LIDT moves the vector table", 64, r[36]);
    check("POPF sets IOPL and NT", 0x7002, r[38] & 0x7002);
    check("SMSW without PE", 0, r[39] & 1);
    check("POP SS", 0x100, r[40]);
}
