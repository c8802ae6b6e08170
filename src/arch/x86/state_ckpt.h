/* SPDX-License-Identifier: BSD-3-Clause */
/* struct x86_state as keys of the current checkpoint section. */
#ifndef ARCH_X86_STATE_CKPT_H
#define ARCH_X86_STATE_CKPT_H

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct x86_state;

/** x86_state_save() - @state is complete: see x86_core_sync(). */
void x86_state_save(const struct x86_state *state, struct ckpt_writer *w);
/** x86_state_load() - returns 0 or -errno; the reader knows what is wrong, and
 *  @state may be partly set. */
SIM_MUST_CHECK int x86_state_load(struct x86_state *state,
                                  struct ckpt_reader *r);

#ifdef __cplusplus
}
#endif

#endif
