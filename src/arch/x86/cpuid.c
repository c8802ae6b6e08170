/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features and identity of the simulated processor; the leaves are in
 * cpuid_leaf.c.
 */
#include "arch/x86/cpuid.h"

#include "arch/x86/cpuid_host.h"
#include "arch/x86/cpuid_internal.h"
#include "base/alloc.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct x86_cpuid_model {
    const char *name, *base;
    const char *vendor, *brand; /* NULL: the host's */
    uint8_t family, model, stepping;
    const char *features;
} models[] = {
#define X86_MODEL(name, base, vendor, brand, family, model, stepping, text)    \
    {name, base, vendor, brand, family, model, stepping, text},
#include "arch/x86/cpuid_models.def"
#undef X86_MODEL
};

const struct x86_cpuid_row x86_cpuid_rows[X86_NUM_FEATURES] = {
#define X86_FEATURE(name, text, leaf, subleaf, reg, bit)                       \
    {text, leaf, subleaf, X86_CPUID_##reg, bit},
#include "arch/x86/cpuid_features.def"
#undef X86_FEATURE
};

static const struct x86_cpuid_model *find_model(const char *name)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(models); i++) {
        if (!strcmp(models[i].name, name))
            return &models[i];
    }
    return NULL;
}

static void list_models(char why[256])
{
    int len = snprintf(why, 256, "known models:");

    for (size_t i = 0; i < SIM_ARRAY_LEN(models) && len < 256; i++)
        len += snprintf(why + len, 256 - (size_t)len, " %s", models[i].name);
}

/* ------------------------------------------------------------------- features
 */

static bool word_is(const char *word, size_t len, const char *text)
{
    return strlen(text) == len && !strncmp(word, text, len);
}

static void offer_word(struct x86_cpuid *cpuid, const char *word, size_t len)
{
    size_t feature = 0;

    while (feature < X86_NUM_FEATURES &&
           !word_is(word, len, x86_cpuid_rows[feature].text))
        feature++;
    SIM_ASSERT(feature < X86_NUM_FEATURES); /* else a misspelt model */
    cpuid->has[feature] = true;
}

static void offer_words(struct x86_cpuid *cpuid, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ");

        if (len)
            offer_word(cpuid, text, len);
        text += len + (text[len] == ' ');
    }
}

static void offer_model(struct x86_cpuid *cpuid,
                        const struct x86_cpuid_model *model)
{
    if (model->base)
        offer_model(cpuid, find_model(model->base));
    offer_words(cpuid, model->features);
}

/* FEATURE is useless or forbidden without BASE.  [SDM] Vol. 1, "Detection of
 * ..." sections. */
static const struct {
    enum x86_feature feature, base;
} dependencies[] = {
    {X86_FEAT_SSE,                 X86_FEAT_FXSR    },
    {X86_FEAT_SSE2,                X86_FEAT_SSE     },
    {X86_FEAT_SSE3,                X86_FEAT_SSE2    },
    {X86_FEAT_SSSE3,               X86_FEAT_SSE3    },
    {X86_FEAT_SSE4_1,              X86_FEAT_SSSE3   },
    {X86_FEAT_SSE4_2,              X86_FEAT_SSE4_1  },
    {X86_FEAT_XSAVEOPT,            X86_FEAT_XSAVE   },
    {X86_FEAT_XSAVEC,              X86_FEAT_XSAVE   },
    {X86_FEAT_XGETBV1,             X86_FEAT_XSAVE   },
    {X86_FEAT_PKU,                 X86_FEAT_XSAVE   },
    {X86_FEAT_AVX,                 X86_FEAT_XSAVE   },
    {X86_FEAT_F16C,                X86_FEAT_AVX     },
    {X86_FEAT_FMA,                 X86_FEAT_AVX     },
    {X86_FEAT_FMA4,                X86_FEAT_AVX     },
    {X86_FEAT_XOP,                 X86_FEAT_AVX     },
    {X86_FEAT_AVX2,                X86_FEAT_AVX     },
    {X86_FEAT_AVX_VNNI,            X86_FEAT_AVX2    },
    {X86_FEAT_AVX_IFMA,            X86_FEAT_AVX2    },
    {X86_FEAT_VAES,                X86_FEAT_AVX     },
    {X86_FEAT_VPCLMULQDQ,          X86_FEAT_AVX     },
    {X86_FEAT_AVX512F,             X86_FEAT_AVX2    },
 /* Thunks keep opmasks with KMOVQ. */
    {X86_FEAT_AVX512F,             X86_FEAT_AVX512BW},
    {X86_FEAT_AVX512BW,            X86_FEAT_AVX512F },
    {X86_FEAT_AVX512CD,            X86_FEAT_AVX512F },
    {X86_FEAT_AVX512DQ,            X86_FEAT_AVX512F },
    {X86_FEAT_AVX512VL,            X86_FEAT_AVX512F },
    {X86_FEAT_AVX512IFMA,          X86_FEAT_AVX512F },
    {X86_FEAT_AVX512VBMI,          X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_VBMI2,        X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_VNNI,         X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_BITALG,       X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_VPOPCNTDQ,    X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_BF16,         X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_FP16,         X86_FEAT_AVX512F },
    {X86_FEAT_AVX512_VP2INTERSECT, X86_FEAT_AVX512F },
};

