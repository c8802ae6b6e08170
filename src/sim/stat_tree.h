/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics of a tree of objects.  The tree of groups mirrors the tree of
 * objects; a dotted row name ("commitStats0.numInsts") makes a group of its own
 * inside the object's.  Order, the same in every run: an object's rows (those
 * of its base types first, each table from top to bottom), then its groups by
 * name, as gem5 sorts them.
 */
#ifndef SIM_STAT_TREE_H
#define SIM_STAT_TREE_H

#include "base/types.h"
#include "sim/stat.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;

/* One statistic of one object. */
struct stat_row {
    const struct sim_object *obj;
    const struct sim_stat *stat;
    const char *name; /* last part of the dotted name */
};

struct stat_group {
    char *name; /* "cpu0", "commitStats0"; "root" at the top */
    const struct sim_object *obj; /* NULL for a group made by dotted names */
    struct stat_row *rows;
    struct stat_group **groups;
    uint32_t num_rows, num_groups;
};

/**
 * stat_group_create() - the groups of @top and of everything below it
 *
 * Holds pointers into objects and types: valid while the objects live.
 */
struct stat_group *stat_group_create(const struct sim_object *top);
void stat_group_destroy(struct stat_group *group);

/** stat_group_path() - dotted prefix of the names in @top ("" for the root);
 *  @top as returned by stat_group_create(). */
const char *stat_group_path(const struct stat_group *top);

/** stat_find() - row by dotted name relative to @group; NULL if none. */
const struct stat_row *stat_find(const struct stat_group *group,
                                 const char *name);

/** stat_reset() - zero all statistics of @top and below, then call reset_stats
 *  of each object, base type first. */
void stat_reset(struct sim_object *top, tick_t now);
/** stat_prepare() - call pre_dump of @top and of everything below. */
void stat_prepare(struct sim_object *top);

/* ------------------------------------------------------- values of one row */

/* False: the row does not apply to its object's configuration. */
bool stat_row_is_shown(const struct stat_row *row);
/* 1, or the number of elements (x_len * y_len) or buckets. */
uint32_t stat_row_len(const struct stat_row *row);
/* Whether values have subnames or indices: vectors and vector formulas. */
bool stat_row_is_vector(const struct stat_row *row);
/* Value, element, or bucket @index; an average is taken up to @now. */
double stat_row_value(const struct stat_row *row, uint32_t index, tick_t now);
/* Name of element @index, NULL if the elements are just numbered, "" if this
 * one is not to be shown. */
const char *stat_row_subname(const struct stat_row *row, uint32_t index);
/* Sum of the elements, or what formula_total says. */
double stat_row_total(const struct stat_row *row, tick_t now);
/* The member behind a row of that kind. */
const struct stat_dist *stat_row_dist(const struct stat_row *row);
const struct stat_vector2d *stat_row_vector2d(const struct stat_row *row);

/* Derived numbers of a distribution or histogram; NaN without samples. */
double stat_dist_mean(const struct stat_dist *dist);
double stat_dist_gmean(const struct stat_dist *dist);
double stat_dist_stdev(const struct stat_dist *dist);

#ifdef __cplusplus
}
#endif

#endif
