/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Named pipes: who waits for whom, ends, errors.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static void show_poll(const char *when, int fd)
{
    struct pollfd ask = {.fd = fd, .events = POLLIN | POLLOUT};

    poll(&ask, 1, 0);
    printf("%s: %x\n", when, (unsigned)ask.revents);
}

static void make(void)
{
    struct stat st;

    umask(022);
    printf("%s ", name_of(mkfifo("p", 0666)));
    printf("%s ", name_of(mkfifo("p", 0666)));
    printf("%s ", name_of(mknod("f", S_IFREG | 0640, 0)));
    printf("%s ", name_of(mkfifo("none/p", 0666)));
    stat("p", &st);
    printf("%o %d ", (unsigned)st.st_mode, (int)st.st_size);
    stat("f", &st);
    printf("%o\n", (unsigned)st.st_mode);
}

static void without_waiting(void)
{
    char text[20] = "";
    int reader, writer, both;

    printf("%s ", name_of(open("p", O_WRONLY | O_NONBLOCK)));
    reader = open("p", O_RDONLY | O_NONBLOCK);
    printf("%s %d ", name_of(reader), (int)read(reader, text, 9));
    show_poll("no writer yet", reader);
    writer = open("p", O_WRONLY | O_NONBLOCK);
    printf("%s ", name_of(writer));
    printf("%s ", name_of((int)read(reader, text, 9)));
    show_poll("empty", reader);
    printf("%d ", (int)write(writer, "hello", 5));
    show_poll("full", reader);
    printf("%d ", (int)read(reader, text, 9));
    printf("%s ", text);
    printf("%s\n", name_of((int)lseek(reader, 0, SEEK_SET)));
    close(writer);
    show_poll("writer gone", reader);
    printf("%d\n", (int)read(reader, text, 9));
    both = open("p", O_RDWR);
    printf("%d ", (int)write(both, "ab", 2));
    printf("%d ", (int)read(both, text, 9));
    show_poll("both", both);
    close(both);
    close(reader);
}

static void waiting(void)
{
    char text[20] = "";
    int fd, status;

    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        fd = open("p", O_WRONLY);
        printf("child opened\n");
        fflush(stdout);
        usleep(20000);
        _exit(write(fd, "from child", 10) == 10 ? 0 : 1);
    }
    fd = open("p", O_RDONLY);
    usleep(10000);
    printf("parent opened\n");
    fflush(stdout);
    printf("%d ", (int)read(fd, text, 19));
    printf("%s\n", text);
    printf("%d\n", (int)read(fd, text, 19));
    close(fd);
    wait(&status);
    printf("%d\n", status);
    /* A writer that comes and goes lets the reader in all the same. */
    fflush(stdout);
    if (fork() == 0) {
        close(open("p", O_WRONLY));
        _exit(0);
    }
    fd = open("p", O_RDONLY);
    printf("%s %d\n", name_of(fd), (int)read(fd, text, 19));
    wait(NULL);
    close(fd);
}

static void on_alarm(int signo)
{
    (void)signo;
}

static void interrupted(void)
{
    struct sigaction action = {.sa_handler = on_alarm};

    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 0);
    printf("%s ", name_of(open("p", O_RDONLY)));
    printf("%s ", name_of(open("p", O_WRONLY | O_NONBLOCK)));
    fflush(stdout);
    if (fork() == 0) {
        (void)!open("p", O_RDONLY);
        _exit(0);
    }
    usleep(10000);
    /* The child that waits counts as a reader until it is gone. */
    printf("%s\n", name_of(open("p", O_WRONLY | O_NONBLOCK)));
    wait(NULL);
}

int main(void)
{
    make();
    without_waiting();
    waiting();
    interrupted();
    printf("%s\n", name_of(unlink("p")));
    return 0;
}
