/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARCH_X86_LINUX_SYS_LOCK_H
#define ARCH_X86_LINUX_SYS_LOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct syscall;

/** syscall_record_lock() - F_GETLK, F_SETLK, F_SETLKW and their forms for open
 *  file descriptions and for 64-bit offsets of 32-bit programs; may wait. */
int64_t syscall_record_lock(struct syscall *call, struct file *file);

#ifdef __cplusplus
}
#endif

#endif
