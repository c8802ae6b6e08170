/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every encoding form of a mode, found by walking the opcode maps with the
 * decoder and sorting what it accepts by mnemonic, so that a generator can
 * choose mnemonics evenly.
 */
#ifndef TESTS_DIFF_SHAPES_H
#define TESTS_DIFF_SHAPES_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

enum shape_encoding { SHAPE_LEGACY, SHAPE_VEX, SHAPE_EVEX };

/* What fixes the mnemonic and the form; the rest is filled in at random. */
struct shape {
    uint8_t encoding; /* enum shape_encoding */
    uint8_t map;      /* legacy 0..3 (one byte, 0F, 0F38, 0F3A); else mmm */
    uint8_t pp;       /* 0 none, 1 66, 2 F3, 3 F2 */
    uint8_t w, l;     /* REX.W or .W; vector length */
    uint8_t opcode;
    uint8_t reg; /* ModRM.reg */
    uint8_t rm;  /* ModRM.rm of a register form, 8: memory form */
};

struct shapes {
    enum diff_mode mode;
    struct shape *all; /* sorted by mnemonic */
    uint32_t count;
    uint32_t first[ZYDIS_MNEMONIC_MAX_VALUE + 2]; /* index of a mnemonic */
};

struct rng_state {
    uint64_t s;
};
uint64_t rnd(struct rng_state *rng);
/* 0 <= result < n */
uint32_t rnd_below(struct rng_state *rng, uint32_t n);

struct shapes *shapes_create(enum diff_mode mode);
void shapes_destroy(struct shapes *shapes);

/**
 * shape_encode() - bytes of one instruction of this shape
 * Registers, addressing form, displacement and immediate are random.
 * Returns: bytes written, at most 15; they may not decode to the mnemonic
 * (the caller checks).
 */
unsigned shape_encode(const struct shape *shape, enum diff_mode mode,
                      struct rng_state *rng, uint8_t bytes[16]);

/* A decoder for the mode. */
void shapes_init_decoder(enum diff_mode mode, ZydisDecoder *decoder);

#endif
