/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_drop.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/mman.h>

#include "cpu/kvm/kvm_host.h"

static int drop_request(const struct kvm_drop *drop, unsigned long request,
                        void *arg)
{
    const struct kvm_host *host = drop->host;
    int err;

    do {
        err = host->ops->ioctl(host->ops_self, drop->fd, request, arg);
    } while (err == -EAGAIN || err == -EINTR); /* mappings are in motion */
    return err;
}

void kvm_drop_fini(struct kvm_drop *drop)
{
    if (drop->fd >= 0)
        drop->host->ops->close(drop->host->ops_self, drop->fd);
    drop->fd = -1;
}

void kvm_drop_init(struct kvm_drop *drop, const struct kvm_host *host)
{
    struct uffdio_api api = {.api = UFFD_API};

    drop->host = host;
    drop->fd = host->ops->userfaultfd(host->ops_self);
    if (drop->fd >= 0 && drop_request(drop, UFFDIO_API, &api))
        kvm_drop_fini(drop);
}

void kvm_drop_add(struct kvm_drop *drop, void *start, size_t len)
{
    const uint64_t needed = UINT64_C(1) << _UFFDIO_WRITEPROTECT;
    struct uffdio_register range = {
        .range = {.start = (uintptr_t)start, .len = len},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    if (drop->fd >= 0 && (drop_request(drop, UFFDIO_REGISTER, &range) ||
                          !(range.ioctls & needed)))
        kvm_drop_fini(drop);
}

static int drop_by_userfaultfd(const struct kvm_drop *drop, void *start,
                               size_t len)
{
    struct uffdio_writeprotect range = {
        .range = {.start = (uintptr_t)start, .len = len},
        .mode = UFFDIO_WRITEPROTECT_MODE_WP,
    };
    int err = drop_request(drop, UFFDIO_WRITEPROTECT, &range);

    range.mode = 0;
    return err ? err : drop_request(drop, UFFDIO_WRITEPROTECT, &range);
}

int kvm_drop_pages(const struct kvm_drop *drop, void *start, size_t len)
{
    if (drop->fd >= 0)
        return drop_by_userfaultfd(drop, start, len);
    if (mprotect(start, len, PROT_READ) ||
        mprotect(start, len, PROT_READ | PROT_WRITE))
        return -errno;
    return 0;
}
