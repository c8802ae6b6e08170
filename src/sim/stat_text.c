/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.txt.  A line is
 *
 *   name[::part]  value  [pdf]  [cdf]  # description (unit)
 *
 * with columns 40, 12, 10 and 10 wide.  Scripts parse this file, hence the
 * oddities of the original are kept: a one-element vector has no subname and
 * its share is not accumulated; bucket bounds have six significant digits.
 * Source: [gem5] src/base/stats/text.cc (layout).
 */
#include "sim/stat_text.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/object.h"
#include "sim/stat_tree.h"

enum { NAME_WIDTH = 40, VALUE_WIDTH = 12, SHARE_WIDTH = 10 };

/* One dump on its way out. */
struct text_dump {
    FILE *out;
    tick_t now;
    uint32_t options;
};

/* The row being printed. */
struct printer {
    const struct text_dump *dump;
    const struct sim_stat *stat;
    uint32_t flags;
    const char *base; /* full name */
    double pdf, cdf;  /* NaN: leave the columns empty */
};

static void format_value(char *text, size_t size, double value,
                         const struct sim_stat *stat)
{
    int digits = 6;

    if (stat->precision)
        digits = stat->precision - 1;
    else if (value == rint(value))
        digits = 0;
    if (isnan(value))
        (void)snprintf(text, size, "nan");
    else
        (void)snprintf(text, size, "%.*f", digits, value);
}

static void print_share(const struct printer *p, double share)
{
    FILE *out = p->dump->out;
    char text[400] = "";

    if (!isnan(share))
        (void)snprintf(text, sizeof(text), "%.2f%%", share * 100.0);
    if (p->dump->options & STAT_TEXT_SPACES)
        (void)fprintf(out, " %*s", SHARE_WIDTH, text);
    else if (text[0])
        (void)fprintf(out, " %s", text);
}

static void print_remark(const struct printer *p)
{
    FILE *out = p->dump->out;

    if (p->dump->options & STAT_TEXT_DESC) {
        if (p->stat->doc && p->stat->doc[0])
            (void)fprintf(out, " # %s", p->stat->doc);
        if (p->stat->unit && p->stat->unit[0])
            (void)fprintf(out, " (%s)", p->stat->unit);
    }
    (void)fputc('\n', out);
}

/* @part: after "::", or NULL for the bare name. */
static void print_line(const struct printer *p, const char *part, double value)
{
    bool spaces = p->dump->options & STAT_TEXT_SPACES;
    FILE *out = p->dump->out;
    char text[400]; /* the largest double has 309 digits before the point */
    int len;

    if ((p->flags & STAT_NO_ZERO) && value == 0.0)
        return;
    if ((p->flags & STAT_NO_NAN) && isnan(value))
        return;
    len = fprintf(out, "%s%s%s", p->base, part ? "::" : "", part ? part : "");
    format_value(text, sizeof(text), value, p->stat);
    if (spaces)
        (void)fprintf(out, "%*s %*s", len < NAME_WIDTH ? NAME_WIDTH - len : 0,
                      "", VALUE_WIDTH, text);
    else
        (void)fprintf(out, " %s", text);
    print_share(p, p->pdf);
    print_share(p, p->cdf);
    print_remark(p);
}

static void print_with_share(struct printer *p, const char *part, double value,
                             double total)
{
    if (total != 0.0) {
        p->pdf = value / total;
        p->cdf += p->pdf;
    }
    print_line(p, part, value);
}

/* ---------------------------------------------------------------- vectors */

/* What a vector, a vector formula and a line of a matrix have in common. */
struct elements {
    const struct stat_row *row;
    const char *const *names; /* of a matrix line */
    uint32_t first, len;
    double total;
};

static const char *element_name(const struct elements *e, uint32_t i,
                                char number[12])
{
    const char *name = e->names ? e->names[i] : NULL;

    if (e->names)
        return name ? name : "";
    name = stat_row_subname(e->row, i);
    if (name)
        return name;
    (void)snprintf(number, 12, "%u", i);
    return number;
}

