/* SPDX-License-Identifier: BSD-3-Clause */
/* Path arguments of system calls. */
#ifndef ARCH_X86_LINUX_SYS_PATH_H
#define ARCH_X86_LINUX_SYS_PATH_H

#include <stdint.h>

#include "arch/x86/linux/vfs.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct syscall;

/** syscall_lookup() - resolve the path at @addr relative to descriptor @dirfd
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int syscall_lookup(struct syscall *call, uint64_t dirfd,
                                  uint64_t addr, unsigned flags,
                                  struct vfs_node *node);

#ifdef __cplusplus
}
#endif

#endif
