/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts from outside: when they are admitted, what they find, NMIs, HLT.
 * Uses port 0xE8 of kernel_run, which QEMU does not have.
 */
#include "kernel_rt.h"

enum { VECTOR = 0x50, NMI = 2, AT_HALT = 1 << 8 };

/* With IF clear: handlers of the last check may have left it set. */
static inline void request(u16 what)
{
    __asm__ volatile("cli; outw %0, $0xe8" ::"a"(what) : "memory");
}

/* The address of the symbol `label` of a RUN. */
#define LABEL(name) ((u32)name)
extern const u8 at_sti[], at_ss[], at_hlt[], at_popf[], at_cli[], at_nmi[],
    at_iret[], at_sti_hlt[];

static void test_admission(void)
{
    EXPECT_NO_FAULT("IF is clear",
                    "cli; mov %%ebx, %%eax; outw %%ax, $0xe8; nop; nop; nop",
                    "b"(VECTOR));
    EXPECT_FAULT("STI admits", VECTOR, 0, "sti; nop; at_sti: nop; nop; cli",
                 "b"(0));
    check("one instruction later", LABEL(at_sti), fault_eip);
    check("IF in the frame", 0x200, fault_eflags & 0x200);
    request(VECTOR);
    EXPECT_NO_FAULT("STI; CLI does not admit", "sti; cli; at_cli: nop; nop",
                    "b"(0));
    EXPECT_FAULT("POPF admits", VECTOR, 0,
                 "push $0x202; popf; at_popf: nop; nop; cli", "b"(0));
    check("at once", LABEL(at_popf), fault_eip);
    EXPECT_FAULT("MOV SS protects", VECTOR, 0,
                 "sti; nop; mov %%ss, %%ecx\n"
                 "mov %%ebx, %%eax; outw %%ax, $0xe8; at_ss: mov %%ecx, %%ss; "
                 "nop; nop; cli",
                 "b"(VECTOR));
    check("an interrupt before MOV SS is taken before", LABEL(at_ss),
          fault_eip);
}

/* MOV SS between the request and its admission. */
static void test_shadow(void)
{
    extern const u8 behind_shadow[];

    request(VECTOR);
    EXPECT_FAULT("STI, MOV SS, NOP", VECTOR, 0,
                 "mov %%ss, %%ecx; sti; mov %%ecx, %%ss; nop\n"
                 "behind_shadow: nop; nop; cli",
                 "b"(0));
    check("MOV SS extends the shadow of STI", LABEL(behind_shadow), fault_eip);
}

static void test_halt(void)
{
    EXPECT_FAULT(
        "HLT is ended by an interrupt", VECTOR, 0,
        "cli; mov %%ebx, %%eax; outw %%ax, $0xe8; sti; hlt; at_hlt: nop; cli",
        "b"(VECTOR | AT_HALT));
    check("the frame points behind HLT", LABEL(at_hlt), fault_eip);
    request(VECTOR);
    EXPECT_FAULT("STI; HLT with one pending", VECTOR, 0,
                 "sti; hlt; at_sti_hlt: nop; cli", "b"(0));
    check("the frame points behind HLT", LABEL(at_sti_hlt), fault_eip);
    EXPECT_FAULT("HLT is ended by an NMI with IF clear", NMI, 0,
                 "cli; mov %%ebx, %%eax; outw %%ax, $0xe8; hlt; nop",
                 "b"(NMI | AT_HALT));
}

/* ------------------------------------------------------------------- NMIs */

static volatile u32 num_nmis, depth, deepest;

static void nested_nmi(void)
{
    num_nmis++;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (num_nmis < 3)
        request(NMI);
    for (volatile int i = 0; i < 10; i++)
        ;
    depth--;
}

static void test_nmi(void)
{
    EXPECT_FAULT("NMI with IF clear", NMI, 0,
                 "cli; mov %%ebx, %%eax; outw %%ax, $0xe8; at_nmi: nop; nop",
                 "b"(NMI));
    check("at once", LABEL(at_nmi), fault_eip);
    on_fault = nested_nmi;
    request(NMI);
    __asm__ volatile("nop; nop");
    on_fault = 0;
    check("an NMI in the handler comes after its IRET", 3, num_nmis);
    check("not before", 1, deepest);
}

/* ---------------------------------------------------- priorities, handlers */

static void test_trap_gate(void)
{
    idt[VECTOR + 1] = gate(KERNEL_CODE, stub(VECTOR + 1), 0x8f);
    request(VECTOR + 1);
    EXPECT_FAULT("through a trap gate", VECTOR + 1, 0, "sti; nop; nop; cli",
                 "b"(0));
    EXPECT_FAULT("a gate that is not present", 11, (VECTOR + 2) * 8 + 3,
                 "cli; mov %%ebx, %%eax; outw %%ax, $0xe8; sti; nop; nop; cli",
                 "b"(VECTOR + 2));
}

static u32 first_vector;

static void note_first(void)
{
    if (first_vector == 256)
        first_vector = fault_vector;
}

/* The trap of the instruction comes before the interrupt behind it. */
static void test_trap_before_interrupt(void)
{
    first_vector = 256;
    on_fault = note_first;
    __asm__ volatile("cli; outw %%ax, $0xe8; pushf; orl $0x300, (%%esp); popf\n"
                     "nop; nop; cli" ::"a"(VECTOR)
                     : "memory", "cc");
    on_fault = 0;
    check("POPF with TF and IF: the interrupt, as TF was clear before", VECTOR,
          first_vector);
}

static u8 user_stack[512] __attribute__((aligned(16)));

/* From CPL 3 an interrupt changes the stack. */
static void test_user(void)
{
    resume_eip = 0;
    fault_vector = 256;
    request(VECTOR);
    __asm__ volatile("push $0x23; push %0; push $0x202; push $0x1b\n"
                     "push $1f; iret\n"
                     "1: nop\n"
                     "int $0x81\n"
                     "2:" ::"r"(user_stack + sizeof user_stack),
                     "m"(resume_eip)
                     : "memory", "cc");
}

static void leave_user(void)
{
    check("interrupt at CPL 3", VECTOR, fault_vector);
    check("CS of the user", USER_CODE, fault_cs);
    check("SS of the user", USER_DATA, fault_ss);
    check("ESP of the user", (u32)user_stack + sizeof user_stack, fault_esp);
    finish();
}

static void test_main(void)
{
    idt[VECTOR + 2] &= ~(1ULL << 47);
    test_admission();
    test_shadow();
    test_halt();
    test_nmi();
    test_trap_gate();
    test_trap_before_interrupt();
    on_fault = leave_user;
    test_user();
}
