/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The questions to the host, each a few instructions in the throw-away VM.
 * Leaves out: memory behaviour (stale translations, cost of a first touch).
 * Sources: Linux, Documentation/virt/kvm/api.rst; [SDM] Vol. 2B, "SYSCALL".
 */
#include "cpu/kvm/kvm_probe.h"

#include "arch/x86/state.h"
#include "arch/x86/xsave_layout.h"
#include "base/host_clock.h"
#include "cpu/kvm/kvm_host.h"
#include "cpu/kvm/kvm_perf.h"
#include "cpu/kvm/kvm_probe_vm.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    PROBE_EXITS = 25,
    PROBE_EXITS_NS = 20000000,
    PROBE_TSC_NS = 5000000,
    PROBE_TURNS = 10000, /* of a loop of two instructions */
    PROBE_EXTRA = 2,     /* the exit's own, and one that it interrupted */
    PROBE_CR4_TSD = 4,
    PROBE_XSAVE_HEADER = 512,
    PROBE_XCR0_AVX = 0x7,
    PROBE_XCR0_AVX512 = 0xe7
};

/* Candidates for the stub.  Some hosts keep parts of the upper half. */
static const uint64_t probe_stubs[] = {0xffffffff80007000, 0xffffc90000000000,
                                       0xfffffffffffff000, 0xffff800000000000};

static int probe_is_exit_io(const struct kvm_probe_vm *vm, int reason)
{
    return reason == KVM_EXIT_IO && vm->run->io.port == KVM_PROBE_PORT;
}

static enum kvm_answer probe_yes(int is_so)
{
    return is_so ? KVM_YES : KVM_NO;
}

/* paddd xmm0, xmm0; hlt -- KVM's emulator knows integer code and moves, but no
 * vector arithmetic. */
static void probe_ring0(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING0,
        .stub_addr = probe_stubs[0],
        .len = 5,
        .bytes = {0x66, 0x0f, 0xfe, 0xc0, 0xf4},
    };
    int reason = 0;

    if (kvm_probe_vm_load(vm, &code))
        return;
    reason = kvm_probe_vm_run(vm);
    if (reason == KVM_EXIT_HLT)
        out->ring0 = KVM_RING0_NATIVE;
    else if (reason == KVM_EXIT_INTERNAL_ERROR &&
             vm->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
        out->ring0 = KVM_RING0_EMULATED;
}

/* syscall, with the stub at @addr.  True if the stub was reached. */
static int probe_syscall(struct kvm_probe_vm *vm, uint64_t addr,
                         struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = addr,
        .len = 2,
        .bytes = {0x0f, 0x05},
    };
    struct kvm_sregs sregs;

    if (kvm_probe_vm_load(vm, &code) ||
        !probe_is_exit_io(vm, kvm_probe_vm_run(vm)) ||
        kvm_call_get_sregs(vm->host, vm->vcpu_fd, &sregs))
        return 0;
    out->stub_addr = addr;
    out->syscall_enters_ring0 = probe_yes(!(sregs.cs.selector & 3));
    return 1;
}

static void probe_stub(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(probe_stubs); i++)
        if (probe_syscall(vm, probe_stubs[i], out))
            return;
}

/* inc rcx; syscall -- with a window that is open from the start.  Others end at
 * once, or at the stub's OUT. */
static void probe_window(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 5,
        .bytes = {0x48, 0xff, 0xc1, 0x0f, 0x05},
    };
    struct kvm_regs regs = {0};
    int reason = 0;

    out->syscall_window = KVM_NO;
    if (kvm_probe_vm_load(vm, &code) ||
        kvm_call_get_regs(vm->host, vm->vcpu_fd, &regs))
        return;
    regs.rflags |= X86_IF;
    if (kvm_call_set_regs(vm->host, vm->vcpu_fd, &regs))
        return;
    vm->run->request_interrupt_window = 1;
    reason = kvm_probe_vm_run(vm);
    vm->run->request_interrupt_window = 0;
    if (reason == KVM_EXIT_IRQ_WINDOW_OPEN &&
        !kvm_call_get_regs(vm->host, vm->vcpu_fd, &regs))
        out->syscall_window = probe_yes(regs.rip == code.stub_addr);
}

/* inc rcx; inc rcx; syscall -- stopped after the first instruction, or not. */
static void probe_debug(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 8,
        .bytes = {0x48, 0xff, 0xc1, 0x48, 0xff, 0xc1, 0x0f, 0x05},
    };
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE |
                                               KVM_GUESTDBG_SINGLESTEP};

    out->guest_debug = KVM_NO;
    if (kvm_probe_vm_load(vm, &code) ||
        kvm_call_set_guest_debug(vm->host, vm->vcpu_fd, &debug))
        return;
    out->guest_debug = probe_yes(kvm_probe_vm_run(vm) == KVM_EXIT_DEBUG);
    debug.control = 0;
    if (kvm_call_set_guest_debug(vm->host, vm->vcpu_fd, &debug))
        out->guest_debug = KVM_NO;
}

