/* SPDX-License-Identifier: BSD-3-Clause */
/* Walk the statistics of a tree of objects; see the header for the order. */
#include "sim/stat_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sim/object.h"

/* ------------------------------------------------------------------ building
 */

static struct stat_group *group_create(const char *name, size_t len)
{
    struct stat_group *group = alloc_zeroed(1, sizeof(*group));

    group->name = alloc_zeroed(len + 1, 1);
    memcpy(group->name, name, len);
    return group;
}

static struct stat_group *find_group(const struct stat_group *parent,
                                     const char *name, size_t len)
{
    for (uint32_t i = 0; i < parent->num_groups; i++) {
        const char *have = parent->groups[i]->name;

        if (!strncmp(have, name, len) && !have[len])
            return parent->groups[i];
    }
    return NULL;
}

static struct stat_group *find_or_add_group(struct stat_group *parent,
                                            const char *name, size_t len)
{
    struct stat_group *group = find_group(parent, name, len);

    if (group)
        return group;
    group = group_create(name, len);
    parent->groups = alloc_resize(parent->groups, parent->num_groups + 1,
                                  sizeof(struct stat_group *));
    parent->groups[parent->num_groups++] = group;
    return group;
}

static void add_row(struct stat_group *group, const struct sim_object *obj,
                    const struct sim_stat *stat)
{
    const char *name = stat->name;
    const char *dot;

    while ((dot = strchr(name, '.'))) {
        group = find_or_add_group(group, name, (size_t)(dot - name));
        name = dot + 1;
    }
    group->rows =
        alloc_resize(group->rows, group->num_rows + 1, sizeof(*group->rows));
    group->rows[group->num_rows++] =
        (struct stat_row){.obj = obj, .stat = stat, .name = name};
}

static void add_rows(struct stat_group *group, const struct sim_object *obj,
                     const struct sim_type *type)
{
    if (!type)
        return;
    add_rows(group, obj, type->base);
    for (const struct sim_stat *stat = type->stats; stat && stat->name; stat++)
        add_row(group, obj, stat);
}