static void drop_dependents(struct x86_cpuid *cpuid)
{
    for (size_t pass = 0; pass < SIM_ARRAY_LEN(dependencies); pass++) {
        bool is_changed = false;

        for (size_t i = 0; i < SIM_ARRAY_LEN(dependencies); i++) {
            bool *has = &cpuid->has[dependencies[i].feature];

            if (*has && !cpuid->has[dependencies[i].base]) {
                *has = false;
                is_changed = true;
            }
        }
        if (!is_changed)
            return;
    }
}

static bool host_may_misalign(void)
{
    SIM_ALIGNAS(16) uint8_t image[512] = {0};

    __asm__ volatile("fxsave64 %0" : "+m"(image));
    return image[30] & 2; /* MXCSR_MASK, bit 17 */
}

static void apply_host(struct x86_cpuid *cpuid)
{
    struct x86_cpuid_host host;

    /* Without a child `can` holds what every x86-64 host has. */
    int error = x86_cpuid_host_probe(&host);

    (void)error;
    for (size_t i = 0; i < X86_NUM_FEATURES; i++)
        cpuid->has[i] = cpuid->has[i] && host.can[i];
    if (!host_may_misalign())
        cpuid->has[X86_FEAT_MISALIGNSSE] = false;
    drop_dependents(cpuid);
}

/* ------------------------------------------------------------------- identity
 */

static void host_identity(struct x86_cpuid *cpuid)
{
    uint32_t regs[4];

    __cpuid(0, regs[0], regs[1], regs[2], regs[3]);
    memcpy(cpuid->vendor, &regs[1], 4);
    memcpy(cpuid->vendor + 4, &regs[3], 4);
    memcpy(cpuid->vendor + 8, &regs[2], 4);
    __cpuid(1, cpuid->signature, regs[1], regs[2], regs[3]);
    for (uint32_t i = 0; i < 3; i++) {
        __cpuid(0x80000002 + i, regs[0], regs[1], regs[2], regs[3]);
        memcpy(cpuid->brand + (size_t)16 * i, regs, 16);
    }
}

/* [SDM] Vol. 2A, "CPUID", version information. */
static uint32_t make_signature(const struct x86_cpuid_model *model)
{
    uint32_t family = model->family < 15 ? model->family : 15;

    return (uint32_t)(model->family - family) << 20 |
           (uint32_t)(model->model >> 4) << 16 | family << 8 |
           (uint32_t)(model->model & 15) << 4 | model->stepping;
}

