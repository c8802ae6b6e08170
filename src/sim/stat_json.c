/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics as JSON; see the header.  Source: [gem5] src/python/m5/ext/pystats
 * (names of the members). */
#include "sim/stat_json.h"

#include <stdio.h>

#include "base/json.h"
#include "sim/object.h"
#include "sim/stat_tree.h"

struct json_dump {
    struct json *json;
    tick_t now;
};

static void put_str(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_str(json, text);
}

static void put_f64(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_f64(json, value);
}

static void put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

/* Unit, description and marks; closes the row. */
static void end_row(struct json *json, const struct sim_stat *stat)
{
    put_str(json, "unit", stat->unit);
    put_str(json, "description", stat->doc);
    if (stat->flags & STAT_HOST) {
        json_key(json, "host");
        json_word(json, JSON_TRUE);
    }
    json_end(json);
}

/* ------------------------------------------------------------------ scalars */

static const char *scalar_type(const struct sim_stat *stat)
{
    if (stat->kind == SIM_STAT_AVERAGE)
        return "Average";
    return stat->kind == SIM_STAT_FORMULA ? "Formula" : "Scalar";
}

static void put_scalar(const struct json_dump *dump, const struct stat_row *row)
{
    bool is_integer = row->stat->kind == SIM_STAT_U64;
    struct json *json = dump->json;
    const void *member = (const char *)row->obj + row->stat->offset;

    if (is_integer) /* exact, also past 2^53 */
        put_u64(json, "value", *(const uint64_t *)member);
    else
        put_f64(json, "value", stat_row_value(row, 0, dump->now));
    put_str(json, "type", scalar_type(row->stat));
    put_str(json, "datatype", is_integer ? "u64" : "f64");
}

static void put_element(struct json *json, const char *name, double value,
                        const char *unit)
{
    json_key(json, name);
    json_begin_object(json, JSON_INLINE);
    put_f64(json, "value", value);
    put_str(json, "type", "Scalar");
    put_str(json, "unit", unit);
    put_str(json, "datatype", "f64");
    json_end(json);
}

static void put_numbered(struct json *json, uint32_t number, double value,
                         const char *unit)
{
    char name[12];

    (void)snprintf(name, sizeof(name), "%u", number);
    put_element(json, name, value, unit);
}

/* ---------------------------------------------------- vectors and matrices */

static void put_vector(const struct json_dump *dump, const struct stat_row *row)
{
    uint32_t len = stat_row_len(row);
    struct json *json = dump->json;

    json_key(json, "value");
    json_begin_object(json, JSON_INLINE);
    for (uint32_t i = 0; i < len; i++) {
        const char *name = stat_row_subname(row, i);
        double value = stat_row_value(row, i, dump->now);

        if (!name)
            put_numbered(json, i, value, row->stat->unit);
        else if (name[0])
            put_element(json, name, value, row->stat->unit);
    }
    json_end(json);
    if (row->stat->flags & STAT_TOTAL)
        put_f64(json, "total", stat_row_total(row, dump->now));
    put_str(json, "type", "Vector");
}

static void put_matrix_line(struct json *json, const struct stat_row *row,
                            uint32_t x)
{
    const struct stat_vector2d *matrix = stat_row_vector2d(row);

    json_begin_object(json, JSON_INLINE);
    json_key(json, "value");
    json_begin_object(json, JSON_INLINE);
    for (uint32_t y = 0; y < matrix->y_len; y++) {
        const char *name = matrix->y_names ? matrix->y_names[y] : NULL;
        double value = (double)matrix->data[x * matrix->y_len + y];

        if (!matrix->y_names)
            put_numbered(json, y, value, row->stat->unit);
        else if (name && name[0])
            put_element(json, name, value, row->stat->unit);
    }
    json_end(json);
    put_str(json, "type", "Vector");
    json_end(json);
}

