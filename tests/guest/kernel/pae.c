/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PAE paging in 32-bit protected mode: when the four page-directory pointers
 * are read from memory, and what their reserved bits do.
 * QEMU's TCG reads them at each walk and does not check them.
 * Source: Intel SDM Vol. 3A, "PDPTE Registers"; "Task Switching".
 */
#include "kernel_rt.h"

enum {
    P = 1,
    W = 2,
    PS = 0x80,
    WP = 1 << 16,
    NW = 1 << 29,
    CD = 1 << 30,
    PG = 1U << 31,
    DE = 1 << 3,
    PSE = 1 << 4,
    PAE = 1 << 5,
    PGE = 1 << 7,
    NEXT_TASK = SPARE,
    FAULT_TASK = SPARE + 0x08,
    OLD = 0x01d, /* what the two pages hold */
    NEW = 0x2e3,
};

#define VIEW 0x40000000U /* the first page of the second pointer */

/* Two tables in one page: the root is aligned to 32 bytes only. */
static u64 pointers[2][4] __attribute__((aligned(4096)));
static u64 low[512] __attribute__((aligned(4096)));
static u64 high[2][512] __attribute__((aligned(4096)));
static u64 table[2][512] __attribute__((aligned(4096)));
static u32 frame[2][1024] __attribute__((aligned(4096)));

static u64 pointer_to(const u64 *directory)
{
    return (u32)directory | P;
}

static void make_tables(void)
{
    for (u32 i = 0; i < 512; i++)
        low[i] = (u64)i << 21 | P | W | PS;
    for (u32 i = 0; i < 2; i++) {
        high[i][0] = (u32)table[i] | P | W;
        table[i][0] = (u32)frame[i] | P | W;
    }
    frame[0][0] = OLD;
    frame[1][0] = NEW;
    pointers[1][0] = pointer_to(low);
    pointers[1][1] = pointer_to(high[0]);
}

