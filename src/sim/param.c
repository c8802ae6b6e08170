/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters: search, limits, and storing checked values with copies of
 * everything that the value points to.
 */
#include "sim/param.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sim/object.h"
#include "sim/param_text.h"

enum { WHY_SIZE = 160 };

struct param_origin {
    struct param_origin *next;
    const struct sim_param *param;
    char *text;
};

const struct sim_param *sim_param_find(const struct sim_type *type,
                                       const char *name)
{
    for (; type; type = type->base) {
        const struct sim_param *param = type->params;

        for (; param && param->field.name; param++)
            if (strcmp(param->field.name, name) == 0)
                return param;
    }
    return NULL;
}

/* ------------------------------------------------------------------- limits */

/* Largest value that an unsigned kind holds; 0: the kind is not an integer. */
static uint64_t kind_max(enum sim_kind kind)
{
    switch (kind) {
    case SIM_BOOL:
        return 1;
    case SIM_U8:
        return UINT8_MAX;
    case SIM_U16:
        return UINT16_MAX;
    case SIM_U32:
        return UINT32_MAX;
    case SIM_U64:
    case SIM_VEC_U64:
        return UINT64_MAX;
    default:
        return 0;
    }
}

static int limit_error(const struct sim_param *param, const char *word,
                       uint64_t limit, char *why)
{
    char text[PARAM_TEXT_SIZE];

    param_value_text(param, limit, text);
    (void)snprintf(why, WHY_SIZE, "%s is %s (%s)", word, text,
                   param->field.doc);
    return -ERANGE;
}

static int check_enum(const struct sim_param *param, uint64_t value, char *why)
{
    uint64_t len = 0;

    while (param->names[len])
        len++;
    if (value < len)
        return 0;
    (void)snprintf(why, WHY_SIZE, "%" PRIu64 " is not the index of a name (%s)",
                   value, param->field.doc);
    return -EINVAL;
}

static int check_unsigned(const struct sim_param *param, uint64_t value,
                          char *why)
{
    uint64_t top = kind_max(param->field.kind);

    if (param->names)
        return check_enum(param, value, why);
    if (param->max && param->max < top)
        top = param->max;
    if (value > top)
        return limit_error(param, "maximum", top, why);
    if (value < param->min)
        return limit_error(param, "minimum", param->min, why);
    if (param->pow2 && (value == 0 || (value & (value - 1)) != 0)) {
        (void)snprintf(why, WHY_SIZE, "must be a power of two (%s)",
                       param->field.doc);
        return -ERANGE;
    }
    return 0;
}

static int check_signed(const struct sim_param *param, int64_t value, char *why)
{
    if (value < 0)
        return param->min ? limit_error(param, "minimum", param->min, why) : 0;
    if (param->max && (uint64_t)value > param->max)
        return limit_error(param, "maximum", param->max, why);
    if ((uint64_t)value < param->min)
        return limit_error(param, "minimum", param->min, why);
    return 0;
}

static int check_double(const struct sim_param *param, double value, char *why)
{
    if (value != value) {
        (void)snprintf(why, WHY_SIZE, "is not a number (%s)", param->field.doc);
        return -EINVAL;
    }
    if (param->max && value > (double)param->max)
        return limit_error(param, "maximum", param->max, why);
    if (param->min && value < (double)param->min)
        return limit_error(param, "minimum", param->min, why);
    return 0;
}

static int check_obj(const struct sim_param *param,
                     const struct sim_object *obj, char *why)
{
    if (!obj || !param->obj_type || sim_object_is_a(obj, param->obj_type))
        return 0;
    (void)snprintf(why, WHY_SIZE, "%s is a %s, not a %s (%s)", obj->path,
                   obj->type->name, param->obj_type->name, param->field.doc);
    return -EINVAL;
}

static int check_range(const struct sim_param *param,
                       const struct addr_range *range, char *why)
{
    if (range->start <= range->end)
        return 0;
    (void)snprintf(why, WHY_SIZE,
                   "the range ends at %#" PRIx64 ", before its start %#" PRIx64
                   " (%s)",
                   range->end, range->start, param->field.doc);
    return -EINVAL;
}

