/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building and running the throw-away VM of the probe.
 * Sources: Linux, Documentation/virt/kvm/api.rst; [SDM] Vol. 3A, "4-Level
 * Paging and 5-Level Paging", "Task Management in 64-bit Mode".
 */
#include "cpu/kvm/kvm_probe_vm.h"

#include "cpu/kvm/kvm_watchdog.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PROBE_CODE = 0x0000,
    PROBE_GDT = 0x1000,
    PROBE_TSS = 0x1800,
    PROBE_TSS_LIMIT = 0xfff,
    PROBE_STUB = 0x3000,
    PROBE_PML4 = 0x4000,
    PROBE_LOW = 0x5000,  /* three tables */
    PROBE_HIGH = 0x8000, /* three tables */
    PROBE_STACK_END = 0xc000,
    PROBE_ENTRY_USER = 7, /* present, writable, user */
    PROBE_RUN_NS = 20000000
};

/* Where guest page 0 appears in the lower half. */
static const uint64_t probe_base = 0x400000;
/* Three pages that older Intel processors need; see KVM_SET_TSS_ADDR. */
static const unsigned long probe_tss_addr = 0xfffbd000;

static void probe_put64(struct kvm_probe_vm *vm, uint64_t addr, uint64_t value)
{
    memcpy(vm->ram + addr, &value, sizeof(value));
}

/* One page at @va through the three tables at @tables. */
static void probe_map(struct kvm_probe_vm *vm, uint64_t tables, uint64_t va,
                      uint64_t page)
{
    uint64_t table = PROBE_PML4;

    for (int shift = 39, level = 0; shift >= 12; shift -= 9, level++) {
        uint64_t slot = table + (va >> shift) % 512 * 8;
        uint64_t next = tables + (uint64_t)level * 0x1000;

        probe_put64(vm, slot, (shift == 12 ? page : next) | PROBE_ENTRY_USER);
        table = next;
    }
}

static void probe_fill_tables(struct kvm_probe_vm *vm,
                              const struct kvm_probe_code *code)
{
    static const uint64_t gdt[] = {
        0,
        0x00af9b000000ffff, /* 08: ring 0 code, 64 bits */
        0x00cf93000000ffff, /* 10: ring 0 data */
        0,
        0x00cffb000000ffff, /* 20: ring 3 code, 32 bits, for SYSRET */
        0x00cff3000000ffff, /* 28: ring 3 data */
        0x00affb000000ffff, /* 30: ring 3 code, 64 bits */
    };
    const uint16_t io_bitmap = 0x68;

    memset(vm->ram, 0, KVM_PROBE_RAM_SIZE);
    memcpy(vm->ram + PROBE_GDT, gdt, sizeof(gdt));
    memcpy(vm->ram + PROBE_TSS + 0x66, &io_bitmap, sizeof(io_bitmap));
    probe_put64(vm, PROBE_TSS + 4, probe_base + PROBE_STACK_END);
    for (uint64_t page = 0; page < KVM_PROBE_RAM_SIZE; page += 0x1000)
        probe_map(vm, PROBE_LOW, probe_base + page, page);
    probe_map(vm, PROBE_HIGH, code->stub_addr, PROBE_STUB);
}

static struct kvm_segment probe_segment(uint16_t selector, uint8_t type,
                                        uint8_t is_code)
{
    struct kvm_segment seg = {
        .limit = 0xffffffff,
        .selector = selector,
        .type = type,
        .present = 1,
        .dpl = selector & 3,
        .db = !is_code,
        .s = 1,
        .l = is_code,
        .g = 1,
    };
    return seg;
}

static int probe_set_sregs(struct kvm_probe_vm *vm, enum kvm_probe_ring ring)
{
    struct kvm_sregs sregs;
    struct kvm_segment tss = {.base = probe_base + PROBE_TSS,
                              .limit = PROBE_TSS_LIMIT,
                              .selector = 0x38,
                              .type = 11,
                              .present = 1};
    int err = kvm_call_get_sregs(vm->host, vm->vcpu_fd, &sregs);

    if (err)
        return err;
    sregs.cs = probe_segment(ring == KVM_PROBE_RING3 ? 0x33 : 0x08, 11, 1);
    sregs.ss = probe_segment(ring == KVM_PROBE_RING3 ? 0x2b : 0x10, 3, 0);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss;
    sregs.tr = tss;
    sregs.gdt.base = probe_base + PROBE_GDT;
    sregs.gdt.limit = 0x47;
    sregs.idt.limit = 0;
    sregs.cr3 = PROBE_PML4;
    sregs.cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
    sregs.cr4 = 0x620;      /* PAE OSFXSR OSXMMEXCPT */
    sregs.efer = 0xd01;     /* SCE LME LMA NXE */
    return kvm_call_set_sregs(vm->host, vm->vcpu_fd, &sregs);
}

