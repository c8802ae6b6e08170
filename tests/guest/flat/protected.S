/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-flags: -m32 -nostdlib -static -no-pie -Wl,--oformat=binary,--build-id=none -Ttext=0x100000
 *
 * 32-bit protected mode, and 16-bit protected mode through the descriptors that
 * the loader leaves; output by string I/O to the serial port; ends by ACPI.
 */
        .code32
        .globl _start
_start:
        mov $0x10, %eax         /* the segments can be loaded again */
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov $text, %esi
        mov $(text_end - text), %ecx
        mov $0x3f8, %edx
        cld
        rep outsb
        mov %cr0, %eax          /* protection on, paging off */
        and $0x80000001, %eax
        cmp $1, %eax
        jne bad
        /* Into 16-bit code and back; it lies below 64 KiB. */
        mov $low, %esi
        mov $0x1000, %edi
        mov $(low_end - low), %ecx
        rep movsb
        ljmp $0x18, $0x1000
back:   mov $0x10, %eax
        mov %eax, %ds
        cmp $0x2345, %bx
        jne bad
        mov $text2, %esi
        mov $(text2_end - text2), %ecx
        mov $0x3f8, %edx
        rep outsb
        mov $0x604, %edx
        mov $0x2000, %eax
        out %ax, %dx
bad:    mov $1, %eax
        out %eax, $0xf4
        hlt
low:
        .code16
        mov $0x20, %ax
        mov %ax, %ds
        mov $0x1234, %bx
        add $0x1111, %bx        /* 16-bit operands by default */
        ljmpl $0x08, $back
low_end:
text:   .ascii "hello from protected mode\n"
text_end:
text2:  .ascii "and from its 16-bit half\n"
text2_end:
