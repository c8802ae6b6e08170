/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A core at CPL 3 in 64-bit mode with page tables that map just the pages of a
 * case.  Control registers and selectors are those of a Linux process.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/core.h"
#include "arch/x86/cpuid.h"
#include "arch/x86/cpuid_isa.h"
#include "arch/x86/fault.h"
#include "arch/x86/vmem.h"
#include "mem/physmem.h"

enum {
    RAM_SIZE = 2 << 20,
    PML4 = 0x1000,
    PDPT = 0x2000,
    PD = 0x3000,
    PT_CODE = 0x4000,
    PT_DATA = 0x5000,
    FRAME_CODE = 0x10000,
    FRAME_DATA = 0x20000,
    FRAME_GDT = 0x30000,
    LDT_OFFSET = 0x800,
    PT_GDT = 0x6000,
    PTE_USER = 7, /* present, writable, user */
    PTE_SUPERVISOR = 3,
};
#define PTE_NX (UINT64_C(1) << 63)
#define GDT    UINT64_C(0x3e000000)
#define LDT    (GDT + LDT_OFFSET)

/* Descriptors that user code can name, as Linux lays them out. */
static const uint64_t gdt[] = {
    [1] = UINT64_C(0x00cf9b000000ffff),  /* kernel code, 32-bit */
    [2] = UINT64_C(0x00af9b000000ffff),  /* kernel code */
    [3] = UINT64_C(0x00cf93000000ffff),  /* kernel data */
    [4] = UINT64_C(0x00cffb000000ffff),  /* user code, 32-bit */
    [5] = UINT64_C(0x00cff3000000ffff),  /* user data */
    [6] = UINT64_C(0x00affb000000ffff),  /* user code */
    [8] = UINT64_C(0x00008b0000004087),  /* TSS */
    [15] = UINT64_C(0x0040f50000000000), /* CPU number */
};

/* By DIFF_CS16 and DIFF_DS16. */
static const uint64_t ldt[] = {
    UINT64_C(0x2000fb000000ffff), /* 16-bit code */
    UINT64_C(0x3000f3000000ffff), /* 16-bit data */
};

struct model {
    struct x86_env env; /* first: hooks cast back */
    struct physmem *mem;
    struct x86_core *core;
    struct x86_cpuid *cpuid;
    uint64_t xsave_mask;
    struct x86_fault fault;
};

static void put_entry(struct model *model, uint64_t table, uint64_t index,
                      uint64_t entry)
{
    if (!physmem_write(model->mem, (gpa_t){table + 8 * index}, &entry, 8))
        abort();
}

static void map_pages(struct model *model)
{
    put_entry(model, PML4, 0, PDPT | PTE_USER);
    put_entry(model, PDPT, 0, PD | PTE_USER);
    put_entry(model, PD, DIFF_CODE >> 21, PT_CODE | PTE_USER);
    put_entry(model, PD, DIFF_DATA >> 21, PT_DATA | PTE_USER);
    put_entry(model, PD, GDT >> 21, PT_GDT | PTE_USER);
    put_entry(model, PT_GDT, 0, FRAME_GDT | PTE_SUPERVISOR | PTE_NX);
    if (!physmem_write(model->mem, (gpa_t){FRAME_GDT}, gdt, sizeof gdt) ||
        !physmem_write(model->mem, (gpa_t){FRAME_GDT + LDT_OFFSET}, ldt,
                       sizeof ldt))
        abort();
    put_entry(model, PT_CODE, 0, FRAME_CODE | PTE_USER);
    put_entry(model, PT_DATA, 0, FRAME_DATA | PTE_USER | PTE_NX);
    put_entry(model, PT_DATA, 1, (FRAME_DATA + 4096) | PTE_USER | PTE_NX);
}

static bool on_exception(struct x86_env *env, struct x86_core *core,
                         const struct x86_fault *fault)
{
    ((struct model *)env)->fault = *fault;
    x86_core_stop(core);
    return true;
}

static bool on_syscall(struct x86_env *env, struct x86_core *core,
                       enum x86_syscall_kind kind)
{
    (void)env;
    (void)kind;
    x86_core_stop(core);
    return true;
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

static struct x86_seg seg16(uint16_t selector, uint8_t type, uint64_t base)
{
    return (struct x86_seg){.base = base,
                            .limit = DIFF_LIMIT16,
                            .selector = selector,
                            .type = type,
                            .s = 1,
                            .dpl = 3,
                            .present = 1};
}

static void set_segments16(struct x86_state *state)
{
    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = seg16(DIFF_DS16, 3, DIFF_DATA);
    state->seg[X86_CS] = seg16(DIFF_CS16, 11, DIFF_CODE);
}

static void set_segments(struct x86_state *state, enum diff_mode mode)
{
    static const enum x86_seg_name data[] = {X86_DS, X86_ES, X86_FS, X86_GS};
    bool is_64 = mode == DIFF_LONG64;

    if (mode == DIFF_COMPAT16) {
        set_segments16(state);
        return;
    }
    state->seg[X86_CS] = user_seg(is_64 ? DIFF_CS64 : DIFF_CS32, 11, is_64);
    state->seg[X86_SS_SEG] = user_seg(DIFF_DS, 3, 0);
    for (unsigned i = 0; i < SIM_ARRAY_LEN(data); i++)
        state->seg[data[i]] =
            is_64 ? (struct x86_seg){.unusable = 1} : user_seg(DIFF_DS, 3, 0);
}

static void set_system_state(struct model *model, struct x86_state *state)
{
    x86_state_reset(state);
    state->cr0 = 0x80050033; /* PG AM WP NE ET MP PE */
    state->cr3 = PML4;
    state->cr4 = 0x50620; /* OSXSAVE FSGSBASE OSXMMEXCPT OSFXSR PAE */
    state->efer = 0xd01;  /* NXE LMA LME SCE */
    state->xcr0 = model->xsave_mask;
    /* No port is allowed. */
    state->gdtr = (struct x86_table_reg){.base = GDT, .limit = sizeof gdt - 1};
    state->ldtr = (struct x86_seg){
        .base = LDT, .limit = sizeof ldt - 1, .type = 2, .present = 1};
    state->tr.unusable = 1;
    state->mp_state = X86_RUNNABLE;
}

struct model *model_create(uint64_t xsave_mask)
{
    struct model *model = calloc(1, sizeof *model);
    const struct x86_cpuid_cfg cpuid_cfg = {.num_cpus = 1};
    struct x86_core_cfg cfg = {0};
    char why[256];

