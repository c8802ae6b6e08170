/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends a KVM_RUN of this thread after a while: a timer's signal sets
 * immediate_exit, and the signal itself interrupts the ioctl.  It fires again
 * and again until it is stopped, so that none is lost between two runs.
 */
#ifndef CPU_KVM_KVM_WATCHDOG_H
#define CPU_KVM_KVM_WATCHDOG_H

#include "base/compiler.h"

#include <signal.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_watchdog {
    timer_t timer;
    int signal;
    struct sigaction saved;
};

/**
 * kvm_watchdog_start() - after @delay_ns, and every millisecond from then on,
 * set *@immediate_exit and interrupt the system call of this thread
 *
 * Takes the signal SIGRTMAX - 1 until kvm_watchdog_stop(), which must be called
 * by the same thread.  Returns: 0 or -errno.
 */
SIM_MUST_CHECK int kvm_watchdog_start(struct kvm_watchdog *dog,
                                      uint64_t delay_ns,
                                      uint8_t *immediate_exit);
void kvm_watchdog_stop(struct kvm_watchdog *dog);

#ifdef __cplusplus
}
#endif

#endif
