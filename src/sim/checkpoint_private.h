/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving and loading of checkpoints share. */
#ifndef SIM_CHECKPOINT_PRIVATE_H
#define SIM_CHECKPOINT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sim;
struct sim_object;
struct sim_type;

#define CKPT_FILE "m5.cpt"
/* gem5 lists here what its upgrade scripts have done; ours names the format. */
#define CKPT_VERSION_TAGS "gearshift-2"
/* Sections that are no object's: children of the root have no "root." prefix.
 */
#define CKPT_GLOBALS "root.globals"
#define CKPT_FILES   "root.files"
/* Key in each object's section: "Device:1 Uart8250:3". */
#define CKPT_TYPES "types"

/** ckpt_type_has_state() - whether the type itself (not its bases) saves
 *  something.  Types that do not are not recorded: objects whose types differ
 *  in such a way only can be loaded from each other's checkpoints. */
bool ckpt_type_has_state(const struct sim_type *type);
/** ckpt_types_text() - the value of CKPT_TYPES, empty if no type of @obj has
 *  state (then there is no section); the caller frees it. */
char *ckpt_types_text(const struct sim_object *obj);

/** ckpt_file_sum() - "LENGTH CHECKSUM" of a file; the caller frees it.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int ckpt_file_sum(const char *path, char **text);
/** ckpt_read_file() - a whole file; the caller frees it.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int ckpt_read_file(const char *path, char **data, size_t *len);

/** ckpt_load_text() - load from the text of an m5.cpt.
 *  @dir: where other files are.  See ckpt_load(). */
SIM_MUST_CHECK int ckpt_load_text(struct sim *sim, const char *dir,
                                  const char *text, size_t len, char why[256]);

#ifdef __cplusplus
}
#endif

#endif
