/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions per second of the plain functional core, beside
 * the host running the very same bytes: the functions below are compiled into a
 * section of their own, which is called natively and copied into a guest.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/state.h"
#include "base/alloc.h"
#include "base/host_clock.h"
#include "base/log.h"
#include "mem/physmem.h"

enum {
    RAM_BYTES = 32 << 20,
    TABLES = 0x1000, /* one entry per level: a 1 GiB page would do, but every
                        host has 2 MiB pages */
    CODE = 0x400000,
    DATA = 0x800000,
    DATA_BYTES = 8 << 20,
    STACK = 0x3f0000,
};

/* No calls out of the section, no vectors.  The programs that are measured are
 * gcc's; clang only checks this file. */
#ifdef __clang__
#define GUEST __attribute__((section("guest_code"), noinline))
#else
#define GUEST                                                                  \
    __attribute__((section("guest_code"), noinline, noclone,                   \
                   optimize("O2", "no-tree-vectorize",                         \
                            "no-tree-loop-distribute-patterns")))
#endif
extern const uint8_t __start_guest_code[], __stop_guest_code[];

typedef uint64_t kernel_fn(uint8_t *data, uint64_t size);

GUEST static uint64_t sieve(uint8_t *flags, uint64_t size)
{
    uint64_t primes = 0;

    for (uint64_t i = 0; i < size; i++)
        flags[i] = 1;
    for (uint64_t i = 2; i < size; i++) {
        if (!flags[i])
            continue;
        primes++;
        for (uint64_t j = 2 * i; j < size; j += i)
            flags[j] = 0;
    }
    return primes;
}

GUEST static uint64_t bubble_sort(uint8_t *data, uint64_t size)
{
    uint32_t *values = (uint32_t *)(void *)data, seed = 1;

    for (uint64_t i = 0; i < size; i++)
        values[i] = seed = seed * 1664525 + 1013904223;
    for (uint64_t i = size; i > 1; i--)
        for (uint64_t j = 1; j < i; j++)
            if (values[j - 1] > values[j]) {
                uint32_t value = values[j];

                values[j] = values[j - 1];
                values[j - 1] = value;
            }
    return values[size / 2];
}

GUEST static uint64_t hash_table(uint8_t *data, uint64_t size)
{
    uint64_t *slots = (uint64_t *)(void *)data, mask = 0xffff, key = 1, sum = 0;

    for (uint64_t i = 0; i <= mask; i++)
        slots[i] = 0;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t at;

        key = key * 6364136223846793005u + 1442695040888963407u;
        at = (key >> 33) * 0x9e3779b1u >> 7 & mask;
        for (unsigned probes = 0; slots[at] && probes < 8; probes++)
            at = (at + 1) & mask;
        sum += slots[at];
        slots[at] = key >> 33 | 1;
    }
    return sum;
}

GUEST static uint64_t fibonacci(uint8_t *data, uint64_t n)
{
    return n < 2 ? n : fibonacci(data, n - 1) + fibonacci(data, n - 2);
}

/* An interpreter loop: indirect jumps through a switch would need data in the
 * section, so this one decodes by comparison. */
