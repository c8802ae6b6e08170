/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a Multiboot kernel on a bare core with just a debug console (port 0xE9),
 * a serial port's transmit register (0x3F8), an exit port (0xF4), a stub of a
 * local APIC, QEMU's fw_cfg registers (0x510; memory size and one processor),
 * and what tests of devices and interrupts need:
 *
 *   0xE0  reads what was written
 *   0xE8  byte, or word VECTOR | WHEN << 8: request VECTOR (2: an NMI); at once
 *         with WHEN 0, else when the processor halts
 *   0xFF000000  64 KiB of registers that keep what is written: memory that is
 *         not RAM
 *
 *   kernel_run [--mem MIB] [--append TEXT] [--insts N] [--trace] KERNEL
 *
 * The exit status is (value << 1) | 1 of the write to port 0xF4, as with QEMU's
 * isa-debug-exit; 100 for a triple fault, 101 for HLT with nothing to wake it,
 * 102 when the instructions ran out.
 */
#include <Zydis/Zydis.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/boot/multiboot.h"
#include "arch/x86/core.h"
#include "arch/x86/cpuid.h"
#include "base/alloc.h"
#include "mem/physmem.h"
#include "stub_apic.h"

enum {
    PORT_SCRATCH = 0xe0,
    PORT_INTERRUPT = 0xe8,
    PORT_DEBUG = 0xe9,
    PORT_EXIT = 0xf4,
    PORT_SERIAL = 0x3f8,
    PORT_SERIAL_STATUS = 0x3fd,
    SERIAL_EMPTY = 0x60,
    PORT_FW_SELECT = 0x510,
    PORT_FW_DATA = 0x511,
    FW_RAM_SIZE = 3,
    FW_NUM_CPUS = 5,
    FW_MAX_CPUS = 15,
    MSR_X2APIC = 0x800,
    APIC_X2 = 1 << 10, /* in IA32_APIC_BASE */
    SLICE = 20000,     /* instructions between looks at the timer */
    STATUS_SHUTDOWN = 100,
    STATUS_HALTED = 101,
    STATUS_BUDGET = 102,
};

#define SCRATCH_GPA UINT64_C(0xff000000)
#define APIC_GPA    ((uint64_t)STUB_APIC_BASE << 12)

struct machine {
    struct x86_env env; /* first: hooks cast back */
    struct physmem *mem;
    struct x86_cpuid *cpuid;
    struct x86_core *core;
    struct stub_apic apic;
    uint64_t mem_size;
    uint64_t fw_value;   /* what is left of the selected item */
    uint32_t port_value; /* of port 0xE0 */
    uint8_t scratch[65536];
    int requested;       /* vector of port 0xE8, or -1 */
    int request_at_halt; /* likewise */
    int status;          /* -1: still running */
};

static uint64_t now(const struct machine *machine)
{
    return x86_core_insts(machine->core);
}

static void request(struct machine *machine, int vector)
{
    if (vector == X86_NMI)
        x86_core_state(machine->core)->events.nmi_pending = 1;
    else
        machine->requested = vector;
    x86_core_poke(machine->core);
}

static void select_fw(struct machine *machine, uint32_t key)
{
    machine->fw_value = 0;
    if (key == FW_RAM_SIZE)
        machine->fw_value = machine->mem_size;
    if (key == FW_NUM_CPUS || key == FW_MAX_CPUS)
        machine->fw_value = 1;
}

static uint32_t read_fw(struct machine *machine)
{
    uint8_t value = (uint8_t)machine->fw_value;

    machine->fw_value >>= 8;
    return value;
}

static uint32_t io_read(struct x86_env *env, struct x86_core *core,
                        uint16_t port, unsigned size)
{
    (void)core;
    if (port == PORT_SERIAL_STATUS)
        return SERIAL_EMPTY;
    if (port == PORT_SCRATCH)
        return ((struct machine *)env)->port_value;
    if (port == PORT_FW_DATA)
        return read_fw((struct machine *)env);
    if (port == PORT_DEBUG)
        return PORT_DEBUG;
    return size == 4 ? UINT32_MAX : (1U << (8 * size)) - 1;
}

static void io_write(struct x86_env *env, struct x86_core *core, uint16_t port,
                     unsigned size, uint32_t value)
{
    struct machine *machine = (struct machine *)env;

    (void)size;
    if (port == PORT_SCRATCH)
        machine->port_value = value;
    if (port == PORT_FW_SELECT)
        select_fw(machine, value);
    if (port == PORT_INTERRUPT && value >> 8)
        machine->request_at_halt = (int)(value & 0xff);
    else if (port == PORT_INTERRUPT)
        request(machine, (int)(value & 0xff));
    if (port == PORT_DEBUG || port == PORT_SERIAL)
        (void)putchar((int)(value & 0xff));
    if (port == PORT_EXIT) {
        machine->status = (int)(((value << 1) | 1) & 0xff);
        x86_core_stop(core);
    }
}

