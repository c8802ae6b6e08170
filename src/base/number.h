/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as text that reads back the same, and strict reading: no blanks, no
 * sign that is not needed, nothing behind the number, no overflow. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NUMBER_TEXT_SIZE = 32 };

/** number_format() - the shortest of 15 to 17 digits that reads back as the
 *  same double; "inf", "-inf" and "nan" as such. */
void number_format(char text[NUMBER_TEXT_SIZE], double value);

/* The first @len characters of @text.  Return 0, -EINVAL (not a number) or
 * -ERANGE (it does not fit). */
SIM_MUST_CHECK int number_parse_u64(const char *text, size_t len,
                                    uint64_t *value);
SIM_MUST_CHECK int number_parse_i64(const char *text, size_t len,
                                    int64_t *value);
/* Understands what number_format() writes. */
SIM_MUST_CHECK int number_parse_f64(const char *text, size_t len,
                                    double *value);

#ifdef __cplusplus
}
#endif

#endif
