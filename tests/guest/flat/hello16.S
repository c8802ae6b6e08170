/* SPDX-License-Identifier: BSD-3-Clause */
/* A boot sector: real mode, 16 bits; also boots a real PC from a floppy. */
        .code16
        .globl _start
_start:
        cli
        ljmp $0, $1f
1:      mov %cs, %ax
        mov %ax, %ds
        mov %ax, %ss
        mov $0x7c00, %sp
        mov $text, %si
        cld
2:      lodsb
        test %al, %al
        jz 3f
        out %al, $0xe9
        jmp 2b
3:      mov $0x15, %ax
        out %ax, $0xf4          /* status 0x15 * 2 + 1 = 43 */
4:      hlt
        jmp 4b
text:   .asciz "hello from real mode\n"
        .org 510
        .word 0xaa55
