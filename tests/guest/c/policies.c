/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scheduling policies: what a process may set, as itself and without its
 * privileges, and in which order real-time threads of one CPU run.
 *
 * Slices of ordinary threads are the kernel's own and are not shown.  With an
 * argument: a thread that never waits lets others run all the same.
 *
 * guest-flags: -O1 -D_GNU_SOURCE -pthread
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE = 6, KEEP_POLICY = 8, KEEP_PARAMS = 16, CLAMP = 0x20 };

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

static const char *name(long result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static long set_attr(pid_t pid, void *attr, unsigned flags)
{
    return syscall(SYS_sched_setattr, pid, attr, flags);
}

static long get_attr(pid_t pid, void *attr, unsigned size, unsigned flags)
{
    return syscall(SYS_sched_getattr, pid, attr, size, flags);
}

static void show(void)
{
    struct attr attr;
    struct timespec slice = {-1, -1};
    struct sched_param param = {-1};
    int policy = sched_getscheduler(0);
    long got = get_attr(0, &attr, sizeof(attr), 0);

    sched_getparam(0, &param);
    sched_rr_get_interval(0, &slice);
    printf("    policy %x priority %d; %s size %u policy %u flags %llx nice %d "
           "priority %u",
           policy, param.sched_priority, name(got), attr.size, attr.policy,
           (unsigned long long)attr.flags, attr.nice, attr.priority);
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        printf(" slice %ld.%09ld", (long)slice.tv_sec, slice.tv_nsec);
    printf("\n");
}

static void try_attr(const char *what, struct attr attr)
{
    if (!attr.size)
        attr.size = sizeof(attr);
    printf("%s: %s\n", what, name(set_attr(0, &attr, 0)));
    show();
}

static void try_scheduler(const char *what, int policy, int priority)
{
    struct sched_param param = {priority};

    printf("%s: %s\n", what, name(sched_setscheduler(0, policy, &param)));
    show();
}

static void try_policies(void)
{
    struct sched_param param = {20};

    show();
    try_scheduler("fifo 10", SCHED_FIFO, 10);
    printf("param 20: %s\n", name(sched_setparam(0, &param)));
    try_scheduler("rr 99", SCHED_RR, 99);
    try_scheduler("rr 0", SCHED_RR, 0);
    try_scheduler("rr 100", SCHED_RR, 100);
    try_scheduler("batch 1", SCHED_BATCH, 1);
    try_scheduler("batch", SCHED_BATCH, 0);
    try_scheduler("unknown", 4, 0);
    try_scheduler("negative", -1, 0);
    try_scheduler("other, reset", SCHED_OTHER | SCHED_RESET_ON_FORK, 0);
    try_scheduler("other", SCHED_OTHER, 0);
    try_attr("nice 3", (struct attr){.nice = 3});
    try_attr("nice -3", (struct attr){.nice = -3});
    try_attr("nice -100", (struct attr){.nice = -100});
    try_attr("batch 5", (struct attr){.policy = SCHED_BATCH, .nice = 5});
    try_attr("idle 7", (struct attr){.policy = SCHED_IDLE, .nice = 7});
    try_attr("from idle", (struct attr){.policy = SCHED_OTHER, .nice = 5});
    try_attr("rr 5", (struct attr){.policy = SCHED_RR, .priority = 5});
    try_attr("kept", (struct attr){.flags = KEEP_POLICY | KEEP_PARAMS});
    try_attr("kept policy", (struct attr){.flags = KEEP_POLICY, .priority = 6});
    try_attr("kept params",
             (struct attr){.policy = SCHED_FIFO, .flags = KEEP_PARAMS});
    try_attr("other", (struct attr){.policy = SCHED_OTHER});
}

static void try_wrong(void)
{
    struct attr attr = {.size = sizeof(attr)};
    uint8_t large[8192] = {0};
    int32_t size;

    printf("flags of the call: %s\n", name(set_attr(0, &attr, 1)));
    try_attr("wrong flag", (struct attr){.flags = 0x80});
    try_attr("clamp, short", (struct attr){.size = 48, .flags = CLAMP});
    try_attr("priority", (struct attr){.priority = 1});
    try_attr("large", (struct attr){.policy = SCHED_RR, .priority = 1u << 31});
    try_attr("negative", (struct attr){.policy = 1u << 31});
    try_attr("no deadline", (struct attr){.policy = DEADLINE});
    try_attr("runtime", (struct attr){.policy = DEADLINE,
                                      .runtime = 2000000,
                                      .deadline = 1000000});
    for (int i = 47; i <= 58; i++) {
        memset(large, 0, sizeof(large));
        memcpy(large, &i, 4);
        large[57] = i == 58; /* what the kernel does not know */
        printf("set size %d: %s", i, name(set_attr(0, large, 0)));
        memcpy(&size, large, 4);
        printf(" %d\n", size);
    }
    for (unsigned i = 47; i <= 60; i++) {
        memset(large, 0xee, sizeof(large));
        printf("get size %u: %s", i, name(get_attr(0, large, i, 0)));
        memcpy(&size, large, 4);
        printf(" %x %x %x %x\n", size, large[47], large[48], large[i]);
    }
    printf("get 4097: %s\n", name(get_attr(0, large, 4097, 0)));
    printf("get 4096: %s\n", name(get_attr(0, large, 4096, 0)));
    printf("get flags: %s\n", name(get_attr(0, large, 56, 1)));
    printf("nowhere: %s %s %s\n", name(get_attr(0, NULL, 56, 0)),
           name(get_attr(0, (void *)8, 56, 0)), name(set_attr(0, NULL, 0)));
    printf("no such: %s %s %s %s\n", name(get_attr(-1, large, 56, 0)),
           name(get_attr(1 << 22, large, 56, 0)), name(sched_getscheduler(-1)),
           name(sched_getscheduler(1 << 22)));
}

static void fail_interval(void)
{
    struct timespec slice;

    printf("interval: %s %s %s\n", name(sched_rr_get_interval(-1, &slice)),
           name(sched_rr_get_interval(1 << 22, &slice)),
           name(syscall(SYS_sched_rr_get_interval, 0, (void *)8)));
}

/* What a child has of it. */
static void try_fork(const char *what, struct attr attr)
{
    try_attr(what, attr);
    fflush(stdout);
    if (!fork()) {
        char line[1024] = "";
        FILE *stat = fopen("/proc/self/stat", "r");
        const char *at = fgets(line, sizeof(line), stat) ? line : "";

        printf("  child\n");
        show();
        for (int field = 1; *at; at++) {
            field += *at == ' ';
            if (*at == ' ' &&
                (field == 18 || field == 19 || field == 40 || field == 41))
                printf("    field %d is %d\n", field, atoi(at));
        }
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void try_children(void)
{
    try_fork("fifo 7", (struct attr){.policy = SCHED_FIFO, .priority = 7});
    try_fork("rr 8, reset",
             (struct attr){.policy = SCHED_RR, .priority = 8, .flags = 1});
    try_fork("nice -4, reset", (struct attr){.nice = -4, .flags = 1});
    try_fork("nice 4, reset", (struct attr){.nice = 4, .flags = 1});
    try_fork("batch", (struct attr){.policy = SCHED_BATCH, .nice = 4});
    try_attr("other", (struct attr){.policy = SCHED_OTHER});
}

/* ------------------------------------------------------------------ the order
 */

static char order[200];
static sem_t gate;

static void note(char what)
{
    order[strlen(order)] = what;
}

static void *append(void *what)
{
    note(*(char *)what);
    return NULL;
}

/* Two turns, with a place where others of its priority may come in. */
static void *append_twice(void *what)
{
    note(*(char *)what);
    sched_yield();
    note(*(char *)what);
    return NULL;
}

static void *wait_at_gate(void *what)
{
    sem_wait(&gate);
    note(*(char *)what);
    return NULL;
}

static void *open_gate(void *what)
{
    note(*(char *)what);
    sem_post(&gate);
    note(*(char *)what);
    return NULL;
}

static pthread_t begin(void *(*run)(void *), const char *what, int policy,
                       int priority)
{
    struct sched_param param = {priority};
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attr, policy);
    pthread_attr_setschedparam(&attr, &param);
    if (pthread_create(&thread, &attr, run, (void *)what))
        exit(1);
    return thread;
}

static void show_order(const char *what, pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%s: %s\n", what, order);
    memset(order, 0, sizeof(order));
}

static void show_orders(void)
{
    pthread_t t[3];
    struct sched_param param = {50};
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof(one), &one) ||
        sched_setscheduler(0, SCHED_FIFO, &param)) {
        printf("order: %s\n", name(-1));
        return;
    }
    sem_init(&gate, 0, 0);
    t[0] = begin(append, "1", SCHED_FIFO, 10);
    t[1] = begin(append, "3", SCHED_RR, 30);
    t[2] = begin(append, "2", SCHED_FIFO, 20);
    show_order("by priority", t, 3);
    t[0] = begin(append_twice, "a", SCHED_FIFO, 10);
    t[1] = begin(append_twice, "b", SCHED_FIFO, 10);
    t[2] = begin(append, "o", SCHED_OTHER, 0);
    show_order("equals that yield", t, 3);
    t[0] = begin(open_gate, "l", SCHED_FIFO, 10);
    t[1] = begin(wait_at_gate, "h", SCHED_FIFO, 20);
    show_order("preempted", t, 2);
    t[0] = begin(open_gate, "l", SCHED_FIFO, 10);
    t[1] = begin(wait_at_gate, "e", SCHED_FIFO, 10);
    show_order("not preempted", t, 2);
    t[0] = begin(append, "x", SCHED_FIFO, 60);
    note('m');
    t[1] = begin(append, "y", SCHED_FIFO, 40);
    param.sched_priority = 30;
    sched_setparam(0, &param);
    note('m');
    show_order("lowered", t, 2);
    param.sched_priority = 0;
    sched_setscheduler(0, SCHED_OTHER, &param);
}

