/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seal of m5.cpt: by it a changed byte is noticed, and found.
 *
 *   [root.checksums]                               for each section its keys,
 *   system.cpu=pc:77ab0134 types:5b0a1c2d           sorted, with sums of values
 *   ## checksum: xxh64 ALL FIRST TABLE
 *
 * ALL is the sum of everything before the last line and decides whether the
 * text is sound.  The others only tell where it is not: FIRST is of the first
 * line, TABLE of the section [root.checksums], as they stand in the file.
 */
#ifndef SIM_CHECKPOINT_SEAL_H
#define SIM_CHECKPOINT_SEAL_H

#include <stddef.h>

#include "base/compiler.h"
#include "sim/checkpoint_ini.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CKPT_CHECKSUMS "root.checksums"
#define CKPT_LAST_LINE "## checksum: xxh64 "

/** ckpt_checksum() - of bytes, as it stands in the file (16 hex digits). */
void ckpt_checksum(const void *data, size_t len, char text[17]);

/** ckpt_last_line() - for a text that has its table, if it has one; the caller
 *  frees it. */
char *ckpt_last_line(const char *text, size_t len);

/**
 * ckpt_seal() - add the table of checksums and the last line
 * @text:   first line and sections
 * @sealed: on success, the whole; the caller frees it
 * @why:    on failure, what ckpt_unseal() would object to
 *
 * Returns: 0 or -EINVAL.
 */
SIM_MUST_CHECK int ckpt_seal(const char *text, size_t len, char **sealed,
                             char why[256]);

/**
 * ckpt_unseal() - check a sealed text and split it, without the table
 * @why: on failure, the reason, with section and key of what is damaged
 *
 * Returns: 0 or -EINVAL (nothing needs to be freed).
 */
SIM_MUST_CHECK int ckpt_unseal(struct ckpt_ini *ini, const char *text,
                               size_t len, char why[256]);

#ifdef __cplusplus
}
#endif

#endif
