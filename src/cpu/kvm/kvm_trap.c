/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_trap.h"

#include <string.h>

#include "arch/x86/fault.h"
#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/kernel.h"
#include "base/alloc.h"

enum {
    OFFSET_IDT = 0x1000,
    OFFSET_CPUS = 0x2000,
    STUB_SYSCALL = 0x0,
    STUB_VECTORS = 0x200,
    STUB_SIZE = 16,
    OUT_SIZE = 2,
    SELECTOR_KERNEL_CS = 0x10,
    SELECTOR_USER_BASE = 0x23, /* SYSRET's: 32-bit code, then data, then code */
    SELECTOR_TSS = 0x40,
    GATE_INTERRUPT = 0x8e,
    GATE_FROM_RING3 = 0xee,
    TSS_RSP0 = 4,
    TSS_IO_MAP = 0x66,
    TSS_SIZE = 0x68,
    IO_MAP_SIZE = KVM_TRAP_PORT / 8 + 2, /* and a byte of ones behind */
    TSS_TYPE_BUSY = 11,
    FLAGS_CLEARED = X86_TF | X86_IF | X86_DF_FLAG | X86_NT | X86_AC_FLAG,
};
#define CR4_TSD    4u /* RDTSC is the core's: simulated time */
#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_SFMASK 0xc0000084u

/* Exceptions that push an error code.  [SDM] Vol. 3A, "Error Code". */
static const uint32_t trap_error_vectors =
    1u << X86_DF | 1u << X86_TS | 1u << X86_NP | 1u << X86_SS | 1u << X86_GP |
    1u << X86_PF | 1u << X86_AC | 1u << 21 | 1u << 29 | 1u << 30;

struct kvm_trap {
    struct kernel *kernel;
    uint64_t base;
    gpa_t cpu_page[KERNEL_MAX_CPUS]; /* 0: none yet */
    uint64_t cleared_flags;          /* by SYSCALL */
};

static uint8_t *trap_host(const struct kvm_trap *trap, gpa_t frame)
{
    return frames_host(trap->kernel->frames, frame);
}

static void trap_put(uint8_t *at, uint64_t value, size_t size)
{
    memcpy(at, &value, size); /* little-endian, as the guest */
}

static uint64_t trap_stub(const struct kvm_trap *trap, unsigned vector)
{
    return trap->base + STUB_VECTORS + (uint64_t)vector * STUB_SIZE;
}

static void trap_fill_stubs(uint8_t *page)
{
    const uint8_t out[OUT_SIZE] = {0xe6, KVM_TRAP_PORT}; /* out port, al */

    memcpy(page + STUB_SYSCALL, out, sizeof(out));
    for (unsigned v = 0; v < KVM_TRAP_NUM_VECTORS; v++)
        memcpy(page + STUB_VECTORS + (size_t)v * STUB_SIZE, out, sizeof(out));
}

/* [SDM] Vol. 3A, "64-Bit Mode IDT".  INT3 and INTO may come from ring 3. */
static void trap_fill_idt(const struct kvm_trap *trap, uint8_t *page)
{
    for (unsigned v = 0; v < KVM_TRAP_NUM_VECTORS; v++) {
        uint64_t stub = trap_stub(trap, v);
        uint8_t *gate = page + (size_t)v * 16;

        trap_put(gate, stub, 2);
        trap_put(gate + 2, SELECTOR_KERNEL_CS, 2);
        gate[5] = v == X86_BP || v == X86_OF ? GATE_FROM_RING3 : GATE_INTERRUPT;
        trap_put(gate + 6, stub >> 16, 6);
    }
}

struct kvm_trap *kvm_trap_create(struct kernel *kernel, uint64_t base)
{
    struct kvm_trap *trap = alloc_zeroed(1, sizeof(*trap));
    gpa_t stubs, idt;

    trap->kernel = kernel;
    trap->base = base;
    trap->cleared_flags = FLAGS_CLEARED;
    if (!kernel_add_page(kernel, base, MM_KERNEL_CODE, &stubs) ||
        !kernel_add_page(kernel, base + OFFSET_IDT, MM_KERNEL_DATA, &idt)) {
        mem_free(trap);
        return NULL;
    }
    trap_fill_stubs(trap_host(trap, stubs));
    trap_fill_idt(trap, trap_host(trap, idt));
    return trap;
}

void kvm_trap_open_window(struct kvm_trap *trap)
{
    trap->cleared_flags &= ~(uint64_t)X86_IF;
}

void kvm_trap_destroy(struct kvm_trap *trap)
{
    mem_free(trap);
}