    if (!model)
        abort();
    model->xsave_mask = xsave_mask;
    model->env.exception = on_exception;
    model->env.syscall = on_syscall;
    model->mem = physmem_create();
    if (physmem_add(model->mem, 0, RAM_SIZE) ||
        x86_cpuid_create(&cpuid_cfg, &model->cpuid, why)) {
        (void)fprintf(stderr, "cannot make the simulated side\n");
        exit(1);
    }
    map_pages(model);
    cfg.mem = model->mem;
    cfg.env = &model->env;
    cfg.cpuid = model->cpuid;
    model->core = x86_core_create(&cfg);
    return model;
}

void model_destroy(struct model *model)
{
    x86_core_destroy(model->core);
    x86_cpuid_destroy(model->cpuid);
    physmem_destroy(model->mem);
    free(model);
}

bool model_offers(const struct model *model,
                  const ZydisDecodedInstruction *inst)
{
    return x86_cpuid_offers(model->cpuid, inst);
}

/* At the end of the page the instruction is a block of its own, which the core
 * executes at once by fast handlers; else it is stepped, by full ones. */
static bool is_block(const struct diff_case *test)
{
    const uint8_t pushf = 0x9c; /* shows TF, which the host side sets */

    return test->offset + test->len == DIFF_CODE_SIZE &&
           test->bytes[test->len - 1] != pushf;
}

static void load(struct model *model, const struct diff_case *test)
{
    struct x86_state *state = x86_core_state(model->core);
    uint8_t *code = physmem_host(model->mem, (gpa_t){FRAME_CODE}, 4096);

    memset(code, 0xcc, DIFF_CODE_SIZE);
    memcpy(code + test->offset, test->bytes, test->len);
    x86_cache_invalidate(x86_core_cache(model->core), (gpa_t){FRAME_CODE},
                         DIFF_CODE_SIZE);
    memcpy(physmem_host(model->mem, (gpa_t){FRAME_DATA}, DIFF_DATA_SIZE),
           test->data, DIFF_DATA_SIZE);
    set_system_state(model, state);
    set_segments(state, (enum diff_mode)test->mode);
    memcpy(state->gpr, test->in.gpr, sizeof state->gpr);
    state->rip = test->in.rip;
    state->rflags = test->in.rflags;
    if (!is_block(test))
        state->rflags |= X86_TF;
    state->seg[X86_FS].base = test->in.fs_base;
    state->seg[X86_GS].base = test->in.gs_base;
    memcpy(state->xsave, test->in.xsave, sizeof state->xsave);
    x86_core_state_changed(model->core);
}

static void store(struct model *model, struct diff_result *result)
{
    struct x86_state *state;

    x86_core_sync(model->core);
    state = x86_core_state(model->core);
    memcpy(result->out.gpr, state->gpr, sizeof state->gpr);
    result->out.rip = state->rip;
    result->out.rflags = state->rflags | X86_TF;
    result->out.fs_base = state->seg[X86_FS].base;
    result->out.gs_base = state->seg[X86_GS].base;
    memcpy(result->out.xsave, state->xsave, sizeof state->xsave);
    memcpy(result->data,
           physmem_host(model->mem, (gpa_t){FRAME_DATA}, DIFF_DATA_SIZE),
           DIFF_DATA_SIZE);
}

void model_run(struct model *model, const struct diff_case *test,
               struct diff_result *result)
{
    struct x86_state *state = x86_core_state(model->core);

    memset(result, 0, sizeof *result);
    load(model, test);
    for (unsigned step = 0; step < DIFF_MAX_STEPS; step++) {
        model->fault.vector = X86_NO_FAULT;
        (void)x86_core_run(model->core, 1);
        if (model->fault.vector != X86_DB || state->rip != test->in.rip)
            break;
    }
    result->vector =
        model->fault.vector == X86_DB ? X86_NO_FAULT : model->fault.vector;
    result->error = model->fault.error;
    result->fault_addr = model->fault.addr;
    store(model, result);
}
