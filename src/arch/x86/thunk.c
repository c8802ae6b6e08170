/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache of thunks and their code.  A thunk is
 *
 *   [set flags]  load registers  INSTRUCTION  store registers  [get flags]
 *   [vzeroupper]  ret
 *
 * with RDI = struct x86_fpu and RSI = memory operand throughout.
 */
#include "arch/x86/thunk.h"

#include "arch/x86/core.h"
#include "arch/x86/thunk_arena.h"
#include "arch/x86/thunk_class.h"
#include "arch/x86/thunk_emit.h"
#include "arch/x86/thunk_helpers.h"
#include "arch/x86/thunk_plan.h"
#include "arch/x86/thunk_reencode.h"
#include "base/alloc.h"

#include <cpuid.h>
#include <string.h>

enum { KEY_BYTES = 16, FIRST_SLOTS = 1024 };

struct thunk_entry {
    struct x86_thunk thunk;
    uint8_t key[KEY_BYTES]; /* bytes, zero-padded; then length | mode << 4 */
};

struct x86_thunks {
    struct x86_arena *arena;
    int32_t gpr_offset;
    enum x86_host_simd host;
    bool has_unaligned_sha;
    struct thunk_entry **slots; /* open addressing */
    size_t num_slots, num_used;
};

/* What the host's registers are; features are the caller's business. */
static enum x86_host_simd host_simd(void)
{
    uint32_t a, b, c, d, xcr0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return X86_HOST_SSE;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(d) : "c"(0));
    if ((xcr0 & 6) != 6)
        return X86_HOST_SSE;
    if ((xcr0 & 0xe6) != 0xe6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
        !(b & bit_AVX512BW))
        return X86_HOST_AVX;
    return X86_HOST_AVX512;
}

/* AMD's processors do not ask SHA's operands to be aligned; a difference that
 * no manual tells. */