static int probe_set_msrs(struct kvm_probe_vm *vm, uint64_t stub_addr)
{
    union {
        struct kvm_msrs head;
        uint64_t room[1 + 3 * sizeof(struct kvm_msr_entry) / 8];
    } list = {.head = {.nmsrs = 3}};
    const struct kvm_msr_entry entries[3] = {
        {.index = 0xc0000081, .data = 0x0023000800000000},
        {.index = 0xc0000082, .data = stub_addr         },
        {.index = 0xc0000084, .data = 0x47500           }, /* not IF */
    };
    int done = 0;

    memcpy(list.head.entries, entries, sizeof(entries));
    done = kvm_call_set_msrs(vm->host, vm->vcpu_fd, &list.head);
    return done < 0 ? done : done == 3 ? 0 : -EINVAL;
}

int kvm_probe_vm_load(struct kvm_probe_vm *vm,
                      const struct kvm_probe_code *code)
{
    /* out 0x80, al; sysretq */
    static const uint8_t stub[] = {0xe6, KVM_PROBE_PORT, 0x48, 0x0f, 0x07};
    struct kvm_regs regs = {
        .rip = probe_base + PROBE_CODE,
        .rsp = probe_base + PROBE_STACK_END,
        .rcx = code->rcx,
        .rflags = 2,
    };
    int err = 0;

    probe_fill_tables(vm, code);
    memcpy(vm->ram + PROBE_CODE, code->bytes, code->len);
    memcpy(vm->ram + PROBE_STUB + (code->stub_addr & 0xfff), stub,
           sizeof(stub));
    err = probe_set_sregs(vm, code->ring);
    if (!err)
        err = probe_set_msrs(vm, code->stub_addr);
    if (!err)
        err = kvm_call_set_regs(vm->host, vm->vcpu_fd, &regs);
    return err;
}

int kvm_probe_vm_run(struct kvm_probe_vm *vm)
{
    struct kvm_watchdog dog;
    int err = kvm_watchdog_start(&dog, PROBE_RUN_NS, &vm->run->immediate_exit);

    if (err)
        return err;
    err = kvm_call_run(vm->host, vm->vcpu_fd, 0);
    kvm_watchdog_stop(&dog);
    vm->run->immediate_exit = 0;
    return err ? err : (int)vm->run->exit_reason;
}

static int probe_create_vcpu(struct kvm_host *host, struct kvm_probe_vm *vm)
{
    const struct kvm_cpuid2 *cpuid = NULL;
    int err = kvm_host_supported_cpuid(host, &cpuid);

    if (err)
        return err;
    vm->vcpu_fd = kvm_call_create_vcpu(host, vm->vm_fd, 0);
    if (vm->vcpu_fd < 0)
        return vm->vcpu_fd;
    vm->run = host->ops->mmap(host->ops_self, vm->vcpu_fd, host->run_size);
    if (!vm->run)
        return -ENOMEM;
    return kvm_call_set_cpuid2(host, vm->vcpu_fd, host->cpuid);
}

static int probe_create_memory(struct kvm_probe_vm *vm)
{
    struct kvm_userspace_memory_region region = {.memory_size =
                                                     KVM_PROBE_RAM_SIZE};
    void *ram = mmap(NULL, KVM_PROBE_RAM_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (ram == MAP_FAILED)
        return -errno;
    vm->ram = ram;
    region.userspace_addr = (uintptr_t)ram;
    return kvm_call_set_user_memory_region(vm->host, vm->vm_fd, &region);
}

int kvm_probe_vm_create(struct kvm_host *host, struct kvm_probe_vm *vm)
{
    int err = 0;

    *vm = (struct kvm_probe_vm){.host = host, .vm_fd = -1, .vcpu_fd = -1};
    vm->vm_fd = kvm_call_create_vm(host, host->fd, 0);
    if (vm->vm_fd < 0)
        return vm->vm_fd;
    if (host->cap_value[KVM_HAS_SET_TSS_ADDR])
        err = kvm_call_set_tss_addr(host, vm->vm_fd, probe_tss_addr);
    if (!err)
        err = probe_create_memory(vm);
    if (!err)
        err = probe_create_vcpu(host, vm);
    if (err)
        kvm_probe_vm_destroy(vm);
    return err;
}

void kvm_probe_vm_destroy(struct kvm_probe_vm *vm)
{
    const struct kvm_host *host = vm->host;

    if (vm->run)
        host->ops->munmap(host->ops_self, vm->run, host->run_size);
    if (vm->vcpu_fd >= 0)
        host->ops->close(host->ops_self, vm->vcpu_fd);
    if (vm->vm_fd >= 0)
        host->ops->close(host->ops_self, vm->vm_fd);
    if (vm->ram)
        munmap(vm->ram, KVM_PROBE_RAM_SIZE);
    *vm = (struct kvm_probe_vm){.host = host, .vm_fd = -1, .vcpu_fd = -1};
}
