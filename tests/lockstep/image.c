/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated side: memory copied from the native process. */
#include "image.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/state.h"
#include "base/alloc.h"
#include "mem/physmem.h"

enum {
    PAGE = 4096,
    MAX_REGIONS = 1024,
    XSAVE_MAX = 16384,
    PTE_PRESENT = 1,
    PTE_WRITE = 2,
    PTE_USER = 4,
};
#define PTE_NX    (UINT64_C(1) << 63)
#define PTE_FRAME UINT64_C(0x000ffffffffff000)
#define RAM_SIZE  (UINT64_C(4) << 30)

struct image {
    struct x86_env env; /* first: hooks cast back */
    struct physmem *mem;
    struct x86_core *core;
    struct x86_cpuid *cpuid;
    uint64_t next_frame;
    uint64_t root; /* PML4 */
    struct region regions[MAX_REGIONS];
    size_t num_regions;
    bool at_syscall;
    struct x86_fault fault;
    uint8_t page[PAGE];
};

/* -------------------------------------------------------------- page tables */

static void *frame_host(struct image *image, uint64_t frame)
{
    return physmem_host(image->mem, (gpa_t){frame}, PAGE);
}

static uint64_t new_frame(struct image *image)
{
    uint64_t frame = image->next_frame;

    if (frame >= RAM_SIZE) {
        (void)fprintf(stderr, "the program needs more than 4 GiB\n");
        exit(1);
    }
    image->next_frame += PAGE;
    return frame;
}

/* The entry that maps @addr; NULL if a table is missing and not to be made. */
enum walk_mode { WALK_FIND, WALK_MAKE };
static uint64_t *walk(struct image *image, uint64_t addr, enum walk_mode mode)
{
    uint64_t table = image->root;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *entry =
            (uint64_t *)frame_host(image, table) + ((addr >> shift) & 511);

        if (!*entry && mode == WALK_FIND)
            return NULL;
        if (!*entry)
            *entry = new_frame(image) | PTE_PRESENT | PTE_WRITE | PTE_USER;
        table = *entry & PTE_FRAME;
    }
    return (uint64_t *)frame_host(image, table) + ((addr >> 12) & 511);
}

static void map_page(struct image *image, const struct region *region,
                     uint64_t addr)
{
    uint64_t *entry = walk(image, addr, WALK_MAKE);
    uint64_t frame = *entry & PTE_FRAME;

    if (!frame)
        frame = new_frame(image);
    *entry = frame | PTE_USER | (region->is_readable ? PTE_PRESENT : 0) |
             (region->is_writable ? PTE_WRITE : 0) |
             (region->is_executable ? 0 : PTE_NX);
}

static void copy_page(struct image *image, struct tracee *tracee, uint64_t addr)
{
    uint64_t *entry = walk(image, addr, WALK_FIND);
    uint64_t frame = entry ? *entry & PTE_FRAME : 0;
    uint8_t *host;

    if (!frame || !tracee_read(tracee, addr, image->page, PAGE))
        return;
    host = frame_host(image, frame);
    if (!memcmp(host, image->page, PAGE))
        return;
    memcpy(host, image->page, PAGE);
    x86_cache_invalidate(x86_core_cache(image->core), (gpa_t){frame}, PAGE);
}

static void unmap_all(struct image *image)
{
    for (size_t i = 0; i < image->num_regions; i++) {
        const struct region *region = &image->regions[i];

        for (uint64_t addr = region->start; addr < region->end; addr += PAGE) {
            uint64_t *entry = walk(image, addr, WALK_FIND);

            if (entry)
                *entry &= ~(uint64_t)PTE_PRESENT;
        }
    }
}

/* Stop before each CPUID of a page: see execute_cpuid().  Other instructions
 * may contain its bytes; then nobody stops there. */
static void find_cpuid(struct image *image, uint64_t addr)
{
    const uint8_t *host =
        frame_host(image, *walk(image, addr, WALK_MAKE) & PTE_FRAME);

    for (unsigned i = 0; i + 1 < PAGE; i++) {
        if (host[i] == 0x0f && host[i + 1] == 0xa2) {
            x86_core_remove_break(image->core, (gva_t){addr + i});
            x86_core_add_break(image->core, (gva_t){addr + i});
        }
    }
}

