/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-flags: -m64 -nostdlib -static -no-pie -Wl,--oformat=binary,--build-id=none -Ttext=0x200000
 *
 * Long mode: SSE and CMPXCHG16B at ring 0, pseudo operations by instruction, by
 * address and by hypercall; ends by m5_fail with the number of what was wrong.
 */
        .code64
        .globl _start
_start:
        mov $text, %rsi
        mov $(text_end - text), %ecx
        mov $0xe9, %edx
        cld
        rep outsb

        mov $1, %ebx            /* the 4 GiB are mapped */
        mov $0xfee00030, %eax
        mov (%rax), %eax
        mov $2, %ebx            /* SSE */
        mov %cr4, %rax
        or $0x200, %rax         /* OSFXSR */
        mov %rax, %cr4
        movdqu numbers(%rip), %xmm0
        paddd %xmm0, %xmm0
        movd %xmm0, %eax
        cmp $246, %eax
        jne end

        mov $3, %ebx            /* CMPXCHG16B */
        mov $5, %eax
        mov $6, %edx
        mov $8, %ecx
        push %rbx
        mov $7, %ebx
        lock cmpxchg16b pair(%rip)
        pop %rbx
        jne end
        cmpq $7, pair(%rip)
        jne end
        cmpq $8, pair + 8(%rip)
        jne end

        mov $4, %ebx            /* m5_sum by instruction */
        call arguments
        .byte 0x0f, 0x04, 0x23, 0x00
        cmp $21, %rax
        jne end
        mov $5, %ebx            /* by address */
        call arguments
        mov $0xffff0000, %eax
        mov 0x2300(%rax), %rax
        cmp $21, %rax
        jne end
        mov $6, %ebx            /* by hypercall */
        call arguments
        mov $0x6d350023, %eax
        vmcall
        cmp $21, %rax
        jne end
        mov $7, %ebx
        call arguments
        mov $0x6d350023, %eax
        vmmcall
        cmp $21, %rax
        jne end
        mov $8, %ebx            /* a write performs it, too */
        mov $0xffff0000, %eax
        xor %edi, %edi
        mov %rax, 0x5a00(%rax)  /* m5_work_begin(0, 6) */
        xor %ebx, %ebx
end:    xor %edi, %edi
        mov %rbx, %rsi
        .byte 0x0f, 0x04, 0x22, 0x00
1:      hlt
        jmp 1b

arguments:
        mov $1, %edi
        mov $2, %esi
        mov $3, %edx
        mov $4, %ecx
        mov $5, %r8d
        mov $6, %r9d
        ret

text:   .ascii "hello from long mode\n"
text_end:
        .align 16
numbers: .long 123, 456, 789, 12
pair:   .quad 5, 6