static uint64_t read_scratch(const struct machine *machine, uint64_t offset,
                             unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, machine->scratch + offset, size);
    return value;
}

static uint64_t mmio_read(struct x86_env *env, struct x86_core *core,
                          gpa_t addr, unsigned size)
{
    struct machine *machine = (struct machine *)env;

    (void)core;
    if (addr.v - SCRATCH_GPA <= sizeof machine->scratch - size)
        return read_scratch(machine, addr.v - SCRATCH_GPA, size);
    if (addr.v >> 12 == STUB_APIC_BASE)
        return stub_apic_read(&machine->apic, (unsigned)addr.v, now(machine));
    return UINT64_MAX;
}

static void mmio_write(struct x86_env *env, struct x86_core *core, gpa_t addr,
                       unsigned size, uint64_t value)
{
    struct machine *machine = (struct machine *)env;
    enum stub_apic_event event;

    if (addr.v - SCRATCH_GPA <= sizeof machine->scratch - size)
        memcpy(machine->scratch + (addr.v - SCRATCH_GPA), &value, size);
    if (addr.v >> 12 != STUB_APIC_BASE)
        return;
    event = stub_apic_write(&machine->apic, (unsigned)addr.v, (uint32_t)value,
                            now(machine));
    if (event == STUB_APIC_NMI)
        request(machine, X86_NMI);
    if (event == STUB_APIC_LOOK)
        x86_core_poke(core);
}

/* The same registers in x2APIC mode; ICR is one register of 64 bits. */
static bool msr_read(struct x86_env *env, struct x86_core *core, uint32_t index,
                     uint64_t *value)
{
    struct machine *machine = (struct machine *)env;

    if (!(x86_core_state(core)->apic_base & APIC_X2) ||
        index >> 6 != MSR_X2APIC >> 6)
        return false;
    *value = stub_apic_read(&machine->apic, (index & 63) * 16, now(machine));
    return true;
}

static bool msr_write(struct x86_env *env, struct x86_core *core,
                      uint32_t index, uint64_t value)
{
    enum { SELF_IPI = 0x3f, ICR = 0x30, ICR_HIGH = 0x31 };
    unsigned reg = index & 63;

    if (!(x86_core_state(core)->apic_base & APIC_X2) ||
        index >> 6 != MSR_X2APIC >> 6)
        return false;
    if (reg == ICR)
        mmio_write(env, core, (gpa_t){APIC_GPA + 16 * ICR_HIGH}, 4,
                   value >> 32 << 24);
    if (reg == SELF_IPI) {
        reg = ICR;
        value = (value & 0xff) | 1 << 18;
    }
    mmio_write(env, core, (gpa_t){APIC_GPA + 16 * reg}, 4, value);
    return true;
}

static int take_interrupt(struct x86_env *env, struct x86_core *core)
{
    struct machine *machine = (struct machine *)env;
    int vector = machine->requested;

    machine->requested = -1;
    if (vector >= 0)
        return vector;
    return stub_apic_take(&machine->apic,
                          (unsigned)x86_core_state(core)->cr8 & 15);
}

static void print_trace(void *ctx, struct x86_core *core,
                        const struct x86_trace_record *record)
{
    ZydisDisassembledInstruction inst;
    ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LEGACY_32;
    const struct x86_state *state = x86_core_state(core);

    (void)ctx;
    if (state->seg[X86_CS].l)
        mode = ZYDIS_MACHINE_MODE_LONG_64;
    else if (!state->seg[X86_CS].db)
        mode = ZYDIS_MACHINE_MODE_LEGACY_16;
    (void)printf("%08llx ", (unsigned long long)record->rip);
    if (ZYAN_SUCCESS(ZydisDisassembleIntel(mode, record->rip, record->bytes,
                                           record->len, &inst)))
        (void)printf("%s", inst.text);
    (void)printf("\n");
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;

    *len = 0;
    if (!file) {
        perror(path);
        exit(2);
    }
    while (!feof(file)) {
        data = alloc_resize(data, *len + 65536, 1);
        *len += fread(data + *len, 1, 65536, file);
    }
    (void)fclose(file);
    return data;
}

static void make_machine(struct machine *machine, uint64_t mem_size)
{
    const struct x86_cpuid_cfg cpuid_cfg = {.num_cpus = 1};
    struct x86_core_cfg cfg = {0};
    char why[256];

    *machine = (struct machine){
        .env = {.io_read = io_read,
                .io_write = io_write,
                .mmio_read = mmio_read,
                .mmio_write = mmio_write,
                .msr_read = msr_read,
                .msr_write = msr_write,
                .take_interrupt = take_interrupt},
        .mem_size = mem_size,
        .requested = -1,
        .request_at_halt = -1,
        .status = -1,
    };
    stub_apic_reset(&machine->apic);
    machine->mem = physmem_create();
    if (physmem_add(machine->mem, 0, mem_size) ||
        x86_cpuid_create(&cpuid_cfg, &machine->cpuid, why)) {
        (void)fprintf(stderr, "cannot make the machine\n");
        exit(2);
    }
    cfg.mem = machine->mem;
    cfg.env = &machine->env;
    cfg.cpuid = machine->cpuid;
    machine->core = x86_core_create(&cfg);
}

