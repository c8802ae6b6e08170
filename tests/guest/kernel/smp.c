/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up of the other processors by INIT and SIPI, messages between them,
 * a lock, INIT again.  The command line of the machine decides how many there
 * are: CPUID leaf 1 counts them, at most 8.
 */
#include "kernel_rt.h"

#define APIC 0xfee00000u
enum { ID = 0x20, EOI = 0xb0, SVR = 0xf0, ICR = 0x300, ICR2 = 0x310 };
enum {
    TRAMPOLINE = 0x8000, /* page of the vector 8 */
    MAX_CPUS = 8,
    ROUNDS = 1000,
    STACK = 4096,
    VECTOR = 0x55,
};

static u32 apic_read(u32 reg)
{
    return *(volatile u32 *)(APIC + reg);
}
static void apic_write(u32 reg, u32 value)
{
    *(volatile u32 *)(APIC + reg) = value;
}

static volatile u32 num_up, num_starts[MAX_CPUS], counter, lock, go, pongs;
static volatile u32 bsp_flags, ap_flags;
u8 ap_stacks[MAX_CPUS][STACK] __attribute__((aligned(16)));
struct table_reg ap_gdtr;

static u32 apic_base(void)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x1b));
    return low;
}

static void count_under_lock(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            __asm__ volatile("pause");
        counter = counter + 1;
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    }
}

/* Every processor but the first one, on its own stack, interrupts off. */
__attribute__((used)) void ap_main(void)
{
    u32 id = apic_read(ID) >> 24;
    struct table_reg idtr = {sizeof idt - 1, (u32)idt};

    ap_flags = apic_base() & 0x900;
    apic_write(SVR, 0x1ff);
    __asm__ volatile("lidt %0" ::"m"(idtr));
    num_starts[id]++;
    __atomic_add_fetch(&num_up, 1, __ATOMIC_SEQ_CST);
    while (!go)
        __asm__ volatile("pause");
    count_under_lock();
    __atomic_add_fetch(&num_up, 1, __ATOMIC_SEQ_CST);
    for (;;)
        __asm__ volatile("sti; hlt");
}

/* Real mode at TRAMPOLINE, then protected mode on a stack by APIC id. */
__asm__(".text\n"
        ".code16\n"
        "trampoline:\n"
        "cli\n"
        "xor %ax, %ax\n mov %ax, %ds\n"
        "lgdtl 0x8000 + ap_gdtr_copy - trampoline\n"
        "mov %cr0, %eax\n or $1, %eax\n mov %eax, %cr0\n"
        "ljmpl $0x08, $ap_start\n"
        "ap_gdtr_copy: .word 0\n .long 0\n"
        "trampoline_end:\n"
        ".code32\n"
        "ap_start:\n"
        "mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
        "mov 0xfee00020, %eax\n shr $24, %eax\n"
        "inc %eax\n shl $12, %eax\n"
        "lea ap_stacks(%eax), %esp\n"
        "call ap_main\n");
extern const u8 trampoline[], trampoline_end[], ap_gdtr_copy[];

static u32 num_cpus(void)
{
    u32 a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    b = b >> 16 & 0xff;
    return b > MAX_CPUS ? MAX_CPUS : b ? b : 1;
}

static void install_trampoline(void)
{
    u8 *to = (u8 *)TRAMPOLINE;
    struct table_reg gdtr = {sizeof gdt - 1, (u32)gdt};

    for (const u8 *from = trampoline; from < trampoline_end; from++)
        *to++ = *from;
    *(struct table_reg *)(TRAMPOLINE + (ap_gdtr_copy - trampoline)) = gdtr;
}

static void wait_until(volatile u32 *what, u32 value)
{
    for (u32 i = 0; *what != value && i < 100000000; i++)
        __asm__ volatile("pause");
}

static void delay(void)
{
    for (volatile u32 i = 0; i < 20000; i++)
        ;
}

static void send(u32 id, u32 command)
{
    apic_write(ICR2, id << 24);
    apic_write(ICR, command);
    delay();
}

static void on_vector(void)
{
    apic_write(EOI, 0);
    if (apic_read(ID))
        __atomic_add_fetch(&pongs, 1, __ATOMIC_SEQ_CST);
}

static void test_start(u32 others)
{
    bsp_flags = apic_base() & 0x900;
    check("the first one is the bootstrap processor", 0x900, bsp_flags);
    check("nobody else runs", 0, num_up);
    apic_write(ICR, 0xc4500); /* all others: INIT */
    delay();
    check("INIT alone starts nobody", 0, num_up);
    apic_write(ICR, 0xc4608);
    wait_until(&num_up, others);
    check("all started", others, num_up);
    if (others)
        check("they are not bootstrap processors", 0x800, ap_flags);
    apic_write(ICR, 0xc4608);
    delay();
    check("a second SIPI is ignored", others, num_up);
}

static void test_lock(u32 others)
{
    num_up = 0;
    go = 1;
    count_under_lock();
    wait_until(&num_up, others);
    check("locked increments", (others + 1) * ROUNDS, counter);
}

static void test_messages(u32 others)
{
    on_fault = on_vector;
    delay();
    apic_write(ICR, 0xc4000 | VECTOR);
    wait_until(&pongs, others);
    check("an interrupt wakes all others", others, pongs);
    if (!others)
        return;
    send(1, 0x4000 | VECTOR);
    wait_until(&pongs, others + 1);
    check("or one of them", others + 1, pongs);
}

static void test_restart(u32 others)
{
    u32 before = num_starts[1];

    if (!others)
        return;
    num_up = 0;
    send(1, 0x4500);
    send(1, 0x4608);
    wait_until(&num_starts[1], before + 1);
    check("INIT and SIPI restart one", before + 1, num_starts[1]);
    wait_until(&num_up, 2);
    check("which counts again", (others + 2) * ROUNDS, counter);
}

static void test_main(void)
{
    u32 others = num_cpus() - 1;

    apic_write(SVR, 0x1ff);
    install_trampoline();
    test_start(others);
    test_lock(others);
    test_messages(others);
    test_restart(others);
    put_decimal(others + 1);
    put_text(" processors\n");
}
