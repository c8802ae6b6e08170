/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_msr_exit.h"

#include <errno.h>
#include <string.h>

#include "cpu/kvm/kvm_host.h"

SIM_STATIC_ASSERT((int)KVM_MSR_EXIT_MAX == (int)KVM_MSR_FILTER_MAX_RANGES,
                  "one range for each register");

int kvm_msr_exit_unknown(const struct kvm_host *host, int vm_fd)
{
    struct kvm_enable_cap cap = {
        .cap = KVM_CAP_X86_USER_SPACE_MSR,
        .args = {KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN |
                 KVM_MSR_EXIT_REASON_FILTER},
    };

    if (!host->cap_value[KVM_HAS_X86_USER_SPACE_MSR])
        return 0;
    return kvm_call_enable_cap(host, vm_fd, &cap);
}

/* A bit per register: 0 denies it to KVM. */
int kvm_msr_exit_filter(const struct kvm_host *host, int vm_fd,
                        const uint64_t *index, uint32_t count)
{
    struct kvm_msr_filter filter;
    uint8_t denied = 0;

    if (!host->cap_value[KVM_HAS_X86_USER_SPACE_MSR] ||
        !host->cap_value[KVM_HAS_X86_MSR_FILTER])
        return -ENOTSUP;
    if (count > KVM_MSR_EXIT_MAX)
        return -E2BIG;
    memset(&filter, 0, sizeof(filter));
    filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
    for (uint32_t i = 0; i < count; i++)
        filter.ranges[i] = (struct kvm_msr_filter_range){
            .flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
            .nmsrs = 1,
            .base = (uint32_t)index[i],
            .bitmap = &denied,
        };
    return kvm_call_set_msr_filter(host, vm_fd, &filter);
}
