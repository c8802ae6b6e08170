/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs in checkpoints.  The state is that of the functional core, which every
 * model brings up to date when it drains and starts from: a checkpoint of one
 * model loads into another. */
#ifndef CPU_BASE_CPU_CKPT_H
#define CPU_BASE_CPU_CKPT_H

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct sim_object;

/* For sim_ops. */
void base_cpu_save(const struct sim_object *obj, struct ckpt_writer *w);
SIM_MUST_CHECK int base_cpu_load(struct sim_object *obj, struct ckpt_reader *r);

#ifdef __cplusplus
}
#endif

#endif
