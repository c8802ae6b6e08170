/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-flags: -m32 -nostdlib -static -no-pie -Wl,--oformat=binary,--build-id=none -Ttext=0xf000
 *
 * 4 KiB that end at 4 GiB: the first instruction is fetched from 0xFFFFFFF0,
 * and CS keeps its base until it is loaded.
 */
        .code16
        .globl _start
_start:
        mov $text, %si
        cld
1:      lodsb %cs:(%si), %al
        test %al, %al
        jz 2f
        out %al, $0xe9
        jmp 1b
2:      mov $0x8900, %dx
        mov $word, %si
3:      lodsb %cs:(%si), %al
        out %al, %dx
        test %al, %al
        jnz 3b
4:      hlt
        jmp 4b
text:   .asciz "hello from the reset vector\n"
word:   .asciz "Shutdown"
        .org 0xff0
        jmp _start
        .org 0x1000
