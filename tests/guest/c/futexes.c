/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is woken: the word of a futex is the process's or the file's, by kind of
 * mapping and FUTEX_PRIVATE_FLAG, whatever frame it is in at the moment.
 *
 * guest-flags: -O1 -D_GNU_SOURCE -pthread
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static long futex(uint32_t *word, int op, uint32_t value)
{
    return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

/* Others have had time to go to sleep. */
static void await_sleepers(void)
{
    usleep(20000);
}

struct waiter {
    uint32_t *word;
    int flags;
    long result;
};

static void *wait_for(void *arg)
{
    struct waiter *waiter = arg;

    waiter->result = futex(waiter->word, FUTEX_WAIT | waiter->flags, 0);
    return NULL;
}

/* A page that is the parent's and the child's is copied when it is written. */
static void wake_after_fork(const char *what, uint32_t *word, int wait_flags,
                            int wake_flags)
{
    struct waiter waiter = {word, wait_flags, -1};
    pthread_t thread;
    int gate[2];
    long woken;
    pid_t child;

    *word = 0;
    pthread_create(&thread, NULL, wait_for, &waiter);
    await_sleepers();
    if (pipe(gate))
        return;
    child = fork();
    if (!child) {
        char byte;

        close(gate[1]);
        _exit(read(gate[0], &byte, 1) != 0 || *word != 0);
    }
    word[1]++; /* has its own frame from here on */
    woken = futex(word, FUTEX_WAKE | wake_flags, 9);
    printf("%s: woken %ld", what, woken);
    if (woken == 0)
        printf(", then %ld", futex(word, FUTEX_WAKE | wait_flags, 9));
    pthread_join(thread, NULL);
    close(gate[0]);
    close(gate[1]);
    waitpid(child, NULL, 0);
    printf(", result %ld\n", waiter.result);
}

/* The child waits, the parent wakes; the word is on a page of both. */
static void wake_child(const char *what, uint32_t *word, int flags)
{
    pid_t child;
    int status = 0;
    long woken;

    *word = 0;
    fflush(stdout);
    child = fork();
    if (!child) {
        const struct timespec limit = {.tv_nsec = 100000000};

        _exit(syscall(SYS_futex, word, FUTEX_WAIT | flags, 0, &limit, NULL,
                      0) != 0);
    }
    await_sleepers();
    woken = futex(word, FUTEX_WAKE | flags, 9);
    waitpid(child, &status, 0);
    printf("%s: woken %ld, status %d\n", what, woken, WEXITSTATUS(status));
}

/* Waiters of one word go over to another one, also after a fork. */
static void requeue(uint32_t *from, uint32_t *to)
{
    struct waiter waiters[2] = {
        {from, FUTEX_PRIVATE_FLAG, -1},
        {from, FUTEX_PRIVATE_FLAG, -1}
    };
    pthread_t threads[2];
    pid_t child;
    long moved;

    *from = *to = 0;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, wait_for, &waiters[i]);
    await_sleepers();
    child = fork();
    if (!child) {
        usleep(50000);
        _exit(0);
    }
    from[1]++;
    to[1]++;
    moved = syscall(SYS_futex, from, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1,
                    (void *)9, to, 0);
    printf("requeue: %ld, old %ld, new %ld\n", moved,
           futex(from, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9),
           futex(to, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    waitpid(child, NULL, 0);
}

static uint32_t *map(int flags)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1,
                0);
}

int main(void)
{
    static uint32_t data[2 * PAGE];
    uint32_t *own = map(MAP_PRIVATE), *both = map(MAP_SHARED);

    wake_after_fork("private memory", own, 0, 0);
    wake_after_fork("private futex", own, FUTEX_PRIVATE_FLAG,
                    FUTEX_PRIVATE_FLAG);
    wake_after_fork("data", data + PAGE, 0, 0);
    wake_after_fork("shared memory", both, 0, 0);
    wake_after_fork("private futex in shared memory", both, FUTEX_PRIVATE_FLAG,
                    FUTEX_PRIVATE_FLAG);
    wake_after_fork("another kind of wake", own, FUTEX_PRIVATE_FLAG, 0);
    wake_after_fork("another kind of wait", own, 0, FUTEX_PRIVATE_FLAG);
    wake_child("a child in shared memory", both, 0);
    wake_child("a child's own", both, FUTEX_PRIVATE_FLAG);
    wake_child("a child's copy", own, 0);
    requeue(own, data);
    munmap(own, PAGE);
    printf("unmapped: %ld, private %ld\n", futex(own, FUTEX_WAKE, 1),
           futex(own, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1));
    return 0;
}
