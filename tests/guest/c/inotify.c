/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is told of changes that this process and its child make.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

/* Print what waits; rename numbers as 1, 2 ... in order. */
static void show(const char *what, int fd)
{
    _Alignas(8) char buffer[8192];
    static uint32_t cookies[20], num_cookies;
    ssize_t got;

    printf("%s:\n", what);
    while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(buffer + at);
            uint32_t cookie = 0;

            while (event->cookie && cookie < num_cookies &&
                   cookies[cookie] != event->cookie)
                cookie++;
            if (event->cookie && cookie == num_cookies)
                cookies[num_cookies++] = event->cookie;
            printf("  %d %x %d %d '%s'\n", event->wd, event->mask,
                   event->cookie ? (int)cookie + 1 : 0, (int)event->len,
                   event->len ? event->name : "");
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

static void names(int fd)
{
    int file;

    mkdir("d", 0755);
    printf("%d ", inotify_add_watch(fd, "d", IN_ALL_EVENTS));
    printf("%d\n", inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE));
    file = open("d/a", O_CREAT | O_WRONLY, 0644);
    show("create", fd);
    (void)!write(file, "abc", 3);
    (void)!write(file, "def", 3);
    close(file);
    show("write", fd);
    file = open("d/a", O_RDONLY);
    (void)!read(file, &(char){0}, 1);
    close(file);
    show("read", fd);
    chmod("d/a", 0600);
    (void)!truncate("d/a", 2);
    show("change", fd);
    rename("d/a", "d/b");
    show("rename", fd);
    rename("d/b", "c");
    rename("c", "d/a");
    show("in and out", fd);
    (void)!link("d/a", "d/l");
    (void)!symlink("a", "d/s");
    mkfifo("d/p", 0600);
    mkdir("d/sub", 0700);
    show("make", fd);
    unlink("d/l");
    unlink("d/s");
    unlink("d/p");
    rmdir("d/sub");
    show("remove", fd);
}

static void objects(int fd)
{
    int file, wd = inotify_add_watch(fd, "d/a", IN_ALL_EVENTS);

    printf("%d %d\n", wd, inotify_add_watch(fd, "d/a", IN_ALL_EVENTS) == wd);
    file = open("d/a", O_WRONLY | O_APPEND);
    (void)!write(file, "x", 1);
    show("both", fd);
    rename("d/a", "d/z");
    show("move self", fd);
    unlink("d/z");
    show("unlinked, open", fd);
    close(file);
    show("closed", fd);
    file = open("d/one", O_CREAT | O_RDWR, 0644);
    inotify_add_watch(fd, "d/one", IN_MODIFY | IN_ONESHOT);
    (void)!write(file, "x", 1);
    (void)!write(file, "y", 1);
    close(file);
    show("one shot", fd);
    file = open("d/two", O_CREAT | O_RDWR, 0644);
    close(file);
    inotify_add_watch(fd, "d/two", IN_DELETE_SELF | IN_ATTRIB);
    rename("d/one", "d/two");
    show("replace", fd);
}

static void queue(int fd)
{
    char small[10];
    int bytes;

    fflush(stdout);
    if (fork() == 0) {
        close(open("d/from-child", O_CREAT | O_WRONLY, 0644));
        _exit(0);
    }
    wait(NULL);
    ioctl(fd, FIONREAD, &bytes);
    printf("%d bytes, %s\n", bytes, name_of((int)read(fd, small, 10)));
    show("child", fd);
    printf("%s ", name_of(inotify_rm_watch(fd, 1)));
    printf("%s\n", name_of(inotify_rm_watch(fd, 1)));
    show("ignored", fd);
    unlink("d/from-child");
    unlink("d/two");
    rmdir("d");
    show("outside", fd);
}

static void errors(int fd)
{
    printf("%s ", name_of(inotify_init1(12345)));
    printf("%s ", name_of(inotify_add_watch(0, ".", IN_CREATE)));
    printf("%s ", name_of(inotify_add_watch(fd, "none", IN_CREATE)));
    printf("%s ", name_of(inotify_add_watch(fd, ".", 0)));
    printf("%s ", name_of(inotify_add_watch(fd, "/etc/passwd",
                                            IN_CREATE | IN_ONLYDIR)));
    printf("%s\n",
           name_of(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE)));
}

/* A reader that waits. */
static void waiting(void)
{
    int fd = inotify_init();
    _Alignas(8) char buffer[400];
    struct pollfd ask = {.fd = fd, .events = POLLIN};

    inotify_add_watch(fd, ".", IN_CREATE);
    fflush(stdout);
    if (fork() == 0) {
        usleep(10000);
        mkdir("later", 0700);
        _exit(0);
    }
    printf("%d", poll(&ask, 1, 0));
    printf(" %d", poll(&ask, 1, -1));
    printf(" %d\n", (int)read(fd, buffer, sizeof(buffer)));
    wait(NULL);
}

int main(void)
{
    int fd = inotify_init1(IN_NONBLOCK);

    names(fd);
    objects(fd);
    queue(fd);
    errors(fd);
    waiting();
    return 0;
}
