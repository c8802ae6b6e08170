/* SPDX-License-Identifier: BSD-3-Clause */
/* Binding of ports: kinds and roles are checked here, once, for all layers. */
#include "sim/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/field.h"
#include "sim/object.h"
#include "sim/report.h"

enum { WHY_SIZE = 200 };
/* A script that asks for more elements than this has made a mistake. */
enum { MAX_VECTOR_LEN = 1 << 20 };

static bool is_named(const struct sim_port_desc *desc, const char *name)
{
    return strcmp(desc->name, name) == 0 ||
           (desc->old_name && strcmp(desc->old_name, name) == 0);
}

const struct sim_port_desc *sim_port_find(const struct sim_type *type,
                                          const char *name)
{
    for (; type; type = type->base) {
        const struct sim_port_desc *desc = type->ports;

        for (; desc && desc->name; desc++)
            if (is_named(desc, name))
                return desc;
    }
    return NULL;
}

/* Calls @visit for each port row of the object's type and its bases. */
static void for_each_desc(struct sim_object *obj,
                          void (*visit)(struct sim_object *obj,
                                        const struct sim_port_desc *desc))
{
    const struct sim_type *type;

    for (type = obj->type; type; type = type->base) {
        const struct sim_port_desc *desc = type->ports;

        for (; desc && desc->name; desc++)
            visit(obj, desc);
    }
}

static void port_setup(struct sim_port *port, struct sim_object *owner,
                       const struct sim_port_desc *desc, uint32_t index)
{
    port->owner = owner;
    port->desc = desc;
    port->index = index;
}

static void init_desc(struct sim_object *obj, const struct sim_port_desc *desc)
{
    if (!desc->is_vector)
        port_setup(SIM_FIELD_PTR(obj, desc), obj, desc, 0);
}

void sim_port_init(struct sim_object *obj)
{
    for_each_desc(obj, init_desc);
}

static void fini_desc(struct sim_object *obj, const struct sim_port_desc *desc)
{
    struct sim_port_vec *vec = SIM_FIELD_PTR(obj, desc);
    uint32_t i;

    if (!desc->is_vector)
        return;
    for (i = 0; i < vec->len; i++)
        mem_free(vec->ports[i]);
    mem_free(vec->ports);
}

void sim_port_fini(struct sim_object *obj)
{
    for_each_desc(obj, fini_desc);
}

/* ------------------------------------------------------------------ binding */

static struct sim_port *vec_element(struct sim_object *obj,
                                    const struct sim_port_desc *desc,
                                    uint32_t index)
{
    struct sim_port_vec *vec = SIM_FIELD_PTR(obj, desc);

    if (index == SIM_PORT_APPEND)
        index = vec->len;
    if (index >= vec->len)
        vec->ports = alloc_resize(vec->ports, index + 1, sizeof *vec->ports);
    for (; vec->len <= index; vec->len++) {
        vec->ports[vec->len] = alloc_zeroed(1, sizeof *vec->ports[0]);
        port_setup(vec->ports[vec->len], obj, desc, vec->len);
    }
    return vec->ports[index];
}

/* The port to bind; a vector grows. */
static struct sim_port *element(struct sim_object *obj,
                                const struct sim_port_desc *desc,
                                uint32_t index)
{
    if (desc->is_vector)
        return vec_element(obj, desc, index);
    return SIM_FIELD_PTR(obj, desc);
}

struct sim_port *sim_port_get(struct sim_object *obj, const char *name,
                              uint32_t index)
{
    const struct sim_port_desc *desc = sim_port_find(obj->type, name);
    struct sim_port_vec *vec;

    if (!desc)
        return NULL;
    if (!desc->is_vector)
        return index ? NULL : SIM_FIELD_PTR(obj, desc);
    vec = SIM_FIELD_PTR(obj, desc);
    return index < vec->len ? vec->ports[index] : NULL;
}

static const char *role_name(enum sim_port_role role)
{
    return role == SIM_REQUESTOR ? "requestor" : "responder";
}

