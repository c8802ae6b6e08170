/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors and credentials over socket pairs, and flags of transfers.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name_of(int result)
{
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static int send_fds(int to, const char *text, const int *fds, int count)
{
    char control[CMSG_SPACE(sizeof(int) * 300)] = {0};
    struct iovec vec = {(char *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &vec, .msg_iovlen = 1};
    struct cmsghdr *header;

    if (count) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
    }
    return (int)sendmsg(to, &message, 0);
}

/* Receive into @fds; prints what came. */
static int receive(int from, int *fds, size_t room, int flags)
{
    char text[100] = "", control[2000];
    struct iovec vec = {text, sizeof(text) - 1};
    struct msghdr message = {.msg_iov = &vec,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = room};
    int got = (int)recvmsg(from, &message, flags), count = 0;
    struct cmsghdr *header;

    if (got < 0) {
        printf("%s\n", name_of(got));
        return 0;
    }
    printf("'%s' flags %x control %d", text, (unsigned)message.msg_flags,
           (int)message.msg_controllen);
    for (header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        printf(" [%d %d]", header->cmsg_type, (int)header->cmsg_len);
        if (header->cmsg_type == SCM_RIGHTS) {
            count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
        } else if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred creds;

            memcpy(&creds, CMSG_DATA(header), sizeof(creds));
            printf(" own %d uid %d", creds.pid == getpid(),
                   creds.uid == getuid());
        }
    }
    printf(" %d files\n", count);
    return count;
}

static void pass_a_pipe(void)
{
    int pair[2], ends[2], fds[4];
    char text[10] = "";

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    fflush(stdout);
    if (fork() == 0) {
        (void)!pipe(ends);
        (void)!write(ends[1], "piped", 5);
        send_fds(pair[1], "x", ends, 1);
        _exit(0);
    }
    wait(NULL); /* the sender is gone, the pipe is not */
    receive(pair[0], fds, 200, 0);
    printf("%d ", (int)read(fds[0], text, 9));
    printf("%s\n", text);
    close(fds[0]);
    close(pair[0]);
    close(pair[1]);
}

static void borders(void)
{
    int pair[2], fds[10], files[3] = {0, 1, 2};
    char text[20] = "";

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    send_fds(pair[1], "one", NULL, 0);
    send_fds(pair[1], "two", files, 2);
    send_fds(pair[1], "three", NULL, 0);
    receive(pair[0], fds, 200, 0);
    printf("%d\n", fcntl(fds[0], F_GETFD));
    receive(pair[0], fds, 200, 0);
    send_fds(pair[1], "four", files, 3);
    receive(pair[0], fds, 200, MSG_CMSG_CLOEXEC);
    printf("%d\n", fcntl(fds[2], F_GETFD));
    send_fds(pair[1], "five", files, 3); /* room for one */
    receive(pair[0], fds, CMSG_SPACE(sizeof(int)) - 4, 0);
    send_fds(pair[1], "six", files, 1);
    receive(pair[0], fds, 0, 0);
    send_fds(pair[1], "seven", files, 1);
    printf("%d %s ", (int)read(pair[0], text, 3), "read");
    printf("%s\n", text); /* drops the descriptor */
    receive(pair[0], fds, 200, 0);
    receive(pair[0], fds, 200, MSG_DONTWAIT);
    send_fds(pair[1], "last", files, 1);
    close(pair[1]);
    receive(pair[0], fds, 200, 0);
    receive(pair[0], fds, 200, 0);
    close(pair[0]);
}

