/* SPDX-License-Identifier: BSD-3-Clause */
/* The pseudo operations that move files between guest and host. */
#ifndef SIM_PSEUDO_FILE_H
#define SIM_PSEUDO_FILE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pseudo_call;

/**
 * pseudo_read_file() - arguments: address, length, offset
 *
 * Copies from the machine's readfile.  Returns: bytes copied; 0 at its end, if
 * none is set, or if it cannot be read (a warning says why).
 */
uint64_t pseudo_read_file(struct pseudo_call *call);

/**
 * pseudo_write_file() - arguments: address, length, offset, address of a name
 *
 * Copies to a file in the output directory, which is emptied first if the
 * offset is 0.  A name that leads out of the directory, by itself or through a
 * link, is refused.  Returns: bytes copied; (uint64_t)-1 if there are none for
 * such a reason.
 */
uint64_t pseudo_write_file(struct pseudo_call *call);

#ifdef __cplusplus
}
#endif

#endif
