/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of all types; python/catalog.def holds one line per type. */
#ifndef PYTHON_CATALOG_H
#define PYTHON_CATALOG_H

#include "sim/object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Base types come before the types derived from them; ends with NULL. */
extern const struct sim_type *const sim_catalog[];

#ifdef __cplusplus
}
#endif

#endif
