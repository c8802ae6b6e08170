/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics.  Goals:
 *   1. counting costs one add on a plain integer: `cache->hits++`;
 *   2. names, units, descriptions and layout are gem5's, so that scripts that
 *      read stats.txt keep working;
 *   3. reset and dump any number of times; the order is fixed by the tables.
 * Non-goal: adding statistics while the simulation runs.
 *
 * A row describes a member or a formula.  The name may hold dots
 * ("commitStats0.numInsts"): gem5's nested groups.  Units are gem5's words:
 * "Count", "Tick", "Cycle", "Byte", "Second", "Ratio", "Bit", "Joule", "Watt",
 * "Volt", "DegreeCelsius", "Unspecified", or a rate "Count/Tick" written
 * "(Count/Tick)".
 */
#ifndef SIM_STAT_H
#define SIM_STAT_H

#include "base/types.h"
#include "sim/field.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;

enum sim_stat_kind {
    SIM_STAT_U64,     /* uint64_t counter */
    SIM_STAT_F64,     /* double */
    SIM_STAT_AVERAGE, /* struct stat_average: mean over simulated time */
    SIM_STAT_VECTOR,  /* struct stat_vector */
    SIM_STAT_VECTOR2D,
    SIM_STAT_DIST, /* fixed buckets */
    SIM_STAT_HIST, /* buckets that grow by doubling */
    SIM_STAT_FORMULA,
};

/* Mean of a level weighted by simulated time. */
struct stat_average {
    double value; /* current level */
    double area;  /* integral of level over ticks since the last reset */
    tick_t since; /* tick of the last change */
    tick_t start; /* tick of the last reset */
};

struct stat_vector {
    uint64_t *data;
    const char *const *subnames; /* len names, or NULL for 0, 1, 2 ... */
    uint32_t len;
};

struct stat_vector2d {
    uint64_t *data; /* [x * y_len + y] */
    const char *const *x_names;
    const char *const *y_names;
    uint32_t x_len, y_len;
};

struct stat_dist {
    double min, max, bucket_size; /* set by stat_dist_init; of a histogram:
                                     lower bounds of first and last bucket */
    uint64_t *buckets;
    uint32_t num_buckets;
    uint64_t underflow, overflow, samples;
    double sum, squares, logs; /* logs: for the geometric mean of a histogram */
    double min_value, max_value;
};

enum sim_stat_flag {
    STAT_TOTAL = 1,   /* print ::total for a vector */
    STAT_NO_ZERO = 2, /* leave out while zero */
    STAT_NO_NAN = 4,  /* leave out while not a number */
    STAT_PDF = 8,     /* print the share of each bucket or element */
    STAT_CDF = 16,
    STAT_HOST = 32, /* depends on the host: not compared between runs */
};

/* Element @index of a formula (0 for a scalar formula). */
typedef double (*stat_formula_t)(const struct sim_object *obj, uint32_t index);

/* .precision = STAT_PRECISION(2): always so many digits after the point.
 * Without it integers have none and other numbers six. */
#define STAT_PRECISION(digits) ((uint8_t)((digits) + 1))

struct sim_stat {
    const char *name;
    const char *doc;
    const char *unit;
    enum sim_stat_kind kind;
    uint32_t flags;
    uint32_t offset;
    stat_formula_t formula;
    /* Of a vector formula: number and names of its elements; NULL: scalar. */
    uint32_t (*formula_len)(const struct sim_object *obj);
    const char *(*formula_subname)(const struct sim_object *obj, uint32_t i);
    /* ::total of a vector formula; NULL: the sum of its elements.  (A ratio of
     * two vectors wants the ratio of their sums.) */
    double (*formula_total)(const struct sim_object *obj);
    /* Tells that the row does not apply to this object's configuration. */
    bool (*is_hidden)(const struct sim_object *obj);
    uint8_t precision; /* STAT_PRECISION(n), 0: the default */
};

/* clang-format off */
#define SIM_STAT_KIND_OF(lvalue) _Generic((lvalue),                            \
    uint64_t: SIM_STAT_U64, double: SIM_STAT_F64,                              \
    struct stat_average: SIM_STAT_AVERAGE, struct stat_vector: SIM_STAT_VECTOR,\
    struct stat_vector2d: SIM_STAT_VECTOR2D, struct stat_dist: SIM_STAT_DIST)
/* clang-format on */

/* SIM_STAT(struct s, member, "gem5Name", unit, doc [, .flags = ]) */
#define SIM_STAT(S, m, name_, unit_, ...)                                      \
    {                                                                          \
        .name = name_, .unit = unit_,                                          \
        .kind = SIM_STAT_KIND_OF(SIM_MEMBER(S, m)), .offset = offsetof(S, m),  \
        .doc = __VA_ARGS__                                                     \
    }
/* A histogram shares struct stat_dist with the distribution. */
#define SIM_STAT_HISTOGRAM(S, m, name_, unit_, ...)                            \
    {                                                                          \
        .name = name_, .unit = unit_, .kind = SIM_STAT_HIST,                   \
        .offset = offsetof(S, m), .doc = __VA_ARGS__                           \
    }
#define SIM_STAT_FORMULA(name_, unit_, func_, ...)                             \
    {                                                                          \
        .name = name_, .unit = unit_, .kind = SIM_STAT_FORMULA,                \
        .formula = func_, .doc = __VA_ARGS__                                   \
    }
#define SIM_END_STAT                                                           \
    {                                                                          \
        .name = NULL                                                           \
    }

/* Set the shape in the object's init; zeroed on reset.  Subnames are not
 * copied; an element whose subname is NULL or "" is not printed. */
void stat_vector_init(struct stat_vector *vec, uint32_t len,
                      const char *const *subnames);
void stat_vector2d_init(struct stat_vector2d *vec, uint32_t x_len,
                        const char *const *x_names, uint32_t y_len,
                        const char *const *y_names);
/* Buckets of @bucket_size for the whole numbers from @min to @max inclusive. */
void stat_dist_init(struct stat_dist *dist, double min, double max,
                    double bucket_size);
/* At least two buckets; the first sample finds buckets of size 1 from 0 on. */
void stat_hist_init(struct stat_dist *hist, uint32_t num_buckets);

void stat_average_set(struct stat_average *avg, double value, tick_t now);
/** stat_average_mean() - as gem5 counts it: the tick @now is included. */
double stat_average_mean(const struct stat_average *avg, tick_t now);
/* @value must be finite. */
void stat_dist_sample(struct stat_dist *dist, double value, uint64_t count);
/**
 * stat_hist_sample() - count, doubling the bucket size until @value fits
 *
 * The first negative value puts the lower bound of a middle bucket at zero.
 */
void stat_hist_sample(struct stat_dist *hist, double value, uint64_t count);

/* Back to zero; shapes, names and the level of an average stay. */
void stat_average_reset(struct stat_average *avg, tick_t now);
void stat_vector_reset(struct stat_vector *vec);
void stat_vector2d_reset(struct stat_vector2d *vec);
void stat_dist_reset(struct stat_dist *dist);
void stat_hist_reset(struct stat_dist *hist);

/* Free what the init functions allocated. */
void stat_vector_fini(struct stat_vector *vec);
void stat_vector2d_fini(struct stat_vector2d *vec);
void stat_dist_fini(struct stat_dist *dist);

/* stat_text.h, stat_json.h write trees of objects; stat_tree.h resets and
 * visits them. */

#ifdef __cplusplus
}
#endif

#endif
