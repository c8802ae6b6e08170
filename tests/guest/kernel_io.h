/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports, output and the count of checks of the small kernels in
 * tests/guest/kernel.
 *
 * Output goes to port 0xE9, byte by byte; a write to port 0xF4 ends the run
 * with status (value << 1) | 1, so 0 becomes 1 as with QEMU's isa-debug-exit.
 * The last line is "N passed, N failed".
 */
#ifndef GUEST_KERNEL_IO_H
#define GUEST_KERNEL_IO_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* ------------------------------------------------------------------ output */

static inline void outb(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
static inline u8 inb(u16 port)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline void outl(u16 port, u32 value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static void put_text(const char *text)
{
    for (; *text; text++)
        outb(0xe9, (u8)*text);
}

static void put_hex(u64 value)
{
    int shift = 60;

    while (shift && !(value >> shift & 15))
        shift -= 4;
    put_text("0x");
    for (; shift >= 0; shift -= 4)
        outb(0xe9, (u8) "0123456789abcdef"[value >> shift & 15]);
}

static void put_decimal(u32 value)
{
    if (value > 9)
        put_decimal(value / 10);
    outb(0xe9, (u8)('0' + value % 10));
}

static u32 num_passed, num_failed;

static void check(const char *what, u64 wanted, u64 got)
{
    if (wanted == got) {
        num_passed++;
        return;
    }
    num_failed++;
    put_text("FAIL ");
    put_text(what);
    put_text(": wanted ");
    put_hex(wanted);
    put_text(", got ");
    put_hex(got);
    put_text("\n");
}

static void __attribute__((noreturn)) finish(void)
{
    put_decimal(num_passed);
    put_text(" passed, ");
    put_decimal(num_failed);
    put_text(" failed\n");
    outl(0xf4, num_failed ? 1 : 0);
    for (;;)
        __asm__ volatile("cli; hlt");
}

#endif