void image_copy_memory(struct image *image, struct tracee *tracee)
{
    unmap_all(image);
    image->num_regions = tracee_regions(tracee, image->regions, MAX_REGIONS);
    for (size_t i = 0; i < image->num_regions; i++) {
        const struct region *region = &image->regions[i];

        for (uint64_t addr = region->start; addr < region->end; addr += PAGE) {
            map_page(image, region, addr);
            copy_page(image, tracee, addr);
            if (region->is_executable)
                find_cpuid(image, addr);
        }
    }
    x86_core_flush_tlb(image->core);
}

void image_copy_writable(struct image *image, struct tracee *tracee)
{
    for (size_t i = 0; i < image->num_regions; i++) {
        const struct region *region = &image->regions[i];

        if (!region->is_writable)
            continue;
        for (uint64_t addr = region->start; addr < region->end; addr += PAGE)
            copy_page(image, tracee, addr);
    }
}

/* --------------------------------------------------------------- registers */

/* Offsets of the standard XSAVE format are the host's own. */
static void copy_component(uint8_t *to, const uint8_t *host, size_t size,
                           unsigned bit)
{
    static const struct {
        unsigned bit, offset;
    } ours[] = {
        {2, X86_XSAVE_YMM     },
        {5, X86_XSAVE_OPMASK  },
        {6, X86_XSAVE_ZMM_HI  },
        {7, X86_XSAVE_HI16_ZMM}
    };
    uint32_t len, offset, ecx, edx;

    __cpuid_count(0xd, bit, len, offset, ecx, edx);
    for (unsigned i = 0; i < SIM_ARRAY_LEN(ours); i++) {
        if (ours[i].bit == bit && len && offset + len <= size)
            memcpy(to + ours[i].offset, host + offset, len);
    }
}

static void get_xsave(struct tracee *tracee, uint8_t out[X86_XSAVE_SIZE])
{
    static const unsigned bits[] = {2, 5, 6, 7};
    static uint8_t host[XSAVE_MAX];
    size_t size = tracee_get_xsave(tracee, host, sizeof host);
    uint64_t mask;

    memset(out, 0, X86_XSAVE_SIZE);
    memcpy(out, host, 464);
    memcpy(&mask, host + 512, 8);
    mask &= 0xe7;
    memcpy(out + 512, &mask, 8);
    for (unsigned i = 0; i < SIM_ARRAY_LEN(bits); i++) {
        if (mask & (UINT64_C(1) << bits[i]))
            copy_component(out, host, size, bits[i]);
    }
}

static void gprs_of(const struct user_regs_struct *regs,
                    uint64_t out[X86_NUM_GPRS])
{
    const unsigned long long values[X86_NUM_GPRS] = {
        regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp,
        regs->rsi, regs->rdi, regs->r8,  regs->r9,  regs->r10, regs->r11,
        regs->r12, regs->r13, regs->r14, regs->r15};

    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        out[i] = values[i];
}

static struct x86_seg user_seg(uint16_t selector, uint8_t type, uint8_t l)
{
    return (struct x86_seg){.limit = UINT32_MAX,
                            .selector = selector,
                            .type = type,
                            .s = 1,
                            .dpl = 3,
                            .present = 1,
                            .l = l,
                            .db = !l,
                            .g = 1};
}

