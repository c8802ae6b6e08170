/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest RAM to and from checkpoints. */
#ifndef MEM_SYSTEM_CKPT_H
#define MEM_SYSTEM_CKPT_H

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct system;

/* One image per range, in gem5's layout: section "<system>.physmem.store0" and
 * file "<system>.physmem.store0.pmem". */
void system_ckpt_save(const struct system *system, struct ckpt_writer *w);
/** system_ckpt_load() - all images are checked before RAM changes.
 *  Returns: 0 or -errno; the reader knows why. */
int system_ckpt_load(struct system *system, struct ckpt_reader *r);

#ifdef __cplusplus
}
#endif

#endif
