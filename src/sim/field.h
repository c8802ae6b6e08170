/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A field row describes one member of an object struct.  Parameters,
 * checkpointed state, statistics and ports are tables of such rows, so that
 * Python classes, range checks, save and load, stats output and documentation
 * are derived from one place.  Include from .c files only: the macros are C.
 */
#ifndef SIM_FIELD_H
#define SIM_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr_range.h"

struct sim_object;

enum sim_kind {
    SIM_BOOL,
    SIM_U8,
    SIM_U16,
    SIM_U32,
    SIM_U64,
    SIM_I64,
    SIM_F64,
    SIM_STR,       /* const char *, owned by the object, NULL if not set */
    SIM_OBJ,       /* struct T *, a reference to another object or NULL */
    SIM_RANGE,     /* struct addr_range */
    SIM_VEC_U64,   /* struct sim_vec_u64 */
    SIM_VEC_F64,   /* struct sim_vec_f64 */
    SIM_VEC_STR,   /* struct sim_vec_str */
    SIM_VEC_OBJ,   /* struct sim_vec_obj */
    SIM_VEC_RANGE, /* struct sim_vec_range */
};

/* Vectors that hold the value of a list parameter; owned by the object. */
struct sim_vec_u64 {
    uint64_t *data;
    uint32_t len;
};
struct sim_vec_f64 {
    double *data;
    uint32_t len;
};
struct sim_vec_str {
    const char **data;
    uint32_t len;
};
struct sim_vec_obj {
    struct sim_object **data;
    uint32_t len;
};
struct sim_vec_range {
    struct addr_range *data;
    uint32_t len;
};

/* One named member of an object struct.  A table ends with SIM_END. */
struct sim_field {
    const char *name;
    const char *doc;
    const char *unit; /* see sim/param.h and sim/stat.h for the words */
    enum sim_kind kind;
    uint32_t offset; /* from the start of the object [bytes] */
    uint32_t count;  /* 1 for a scalar, else the array length */
};

/* The kind is read off the C type of the member: the two cannot disagree. */
/* clang-format off */
#define SIM_KIND_OF(lvalue) _Generic((lvalue),                                 \
    bool: SIM_BOOL, uint8_t: SIM_U8, uint16_t: SIM_U16, uint32_t: SIM_U32,     \
    uint64_t: SIM_U64, int64_t: SIM_I64, double: SIM_F64,                      \
    const char *: SIM_STR, struct addr_range: SIM_RANGE,                       \
    struct sim_vec_u64: SIM_VEC_U64, struct sim_vec_f64: SIM_VEC_F64,          \
    struct sim_vec_str: SIM_VEC_STR, struct sim_vec_obj: SIM_VEC_OBJ,          \
    struct sim_vec_range: SIM_VEC_RANGE)
/* clang-format on */

#define SIM_MEMBER(S, m) (((S *)0)->m)

/* SIM_FIELD(struct s, member, unit, doc): one checkpointed scalar. */
#define SIM_FIELD(S, m, unit_, doc_)                                           \
    {                                                                          \
        .name = #m, .doc = doc_, .unit = unit_,                                \
        .kind = SIM_KIND_OF(SIM_MEMBER(S, m)), .offset = offsetof(S, m),       \
        .count = 1                                                             \
    }

/* The same for an array member. */
#define SIM_FIELD_ARRAY(S, m, unit_, doc_)                                     \
    {                                                                          \
        .name = #m, .doc = doc_, .unit = unit_,                                \
        .kind = SIM_KIND_OF(SIM_MEMBER(S, m)[0]), .offset = offsetof(S, m),    \
        .count = sizeof SIM_MEMBER(S, m) / sizeof SIM_MEMBER(S, m)[0]          \
    }

#define SIM_END                                                                \
    {                                                                          \
        .name = NULL                                                           \
    }

/* Address of the member that @field describes, inside @obj. */
#define SIM_FIELD_PTR(obj, field) ((void *)((char *)(obj) + (field)->offset))

#endif