void image_copy_registers(struct image *image, struct tracee *tracee)
{
    struct x86_state *state = x86_core_state(image->core);
    struct user_regs_struct regs;
    uint32_t xcr0, high;

    tracee_get_regs(tracee, &regs);
    x86_state_reset(state);
    gprs_of(&regs, state->gpr);
    state->rip = regs.rip;
    state->rflags = regs.eflags & ~(uint64_t)X86_TF;
    state->cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
    state->cr3 = image->root;
    state->cr4 = 0x50620; /* OSXSAVE FSGSBASE OSXMMEXCPT OSFXSR PAE */
    state->efer = 0xd01;
    state->seg[X86_CS] = user_seg(0x33, 11, 1);
    state->seg[X86_SS_SEG] = user_seg(0x2b, 3, 0);
    state->seg[X86_DS] = (struct x86_seg){.unusable = 1};
    state->seg[X86_ES] = state->seg[X86_DS];
    state->seg[X86_FS] = (struct x86_seg){.unusable = 1, .base = regs.fs_base};
    state->seg[X86_GS] = (struct x86_seg){.unusable = 1, .base = regs.gs_base};
    state->mp_state = X86_RUNNABLE;
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    state->xcr0 = xcr0 & 0xe7;
    get_xsave(tracee, state->xsave);
    x86_core_state_changed(image->core);
}

/* --------------------------------------------------------------- execution */

static bool on_syscall(struct x86_env *env, struct x86_core *core,
                       enum x86_syscall_kind kind)
{
    (void)kind;
    ((struct image *)env)->at_syscall = true;
    x86_core_stop(core);
    return true;
}

static bool on_exception(struct x86_env *env, struct x86_core *core,
                         const struct x86_fault *fault)
{
    ((struct image *)env)->fault = *fault;
    x86_core_stop(core);
    return true;
}

struct image *image_create(void)
{
    struct image *image = alloc_zeroed(1, sizeof *image);
    const struct x86_cpuid_cfg cpuid_cfg = {.num_cpus = 1};
    struct x86_core_cfg cfg = {0};
    char why[256];

    image->env.syscall = on_syscall;
    image->env.exception = on_exception;
    image->mem = physmem_create();
    if (physmem_add(image->mem, 0, RAM_SIZE) ||
        x86_cpuid_create(&cpuid_cfg, &image->cpuid, why)) {
        (void)fprintf(stderr, "cannot make the simulated side\n");
        exit(1);
    }
    image->next_frame = PAGE;
    image->root = new_frame(image);
    cfg.mem = image->mem;
    cfg.env = &image->env;
    cfg.cpuid = image->cpuid;
    image->core = x86_core_create(&cfg);
    return image;
}

void image_destroy(struct image *image)
{
    x86_core_destroy(image->core);
    x86_cpuid_destroy(image->cpuid);
    physmem_destroy(image->mem);
    mem_free(image);
}

struct x86_core *image_core(struct image *image)
{
    return image->core;
}

const struct x86_fault *image_fault(const struct image *image)
{
    return &image->fault;
}

/* The host's answer, which the native side gets, too: what the model answers is
 * another test's matter. */
static void execute_cpuid(struct image *image)
{
    struct x86_state *state = x86_core_state(image->core);
    unsigned eax, ebx, ecx, edx;

    __cpuid_count((unsigned)state->gpr[X86_RAX], (unsigned)state->gpr[X86_RCX],
                  eax, ebx, ecx, edx);
    state->gpr[X86_RAX] = eax;
    state->gpr[X86_RBX] = ebx;
    state->gpr[X86_RCX] = ecx;
    state->gpr[X86_RDX] = edx;
    state->rip += 2;
}

enum image_stop image_run(struct image *image, uint64_t max_insts)
{
    uint64_t left = max_insts;

    image->at_syscall = false;
    image->fault.vector = X86_NO_FAULT;
    while (left > 0) {
        uint64_t before = x86_core_insts(image->core);

        enum x86_stop stop = x86_core_run(image->core, left);

        if (stop != X86_STOP_BREAK && stop != X86_STOP_REP)
            break;
        left -= x86_core_insts(image->core) - before;
        if (stop == X86_STOP_REP)
            continue;
        left--;
        execute_cpuid(image);
    }
    if (image->at_syscall)
        return IMAGE_SYSCALL;
    return image->fault.vector != X86_NO_FAULT ? IMAGE_FAULT : IMAGE_BUDGET;
}

/* -------------------------------------------------------------- comparison */

