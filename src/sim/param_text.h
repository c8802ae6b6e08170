/* SPDX-License-Identifier: BSD-3-Clause */
/* How a parameter's value reads in a message: with the unit of its row. */
#ifndef SIM_PARAM_TEXT_H
#define SIM_PARAM_TEXT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sim_param;

enum { PARAM_TEXT_SIZE = 48 };

/**
 * param_value_text() - @value as a user would write it
 *
 * "addr" and "port" in hex, "bytes" as "64KiB", "ticks" as "50ns", "period" as
 * "500ps", an enum by its name, and everything else as a plain number with its
 * unit ("3 cycles").
 */
void param_value_text(const struct sim_param *param, uint64_t value,
                      char text[PARAM_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
