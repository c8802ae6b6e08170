/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fault signals, alternate stacks, masks, interrupted calls, contexts.
 *
 * guest-flags: -O1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile uintptr_t fault_addr;
static volatile int fault_code, fault_sig, is_on_alt;
static char alt[65536];

static void on_fault(int sig, siginfo_t *info, void *context)
{
    char local;

    (void)context;
    fault_sig = sig;
    fault_code = info->si_code;
    fault_addr = (uintptr_t)info->si_addr;
    is_on_alt = &local >= alt && &local < alt + sizeof(alt);
    siglongjmp(back, 1);
}

static void try_fault(const char *name, void (*fault)(void))
{
    if (!sigsetjmp(back, 1))
        fault();
    printf("%s: signal %d code %d alt %d\n", name, fault_sig, fault_code,
           is_on_alt);
}

static void fault_null(void)
{
    *(volatile int *)16 = 1;
}

static void fault_read_only(void)
{
    *(volatile char *)(uintptr_t) "constant" = 1;
}

static void fault_divide(void)
{
    volatile int zero = 0;

    printf("%d", 1 / zero);
}

static void fault_illegal(void)
{
    __asm__ volatile("ud2");
}

static void fault_stack(void)
{
    volatile char big[4096];

    memset((char *)big, 1, sizeof(big));
    fault_stack();
    big[0] = 0;
}

/* Skips the instruction and changes a register. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)sig;
    printf("trap code %d\n", info->si_code);
    uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static int alarms;

static void on_alarm(int sig)
{
    (void)sig;
    alarms++;
}

static void interrupted(int flags)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    struct itimerval timer = {
        {0, 10000},
        {0, 10000}
    };
    struct itimerval off = {
        {0, 0},
        {0, 0}
    };
    int fds[2];
    char c;
    ssize_t got;
    pid_t pid;

    sigaction(SIGALRM, &action, NULL);
    if (pipe(fds))
        return;
    pid = fork();
    if (!pid) {
        usleep(50000);
        got = write(fds[1], "x", 1);
        _exit(got != 1);
    }
    setitimer(ITIMER_REAL, &timer, NULL);
    got = read(fds[0], &c, 1);
    printf("read %zd %s\n", got, got < 0 ? strerror(errno) : "");
    setitimer(ITIMER_REAL, &off, NULL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    stack_t stack = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigset_t set, pending;
    long rax = 0;

    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    try_fault("null", fault_null);
    printf("address %lx\n", (unsigned long)fault_addr);
    try_fault("read-only", fault_read_only);
    try_fault("divide", fault_divide);
    try_fault("illegal", fault_illegal);
    try_fault("stack", fault_stack);
    action.sa_sigaction = on_trap;
    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("int3" : "+a"(rax));
    printf("rax %ld\n", rax);
    interrupted(SA_RESTART);
    interrupted(0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGUSR1));
    printf("wait %d\n", sigwaitinfo(&set, NULL));
    fflush(stdout);
    abort();
}
