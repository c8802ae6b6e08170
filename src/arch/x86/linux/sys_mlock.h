/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARCH_X86_LINUX_SYS_MLOCK_H
#define ARCH_X86_LINUX_SYS_MLOCK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct syscall;

/** syscall_may_lock() - whether the process may lock memory at all. */
bool syscall_may_lock(const struct syscall *call);
/** syscall_may_lock_more() - whether @more bytes would stay in its limit. */
bool syscall_may_lock_more(const struct syscall *call, uint64_t more);

#ifdef __cplusplus
}
#endif

#endif