static bool differ(char text[256], const char *what, uint64_t native,
                   uint64_t model)
{
    if (native == model)
        return false;
    (void)snprintf(text, 256, "%s: native %#llx, simulated %#llx", what,
                   (unsigned long long)native, (unsigned long long)model);
    return true;
}

static bool differ_regs(struct image *image, struct tracee *tracee,
                        char text[256])
{
    static const char *const names[X86_NUM_GPRS] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    struct x86_state *state = x86_core_state(image->core);
    struct user_regs_struct regs;
    uint64_t gpr[X86_NUM_GPRS];

    tracee_get_regs(tracee, &regs);
    gprs_of(&regs, gpr);
    /* At a system call the kernel has replaced RAX by -ENOSYS. */
    if (image->at_syscall)
        gpr[X86_RAX] = regs.orig_rax;
    for (unsigned i = 0; i < X86_NUM_GPRS; i++) {
        if (differ(text, names[i], gpr[i], state->gpr[i]))
            return true;
    }
    x86_core_sync(image->core);
    return differ(text, "rip", regs.rip, state->rip) ||
           differ(text, "arithmetic flags",
                  regs.eflags & (X86_ARITH_FLAGS | X86_DF_FLAG),
                  state->rflags & (X86_ARITH_FLAGS | X86_DF_FLAG)) ||
           differ(text, "fs base", regs.fs_base, state->seg[X86_FS].base);
}

static bool differ_vectors(struct image *image, struct tracee *tracee,
                           char text[256])
{
    const uint8_t *ours = x86_core_state(image->core)->xsave;
    uint8_t native[X86_XSAVE_SIZE];
    uint64_t mask, our_mask;

    get_xsave(tracee, native);
    memcpy(&mask, native + 512, 8);
    memcpy(&our_mask, ours + 512, 8);
    for (unsigned i = 160; i < 416; i += 8) {
        uint64_t a, b;
        char what[24];

        memcpy(&a, native + i, 8);
        memcpy(&b, ours + i, 8);
        a = mask & 2 ? a : 0;
        b = our_mask & 2 ? b : 0;
        (void)snprintf(what, sizeof what, "xmm%u half %u", (i - 160) / 16,
                       (i / 8) & 1);
        if (differ(text, what, a, b))
            return true;
    }
    for (unsigned i = X86_XSAVE_YMM; i < X86_XSAVE_YMM + 256; i += 8) {
        uint64_t a, b;

        memcpy(&a, native + i, 8);
        memcpy(&b, ours + i, 8);
        a = mask & 4 ? a : 0;
        b = our_mask & 4 ? b : 0;
        if (differ(text, "upper half of a ymm register", a, b))
            return true;
    }
    return false;
}

static bool differ_page(struct image *image, struct tracee *tracee,
                        uint64_t addr, char text[256])
{
    uint64_t *entry = walk(image, addr, WALK_FIND);
    const uint8_t *host;

    if (!entry || !(*entry & PTE_FRAME) ||
        !tracee_read(tracee, addr, image->page, PAGE))
        return false;
    host = frame_host(image, *entry & PTE_FRAME);
    if (!memcmp(host, image->page, PAGE))
        return false;
    for (unsigned i = 0; i < PAGE; i++) {
        if (host[i] != image->page[i]) {
            (void)snprintf(
                text, 256, "memory at %#llx: native %02x, simulated %02x",
                (unsigned long long)(addr + i), image->page[i], host[i]);
            return true;
        }
    }
    return false;
}

bool image_differs(struct image *image, struct tracee *tracee,
                   enum image_scope scope, char text[256])
{
    if (differ_regs(image, tracee, text) || differ_vectors(image, tracee, text))
        return true;
    if (scope == IMAGE_REGISTERS)
        return false;
    for (size_t i = 0; i < image->num_regions; i++) {
        const struct region *region = &image->regions[i];

        if (!region->is_writable)
            continue;
        for (uint64_t addr = region->start; addr < region->end; addr += PAGE) {
            if (differ_page(image, tracee, addr, text))
                return true;
        }
    }
    return false;
}