/* out 0x80, al; jmp back -- the fastest of many, as others disturb. */
static void probe_exit_cost(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 4,
        .bytes = {0xe6, KVM_PROBE_PORT, 0xeb, 0xfc},
    };
    uint64_t end = host_clock_ns() + PROBE_EXITS_NS;
    uint64_t best = UINT32_MAX;
    int result = kvm_probe_vm_load(vm, &code);

    if (result >= 0)
        result = kvm_probe_vm_run(vm);
    if (result < 0 && result != -EINTR) {
        out->ring3_error = result;
        out->ring3_request = kvm_host_blame(vm->host, result);
    }
    if (result < 0 || !probe_is_exit_io(vm, result))
        return;
    out->runs_ring3 = KVM_YES;
    for (int i = 0; i < PROBE_EXITS && host_clock_ns() < end; i++) {
        uint64_t start = host_clock_ns();
        uint64_t cost = 0;

        if (kvm_call_run(vm->host, vm->vcpu_fd, 0))
            return;
        cost = host_clock_ns() - start;
        best = cost < best ? cost : best;
    }
    out->exit_ns = (uint32_t)best;
}

static void probe_tsc(struct kvm_probe *out)
{
    uint64_t start_ns = host_clock_ns();
    uint64_t start = host_clock_tsc();
    uint64_t now_ns = start_ns;

    while (now_ns - start_ns < PROBE_TSC_NS)
        now_ns = host_clock_ns();
    out->tsc_khz =
        (uint32_t)((host_clock_tsc() - start) * 1000000 / (now_ns - start_ns));
}

/* rdtsc; out 0x80, al -- with CR4.TSD.  A fault is a shutdown here. */
static void probe_rdtsc(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 4,
        .bytes = {0x0f, 0x31, 0xe6, KVM_PROBE_PORT},
    };
    uint64_t before = 0;
    uint64_t value = 0;
    struct kvm_sregs sregs;
    struct kvm_regs regs = {0};
    int reason = 0;

    if (kvm_probe_vm_load(vm, &code) ||
        kvm_call_get_sregs(vm->host, vm->vcpu_fd, &sregs))
        return;
    sregs.cr4 |= PROBE_CR4_TSD;
    if (kvm_call_set_sregs(vm->host, vm->vcpu_fd, &sregs))
        return;
    before = host_clock_tsc();
    reason = kvm_probe_vm_run(vm);
    out->rdtsc_faults = probe_yes(reason == KVM_EXIT_SHUTDOWN);
    if (!probe_is_exit_io(vm, reason) ||
        kvm_call_get_regs(vm->host, vm->vcpu_fd, &regs))
        return;
    value = regs.rdx << 32 | (uint32_t)regs.rax;
    out->rdtsc_is_host =
        probe_yes(value >= before && value <= host_clock_tsc());
}

/* A loop of known length; some hosts open a counter that stands still. */
static int probe_counts(struct kvm_probe_vm *vm, struct kvm_perf *perf)
{
    /* dec rcx; jnz back; out 0x80, al */
    const struct kvm_probe_code code = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .rcx = PROBE_TURNS,
        .len = 7,
        .bytes = {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xe6, KVM_PROBE_PORT},
    };
    uint64_t insts = 0;

    if (kvm_probe_vm_load(vm, &code) ||
        !probe_is_exit_io(vm, kvm_probe_vm_run(vm)) ||
        kvm_perf_take(perf, &insts))
        return 0;
    return insts >= 2 * PROBE_TURNS && insts <= 2 * PROBE_TURNS + PROBE_EXTRA;
}

static void probe_perf(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    struct kvm_perf perf;
    char why[KVM_PERF_WHY_SIZE];

    kvm_perf_init(&perf, vm->host);
    out->perf_counter = KVM_NO;
    if (kvm_perf_open(&perf, KVM_PERF_USER, KVM_PERF_INSTS, why))
        return;
    out->perf_counter = probe_yes(probe_counts(vm, &perf));
    kvm_perf_close(&perf);
}

/* ------------------------------------------------------------ vector state */

static int probe_set_xcr0(struct kvm_probe_vm *vm, uint64_t value)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1};

    xcrs.xcrs[0].value = value;
    return kvm_call_set_xcrs(vm->host, vm->vcpu_fd, &xcrs);
}

/* Puts a pattern into component @comp, runs @code, and expects every 32-bit
 * element of its first register to have doubled. */
static int probe_doubles(struct kvm_probe_vm *vm, uint64_t xcr0, unsigned comp,
                         const struct kvm_probe_code *code)
{
    struct x86_xsave_layout layout;
    struct kvm_xsave image;
    uint32_t value = 0x01234567;
    uint8_t *bytes = (uint8_t *)image.region;
    size_t place = 0;

    x86_xsave_layout_get(&layout);
    place = layout.comp[comp].offset;
    memset(&image, 0, sizeof(image));
    memcpy(bytes + PROBE_XSAVE_HEADER, &xcr0, sizeof(xcr0));
    memcpy(bytes + place, &value, sizeof(value));
    if (place + sizeof(value) > sizeof(image) || kvm_probe_vm_load(vm, code) ||
        probe_set_xcr0(vm, xcr0) ||
        kvm_call_set_xsave(vm->host, vm->vcpu_fd, &image) ||
        !probe_is_exit_io(vm, kvm_probe_vm_run(vm)))
        return 0;
    memset(&image, 0, sizeof(image));
    if (kvm_call_get_xsave(vm->host, vm->vcpu_fd, &image))
        return 0;
    memcpy(&value, bytes + place, sizeof(value));
    return value == 2 * 0x01234567;
}