static u32 cr0(void)
{
    u32 value;

    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static u32 cr3(void)
{
    u32 value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static u32 cr4(void)
{
    u32 value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

#define SET_CR0 "mov %%ebx, %%cr0"
#define SET_CR3 "mov %%ebx, %%cr3"
#define SET_CR4 "mov %%ebx, %%cr4"

static u32 view(void)
{
    __asm__ volatile("invlpg (%0)" ::"r"(VIEW) : "memory");
    return *(volatile u32 *)VIEW;
}

static void reload(void)
{
    __asm__ volatile("mov %%cr3, %%eax; mov %%eax, %%cr3" ::: "eax", "memory");
}

/* Back to the first view, in memory and in the registers. */
static void show_old(void)
{
    pointers[1][1] = pointer_to(high[0]);
    reload();
    check("the old page", OLD, view());
}

/* ----------------------------------------------------------------- loading */

static void test_enabling(void)
{
    pointers[1][2] = 2 | P;
    EXPECT_NO_FAULT("CR4.PAE without paging", SET_CR4, "b"(cr4() | PAE));
    EXPECT_NO_FAULT("CR3 without paging", SET_CR3, "b"(pointers[1]));
    EXPECT_FAULT("paging with a reserved bit", 13, 0, SET_CR0,
                 "b"(cr0() | PG | WP));
    check("paging is off", 0, cr0() & PG);
    pointers[1][2] = 2;
    EXPECT_NO_FAULT("paging with a reserved bit in an entry not present",
                    SET_CR0, "b"(cr0() | PG | WP));
    pointers[1][2] = 0;
    check("a page", OLD, view());
    check("no accessed bit in the pointers", pointer_to(high[0]),
          pointers[1][1]);
}

static void test_mov_to_cr3(void)
{
    pointers[1][1] = pointer_to(high[1]);
    check("a change is not seen after INVLPG", OLD, view());
    EXPECT_NO_FAULT("CR0.WP", SET_CR0, "b"(cr0() & ~WP));
    check("nor after a change of CR0.WP", OLD, view());
    EXPECT_NO_FAULT("CR0.WP", SET_CR0, "b"(cr0() | WP));
    EXPECT_NO_FAULT("CR4.DE", SET_CR4, "b"(cr4() ^ DE));
    check("nor after a change of CR4.DE", OLD, view());
    EXPECT_NO_FAULT("CR4.DE", SET_CR4, "b"(cr4() ^ DE));
    reload();
    check("it is seen after MOV to CR3", NEW, view());
    pointers[1][1] = 0;
    check("the same for one that is not present", NEW, view());
    reload();
    EXPECT_FAULT("which is a page fault then", 14, 0, "mov (%%esi), %%eax",
                 "S"(VIEW));
    show_old();
}

static void test_other_loads(void)
{
    static const u32 bits[] = {PGE, PSE};

    for (u32 i = 0; i < sizeof bits / sizeof *bits; i++) {
        pointers[1][1] = pointer_to(high[1]);
        EXPECT_NO_FAULT("a bit of CR4", SET_CR4, "b"(cr4() ^ bits[i]));
        check("a change of PGE and of PSE loads", NEW, view());
        pointers[1][1] = pointer_to(high[0]);
        EXPECT_NO_FAULT("the same bit of CR4", SET_CR4, "b"(cr4()));
        check("no change does not load", NEW, view());
        EXPECT_NO_FAULT("a bit of CR4, back", SET_CR4, "b"(cr4() ^ bits[i]));
        check("and back", OLD, view());
    }
    pointers[1][1] = pointer_to(high[1]);
    EXPECT_NO_FAULT("CR0.CD", SET_CR0, "b"(cr0() ^ CD));
    check("a change of CR0.CD loads", NEW, view());
    EXPECT_NO_FAULT("CR0.CD, back", SET_CR0, "b"((cr0() ^ CD) & ~NW));
    show_old();
}

/* ----------------------------------------------------------- reserved bits */

static void test_reserved_bits(void)
{
    static const u8 bits[] = {1, 2, 5, 6, 7, 8, 52, 62, 63};

    for (u32 i = 0; i < sizeof bits; i++) {
        u32 before = cr4();

        pointers[1][1] = pointer_to(high[1]);
        pointers[1][3] = (u64)1 << bits[i] | P;
        EXPECT_FAULT("MOV to CR3", 13, 0, SET_CR3, "b"(pointers[1]));
        check("the old pointers are kept", OLD, view());
        EXPECT_FAULT("a change of CR4.PGE", 13, 0, SET_CR4, "b"(before ^ PGE));
        check("CR4 is kept", before, cr4());
        EXPECT_FAULT("a change of CR0.CD", 13, 0, SET_CR0, "b"(cr0() ^ CD));
        check("the old pointers are kept", OLD, view());
        pointers[1][3] &= ~(u64)P;
        EXPECT_NO_FAULT("not present", SET_CR3, "b"(pointers[1]));
        check("all four were loaded", NEW, view());
        pointers[1][3] = 0;
        show_old();
    }
    pointers[0][0] = pointer_to(low) | 2;
    EXPECT_FAULT("another table", 13, 0, SET_CR3, "b"(pointers[0]));
    check("CR3 is kept", (u32)pointers[1], cr3());
    pointers[1][1] |= 0x18;
    EXPECT_NO_FAULT("PWT and PCD are none", SET_CR3, "b"(pointers[1]));
    show_old();
}

/* ------------------------------------------------------------------- tasks */

static struct tss32 next_task __attribute__((aligned(128)));
static struct tss32 fault_task __attribute__((aligned(128)));
static u8 task_stacks[2][4096] __attribute__((aligned(16)));
u32 task_saw, task_error, task_faults;

__asm__("task_entry:\n"
        "mov 0x40000000, %eax\n mov %eax, task_saw\n"
        "clts\n ljmp $0x28, $0\n jmp task_entry\n"
        "fault_entry:\n"
        "incl task_faults\n popl task_error\n"
        "clts\n ljmp $0x28, $0\n jmp fault_entry\n");
extern const u8 task_entry[], fault_entry[];

static void make_task(struct tss32 *task, u32 selector, const u8 *entry,
                      u8 *stack)
{
    *task = (struct tss32){
        .cr3 = (u32)pointers[1],
        .eip = (u32)entry,
        .eflags = 2,
        .esp = (u32)stack + sizeof *task_stacks,
        .cs = KERNEL_CODE,
        .ss = KERNEL_DATA,
        .ds = KERNEL_DATA,
        .es = KERNEL_DATA,
        .iomap = sizeof *task,
    };
    gdt[selector / 8] = descriptor((u32)task, sizeof *task - 1, 0x89, 0);
}

static void jump_to_task(const u64 *root)
{
    make_task(&next_task, NEXT_TASK, task_entry, task_stacks[0]);
    make_task(&fault_task, FAULT_TASK, fault_entry, task_stacks[1]);
    next_task.cr3 = (u32)root;
    main_tss.cr3 = (u32)pointers[1];
    task_saw = 0;
    task_error = 1;
    task_faults = 0;
    __asm__ volatile("ljmp $0x30, $0" ::: "eax", "ecx", "edx", "memory");
}

static void test_tasks(void)
{
    u64 saved = idt[13];

    pointers[1][1] = pointer_to(high[1]);
    jump_to_task(pointers[1]);
    check("a task with the same CR3 loads nothing", OLD, task_saw);
    check("nor does the way back", OLD, view());
    pointers[0][0] = pointer_to(low);
    pointers[0][1] = pointer_to(high[1]);
    pointers[1][1] = pointer_to(high[0]);
    jump_to_task(pointers[0]);
    check("a task with another CR3 loads", NEW, task_saw);
    check("and so does the way back", OLD, view());
    idt[13] = gate(FAULT_TASK, 0, 0x85);
    pointers[0][2] = 0x21;
    jump_to_task(pointers[0]);
    idt[13] = saved;
    check("a reserved bit: the task does not run", 0, task_saw);
    check("#GP", 1, task_faults);
    check("#GP's error code", 0, task_error);
    check("it is raised in the new task", NEXT_TASK, fault_task.link);
    pointers[0][2] = 0;
    show_old();
}

static void test_main(void)
{
    make_tables();
    test_enabling();
    test_mov_to_cr3();
    test_other_loads();
    test_reserved_bits();
    test_tasks();
    EXPECT_NO_FAULT("paging off", SET_CR0, "b"(cr0() & ~PG));
}
