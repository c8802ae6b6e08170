/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening KVM, its capabilities, and the system calls behind struct kvm_ops.
 * Leaves out: device descriptors (KVM_CREATE_DEVICE) and nested state.
 * Source: Linux, Documentation/virt/kvm/api.rst.
 */
#include "cpu/kvm/kvm_host.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KVM_FIRST_ENTRIES = 128, KVM_MOST_ENTRIES = 4096 };

/* ---------------------------------------------------------- system calls */

static int kvm_host_sys_open(void *self, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    (void)self;
    return fd < 0 ? -errno : fd;
}

static int kvm_host_sys_close(void *self, int fd)
{
    (void)self;
    return close(fd) ? -errno : 0;
}

static int kvm_host_sys_ioctl(void *self, int fd, unsigned long request,
                              void *arg)
{
    int result = ioctl(fd, request, arg);

    (void)self;
    return result < 0 ? -errno : result;
}

static void *kvm_host_sys_mmap(void *self, int fd, size_t len)
{
    void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    (void)self;
    return addr == MAP_FAILED ? NULL : addr;
}

static int kvm_host_sys_munmap(void *self, void *addr, size_t len)
{
    (void)self;
    return munmap(addr, len) ? -errno : 0;
}

static int kvm_host_sys_read(void *self, int fd, void *data, size_t len)
{
    ssize_t got = read(fd, data, len);

    (void)self;
    return got < 0 ? -errno : (int)got;
}

/* Signals go to the thread, not to the process: any other could take them. */
static int kvm_host_direct_signal(int fd, int signal)
{
    const struct f_owner_ex owner = {.type = F_OWNER_TID,
                                     .pid = (pid_t)syscall(SYS_gettid)};

    if (fcntl(fd, F_SETOWN_EX, &owner) || fcntl(fd, F_SETSIG, signal) ||
        fcntl(fd, F_SETFL, O_ASYNC))
        return -errno;
    return 0;
}

static int kvm_host_sys_perf_open(void *self, struct perf_event_attr *attr,
                                  int signal)
{
    long fd =
        syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    int err = 0;

    (void)self;
    if (fd < 0)
        return -errno;
    err = kvm_host_direct_signal((int)fd, signal);
    if (err)
        close((int)fd);
    return err ? err : (int)fd;
}

/* Faults of the kernel itself need not be handled, which needs no rights. */
static int kvm_host_sys_userfaultfd(void *self)
{
    long fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

    (void)self;
    return fd < 0 ? -errno : (int)fd;
}

const struct kvm_ops kvm_host_ops = {
    .open = kvm_host_sys_open,
    .close = kvm_host_sys_close,
    .ioctl = kvm_host_sys_ioctl,
    .mmap = kvm_host_sys_mmap,
    .munmap = kvm_host_sys_munmap,
    .read = kvm_host_sys_read,
    .perf_open = kvm_host_sys_perf_open,
    .userfaultfd = kvm_host_sys_userfaultfd,
};

/* --------------------------------------------------------------- requests */

#define KVM_IOCTL_PTR(verb, request, type)                                     \
    int kvm_call_##verb(const struct kvm_host *host, int fd, type *arg)        \
    {                                                                          \
        return kvm_host_ioctl(host, fd, request, arg);                         \
    }
#define KVM_IOCTL_NUM(verb, request)                                           \
    int kvm_call_##verb(const struct kvm_host *host, int fd,                   \
                        unsigned long arg)                                     \
    {                                                                          \
        return kvm_host_ioctl(host, fd, request, (void *)arg);                 \
    }
#include "cpu/kvm/kvm_ioctl.def"
#undef KVM_IOCTL_PTR
#undef KVM_IOCTL_NUM

int kvm_host_ioctl(const struct kvm_host *host, int fd, unsigned long request,
                   void *arg)
{
    int result = -EINTR;

    /* For KVM_RUN a signal is the kick, not an accident. */
    do {
        result = host->ops->ioctl(host->ops_self, fd, request, arg);
    } while (result == -EINTR && request != KVM_RUN);
    if (SIM_UNLIKELY(result < 0) && result != -EINTR)
        __atomic_store_n(host->failed,
                         (uint64_t)-result << 32 | (uint32_t)request,
                         __ATOMIC_RELAXED);
    return result;
}

