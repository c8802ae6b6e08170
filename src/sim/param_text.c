/* SPDX-License-Identifier: BSD-3-Clause */
/* Values with their units, for messages. */
#include "sim/param_text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "sim/param.h"

/* Multiples of a unit, largest first; the last one is the unit itself. */
struct scale {
    uint64_t factor;
    const char *suffix;
};

static const struct scale byte_scales[] = {
    {UINT64_C(1) << 40, "TiB"},
    {UINT64_C(1) << 30, "GiB"},
    {UINT64_C(1) << 20, "MiB"},
    {UINT64_C(1) << 10, "KiB"},
    {1,                 "B"  },
};

static const struct scale tick_scales[] = {
    {UINT64_C(1000000000000), "s" },
    {UINT64_C(1000000000),    "ms"},
    {UINT64_C(1000000),       "us"},
    {UINT64_C(1000),          "ns"},
    {1,                       "ps"},
};

/* In the largest multiple that divides @value without a rest. */
static void scaled_text(const struct scale *scale, uint64_t value, char *text)
{
    while (scale->factor > 1 && (value == 0 || value % scale->factor))
        scale++;
    (void)snprintf(text, PARAM_TEXT_SIZE, "%" PRIu64 "%s",
                   value / scale->factor, scale->suffix);
}

static bool unit_is(const struct sim_param *param, const char *unit)
{
    return strcmp(param->field.unit, unit) == 0;
}

void param_value_text(const struct sim_param *param, uint64_t value,
                      char text[PARAM_TEXT_SIZE])
{
    if (param->names)
        (void)snprintf(text, PARAM_TEXT_SIZE, "%s", param->names[value]);
    else if (unit_is(param, "addr") || unit_is(param, "port"))
        (void)snprintf(text, PARAM_TEXT_SIZE, "%#" PRIx64, value);
    else if (unit_is(param, "bytes"))
        scaled_text(byte_scales, value, text);
    else if (unit_is(param, "ticks") || unit_is(param, "period"))
        scaled_text(tick_scales, value, text);
    else
        (void)snprintf(text, PARAM_TEXT_SIZE, "%" PRIu64 "%s%s", value,
                       *param->field.unit ? " " : "", param->field.unit);
}
