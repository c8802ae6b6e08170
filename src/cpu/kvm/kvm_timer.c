/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_timer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host_clock.h"

/* glibc 2.36 names the field only inside its union. */
#ifndef sigev_notify_thread_id
/* NOLINTNEXTLINE(readability-identifier-naming): as timer_create(2) has it */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* gem5's choice, too. */
int kvm_timer_signal(void)
{
    return SIGRTMIN;
}

/* KVM_RUN may be about to begin: the flag makes it return at once. */
static void kvm_timer_handle(int number, siginfo_t *info, void *context)
{
    uint8_t *flag = info->si_value.sival_ptr;

    (void)number;
    (void)context;
    if (info->si_code == SI_TIMER && flag)
        __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

int kvm_timer_bind(struct kvm_timer *timer, uint8_t *flag)
{
    struct sigaction action = {.sa_sigaction = kvm_timer_handle,
                               .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_value = {.sival_ptr = flag}};

    event.sigev_signo = kvm_timer_signal();
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    sigemptyset(&action.sa_mask);
    if (sigaction(kvm_timer_signal(), &action, NULL) ||
        timer_create(CLOCK_MONOTONIC, &event, &timer->timer))
        return -errno;
    timer->thread = pthread_self();
    timer->flag = flag;
    timer->fires_ns = 0;
    timer->is_bound = true;
    return 0;
}

void kvm_timer_unbind(struct kvm_timer *timer)
{
    if (timer->is_bound)
        timer_delete(timer->timer);
    timer->is_bound = false;
}

bool kvm_timer_is_mine(const struct kvm_timer *timer)
{
    return timer->is_bound && pthread_equal(timer->thread, pthread_self());
}

int kvm_timer_arm(struct kvm_timer *timer, uint64_t when_ns)
{
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(when_ns / 1000000000),
                     .tv_nsec = (long)(when_ns % 1000000000)}
    };

    /* One that fired on the way out of a run has left nothing behind. */
    if (timer->fires_ns > host_clock_ns() && timer->fires_ns <= when_ns)
        return 0;
    timer->fires_ns = when_ns;
    return timer_settime(timer->timer, TIMER_ABSTIME, &spec, NULL) ? -errno : 0;
}

bool kvm_timer_fired(struct kvm_timer *timer, uint64_t now_ns)
{
    if (!timer->fires_ns || now_ns < timer->fires_ns)
        return false;
    timer->fires_ns = 0;
    return true;
}

void kvm_timer_kick(struct kvm_timer *timer)
{
    if (!timer->is_bound)
        return;
    __atomic_store_n(timer->flag, 1, __ATOMIC_SEQ_CST);
    pthread_kill(timer->thread, kvm_timer_signal());
}