static double element(const struct printer *p, const struct elements *e,
                      uint32_t i)
{
    return stat_row_value(e->row, e->first + i, p->dump->now);
}

/* 0 unless shares are wanted. */
static double sum_for_shares(const struct printer *p, const struct elements *e)
{
    double sum = 0;

    for (uint32_t i = 0; i < e->len; i++)
        sum += element(p, e, i);
    return (p->flags & (STAT_PDF | STAT_CDF)) ? sum : 0;
}

static void print_elements(struct printer *p, const struct elements *e)
{
    double sum = sum_for_shares(p, e);
    char number[12];

    p->pdf = p->cdf = sum != 0.0 ? 0.0 : NAN;
    if ((p->flags & STAT_NO_ZERO) && e->total == 0.0)
        return;
    for (uint32_t i = 0; i < e->len; i++) {
        const char *name = element_name(e, i, number);

        if (name[0])
            print_with_share(p, name, element(p, e, i), sum);
    }
}

static void print_total(struct printer *p, const struct elements *e)
{
    p->pdf = p->cdf = NAN;
    if (p->flags & STAT_TOTAL)
        print_line(p, "total", e->total);
}

/* @part: the name of the only element, NULL for none. */
static void print_only_element(struct printer *p, const struct elements *e,
                               const char *part)
{
    p->pdf = p->cdf = sum_for_shares(p, e) != 0.0 ? 0.0 : NAN;
    print_line(p, part, element(p, e, 0));
}

static void print_vector(struct printer *p, const struct stat_row *row)
{
    struct elements all = {.row = row, .len = stat_row_len(row)};

    if (all.len == 1) {
        print_only_element(p, &all, NULL);
        return;
    }
    all.total = stat_row_total(row, p->dump->now);
    print_elements(p, &all);
    print_total(p, &all);
}

static void print_matrix_line(struct printer *p, const struct stat_row *row,
                              uint32_t x)
{
    const struct stat_vector2d *matrix = stat_row_vector2d(row);
    struct elements line = {.row = row,
                            .names = matrix->y_names,
                            .first = x * matrix->y_len,
                            .len = matrix->y_len};
    char number[12];

    for (uint32_t y = 0; y < line.len; y++)
        line.total += element(p, &line, y);
    if (line.len == 1) {
        print_only_element(p, &line, element_name(&line, 0, number));
        return;
    }
    print_elements(p, &line);
    print_total(p, &line);
}

static void print_matrix_total(struct printer *p, const struct stat_row *row)
{
    double total = stat_row_total(row, p->dump->now);
    bool shares = (p->flags & (STAT_PDF | STAT_CDF)) && total != 0.0;

    if (!(p->flags & STAT_TOTAL) || stat_row_vector2d(row)->x_len <= 1)
        return;
    p->pdf = p->cdf = shares ? 0.0 : NAN;
    print_line(p, "total", total);
}

static void print_matrix(struct printer *p, const struct stat_row *row)
{
    const struct stat_vector2d *matrix = stat_row_vector2d(row);
    const char *base = p->base;

    for (uint32_t x = 0; x < matrix->x_len; x++) {
        const char *name = matrix->x_names ? matrix->x_names[x] : "";
        char *path;

        if (matrix->x_names && !(name && name[0]))
            continue;
        path = matrix->x_names ? alloc_printf("%s_%s", base, name)
                               : alloc_printf("%s_%u", base, x);
        p->base = path;
        print_matrix_line(p, row, x);
        mem_free(path);
    }
    p->base = base;
    print_matrix_total(p, row);
}

/* ---------------------------------------------------------- distributions */

static double dist_total(const struct stat_dist *dist)
{
    uint64_t total = dist->underflow + dist->overflow;

    for (uint32_t i = 0; i < dist->num_buckets; i++)
        total += dist->buckets[i];
    return (double)total;
}

static void print_moments(struct printer *p, const struct stat_dist *dist)
{
    print_line(p, "samples", (double)dist->samples);
    print_line(p, "mean", stat_dist_mean(dist));
    if (p->stat->kind == SIM_STAT_HIST)
        print_line(p, "gmean", stat_dist_gmean(dist));
    print_line(p, "stdev", stat_dist_stdev(dist));
}

