/* SPDX-License-Identifier: BSD-3-Clause */
/* Statistics as text, in the layout of gem5's stats.txt. */
#ifndef SIM_STAT_TEXT_H
#define SIM_STAT_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stat_group;

enum stat_text_option {
    STAT_TEXT_DESC = 1,     /* descriptions and units */
    STAT_TEXT_SPACES = 2,   /* align the columns */
    STAT_TEXT_FORMULAS = 4, /* also what is computed from other rows */
    STAT_TEXT_DEFAULT = STAT_TEXT_DESC | STAT_TEXT_SPACES | STAT_TEXT_FORMULAS,
};

/**
 * stat_text_write() - append one dump, from header line to footer line
 * @options: set of enum stat_text_option
 *
 * Does not call pre_dump (stat_prepare() does).  Errors stay in @out (ferror).
 */
void stat_text_write(FILE *out, const struct stat_group *top, tick_t now,
                     uint32_t options);

#ifdef __cplusplus
}
#endif

#endif
