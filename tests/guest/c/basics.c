/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libc's ways to the kernel in a static program, 64-bit and 32-bit.
 *
 * guest-flags: -O1 -static -lm
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int caught;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)context;
    caught = sig * 1000 + info->si_code;
}

static void files(void)
{
    struct stat st;
    char text[64] = "";
    FILE *file = fopen("f", "w+");

    fprintf(file, "%d %s %.3f\n", 42, "text", 2.5);
    rewind(file);
    printf("%s", fgets(text, sizeof(text), file));
    fclose(file);
    if (stat("f", &st))
        return;
    printf("%ld %o\n", (long)st.st_size, (unsigned)st.st_mode);
    if (open("/nonexistent/x", O_RDONLY) < 0)
        printf("%d\n", errno);
    printf("%d\n", rename("f", "g"));
    printf("%d %s\n", mkdir("d", 0755), getcwd(text, 3) ? "" : strerror(errno));
    printf("%d %d\n", rmdir("d"), unlink("g"));
}

static void processes(void)
{
    int fds[2], status;
    char text[8] = "";
    pid_t pid;

    if (pipe(fds))
        return;
    fflush(stdout);
    pid = fork();
    if (!pid) {
        ssize_t put = write(fds[1], "child", 6);

        _exit(put == 6 ? 7 : 8);
    }
    printf("%d\n", waitpid(pid, &status, 0) == pid);
    printf("%zd %s %x\n", read(fds[0], text, sizeof(text)), text, status);
    printf("%d\n", system("exit 3") >> 8);
}

static void signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO};
    struct timespec brief = {0, 1000000};

    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("%d\n", caught);
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    printf("%d\n", nanosleep(&brief, NULL));
}

int main(int argc, char **argv)
{
    double values[3] = {1.5, -2.25, 1e10};
    volatile double zero = 0;

    printf("%d %s\n", argc, argv[argc]);
    for (int i = 0; i < 3; i++)
        printf("%g %.17g\n", values[i] / 3, sqrt(fabs(values[i])));
    printf("%d %lld\n", isnan(zero / zero), (long long)(values[2] * 7));
    files();
    processes();
    signals();
    printf("%lu\n", (unsigned long)strlen(malloc(100) ? "x" : ""));
    return 11;
}