/* A descriptor that nobody can receive any more is closed. */
static void receiver_gone(void)
{
    int pair[2], ends[2], ended = 0;
    char text[2];

    for (int i = 0; i < 1100; i++) {
        (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        (void)!pipe2(ends, O_NONBLOCK);
        (void)send_fds(pair[1], "x", &ends[1], 1);
        close(ends[1]);
        close(pair[0]);
        ended += read(ends[0], text, 1) == 0;
        close(ends[0]);
        close(pair[1]);
    }
    printf("%d ended\n", ended);
}

static void errors(void)
{
    int pair[2], bad[300] = {77};
    int flag = 0;
    socklen_t len = sizeof(flag);

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    printf("%s ", name_of(send_fds(pair[1], "x", bad, 1)));
    memset(bad, 0, sizeof(bad));
    printf("%s ", name_of(send_fds(pair[1], "x", bad, 254)));
    printf("%s ", name_of(send_fds(0, "x", NULL, 0)));
    printf("%s %d ",
           name_of(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &flag, &len)),
           flag);
    printf("%s ", name_of(getsockopt(pair[0], SOL_SOCKET, 9999, &flag, &len)));
    printf("%s\n",
           name_of(setsockopt(pair[0], SOL_SOCKET, 9999, &flag, sizeof(flag))));
    close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    printf("%s\n", name_of(send_fds(pair[1], "x", NULL, 0)));
    printf("%s\n", name_of((int)send(pair[1], "x", 1, MSG_NOSIGNAL)));
    close(pair[1]);
}

static void credentials(void)
{
    int pair[2], fds[4], on = 1, file = 0;
    struct ucred peer;
    socklen_t len = sizeof(peer);

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len);
    printf("peer %d %d %d\n", peer.pid == getpid(), peer.uid == getuid(),
           (int)len);
    printf("%s\n", name_of(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on,
                                      sizeof(on))));
    (void)!write(pair[1], "plain", 5);
    receive(pair[0], fds, 200, 0);
    send_fds(pair[1], "a", NULL, 0);
    (void)!write(pair[1], "b", 1);
    fflush(stdout);
    if (fork() == 0) {
        (void)!write(pair[1], "child", 5);
        send_fds(pair[1], "more", &file, 1);
        _exit(0);
    }
    wait(NULL);
    receive(pair[0], fds, 200, 0); /* not joined with the child's */
    receive(pair[0], fds, 200, 0);
    receive(pair[0], fds, 200, MSG_DONTWAIT);
}

static void looking_ahead(void)
{
    int pair[2], fds[4], files[2] = {0, 1};
    char text[20] = "", a[3] = "", b[4] = "";
    struct iovec vec[2] = {
        {a, 2},
        {b, 3}
    };
    struct msghdr message = {.msg_iov = vec, .msg_iovlen = 2};

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    printf("%s\n",
           name_of((int)recv(pair[0], text, 9, MSG_PEEK | MSG_DONTWAIT)));
    (void)!send(pair[1], "abcdef", 6, MSG_MORE);
    printf("%d ", (int)recv(pair[0], text, 4, MSG_PEEK));
    printf("%s ", text);
    printf("%d ", (int)recvmsg(pair[0], &message, MSG_PEEK));
    printf("%s %s ", a, b);
    printf("%d ", (int)recv(pair[0], text, 3, MSG_TRUNC));
    printf("%d %s\n", (int)recv(pair[0], text, 19, 0), text);
    send_fds(pair[1], "peeked", files, 2);
    receive(pair[0], fds, 200, MSG_PEEK);
    printf("%d\n", close(fds[1]));
    receive(pair[0], fds, 200, 0);
    printf("%d\n", close(fds[1]));
    receive(pair[0], fds, 200, MSG_PEEK | MSG_DONTWAIT);
}

