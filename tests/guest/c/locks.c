/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record locks, locks of open file descriptions and whole-file locks between
 * processes; what is printed does not depend on who runs first.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int error)
{
    return error ? strerrorname_np(error) : "ok";
}

static const char *lock(int fd, int command, int type, off_t start, off_t len)
{
    struct flock lock = {.l_type = (short)type,
                         .l_whence = SEEK_SET,
                         .l_start = start,
                         .l_len = len};

    return name_of(fcntl(fd, command, &lock) < 0 ? errno : 0);
}

static int open_file(void)
{
    return open("locked", O_RDWR | O_CREAT, 0644);
}

/* Run @body in a child and wait for it. */
static void in_child(void (*body)(int), int fd)
{
    fflush(stdout);
    if (fork() == 0) {
        body(fd);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

/* ------------------------------------------------------------------- ranges */

/* What another process sees of the parent's locks. */
static void probe(int fd)
{
    uint64_t hash = 14695981039346656037u;
    int num_held = 0;

    for (int type = F_RDLCK; type <= F_WRLCK; type++) {
        for (off_t at = 0; at < 80; at++) {
            struct flock lock = {.l_type = (short)type,
                                 .l_whence = SEEK_SET,
                                 .l_start = at,
                                 .l_len = 1};

            if (fcntl(fd, F_GETLK, &lock) < 0)
                printf("F_GETLK: %s\n", name_of(errno));
            if (lock.l_type == F_UNLCK)
                continue;
            num_held++;
            if (lock.l_pid != getppid())
                printf("held by somebody else\n");
            hash = (hash ^ (uint64_t)lock.l_type) * 1099511628211u;
            hash = (hash ^ (uint64_t)lock.l_start) * 1099511628211u;
            hash = (hash ^ (uint64_t)lock.l_len) * 1099511628211u;
        }
    }
    printf("%d held, %016llx\n", num_held, (unsigned long long)hash);
}

static void ranges(void)
{
    static const int types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
    int fd = open_file();
    uint32_t random = 1;

    for (int i = 0; i < 120; i++) {
        random = random * 1664525 + 1013904223;
        lock(fd, F_SETLK, types[random >> 28 & 3 ? (random >> 26) % 3 : 2],
             random >> 8 & 63, random >> 16 & 15);
        if (i % 4 == 3)
            in_child(probe, fd);
    }
    close(fd);
}

static void errors(void)
{
    int fd = open_file();
    int reader = open("locked", O_RDONLY), writer = open("locked", O_WRONLY);
    struct flock bad = {.l_type = F_WRLCK, .l_whence = 9};

    printf("%s %s\n", lock(reader, F_SETLK, F_WRLCK, 0, 1),
           lock(writer, F_SETLK, F_RDLCK, 0, 1));
    printf("%s %s %s\n", lock(fd, F_SETLK, 7, 0, 1),
           lock(fd, F_SETLK, F_RDLCK, -5, 1),
           lock(fd, F_SETLK, F_RDLCK, 3, -5));
    printf("%s\n", name_of(fcntl(fd, F_SETLK, &bad) < 0 ? errno : 0));
    printf("%s %s\n", lock(fd, F_SETLK, F_RDLCK, 5, -5),
           lock(99, F_SETLK, F_RDLCK, 5, 5));
    printf("flock %d %d\n", flock(fd, 0), errno);
    close(fd);
    close(reader);
    close(writer);
}

/* ------------------------------------------------------------------ exclusion
 */

static void try_lock(int fd)
{
    printf("child: write %s, read %s, byte 100 %s\n",
           lock(fd, F_SETLK, F_WRLCK, 0, 10), lock(fd, F_SETLK, F_RDLCK, 0, 10),
           lock(fd, F_SETLK, F_WRLCK, 100, 1));
}

static void exclusion(void)
{
    int fd = open_file(), again;

    printf("%s\n", lock(fd, F_SETLK, F_WRLCK, 0, 10));
    in_child(try_lock, fd);
    printf("%s\n", lock(fd, F_SETLK, F_RDLCK, 0, 10));
    in_child(try_lock, fd);
    /* Closing any descriptor of the file gives up the process's locks. */
    again = open_file();
    close(again);
    in_child(try_lock, fd);
    close(fd);
}

static void wait_for_lock(int fd)
{
    printf("child: %s\n", lock(fd, F_SETLKW, F_WRLCK, 0, 0));
}

static void on_alarm(int signo)
{
    (void)signo;
}

static void waiting(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    int fd = open_file();

    lock(fd, F_SETLK, F_WRLCK, 0, 0);
    fflush(stdout);
    if (fork() == 0) {
        wait_for_lock(fd);
        fflush(stdout);
        _exit(0);
    }
    usleep(30000);
    printf("parent lets go\n");
    fflush(stdout);
    lock(fd, F_SETLK, F_UNLCK, 0, 0);
    wait(NULL);
    /* A signal ends the wait. */
    lock(fd, F_SETLK, F_WRLCK, 0, 0);
    sigaction(SIGALRM, &action, NULL);
    if (fork() == 0) {
        sigaction(SIGALRM, &action, NULL);
        ualarm(20000, 0);
        wait_for_lock(fd);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    close(fd);
}

/* Both hold a byte and want the other's. */
static void deadlock(void)
{
    int fd = open_file();
    int ready[2];
    char byte = 0;

    if (pipe(ready))
        return;
    lock(fd, F_SETLK, F_WRLCK, 0, 1);
    fflush(stdout);
    if (fork() == 0) {
        lock(fd, F_SETLK, F_WRLCK, 1, 1);
        (void)!write(ready[1], &byte, 1);
        printf("child: %s\n", lock(fd, F_SETLKW, F_WRLCK, 0, 1));
        fflush(stdout);
        _exit(0);
    }
    (void)!read(ready[0], &byte, 1);
    usleep(30000);
    printf("parent: %s\n", lock(fd, F_SETLKW, F_WRLCK, 1, 1));
    fflush(stdout);
    lock(fd, F_SETLK, F_UNLCK, 0, 0);
    wait(NULL);
    close(fd);
}

/* ---------------------------------------------------- open file descriptions
 */

static void descriptions(void)
{
    int first = open_file(), second = open_file(), copy = dup(first);
    struct flock ask = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct flock bad = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 7};

    printf("%s %s %s\n", lock(first, F_OFD_SETLK, F_WRLCK, 0, 10),
           lock(second, F_OFD_SETLK, F_WRLCK, 5, 10),
           lock(copy, F_OFD_SETLK, F_RDLCK, 0, 5));
    printf("%s\n", lock(second, F_SETLK, F_WRLCK, 7, 1));
    printf("%s %d %d+%d\n", name_of(fcntl(second, F_GETLK, &ask) ? errno : 0),
           (int)ask.l_pid, (int)ask.l_start, (int)ask.l_len);
    printf("%s\n", name_of(fcntl(first, F_OFD_SETLK, &bad) ? errno : 0));
    close(first); /* the copy still holds it */
    printf("%s\n", lock(second, F_OFD_SETLK, F_WRLCK, 5, 10));
    close(copy);
    printf("%s\n", lock(second, F_OFD_SETLK, F_WRLCK, 5, 10));
    close(second);
}

static const char *whole(int fd, int how)
{
    return name_of(flock(fd, how) ? errno : 0);
}

static void wait_for_whole(void)
{
    int own = open_file();

    printf("child: %s\n", whole(own, LOCK_EX | LOCK_NB));
    printf("child: %s\n", whole(own, LOCK_SH));
}

static void whole_files(void)
{
    int first = open_file(), second = open_file();

    printf("%s %s\n", whole(first, LOCK_SH), whole(second, LOCK_SH));
    printf("%s\n", whole(first, LOCK_EX | LOCK_NB)); /* loses its own */
    printf("%s\n", whole(second, LOCK_EX | LOCK_NB));
    printf("%s\n", whole(first, LOCK_SH | LOCK_NB));
    printf("%s\n", lock(first, F_SETLK, F_WRLCK, 0, 0)); /* another kind */
    fflush(stdout);
    if (fork() == 0) {
        wait_for_whole();
        fflush(stdout);
        _exit(0);
    }
    usleep(30000);
    printf("parent lets go\n");
    fflush(stdout);
    whole(second, LOCK_UN);
    wait(NULL);
    close(second);
    close(first);
}

int main(void)
{
    ranges();
    errors();
    exclusion();
    waiting();
    deadlock();
    descriptions();
    whole_files();
    return 0;
}
