/* SPDX-License-Identifier: BSD-3-Clause */
/* Encoding forms by mnemonic. */
#include "shapes.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t pp_bytes[] = {0, 0x66, 0xf3, 0xf2};

/* xorshift64*: speed matters more than quality here. */
uint64_t rnd(struct rng_state *rng)
{
    rng->s ^= rng->s >> 12;
    rng->s ^= rng->s << 25;
    rng->s ^= rng->s >> 27;
    return rng->s * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t rnd_below(struct rng_state *rng, uint32_t n)
{
    return (uint32_t)(((rnd(rng) >> 32) * n) >> 32);
}

/* Register extension bits: R, X, B, and EVEX's R', V'; inverted by encoders. */
struct extension {
    unsigned r, x, b, r2, v; /* v: 5 bits of vvvv, with V' on top */
    unsigned aaa, z, bcst;
};

static unsigned put_legacy(const struct shape *shape,
                           const struct extension *ext, uint8_t *out)
{
    unsigned len = 0;
    uint8_t rex =
        (uint8_t)(0x40 | shape->w << 3 | ext->r << 2 | ext->x << 1 | ext->b);

    if (shape->pp)
        out[len++] = pp_bytes[shape->pp];
    if (rex != 0x40)
        out[len++] = rex;
    if (shape->map)
        out[len++] = 0x0f;
    if (shape->map == 2)
        out[len++] = 0x38;
    if (shape->map == 3)
        out[len++] = 0x3a;
    return len;
}

static unsigned put_vex(const struct shape *shape, const struct extension *ext,
                        uint8_t *out)
{
    out[0] = 0xc4;
    out[1] = (uint8_t)((ext->r ^ 1) << 7 | (ext->x ^ 1) << 6 |
                       (ext->b ^ 1) << 5 | shape->map);
    out[2] = (uint8_t)(shape->w << 7 | (~ext->v & 15) << 3 | shape->l << 2 |
                       shape->pp);
    return 3;
}

static unsigned put_evex(const struct shape *shape, const struct extension *ext,
                         uint8_t *out)
{
    out[0] = 0x62;
    out[1] = (uint8_t)((ext->r ^ 1) << 7 | (ext->x ^ 1) << 6 |
                       (ext->b ^ 1) << 5 | (ext->r2 ^ 1) << 4 | shape->map);
    out[2] = (uint8_t)(shape->w << 7 | (~ext->v & 15) << 3 | 4 | shape->pp);
    out[3] = (uint8_t)(ext->z << 7 | shape->l << 5 | ext->bcst << 4 |
                       (~(ext->v >> 4) & 1) << 3 | ext->aaa);
    return 4;
}

static unsigned put_prefixes(const struct shape *shape,
                             const struct extension *ext, uint8_t *out)
{
    if (shape->encoding == SHAPE_VEX)
        return put_vex(shape, ext, out);
    if (shape->encoding == SHAPE_EVEX)
        return put_evex(shape, ext, out);
    return put_legacy(shape, ext, out);
}

static unsigned put_disp32(struct rng_state *rng, uint8_t *out)
{
    uint32_t disp =
        rnd_below(rng, 4) ? rnd_below(rng, 4096) : (uint32_t)rnd(rng);

    memcpy(out, &disp, 4);
    return 4;
}

/* ModRM (and SIB, displacement) of a memory operand. */
static unsigned put_memory(const struct shape *shape, struct rng_state *rng,
                           uint8_t *out)
{
    unsigned mod = rnd_below(rng, 3), rm = rnd_below(rng, 8), len = 1;
    unsigned base = rm;

    if (rnd_below(rng, 3) == 0)
        rm = base = 4;
    out[0] = (uint8_t)(mod << 6 | shape->reg << 3 | rm);
    if (rm == 4) {
        base = rnd_below(rng, 8);
        out[len++] = (uint8_t)(rnd_below(rng, 32) << 3 | base);
    }
    if (mod == 1)
        out[len++] = (uint8_t)rnd(rng);
    else if (mod == 2 || base == 5)
        len += put_disp32(rng, out + len);
    return len;
}

/* A third of 16-bit code has 32-bit addresses; some forms need them. */
static void put_random_prefix(enum diff_mode mode, struct rng_state *rng,
                              uint8_t *out, unsigned *len)
{
    static const uint8_t prefixes[] = {0x64, 0x65, 0x67, 0x2e};

    if (mode == DIFF_COMPAT16 && rnd_below(rng, 3) == 0)
        out[(*len)++] = 0x67;
    if (rnd_below(rng, 24) == 0)
        out[(*len)++] = prefixes[rnd_below(rng, sizeof prefixes)];
}

/* Eight registers are all there is outside 64-bit mode. */
static void drop_upper_registers(struct extension *ext)
{
    ext->r = ext->x = ext->b = ext->r2 = 0;
    ext->v &= 7;
}

static struct extension random_extension(const struct shape *shape,
                                         enum diff_mode mode,
                                         struct rng_state *rng)
{
    uint64_t bits = rnd(rng);
    struct extension ext = {
        .r = bits & 1,
        .x = (bits >> 1) & 1,
        .b = (bits >> 2) & 1,
        .r2 = (bits >> 3) & 1,
        .v = (bits >> 4) & 31,
        .aaa = (bits >> 9) & 7,
        .z = (bits >> 12) & 1,
        .bcst = !((bits >> 13) & 3),
    };

    if (shape->encoding == SHAPE_LEGACY && (bits >> 16) % 3 == 0)
        ext.r = ext.x = ext.b = 0;
    if ((bits >> 20) & 1) /* vvvv unused must read as all ones */
        ext.v = 0;
    if (!ext.aaa)
        ext.z = 0;
    if (mode != DIFF_LONG64)
        drop_upper_registers(&ext);
    return ext;
}

unsigned shape_encode(const struct shape *shape, enum diff_mode mode,
                      struct rng_state *rng, uint8_t bytes[16])
{
    struct extension ext = random_extension(shape, mode, rng);
    uint8_t buffer[32];
    unsigned len = 0;

    put_random_prefix(mode, rng, buffer, &len);
    len += put_prefixes(shape, &ext, buffer + len);
    buffer[len++] = shape->opcode;
    if (shape->rm == 8)
        len += put_memory(shape, rng, buffer + len);
    else
        buffer[len++] = (uint8_t)(0xc0 | shape->reg << 3 | shape->rm);
    while (len < 16)
        buffer[len++] = (uint8_t)(rnd(rng) & (rnd_below(rng, 2) ? 0xff : 0x1f));
    memcpy(bytes, buffer, 16);
    return 16;
}

/* ------------------------------------------------------------- enumeration */

struct found {
    struct shape shape;
    uint16_t mnemonic;
};

struct finder {
    ZydisDecoder decoder;
    bool has_rex;
    struct found *list;
    uint32_t count, capacity;
};

static void add(struct finder *finder, const struct shape *shape,
                ZydisMnemonic mnemonic)
{
    if (finder->count == finder->capacity) {
        finder->capacity = finder->capacity ? 2 * finder->capacity : 1 << 16;
        finder->list =
            realloc(finder->list, finder->capacity * sizeof *finder->list);
        if (!finder->list)
            abort();
    }
    finder->list[finder->count++] = (struct found){*shape, (uint16_t)mnemonic};
}

/* Returns whether the encoding has a ModRM byte. */
static bool try_shape(struct finder *finder, const struct shape *shape)
{
    static const struct extension none = {0};
    struct extension ext = none;
    ZydisDecodedInstruction inst;
    uint8_t bytes[16] = {0};
    unsigned len;
    bool is_found = false;

    /* Gathers and the like want a mask or a SIB byte; try a few variants. */
    for (unsigned variant = 0; variant < 4 && !is_found; variant++) {
        ext.aaa = variant & 1;
        ext.v = variant & 2 ? 3 : 0;
        len = put_prefixes(shape, &ext, bytes);
        bytes[len] = shape->opcode;
        bytes[len + 1] =
            (uint8_t)(shape->rm == 8 ? 0x04 | shape->reg << 3
                                     : 0xc0 | shape->reg << 3 | shape->rm);
        bytes[len + 2] = shape->rm == 8 ? 0x10 : 0; /* index RDX, base RAX */
        is_found = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
            &finder->decoder, NULL, bytes, sizeof bytes, &inst));
        if (shape->encoding == SHAPE_LEGACY)
            break;
    }
    if (!is_found)
        return true;
    add(finder, shape, inst.mnemonic);
    return inst.attributes & ZYDIS_ATTRIB_HAS_MODRM;
}