static void probe_vectors(struct kvm_probe_vm *vm, struct kvm_probe *out)
{
    /* vpaddd ymm0, ymm0, ymm0; out 0x80, al */
    const struct kvm_probe_code avx = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 6,
        .bytes = {0xc5, 0xfd, 0xfe, 0xc0, 0xe6, KVM_PROBE_PORT},
    };
    /* vpaddd zmm16, zmm16, zmm16; out 0x80, al */
    const struct kvm_probe_code avx512 = {
        .ring = KVM_PROBE_RING3,
        .stub_addr = probe_stubs[0],
        .len = 8,
        .bytes = {0x62, 0xa1, 0x7d, 0x40, 0xfe, 0xc0, 0xe6, KVM_PROBE_PORT},
    };

    if (__builtin_cpu_supports("avx2"))
        out->avx_state =
            probe_yes(probe_doubles(vm, PROBE_XCR0_AVX, X86_XCOMP_AVX, &avx));
    if (__builtin_cpu_supports("avx512f"))
        out->avx512_state = probe_yes(
            probe_doubles(vm, PROBE_XCR0_AVX512, X86_XCOMP_HI16_ZMM, &avx512));
}

/* ----------------------------------------------------------------- verdict */

/* Hardware virtualisation runs ring 0 as it is and enters it by SYSCALL; what
 * does not is software, whatever the processor. */
static enum kvm_vendor_class probe_vendor(const struct kvm_probe *probe)
{
    uint32_t eax = 0;
    uint32_t ebx = 0;
    uint32_t ecx = 0;
    uint32_t edx = 0;

    if (probe->syscall_enters_ring0 == KVM_NO)
        return KVM_VENDOR_PVM;
    if (probe->ring0 != KVM_RING0_NATIVE)
        return KVM_VENDOR_UNKNOWN;
    __cpuid(0, eax, ebx, ecx, edx);
    if (ebx == signature_INTEL_ebx)
        return KVM_VENDOR_INTEL;
    return ebx == signature_AMD_ebx || ebx == 0x6f677948 /* Hygon */
               ? KVM_VENDOR_AMD
               : KVM_VENDOR_UNKNOWN;
}

int kvm_probe_run(struct kvm_host *host, struct kvm_probe *out)
{
    uint64_t start = host_clock_ns();
    struct kvm_probe_vm vm;
    int err = 0;

    memset(out, 0, sizeof(*out));
    err = kvm_probe_vm_create(host, &vm);
    if (err)
        return err;
    out->runs_ring3 = KVM_NO;
    probe_stub(&vm, out);
    probe_exit_cost(&vm, out);
    probe_window(&vm, out);
    probe_debug(&vm, out);
    probe_vectors(&vm, out);
    probe_perf(&vm, out);
    probe_rdtsc(&vm, out);
    /* Last: after an emulation failure not every host goes on. */
    probe_ring0(&vm, out);
    kvm_probe_vm_destroy(&vm);
    probe_tsc(out);
    out->vendor = probe_vendor(out);
    out->probe_us = (uint32_t)((host_clock_ns() - start) / 1000);
    return 0;
}

int kvm_probe_check(struct kvm_host *host, struct kvm_probe *out,
                    char why[KVM_HOST_WHY_SIZE])
{
    int err = kvm_probe_run(host, out);

    why[0] = '\0';
    if (err) {
        (void)snprintf(why, KVM_HOST_WHY_SIZE, "%s makes no VM: %s: %s%s",
                       host->path, kvm_host_blame(host, err), strerror(-err),
                       err == -EBUSY ? "; does another hypervisor use the "
                                       "processor's virtualisation?"
                                     : "");
        return err;
    }
    if (out->runs_ring3 == KVM_YES)
        return 0;
    (void)snprintf(why, KVM_HOST_WHY_SIZE,
                   "%s makes a VM that does not execute code of ring 3",
                   host->path);
    if (out->ring3_error)
        (void)snprintf(why + strlen(why), KVM_HOST_WHY_SIZE - strlen(why),
                       ": %s: %s", out->ring3_request,
                       strerror(-out->ring3_error));
    return -ENOTSUP;
}

const char *kvm_vendor_name(enum kvm_vendor_class vendor)
{
    static const char *const names[] = {"unknown", "intel", "amd", "pvm"};
    return names[vendor];
}

const char *kvm_ring0_name(enum kvm_ring0 ring0)
{
    static const char *const names[] = {"unknown", "native", "emulated"};
    return names[ring0];
}

const char *kvm_answer_name(enum kvm_answer answer)
{
    static const char *const names[] = {"unknown", "no", "yes"};
    return names[answer];
}