const char *kvm_host_blame(const struct kvm_host *host, int err)
{
    uint64_t failed = __atomic_load_n(host->failed, __ATOMIC_RELAXED);

    return failed && failed >> 32 == (uint64_t)-err
               ? kvm_host_request_name((uint32_t)failed)
               : "KVM";
}

struct kvm_request_name {
    unsigned long request;
    const char *name;
};

static const struct kvm_request_name kvm_request_names[] = {
#define KVM_IOCTL_PTR(verb, request, type) {request, #request},
#define KVM_IOCTL_NUM(verb, request)       {request, #request},
#include "cpu/kvm/kvm_ioctl.def"
#undef KVM_IOCTL_PTR
#undef KVM_IOCTL_NUM
};

const char *kvm_host_request_name(unsigned long request)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_request_names); i++)
        if (kvm_request_names[i].request == request)
            return kvm_request_names[i].name;
    return "?";
}

/* ----------------------------------------------------------- capabilities */

const struct kvm_cap kvm_caps[KVM_NUM_CAPS] = {
#define KVM_CAP_ROW(name, need, purpose)                                       \
    {KVM_CAP_##name, #name, KVM_CAP_##need, purpose},
#include "cpu/kvm/kvm_caps.def"
#undef KVM_CAP_ROW
};

static int kvm_host_ask_caps(struct kvm_host *host, char *why)
{
    for (int i = 0; i < KVM_NUM_CAPS; i++) {
        const struct kvm_cap *cap = &kvm_caps[i];
        int value = kvm_call_check_extension(host, host->fd,
                                             (unsigned long)cap->number);

        host->cap_value[i] = value < 0 ? 0 : value;
        if (value > 0 || cap->need == KVM_CAP_OPTIONAL)
            continue;
        (void)snprintf(why, KVM_HOST_WHY_SIZE,
                       "%s lacks KVM_CAP_%s, which is needed for %s",
                       host->path, cap->name, cap->purpose);
        return -ENOTSUP;
    }
    return 0;
}

uint32_t kvm_host_num_slots(const struct kvm_host *host)
{
    int value = host->cap_value[KVM_HAS_NR_MEMSLOTS];

    return value > 0 ? (uint32_t)value : 32;
}

/* ------------------------------------------------------------------ open */

static const char *kvm_host_open_hint(int err)
{
    switch (err) {
    case -EACCES:
    case -EPERM:
        return "is the user in group kvm? (sudo usermod -aG kvm USER, then "
               "log in again)";
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
        return "is the module kvm_intel or kvm_amd loaded, and "
               "virtualisation enabled in the firmware?";
    case -EBUSY:
        return "does another hypervisor use the processor's virtualisation?";
    default:
        return "is it the KVM device?";
    }
}

static int kvm_host_check_version(struct kvm_host *host, char *why)
{
    int size = 0;

    host->api_version = kvm_call_get_api_version(host, host->fd, 0);
    if (host->api_version < 0) {
        (void)snprintf(why, KVM_HOST_WHY_SIZE,
                       "%s: not a KVM device (KVM_GET_API_VERSION: %s)",
                       host->path, strerror(-host->api_version));
        return -ENOTSUP;
    }
    if (host->api_version != KVM_API_VERSION) {
        (void)snprintf(why, KVM_HOST_WHY_SIZE,
                       "%s: API version %d, %d is needed", host->path,
                       host->api_version, KVM_API_VERSION);
        return -ENOTSUP;
    }
    size = kvm_call_get_vcpu_mmap_size(host, host->fd, 0);
    if (size < (int)sizeof(struct kvm_run)) {
        (void)snprintf(why, KVM_HOST_WHY_SIZE,
                       "%s: KVM_GET_VCPU_MMAP_SIZE gives %d bytes", host->path,
                       size);
        return -EPROTO;
    }
    host->run_size = (size_t)size;
    return 0;
}

static struct kvm_host *kvm_host_new(const struct kvm_host_cfg *cfg)
{
    struct kvm_host *host = alloc_zeroed(1, sizeof(*host));

    host->ops = cfg->ops ? cfg->ops : &kvm_host_ops;
    host->ops_self = cfg->ops_self;
    host->path = alloc_strdup(cfg->path ? cfg->path : "/dev/kvm");
    host->fd = -1;
    host->failed = alloc_zeroed(1, sizeof(*host->failed));
    return host;
}

int kvm_host_open(const struct kvm_host_cfg *cfg, struct kvm_host **out,
                  char why[KVM_HOST_WHY_SIZE])
{
    struct kvm_host *host = kvm_host_new(cfg);
    int err = 0;

    *out = NULL;
    why[0] = '\0';
    host->fd = host->ops->open(host->ops_self, host->path);
    if (host->fd < 0) {
        err = host->fd;
        (void)snprintf(why, KVM_HOST_WHY_SIZE, "%s: %s; %s", host->path,
                       strerror(-err), kvm_host_open_hint(err));
    }
    if (!err)
        err = kvm_host_check_version(host, why);
    if (!err)
        err = kvm_host_ask_caps(host, why);
    if (err) {
        kvm_host_close(host);
        return err;
    }
    *out = host;
    return 0;
}

void kvm_host_close(struct kvm_host *host)
{
    if (!host)
        return;
    if (host->fd >= 0)
        host->ops->close(host->ops_self, host->fd);
    mem_free(host->cpuid);
    mem_free(host->msrs);
    mem_free(host->feature_msrs);
    mem_free(host->failed);
    mem_free(host->path);
    mem_free(host);
}

/* ------------------------------------------------------------- the lists */

int kvm_host_supported_cpuid(struct kvm_host *host,
                             const struct kvm_cpuid2 **out)
{
    uint32_t room = KVM_FIRST_ENTRIES;
    int err = host->cpuid ? 0 : -E2BIG;

    while (err == -E2BIG && room <= KVM_MOST_ENTRIES) {
        struct kvm_cpuid2 *list = alloc_zeroed(
            1, sizeof(*list) + room * sizeof(struct kvm_cpuid_entry2));

        list->nent = room;
        err = kvm_call_get_supported_cpuid(host, host->fd, list);
        if (err)
            mem_free(list);
        else
            host->cpuid = list;
        room *= 2;
    }
    *out = host->cpuid;
    return err;
}

typedef int (*kvm_msr_list_fn)(const struct kvm_host *host, int fd,
                               struct kvm_msr_list *list);

static int kvm_host_grow_msrs(const struct kvm_host *host, kvm_msr_list_fn ask,
                              struct kvm_msr_list **kept)
{
    uint32_t room = KVM_FIRST_ENTRIES;
    int err = *kept ? 0 : -E2BIG;

    while (err == -E2BIG && room <= KVM_MOST_ENTRIES) {
        struct kvm_msr_list *list =
            alloc_zeroed(1, sizeof(*list) + room * sizeof(uint32_t));

        list->nmsrs = room;
        err = ask(host, host->fd, list);
        if (err)
            mem_free(list);
        else
            *kept = list;
        room *= 2;
    }
    return err;
}

int kvm_host_supported_msrs(struct kvm_host *host,
                            const struct kvm_msr_list **out)
{
    int err =
        kvm_host_grow_msrs(host, kvm_call_get_msr_index_list, &host->msrs);

    *out = host->msrs;
    return err;
}

int kvm_host_feature_msrs(struct kvm_host *host,
                          const struct kvm_msr_list **out)
{
    int err =
        host->cap_value[KVM_HAS_GET_MSR_FEATURES]
            ? kvm_host_grow_msrs(host, kvm_call_get_msr_feature_index_list,
                                 &host->feature_msrs)
            : -ENOTSUP;

    *out = host->feature_msrs;
    return err;
}

/* -------------------------------------------------------- single registers */

int kvm_host_get_reg(const struct kvm_host *host, int fd, uint64_t reg,
                     void *value)
{
    struct kvm_one_reg one = {.id = reg, .addr = (uintptr_t)value};

    return host->cap_value[KVM_HAS_ONE_REG]
               ? kvm_call_get_one_reg(host, fd, &one)
               : -ENOTSUP;
}

int kvm_host_set_reg(const struct kvm_host *host, int fd, uint64_t reg,
                     const void *value)
{
    struct kvm_one_reg one = {.id = reg, .addr = (uintptr_t)value};

    return host->cap_value[KVM_HAS_ONE_REG]
               ? kvm_call_set_one_reg(host, fd, &one)
               : -ENOTSUP;
}
