/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members of state tables as text: numbers in decimal, bools as true and false,
 * arrays and lists separated by single spaces.
 *
 *   string   raw but for \\ (backslash), \n (newline); \0 alone: not set.
 *            In lists also \s (space) and \e alone (empty).
 *   object   its path; \0: none
 *   range    start end intlv_bits intlv_match masks[8]
 */
#ifndef SIM_CHECKPOINT_VALUE_H
#define SIM_CHECKPOINT_VALUE_H

#include <stdio.h>

#include "base/compiler.h"
#include "sim/field.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim;

/** ckpt_value_write() - the member of @obj that @field describes. */
void ckpt_value_write(FILE *out, const void *obj,
                      const struct sim_field *field);
/**
 * ckpt_value_read() - set the member from text
 * @sim: where paths of objects are looked up
 * @obj: start of the object's struct; strings and lists that the member owned
 *       are freed
 * @why: on failure, what is wrong with the text
 *
 * Returns: 0, or -EINVAL; the member is then unchanged or empty.
 */
SIM_MUST_CHECK int ckpt_value_read(const struct sim *sim, void *obj,
                                   const struct sim_field *field,
                                   const char *text, char why[160]);
/** ckpt_value_free() - free what the member owns and zero it. */
void ckpt_value_free(void *obj, const struct sim_field *field);

/* One string, @in_list: as an element of a list. */
enum ckpt_string_form { CKPT_STRING_ALONE, CKPT_STRING_IN_LIST };
void ckpt_string_write(FILE *out, const char *text, enum ckpt_string_form form);
/* @value: fresh memory, or NULL for "not set".  Returns: 0 or -EINVAL. */
SIM_MUST_CHECK int ckpt_string_read(const char *text, size_t len, char **value);

/** ckpt_next_word() - split at single spaces.
 *  @rest: starts as the text, becomes NULL after the last word
 *  Returns: the word, its length in @len. */
const char *ckpt_next_word(const char **rest, size_t *len);
/** ckpt_count_words() - 0 for the empty text. */
size_t ckpt_count_words(const char *text);

#ifdef __cplusplus
}
#endif

#endif
