/* SPDX-License-Identifier: BSD-3-Clause */
#include "python/catalog.h"

#define SIM_TYPE(type) extern const struct sim_type type;
#include "python/catalog.def"
#undef SIM_TYPE

const struct sim_type *const sim_catalog[] = {
#define SIM_TYPE(type) &type,
#include "python/catalog.def"
#undef SIM_TYPE
    NULL,
};