static int check_len(const struct sim_param *param, uint32_t len, char *why)
{
    if (len || !param->nonempty)
        return 0;
    (void)snprintf(why, WHY_SIZE, "needs at least one element (%s)",
                   param->field.doc);
    return -EINVAL;
}

/* Element @i of a list value. */
static int check_element(const struct sim_param *param,
                         const union sim_value *value, uint32_t i, char *why)
{
    switch (param->field.kind) {
    case SIM_VEC_U64:
        return check_unsigned(param, value->vec_u64.data[i], why);
    case SIM_VEC_F64:
        return check_double(param, value->vec_f64.data[i], why);
    case SIM_VEC_OBJ:
        return check_obj(param, value->vec_obj.data[i], why);
    case SIM_VEC_RANGE:
        return check_range(param, &value->vec_range.data[i], why);
    default:
        return 0;
    }
}

static uint32_t vec_len(enum sim_kind kind, const union sim_value *value)
{
    switch (kind) {
    case SIM_VEC_U64:
        return value->vec_u64.len;
    case SIM_VEC_F64:
        return value->vec_f64.len;
    case SIM_VEC_STR:
        return value->vec_str.len;
    case SIM_VEC_OBJ:
        return value->vec_obj.len;
    case SIM_VEC_RANGE:
        return value->vec_range.len;
    default:
        return 0;
    }
}

static int check_vec(const struct sim_param *param,
                     const union sim_value *value, char *why)
{
    uint32_t len = vec_len(param->field.kind, value);
    int err = check_len(param, len, why);
    uint32_t i;

    for (i = 0; i < len && !err; i++)
        err = check_element(param, value, i, why);
    return err;
}

int sim_param_check(const struct sim_param *param, const union sim_value *value,
                    char why[WHY_SIZE])
{
    switch (param->field.kind) {
    case SIM_I64:
        return check_signed(param, value->i, why);
    case SIM_F64:
        return check_double(param, value->f, why);
    case SIM_STR:
        return 0;
    case SIM_OBJ:
        return check_obj(param, value->obj, why);
    case SIM_RANGE:
        return check_range(param, &value->range, why);
    case SIM_VEC_U64:
    case SIM_VEC_F64:
    case SIM_VEC_STR:
    case SIM_VEC_OBJ:
    case SIM_VEC_RANGE:
        return check_vec(param, value, why);
    default:
        return check_unsigned(param, value->u, why);
    }
}

/* ------------------------------------------------------------------ storing */

/* What a list kind stores per element [bytes]; 0: not a list. */
static size_t element_size(enum sim_kind kind)
{
    switch (kind) {
    case SIM_VEC_U64:
    case SIM_VEC_F64:
        return sizeof(uint64_t);
    case SIM_VEC_STR:
    case SIM_VEC_OBJ:
        return sizeof(void *);
    case SIM_VEC_RANGE:
        return sizeof(struct addr_range);
    default:
        return 0;
    }
}

static void free_strings(const struct sim_vec_str *vec)
{
    uint32_t i;

    for (i = 0; i < vec->len; i++)
        mem_free((char *)vec->data[i]);
}

/* Releases what @field of @obj owns and zeroes the member. */
static void clear_member(struct sim_object *obj, const struct sim_field *field)
{
    void *member = SIM_FIELD_PTR(obj, field);

    if (field->kind == SIM_STR) {
        mem_free(*(char **)member);
        *(const char **)member = NULL;
    } else if (element_size(field->kind)) {
        struct sim_vec_u64 *vec = member;

        if (field->kind == SIM_VEC_STR)
            free_strings(member);
        mem_free(vec->data);
        memset(member, 0, sizeof *vec);
    }
}

SIM_STATIC_ASSERT(sizeof(struct sim_vec_u64) == sizeof(struct sim_vec_str) &&
                      sizeof(struct sim_vec_u64) ==
                          sizeof(struct sim_vec_range) &&
                      sizeof(struct sim_vec_u64) == sizeof(struct sim_vec_obj),
                  "lists of all kinds share one layout");

