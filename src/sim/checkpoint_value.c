/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of state tables as text; see the header. */
#include "sim/checkpoint_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/number.h"
#include "base/types.h"
#include "sim/object.h"

enum { RANGE_WORDS = 4 + ADDR_RANGE_MAX_SELECTORS };

/* How a kind is stored. */
struct kind_row {
    size_t size;           /* of an element [bytes] */
    uint64_t max;          /* of an unsigned number */
    bool is_list;          /* struct sim_vec_* */
    enum sim_kind element; /* what a list holds; else the kind itself */
};

/* clang-format off */
#define NUMBER(kind, type, max_) [kind] = {sizeof(type), max_, false, kind}
#define SINGLE(kind, type)       [kind] = {sizeof(type), 0, false, kind}
#define LIST(kind, type, of)     [kind] = {sizeof(struct type), 0, true, of}
/* clang-format on */

static const struct kind_row kind_rows[] = {
    NUMBER(SIM_BOOL, bool, 1),
    NUMBER(SIM_U8, uint8_t, UINT8_MAX),
    NUMBER(SIM_U16, uint16_t, UINT16_MAX),
    NUMBER(SIM_U32, uint32_t, UINT32_MAX),
    NUMBER(SIM_U64, uint64_t, UINT64_MAX),
    SINGLE(SIM_I64, int64_t),
    SINGLE(SIM_F64, double),
    SINGLE(SIM_STR, char *),
    SINGLE(SIM_OBJ, struct sim_object *),
    SINGLE(SIM_RANGE, struct addr_range),
    LIST(SIM_VEC_U64, sim_vec_u64, SIM_U64),
    LIST(SIM_VEC_F64, sim_vec_f64, SIM_F64),
    LIST(SIM_VEC_STR, sim_vec_str, SIM_STR),
    LIST(SIM_VEC_OBJ, sim_vec_obj, SIM_OBJ),
    LIST(SIM_VEC_RANGE, sim_vec_range, SIM_RANGE),
};

/* All lists have this form; their pointers differ in type only. */
struct any_list {
    void *data;
    uint32_t len;
};
SIM_STATIC_ASSERT(sizeof(struct any_list) == sizeof(struct sim_vec_str) &&
                      offsetof(struct any_list, len) ==
                          offsetof(struct sim_vec_range, len),
                  "lists differ in layout");

static struct any_list get_list(const void *member)
{
    struct any_list list;

    memcpy(&list, member, sizeof(list));
    return list;
}

/* --------------------------------------------------------------------- words
 */

const char *ckpt_next_word(const char **rest, size_t *len)
{
    const char *word = *rest;
    const char *space = strchr(word, ' ');

    *len = space ? (size_t)(space - word) : strlen(word);
    *rest = space ? space + 1 : NULL;
    return word;
}

size_t ckpt_count_words(const char *text)
{
    size_t count = text[0] ? 1 : 0;

    for (; *text; text++)
        count += *text == ' ';
    return count;
}

/* ------------------------------------------------------------------- strings
 */

static void write_char(FILE *out, char byte, enum ckpt_string_form form)
{
    if (byte == '\\')
        (void)fputs("\\\\", out);
    else if (byte == '\n')
        (void)fputs("\\n", out);
    else if (byte == ' ' && form == CKPT_STRING_IN_LIST)
        (void)fputs("\\s", out);
    else
        (void)fputc(byte, out);
}

void ckpt_string_write(FILE *out, const char *text, enum ckpt_string_form form)
{
    if (!text)
        (void)fputs("\\0", out);
    else if (!text[0] && form == CKPT_STRING_IN_LIST)
        (void)fputs("\\e", out);
    else
        while (*text)
            write_char(out, *text++, form);
}

static int unescape(char escape, char *byte)
{
    static const char escapes[] = "\\ns", bytes[] = "\\\n ";
    const char *found = escape ? strchr(escapes, escape) : NULL;

    if (!found)
        return -EINVAL;
    *byte = bytes[found - escapes];
    return 0;
}

