/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interval timers and POSIX timers on CPU clocks and on others, their overruns,
 * and robust mutexes.
 *
 * guest-flags: -O1 -D_GNU_SOURCE -pthread
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t num_signals;
static siginfo_t last_info;

static const char *name_of(int result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    last_info = *info;
    num_signals++;
}

static void catch_signal(int signo)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO};

    sigaction(signo, &action, NULL);
}

/* Use the CPU until that many signals came. */
static void spin_until(int count)
{
    while (num_signals < count) {
    }
}

static void no_timer(int which)
{
    struct itimerval off = {
        {0, 0},
        {0, 0}
    };

    setitimer(which, &off, NULL);
}

static void interval_timers(int which, int signo)
{
    struct itimerval timer =
                         {
                             {0, 5000 },
                             {0, 10000}
    },
                     now;

    num_signals = 0;
    catch_signal(signo);
    printf("%s ", name_of(setitimer(which, &timer, NULL)));
    usleep(60000); /* needs no CPU time */
    printf("%d asleep, ", num_signals);
    getitimer(which, &now);
    printf("%d left, every %d us, ", now.it_value.tv_usec > 0,
           (int)now.it_interval.tv_usec);
    fflush(stdout);
    if (fork() == 0) {
        getitimer(which, &now);
        printf("child has %d ", (int)now.it_value.tv_usec);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    spin_until(3);
    no_timer(which);
    printf("%d enough, code %d\n", num_signals >= 3,
           last_info.si_code == SI_KERNEL);
}

static void posix_timer(clockid_t clock)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGUSR1,
                             .sigev_value.sival_int = 4711};
    struct itimerspec spec =
                          {
                              {0, 4000000},
                              {0, 8000000}
    },
                      left;
    timer_t timer;

    num_signals = 0;
    catch_signal(SIGUSR1);
    printf("clock %d: %s ", (int)clock,
           name_of(timer_create(clock, &event, &timer)));
    printf("%s ", name_of(timer_settime(timer, 0, &spec, NULL)));
    timer_gettime(timer, &left);
    printf("%d ", left.it_value.tv_nsec > 0 && left.it_value.tv_sec == 0);
    spin_until(3);
    printf("%d %d ", last_info.si_code == SI_TIMER, last_info.si_int);
    printf("%s ", name_of(timer_delete(timer)));
    errno = 0;
    printf("%s\n", name_of(timer_gettime(timer, &left)));
}

static void absolute_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGUSR2};
    struct itimerspec spec = {
        {0, 0},
        {0, 0}
    };
    timer_t timer;

    num_signals = 0;
    catch_signal(SIGUSR2);
    timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
    spec.it_value.tv_nsec = 1; /* that much was used long ago */
    printf("%s ", name_of(timer_settime(timer, TIMER_ABSTIME, &spec, NULL)));
    spin_until(1);
    printf("%d\n", num_signals);
    timer_delete(timer);
}

static void overruns(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGRTMIN};
    struct itimerspec spec =
                          {
                              {0, 1000000},
                              {0, 1000000}
    },
                      off = {0};
    sigset_t set;
    timer_t timer;

    num_signals = 0;
    catch_signal(SIGRTMIN);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &spec, NULL);
    usleep(50000);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("%d, overrun: %d\n", num_signals > 0, last_info.si_overrun > 20);
    timer_settime(timer, 0, &off, NULL);
    timer_delete(timer);
}

static void errors(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    struct itimerspec spec = {
        {0, 0         },
        {0, 2000000000}
    };
    struct itimerval none = {
        {0, 0},
        {0, 0}
    };
    timer_t timer;

    printf("%s ", name_of(timer_create(77, NULL, &timer)));
    printf("%s ", name_of(timer_create(CLOCK_MONOTONIC, &event, &timer)));
    event.sigev_notify = 55;
    event.sigev_signo = SIGUSR1;
    printf("%s ", name_of(timer_create(CLOCK_MONOTONIC, &event, &timer)));
    printf("%s ", name_of(timer_create(CLOCK_MONOTONIC, NULL, &timer)));
    printf("%s ", name_of(timer_settime(timer, 0, &spec, NULL)));
    printf("%s\n", name_of(setitimer((__itimer_which_t)9, &none, NULL)));
    timer_delete(timer);
}

/* ---------------------------------------------------------- robust mutexes */

struct shared {
    pthread_mutex_t mutex[3];
};

static void make_robust(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &attributes);
}

static const char *robust_lock(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_lock(mutex);

    if (error == EOWNERDEAD)
        pthread_mutex_consistent(mutex);
    return error ? strerrorname_np(error) : "ok";
}

static void *hold(void *mutex)
{
    pthread_mutex_lock(mutex);
    pause();
    return NULL;
}

static void robust_mutexes(char **argv)
{
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 3; i++)
        make_robust(&shared->mutex[i]);
    fflush(stdout);
    if (fork() == 0) {
        pthread_t thread;

        pthread_mutex_lock(&shared->mutex[0]);
        pthread_mutex_lock(&shared->mutex[1]);
        pthread_create(&thread, NULL, hold, &shared->mutex[2]);
        usleep(20000);
        _exit(0); /* with all three held, one by the other thread */
    }
    wait(NULL);
    for (int i = 0; i < 3; i++)
        printf("%s ", robust_lock(&shared->mutex[i]));
    for (int i = 0; i < 3; i++)
        pthread_mutex_unlock(&shared->mutex[i]);
    fflush(stdout);
    if (fork() == 0) {
        pthread_mutex_lock(&shared->mutex[1]);
        execl(argv[0], argv[0], "nothing", NULL);
        _exit(1);
    }
    wait(NULL);
    printf("%s\n", robust_lock(&shared->mutex[1]));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 0;
    interval_timers(ITIMER_VIRTUAL, SIGVTALRM);
    interval_timers(ITIMER_PROF, SIGPROF);
    posix_timer(CLOCK_PROCESS_CPUTIME_ID);
    posix_timer(CLOCK_THREAD_CPUTIME_ID);
    posix_timer(CLOCK_MONOTONIC);
    posix_timer(CLOCK_REALTIME);
    absolute_timer();
    overruns();
    errors();
    robust_mutexes(argv);
    return 0;
}
