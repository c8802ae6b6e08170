// SPDX-License-Identifier: BSD-3-Clause
/*
 * Writes through a null pointer three calls deep: status 139, and a report
 * with a back-trace.
 *
 * guest-flags: -O0 -g -static
 */
static void bottom(volatile int *where)
{
    *where = 1;
}

static void middle(volatile int *where)
{
    bottom(where);
}

int main(void)
{
    middle((volatile int *)0);
    return 0;
}
