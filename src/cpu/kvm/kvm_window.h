/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls by the interrupt window.
 *
 * Whoever injects interrupts himself may have KVM_RUN end as soon as the guest
 * could take one.  Some hosts look after each exit that they handle themselves,
 * SYSCALL among them: the run then ends at the stub without entering the guest
 * once more for the stub's OUT (struct kvm_probe, syscall_window).  It ends
 * after other exits, too, such as the host's timer or a page that is new to the
 * shadow tables; after one of these some system calls have to come by the stub
 * before the window is asked for again, twice as many each time, and half as
 * many after each system call that it met.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst, "request_interrupt_window".
 */
#ifndef CPU_KVM_KVM_WINDOW_H
#define CPU_KVM_KVM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_window {
    bool is_usable;
    uint32_t rest; /* system calls until it is asked for again */
    uint32_t last_rest;
};

/** kvm_window_is_wanted() - for the next run. */
bool kvm_window_is_wanted(const struct kvm_window *window);
/** kvm_window_syscall() - a run ended at the stub, one way or the other. */
void kvm_window_syscall(struct kvm_window *window);
/** kvm_window_wasted() - a run ended by the window, elsewhere. */
void kvm_window_wasted(struct kvm_window *window);

#ifdef __cplusplus
}
#endif

#endif
