/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects for the tests of checkpoints: state of every kind in a table, and
 * state beyond the table. */
#ifndef TESTS_UNIT_SIM_CKPT_TOY_H
#define TESTS_UNIT_SIM_CKPT_TOY_H

#include "sim/field.h"
#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_toy {
    struct sim_object base;

    /* State. */
    bool flag;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    double f64;
    const char *text;
    struct sim_object *friend_obj;
    struct addr_range range;
    bool flags[3];
    uint8_t bytes[4];
    uint64_t words[2];
    double ratios[2];
    const char *names[2];
    struct sim_vec_u64 numbers;
    struct sim_vec_f64 levels;
    struct sim_vec_str words_list;
    struct sim_vec_obj friends;
    struct sim_vec_range ranges;
};

enum { CKPT_BIG_TOY_MAX = 64 };

struct ckpt_big_toy {
    struct ckpt_toy toy;

    /* State beyond the table. */
    uint64_t queue[CKPT_BIG_TOY_MAX];
    uint32_t queue_len;
    uint8_t blob[16];
    char label[64];
    uint64_t entries[2];
    char file_text[64];

    /* Set by a test: save or load fails. */
    bool save_fails, load_fails;
};

extern const struct sim_type ckpt_root_type;    /* no state */
extern const struct sim_type ckpt_toy_type;     /* "CkptToy" version 3 */
extern const struct sim_type ckpt_new_toy_type; /* "CkptToy" version 4 */
extern const struct sim_type ckpt_big_toy_type; /* derived, with save, load */
extern const struct sim_type ckpt_thin_type;    /* derived, without state */

/* Frees the lists and strings of a toy's table. */
void ckpt_toy_fini(struct sim_object *obj);

#ifdef __cplusplus
}
#endif

#endif