static void put_matrix(const struct json_dump *dump, const struct stat_row *row)
{
    const struct stat_vector2d *matrix = stat_row_vector2d(row);
    struct json *json = dump->json;

    json_key(json, "value");
    json_begin_object(json, JSON_INLINE);
    for (uint32_t x = 0; x < matrix->x_len; x++) {
        const char *name = matrix->x_names ? matrix->x_names[x] : NULL;
        char number[12];

        (void)snprintf(number, sizeof(number), "%u", x);
        if (matrix->x_names && !(name && name[0]))
            continue;
        json_key(json, name ? name : number);
        put_matrix_line(json, row, x);
    }
    json_end(json);
    if (row->stat->flags & STAT_TOTAL)
        put_f64(json, "total", stat_row_total(row, dump->now));
    put_str(json, "type", "Vector2d");
}

/* ---------------------------------------------------------- distributions */

static void put_moments(struct json *json, const struct stat_dist *dist)
{
    put_u64(json, "samples", dist->samples);
    put_f64(json, "mean", stat_dist_mean(dist));
    put_f64(json, "stdev", stat_dist_stdev(dist));
    put_f64(json, "sum", dist->sum);
    put_f64(json, "sum_squared", dist->squares);
    /* Infinite, hence null, without samples. */
    put_f64(json, "min", dist->min_value);
    put_f64(json, "max", dist->max_value);
}

static void put_dist(const struct json_dump *dump, const struct stat_row *row)
{
    const struct stat_dist *dist = stat_row_dist(row);
    bool is_hist = row->stat->kind == SIM_STAT_HIST;
    struct json *json = dump->json;

    json_key(json, "value");
    json_begin_object(json, JSON_INLINE);
    for (uint32_t i = 0; i < dist->num_buckets; i++)
        put_numbered(json, i, (double)dist->buckets[i], row->stat->unit);
    json_end(json);
    put_str(json, "type", is_hist ? "Histogram" : "Distribution");
    put_moments(json, dist);
    put_u64(json, "num_bins", dist->num_buckets);
    put_f64(json, "bin_size", dist->bucket_size);
    put_f64(json, "bin_start", dist->min);
    if (is_hist) {
        put_f64(json, "gmean", stat_dist_gmean(dist));
        put_f64(json, "logs", dist->logs);
    } else {
        put_u64(json, "underflow", dist->underflow);
        put_u64(json, "overflow", dist->overflow);
    }
}

/* ---------------------------------------------------------- rows and groups */

static void put_by_kind(const struct json_dump *dump,
                        const struct stat_row *row)
{
    if (row->stat->kind == SIM_STAT_VECTOR2D)
        put_matrix(dump, row);
    else if (row->stat->kind == SIM_STAT_DIST ||
             row->stat->kind == SIM_STAT_HIST)
        put_dist(dump, row);
    else if (stat_row_is_vector(row))
        put_vector(dump, row);
    else
        put_scalar(dump, row);
}

static void put_rows(const struct json_dump *dump,
                     const struct stat_group *group)
{
    for (uint32_t i = 0; i < group->num_rows; i++) {
        const struct stat_row *row = &group->rows[i];

        if (!stat_row_is_shown(row))
            continue;
        json_key(dump->json, row->name);
        json_begin_object(dump->json, JSON_INLINE);
        put_by_kind(dump, row);
        end_row(dump->json, row->stat);
    }
}

static void put_groups(const struct json_dump *dump,
                       const struct stat_group *group)
{
    struct json *json = dump->json;

    for (uint32_t i = 0; i < group->num_groups; i++) {
        const struct stat_group *below = group->groups[i];

        json_key(json, below->name);
        json_begin_object(json, JSON_LINES);
        put_str(json, "type", below->obj ? "SimObject" : "Group");
        if (below->obj)
            put_str(json, "name", below->name);
        put_rows(dump, below);
        put_groups(dump, below);
        json_end(json);
    }
}

void stat_json_write(struct json *json, const struct stat_group *top,
                     tick_t begin, tick_t now)
{
    const struct json_dump dump = {json, now};
    const char *path = stat_group_path(top);

    json_begin_object(json, JSON_LINES);
    put_str(json, "type", "SimStat");
    if (path[0])
        put_str(json, "path", path);
    put_u64(json, "simulated_begin_time", begin);
    put_u64(json, "simulated_end_time", now);
    put_rows(&dump, top);
    put_groups(&dump, top);
    json_end(json);
}
