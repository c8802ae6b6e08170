/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's KVM: /dev/kvm open, checked and asked for its capabilities.
 *
 * Every system call goes through a table of function pointers, so that tests
 * play the kernel and everything above works without /dev/kvm.  All functions
 * return 0 or more, or -errno; nothing here ends the process.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst.
 */
#ifndef CPU_KVM_KVM_HOST_H
#define CPU_KVM_KVM_HOST_H

#include "base/compiler.h"
#include "cpu/kvm/kvm_uapi.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perf_event_attr;

/* What the subsystem asks of the host.  @self is struct kvm_host_cfg's. */
struct kvm_ops {
    /* A descriptor, close-on-exec, or -errno. */
    int (*open)(void *self, const char *path);
    int (*close)(void *self, int fd);
    /* What ioctl(2) returns, or -errno. */
    int (*ioctl)(void *self, int fd, unsigned long request, void *arg);
    /* Shared, readable and writable; NULL on failure. */
    void *(*mmap)(void *self, int fd, size_t len);
    int (*munmap)(void *self, void *addr, size_t len);
    /* What read(2) returns, or -errno. */
    int (*read)(void *self, int fd, void *data, size_t len);
    /* Descriptor of a counter of this thread, close-on-exec, whose overflows
     * send @signal to it; or -errno. */
    int (*perf_open)(void *self, struct perf_event_attr *attr, int signal);
    /* A descriptor, close-on-exec, or -errno. */
    int (*userfaultfd)(void *self);
};

/* The system calls themselves. */
extern const struct kvm_ops kvm_host_ops;

enum kvm_cap_id {
#define KVM_CAP_ROW(name, need, purpose) KVM_HAS_##name,
#include "cpu/kvm/kvm_caps.def"
#undef KVM_CAP_ROW
    KVM_NUM_CAPS
};

enum kvm_cap_need { KVM_CAP_OPTIONAL, KVM_CAP_REQUIRED };

struct kvm_cap {
    int number;
    const char *name;
    enum kvm_cap_need need;
    const char *purpose;
};

extern const struct kvm_cap kvm_caps[KVM_NUM_CAPS];

struct kvm_host_cfg {
    const char *path;          /* NULL: /dev/kvm */
    const struct kvm_ops *ops; /* NULL: kvm_host_ops */
    void *ops_self;
};

struct kvm_host {
    const struct kvm_ops *ops;
    void *ops_self;
    char *path;
    int fd;
    int api_version;
    size_t run_size;             /* of the page shared with a vCPU [bytes] */
    int cap_value[KVM_NUM_CAPS]; /* 0: absent */
    struct kvm_cpuid2 *cpuid;    /* supported entries; asked for once */
    struct kvm_msr_list *msrs, *feature_msrs;
    uint64_t *failed; /* last request that failed, errno above it */
};

enum { KVM_HOST_WHY_SIZE = 256 };

/**
 * kvm_host_open() - open and check KVM
 * @why: on failure one sentence with a hint, else empty
 *
 * Returns: 0; -ENOENT, -EACCES and others of open(2); -ENOTSUP for another API
 * version or a missing required capability; -EPROTO for nonsense sizes.
 */
SIM_MUST_CHECK int kvm_host_open(const struct kvm_host_cfg *cfg,
                                 struct kvm_host **out,
                                 char why[KVM_HOST_WHY_SIZE]);
/** kvm_host_close() - NULL does nothing. */
void kvm_host_close(struct kvm_host *host);

/** kvm_host_ioctl() - any request; EINTR is retried except for KVM_RUN. */
int kvm_host_ioctl(const struct kvm_host *host, int fd, unsigned long request,
                   void *arg);
/** kvm_host_blame() - for a message: the name of the request that failed last,
 *  if it did with @err (-errno), else "KVM".  Any thread. */
const char *kvm_host_blame(const struct kvm_host *host, int err);
/** kvm_host_request_name() - "KVM_GET_REGS", or "?". */
const char *kvm_host_request_name(unsigned long request);

/** kvm_host_supported_cpuid() - what KVM offers; asked once, then kept.
 *  Returns: 0 or -errno. */
SIM_MUST_CHECK int kvm_host_supported_cpuid(struct kvm_host *host,
                                            const struct kvm_cpuid2 **out);
/** kvm_host_supported_msrs() - numbers KVM saves and restores; kept. */
SIM_MUST_CHECK int kvm_host_supported_msrs(struct kvm_host *host,
                                           const struct kvm_msr_list **out);

/** kvm_host_feature_msrs() - numbers of MSRs that tell what the host has; kept.
 *  Returns: 0, -ENOTSUP where KVM has no such list, or -errno. */
SIM_MUST_CHECK int kvm_host_feature_msrs(struct kvm_host *host,
                                         const struct kvm_msr_list **out);

/**
 * kvm_host_get_reg() - one register of a vCPU by its number
 * @fd: the vCPU's
 * @reg: KVM's number, which holds the register's size too
 * @value: as many bytes as that
 *
 * For scripts: on x86 all that the simulator carries has a request of its own
 * for many registers at once.  KVM itself has this request for x86 only since
 * it knows registers that are no MSRs (the shadow stack's).
 * Returns: 0, -ENOTSUP without KVM_CAP_ONE_REG, or -errno.
 */
SIM_MUST_CHECK int kvm_host_get_reg(const struct kvm_host *host, int fd,
                                    uint64_t reg, void *value);
/** kvm_host_set_reg() - the same, into the vCPU. */
SIM_MUST_CHECK int kvm_host_set_reg(const struct kvm_host *host, int fd,
                                    uint64_t reg, const void *value);

/** kvm_host_num_slots() - memory slots per VM; 32 where KVM cannot tell. */
uint32_t kvm_host_num_slots(const struct kvm_host *host);

/* kvm_call_VERB(): one wrapper per ioctl. */
#define KVM_IOCTL_PTR(verb, request, type)                                     \
    int kvm_call_##verb(const struct kvm_host *host, int fd, type *arg);
#define KVM_IOCTL_NUM(verb, request)                                           \
    int kvm_call_##verb(const struct kvm_host *host, int fd, unsigned long arg);
#include "cpu/kvm/kvm_ioctl.def"
#undef KVM_IOCTL_PTR
#undef KVM_IOCTL_NUM

#ifdef __cplusplus
}
#endif

#endif