GUEST static uint64_t byte_machine(uint8_t *data, uint64_t steps)
{
    uint64_t acc = 1, pc = 0;

    for (uint64_t i = 0; i < 256; i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (uint64_t i = 0; i < steps; i++) {
        uint8_t code = data[pc & 255];

        if ((code & 3) == 0)
            acc += code;
        else if ((code & 3) == 1)
            acc ^= acc << 5;
        else if ((code & 3) == 2)
            data[(acc & 127) + 256] = (uint8_t)acc;
        else
            acc += data[((acc >> 3) & 127) + 256];
        pc += 1 + (code >> 7);
    }
    return acc;
}

/* Floating point: constants, also those of unsigned conversions, would be data
 * outside the section. */
GUEST static uint64_t horner_sse(uint8_t *data, uint64_t size)
{
    double *values = (double *)(void *)data, x = (double)size, sum = x;

    x = x / (x + x);
    for (uint64_t i = 0; i < 1024; i++)
        values[i] = (double)(int64_t)i;
    for (uint64_t i = 0; i < size; i++)
        sum = sum * x + values[i & 1023];
    return (uint64_t)(int64_t)sum;
}

GUEST static uint64_t horner_x87(uint8_t *data, uint64_t size)
{
    long double x = (long double)(int64_t)size, sum = x;
    double *values = (double *)(void *)data;

    x = x / (x + x);
    for (uint64_t i = 0; i < 1024; i++)
        values[i] = (double)(int64_t)i;
    for (uint64_t i = 0; i < size; i++)
        sum = sum * x + (long double)values[i & 1023];
    return (uint64_t)(int64_t)sum;
}

typedef uint32_t words __attribute__((vector_size(32), may_alias, aligned(4)));

GUEST __attribute__((target("avx2"))) static uint64_t
checksum_avx2(uint8_t *data, uint64_t size)
{
    words *values = (words *)(void *)data;
    words low, high;

    for (uint64_t i = 0; i < DATA_BYTES / 64; i++)
        data[i] = (uint8_t)(i * 7);
    low = values[0];
    high = values[1];
    for (uint64_t i = 0; i < size; i++) {
        words now = values[i & 4095];

        low += now ^ high;
        high += low << 3;
        values[(i + 7) & 4095] = high;
    }
    return low[0] ^ high[7];
}

static const struct {
    const char *name;
    kernel_fn *fn;
    uint64_t size;
} kernels[] = {
    {"sieve",          sieve,         4000000},
    {"bubble sort",    bubble_sort,   5000   },
    {"hash table",     hash_table,    3000000},
    {"fibonacci",      fibonacci,     31     },
    {"byte machine",   byte_machine,  8000000},
    {"horner, SSE2",   horner_sse,    5000000},
    {"horner, x87",    horner_x87,    5000000},
    {"checksum, AVX2", checksum_avx2, 3000000},
};

struct machine {
    struct x86_env env;
    struct physmem *mem;
    struct x86_core *core;
};

static bool on_syscall(struct x86_env *env, struct x86_core *core,
                       enum x86_syscall_kind kind)
{
    (void)env;
    (void)kind;
    x86_core_stop(core);
    return true;
}

static uint8_t *ram(struct machine *machine, uint64_t addr)
{
    return physmem_host(machine->mem, (gpa_t){addr}, 1);
}

/* The first 32 MiB, by 2 MiB pages, for user code. */
static void map_pages(struct machine *machine)
{
    uint64_t *table = (uint64_t *)(void *)ram(machine, TABLES);

    table[0] = (TABLES + 0x1000) | 7;
    table[512] = (TABLES + 0x2000) | 7;
    for (uint64_t i = 0; i < RAM_BYTES >> 21; i++)
        table[1024 + i] = i << 21 | 0x87;
}

static void enter_user_mode(struct x86_state *state)
{
    static const struct x86_seg flat = {.limit = UINT32_MAX,
                                        .selector = 0x2b,
                                        .type = 3,
                                        .s = 1,
                                        .dpl = 3,
                                        .present = 1,
                                        .db = 1,
                                        .g = 1};

    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = flat;
    state->seg[X86_CS].selector = 0x33;
    state->seg[X86_CS].type = 11;
    state->seg[X86_CS].l = 1;
    state->seg[X86_CS].db = 0;
    state->cr0 = 0x80010033;
    state->cr3 = TABLES;
    state->cr4 = 0x40620; /* OSXSAVE OSXMMEXCPT OSFXSR PAE */
    state->xcr0 = 7;
    state->xsave[0] = 0x7f; /* the x87 control word of a Linux process */
    state->xsave[1] = 0x03;
    state->efer = 0xd01;
}

static void machine_init(struct machine *machine)
{
    struct x86_core_cfg cfg = {.env = &machine->env};

    machine->env.syscall = on_syscall;
    machine->mem = physmem_create();
    if (physmem_add(machine->mem, 0, RAM_BYTES))
        log_exit("no memory for the guest");
    cfg.mem = machine->mem;
    machine->core = x86_core_create(&cfg);
    map_pages(machine);
    enter_user_mode(x86_core_state(machine->core));
    x86_core_state_changed(machine->core);
    memcpy(ram(machine, CODE), __start_guest_code,
           (size_t)(__stop_guest_code - __start_guest_code));
}

/* Returns into a SYSCALL instruction behind the code. */
static uint64_t call_guest(struct machine *machine, kernel_fn *fn,
                           uint64_t size)
{
    static const uint8_t syscall[] = {0x0f, 0x05};
    struct x86_state *state = x86_core_state(machine->core);
    const uint64_t end = CODE - 0x1000;

    memcpy(ram(machine, end), syscall, sizeof(syscall));
    memcpy(ram(machine, STACK - 8), &end, sizeof(end));
    state->gpr[X86_RSP] = STACK - 8;
    state->gpr[X86_RDI] = DATA;
    state->gpr[X86_RSI] = size;
    state->rip = CODE + ((uintptr_t)fn - (uintptr_t)__start_guest_code);
    (void)x86_core_run(machine->core, UINT64_MAX);
    return state->gpr[X86_RAX];
}

static void bench(struct machine *machine, uint8_t *data, size_t which)
{
    kernel_fn *volatile fn = kernels[which].fn;
    uint64_t insts = x86_core_insts(machine->core), start, native, simulated;
    uint64_t expected, result;

    start = host_clock_cpu_ns();
    expected = fn(data, kernels[which].size);
    native = host_clock_cpu_ns() - start;
    start = host_clock_cpu_ns();
    result = call_guest(machine, fn, kernels[which].size);
    simulated = host_clock_cpu_ns() - start;
    insts = x86_core_insts(machine->core) - insts;
    if (result != expected)
        log_exit("%s: the guest computed something else", kernels[which].name);
    printf("%-14s %7.1f million instructions, %6.0f MIPS, native %6.0f MIPS, "
           "ratio %.1f\n",
           kernels[which].name, (double)insts / 1e6,
           (double)insts * 1e3 / (double)simulated,
           (double)insts * 1e3 / (double)native,
           (double)simulated / (double)native);
}

int main(void)
{
    struct machine machine = {.mem = NULL};
    uint8_t *data = alloc_zeroed(1, DATA_BYTES);

    machine_init(&machine);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kernels); i++) {
        if (kernels[i].fn != checksum_avx2 || __builtin_cpu_supports("avx2"))
            bench(&machine, data, i);
    }
    x86_core_destroy(machine.core);
    physmem_destroy(machine.mem);
    mem_free(data);
    return 0;
}
