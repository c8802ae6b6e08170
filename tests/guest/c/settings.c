/* SPDX-License-Identifier: BSD-3-Clause */
/* What prctl sets it gives back, also to a child. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *who)
{
    printf("%s: dumpable %d keepcaps %d privs %d slack %d huge %d\n", who,
           prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS),
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_TIMERSLACK),
           prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    fflush(stdout);
}

int main(void)
{
    show("start");
    printf("%d %d %d %d\n", prctl(PR_SET_DUMPABLE, 0),
           prctl(PR_SET_TIMERSLACK, 1234UL),
           prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0),
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    show("set");
    if (fork() == 0) {
        show("child");
        return 0;
    }
    wait(NULL);
    return 0;
}
