/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports connect objects: a requestor asks, a responder answers.  sim/ knows
 * only that ports exist and which kinds match; what travels through them is
 * declared by the layer that owns the kind (memory: mem/port.h).
 */
#ifndef SIM_PORT_H
#define SIM_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sim_object;
struct sim_port_desc;
struct sim_type;

enum sim_port_role { SIM_REQUESTOR, SIM_RESPONDER };

/* One end of a connection, embedded in the object struct. */
struct sim_port {
    struct sim_object *owner;
    const struct sim_port_desc *desc;
    struct sim_port *peer; /* NULL until bound */
    uint32_t index;        /* position in a vector port, else 0 */
};

/* A vector port: grows by one element per assignment in the script. */
struct sim_port_vec {
    struct sim_port **ports; /* stable addresses; owned by the object */
    uint32_t len;
};

struct sim_port_desc {
    const char *name;
    const char *doc;
    const char *kind; /* "mem", "int"; both ends must agree */
    enum sim_port_role role;
    bool is_vector;
    bool is_optional;      /* may stay unbound */
    const char *old_name;  /* gem5's deprecated spelling, or NULL */
    uint32_t offset;       /* of struct sim_port or sim_port_vec [bytes] */
    const void *responder; /* ops of the kind, e.g. struct mem_port_ops */
};

static inline const void *sim_port_responder(const struct sim_port *port)
{
    return port->desc->responder;
}

#define SIM_PORT(S, m, kind_, role_, ...)                                      \
    {                                                                          \
        .name = #m, .kind = kind_, .role = role_,                              \
        .is_vector = _Generic(SIM_MEMBER(S, m), struct sim_port                \
                              : false, struct sim_port_vec                     \
                              : true),                                         \
        .offset = offsetof(S, m), .doc = __VA_ARGS__                           \
    }
#define SIM_END_PORT                                                           \
    {                                                                          \
        .name = NULL                                                           \
    }

/**
 * sim_port_bind() - connect two ports
 * @index: position in a vector port; use SIM_PORT_APPEND for the next one
 *
 * Returns: 0; -ENOENT no such port; -EINVAL kinds or roles do not match;
 * -EBUSY already bound.  @why receives the reason as text.
 */
int sim_port_bind(struct sim_object *a, const char *a_port, uint32_t a_index,
                  struct sim_object *b, const char *b_port, uint32_t b_index,
                  char why[200]);
#define SIM_PORT_APPEND UINT32_MAX

/** sim_port_find() - the row of @name (or old name) in @type or its bases. */
const struct sim_port_desc *sim_port_find(const struct sim_type *type,
                                          const char *name);
/** sim_port_get() - a port of @obj; NULL if no such port or element. */
struct sim_port *sim_port_get(struct sim_object *obj, const char *name,
                              uint32_t index);
/* The ports of a fresh object get to know their owner. */
void sim_port_init(struct sim_object *obj);
/** sim_port_check() - sim_fatal() if a port that must be bound is not. */
void sim_port_check(struct sim_object *obj);
/* Frees the elements of vector ports. */
void sim_port_fini(struct sim_object *obj);

#ifdef __cplusplus
}
#endif

#endif
