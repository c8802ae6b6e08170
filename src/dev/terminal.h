/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the characters of a serial port go. */
#ifndef DEV_TERMINAL_H
#define DEV_TERMINAL_H

#include <stdint.h>
#include <stdio.h>

#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

struct terminal {
    struct sim_object base;

    /* Parameters. */
    uint32_t outfile; /* enum terminal_out */

    /* Statistics. */
    uint64_t num_bytes;

    /* Derived. */
    FILE *stream; /* NULL: nowhere, or not opened yet */
};

/** terminal_put() - @terminal may be NULL. */
void terminal_put(struct terminal *terminal, uint8_t byte);

extern const struct sim_type terminal_type; /* "Terminal" */

#ifdef __cplusplus
}
#endif

#endif