static int compare_groups(const void *a, const void *b)
{
    const struct stat_group *const *left = a;
    const struct stat_group *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

static void add_object(struct stat_group *group, const struct sim_object *obj)
{
    const struct sim_object *child;

    group->obj = obj;
    add_rows(group, obj, obj->type);
    for (child = obj->first_child; child; child = child->next_sibling)
        add_object(find_or_add_group(group, child->name, strlen(child->name)),
                   child);
}

static void sort_groups(struct stat_group *group)
{
    if (group->num_groups)
        qsort(group->groups, group->num_groups, sizeof(*group->groups),
              compare_groups);
    for (uint32_t i = 0; i < group->num_groups; i++)
        sort_groups(group->groups[i]);
}

struct stat_group *stat_group_create(const struct sim_object *top)
{
    struct stat_group *group = group_create(top->name, strlen(top->name));

    add_object(group, top);
    sort_groups(group);
    return group;
}

void stat_group_destroy(struct stat_group *group)
{
    if (!group)
        return;
    for (uint32_t i = 0; i < group->num_groups; i++)
        stat_group_destroy(group->groups[i]);
    mem_free(group->groups);
    mem_free(group->rows);
    mem_free(group->name);
    mem_free(group);
}

const char *stat_group_path(const struct stat_group *top)
{
    return top->obj->parent ? top->obj->path : "";
}

const struct stat_row *stat_find(const struct stat_group *group,
                                 const char *name)
{
    const char *dot;

    while (group && (dot = strchr(name, '.'))) {
        group = find_group(group, name, (size_t)(dot - name));
        name = dot + 1;
    }
    for (uint32_t i = 0; group && i < group->num_rows; i++)
        if (!strcmp(group->rows[i].name, name))
            return &group->rows[i];
    return NULL;
}

/* --------------------------------------------------------- reset and prepare
 */

static void reset_stat(char *member, const struct sim_stat *stat, tick_t now)
{
    void *ptr = member;

    switch (stat->kind) {
    case SIM_STAT_U64:
        *(uint64_t *)ptr = 0;
        break;
    case SIM_STAT_F64:
        *(double *)ptr = 0;
        break;
    case SIM_STAT_AVERAGE:
        stat_average_reset(ptr, now);
        break;
    case SIM_STAT_VECTOR:
        stat_vector_reset(ptr);
        break;
    case SIM_STAT_VECTOR2D:
        stat_vector2d_reset(ptr);
        break;
    case SIM_STAT_DIST:
        stat_dist_reset(ptr);
        break;
    case SIM_STAT_HIST:
        stat_hist_reset(ptr);
        break;
    case SIM_STAT_FORMULA:
        break;
    }
}

static void reset_type(struct sim_object *obj, const struct sim_type *type,
                       tick_t now)
{
    if (!type)
        return;
    reset_type(obj, type->base, now);
    for (const struct sim_stat *stat = type->stats; stat && stat->name; stat++)
        reset_stat((char *)obj + stat->offset, stat, now);
    if (type->ops && type->ops->reset_stats)
        type->ops->reset_stats(obj);
}

void stat_reset(struct sim_object *top, tick_t now)
{
    struct sim_object *child;

    reset_type(top, top->type, now);
    for (child = top->first_child; child; child = child->next_sibling)
        stat_reset(child, now);
}

static void prepare_type(struct sim_object *obj, const struct sim_type *type)
{
    if (!type)
        return;
    prepare_type(obj, type->base);
    if (type->ops && type->ops->pre_dump)
        type->ops->pre_dump(obj);
}

void stat_prepare(struct sim_object *top)
{
    struct sim_object *child;

    prepare_type(top, top->type);
    for (child = top->first_child; child; child = child->next_sibling)
        stat_prepare(child);
}

/* -------------------------------------------------------------- row by row */

static const void *row_member(const struct stat_row *row)
{
    return (const char *)row->obj + row->stat->offset;
}

bool stat_row_is_shown(const struct stat_row *row)
{
    return !row->stat->is_hidden || !row->stat->is_hidden(row->obj);
}

const struct stat_dist *stat_row_dist(const struct stat_row *row)
{
    SIM_ASSERT(row->stat->kind == SIM_STAT_DIST ||
               row->stat->kind == SIM_STAT_HIST);
    return row_member(row);
}

const struct stat_vector2d *stat_row_vector2d(const struct stat_row *row)
{
    SIM_ASSERT(row->stat->kind == SIM_STAT_VECTOR2D);
    return row_member(row);
}

static const struct stat_vector *row_vector(const struct stat_row *row)
{
    return row_member(row);
}

uint32_t stat_row_len(const struct stat_row *row)
{
    switch (row->stat->kind) {
    case SIM_STAT_VECTOR:
        return row_vector(row)->len;
    case SIM_STAT_VECTOR2D:
        return stat_row_vector2d(row)->x_len * stat_row_vector2d(row)->y_len;
    case SIM_STAT_DIST:
    case SIM_STAT_HIST:
        return stat_row_dist(row)->num_buckets;
    case SIM_STAT_FORMULA:
        return row->stat->formula_len ? row->stat->formula_len(row->obj) : 1;
    case SIM_STAT_U64:
    case SIM_STAT_F64:
    case SIM_STAT_AVERAGE:
        break;
    }
    return 1;
}

bool stat_row_is_vector(const struct stat_row *row)
{
    return row->stat->kind == SIM_STAT_VECTOR ||
           (row->stat->kind == SIM_STAT_FORMULA && row->stat->formula_len);
}

double stat_row_value(const struct stat_row *row, uint32_t index, tick_t now)
{
    const void *member = row_member(row);

    switch (row->stat->kind) {
    case SIM_STAT_U64:
        return (double)*(const uint64_t *)member;
    case SIM_STAT_F64:
        return *(const double *)member;
    case SIM_STAT_AVERAGE:
        return stat_average_mean(member, now);
    case SIM_STAT_VECTOR:
        return (double)row_vector(row)->data[index];
    case SIM_STAT_VECTOR2D:
        return (double)stat_row_vector2d(row)->data[index];
    case SIM_STAT_DIST:
    case SIM_STAT_HIST:
        return (double)stat_row_dist(row)->buckets[index];
    case SIM_STAT_FORMULA:
        return row->stat->formula(row->obj, index);
    }
    return NAN;
}

const char *stat_row_subname(const struct stat_row *row, uint32_t index)
{
    const char *const *names = NULL;
    const char *name = NULL;

    if (row->stat->kind == SIM_STAT_VECTOR)
        names = row_vector(row)->subnames;
    if (names)
        name = names[index];
    else if (row->stat->formula_subname)
        name = row->stat->formula_subname(row->obj, index);
    else
        return NULL;
    return name ? name : "";
}

double stat_row_total(const struct stat_row *row, tick_t now)
{
    uint32_t len = stat_row_len(row);
    double total = 0;

    if (row->stat->formula_total)
        return row->stat->formula_total(row->obj);
    for (uint32_t i = 0; i < len; i++)
        total += stat_row_value(row, i, now);
    return total;
}

/* ------------------------------------------------------- of distributions */

double stat_dist_mean(const struct stat_dist *dist)
{
    return dist->samples ? dist->sum / (double)dist->samples : NAN;
}

double stat_dist_gmean(const struct stat_dist *dist)
{
    return dist->samples ? exp(dist->logs / (double)dist->samples) : NAN;
}

double stat_dist_stdev(const struct stat_dist *dist)
{
    double n = (double)dist->samples;

    if (!dist->samples)
        return NAN;
    return sqrt((n * dist->squares - dist->sum * dist->sum) / (n * (n - 1.0)));
}
