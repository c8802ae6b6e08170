/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Make KVM forget what it has mapped of some host memory, whose contents stay.
 *
 * The kernel tells KVM of each change to this process's page tables.  Write
 * protection of pages by userfaultfd, taken back at once, is such a change and
 * reaches no further.  mprotect(2), where there is no userfaultfd, also splits
 * a mapping, and then KVM is told of all 2 MiB around.
 *
 * Sources: Linux, Documentation/admin-guide/mm/userfaultfd.rst; [man]
 * ioctl_userfaultfd(2).
 */
#ifndef CPU_KVM_KVM_DROP_H
#define CPU_KVM_KVM_DROP_H

#include <stddef.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_host;

struct kvm_drop {
    const struct kvm_host *host;
    int fd; /* of the userfaultfd; below 0: there is none */
};

/** kvm_drop_init() - @host outlives it.  Hosts without userfaultfd will do. */
void kvm_drop_init(struct kvm_drop *drop, const struct kvm_host *host);
void kvm_drop_fini(struct kvm_drop *drop);
/** kvm_drop_add() - whole pages of private memory that kvm_drop_pages() may be
 *  asked about. */
void kvm_drop_add(struct kvm_drop *drop, void *start, size_t len);
/** kvm_drop_pages() - nobody writes to @start[0 .. @len), whole pages, in the
 *  meantime.  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_drop_pages(const struct kvm_drop *drop, void *start,
                                  size_t len);

#ifdef __cplusplus
}
#endif

#endif