static bool host_has_unaligned_sha(void)
{
    uint32_t a, b, c, d;

    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

static bool is_sha(ZydisMnemonic mnemonic)
{
    return !strncmp(ZydisMnemonicGetString(mnemonic), "sha1", 4) ||
           !strncmp(ZydisMnemonicGetString(mnemonic), "sha256", 6);
}

struct x86_thunks *x86_thunks_create(ptrdiff_t gpr_offset)
{
    struct x86_thunks *thunks = alloc_zeroed(1, sizeof(*thunks));

    thunks->arena = x86_arena_create();
    thunks->gpr_offset = (int32_t)gpr_offset;
    thunks->host = host_simd();
    thunks->has_unaligned_sha = host_has_unaligned_sha();
    thunks->num_slots = FIRST_SLOTS;
    thunks->slots = alloc_zeroed(FIRST_SLOTS, sizeof(struct thunk_entry *));
    return thunks;
}

void x86_thunks_destroy(struct x86_thunks *thunks)
{
    for (size_t i = 0; i < thunks->num_slots; i++)
        mem_free(thunks->slots[i]);
    mem_free(thunks->slots);
    x86_arena_destroy(thunks->arena);
    mem_free(thunks);
}

/* -------------------------------------------------------------------- cache */

static size_t key_hash(const uint8_t *key)
{
    uint64_t part[2];

    memcpy(part, key, KEY_BYTES);
    part[0] = (part[0] ^ part[1] >> 7) * UINT64_C(0x9e3779b97f4a7c15);
    part[1] = (part[1] ^ part[0] >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (size_t)(part[1] ^ part[1] >> 31);
}

static struct thunk_entry **thunks_slot(const struct x86_thunks *thunks,
                                        const uint8_t *key)
{
    size_t at = key_hash(key) & (thunks->num_slots - 1);

    while (thunks->slots[at] &&
           memcmp(thunks->slots[at]->key, key, KEY_BYTES) != 0)
        at = (at + 1) & (thunks->num_slots - 1);
    return &thunks->slots[at];
}

static void thunks_grow(struct x86_thunks *thunks)
{
    struct thunk_entry **old = thunks->slots;
    size_t num_old = thunks->num_slots;

    thunks->num_slots *= 2;
    thunks->slots = alloc_zeroed(thunks->num_slots, sizeof(*old));
    for (size_t i = 0; i < num_old; i++) {
        if (old[i])
            *thunks_slot(thunks, old[i]->key) = old[i];
    }
    mem_free(old);
}

static void make_key(const struct x86_reencode *how, uint8_t *key)
{
    size_t len;

    memset(key, 0, KEY_BYTES);
    len = x86_reencode_key(how, key);
    memset(key + len, 0, KEY_BYTES - len);
    key[KEY_BYTES - 1] =
        (uint8_t)(len | (unsigned)how->insn->machine_mode << 4);
}

/* --------------------------------------------------------------------- code */

struct thunk_builder {
    const struct x86_thunks *thunks;
    const struct x86_thunk_plan *plan;
    struct x86_emit emit;
};

static int32_t vec_offset(unsigned reg)
{
    return (int32_t)(offsetof(struct x86_fpu, vec) + (size_t)64 * reg);
}

static int32_t opmask_offset(unsigned reg)
{
    return (int32_t)(offsetof(struct x86_fpu, opmask) + (size_t)8 * reg);
}

static void load_vec(struct thunk_builder *build, unsigned reg)
{
    const struct x86_thunk_plan *plan = build->plan;
    struct x86_emit *emit = &build->emit;
    uint32_t bit = UINT32_C(1) << reg;
    int32_t offset = vec_offset(reg);

    if (reg >= 16 || (plan->vec_load[2] & bit))
        x86_emit_zmm(emit, X86_EMIT_LOAD, reg, offset);
    else if (plan->is_legacy)
        x86_emit_xmm(emit, X86_EMIT_LOAD, reg, offset);
    else
        x86_emit_vex(emit, X86_EMIT_LOAD, reg,
                     plan->vec_load[1] & bit ? 32 : 16, offset);
}

static void store_vec(struct thunk_builder *build, unsigned reg)
{
    struct x86_emit *emit = &build->emit;
    int32_t offset = vec_offset(reg);

    if (build->plan->is_legacy)
        x86_emit_xmm(emit, X86_EMIT_STORE, reg, offset);
    else if (build->thunks->host == X86_HOST_AVX512)
        x86_emit_zmm(emit, X86_EMIT_STORE, reg, offset);
    else
        x86_emit_vex(emit, X86_EMIT_STORE, reg, 32, offset);
}

static void emit_loads(struct thunk_builder *build)
{
    const struct x86_thunk_plan *plan = build->plan;
    uint32_t vecs = plan->vec_load[0] | plan->vec_load[1] | plan->vec_load[2];

    for (unsigned i = 0; i < 32; i++) {
        if (vecs & UINT32_C(1) << i)
            load_vec(build, i);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (plan->opmask_load & 1u << i)
            x86_emit_opmask(&build->emit, X86_EMIT_LOAD, i, opmask_offset(i));
    }
    for (unsigned i = 0; i < 16; i++) {
        if (plan->gpr_load & 1u << i)
            x86_emit_gpr(&build->emit, X86_EMIT_LOAD, plan->gpr_map[i],
                         build->thunks->gpr_offset + (int32_t)(8 * i));
    }
}

static void emit_stores(struct thunk_builder *build)
{
    const struct x86_thunk_plan *plan = build->plan;

    for (unsigned i = 0; i < 32; i++) {
        if (plan->vec_store & UINT32_C(1) << i)
            store_vec(build, i);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (plan->opmask_store & 1u << i)
            x86_emit_opmask(&build->emit, X86_EMIT_STORE, i, opmask_offset(i));
    }
    for (unsigned i = 0; i < 16; i++) {
        if (plan->gpr_store & 1u << i)
            x86_emit_gpr(&build->emit, X86_EMIT_STORE, plan->gpr_map[i],
                         build->thunks->gpr_offset + (int32_t)(8 * i));
    }
}

static bool leaves_of_clear(uint16_t mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_COMISS:
    case ZYDIS_MNEMONIC_COMISD:
    case ZYDIS_MNEMONIC_UCOMISS:
    case ZYDIS_MNEMONIC_UCOMISD:
    case ZYDIS_MNEMONIC_VCOMISS:
    case ZYDIS_MNEMONIC_VCOMISD:
    case ZYDIS_MNEMONIC_VUCOMISS:
    case ZYDIS_MNEMONIC_VUCOMISD:
    case ZYDIS_MNEMONIC_PTEST:
    case ZYDIS_MNEMONIC_VPTEST:
        return true;
    default:
        return false;
    }
}

static void emit_flags(struct thunk_builder *build,
                       const struct x86_thunk *thunk)
{
    if (!thunk->writes_flags)
        return;
    if (leaves_of_clear(thunk->mnemonic))
        x86_emit_get_flags_no_of(&build->emit);
    else
        x86_emit_get_flags(&build->emit);
}

static const char *thunk_make_code(const struct x86_thunks *thunks,
                                   const struct x86_reencode *how,
                                   const struct x86_thunk_plan *plan,
                                   struct x86_thunk *thunk)
{
    struct thunk_builder build = {.thunks = thunks, .plan = plan};
    uint8_t bytes[16];
    size_t len = x86_reencode_write(how, bytes);

    if (!len)
        return "cannot be re-encoded";
    if (thunk->reads_flags)
        x86_emit_set_flags(&build.emit);
    emit_loads(&build);
    x86_emit_bytes(&build.emit, bytes, len);
    emit_stores(&build);
    emit_flags(&build, thunk);
    if (plan->is_wide)
        x86_emit_vzeroupper(&build.emit);
    x86_emit_ret(&build.emit);
    thunk->code = (x86_thunk_code)(uintptr_t)x86_arena_add(
        thunks->arena, build.emit.code, build.emit.len);
    return thunk->code ? NULL : "the host refuses executable memory";
}

static const char *host_refuses(const struct x86_thunks *thunks,
                                const struct x86_thunk_plan *plan)
{
    if (thunks->host == X86_HOST_SSE && plan->has_vec && !plan->is_legacy)
        return "the host has no AVX";
    if (thunks->host != X86_HOST_AVX512 &&
        (plan->vec_load[2] || (plan->vec_store >> 16) || plan->opmask_load ||
         plan->opmask_store))
        return "the host has no AVX-512";
    return NULL;
}

static const char *thunk_build(struct x86_thunks *thunks,
                               const struct x86_reencode *insn,
                               struct x86_thunk *thunk)
{
    const struct x86_thunk_helper_row *helper =
        x86_thunk_helper_find((uint16_t)insn->insn->mnemonic);
    struct x86_reencode how = *insn;
    struct x86_thunk_plan plan;
    const char *why = x86_thunk_plan_make(how.insn, how.operands, &plan, thunk);

    if (helper) {
        thunk->helper = helper->fn;
        thunk->needs |= helper->needs;
        why = NULL; /* not a case for code of its own */
    }
    if (!why)
        why = host_refuses(thunks, &plan);
    if (why)
        return why;
    if (thunks->has_unaligned_sha && is_sha(how.insn->mnemonic))
        thunk->align = 1;
    x86_thunk_classify(how.insn, how.operands, how.bytes, thunk);
    if (helper) {
        if (thunk->mode_bits == 64)
            thunk->code = helper->code;
        return NULL;
    }
    memcpy(how.gpr_map, plan.gpr_map, sizeof(how.gpr_map));
    return thunk_make_code(thunks, &how, &plan, thunk);
}

const struct x86_thunk *x86_thunks_get(struct x86_thunks *thunks,
                                       const ZydisDecodedInstruction *insn,
                                       const ZydisDecodedOperand *operands,
                                       const uint8_t *bytes, const char **why)
{
    struct x86_reencode how = {insn, operands, bytes, {0}};
    struct thunk_entry *entry, **slot;
    uint8_t key[KEY_BYTES];
    const char *reason;

    make_key(&how, key);
    slot = thunks_slot(thunks, key);
    if (*slot)
        return &(*slot)->thunk;
    entry = alloc_zeroed(1, sizeof(*entry));
    memcpy(entry->key, key, KEY_BYTES);
    reason = thunk_build(thunks, &how, &entry->thunk);
    if (why)
        *why = reason;
    if (reason) {
        mem_free(entry);
        return NULL;
    }
    *slot = entry;
    if (++thunks->num_used * 2 > thunks->num_slots)
        thunks_grow(thunks);
    return &entry->thunk;
}
