/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens at resource limits.  With an argument: RLIMIT_CPU over seconds.
 *
 * guest-flags: -O1 -D_GNU_SOURCE -pthread
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t num_signals;
static siginfo_t last_info;
static char block[8000];

static const char *name_of(long result)
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

static void limit(int which, rlim_t soft, rlim_t hard)
{
    struct rlimit both = {soft, hard};

    if (setrlimit((__rlimit_resource_t)which, &both) < 0)
        printf("setrlimit %d: %s\n", which, name_of(-1));
}

/* Run it in a child; tells how that ended. */
static void in_child(const char *name, void (*body)(void))
{
    int status;

    printf("%s: ", name);
    fflush(stdout);
    if (fork() == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    wait(&status);
    printf(" [%d %d]\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0,
           WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

/* ---------------------------------------------------------- sizes of files */

static void told(long result)
{
    printf("%ld %s %d, ", result, name_of(result), num_signals);
}

static void writes(void)
{
    struct iovec vec[2] = {
        {block, 3000},
        {block, 3000}
    };
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

    catch_signal(SIGXFSZ);
    limit(RLIMIT_FSIZE, 5000, 6000);
    told(write(fd, block, 8000));
    told(write(fd, block, 1));
    told(write(fd, block, 0));
    told(pwrite(fd, block, 100, 4990));
    told(pwrite(fd, block, 100, 5000));
    told(pwrite(fd, block, 100, 99999));
    lseek(fd, 100, SEEK_SET);
    told(writev(fd, vec, 2));
    lseek(fd, 0, SEEK_SET);
    told(write(fd, block, 10));
    printf("%d %d %d\n", last_info.si_signo, last_info.si_code,
           last_info.si_pid == getpid());
    fcntl(fd, F_SETFL, O_APPEND);
    told(write(fd, block, 10));
    told(ftruncate(fd, 4000));
    told(write(fd, block, 2000));
    close(fd);
}

static void sizes(void)
{
    int fd = open("f", O_RDWR), in = open("g", O_RDWR | O_CREAT, 0600);
    int memory = memfd_create("m", 0), ends[2];

    (void)!write(in, block, 8000);
    lseek(in, 0, SEEK_SET);
    catch_signal(SIGXFSZ);
    limit(RLIMIT_FSIZE, 5000, 6000);
    told(ftruncate(fd, 5001));
    told(truncate("f", 5001));
    told(truncate("f", 2000));
    told(ftruncate(in, 7000)); /* smaller than it is */
    told(fallocate(fd, 0, 4000, 2000));
    told(fallocate(fd, 0, 3000, 2000));
    told(fallocate(fd, 0, -1, 20));
    told(fallocate(fd, 0, 1, 0));
    ftruncate(fd, 0);
    told(sendfile(fd, in, NULL, 7000));
    told(sendfile(fd, in, NULL, 7000));
    printf("\n");
    told(write(memory, block, 8000));
    told(write(memory, block, 8000));
    told(pipe(ends));
    told(write(ends[1], block, 8000));
    close(in);
    unlink("g");
    unlink("f");
}

static void killed_by_size(void)
{
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

    unlink("f");
    limit(RLIMIT_FSIZE, 0, 0);
    (void)!write(fd, block, 1);
}

/* ---------------------------------------------------------------- CPU time */

static void spin(void)
{
    for (;;) {
    }
}

static void used_up(void)
{
    limit(RLIMIT_CPU, 0, 0);
    spin();
}

static void warned(void)
{
    limit(RLIMIT_CPU, 0, 5);
    spin();
}

static void warned_and_goes_on(void)
{
    struct rlimit now;

    catch_signal(SIGXCPU);
    limit(RLIMIT_CPU, 0, 5);
    while (!num_signals) {
    }
    getrlimit(RLIMIT_CPU, &now);
    printf("%d %d %d", (int)now.rlim_cur, (int)now.rlim_max,
           last_info.si_code == SI_KERNEL);
}

static void on_second(int signo)
{
    (void)signo;
    (void)!write(1, "xcpu ", 5);
}

static void seconds(void)
{
    signal(SIGXCPU, on_second);
    limit(RLIMIT_CPU, 0, 2);
    spin();
}

/* --------------------------------------------------------------- processes */

static void *nothing(void *arg)
{
    return arg;
}

static void processes(void)
{
    int count = 0, status;
    pthread_t thread;
    pid_t pid;

    limit(RLIMIT_NPROC, 4, 4);
    if (fork() == 0)
        _exit(0); /* root may */
    wait(NULL);
    (void)!setresuid((uid_t)(100000 + getpid()), (uid_t)(100000 + getpid()),
                     (uid_t)(100000 + getpid()));
    while (count < 10 && (pid = fork()) >= 0) {
        if (!pid)
            _exit(0);
        count++;
    }
    printf("%d %s ", count, name_of(-1)); /* nobody waited for them */
    printf("%s ",
           strerrorname_np(pthread_create(&thread, NULL, nothing, NULL)));
    wait(&status);
    printf("%d ", pthread_create(&thread, NULL, nothing, NULL));
    pthread_join(thread, NULL);
    printf("%s", name_of(fork() ? 0 : (_exit(0), 0)));
}

/* ------------------------------------------------------------- descriptors */

static void descriptors(void)
{
    struct rlimit huge = {10, RLIM_INFINITY};
    int last = 0, fd, ends[2];

    printf("%s ", name_of(setrlimit(RLIMIT_NOFILE, &huge)));
    huge.rlim_cur = 30;
    huge.rlim_max = 20;
    printf("%s ", name_of(setrlimit(RLIMIT_NOFILE, &huge)));
    limit(RLIMIT_NOFILE, 10, 20);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        last = fd;
    printf("%d %s ", last, name_of(-1));
    printf("%s ", name_of(dup(0)));
    printf("%s ", name_of(dup2(0, 10)));
    printf("%s ", name_of(dup2(0, 9)));
    printf("%s ", name_of(fcntl(0, F_DUPFD, 10)));
    printf("%s ", name_of(fcntl(0, F_DUPFD, 9)));
    printf("%s ", name_of(pipe(ends)));
    close(9);
    printf("%s ", name_of(pipe(ends)));
    printf("%s ", name_of(socketpair(AF_UNIX, SOCK_STREAM, 0, ends)));
    printf("%d ", dup(0));
    limit(RLIMIT_NOFILE, 3, 20); /* what is open stays */
    printf("%s %s", name_of(fcntl(9, F_GETFD)), name_of(dup(0)));
}

/* ------------------------------------------------------------------ memory */

static void *map(size_t size, int protection)
{
    return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void memory(void)
{
    enum { MIB = 1 << 20 };

    limit(RLIMIT_AS, 200 * MIB, 300 * MIB);
    printf("%s ", name_of(map(250 * MIB, PROT_READ) == MAP_FAILED ? -1 : 0));
    printf("%s ", name_of(map(20 * MIB, PROT_READ) == MAP_FAILED ? -1 : 0));
}

static void data(void)
{
    enum { MIB = 1 << 20 };
    char *area;

    limit(RLIMIT_DATA, 30 * MIB, RLIM_INFINITY);
    printf(
        "%s ",
        name_of(map(50 * MIB, PROT_READ | PROT_WRITE) == MAP_FAILED ? -1 : 0));
    printf("%s ", name_of(map(50 * MIB, PROT_READ) == MAP_FAILED ? -1 : 0));
    printf("%s ", name_of(sbrk(50 * MIB) == (void *)-1 ? -1 : 0));
    printf("%s", name_of(sbrk(MIB) == (void *)-1 ? -1 : 0));
    area = map(20 * MIB, PROT_READ | PROT_WRITE);
    printf(" %s ", name_of(area == MAP_FAILED ? -1 : 0));
    printf(
        "%s ",
        name_of(map(20 * MIB, PROT_READ | PROT_WRITE) == MAP_FAILED ? -1 : 0));
    printf("%s ", name_of(mremap(area, 20 * MIB, 40 * MIB, MREMAP_MAYMOVE) ==
                                  MAP_FAILED
                              ? -1
                              : 0));
    printf("%s ", name_of(mmap(area, 20 * MIB, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                               0) == MAP_FAILED
                              ? -1
                              : 0));
    printf("%s", name_of(mmap(NULL, 20 * MIB, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                             ? -1
                             : 0));
}

static int deep(int left)
{
    volatile char frame[4096];

    frame[0] = (char)left;
    return left ? deep(left - 1) + frame[0] : 0;
}

static void shallow_stack(void)
{
    limit(RLIMIT_STACK, 1 << 20, RLIM_INFINITY);
    printf("%d ", deep(100) != 0);
    fflush(stdout);
    deep(600);
}

#ifdef __i386__
static void old_calls(void)
{
    unsigned long values[2] = {3000000000UL, 4294967295UL};

    printf("%s ", name_of(syscall(SYS_setrlimit, RLIMIT_DATA, values)));
    syscall(SYS_getrlimit, RLIMIT_DATA, values);
    printf("%lx %lx ", values[0], values[1]);
    syscall(SYS_ugetrlimit, RLIMIT_DATA, values);
    printf("%lx %lx", values[0], values[1]);
}
#endif

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        in_child("seconds", seconds);
        return 0;
    }
    in_child("writes", writes);
    in_child("sizes", sizes);
    in_child("killed by size", killed_by_size);
    in_child("used up", used_up);
    in_child("warned", warned);
    in_child("warned and goes on", warned_and_goes_on);
    in_child("processes", processes);
    in_child("descriptors", descriptors);
    in_child("memory", memory);
    in_child("data", data);
    in_child("shallow stack", shallow_stack);
#ifdef __i386__
    in_child("old calls", old_calls);
#endif
    return 0;
}
