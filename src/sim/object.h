/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects: everything a script builds is a struct that starts with
 * struct sim_object and is described by one struct sim_type.
 *
 * Life cycle, parents before children:
 *
 *   create -> set params -> bind ports -> init -> (load | reset) -> startup
 *          -> run <-> drain/resume -> fini
 *
 *   init     all objects exist, parameters are set and ports bound
 *   load     state comes from a checkpoint (tables first, then ops->load)
 *   reset    no checkpoint: ops->reset gives the power-on state
 *   startup  state is final: schedule first events, map memory into KVM
 *   drain    stop producing work; DRAINING until the object says it is done
 *   resume   after drain, also after a change of CPU models
 */
#ifndef SIM_OBJECT_H
#define SIM_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct sim;
struct sim_field;
struct sim_object;
struct sim_param;
struct sim_port_desc;
struct sim_stat;
struct trace_ring;

enum sim_drain { SIM_DRAINED, SIM_DRAINING };

struct sim_ops { /* every op may be NULL: nothing to do */
    void (*init)(struct sim_object *obj);
    void (*reset)(struct sim_object *obj);
    void (*startup)(struct sim_object *obj);
    enum sim_drain (*drain)(struct sim_object *obj);
    void (*resume)(struct sim_object *obj);
    /* Beyond the state table.  load returns 0 or -errno (and has told the
     * reader why); it must not change anything outside the object. */
    void (*save)(const struct sim_object *obj, struct ckpt_writer *writer);
    int (*load)(struct sim_object *obj, struct ckpt_reader *reader);
    void (*reset_stats)(struct sim_object *obj); /* beyond the stats table */
    void (*pre_dump)(struct sim_object *obj); /* bring statistics up to date */
    /* In the child of a fork: threads and host resources that a child does not
     * inherit are gone; make new ones or do without. */
    void (*after_fork)(struct sim_object *obj);
    /* Also called when init did not run or ended in an error: check what is
     * there before releasing it. */
    void (*fini)(struct sim_object *obj);
};

struct sim_type {
    const char *name; /* Python class name */
    const char *doc;
    const struct sim_type *base;
    size_t size;      /* of the object struct [bytes] */
    uint32_t version; /* of the checkpoint layout */
    bool is_abstract; /* Python may not instantiate it */
    const struct sim_ops *ops;
    const struct sim_param *params;
    const struct sim_field *state; /* checkpointed */
    const struct sim_stat *stats;
    const struct sim_port_desc *ports;
};

struct sim_object {
    const struct sim_type *type;
    struct sim *sim;    /* the simulation it belongs to */
    const char *name;   /* last part of the path, "cpu0" */
    const char *path;   /* "system.cpu0"; "root" for the root */
    const char *origin; /* script line that created it, or NULL */
    struct sim_object *parent;
    struct sim_object *first_child, *next_sibling; /* in order of attachment */
    struct trace_ring *ring; /* last trace records; panic prints them */
    struct param_origin *param_origins; /* list, owned */
    uint32_t eventq_index; /* accepted for gem5's scripts; there is one queue */
};

/* The struct must start with `struct sim_object base` or one that does. */
#define SIM_CHECK_BASE(S)                                                      \
    SIM_STATIC_ASSERT(offsetof(S, base) == 0, #S " must start with base")

/** sim_object_is_a() - whether @obj is of @type or of a type derived from it.
 */
bool sim_object_is_a(const struct sim_object *obj, const struct sim_type *type);

/* Downcast that is checked (assertion) against the type object. */
#define SIM_CAST(S, type_, obj) ((S *)(void *)sim_object_cast(obj, &(type_)))
struct sim_object *sim_object_cast(const struct sim_object *obj,
                                   const struct sim_type *type);

/**
 * sim_object_create() - allocate a zeroed object and attach it to @parent
 * @parent: NULL for the root
 * @name:   unique among the children of @parent
 * @origin: script line, copied; may be NULL
 *
 * Runs no op.  The simulation owns the object; sim_destroy() frees all.
 */
struct sim_object *sim_object_create(struct sim *sim,
                                     const struct sim_type *type,
                                     struct sim_object *parent,
                                     const char *name, const char *origin);

/** sim_object_find() - object by path below the root, or NULL. */
struct sim_object *sim_object_find(const struct sim *sim, const char *path);

/** sim_object_child() - direct child by name, or NULL. */
struct sim_object *sim_object_child(const struct sim_object *parent,
                                    const char *name);

/**
 * sim_object_next() - the object after @obj, parents before children
 *
 * Visits the tree below @top in the order of attachment; NULL at the end:
 * for (obj = top; obj; obj = sim_object_next(top, obj)) ...
 */
struct sim_object *sim_object_next(const struct sim_object *top,
                                   const struct sim_object *obj);

/* Deepest chain of base types. */
enum { SIM_MAX_TYPE_DEPTH = 16 };

/** sim_type_chain() - @type and its bases, base first; returns their number. */
uint32_t sim_type_chain(const struct sim_type *type,
                        const struct sim_type *chain[SIM_MAX_TYPE_DEPTH]);

/* Visit the object's type and its bases, base first, calling each op that is
 * present; fini goes the other way, derived types first. */
void sim_object_init(struct sim_object *obj);
void sim_object_reset(struct sim_object *obj);
void sim_object_startup(struct sim_object *obj);
enum sim_drain sim_object_drain(struct sim_object *obj);
void sim_object_resume(struct sim_object *obj);
void sim_object_reset_stats(struct sim_object *obj);
void sim_object_pre_dump(struct sim_object *obj);
void sim_object_after_fork(struct sim_object *obj);
void sim_object_fini(struct sim_object *obj);
/* Frees @obj and all below it, without calling fini; for sim_destroy(). */
void sim_object_free_tree(struct sim_object *obj);

extern const struct sim_type sim_object_type; /* "SimObject", abstract */

#ifdef __cplusplus
}
#endif

#endif
