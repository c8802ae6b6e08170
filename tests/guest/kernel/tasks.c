/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hardware tasks and transfers between segments: jumps, calls and interrupts
 * into 32-bit and 16-bit task segments, nesting, busy bits, faults that belong
 * to the new task; 16-bit protected mode, conforming code, 16-bit call gates.
 * QEMU's TCG does not check segment limits: there, "limit" fails.
 */
#include "kernel_rt.h"

enum {
    TASK = SPARE,
    TASK_GATE = SPARE + 0x08,
    TASK16 = SPARE + 0x10,
    CODE16 = SPARE + 0x18,
    CONFORMING = SPARE + 0x20,
    BAD_TASK = SPARE + 0x30,
    DATA16 = SPARE + 0x38,
    NT = 1 << 14,
    TS = 8,
};

struct __attribute__((packed)) tss16 {
    u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
    u16 ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

static struct tss32 task __attribute__((aligned(128)));
static struct tss16 task16 __attribute__((aligned(64)));
static u8 task_stack[4096] __attribute__((aligned(16)));
/* What the task saw. */
u32 task_runs, task_flags, task_link_busy, task_error, task_cr0, task_esp;

static u32 type_of(u32 selector)
{
    return gdt[selector / 8] >> 40 & 0xf;
}

/* Each switch into the task goes on behind its IRET. */
__asm__("task_entry:\n"
        "incl task_runs\n"
        "pushf\n popl task_flags\n"
        "mov %cr0, %eax\n mov %eax, task_cr0\n"
        "mov %esp, task_esp\n"
        "clts\n"
        "iret\n"
        "jmp task_entry\n"
        /* As the handler of a fault: with an error code. */
        "fault_task_entry:\n"
        "incl task_runs\n"
        "popl task_error\n"
        "mov resume_task, %eax\n mov %eax, main_eip_slot\n"
        "mov main_tss_address, %ecx\n mov %eax, 32(%ecx)\n"
        "iret\n"
        "jmp fault_task_entry\n"
        "jump_back: incl task_runs\n ljmp $0x28, $0\n jmp jump_back\n"
        ".data\nresume_task: .long 0\nmain_eip_slot: .long 0\n"
        "main_tss_address: .long 0\n.text\n");
extern const u8 task_entry[], fault_task_entry[], jump_back[];
extern u32 resume_task, main_tss_address;

static void make_task(const u8 *entry)
{
    task = (struct tss32){
        .eip = (u32)entry,
        .eflags = 2,
        .esp = (u32)task_stack + sizeof task_stack,
        .cs = KERNEL_CODE,
        .ss = KERNEL_DATA,
        .ds = KERNEL_DATA,
        .es = KERNEL_DATA,
        .iomap = sizeof task,
    };
    gdt[TASK / 8] = descriptor((u32)&task, sizeof task - 1, 0x89, 0);
    gdt[TASK_GATE / 8] = gate(TASK, 0, 0x85);
    task_runs = 0;
}

static void test_call(void)
{
    make_task(task_entry);
    __asm__ volatile("lcall $0x30, $0" ::: "eax", "ecx", "edx", "memory");
    check("a call ran the task", 1, task_runs);
    check("NT in the task", NT, task_flags & NT);
    check("TS was set", TS, task_cr0 & TS);
    check("its stack", (u32)task_stack + sizeof task_stack, task_esp);
    check("it links back", MAIN_TSS, task.link);
    check("it is available again", 9, type_of(TASK));
    check("we are busy", 11, type_of(MAIN_TSS));
    check("NT was cleared in its saved flags", 0, task.eflags & NT);
    __asm__ volatile("lcall $0x38, $0" ::: "eax", "ecx", "edx", "memory");
    check("a call through a task gate", 2, task_runs);
    idt[0x60] = gate(TASK, 0, 0x85);
    __asm__ volatile("int $0x60" ::: "eax", "ecx", "edx", "memory");
    check("an interrupt through a task gate", 3, task_runs);
    check("registers came back", KERNEL_DATA, ({
              u32 value;
              __asm__("mov %%ss, %0" : "=r"(value));
              value;
          }));
}

static void test_jump(void)
{
    make_task(jump_back);
    __asm__ volatile("ljmp $0x30, $0" ::: "eax", "ecx", "edx", "memory");
    check("a jump ran the task", 1, task_runs);
    check("it is available", 9, type_of(TASK));
    check("we are busy", 11, type_of(MAIN_TSS));
    check("no back link", 0, task.link);
}

static void test_refusals(void)
{
    EXPECT_FAULT("call of a busy task", 13, MAIN_TSS, "lcall $0x28, $0",
                 "b"(0));
    EXPECT_FAULT("LTR of a busy task", 13, MAIN_TSS,
                 "mov $0x28, %%eax; ltr %%ax", "b"(0));
    gdt[BAD_TASK / 8] = descriptor((u32)&task, 50, 0x89, 0);
    EXPECT_FAULT("a task segment that is too small", 10, BAD_TASK,
                 "ljmp $0x60, $0", "b"(0));
    gdt[BAD_TASK / 8] = descriptor((u32)&task, 103, 0x09, 0);
    EXPECT_FAULT("a task segment that is not present", 11, BAD_TASK,
                 "ljmp $0x60, $0", "b"(0));
    main_tss.link = KERNEL_DATA;
    EXPECT_FAULT("IRET along a link to no task", 10, KERNEL_DATA,
                 "pushf; orl $0x4000, (%%esp); popf; iret", "b"(0));
    __asm__ volatile("push $2; popf");
}

/* The handler of #GP is a task: it gets the error code on its own stack. */
static void test_fault_task(void)
{
    u64 saved = idt[13];

    make_task(fault_task_entry);
    main_tss_address = (u32)&main_tss;
    main_tss.link = 0;
    idt[13] = gate(TASK, 0, 0x85);
    __asm__ volatile("movl $1f, resume_task\n"
                     "mov $0x1003, %%eax; mov %%eax, %%fs\n"
                     "1:" ::
                         : "eax", "ecx", "edx", "memory");
    idt[13] = saved;
    check("a fault ran the task", 1, task_runs);
    check("with its error code", 0x1000, task_error);
    check("RF in the saved flags", 0x10000, main_tss.eflags & 0x10000);
}

/* A fault of the new task's segments is raised in it. */
static void test_bad_segment(void)
{
    main_tss.link = 0;
    make_task(task_entry);
    task.ds = KERNEL_CODE + 0x1000;
    idt[10] = gate(KERNEL_CODE, stub(10), 0x8e);
    resume_eip = 0;
    fault_vector = 256;
    __asm__ volatile("pusha\n mov %%esp, task_esp\n movl $1f, %0\n"
                     "lcall $0x30, $0\n"
                     "1: mov $0x10, %%eax; mov %%eax, %%ds; mov %%eax, %%es\n"
                     "mov %%eax, %%fs; mov %%eax, %%gs\n"
                     "mov task_esp, %%esp\n popa"
                     : "=m"(resume_eip)::"memory");
}

/* ------------------------------------------------------------ 16-bit segments
 */

u16 seen16[8];
__asm__(".code16\n.align 16\n"
        "code16_start:\n"
        "mov $0x68, %ax\n mov %ax, %ds\n"
        "mov %sp, %ax\n mov %ax, (0)\n"
        "call 1f\n 1: pop %ax\n sub $(1b - code16_start), %ax\n mov %ax, (2)\n"
        "mov $0x12345678, %eax\n shr $16, %eax\n mov %ax, (4)\n"
        "mov $0x10, %ax\n mov %ax, %ds\n"
        "lretl\n"
        ".code32\n"
        "conforming: mov %cs, %eax\n lret\n");
extern const u8 code16_start[], conforming[];

static void test_segments16(void)
{
    u32 value;

    gdt[CODE16 / 8] = descriptor((u32)code16_start, 0xff, 0x9b, 0);
    gdt[DATA16 / 8] = descriptor((u32)seen16, 0xf, 0x93, 0);
    __asm__ volatile("lcall $0x48, $0" ::: "eax", "memory");
    check("16-bit code with a 32-bit stack", 0, seen16[1]);
    check("operand prefix in 16-bit code", 0x1234, seen16[2]);
    EXPECT_FAULT("limit of 16-bit code", 13, 0,
                 "ljmp %[sel], $0x100", [sel] "i"(CODE16));
    gdt[CONFORMING / 8] = descriptor(0, 0xfffff, 0x9f, 0xc);
    __asm__ volatile("lcall %1, $conforming"
                     : "=a"(value)
                     : "i"(CONFORMING)
                     : "memory");
    check("conforming code", CONFORMING, value);
    gdt[CONFORMING / 8] = descriptor(0, 0xfffff, 0xff, 0xc);
    EXPECT_FAULT("conforming code of an outer level", 13, CONFORMING,
                 "ljmp %[sel], $conforming", [sel] "i"(CONFORMING));
}

static void test_main(void)
{
    test_call();
    test_jump();
    test_refusals();
    test_fault_task();
    test_bad_segment();
    check("#TS in the new task", 10, fault_vector);
    check("names the selector", 0x1008, fault_error);
    check("at its first instruction", (u32)task_entry, fault_eip);
    check("the new task is the current one", TASK, ({
              u32 value;
              __asm__("str %0" : "=r"(value));
              value;
          }));
    test_segments16();
}
