/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local APIC: registers, priorities, self-interrupts, timer with HLT, in
 * xAPIC and x2APIC mode.  Needs a machine with a complete APIC.  QEMU's TCG
 * reports no illegal vectors, does not mask LVT entries while the APIC is
 * disabled, and has neither TSC deadline nor x2APIC.
 */
#include "kernel_rt.h"

#define APIC 0xfee00000u

enum {
    ID = 0x20,
    VERSION = 0x30,
    TPR = 0x80,
    PPR = 0xa0,
    EOI = 0xb0,
    LDR = 0xd0,
    DFR = 0xe0,
    SVR = 0xf0,
    ISR = 0x100,
    IRR = 0x200,
    ESR = 0x280,
    ICR = 0x300,
    ICR2 = 0x310,
    LVT_TIMER = 0x320,
    LVT_LINT0 = 0x350,
    LVT_ERROR = 0x370,
    INITIAL = 0x380,
    CURRENT = 0x390,
    DIVIDE = 0x3e0,
};

static u32 apic_read(u32 reg)
{
    return *(volatile u32 *)(APIC + reg);
}

static void apic_write(u32 reg, u32 value)
{
    *(volatile u32 *)(APIC + reg) = value;
}

static u64 rdmsr(u32 index)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return low | (u64)high << 32;
}

static void wrmsr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(index), "a"((u32)value),
                     "d"((u32)(value >> 32)));
}

static u64 rdtsc(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (u64)high << 32;
}

static volatile u32 num_interrupts, vectors[8], has_x2;

static void on_interrupt(void)
{
    if (num_interrupts < 8)
        vectors[num_interrupts] = fault_vector;
    num_interrupts++;
    if (fault_vector == 2)
        return;
    if (has_x2)
        wrmsr(0x80b, 0);
    else
        apic_write(EOI, 0);
}

static void open_window(void)
{
    num_interrupts = 0;
    __asm__ volatile("sti\n nop\n nop\n nop\n cli" ::: "memory");
}

static void wait_for(u32 count)
{
    while (num_interrupts < count)
        __asm__ volatile("sti\n hlt\n cli" ::: "memory");
}

static void test_registers(void)
{
    check("version", 0x14, apic_read(VERSION) & 0xff);
    check("LVT entries", 5, apic_read(VERSION) >> 16 & 0xff);
    check("id", 0, apic_read(ID));
    apic_write(SVR, 0x1ff);
    check("SVR", 0x1ff, apic_read(SVR));
    apic_write(TPR, 0x35);
    check("TPR", 0x35, apic_read(TPR));
    check("PPR follows TPR", 0x35, apic_read(PPR));
    apic_write(TPR, 0);
    apic_write(LDR, 0xffffffff);
    check("LDR", 0xff000000, apic_read(LDR));
    apic_write(DFR, 0xffffffff);
    check("DFR", 0xffffffff, apic_read(DFR));
    apic_write(LVT_LINT0, 0x10000 | 0x700);
    check("LINT0", 0x10700, apic_read(LVT_LINT0));
}

static void test_self(void)
{
    apic_write(ICR, 0x40040 | 1 << 14);
    check("requested", 1, apic_read(IRR + 0x20) & 1);
    apic_write(ICR, 0x40050 | 1 << 14);
    open_window();
    check("two interrupts", 2, num_interrupts);
    check("the higher one first", 0x50, vectors[0]);
    check("then the lower one", 0x40, vectors[1]);
    check("none in service", 0, apic_read(ISR + 0x20));
}

static void test_priority(void)
{
    apic_write(TPR, 0x50);
    apic_write(ICR, 0x4005f | 1 << 14);
    open_window();
    check("held back by TPR", 0, num_interrupts);
    apic_write(TPR, 0x40);
    open_window();
    check("let through", 1, num_interrupts);
    check("its vector", 0x5f, vectors[0]);
    apic_write(TPR, 0);
}

static void test_physical(void)
{
    apic_write(ICR2, 0);
    apic_write(ICR, 0x61 | 1 << 14);
    open_window();
    check("IPI to own id", 0x61, num_interrupts ? vectors[0] : 0);
    apic_write(ICR2, 0xff000000);
    apic_write(ICR, 0x62 | 1 << 14);
    open_window();
    check("IPI to all", 0x62, num_interrupts ? vectors[0] : 0);
    apic_write(LDR, 0x02000000);
    apic_write(ICR2, 0x03000000);
    apic_write(ICR, 0x63 | 1 << 11 | 1 << 14);
    open_window();
    check("logical destination", 0x63, num_interrupts ? vectors[0] : 0);
    apic_write(ICR2, 0x04000000);
    apic_write(ICR, 0x63 | 1 << 11 | 1 << 14);
    open_window();
    check("another logical destination", 0, num_interrupts);
    apic_write(ICR2, 0);
    num_interrupts = 0;
    apic_write(ICR, 0x400 | 1 << 14);
    for (volatile int i = 0; i < 100 && !num_interrupts; i++)
        ;
    check("an NMI needs no IF", 2, num_interrupts ? vectors[0] : 0);
}

