/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streaming JSON writer.  Text that is not UTF-8 becomes U+FFFD, numbers read
 * back as the same double and have the same digits in every run, and what JSON
 * cannot say (NaN, infinity) becomes null.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum json_style {
    JSON_LINES,  /* each member on a line of its own */
    JSON_INLINE, /* all on one line; so is everything inside */
};

struct json {
    FILE *out;
    struct json_level *levels; /* open containers, the innermost last */
    uint32_t depth, capacity;
    bool after_key;
};

/** json_init() - write one value to @out; errors stay in @out (ferror).
 *  @indent: levels that the text is indented already */
void json_init(struct json *json, FILE *out, uint32_t indent);
/** json_fini() - every container must have been closed. */
void json_fini(struct json *json);

void json_begin_object(struct json *json, enum json_style style);
void json_begin_array(struct json *json, enum json_style style);
/* Close the innermost object or array. */
void json_end(struct json *json);

/* Name of the member whose value comes next. */
void json_key(struct json *json, const char *name);

void json_str(struct json *json, const char *text); /* NULL: null */
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_f64(struct json *json, double value);
enum json_word { JSON_NULL, JSON_FALSE, JSON_TRUE };
void json_word(struct json *json, enum json_word word);

#ifdef __cplusplus
}
#endif

#endif