static void try_modrm(struct finder *finder, struct shape shape)
{
    bool all_rm = shape.encoding == SHAPE_LEGACY && shape.map <= 1;

    for (unsigned reg = 0; reg < 8; reg++) {
        shape.reg = (uint8_t)reg;
        shape.rm = 8;
        if (!try_shape(finder, &shape))
            return; /* no ModRM: one shape is all there is */
        for (unsigned rm = 0; rm < (all_rm ? 8 : 1); rm++) {
            shape.rm = (uint8_t)rm;
            (void)try_shape(finder, &shape);
        }
    }
}

static void try_opcodes(struct finder *finder, struct shape shape)
{
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        shape.opcode = (uint8_t)opcode;
        try_modrm(finder, shape);
    }
}

static void try_lengths(struct finder *finder, struct shape shape)
{
    unsigned lengths = shape.encoding == SHAPE_EVEX  ? 3
                       : shape.encoding == SHAPE_VEX ? 2
                                                     : 1;

    for (unsigned bits = 0; bits < 8 * lengths; bits++) {
        shape.pp = bits & 3;
        shape.w = (bits >> 2) & 1;
        if (shape.w && shape.encoding == SHAPE_LEGACY && !finder->has_rex)
            continue;
        shape.l = (uint8_t)(bits >> 3);
        try_opcodes(finder, shape);
    }
}

