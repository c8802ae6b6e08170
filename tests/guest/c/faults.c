// SPDX-License-Identifier: BSD-3-Clause
/*
 * Signals: queued values, an alternative stack, a mask, a caught fault with
 * its address, a long jump out of the handler, an interval timer, restarts.
 *
 * guest-flags: -O1 -g
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static sigjmp_buf escape;
static volatile sig_atomic_t last_value, alarms;
static void *volatile fault_address;

static void on_queue(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    last_value = info->si_value.sival_int;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    fault_address = info->si_addr;
    siglongjmp(escape, number);
}

static void on_alarm(int number)
{
    (void)number;
    alarms++;
}

static void install(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaction(number, &action, NULL);
}

static void try_fault(volatile int *where)
{
    int number = sigsetjmp(escape, 1);

    if (!number)
        *where = 1;
    printf("signal %d, address %s\n", number,
           fault_address == where ? "right" : "wrong");
}

static void try_divide(volatile int zero)
{
    int number = sigsetjmp(escape, 1);

    if (!number)
        printf("%d\n", 7 / zero);
    printf("signal %d\n", number);
}

static void try_mask(void)
{
    sigset_t set, pending;
    union sigval value = {.sival_int = 41};

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigqueue(getpid(), SIGUSR1, value);
    sigpending(&pending);
    printf("pending %d, value %d\n", sigismember(&pending, SIGUSR1),
           (int)last_value);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("value %d\n", (int)last_value);
}

static void try_timer(void)
{
    struct itimerval timer = {.it_interval = {.tv_usec = 1000},
                              .it_value = {.tv_usec = 1000}};

    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &timer, NULL);
    while (alarms < 3)
        pause();
    memset(&timer, 0, sizeof(timer));
    setitimer(ITIMER_REAL, &timer, NULL);
    printf("alarms\n");
}

int main(void)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    void *page =
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaltstack(&stack, NULL);
    install(SIGUSR1, on_queue);
    install(SIGSEGV, on_fault);
    install(SIGFPE, on_fault);
    try_mask();
    try_fault(page);
    try_fault((volatile int *)16);
    try_divide(0);
    try_timer();
    fflush(stdout);
    abort();
}