static uint64_t trap_cpu_addr(const struct kvm_trap *trap, uint32_t index)
{
    return trap->base + OFFSET_CPUS + (uint64_t)index * FRAME_SIZE;
}

bool kvm_trap_add_cpu(struct kvm_trap *trap, uint32_t index)
{
    uint64_t addr = trap_cpu_addr(trap, index);
    uint8_t *tss;

    if (trap->cpu_page[index].v)
        return true;
    if (!kernel_add_page(trap->kernel, addr, MM_KERNEL_DATA,
                         &trap->cpu_page[index]))
        return false;
    tss = trap_host(trap, trap->cpu_page[index]);
    trap_put(tss + TSS_RSP0, addr + FRAME_SIZE, 8);
    trap_put(tss + TSS_IO_MAP, TSS_SIZE, 2);
    memset(tss + TSS_SIZE, 0xff, IO_MAP_SIZE);
    tss[TSS_SIZE + KVM_TRAP_PORT / 8] &= (uint8_t) ~(1u << KVM_TRAP_PORT % 8);
    return true;
}

void kvm_trap_put(const struct kvm_trap *trap, uint32_t index,
                  struct kvm_sregs *sregs)
{
    sregs->cr4 |= CR4_TSD;
    sregs->idt.base = trap->base + OFFSET_IDT;
    sregs->idt.limit = KVM_TRAP_NUM_VECTORS * 16 - 1;
    sregs->tr = (struct kvm_segment){
        .base = trap_cpu_addr(trap, index),
        .limit = TSS_SIZE + IO_MAP_SIZE - 1,
        .selector = SELECTOR_TSS,
        .type = TSS_TYPE_BUSY,
        .present = 1,
    };
}

void kvm_trap_msrs(const struct kvm_trap *trap,
                   struct kvm_msr_entry out[KVM_TRAP_NUM_MSRS])
{
    out[0] = (struct kvm_msr_entry){
        .index = MSR_STAR,
        .data = (uint64_t)SELECTOR_USER_BASE << 48 |
                (uint64_t)SELECTOR_KERNEL_CS << 32,
    };
    out[1] = (struct kvm_msr_entry){.index = MSR_LSTAR,
                                    .data = trap->base + STUB_SYSCALL};
    out[2] = (struct kvm_msr_entry){.index = MSR_SFMASK,
                                    .data = trap->cleared_flags};
}

static void trap_read_frame(const struct kvm_trap *trap, uint32_t index,
                            uint64_t rsp, struct kvm_trap_frame *out)
{
    uint64_t words[6];
    size_t size = out->has_error ? sizeof(words) : sizeof(words) - 8;
    uint64_t offset = rsp - trap_cpu_addr(trap, index);
    const uint64_t *frame = words;

    if (offset != FRAME_SIZE - size) {
        out->kind = KVM_TRAP_NONE; /* the stub was not reached from ring 3 */
        return;
    }
    memcpy(words, trap_host(trap, trap->cpu_page[index]) + offset, size);
    if (out->has_error)
        out->error = (uint32_t)*frame++;
    out->rip = frame[0];
    out->cs = (uint16_t)frame[1];
    out->rflags = frame[2];
    out->rsp = frame[3];
    out->ss = (uint16_t)frame[4];
}

/* Behind or before the OUT: some hosts complete it at the next entry. */
static bool trap_is_at(uint64_t rip, uint64_t stub)
{
    return rip - stub <= OUT_SIZE;
}

bool kvm_trap_is_stub(const struct kvm_trap *trap, uint64_t rip)
{
    return rip - trap->base < OFFSET_IDT;
}

void kvm_trap_read(const struct kvm_trap *trap, uint32_t index,
                   const struct kvm_regs *regs, struct kvm_trap_frame *out)
{
    uint64_t offset = regs->rip - trap->base;
    unsigned vector = (unsigned)(offset - STUB_VECTORS) / STUB_SIZE;

    memset(out, 0, sizeof(*out));
    if (trap_is_at(regs->rip, trap->base + STUB_SYSCALL)) {
        out->kind = KVM_TRAP_SYSCALL;
        return;
    }
    if (offset < STUB_VECTORS || vector >= KVM_TRAP_NUM_VECTORS ||
        !trap_is_at(regs->rip, trap_stub(trap, vector)))
        return;
    out->kind = KVM_TRAP_EXCEPTION;
    out->vector = (uint8_t)vector;
    out->has_error = trap_error_vectors >> vector & 1;
    trap_read_frame(trap, index, regs->rsp, out);
}
