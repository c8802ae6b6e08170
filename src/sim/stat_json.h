/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics as JSON, nested as gem5's SimStat: a dump is an object
 *
 *   { "type": "SimStat", "simulated_begin_time": tick of the last reset,
 *     "simulated_end_time": tick of the dump,
 *     "simTicks": { "value": 5, "type": "Scalar", "unit": "Tick", ... },
 *     "system": { "type": "SimObject", "name": "system", ...
 *         "cpu": { ... } } }
 *
 * Vectors, matrices and distributions hold their elements by name under
 * "value".  Rows that stats.txt leaves out while they are zero or not a number
 * are here; a number that is none is null.  A row that depends on the host has
 * "host": true.
 */
#ifndef SIM_STAT_JSON_H
#define SIM_STAT_JSON_H

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json;
struct stat_group;

/** stat_json_write() - one dump as one JSON value.
 *  @begin: tick of the last reset */
void stat_json_write(struct json *json, const struct stat_group *top,
                     tick_t begin, tick_t now);

#ifdef __cplusplus
}
#endif

#endif