static int find_desc(const struct sim_object *obj, const char *name,
                     const struct sim_port_desc **desc, char *why)
{
    *desc = sim_port_find(obj->type, name);
    if (*desc)
        return 0;
    (void)snprintf(why, WHY_SIZE, "%s (%s) has no port '%s'", obj->path,
                   obj->type->name, name);
    return -ENOENT;
}

static int check_match(const struct sim_object *a,
                       const struct sim_port_desc *a_desc,
                       const struct sim_object *b,
                       const struct sim_port_desc *b_desc, char *why)
{
    if (strcmp(a_desc->kind, b_desc->kind) != 0) {
        (void)snprintf(why, WHY_SIZE,
                       "%s.%s is a port of kind '%s', %s.%s of kind '%s'",
                       a->path, a_desc->name, a_desc->kind, b->path,
                       b_desc->name, b_desc->kind);
        return -EINVAL;
    }
    if (a_desc->role == b_desc->role) {
        (void)snprintf(why, WHY_SIZE, "%s.%s and %s.%s are both %ss", a->path,
                       a_desc->name, b->path, b_desc->name,
                       role_name(a_desc->role));
        return -EINVAL;
    }
    return 0;
}

/* Whether the element exists, or may be made, and is not bound. */
static int check_free(struct sim_object *obj, const struct sim_port_desc *desc,
                      uint32_t index, char *why)
{
    uint32_t limit = desc->is_vector ? MAX_VECTOR_LEN : 1;
    const struct sim_port *port, *peer;

    if (index != SIM_PORT_APPEND && index >= limit) {
        (void)snprintf(why, WHY_SIZE, "%s.%s has no element %u", obj->path,
                       desc->name, index);
        return -ENOENT;
    }
    if (index == SIM_PORT_APPEND && !desc->is_vector)
        index = 0;
    port = sim_port_get(obj, desc->name, index);
    peer = port ? port->peer : NULL;
    if (!peer)
        return 0;
    (void)snprintf(why, WHY_SIZE, "%s.%s is already connected to %s.%s",
                   obj->path, desc->name, peer->owner->path, peer->desc->name);
    return -EBUSY;
}

/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the two ends */
/* NOLINTNEXTLINE(readability-function-size): two ends of three parts */
int sim_port_bind(struct sim_object *a, const char *a_port, uint32_t a_index,
                  struct sim_object *b, const char *b_port, uint32_t b_index,
                  char why[WHY_SIZE])
{
    const struct sim_port_desc *a_desc, *b_desc;
    struct sim_port *from, *to;
    int err = find_desc(a, a_port, &a_desc, why);

    if (!err)
        err = find_desc(b, b_port, &b_desc, why);
    if (!err)
        err = check_match(a, a_desc, b, b_desc, why);
    if (err)
        return err;
    err = check_free(a, a_desc, a_index, why);
    if (!err)
        err = check_free(b, b_desc, b_index, why);
    if (err)
        return err;
    from = element(a, a_desc, a_index);
    to = element(b, b_desc, b_index);
    from->peer = to;
    to->peer = from;
    return 0;
}

/* ------------------------------------------------------------------ checking
 */

static void check_vec_bound(struct sim_object *obj,
                            const struct sim_port_desc *desc)
{
    const struct sim_port_vec *vec = SIM_FIELD_PTR(obj, desc);
    uint32_t i;

    for (i = 0; i < vec->len; i++)
        if (!vec->ports[i]->peer)
            sim_fatal(obj, "port '%s[%u]' is not connected (%s)", desc->name, i,
                      desc->doc);
}

static void check_bound(struct sim_object *obj,
                        const struct sim_port_desc *desc)
{
    const struct sim_port *port = SIM_FIELD_PTR(obj, desc);

    if (desc->is_vector)
        check_vec_bound(obj, desc);
    else if (!port->peer && !desc->is_optional)
        sim_fatal(obj, "port '%s' is not connected (%s)", desc->name,
                  desc->doc);
}

void sim_port_check(struct sim_object *obj)
{
    for_each_desc(obj, check_bound);
}