static void set_identity(struct x86_cpuid *cpuid,
                         const struct x86_cpuid_model *model,
                         const struct x86_cpuid_cfg *cfg)
{
    const char *vendor = cfg->vendor ? cfg->vendor : model->vendor;
    const char *brand = cfg->brand ? cfg->brand : model->brand;

    host_identity(cpuid);
    if (vendor)
        (void)snprintf(cpuid->vendor, sizeof(cpuid->vendor), "%s", vendor);
    if (brand) {
        memset(cpuid->brand, 0, sizeof(cpuid->brand));
        (void)snprintf(cpuid->brand, sizeof(cpuid->brand), "%s", brand);
    }
    if (model->family)
        cpuid->signature = make_signature(model);
    cpuid->is_amd = !strcmp(cpuid->vendor, "AuthenticAMD");
}

/* What only one vendor's processors report. */
static void drop_foreign(struct x86_cpuid *cpuid)
{
    static const enum x86_feature amd_only[] = {
        X86_FEAT_TOPOEXT,     X86_FEAT_MMXEXT, X86_FEAT_SSE4A,
        X86_FEAT_MISALIGNSSE, X86_FEAT_XOP,    X86_FEAT_FMA4};

    for (size_t i = 0; i < SIM_ARRAY_LEN(amd_only) && !cpuid->is_amd; i++)
        cpuid->has[amd_only[i]] = false;
}

int x86_cpuid_create(const struct x86_cpuid_cfg *cfg, struct x86_cpuid **out,
                     char why[256])
{
    const struct x86_cpuid_model *model =
        find_model(cfg->model ? cfg->model : "host");
    struct x86_cpuid *cpuid;

    if (!model) {
        list_models(why);
        return -ENOENT;
    }
    cpuid = alloc_zeroed(1, sizeof(*cpuid));
    offer_model(cpuid, model);
    set_identity(cpuid, model, cfg);
    apply_host(cpuid);
    drop_foreign(cpuid);
    cpuid->has[X86_FEAT_HYPERVISOR] = cfg->offer_hypervisor;
    cpuid->num_cpus = cfg->num_cpus ? cfg->num_cpus : 1;
    cpuid->has[X86_FEAT_HT] = cpuid->num_cpus > 1;
    cpuid->tsc_hz = cfg->tsc_hz;
    cpuid->phys_bits = cfg->phys_bits ? cfg->phys_bits : 46;
    x86_xsave_layout_get(&cpuid->layout);
    *out = cpuid;
    return 0;
}

void x86_cpuid_destroy(struct x86_cpuid *cpuid)
{
    mem_free(cpuid);
}

/* -------------------------------------------------------------------- queries
 */

bool x86_cpuid_has(const struct x86_cpuid *cpuid, enum x86_feature feature)
{
    return cpuid->has[feature];
}

uint8_t x86_cpuid_phys_bits(const struct x86_cpuid *cpuid)
{
    return cpuid->phys_bits;
}

uint64_t x86_cpuid_xcr0_mask(const struct x86_cpuid *cpuid)
{
    uint64_t mask = 3;

    if (!cpuid->has[X86_FEAT_XSAVE])
        return 1;
    if (cpuid->has[X86_FEAT_AVX])
        mask |= 1 << X86_XCOMP_AVX;
    if (cpuid->has[X86_FEAT_AVX512F])
        mask |= 1 << X86_XCOMP_OPMASK | 1 << X86_XCOMP_ZMM_HI |
                1 << X86_XCOMP_HI16_ZMM;
    if (cpuid->has[X86_FEAT_PKU])
        mask |= 1 << X86_XCOMP_PKRU;
    return mask;
}

/* Linux' own words go between those of the processor. */
char *x86_cpuid_flags_text(const struct x86_cpuid *cpuid)
{
    char *text = alloc_strdup("");

    for (size_t i = 0; i < X86_NUM_FEATURES; i++) {
        char *longer;

        if (!cpuid->has[i])
            continue;
        longer = alloc_printf("%s%s%s", text, *text ? " " : "",
                              x86_cpuid_rows[i].text);
        mem_free(text);
        text = longer;
        if (i != X86_FEAT_LM)
            continue;
        longer = alloc_printf("%s constant_tsc nopl nonstop_tsc cpuid "
                              "tsc_known_freq",
                              text);
        mem_free(text);
        text = longer;
    }
    return text;
}