static void boot(struct machine *machine, const char *path, const char *append)
{
    struct multiboot_image image = {.name = path, .command_line = append};
    uint8_t *data = read_file(path, &image.len);
    char why[160];

    image.data = data;
    if (multiboot_load(machine->mem, &image, x86_core_state(machine->core),
                       why)) {
        (void)fprintf(stderr, "%s\n", why);
        exit(2);
    }
    mem_free(data);
    x86_core_state_changed(machine->core);
}

static void print_state(struct machine *machine)
{
    const struct x86_state *state = x86_core_state(machine->core);

    x86_core_sync(machine->core);
    (void)fprintf(
        stderr,
        "rip %#llx cs %#x ss %#x rflags %#llx cr0 %#llx cr2 %#llx "
        "cr3 %#llx cr4 %#llx efer %#llx\n",
        (unsigned long long)state->rip, state->seg[X86_CS].selector,
        state->seg[X86_SS_SEG].selector, (unsigned long long)state->rflags,
        (unsigned long long)state->cr0, (unsigned long long)state->cr2,
        (unsigned long long)state->cr3, (unsigned long long)state->cr4,
        (unsigned long long)state->efer);
    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        (void)fprintf(stderr, "r%-2u %016llx%s", i,
                      (unsigned long long)state->gpr[i],
                      i % 4 == 3 ? "\n" : "  ");
}

/* A halted processor: time passes to the next event.  Returns: there is one. */
static bool wake(struct machine *machine)
{
    struct stub_apic *apic = &machine->apic;

    if (machine->request_at_halt >= 0) {
        request(machine, machine->request_at_halt);
        machine->request_at_halt = -1;
        return true;
    }
    if (!apic->timer_at || !stub_apic_tick(apic, apic->timer_at))
        return false;
    x86_core_poke(machine->core);
    return true;
}

static enum x86_stop run_slices(struct machine *machine, uint64_t max_insts)
{
    enum x86_stop stop = X86_STOP_BUDGET;

    while (machine->status < 0 && now(machine) < max_insts) {
        stop = x86_core_run(machine->core, SLICE);
        if (stub_apic_tick(&machine->apic, now(machine)))
            x86_core_poke(machine->core);
        if (stop == X86_STOP_SHUTDOWN ||
            (stop == X86_STOP_HALT && machine->status < 0 && !wake(machine)))
            break;
    }
    return stop;
}

static int run(struct machine *machine, uint64_t max_insts)
{
    enum x86_stop stop = run_slices(machine, max_insts);

    if (machine->status >= 0)
        return machine->status;
    (void)fflush(stdout);
    print_state(machine);
    switch (stop) {
    case X86_STOP_SHUTDOWN:
        (void)fprintf(stderr, "triple fault\n");
        return STATUS_SHUTDOWN;
    case X86_STOP_HALT:
        (void)fprintf(stderr, "halted\n");
        return STATUS_HALTED;
    default:
        (void)fprintf(stderr, "did not end in time\n");
        return STATUS_BUDGET;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"mem",              required_argument, NULL, 'm'},
        {"append",              required_argument, NULL, 'a'},
        {"insts",                  required_argument, NULL, 'i'},
        {"trace",no_argument, NULL, 't'},
        {0              },
    };
    uint64_t mem_size = UINT64_C(64) << 20, insts = UINT64_C(1) << 40;
    const char *append = NULL;
    struct machine machine;
    int option, status;
    bool is_traced = false;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'm')
            mem_size = strtoull(optarg, NULL, 0) << 20;
        else if (option == 'a')
            append = optarg;
        else if (option == 'i')
            insts = strtoull(optarg, NULL, 0);
        else if (option == 't')
            is_traced = true;
        else
            return 2;
    }
    if (optind + 1 != argc) {
        (void)fprintf(stderr, "usage: kernel_run [--mem MIB] [--append TEXT] "
                              "[--insts N] [--trace] KERNEL\n");
        return 2;
    }
    make_machine(&machine, mem_size);
    boot(&machine, argv[optind], append);
    if (is_traced)
        x86_core_set_trace(machine.core, print_trace, NULL);
    status = run(&machine, insts);
    x86_core_destroy(machine.core);
    x86_cpuid_destroy(machine.cpuid);
    physmem_destroy(machine.mem);
    return status;
}