static void print_buckets(struct printer *p, const struct stat_dist *dist,
                          double total)
{
    bool is_hist = p->stat->kind == SIM_STAT_HIST;
    double last = is_hist ? dist->max + dist->bucket_size - 1.0 : dist->max;

    for (uint32_t i = 0; i < dist->num_buckets; i++) {
        double low = i * dist->bucket_size + dist->min;
        double high = fmin(low + dist->bucket_size - 1.0, last);
        char name[64];

        if (low < high)
            (void)snprintf(name, sizeof(name), "%g-%g", low, high);
        else
            (void)snprintf(name, sizeof(name), "%g", low);
        print_with_share(p, name, (double)dist->buckets[i], total);
    }
}

static void print_extremes(struct printer *p, const struct stat_dist *dist)
{
    print_line(p, "min_value", dist->samples ? dist->min_value : 0);
    print_line(p, "max_value", dist->samples ? dist->max_value : 0);
}

static void print_dist(struct printer *p, const struct stat_row *row)
{
    const struct stat_dist *dist = stat_row_dist(row);
    bool is_hist = p->stat->kind == SIM_STAT_HIST;
    double total = dist_total(dist);

    if ((p->flags & STAT_NO_ZERO) && !dist->samples)
        return;
    print_moments(p, dist);
    p->pdf = p->cdf = total != 0.0 ? 0.0 : NAN;
    if (!is_hist)
        print_with_share(p, "underflows", (double)dist->underflow, total);
    print_buckets(p, dist, total);
    if (!is_hist)
        print_with_share(p, "overflows", (double)dist->overflow, total);
    p->pdf = p->cdf = NAN;
    if (!is_hist)
        print_extremes(p, dist);
    print_line(p, "total", total);
}

/* -------------------------------------------------------------- row, group */

static void print_by_kind(struct printer *p, const struct stat_row *row)
{
    switch (row->stat->kind) {
    case SIM_STAT_VECTOR2D:
        print_matrix(p, row);
        return;
    case SIM_STAT_DIST:
    case SIM_STAT_HIST:
        print_dist(p, row);
        return;
    case SIM_STAT_U64:
    case SIM_STAT_F64:
    case SIM_STAT_AVERAGE:
    case SIM_STAT_VECTOR:
    case SIM_STAT_FORMULA:
        break;
    }
    if (stat_row_is_vector(row))
        print_vector(p, row);
    else
        print_line(p, NULL, stat_row_value(row, 0, p->dump->now));
}

static char *join(const char *path, const char *name)
{
    return path[0] ? alloc_printf("%s.%s", path, name) : alloc_strdup(name);
}

static void print_row(const struct text_dump *dump, const char *path,
                      const struct stat_row *row)
{
    bool formulas = dump->options & STAT_TEXT_FORMULAS;
    struct printer p = {.dump = dump,
                        .stat = row->stat,
                        .flags = row->stat->flags,
                        .pdf = NAN,
                        .cdf = NAN};
    char *name;

    if (!stat_row_is_shown(row) ||
        (row->stat->kind == SIM_STAT_FORMULA && !formulas))
        return;
    name = join(path, row->name);
    p.base = name;
    print_by_kind(&p, row);
    mem_free(name);
}

static void print_group(const struct text_dump *dump, const char *path,
                        const struct stat_group *group)
{
    for (uint32_t i = 0; i < group->num_rows; i++)
        print_row(dump, path, &group->rows[i]);
    for (uint32_t i = 0; i < group->num_groups; i++) {
        char *below = join(path, group->groups[i]->name);

        print_group(dump, below, group->groups[i]);
        mem_free(below);
    }
}

void stat_text_write(FILE *out, const struct stat_group *top, tick_t now,
                     uint32_t options)
{
    const struct text_dump dump = {out, now, options};

    (void)fputs("\n---------- Begin Simulation Statistics ----------\n", out);
    print_group(&dump, stat_group_path(top), top);
    (void)fputs("\n---------- End Simulation Statistics   ----------\n", out);
}
