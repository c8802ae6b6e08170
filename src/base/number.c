/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void number_format(char text[NUMBER_TEXT_SIZE], double value)
{
    int digits = 15;

    if (isnan(value)) {
        (void)snprintf(text, NUMBER_TEXT_SIZE, "nan"); /* without a sign */
        return;
    }
    do
        (void)snprintf(text, NUMBER_TEXT_SIZE, "%.*g", digits, value);
    while (digits++ < 17 && strtod(text, NULL) != value);
}

int number_parse_u64(const char *text, size_t len, uint64_t *value)
{
    uint64_t sum = 0;

    if (!len)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(text[i] - '0'), &sum))
            return -ERANGE;
    }
    *value = sum;
    return 0;
}

int number_parse_i64(const char *text, size_t len, int64_t *value)
{
    bool is_negative = len && text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + is_negative;
    uint64_t size = 0;
    int err = number_parse_u64(text + is_negative, len - is_negative, &size);

    if (err)
        return err;
    if (size > limit)
        return -ERANGE;
    *value = is_negative ? (int64_t)(0 - size) : (int64_t)size;
    return 0;
}

int number_parse_f64(const char *text, size_t len, double *value)
{
    char copy[NUMBER_TEXT_SIZE], *end;

    if (!len || len >= sizeof(copy) || strspn(text, " \t\n\v\f\r+"))
        return -EINVAL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *value = strtod(copy, &end);
    return end == copy + len ? 0 : -EINVAL;
}
