/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary bytes as guest code, in every mode, with every hook: whatever the
 * guest does, the simulator goes on, and a run of bounded length ends.
 *
 * Byte 0 selects the mode, byte 1 what the world around does, bytes 2 to 9 are
 * the registers; the rest is the code.  The machine has 256 KiB of RAM, a GDT
 * with one descriptor of each kind, an IDT that leads back into the code, and
 * identity page tables.
 *
 * Run: scons fuzz; build/fuzz/decode_fuzz -max_total_time=60
 */
#include <stdint.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/segment.h"
#include "base/compiler.h"
#include "base/log.h"
#include "mem/physmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAM_SIZE = 256 << 10,
    TABLES = 0x1000,     /* root; the next level follows */
    TABLES_PAE = 0x5000, /* page directory pointers */
    GDT = 0x6000,
    IDT = 0x7000,
    TSS = 0x8000,
    CODE = 0x9f80, /* the second page begins after 128 bytes */
    CODE_SIZE = 512,
    HEADER = 10,
    MAX_INSTS = 300, /* per run */
    MAX_RUNS = 8,
    MAX_CALLS = 2000, /* of hooks, then the machine is stopped */
};

enum mode { REAL, V86, PROTECTED16, PROTECTED32, PAE, COMPAT, LONG, NUM_MODES };

enum option {
    HANDLE_CALLS = 1, /* as if an operating system were emulated */
    HANDLE_FAULTS = 2,
    INTERRUPT = 4,
    TRACE = 8,
    SUPERVISOR = 16,
    SINGLE_STEP = 32,
    BREAK = 64,
    NO_HOOKS = 128,
};

struct machine {
    struct x86_env env;
    struct physmem *mem;
    struct x86_core *core;
    uint8_t options;
    uint64_t calls, records;
};

/* -------------------------------------------------------------------- hooks */

static struct machine *called(struct x86_env *env, struct x86_core *core)
{
    struct machine *machine = SIM_CONTAINER_OF(env, struct machine, env);

    if (++machine->calls > MAX_CALLS)
        x86_core_stop(core);
    return machine;
}

static bool on_syscall(struct x86_env *env, struct x86_core *core,
                       enum x86_syscall_kind kind)
{
    (void)kind;
    return called(env, core)->options & HANDLE_CALLS;
}

/* Goes on somewhere in the code, so that more of it is executed. */
static bool on_exception(struct x86_env *env, struct x86_core *core,
                         const struct x86_fault *fault)
{
    struct machine *machine = called(env, core);

    SIM_ASSERT(fault->vector < X86_NUM_EXCEPTIONS);
    if (!(machine->options & HANDLE_FAULTS))
        return false;
    x86_core_state(core)->rip =
        CODE + (x86_core_state(core)->rip - CODE + 1) % CODE_SIZE;
    return true;
}

static uint64_t on_tsc(struct x86_env *env, struct x86_core *core)
{
    return called(env, core)->calls;
}

static uint64_t on_mmio_read(struct x86_env *env, struct x86_core *core,
                             gpa_t addr, unsigned size)
{
    SIM_ASSERT(size >= 1 && size <= 8);
    SIM_ASSERT(!physmem_host(called(env, core)->mem, addr, size));
    return addr.v;
}

static void on_mmio_write(struct x86_env *env, struct x86_core *core,
                          gpa_t addr, unsigned size, uint64_t value)
{
    (void)value;
    (void)on_mmio_read(env, core, addr, size);
}

static uint32_t on_io_read(struct x86_env *env, struct x86_core *core,
                           uint16_t port, unsigned size)
{
    SIM_ASSERT(size == 1 || size == 2 || size == 4);
    (void)called(env, core);
    return port * 0x10001u;
}

static void on_io_write(struct x86_env *env, struct x86_core *core,
                        uint16_t port, unsigned size, uint32_t value)
{
    (void)value;
    (void)on_io_read(env, core, port, size);
}

static bool on_pseudo_op(struct x86_env *env, struct x86_core *core,
                         uint16_t func, uint64_t *result)
{
    (void)called(env, core);
    *result = func;
    return func & 1;
}

static bool on_msr_read(struct x86_env *env, struct x86_core *core,
                        uint32_t index, uint64_t *value)
{
    (void)called(env, core);
    *value = index;
    return index & 1;
}

static bool on_msr_write(struct x86_env *env, struct x86_core *core,
                         uint32_t index, uint64_t value)
{
    (void)called(env, core);
    return (index ^ value) & 1;
}

static int on_interrupt(struct x86_env *env, struct x86_core *core)
{
    struct machine *machine = called(env, core);

    return machine->options & INTERRUPT ? (int)(machine->calls & 0xff) : -1;
}

