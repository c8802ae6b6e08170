/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sets up one of everything that the kernel keeps for a program, computes for a
 * while, then says what is left of it: a checkpoint in between must not show.
 * Runs in an empty directory that it may write.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SHARE = 3 * PAGE };

static int pipe_fds[2], pair[2], event_fd, memory_fd, timer_fd, signal_fd;
static int fifo_fds[2], gone_fds[2], inotify_fd, waiter, gone_dir_fd;
static int epoll_fd, shared_fd, deleted_fd, append_fd, read_fd, dir_fd, path_fd;
static char *shared, *anonymous, *memory;
static volatile sig_atomic_t alarms, queued, usr1;
static uint64_t sum;

static void check(int ok, const char *what)
{
    if (ok)
        return;
    printf("FAILED: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Work that nobody can leave out. */
static void compute(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sum = (sum ^ (sum >> 7)) * 0x9e3779b97f4a7c15u + i;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)context;
    alarms += sig == SIGALRM;
    usr1 += sig == SIGUSR1;
    if (sig == SIGRTMIN + 2)
        queued = queued * 10 + info->si_value.sival_int;
}

static void make_pipes(void)
{
    check(!pipe2(pipe_fds, O_NONBLOCK) &&
              write(pipe_fds[1], "in a pipe", 9) == 9,
          "pipe");
    check(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    check(write(pair[0], "there", 5) == 5 && write(pair[1], "back", 4) == 4,
          "socket");
    event_fd = eventfd(5, EFD_SEMAPHORE | EFD_NONBLOCK);
    check(event_fd >= 0, "eventfd");
}

static void make_files(void)
{
    char text[3000];

    memset(text, 'x', sizeof(text));
    mkdir("dir", 0755);
    for (int i = 0; i < 5; i++) {
        snprintf(text, 100, "dir/name%d", i);
        close(open(text, O_CREAT | O_WRONLY, 0600));
    }
    dir_fd = open("dir", O_RDONLY | O_DIRECTORY);
    deleted_fd = open("deleted", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(write(deleted_fd, text, sizeof(text)) == (ssize_t)sizeof(text) &&
              !unlink("deleted") && lseek(deleted_fd, 1000, SEEK_SET) == 1000,
          "deleted");
    append_fd = open("old name", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    check(write(append_fd, "begin ", 6) == 6 && !rename("old name", "log"),
          "log");
    read_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    check(read(read_fd, text, 6) == 6, "status");
    path_fd = open("dir", O_PATH);
    check(path_fd >= 0, "path");
}

/* A pipe end and the socket's own peer travel over the socket. */
static void send_files(void)
{
    char control[CMSG_SPACE(2 * sizeof(int))] = {0};
    struct iovec vec = {"files", 5};
    struct msghdr message = {.msg_iov = &vec,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int ends[2], sent[2];

    check(!pipe(ends) && write(ends[1], "in flight", 9) == 9, "pipe");
    sent[0] = ends[0];
    sent[1] = pair[0];
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(sent));
    memcpy(CMSG_DATA(header), sent, sizeof(sent));
    check(sendmsg(pair[0], &message, 0) == 5, "sendmsg");
    close(ends[0]);
    close(ends[1]);
}

static void open_fifo(const char *name, int fds[2])
{
    check(!mkfifo(name, 0600), "mkfifo");
    fds[0] = open(name, O_RDONLY | O_NONBLOCK);
    fds[1] = open(name, O_WRONLY | O_NONBLOCK);
    check(fds[0] >= 0 && fds[1] >= 0 &&
              write(fds[1], name, strlen(name)) == (ssize_t)strlen(name),
          name);
}

/* A child waits in open() until somebody opens the pipe for writing. */
static void make_fifos(void)
{
    char text[32] = "";

    open_fifo("fifo", fifo_fds);
    open_fifo("gone fifo", gone_fds);
    check(!unlink("gone fifo"), "unlink");
    check(!mkdir("gone dir", 0700), "mkdir");
    gone_dir_fd = open("gone dir", O_RDONLY | O_DIRECTORY);
    check(gone_dir_fd >= 0 && !rmdir("gone dir"), "rmdir");
    check(!mkfifo("waiting", 0600), "mkfifo");
    waiter = fork();
    if (!waiter) {
        int fd = open("waiting", O_RDONLY);

        check(read(fd, text, sizeof(text) - 1) == 5, "read waiting");
        _exit(strcmp(text, "hello") ? 1 : 9);
    }
    usleep(1000);
}

static void make_watches(void)
{
    inotify_fd = inotify_init1(IN_NONBLOCK);
    check(inotify_add_watch(inotify_fd, "dir", IN_CREATE | IN_DELETE) == 1 &&
              inotify_add_watch(inotify_fd, "log", IN_MODIFY) == 2 &&
              !rename("log", "log2") && !rename("log2", "log"),
          "inotify");
    close(open("dir/first", O_CREAT | O_WRONLY, 0600));
    unlink("dir/first");
}

static void make_memory(void)
{
    anonymous = mmap(NULL, SHARE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memory_fd = memfd_create("kept", MFD_CLOEXEC);
    check(memory_fd >= 0 && !ftruncate(memory_fd, SHARE), "memfd");
    memory =
        mmap(NULL, SHARE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    shared_fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(!ftruncate(shared_fd, SHARE), "shared");
    shared =
        mmap(NULL, SHARE, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    check(anonymous != MAP_FAILED && memory != MAP_FAILED &&
              shared != MAP_FAILED,
          "mmap");
    strcpy(anonymous + PAGE, "anonymous");
    strcpy(memory + PAGE, "memory");
    strcpy(shared + PAGE, "shared");
}

static void watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    check(!epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void make_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    struct itimerspec every = {
        {0, 100000},
        {0, 100000}
    };
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGALRM};
    sigset_t blocked;
    timer_t timer;

    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN + 2, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN + 2);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    for (int i = 1; i <= 4; i++) {
        union sigval value = {.sival_int = i};

        check(!sigqueue(getpid(), SIGRTMIN + 2, value), "sigqueue");
    }
    kill(getpid(), SIGUSR2);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    signal_fd = signalfd(-1, &blocked, SFD_NONBLOCK);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    check(signal_fd >= 0 && !timerfd_settime(timer_fd, 0, &every, NULL) &&
              !timer_create(CLOCK_MONOTONIC, &event, &timer) &&
              !timer_settime(timer, 0, &every, NULL),
          "timers");
    epoll_fd = epoll_create1(0);
    watch(pair[0], EPOLLIN | EPOLLET);
    watch(timer_fd, EPOLLIN);
    watch(event_fd, EPOLLIN | EPOLLONESHOT);
}

/* ----------------------------------------------------------------- afterwards
 */

static void tell_sent(void)
{
    char control[100], text[32] = "";
    struct iovec vec = {text, sizeof(text) - 1};
    struct msghdr message = {.msg_iov = &vec,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header;
    int fds[2];

    check(recvmsg(pair[1], &message, 0) == 5, "recvmsg");
    header = CMSG_FIRSTHDR(&message);
    printf("sent: %s, %d\n", text, header ? (int)header->cmsg_len : 0);
    check(header != NULL, "rights");
    memcpy(fds, CMSG_DATA(header), sizeof(fds));
    memset(text, 0, sizeof(text));
    check(read(fds[0], text, sizeof(text)) == 9, "read sent");
    printf("%s, then %zd; ", text, read(fds[0], text, sizeof(text)));
    memset(text, 0, sizeof(text));
    check(read(fds[1], text, sizeof(text)) == 4, "read peer");
    printf("%s\n", text);
}

static void tell_fifo(const int fds[2], const char *name)
{
    struct pollfd ask = {.fd = fds[0], .events = POLLIN};
    char text[32] = "";
    struct stat st;

    printf("%s: %zd", name, read(fds[0], text, sizeof(text)));
    check(write(fds[1], "more", 4) == 4, name);
    check(read(fds[0], text + strlen(text), 4) == 4, name);
    fstat(fds[0], &st);
    printf(" %s %d %o", text, (int)st.st_nlink, (unsigned)st.st_mode);
    close(fds[1]);
    poll(&ask, 1, 0);
    printf(" %x\n", (unsigned)ask.revents);
}

static void tell_fifos(void)
{
    int fd, status;
    struct stat st;

    tell_fifo(fifo_fds, "fifo");
    tell_fifo(gone_fds, "gone fifo");
    check(!fstat(gone_dir_fd, &st), "gone dir");
    printf("gone dir: %d %d\n", S_ISDIR(st.st_mode), (int)st.st_nlink);
    fd = open("waiting", O_WRONLY);
    check(write(fd, "hello", 5) == 5, "waiting");
    check(waitpid(waiter, &status, 0) == waiter, "waiter");
    printf("waiter: %d\n", WEXITSTATUS(status));
}

static void tell_watches(void)
{
    char buffer[1000];
    ssize_t len;

    close(open("dir/second", O_CREAT | O_WRONLY, 0600));
    check(write(append_fd, "seen ", 5) == 5, "append");
    len = read(inotify_fd, buffer, sizeof(buffer));
    for (ssize_t at = 0; at < len;) {
        struct inotify_event event;

        memcpy(&event, buffer + at, sizeof(event));
        printf("watch %d: %x %s\n", event.wd, event.mask,
               event.len ? buffer + at + sizeof(event) : "");
        at += (ssize_t)(sizeof(event) + event.len);
    }
    printf("next watch: %d\n", inotify_add_watch(inotify_fd, ".", IN_OPEN));
}

static void tell_pipes(void)
{
    char text[64] = "";
    uint64_t count = 0;

    check(read(pipe_fds[0], text, sizeof(text)) == 9, "read pipe");
    printf("pipe: %s\n", text);
    memset(text, 0, sizeof(text));
    check(read(pair[1], text, 5) == 5, "read socket");
    printf("socket: %s\n", text);
    for (int i = 0; read(event_fd, &count, 8) == 8; i++)
        printf("event %d\n", i);
}

static void tell_files(void)
{
    char text[4096];
    struct dirent *entry;
    DIR *dir = fdopendir(dir_fd);
    struct stat st;
    int names = 0;

    while ((entry = readdir(dir)))
        names++;
    printf("names: %d\n", names);
    printf("deleted: %zd\n", read(deleted_fd, text, sizeof(text)));
    fstat(deleted_fd, &st);
    printf("links: %d, size %d\n", (int)st.st_nlink, (int)st.st_size);
    check(write(append_fd, "end\n", 4) == 4, "append");
    printf("status: %d\n", read(read_fd, text, 5) == 5 && text[4] == 'e');
    printf("cloexec: %d\n", fcntl(read_fd, F_GETFD));
    printf("path: %d\n", fstat(path_fd, &st) == 0 && S_ISDIR(st.st_mode));
}

static void tell_memory(void)
{
    char text[16] = "";
    pid_t child = fork();

    if (!child) {
        strcat(anonymous + PAGE, "+");
        _exit(7);
    }
    waitpid(child, NULL, 0);
    check(pread(memory_fd, text, 6, PAGE) == 6, "memfd");
    printf("memory: %s %s %s", anonymous + PAGE, memory + PAGE, text);
    memset(text, 0, sizeof(text));
    check(pread(shared_fd, text, 6, PAGE) == 6, "shared");
    printf(" %s %s\n", shared + PAGE, text);
    strcpy(shared, "end of shared");
}

static void tell_signals(void)
{
    struct signalfd_siginfo info;
    struct epoll_event events[8];
    sigset_t none;
    int count = 0;

    check(read(signal_fd, &info, sizeof(info)) == sizeof(info), "signalfd");
    printf("signalfd: %u\n", info.ssi_signo == SIGUSR2);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    printf("queued: %d\n", (int)queued);
    while (alarms < 3)
        pause();
    for (int i = 0; i < 100 && count < 3; i++)
        count = epoll_wait(epoll_fd, events, 8, 100);
    printf("epoll: %d\n", count);
}

static void *wait_for_me(void *arg)
{
    pthread_mutex_t *mutex = arg;

    pthread_mutex_lock(mutex);
    compute(1000);
    pthread_mutex_unlock(mutex);
    return NULL;
}

int main(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct rlimit limit = {77, 99};
    pthread_t thread;
    pid_t zombie;
    int status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    make_pipes();
    make_files();
    make_fifos();
    make_watches();
    make_memory();
    make_signals();
    send_files();
    setrlimit(RLIMIT_NOFILE, &limit);
    umask(037);
    prctl(PR_SET_NAME, "kept name");
    zombie = fork();
    if (!zombie)
        _exit(42);
    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, wait_for_me, &mutex);
    printf("computing\n");
    for (int i = 0; i < 50; i++) {
        compute(4000);
        raise(SIGUSR1);
    }
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    waitpid(zombie, &status, 0);
    printf("zombie: %d\n", WEXITSTATUS(status));
    tell_pipes();
    tell_sent();
    tell_watches();
    tell_fifos();
    tell_files();
    tell_memory();
    tell_signals();
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("limits: %d %d, umask %o\n", (int)limit.rlim_cur,
           (int)limit.rlim_max, umask(0));
    printf("usr1: %d\n", (int)usr1);
    return 5;
}