int ckpt_string_read(const char *text, size_t len, char **value)
{
    size_t used = 0;

    *value = NULL;
    if (len == 2 && !memcmp(text, "\\0", 2))
        return 0;
    *value = alloc_zeroed(len + 1, 1);
    if (len == 2 && !memcmp(text, "\\e", 2))
        return 0;
    for (size_t i = 0; i < len; i++, used++) {
        if (text[i] != '\\') {
            (*value)[used] = text[i];
        } else if (++i >= len || unescape(text[i], &(*value)[used])) {
            mem_free(*value);
            *value = NULL;
            return -EINVAL;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------- writing
 */

static void write_range(FILE *out, const struct addr_range *range)
{
    (void)fprintf(out, "%" PRIu64 " %" PRIu64 " %u %u", range->start,
                  range->end, range->intlv_bits, range->intlv_match);
    for (int i = 0; i < ADDR_RANGE_MAX_SELECTORS; i++)
        (void)fprintf(out, " %" PRIu64, range->masks[i]);
}

static uint64_t get_unsigned(const void *element, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    switch (size) {
    case sizeof(u8):
        return memcpy(&u8, element, size), u8;
    case sizeof(u16):
        return memcpy(&u16, element, size), u16;
    case sizeof(u32):
        return memcpy(&u32, element, size), u32;
    default:
        return memcpy(&u64, element, sizeof(u64)), u64;
    }
}

static void write_f64(FILE *out, double value)
{
    char text[NUMBER_TEXT_SIZE];

    number_format(text, value);
    (void)fputs(text, out);
}

static void write_element(FILE *out, const void *element, enum sim_kind kind,
                          enum ckpt_string_form form)
{
    const struct sim_object *const *obj = element;

    switch (kind) {
    case SIM_BOOL:
        (void)fputs(*(const bool *)element ? "true" : "false", out);
        break;
    case SIM_I64:
        (void)fprintf(out, "%" PRId64, *(const int64_t *)element);
        break;
    case SIM_F64:
        write_f64(out, *(const double *)element);
        break;
    case SIM_STR:
        ckpt_string_write(out, *(const char *const *)element, form);
        break;
    case SIM_OBJ:
        ckpt_string_write(out, *obj ? (*obj)->path : NULL, form);
        break;
    case SIM_RANGE:
        write_range(out, element);
        break;
    default:
        (void)fprintf(out, "%" PRIu64,
                      get_unsigned(element, kind_rows[kind].size));
    }
}

void ckpt_value_write(FILE *out, const void *obj, const struct sim_field *field)
{
    const char *data = (const char *)obj + field->offset;
    const struct kind_row *row = &kind_rows[field->kind];
    enum ckpt_string_form form = row->is_list || field->count > 1
                                     ? CKPT_STRING_IN_LIST
                                     : CKPT_STRING_ALONE;
    uint32_t count = field->count;

    SIM_ASSERT(!row->is_list || field->count == 1);
    if (row->is_list) {
        count = get_list(data).len;
        data = get_list(data).data;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            (void)fputc(' ', out);
        write_element(out, data + i * kind_rows[row->element].size,
                      row->element, form);
    }
}

/* ------------------------------------------------------------------- reading
 */

/* A text on its way into a member. */
struct value_reader {
    const struct sim *sim;
    const char *rest; /* NULL at the end */
    char *why;
};

static int refuse(struct value_reader *r, const char *what, const char *word,
                  size_t len)
{
    (void)snprintf(r->why, 160, "\"%.*s\" is not %s",
                   (int)(len < 60 ? len : 60), word, what);
    return -EINVAL;
}

static int read_unsigned(struct value_reader *r, uint64_t max, uint64_t *value)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);
    int err = number_parse_u64(word, len, value);

    if (err == -EINVAL)
        return refuse(r, "an unsigned number", word, len);
    if (err || *value > max)
        return refuse(r, "in the range of its type", word, len);
    return 0;
}

static void put_unsigned(void *element, size_t size, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    switch (size) {
    case sizeof(u8):
        memcpy(element, &u8, size);
        break;
    case sizeof(u16):
        memcpy(element, &u16, size);
        break;
    case sizeof(u32):
        memcpy(element, &u32, size);
        break;
    default:
        memcpy(element, &value, sizeof(value));
    }
}

static int read_bool(struct value_reader *r, bool *value)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);

    *value = len == 4 && !memcmp(word, "true", 4);
    if (!*value && (len != 5 || memcmp(word, "false", 5) != 0))
        return refuse(r, "true or false", word, len);
    return 0;
}

static int read_i64(struct value_reader *r, int64_t *value)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);

    if (number_parse_i64(word, len, value))
        return refuse(r, "a signed 64-bit number", word, len);
    return 0;
}

static int read_f64(struct value_reader *r, double *value)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);

    if (number_parse_f64(word, len, value))
        return refuse(r, "a number", word, len);
    return 0;
}

static int read_string(struct value_reader *r, char **value)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);

    if (ckpt_string_read(word, len, value))
        return refuse(r, "a string with known escapes", word, len);
    return 0;
}

static int read_object(struct value_reader *r, struct sim_object **obj)
{
    size_t len;
    const char *word = ckpt_next_word(&r->rest, &len);
    char *path;

    *obj = NULL;
    if (ckpt_string_read(word, len, &path))
        return refuse(r, "a path", word, len);
    if (path)
        *obj = sim_object_find(r->sim, path);
    if (path && !*obj) {
        mem_free(path);
        return refuse(r, "the path of an object here", word, len);
    }
    mem_free(path);
    return 0;
}