static void on_trace(void *ctx, struct x86_core *core,
                     const struct x86_trace_record *record)
{
    struct machine *machine = ctx;

    (void)core;
    SIM_ASSERT(record->len >= 1 && record->len <= 15);
    SIM_ASSERT(record->num_mem <= SIM_ARRAY_LEN(record->mem));
    machine->records++;
}

static const struct x86_env hooks = {
    .syscall = on_syscall,
    .exception = on_exception,
    .read_tsc = on_tsc,
    .random = on_tsc,
    .mmio_read = on_mmio_read,
    .mmio_write = on_mmio_write,
    .io_read = on_io_read,
    .io_write = on_io_write,
    .pseudo_op = on_pseudo_op,
    .msr_read = on_msr_read,
    .msr_write = on_msr_write,
    .take_interrupt = on_interrupt,
};

/* ------------------------------------------------------------------- machine
 */

static void put(const struct machine *machine, uint64_t addr, uint64_t value)
{
    SIM_ASSERT(physmem_write(machine->mem, (gpa_t){addr}, &value, 8));
}

static const uint64_t gdt[] = {
    0,
    UINT64_C(0x00cf9b000000ffff), /* 08: 32-bit code */
    UINT64_C(0x00cf93000000ffff), /* 10: data */
    UINT64_C(0x00af9b000000ffff), /* 18: 64-bit code */
    UINT64_C(0x008f9b000000ffff), /* 20: 16-bit code */
    UINT64_C(0x00cffb000000ffff), /* 28: code of users */
    UINT64_C(0x00cff3000000ffff), /* 30: data of users */
    UINT64_C(0x00affb000000ffff), /* 38: 64-bit code of users */
    UINT64_C(0x0000890080000fff), /* 40: TSS at 0x8000 */
    0,                            /* 48: its upper half */
    UINT64_C(0x0000ec0000089f80), /* 50: call gate to 08:9F80 */
    UINT64_C(0x000082006000ffff), /* 58: LDT: the GDT again */
    UINT64_C(0x0000e50000400000), /* 60: task gate */
    UINT64_C(0x00cf97000000ffff), /* 68: data, expand down */
};

static void make_tables(const struct machine *machine, bool is_64)
{
    for (uint64_t i = 0; i < SIM_ARRAY_LEN(gdt); i++)
        put(machine, GDT + 8 * i, gdt[i]);
    for (uint64_t i = 0; i < 256; i++) {
        uint64_t gate = (UINT64_C(0xee00) << 32) | CODE |
                        (is_64 ? 0x18u << 16 : 0x08u << 16);

        put(machine, IDT + (is_64 ? 16 : 8) * i, gate);
        if (is_64)
            put(machine, IDT + 16 * i + 8, 0);
    }
    put(machine, TSS + 4, TSS); /* RSP0; ESP0 is its upper half */
    put(machine, TSS + 8, 0x10);
}

/* Level by level at TABLES; the last maps 64 pages, RAM and nothing else. */
static void make_page_tables(const struct machine *machine)
{
    put(machine, TABLES, (TABLES + 0x1000) | 7);
    put(machine, TABLES + 0x1000, (TABLES + 0x2000) | 7);
    put(machine, TABLES + 0x2000, (TABLES + 0x3000) | 7);
    for (uint64_t page = 0; page < RAM_SIZE >> 12; page++)
        put(machine, TABLES + 0x3000 + 8 * page, page << 12 | 7);
    put(machine, TABLES_PAE, (TABLES + 0x2000) | 1);
}

static void set_segments(struct x86_state *state, uint16_t cs, uint16_t ss)
{
    for (int i = 0; i < X86_NUM_SEGS; i++) {
        uint16_t selector = i == X86_CS ? cs : ss;

        x86_desc_decode(gdt[selector >> 3], selector, &state->seg[i]);
    }
    x86_desc_decode(gdt[8], 0x40, &state->tr);
    state->tr.type = X86_TSS_BUSY;
    state->gdtr.base = GDT;
    state->gdtr.limit = sizeof(gdt) - 1;
    state->idtr.base = IDT;
    state->idtr.limit = 0xfff;
}

static void set_real(struct x86_state *state)
{
    for (int i = 0; i < X86_NUM_SEGS; i++)
        x86_seg_load_8086(state, (enum x86_seg_name)i, 0);
}