static int by_mnemonic(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return (int)x->mnemonic - (int)y->mnemonic;
}

static void index_shapes(struct shapes *shapes, const struct finder *finder)
{
    uint32_t at = 0;

    shapes->count = finder->count;
    shapes->all = calloc(finder->count, sizeof *shapes->all);
    if (!shapes->all)
        abort();
    for (unsigned m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
        shapes->first[m] = at;
        for (; at < finder->count && finder->list[at].mnemonic == m; at++)
            shapes->all[at] = finder->list[at].shape;
    }
    shapes->first[ZYDIS_MNEMONIC_MAX_VALUE + 1] = at;
}

void shapes_init_decoder(enum diff_mode mode, ZydisDecoder *decoder)
{
    if (mode == DIFF_LONG64)
        (void)ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64,
                               ZYDIS_STACK_WIDTH_64);
    else if (mode == DIFF_COMPAT32)
        (void)ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
                               ZYDIS_STACK_WIDTH_32);
    else
        (void)ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_COMPAT_16,
                               ZYDIS_STACK_WIDTH_16);
}

struct shapes *shapes_create(enum diff_mode mode)
{
    static const uint8_t evex_maps[] = {1, 2, 3, 5, 6};
    struct shapes *shapes = calloc(1, sizeof *shapes);
    struct finder finder = {0};

    if (!shapes)
        abort();
    shapes->mode = mode;
    shapes_init_decoder(mode, &finder.decoder);
    finder.has_rex = mode == DIFF_LONG64;
    for (uint8_t map = 0; map < 4; map++)
        try_lengths(&finder,
                    (struct shape){.encoding = SHAPE_LEGACY, .map = map});
    for (uint8_t map = 1; map < 4; map++)
        try_lengths(&finder, (struct shape){.encoding = SHAPE_VEX, .map = map});
    for (unsigned i = 0; i < sizeof evex_maps; i++)
        try_lengths(&finder, (struct shape){.encoding = SHAPE_EVEX,
                                            .map = evex_maps[i]});
    qsort(finder.list, finder.count, sizeof *finder.list, by_mnemonic);
    index_shapes(shapes, &finder);
    free(finder.list);
    return shapes;
}

void shapes_destroy(struct shapes *shapes)
{
    free(shapes->all);
    free(shapes);
}