static volatile int is_seen;

static void *see(void *unused)
{
    is_seen = 1;
    return unused;
}

/* Another one of @policy runs on the same CPU in the end. */
static void spin(int policy, int priority)
{
    struct sched_param param = {50};
    cpu_set_t one;
    pthread_t thread;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof(one), &one) ||
        sched_setscheduler(0, SCHED_RR, &param)) {
        printf("spin: %s\n", name(-1));
        return;
    }
    is_seen = 0;
    thread = begin(see, NULL, policy, priority);
    while (!is_seen)
        ;
    pthread_join(thread, NULL);
    printf("policy %d was let in\n", policy);
}

/* Which ones it had at first is the shell's. */
static void try_groups(void)
{
    gid_t list[4] = {9, 3, 3, 5}, got[4] = {0};
    long result = setgroups(4, list);
    int count;

    printf("groups: %s\n", name(result));
    if (result)
        return;
    printf("room for 3: %s\n", name(getgroups(3, got)));
    count = getgroups(4, got);
    printf("%d of %d: %u %u %u %u\n", count, getgroups(0, NULL), got[0], got[1],
           got[2], got[3]);
    list[1] = (gid_t)-1;
    printf("wrong: %s", name(setgroups(4, list)));
    printf(" %s", name(setgroups(65537, list)));
    printf(" %s\n", name(setgroups(1, (gid_t *)8)));
    fflush(stdout);
    if (!fork()) {
        printf("child: %d\n", getgroups(0, NULL));
        printf("none: %s", name(setgroups(0, NULL)));
        printf(" %d\n", getgroups(0, NULL));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        spin(SCHED_RR, 50);
        spin(SCHED_OTHER, 0);
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    setpriority(PRIO_PROCESS, 0, 0); /* whatever the shell has */
    if (!fork()) {
        show_orders();
        return 0;
    }
    wait(NULL);
    try_policies();
    try_wrong();
    fail_interval();
    try_children();
    try_groups();
    printf("without privileges: %s\n", name(setresuid(65534, 65534, 65534)));
    try_policies();
    try_children();
    try_groups();
    return 0;
}