/* Code, stack and data selectors of users and the supervisor. */
static const uint16_t selectors[NUM_MODES][4] = {
    [PROTECTED16] = {0x20, 0x10, 0x2b, 0x33},
    [PROTECTED32] = {0x08, 0x10, 0x2b, 0x33},
    [PAE] = {0x08, 0x10, 0x2b, 0x33},
    [COMPAT] = {0x08, 0x10, 0x2b, 0x33},
    [LONG] = {0x18, 0x10, 0x3b, 0x33},
};

static void set_mode(struct x86_state *state, enum mode mode, uint8_t options)
{
    unsigned user = options & SUPERVISOR ? 0 : 2;

    state->cr3 = mode == PAE ? TABLES_PAE : TABLES;
    state->pdpte[0] = (TABLES + 0x2000) | 1;
    state->cr4 = 0x50600; /* OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE */
    state->xcr0 = 7;
    state->cr0 = mode == REAL ? 0x32 : 0x33;
    if (mode != REAL)
        set_segments(state, selectors[mode][user], selectors[mode][user + 1]);
    if (mode >= PAE) {
        state->cr4 |= 0x20;
        state->cr0 |= UINT64_C(1) << 31;
    }
    if (mode >= COMPAT)
        state->efer = 0xd01;
    if (mode == V86)
        state->rflags |= X86_VM | 0x3000;
    if (mode == REAL || mode == V86)
        set_real(state);
}

static void set_registers(struct x86_state *state, const uint8_t *seed)
{
    for (unsigned i = 0; i < X86_NUM_GPRS; i++) {
        uint8_t byte = (uint8_t)(seed[i % 8] + i);

        /* In RAM, small, or anything with a sign. */
        state->gpr[i] = byte & 1   ? (uint64_t)byte << 9
                        : byte & 2 ? byte
                                   : (uint64_t)-1 << (byte >> 2);
    }
    state->gpr[X86_RSP] = 0x20000u + seed[0];
    state->rip = CODE;
}

/* The host's, found out once. */
static const struct x86_cpuid *get_cpuid(void)
{
    static struct x86_cpuid *cpuid;
    const struct x86_cpuid_cfg cfg = {.num_cpus = 1, .tsc_hz = 1000000000};
    char why[256];

    if (!cpuid)
        SIM_ASSERT(x86_cpuid_create(&cfg, &cpuid, why) == 0);
    return cpuid;
}

static void start(struct machine *machine, const uint8_t *data, size_t size)
{
    struct x86_core_cfg cfg = {.env = &machine->env, .cpuid = get_cpuid()};
    enum mode mode = data[0] % NUM_MODES;
    struct x86_state *state;
    size_t len = size - HEADER < CODE_SIZE ? size - HEADER : CODE_SIZE;

    machine->options = data[1];
    if (!(machine->options & NO_HOOKS))
        machine->env = hooks;
    machine->mem = physmem_create();
    SIM_ASSERT(physmem_add(machine->mem, 0, RAM_SIZE) == 0);
    cfg.mem = machine->mem;
    make_tables(machine, mode >= COMPAT);
    make_page_tables(machine);
    SIM_ASSERT(physmem_write(machine->mem, (gpa_t){CODE}, data + HEADER, len));
    machine->core = x86_core_create(&cfg);
    state = x86_core_state(machine->core);
    state->rflags = 0x202 | (machine->options & SINGLE_STEP ? X86_TF : 0);
    set_mode(state, mode, machine->options);
    set_registers(state, data + 2);
    x86_core_state_changed(machine->core);
}

/* ----------------------------------------------------------------------- run
 */

static void run(struct machine *machine)
{
    struct x86_core *core = machine->core;

    if (machine->options & TRACE)
        x86_core_set_trace(core, on_trace, machine);
    if (machine->options & BREAK)
        x86_core_add_break(core, (gva_t){CODE + 5});
    for (int i = 0; i < MAX_RUNS && machine->calls < MAX_CALLS; i++) {
        uint64_t before = x86_core_insts(core);
        enum x86_stop stop;

        if (machine->options & INTERRUPT)
            x86_core_poke(core);
        stop = x86_core_run(core, MAX_INSTS);
        SIM_ASSERT(x86_core_insts(core) - before <= MAX_INSTS);
        if (stop == X86_STOP_BUDGET)
            SIM_ASSERT(x86_core_insts(core) - before == MAX_INSTS);
        x86_core_sync(core);
        if (stop == X86_STOP_SHUTDOWN)
            break;
    }
    if (machine->options & TRACE)
        SIM_ASSERT(machine->records == x86_core_insts(core));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine machine = {.calls = 0};

    if (size <= HEADER)
        return 0;
    start(&machine, data, size);
    run(&machine);
    x86_core_destroy(machine.core);
    physmem_destroy(machine.mem);
    return 0;
}
