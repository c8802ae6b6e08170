/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses to devices in all widths: ports, repeated string I/O, registers in
 * memory, what nobody claims.  Uses the test device: port 0xE0 and 0xFF000000,
 * as QEMU's pc-testdev has them.
 */
#include "kernel_rt.h"

#define REGISTERS ((volatile u8 *)0xff000000)

static inline u16 inw(u16 port)
{
    u16 value;

    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline u32 inl(u16 port)
{
    u32 value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline void outw(u16 port, u16 value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static void test_port_widths(void)
{
    outl(0xe0, 0x11223344);
    check("inl", 0x11223344, inl(0xe0));
    check("inw", 0x3344, inw(0xe0));
    check("inb", 0x44, inb(0xe0));
    check("inb, second byte", 0x33, inb(0xe1));
    check("inw, upper half", 0x1122, inw(0xe2));
    outb(0xe1, 0xaa);
    check("outb changes one byte", 0x1122aa44, inl(0xe0));
    outw(0xe2, 0xbbcc);
    check("outw changes two", 0xbbccaa44, inl(0xe0));
    outb(0xe0, 0x99);
    check("outb again", 0xbbccaa99, inl(0xe0));
}

static void test_string_io(void)
{
    static u32 from[4] = {1, 2, 3, 0xdeadbeef}, to[4];
    const void *si = from;
    void *di = to;
    u32 count = 4;

    __asm__ volatile("rep outsl"
                     : "+S"(si), "+c"(count)
                     : "d"(0xe0)
                     : "memory");
    check("rep outsl: the last one stays", 0xdeadbeef, inl(0xe0));
    check("ESI", (u32)(from + 4), (u32)si);
    check("ECX", 0, count);
    count = 3;
    __asm__ volatile("rep insl" : "+D"(di), "+c"(count) : "d"(0xe0) : "memory");
    check("rep insl", 0xdeadbeef, to[2]);
    check("and no more", 0, to[3]);
    check("EDI", (u32)(to + 3), (u32)di);
    di = (u8 *)to + 15;
    count = 2;
    __asm__ volatile("std; rep insb; cld"
                     : "+D"(di), "+c"(count)
                     : "d"(0xe0)
                     : "memory");
    check("backwards", 0xefef0000, to[3]);
    check("EDI went down", (u32)((u8 *)to + 13), (u32)di);
    count = 0;
    __asm__ volatile("rep outsb" : "+S"(si), "+c"(count) : "d"(0xe0));
    check("none", 0xdeadbeef, inl(0xe0));
}

static void test_memory_widths(void)
{
    volatile u8 *base = REGISTERS;
    u32 value;

    *(volatile u32 *)base = 0x80818283;
    check("32 bits", 0x80818283, *(volatile u32 *)base);
    check("16 bits", 0x8283, *(volatile u16 *)base);
    check("8 bits", 0x82, base[1]);
    base[2] = 0x7f;
    check("one byte was changed", 0x807f8283, *(volatile u32 *)base);
    __asm__ volatile("movzbl (%1), %0" : "=r"(value) : "r"(base));
    check("movzx, 8", 0x83, value);
    __asm__ volatile("movsbl (%1), %0" : "=r"(value) : "r"(base));
    check("movsx, 8", 0xffffff83, value);
    __asm__ volatile("movzwl (%1), %0" : "=r"(value) : "r"(base));
    check("movzx, 16", 0x8283, value);
    __asm__ volatile("movswl (%1), %0" : "=r"(value) : "r"(base));
    check("movsx, 16", 0xffff8283, value);
    __asm__ volatile("addl $1, (%0)" ::"r"(base) : "memory");
    check("read-modify-write", 0x807f8284, *(volatile u32 *)base);
    __asm__ volatile("lock xaddl %0, (%1)"
                     : "=r"(value)
                     : "r"(base), "0"(0x10)
                     : "memory");
    check("xadd gives the old value", 0x807f8284, value);
    check("and adds", 0x807f8294, *(volatile u32 *)base);
    *(volatile u32 *)(base + 16) = 0;
    *(volatile u32 *)(base + 20) = 0;
    *(volatile u32 *)(base + 18) = 0x01020304;
    check("misaligned, lower half", 0x03040000, *(volatile u32 *)(base + 16));
    check("misaligned, upper half", 0x0102, *(volatile u32 *)(base + 20));
}

static void test_memory_strings(void)
{
    static u8 back[64];
    volatile u8 *base = REGISTERS + 256;
    const void *from = (const void *)0x100000;
    void *to = (void *)base;
    u32 count = 16, sum = 0;

    __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    from = (const void *)base;
    to = back;
    count = 64;
    __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    for (u32 i = 0; i < 64; i++)
        sum += back[i] == ((const volatile u8 *)0x100000)[i];
    check("there and back", 64, sum);
    to = (void *)base;
    count = 8;
    __asm__ volatile("rep stosw"
                     : "+D"(to), "+c"(count)
                     : "a"(0x5a5a)
                     : "memory");
    check("stos", 0x5a5a5a5a, *(volatile u32 *)(base + 12));
}

static void test_unclaimed(void)
{
    check("no port: 8 bits", 0xff, inb(0x1234));
    check("no port: 16 bits", 0xffff, inw(0x1234));
    check("no port: 32 bits", 0xffffffff, inl(0x1234));
    outl(0x1234, 0);
    check("writing does not help", 0xffffffff, inl(0x1234));
}

static void test_main(void)
{
    test_port_widths();
    test_string_io();
    test_memory_widths();
    test_memory_strings();
    test_unclaimed();
}
