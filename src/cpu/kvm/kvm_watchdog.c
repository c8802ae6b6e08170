/* SPDX-License-Identifier: BSD-3-Clause */
/* A POSIX timer that ends KVM_RUN.  Source: timer_create(2), KVM's api.rst
 * (immediate_exit). */
#include "cpu/kvm/kvm_watchdog.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc 2.36 names the field only inside its union. */
#ifndef sigev_notify_thread_id
/* NOLINTNEXTLINE(readability-identifier-naming): as timer_create(2) has it */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void kvm_watchdog_fire(int number, siginfo_t *info, void *context)
{
    volatile uint8_t *flag = info->si_value.sival_ptr;

    (void)number;
    (void)context;
    if (info->si_code == SI_TIMER && flag)
        *flag = 1;
}

static int kvm_watchdog_arm(struct kvm_watchdog *dog, uint64_t delay_ns)
{
    struct itimerspec spec = {.it_interval = {.tv_nsec = 1000000}};

    spec.it_value.tv_sec = (time_t)(delay_ns / 1000000000);
    spec.it_value.tv_nsec = (long)(delay_ns % 1000000000);
    return timer_settime(dog->timer, 0, &spec, NULL) ? -errno : 0;
}

int kvm_watchdog_start(struct kvm_watchdog *dog, uint64_t delay_ns,
                       uint8_t *immediate_exit)
{
    struct sigaction action = {.sa_sigaction = kvm_watchdog_fire,
                               .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_value = {.sival_ptr = immediate_exit}};
    int err = 0;

    dog->signal = SIGRTMAX - 1;
    event.sigev_signo = dog->signal;
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    sigemptyset(&action.sa_mask);
    if (sigaction(dog->signal, &action, &dog->saved))
        return -errno;
    if (timer_create(CLOCK_MONOTONIC, &event, &dog->timer)) {
        err = -errno;
        goto out_action;
    }
    err = kvm_watchdog_arm(dog, delay_ns);
    if (!err)
        return 0;
    timer_delete(dog->timer);
out_action:
    sigaction(dog->signal, &dog->saved, NULL);
    return err;
}

void kvm_watchdog_stop(struct kvm_watchdog *dog)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    timer_delete(dog->timer);
    /* Ignoring drops one that is pending before the old action returns. */
    sigemptyset(&ignore.sa_mask);
    sigaction(dog->signal, &ignore, NULL);
    sigaction(dog->signal, &dog->saved, NULL);
}