/* Two messages with descriptors over buffers that end where they do. */
static void several_buffers(void)
{
    int pair[2], file = 0;
    char a[2] = "", b[9] = "", control[200];
    struct iovec vec[2] = {
        {a, 1},
        {b, 8}
    };
    struct msghdr message = {.msg_iov = vec,
                             .msg_iovlen = 2,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    send_fds(pair[1], "1", &file, 1);
    send_fds(pair[1], "2", &file, 1);
    printf("%d ", (int)recvmsg(pair[0], &message, 0));
    printf("%s|%s %d\n", a, b, (int)message.msg_controllen);
    message.msg_controllen = sizeof(control);
    printf("%d ", (int)recvmsg(pair[0], &message, MSG_WAITALL));
    printf("%s|%s %d\n", a, b, (int)message.msg_controllen);
}

static void waiting_for_all(void)
{
    int pair[2], file = 0;
    char text[20] = "";

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    fflush(stdout);
    if (fork() == 0) {
        (void)!write(pair[1], "one", 3);
        usleep(20000);
        (void)!write(pair[1], "two", 3);
        usleep(20000);
        send_fds(pair[1], "x", &file, 1);
        _exit(0);
    }
    printf("%d ", (int)recv(pair[0], text, 6, MSG_WAITALL));
    printf("%s ", text);
    printf("%d ", (int)recv(pair[0], text, 6, MSG_WAITALL));
    wait(NULL);
    (void)!write(pair[1], "rest", 4);
    close(pair[1]);
    memset(text, 0, sizeof(text));
    printf("%d ", (int)recv(pair[0], text, 6, MSG_WAITALL));
    printf("%s ", text);
    printf("%d\n", (int)recv(pair[0], text, 6, MSG_WAITALL));
}

static void names(void)
{
    int pair[2];
    union {
        struct sockaddr any;
        char bytes[20];
    } name;
    socklen_t len = sizeof(name);
    char text[4];

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    memset(&name, 7, sizeof(name));
    printf("%s ", name_of(getsockname(pair[0], &name.any, &len)));
    printf("%d %d ", name.any.sa_family, (int)len);
    len = 1;
    printf("%s ", name_of(getpeername(pair[0], &name.any, &len)));
    printf("%d ", (int)len);
    len = (socklen_t)-1;
    printf("%s ", name_of(getpeername(pair[0], &name.any, &len)));
    (void)!write(pair[1], "abc", 3);
    len = sizeof(name);
    printf("%d ", (int)recvfrom(pair[0], text, 3, 0, &name.any, &len));
    printf("%d ", (int)len);
    name.any.sa_family = AF_UNIX;
    printf("%s ", name_of((int)sendto(pair[0], "x", 1, 0, &name.any, 10)));
    printf("%s ", name_of((int)sendto(pair[0], "x", 1, 0, &name.any, 0)));
    printf("%s ", name_of((int)sendto(0, "x", 1, 0, &name.any, 10)));
    printf("%s ", name_of(listen(pair[0], 1)));
    printf("%s ", name_of(accept(pair[0], NULL, NULL)));
    printf("%s\n", name_of((int)recv(pair[0], text, 1, MSG_OOB)));
    printf("%s ", name_of(shutdown(pair[0], 7)));
    printf("%s\n", name_of(shutdown(pair[1], SHUT_WR)));
}

#ifdef __i386__
/* Libraries use socketcall(2) or the direct calls, by their age. */
static void both_ways(void)
{
    int pair[2];
    char text[8] = "";
    struct iovec vec = {text, 7};
    struct msghdr message = {.msg_iov = &vec, .msg_iovlen = 1};
    unsigned long make[4] = {AF_UNIX, SOCK_STREAM, 0, (unsigned long)pair};
    unsigned long args[6] = {0, (unsigned long)"abcdef", 6};

    printf("%s ", name_of((int)syscall(SYS_socketcall, 8, make)));
    args[0] = (unsigned long)pair[1];
    printf("%d ", (int)syscall(SYS_socketcall, 9, args));
    printf("%d ", (int)syscall(SYS_recvmsg, pair[0], &message, 0));
    printf("%s ", text);
    close(pair[0]);
    close(pair[1]);
    printf("%s ", name_of((int)syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0,
                                       pair)));
    printf("%d ", (int)syscall(SYS_sendto, pair[1], "direct", 6, 0, NULL, 0));
    args[0] = (unsigned long)pair[0];
    args[1] = (unsigned long)text;
    printf("%d %s ", (int)syscall(SYS_socketcall, 10, args), text);
    printf("%s ", name_of((int)syscall(SYS_socketcall, 0, args)));
    printf("%s ", name_of((int)syscall(SYS_socketcall, 99, args)));
    printf("%s\n", name_of((int)syscall(SYS_socketcall, 9, 16)));
}
#endif

int main(void)
{
    pass_a_pipe();
    borders();
    receiver_gone();
    errors();
    credentials();
    looking_ahead();
    several_buffers();
    waiting_for_all();
    names();
#ifdef __i386__
    both_ways();
#endif
    return 0;
}
