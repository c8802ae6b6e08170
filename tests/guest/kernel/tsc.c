/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time stamp counter never goes back, whoever reads it - the kernel, its
 * user, one after the other - and is set by its registers.
 */
/* clang-format off */
/* guest-flags: -O1 -ffreestanding -fno-pic -fno-stack-protector -mno-red-zone -mgeneral-regs-only -static -nostdlib -no-pie -Wl,--build-id=none -Wl,--section-start=.multiboot=0x100000,-Ttext=0x101000,-z,norelro,-z,max-page-size=4096 */
/* clang-format on */
#include "kernel_rt64.h"

enum {
    MSR_TSC = 0x10,
    MSR_TSC_ADJUST = 0x3b,
    ROUNDS = 40,
    READS = 300,
};

u8 stack3[4096] __attribute__((aligned(16)));
u64 last_tsc, went_back; /* of all rings */

/* To CPL 3 at label 1; HLT comes back to the test. */
#define USER(text)                                                             \
    "push $0x23; push $stack3 + 4000; push $0x202; push $0x2b; push $1f\n"     \
    "iretq\n 1: " text "\n hlt\n"

/* RBX times, a bit of work in between. */
#define WATCH                                                                  \
    "mov %%ebx, %%ecx\n"                                                       \
    "3: rdtsc\n shl $32, %%rdx\n or %%rdx, %%rax\n"                            \
    "cmp last_tsc, %%rax\n jae 4f\n incq went_back\n"                          \
    "4: mov %%rax, last_tsc\n"                                                 \
    "mov $100, %%edx\n 5: dec %%edx\n jnz 5b\n"                                \
    "dec %%ecx\n jnz 3b\n"

static void test_order(void)
{
    u64 first = rdmsr(MSR_TSC);

    last_tsc = first;
    for (u32 i = 0; i < 512; i++)
        low_directory[i] |= U;
    flush_tlb();
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_FAULT("HLT at CPL 3", 13, 0, USER(WATCH), "b"((u64)READS));
        (void)RUN(WATCH, "b"((u64)READS));
    }
    check("times it went back", 0, went_back);
    check("it went on", 1, last_tsc > first);
}

/* Cycles; far more than an access takes, with all that comes between. */
#define STEP (1UL << 38)

static u64 distance(u64 a, u64 b)
{
    return a < b ? b - a : a - b;
}

static void test_adjust(void)
{
    u64 before = rdmsr(MSR_TSC_ADJUST);
    u64 tsc = rdmsr(MSR_TSC);

    wrmsr(MSR_TSC_ADJUST, before + (1UL << 40));
    check("TSC_ADJUST", before + (1UL << 40), rdmsr(MSR_TSC_ADJUST));
    check("moves the counter", 1, rdmsr(MSR_TSC) - tsc >= 1UL << 40);
    tsc = rdmsr(MSR_TSC);
    wrmsr(MSR_TSC, tsc + (1UL << 40));
    check("moves with the counter", 1,
          distance(rdmsr(MSR_TSC_ADJUST), before + (2UL << 40)) < STEP);
    wrmsr(MSR_TSC_ADJUST, before);
    check("back", before, rdmsr(MSR_TSC_ADJUST));
}

static void test_main(void)
{
    test_order();
    test_adjust();
}