static int read_range(struct value_reader *r, struct addr_range *range)
{
    static const uint64_t max[RANGE_WORDS] = {
        [2] = ADDR_RANGE_MAX_SELECTORS,
        [3] = UINT8_MAX,
    };
    uint64_t words[RANGE_WORDS];

    for (int i = 0; i < RANGE_WORDS; i++) {
        int err = read_unsigned(r, max[i] ? max[i] : UINT64_MAX, &words[i]);

        if (err)
            return err;
    }
    range->start = words[0];
    range->end = words[1];
    range->intlv_bits = (uint8_t)words[2];
    range->intlv_match = (uint8_t)words[3];
    memcpy(range->masks, words + 4, sizeof(range->masks));
    return 0;
}

static int read_element(struct value_reader *r, enum sim_kind kind,
                        void *element)
{
    const struct kind_row *row = &kind_rows[kind];
    uint64_t value = 0;
    int err;

    switch (kind) {
    case SIM_BOOL:
        return read_bool(r, element);
    case SIM_I64:
        return read_i64(r, element);
    case SIM_F64:
        return read_f64(r, element);
    case SIM_STR:
        return read_string(r, element);
    case SIM_OBJ:
        return read_object(r, element);
    case SIM_RANGE:
        return read_range(r, element);
    default:
        err = read_unsigned(r, row->max, &value);
        if (!err)
            put_unsigned(element, row->size, value);
        return err;
    }
}

static void free_elements(char *data, uint32_t count, enum sim_kind kind)
{
    for (uint32_t i = 0; kind == SIM_STR && i < count; i++)
        mem_free(((char **)(void *)data)[i]);
}

/* @data is zeroed memory; freed again on failure. */
static int read_elements(struct value_reader *r, char *data, uint32_t count,
                         enum sim_kind kind)
{
    size_t size = kind_rows[kind].size;
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i++)
        err = read_element(r, kind, data + i * size);
    if (err)
        free_elements(data, count, kind);
    return err;
}

void ckpt_value_free(void *obj, const struct sim_field *field)
{
    char *member = (char *)obj + field->offset;
    const struct kind_row *row = &kind_rows[field->kind];

    if (row->is_list) {
        struct any_list list = get_list(member);

        free_elements(list.data, list.len, row->element);
        mem_free(list.data);
    } else {
        free_elements(member, field->count, field->kind);
    }
    memset(member, 0, row->size * field->count);
}

/* A string that stands alone may hold spaces. */
static int read_lone_string(struct value_reader *r, char **value)
{
    if (ckpt_string_read(r->rest, strlen(r->rest), value))
        return refuse(r, "a string with known escapes", r->rest,
                      strlen(r->rest));
    return 0;
}

static int check_count(struct value_reader *r, const struct sim_field *field,
                       uint32_t *count)
{
    const struct kind_row *row = &kind_rows[field->kind];
    size_t words = ckpt_count_words(r->rest);
    size_t per = row->element == SIM_RANGE ? RANGE_WORDS : 1;

    *count = row->is_list ? (uint32_t)(words / per) : field->count;
    if (words / per <= UINT32_MAX && words == *count * per)
        return 0;
    (void)snprintf(r->why, 160, "has %zu values instead of %zu", words,
                   row->is_list ? (words / per + 1) * per : *count * per);
    return -EINVAL;
}

static int read_list(struct value_reader *r, char *member, uint32_t count,
                     enum sim_kind kind)
{
    struct any_list list = {NULL, count};
    int err;

    if (count)
        list.data = alloc_zeroed(count, kind_rows[kind].size);
    err = read_elements(r, list.data, count, kind);
    if (err)
        mem_free(list.data);
    else
        memcpy(member, &list, sizeof(list));
    return err;
}

static int read_array(struct value_reader *r, char *member, uint32_t count,
                      enum sim_kind kind)
{
    size_t size = kind_rows[kind].size;
    char *data = alloc_zeroed(count, size);
    int err = read_elements(r, data, count, kind);

    if (!err)
        memcpy(member, data, count * size);
    mem_free(data);
    return err;
}

int ckpt_value_read(const struct sim *sim, void *obj,
                    const struct sim_field *field, const char *text,
                    char why[160])
{
    struct value_reader r = {sim, text, why};
    const struct kind_row *row = &kind_rows[field->kind];
    char *member = (char *)obj + field->offset;
    uint32_t count;
    int err;

    if (field->kind == SIM_STR && field->count == 1) {
        ckpt_value_free(obj, field);
        return read_lone_string(&r, (char **)(void *)member);
    }
    err = check_count(&r, field, &count);
    if (err)
        return err;
    ckpt_value_free(obj, field);
    if (row->is_list)
        return read_list(&r, member, count, row->element);
    return read_array(&r, member, count, field->kind);
}
