/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Priorities, scheduling policies, locked memory and its limit, and what
 * getrusage counts, where it does not depend on the machine.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static const char *name_of(int result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static void show_locked(void)
{
    char line[200];
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof(line), status)) {
        if (!strncmp(line, "VmLck", 5))
            printf("%s", line);
    }
    if (status)
        fclose(status);
}

/* -------------------------------------------------------------- priorities */

static int nice_of_child(void)
{
    int status;

    if (fork() == 0)
        _exit(getpriority(PRIO_PROCESS, 0) + 20);
    wait(&status);
    return WEXITSTATUS(status) - 20;
}

static void priorities(void)
{
    struct sched_param none = {0}, some = {.sched_priority = 3};
    char text[300] = "";
    FILE *stat;
    int nice;

    printf("%s", name_of(setpriority(PRIO_PROCESS, 0, 3)));
    printf(" %d %d", getpriority(PRIO_PROCESS, 0), nice_of_child());
    printf(" %s %d\n", name_of(setpriority(PRIO_PROCESS, getpid(), 99)),
           getpriority(PRIO_PROCESS, 0));
    stat = fopen("/proc/self/stat", "r");
    if (stat && fgets(text, sizeof(text), stat) &&
        sscanf(strchr(text, ')'),
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
               "%*d %*d %d",
               &nice) == 1)
        printf("nice %d in stat\n", nice);
    if (stat)
        fclose(stat);
    printf("%s ", name_of(setpriority(7, 0, 1)));
    printf("%s\n", name_of(setpriority(PRIO_PROCESS, 999999, 1)));
    printf("%d ", sched_getscheduler(0));
    printf("%s ", name_of(sched_setscheduler(0, SCHED_BATCH, &none)));
    printf("%d ", sched_getscheduler(0));
    printf("%s ", name_of(sched_setscheduler(0, SCHED_BATCH, &some)));
    printf("%s ", name_of(sched_setscheduler(0, SCHED_FIFO, &none)));
    printf("%s ", name_of(sched_setscheduler(0, 77, &none)));
    printf("%s ", name_of(sched_setscheduler(999999, SCHED_OTHER, &none)));
    printf("%s\n", name_of(sched_setparam(0, &some)));
    printf("%d %d %d\n", sched_get_priority_max(SCHED_RR),
           sched_get_priority_min(SCHED_BATCH), sched_get_priority_max(77));
}

/* ----------------------------------------------------------- locked memory */

static void locked_memory(void)
{
    unsigned char in[20];
    char *area = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    printf("%s ", name_of(mlock(area + 10, PAGE)));
    show_locked();
    mincore(area, 2 * PAGE, in);
    printf("in core %d %d\n", in[0] & 1, in[1] & 1);
    printf("%s ", name_of(mlock(area + PAGE, 3 * PAGE)));
    show_locked();
    printf("%s ", name_of(munlock(area, PAGE)));
    show_locked();
    printf("%s\n", name_of(madvise(area + PAGE, PAGE, MADV_DONTNEED)));
    printf("%s\n", name_of(msync(area + PAGE, PAGE, MS_INVALIDATE)));
    munmap(area + 2 * PAGE, PAGE);
    show_locked();
    printf("%s ", name_of(mlock(area, 20 * PAGE))); /* a hole */
    show_locked();
    printf("%s ", name_of(mlock2(area + 10 * PAGE, PAGE, 1)));
    printf("%s\n", name_of(mlock2(area + 10 * PAGE, PAGE, 8)));
    fflush(stdout);
    if (fork() == 0) {
        show_locked();
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    printf("%s\n", name_of(munlock(area, 20 * PAGE)));
    printf("%s %s ", name_of(mlockall(0)), name_of(mlockall(MCL_ONFAULT)));
    printf("%s\n", name_of(mlockall(32)));
    munmap(area, 20 * PAGE);
    printf("%s ", name_of(munlockall()));
    show_locked();
    printf("%s\n", name_of(mlockall(MCL_FUTURE)));
    area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    show_locked();
    munlockall();
}

static void *map_locked(size_t pages)
{
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

/* As somebody without privileges. */
static void limited(void)
{
    struct rlimit limit = {16 * PAGE, 16 * PAGE};
    char *area = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    printf("%s\n", name_of(setrlimit(RLIMIT_MEMLOCK, &limit)));
    (void)!setuid(65534);
    printf("%s ", name_of(mlock(area, 16 * PAGE)));
    printf("%s ", name_of(mlock(area, 17 * PAGE)));
    printf("%s ", name_of(mlock(area + PAGE, 4 * PAGE)));
    printf("%s\n", name_of(mlock(area + 20 * PAGE, PAGE)));
    munlock(area, 40 * PAGE);
    printf("%s ", name_of(map_locked(16) == MAP_FAILED ? -1 : 0));
    printf("%s\n", name_of(map_locked(1) == MAP_FAILED ? -1 : 0));
    printf("%s\n", name_of(mlockall(MCL_CURRENT)));
    munlockall();
    printf("%s\n", name_of(setpriority(PRIO_PROCESS, 0, 0)));
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_MEMLOCK, &limit);
    printf("%s ", name_of(mlock(area, PAGE)));
    printf("%s\n", name_of(map_locked(1) == MAP_FAILED ? -1 : 0));
}

/* ------------------------------------------------------------------- usage */

/* The child touches 8 MiB of small pages. */
static void usage(void)
{
    struct rusage child, all;
    int status;

    fflush(stdout);
    if (fork() == 0) {
        size_t size = 8 << 20;
        char *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        madvise(area, size, MADV_NOHUGEPAGE);
        memset(area, 1, size);
        munmap(area, size);
        _exit(0);
    }
    wait4(-1, &status, 0, &child);
    getrusage(RUSAGE_CHILDREN, &all);
    printf("%d %d %d %d\n", child.ru_minflt >= 2048, child.ru_maxrss >= 8192,
           all.ru_minflt >= child.ru_minflt, all.ru_maxrss >= child.ru_maxrss);
}

int main(void)
{
    locked_memory();
    priorities();
    fflush(stdout);
    if (fork() == 0) {
        limited();
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    usage();
    return 0;
}
