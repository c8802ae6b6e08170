/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of objects: creation, paths, search, traversal, and the calls of
 * the life cycle through a chain of types.
 */
#include "sim/object.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sim/param.h"
#include "sim/port.h"
#include "sim/report.h"
#include "sim/ring.h"
#include "sim/sim_private.h"

SIM_STATIC_ASSERT(offsetof(struct sim_object, type) == 0,
                  "the binding reads the type through the object's address");

bool sim_object_is_a(const struct sim_object *obj, const struct sim_type *type)
{
    const struct sim_type *t;

    for (t = obj->type; t; t = t->base)
        if (t == type)
            return true;
    return false;
}

struct sim_object *sim_object_cast(const struct sim_object *obj,
                                   const struct sim_type *type)
{
    if (!sim_object_is_a(obj, type))
        sim_panic(obj, "used as a %s, but is a %s", type->name,
                  obj->type->name);
    return (struct sim_object *)obj;
}

/* ----------------------------------------------------------------- the tree */

static void attach(struct sim_object *parent, struct sim_object *obj)
{
    struct sim_object **link = &parent->first_child;

    while (*link)
        link = &(*link)->next_sibling;
    *link = obj;
    obj->parent = parent;
}

/* Children of the root leave out its name, as in gem5: "system", "system.cpu".
 */
static char *make_path(const struct sim_object *parent, const char *name)
{
    if (!parent || !parent->parent)
        return alloc_strdup(name);
    return alloc_printf("%s.%s", parent->path, name);
}

struct sim_object *sim_object_create(struct sim *sim,
                                     const struct sim_type *type,
                                     struct sim_object *parent,
                                     const char *name, const char *origin)
{
    struct sim_object *obj;

    SIM_ASSERT(!type->is_abstract);
    SIM_ASSERT(type->size >= sizeof *obj);
    SIM_ASSERT(!parent == !sim->root);
    SIM_ASSERT(!parent || !sim_object_child(parent, name));
    obj = alloc_zeroed(1, type->size);
    obj->type = type;
    obj->sim = sim;
    obj->name = alloc_strdup(name);
    obj->path = make_path(parent, name);
    obj->origin = origin ? alloc_strdup(origin) : NULL;
    if (parent)
        attach(parent, obj);
    else
        sim->root = obj;
    sim_port_init(obj);
    return obj;
}

static struct sim_object *child_by_prefix(const struct sim_object *parent,
                                          const char *name, size_t len)
{
    struct sim_object *child = parent->first_child;

    while (child && (strncmp(child->name, name, len) != 0 || child->name[len]))
        child = child->next_sibling;
    return child;
}

struct sim_object *sim_object_child(const struct sim_object *parent,
                                    const char *name)
{
    return child_by_prefix(parent, name, strlen(name));
}

struct sim_object *sim_object_find(const struct sim *sim, const char *path)
{
    struct sim_object *obj = sim->root;

    if (!obj || strcmp(path, obj->path) == 0)
        return obj;
    while (obj && *path) {
        size_t len = strcspn(path, ".");

        obj = child_by_prefix(obj, path, len);
        path += len + (path[len] == '.');
    }
    return obj == sim->root ? NULL : obj;
}

struct sim_object *sim_object_next(const struct sim_object *top,
                                   const struct sim_object *obj)
{
    if (obj->first_child)
        return obj->first_child;
    while (obj != top && !obj->next_sibling)
        obj = obj->parent;
    return obj == top ? NULL : obj->next_sibling;
}

void sim_object_free_tree(struct sim_object *obj)
{
    struct sim_object *child = obj->first_child;

    while (child) {
        struct sim_object *next = child->next_sibling;

        sim_object_free_tree(child);
        child = next;
    }
    sim_port_fini(obj);
    sim_param_fini(obj);
    trace_ring_free(obj->ring);
    mem_free((char *)obj->name);
    mem_free((char *)obj->path);
    mem_free((char *)obj->origin);
    mem_free(obj);
}

/* ----------------------------------------------------------- the life cycle */

uint32_t sim_type_chain(const struct sim_type *type,
                        const struct sim_type *chain[SIM_MAX_TYPE_DEPTH])
{
    const struct sim_type *t;
    uint32_t depth = 0, i;

    for (t = type; t; t = t->base)
        depth++;
    SIM_ASSERT(depth <= SIM_MAX_TYPE_DEPTH);
    for (t = type, i = depth; t; t = t->base)
        chain[--i] = t;
    return depth;
}

typedef void (*object_op_t)(struct sim_object *obj);

/* The op at @offset in struct sim_ops; NULL if @type has none. */
static object_op_t op_at(const struct sim_type *type, size_t offset)
{
    object_op_t op = NULL;

    if (type->ops)
        memcpy(&op, (const char *)type->ops + offset, sizeof op);
    return op;
}

static void call_base_first(struct sim_object *obj, size_t offset)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t depth = sim_type_chain(obj->type, chain);
    uint32_t i;

    for (i = 0; i < depth; i++) {
        object_op_t op = op_at(chain[i], offset);

        if (op)
            op(obj);
    }
}

void sim_object_init(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, init));
}

void sim_object_reset(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, reset));
}

void sim_object_startup(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, startup));
}

enum sim_drain sim_object_drain(struct sim_object *obj)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t depth = sim_type_chain(obj->type, chain);
    enum sim_drain result = SIM_DRAINED;
    uint32_t i;

    for (i = 0; i < depth; i++) {
        const struct sim_ops *ops = chain[i]->ops;

        if (ops && ops->drain && ops->drain(obj) == SIM_DRAINING)
            result = SIM_DRAINING;
    }
    return result;
}

void sim_object_resume(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, resume));
}

void sim_object_reset_stats(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, reset_stats));
}

void sim_object_pre_dump(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, pre_dump));
}

void sim_object_after_fork(struct sim_object *obj)
{
    call_base_first(obj, offsetof(struct sim_ops, after_fork));
}

void sim_object_fini(struct sim_object *obj)
{
    const struct sim_type *type;

    for (type = obj->type; type; type = type->base)
        if (type->ops && type->ops->fini)
            type->ops->fini(obj);
}

static const struct sim_param sim_object_params[] = {
    SIM_PARAM(struct sim_object, eventq_index, "0", "",
              "Event queue of gem5's parallel mode; there is one queue here, "
              "the value is not used"),
    SIM_END_PARAM,
};

const struct sim_type sim_object_type = {
    .name = "SimObject",
    .doc = "Base of everything that a script can build",
    .size = sizeof(struct sim_object),
    .is_abstract = true,
    .params = sim_object_params,
};
