/* SPDX-License-Identifier: BSD-3-Clause */
/* The window of physical addresses behind the functions m5_..._addr(). */
#ifndef GEM5_M5_MMAP_H
#define GEM5_M5_MMAP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern void *m5_mem;            /* where it is mapped, or NULL */
extern uint64_t m5op_addr;      /* physical address: System.m5ops_base */
extern const char *m5_mmap_dev; /* "/dev/mem" */

/* Prints a message and exits with status 1 if it cannot. */
void map_m5_mem(void);
void unmap_m5_mem(void);

#ifdef __cplusplus
}
#endif

#endif
