/* SPDX-License-Identifier: BSD-3-Clause */
/* Source: [RFC8259] "Strings", "Numbers"; [Unicode] table 3-7, well-formed
 * UTF-8 byte sequences. */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/number.h"

struct json_level {
    enum json_style style;
    char close; /* '}' or ']', 0 for the level around the value */
    bool has_members;
};

static struct json_level *top(const struct json *json)
{
    return &json->levels[json->depth - 1];
}

static void push(struct json *json, char close, enum json_style style)
{
    if (json->depth == json->capacity) {
        json->capacity = json->capacity ? 2 * json->capacity : 16;
        json->levels =
            alloc_resize(json->levels, json->capacity, sizeof(*json->levels));
    }
    json->levels[json->depth++] = (struct json_level){style, close, false};
}

void json_init(struct json *json, FILE *out, uint32_t indent)
{
    memset(json, 0, sizeof(*json));
    json->out = out;
    for (uint32_t i = 0; i <= indent; i++)
        push(json, 0, JSON_LINES);
}

void json_fini(struct json *json)
{
    SIM_ASSERT(!json->depth || !top(json)->close);
    mem_free(json->levels);
    memset(json, 0, sizeof(*json));
}

static void new_line(const struct json *json, uint32_t depth)
{
    (void)fprintf(json->out, "\n%*s", (int)(2 * depth), "");
}

/* What separates the next member from the one before. */
static void separate(const struct json *json)
{
    struct json_level *level = top(json);

    if (!level->close)
        return;
    if (level->has_members)
        (void)fputc(',', json->out);
    if (level->style == JSON_LINES)
        new_line(json, json->depth - 1);
    else if (level->has_members)
        (void)fputc(' ', json->out);
    level->has_members = true;
}

static void before_value(struct json *json)
{
    if (!json->after_key)
        separate(json);
    json->after_key = false;
}

static void begin(struct json *json, const char *brackets,
                  enum json_style style)
{
    before_value(json);
    (void)fputc(brackets[0], json->out);
    push(json, brackets[1],
         top(json)->style == JSON_INLINE ? JSON_INLINE : style);
}

void json_begin_object(struct json *json, enum json_style style)
{
    begin(json, "{}", style);
}

void json_begin_array(struct json *json, enum json_style style)
{
    begin(json, "[]", style);
}

void json_end(struct json *json)
{
    struct json_level level = *top(json);

    SIM_ASSERT(level.close && !json->after_key);
    json->depth--;
    if (level.has_members && level.style == JSON_LINES)
        new_line(json, json->depth - 1);
    (void)fputc(level.close, json->out);
}

/* ----------------------------------------------------------------- strings */

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Whether the second byte makes an overlong form, a surrogate or a code point
 * past the last one. */
static bool is_excluded(unsigned char first, unsigned char second)
{
    return (first == 0xe0 && second < 0xa0) ||
           (first == 0xed && second > 0x9f) ||
           (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
}

/* Bytes of the well-formed character at @text, 0 if there is none. */
static int utf8_len(const unsigned char *text)
{
    int len = 0;

    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xc2 && text[0] < 0xe0)
        len = 2;
    else if ((text[0] & 0xf0) == 0xe0)
        len = 3;
    else if (text[0] >= 0xf0 && text[0] < 0xf5)
        len = 4;
    for (int i = 1; i < len; i++)
        if (!is_continuation(text[i]))
            return 0;
    return len && is_excluded(text[0], text[1]) ? 0 : len;
}

static void put_ascii(FILE *out, char byte)
{
    static const char plain[] = "\"\\\b\f\n\r\t", escaped[] = "\"\\bfnrt";
    const char *found = strchr(plain, byte);

    if (found)
        (void)fprintf(out, "\\%c", escaped[found - plain]);
    else if ((unsigned char)byte < 0x20 || byte == 0x7f)
        (void)fprintf(out, "\\u%04x", (unsigned int)byte);
    else
        (void)fputc(byte, out);
}

static void put_quoted(FILE *out, const char *text)
{
    (void)fputc('"', out);
    while (*text) {
        int len = utf8_len((const unsigned char *)text);

        if (len == 1)
            put_ascii(out, *text);
        else if (len)
            (void)fwrite(text, (size_t)len, 1, out);
        else
            (void)fputs("\\ufffd", out);
        text += len ? len : 1;
    }
    (void)fputc('"', out);
}

void json_key(struct json *json, const char *name)
{
    SIM_ASSERT(top(json)->close == '}' && !json->after_key);
    separate(json);
    put_quoted(json->out, name);
    (void)fputs(": ", json->out);
    json->after_key = true;
}

void json_str(struct json *json, const char *text)
{
    before_value(json);
    if (text)
        put_quoted(json->out, text);
    else
        (void)fputs("null", json->out);
}

/* ----------------------------------------------------------------- numbers */

void json_u64(struct json *json, uint64_t value)
{
    before_value(json);
    (void)fprintf(json->out, "%" PRIu64, value);
}

void json_i64(struct json *json, int64_t value)
{
    before_value(json);
    (void)fprintf(json->out, "%" PRId64, value);
}

void json_f64(struct json *json, double value)
{
    char text[NUMBER_TEXT_SIZE];

    if (!isfinite(value)) {
        json_word(json, JSON_NULL);
        return;
    }
    number_format(text, value);
    before_value(json);
    (void)fputs(text, json->out);
}

void json_word(struct json *json, enum json_word word)
{
    static const char *const words[] = {"null", "false", "true"};

    before_value(json);
    (void)fputs(words[word], json->out);
}
