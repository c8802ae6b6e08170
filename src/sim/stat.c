/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Containers of statistics: shape, sampling, reset.  Mean, deviation and totals
 * are computed where they are written (stat_text.c, stat_json.c).
 * Source: bucket rules and the mean over time follow [gem5] src/base/stats, so
 * that the numbers compare.
 */
#include "sim/stat.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"

/* ---------------------------------------------------------------- average */

void stat_average_set(struct stat_average *avg, double value, tick_t now)
{
    avg->area += avg->value * (double)(now - avg->since);
    avg->since = now;
    avg->value = value;
}

double stat_average_mean(const struct stat_average *avg, tick_t now)
{
    double area = avg->area + avg->value * (double)(now - avg->since);

    return (area + avg->value) / ((double)(now - avg->start) + 1.0);
}

void stat_average_reset(struct stat_average *avg, tick_t now)
{
    avg->area = 0;
    avg->since = now;
    avg->start = now;
}

/* ---------------------------------------------------------------- vectors */

void stat_vector_init(struct stat_vector *vec, uint32_t len,
                      const char *const *subnames)
{
    vec->data = alloc_zeroed(len, sizeof(*vec->data));
    vec->len = len;
    vec->subnames = subnames;
}

void stat_vector_reset(struct stat_vector *vec)
{
    if (vec->len)
        memset(vec->data, 0, vec->len * sizeof(*vec->data));
}

void stat_vector_fini(struct stat_vector *vec)
{
    mem_free(vec->data);
    memset(vec, 0, sizeof(*vec));
}

void stat_vector2d_init(struct stat_vector2d *vec, uint32_t x_len,
                        const char *const *x_names, uint32_t y_len,
                        const char *const *y_names)
{
    vec->data = alloc_zeroed((size_t)x_len * y_len, sizeof(*vec->data));
    vec->x_len = x_len;
    vec->x_names = x_names;
    vec->y_len = y_len;
    vec->y_names = y_names;
}

void stat_vector2d_reset(struct stat_vector2d *vec)
{
    if (vec->data)
        memset(vec->data, 0,
               (size_t)vec->x_len * vec->y_len * sizeof(*vec->data));
}

void stat_vector2d_fini(struct stat_vector2d *vec)
{
    mem_free(vec->data);
    memset(vec, 0, sizeof(*vec));
}

/* ----------------------------------------------------------- distribution */

static void add_sums(struct stat_dist *dist, double value, uint64_t count)
{
    double number = (double)count;

    dist->sum += value * number;
    dist->squares += value * value * number;
    dist->samples += count;
    if (value < dist->min_value)
        dist->min_value = value;
    if (value > dist->max_value)
        dist->max_value = value;
}

static void clear_sums(struct stat_dist *dist)
{
    dist->underflow = dist->overflow = dist->samples = 0;
    dist->sum = dist->squares = dist->logs = 0;
    dist->min_value = INFINITY;
    dist->max_value = -INFINITY;
    if (dist->num_buckets)
        memset(dist->buckets, 0, dist->num_buckets * sizeof(*dist->buckets));
}

void stat_dist_init(struct stat_dist *dist, double min, double max,
                    double bucket_size)
{
    double buckets = ceil((max - min + 1.0) / bucket_size);

    SIM_ASSERT(bucket_size > 0 && buckets >= 1 && buckets <= UINT32_MAX);
    dist->min = min;
    dist->max = max;
    dist->bucket_size = bucket_size;
    dist->num_buckets = (uint32_t)buckets;
    dist->buckets = alloc_zeroed(dist->num_buckets, sizeof(*dist->buckets));
    clear_sums(dist);
}

void stat_dist_sample(struct stat_dist *dist, double value, uint64_t count)
{
    SIM_ASSERT(isfinite(value));
    if (value < dist->min)
        dist->underflow += count;
    else if (value > dist->max)
        dist->overflow += count;
    else
        dist->buckets[(uint32_t)((value - dist->min) / dist->bucket_size)] +=
            count;
    add_sums(dist, value, count);
}

void stat_dist_reset(struct stat_dist *dist)
{
    clear_sums(dist);
}

void stat_dist_fini(struct stat_dist *dist)
{
    mem_free(dist->buckets);
    memset(dist, 0, sizeof(*dist));
}

/* -------------------------------------------------------------- histogram */

void stat_hist_reset(struct stat_dist *hist)
{
    hist->min = 0;
    hist->max = (double)hist->num_buckets - 1;
    hist->bucket_size = 1;
    clear_sums(hist);
}

void stat_hist_init(struct stat_dist *hist, uint32_t num_buckets)
{
    SIM_ASSERT(num_buckets >= 2);
    hist->num_buckets = num_buckets;
    hist->buckets = alloc_zeroed(num_buckets, sizeof(*hist->buckets));
    stat_hist_reset(hist);
}

/*
 * Double the bucket size.  Bucket @from had zero as its lower bound, bucket @to
 * gets it; each new bucket takes two old neighbours.
 */
static void hist_double(struct stat_dist *hist, uint32_t from, uint32_t to)
{
    uint32_t len = hist->num_buckets;
    uint64_t *merged = alloc_zeroed(len, sizeof(*merged));

    for (uint32_t i = 0; i < len; i++) {
        /* Rounds down on either side of zero. */
        int64_t pair = ((int64_t)i - from) >> 1;

        merged[(int64_t)to + pair] += hist->buckets[i];
    }
    memcpy(hist->buckets, merged, len * sizeof(*merged));
    mem_free(merged);
    hist->bucket_size *= 2;
    hist->min = 0.0 - to * hist->bucket_size;
    hist->max = (len - 1.0 - to) * hist->bucket_size;
}

static void hist_make_room(struct stat_dist *hist, double value)
{
    uint32_t middle = hist->num_buckets / 2;

    if (value < hist->min && hist->min == 0)
        hist_double(hist, 0, middle);
    while (value < hist->min || value >= hist->max + hist->bucket_size) {
        uint32_t zero = hist->min == 0 ? 0 : middle;

        hist_double(hist, zero, zero);
    }
}

void stat_hist_sample(struct stat_dist *hist, double value, uint64_t count)
{
    SIM_ASSERT(isfinite(value));
    if (!count) /* log(0) * 0 is not a number */
        return;
    hist_make_room(hist, value);
    hist->buckets[(uint32_t)((value - hist->min) / hist->bucket_size)] += count;
    hist->logs += log(value) * (double)count;
    add_sums(hist, value, count);
}
