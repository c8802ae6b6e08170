/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters: what a script may set before instantiate().  A row holds the
 * default in Python spelling ("32KiB", "2GHz", "Parent.clk_domain"); NULL means
 * required.  The unit word decides how Python reads a string:
 *
 *   ""        plain number          "ticks"   time ("50ns"), stored in ticks
 *   "bytes"   size ("4MiB")         "period"  clock ("2GHz" or "500ps"), ticks
 *   "B/s"     bandwidth ("12GiB/s") "addr"    address (printed in hex)
 *   "V"       voltage ("1V")        "port"    I/O port (printed in hex)
 *   "cycles"  of the object's clock  "degC" "W" "Hz" "%"  as they say
 *
 * A derived type may repeat the row of a base, for another default or limit.
 * A bandwidth is stored as double, ticks per byte (gem5 stores it likewise).
 */
#ifndef SIM_PARAM_H
#define SIM_PARAM_H

#include "sim/field.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_type;

struct sim_param {
    struct sim_field field;
    const char *def;                 /* Python spelling; NULL: required */
    uint64_t min, max;               /* inclusive; max 0: no upper limit */
    bool pow2;                       /* must be a power of two */
    bool nonempty;                   /* a list needs at least one element */
    const struct sim_type *obj_type; /* for SIM_OBJ and SIM_VEC_OBJ */
    const char *const *names;        /* enum spellings, NULL-terminated: the
                                        member is uint32_t, value = index */
    const char *ignored; /* why another value than the default changes nothing:
                            reported when a script sets one; NULL: it does */
};

/* SIM_PARAM(struct s, member, default, unit, doc [, .min = , .max = , ...]) */
#define SIM_PARAM(S, m, default_, unit_, ...)                                  \
    {                                                                          \
        .field.name = #m, .field.unit = unit_,                                 \
        .field.kind = SIM_KIND_OF(SIM_MEMBER(S, m)),                           \
        .field.offset = offsetof(S, m), .field.count = 1, .def = default_,     \
        .field.doc = __VA_ARGS__                                               \
    }

/* The same under another name than the member's: gem5's spelling. */
#define SIM_PARAM_NAMED(S, m, name_, default_, unit_, ...)                     \
    {                                                                          \
        .field.name = name_, .field.unit = unit_,                              \
        .field.kind = SIM_KIND_OF(SIM_MEMBER(S, m)),                           \
        .field.offset = offsetof(S, m), .field.count = 1, .def = default_,     \
        .field.doc = __VA_ARGS__                                               \
    }

/* A reference to an object of (a type derived from) TYPE. */
#define SIM_PARAM_OBJ(S, m, default_, type_, doc_)                             \
    {                                                                          \
        .field.name = #m, .field.unit = "", .field.kind = SIM_OBJ,             \
        .field.offset = offsetof(S, m), .field.count = 1, .def = default_,     \
        .obj_type = &(type_), .field.doc = doc_                                \
    }

/* A list of such references; the member is a struct sim_vec_obj. */
#define SIM_PARAM_OBJS(S, m, default_, type_, doc_)                            \
    {                                                                          \
        .field.name = #m, .field.unit = "",                                    \
        .field.kind = SIM_KIND_OF(SIM_MEMBER(S, m)),                           \
        .field.offset = offsetof(S, m), .field.count = 1, .def = default_,     \
        .obj_type = &(type_), .field.doc = doc_                                \
    }

#define SIM_END_PARAM                                                          \
    {                                                                          \
        .field = SIM_END                                                       \
    }

/* A value on its way into a parameter; which member counts follows the kind. */
union sim_value {
    uint64_t u;    /* SIM_BOOL, SIM_U*, enum index */
    int64_t i;     /* SIM_I64 */
    double f;      /* SIM_F64 */
    const char *s; /* SIM_STR, copied */
    struct sim_object *obj;
    struct addr_range range;
    struct sim_vec_u64 vec_u64; /* vectors are copied */
    struct sim_vec_f64 vec_f64;
    struct sim_vec_str vec_str;
    struct sim_vec_obj vec_obj;
    struct sim_vec_range vec_range;
};

/** sim_param_find() - the row of @name in @type or its bases; NULL if none. */
const struct sim_param *sim_param_find(const struct sim_type *type,
                                       const char *name);

/**
 * sim_param_check() - apply the limits of the table
 * @why: receives the reason as text ("maximum is 0xffff (First I/O port)")
 *
 * Returns: 0, or -EINVAL (wrong value), -ERANGE (out of limits).
 */
int sim_param_check(const struct sim_param *param, const union sim_value *value,
                    char why[160]);

/**
 * sim_param_set() - store a checked value in an object
 * @origin: "configs/fs.py:88", where the script set it; may be NULL
 *
 * Copies strings and vectors; frees what was there before.
 */
void sim_param_set(struct sim_object *obj, const struct sim_param *param,
                   const union sim_value *value, const char *origin);

/** sim_param_origin() - where the script set @name, or NULL for a default. */
const char *sim_param_origin(const struct sim_object *obj, const char *name);

/** sim_param_fini() - free what sim_param_set() stored in @obj. */
void sim_param_fini(struct sim_object *obj);

#ifdef __cplusplus
}
#endif

#endif