static void *copy_elements(const void *data, uint32_t len, size_t size)
{
    void *copy;

    if (!len)
        return NULL;
    copy = alloc_zeroed(len, size);
    memcpy(copy, data, len * size);
    return copy;
}

static void store_strings(struct sim_vec_str *vec,
                          const struct sim_vec_str *value)
{
    uint32_t i;

    vec->len = value->len;
    vec->data = value->len ? alloc_zeroed(value->len, sizeof *vec->data) : NULL;
    for (i = 0; i < value->len; i++)
        vec->data[i] = alloc_strdup(value->data[i]);
}

static void store_vec(void *member, enum sim_kind kind,
                      const union sim_value *value)
{
    struct sim_vec_u64 vec = value->vec_u64;

    if (kind == SIM_VEC_STR) {
        store_strings(member, &value->vec_str);
        return;
    }
    vec.data = copy_elements(vec.data, vec.len, element_size(kind));
    memcpy(member, &vec, sizeof vec);
}

/* Members go through memcpy: the object may declare a pointer to its own kind
 * of object, or an enum. */
static void store(void *member, enum sim_kind kind,
                  const union sim_value *value)
{
    uint8_t u8 = (uint8_t)value->u;
    uint16_t u16 = (uint16_t)value->u;
    uint32_t u32 = (uint32_t)value->u;
    bool flag = value->u != 0;

    switch (kind) {
    case SIM_BOOL:
        memcpy(member, &flag, sizeof flag);
        break;
    case SIM_U8:
        memcpy(member, &u8, sizeof u8);
        break;
    case SIM_U16:
        memcpy(member, &u16, sizeof u16);
        break;
    case SIM_U32:
        memcpy(member, &u32, sizeof u32);
        break;
    case SIM_U64:
    case SIM_I64:
    case SIM_F64:
        memcpy(member, &value->u, sizeof value->u);
        break;
    case SIM_OBJ:
        memcpy(member, &value->obj, sizeof value->obj);
        break;
    case SIM_STR:
        *(const char **)member = value->s ? alloc_strdup(value->s) : NULL;
        break;
    case SIM_RANGE:
        memcpy(member, &value->range, sizeof value->range);
        break;
    default:
        store_vec(member, kind, value);
    }
}

static void forget_origin(struct sim_object *obj, const struct sim_param *param)
{
    struct param_origin **link = &obj->param_origins;

    while (*link && (*link)->param != param)
        link = &(*link)->next;
    if (*link) {
        struct param_origin *old = *link;

        *link = old->next;
        mem_free(old->text);
        mem_free(old);
    }
}

static void remember_origin(struct sim_object *obj,
                            const struct sim_param *param, const char *text)
{
    struct param_origin *origin = alloc_zeroed(1, sizeof *origin);

    origin->param = param;
    origin->text = alloc_strdup(text);
    origin->next = obj->param_origins;
    obj->param_origins = origin;
}

void sim_param_set(struct sim_object *obj, const struct sim_param *param,
                   const union sim_value *value, const char *origin)
{
    char why[WHY_SIZE];

    SIM_ASSERT(sim_param_check(param, value, why) == 0);
    clear_member(obj, &param->field);
    store(SIM_FIELD_PTR(obj, &param->field), param->field.kind, value);
    forget_origin(obj, param);
    if (origin)
        remember_origin(obj, param, origin);
}

const char *sim_param_origin(const struct sim_object *obj, const char *name)
{
    const struct param_origin *origin = obj->param_origins;

    while (origin && strcmp(origin->param->field.name, name) != 0)
        origin = origin->next;
    return origin ? origin->text : NULL;
}

void sim_param_fini(struct sim_object *obj)
{
    const struct sim_type *type;

    while (obj->param_origins)
        forget_origin(obj, obj->param_origins->param);
    for (type = obj->type; type; type = type->base) {
        const struct sim_param *param = type->params;

        for (; param && param->field.name; param++)
            clear_member(obj, &param->field);
    }
}