static void test_errors(void)
{
    apic_write(ESR, 0);
    apic_write(ESR, 0);
    check("no error", 0, apic_read(ESR));
    apic_write(ICR, 0x40005 | 1 << 14);
    apic_write(ESR, 0);
    check("illegal vector", 1, (apic_read(ESR) & 0x60) != 0);
    apic_write(ESR, 0);
    check("cleared", 0, apic_read(ESR));
}

static void test_timer(void)
{
    u32 first;

    apic_write(DIVIDE, 3); /* by 16 */
    apic_write(LVT_TIMER, 0x10000 | 0x70);
    apic_write(INITIAL, 0xffffffff);
    first = apic_read(CURRENT);
    for (volatile int i = 0; i < 10000; i++)
        ;
    check("it counts", 1, apic_read(CURRENT) < first);
    apic_write(INITIAL, 0);
    check("stopped", 0, apic_read(CURRENT));
    num_interrupts = 0;
    apic_write(LVT_TIMER, 0x70);
    apic_write(INITIAL, 10000);
    wait_for(1);
    check("one shot", 0x70, vectors[0]);
    check("and no more", 0, apic_read(CURRENT));
    num_interrupts = 0;
    apic_write(LVT_TIMER, 0x20071);
    apic_write(INITIAL, 10000);
    wait_for(3);
    apic_write(INITIAL, 0);
    check("periodic", 0x71, vectors[2]);
    apic_write(LVT_TIMER, 0x10000);
}

static int has_feature(u32 bit)
{
    u32 a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> bit & 1;
}

static void test_deadline(void)
{
    u64 start;

    if (!has_feature(24)) {
        put_text("no TSC deadline\n");
        return;
    }
    num_interrupts = 0;
    apic_write(LVT_TIMER, 0x40072);
    start = rdtsc();
    wrmsr(0x6e0, start + 100000);
    wait_for(1);
    check("deadline", 0x72, vectors[0]);
    check("not before", 1, rdtsc() >= start + 100000);
    check("disarmed", 0, rdmsr(0x6e0));
    wrmsr(0x6e0, 1);
    open_window();
    check("a deadline in the past", 0x72, num_interrupts ? vectors[0] : 0);
    apic_write(LVT_TIMER, 0x10000);
}

static void test_disabled(void)
{
    apic_write(LVT_TIMER, 0x70);
    apic_write(SVR, 0xff);
    check("disabling masks", 0x10070, apic_read(LVT_TIMER));
    apic_write(LVT_TIMER, 0x70);
    check("for good", 0x10070, apic_read(LVT_TIMER));
    apic_write(SVR, 0x1ff);
}

static void test_x2(void)
{
    if (!has_feature(21)) {
        put_text("no x2APIC\n");
        return;
    }
    EXPECT_FAULT("x2APIC register in xAPIC mode", 13, 0,
                 "mov %%ebx, %%ecx; rdmsr", "b"(0x802));
    wrmsr(0x1b, rdmsr(0x1b) | 1 << 10);
    has_x2 = 1;
    check("x2 id", 0, rdmsr(0x802));
    check("x2 version", 0x14, rdmsr(0x803) & 0xff);
    check("x2 LDR", 1, rdmsr(0x80d));
    wrmsr(0x80f, 0x1ff);
    wrmsr(0x83f, 0x81);
    open_window();
    check("self IPI", 0x81, num_interrupts ? vectors[0] : 0);
    wrmsr(0x830, 0x82 | 1 << 14);
    open_window();
    check("ICR of 64 bits", 0x82, num_interrupts ? vectors[0] : 0);
    on_fault = 0;
    EXPECT_FAULT("reserved register", 13, 0, "mov %%ebx, %%ecx; rdmsr",
                 "b"(0x80e));
    EXPECT_FAULT("reserved bits", 13, 0,
                 "mov %%ebx, %%ecx; mov $0x100, %%eax; "
                 "xor %%edx, %%edx; wrmsr",
                 "b"(0x808));
    EXPECT_FAULT("back to xAPIC", 13, 0,
                 "mov %%ebx, %%ecx; rdmsr; and $~0x400, %%eax; wrmsr",
                 "b"(0x1b));
    wrmsr(0x1b, 0xfee00100);
    check("disabled", 0, rdmsr(0x1b) >> 10 & 3);
    wrmsr(0x1b, 0xfee00900);
    check("xAPIC again", 0x14, apic_read(VERSION) & 0xff);
}

static void test_main(void)
{
    check("base", 0xfee00900, rdmsr(0x1b));
    on_fault = on_interrupt;
    test_registers();
    test_self();
    test_priority();
    test_physical();
    test_errors();
    test_timer();
    test_deadline();
    test_disabled();
    test_x2();
}
