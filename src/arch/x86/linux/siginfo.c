/* SPDX-License-Identifier: BSD-3-Clause */
/* siginfo_t in the layouts of 64-bit and 32-bit programs.
 * Source: sigaction(2), "The siginfo_t argument to a SA_SIGINFO handler". */
#include <signal.h>
#include <string.h>

#include "arch/x86/linux/signal.h"

enum siginfo_kind { BY_KILL, BY_FAULT, BY_CHILD, BY_TIMER, BY_QUEUE };

static enum siginfo_kind siginfo_kind_of(const struct signal_info *info)
{
    if (info->code == SI_TIMER)
        return BY_TIMER;
    if (info->code == SI_QUEUE || info->code == SI_MESGQ)
        return BY_QUEUE;
    if (info->code <= 0)
        return BY_KILL;
    switch (info->signo) {
    case SIGCHLD:
        return BY_CHILD;
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
        return BY_FAULT;
    default:
        return BY_KILL;
    }
}

static void put32(uint8_t *out, unsigned at, uint64_t value)
{
    uint32_t word = (uint32_t)value;

    memcpy(out + at, &word, sizeof(word));
}

static void put64(uint8_t *out, unsigned at, uint64_t value)
{
    memcpy(out + at, &value, sizeof(value));
}

static void siginfo_head(const struct signal_info *info, uint8_t *out)
{
    memset(out, 0, SIGINFO_SIZE);
    put32(out, 0, (uint32_t)info->signo);
    put32(out, 4, (uint32_t)info->error);
    put32(out, 8, (uint32_t)info->code);
}

void signal_info_encode(const struct signal_info *info, uint8_t out[128])
{
    siginfo_head(info, out);
    switch (siginfo_kind_of(info)) {
    case BY_FAULT:
        put64(out, 16, info->addr);
        break;
    case BY_CHILD:
        put32(out, 16, info->pid);
        put32(out, 20, info->uid);
        put32(out, 24, (uint32_t)info->status);
        put64(out, 32, info->utime);
        put64(out, 40, info->stime);
        break;
    case BY_TIMER:
    case BY_QUEUE:
    case BY_KILL:
        put32(out, 16, info->pid);
        put32(out, 20, info->uid);
        put64(out, 24, info->value);
        break;
    }
}

void signal_info_encode_32(const struct signal_info *info, uint8_t out[128])
{
    siginfo_head(info, out);
    switch (siginfo_kind_of(info)) {
    case BY_FAULT:
        put32(out, 12, info->addr);
        break;
    case BY_CHILD:
        put32(out, 12, info->pid);
        put32(out, 16, info->uid);
        put32(out, 20, (uint32_t)info->status);
        put32(out, 24, info->utime);
        put32(out, 28, info->stime);
        break;
    case BY_TIMER:
    case BY_QUEUE:
    case BY_KILL:
        put32(out, 12, info->pid);
        put32(out, 16, info->uid);
        put32(out, 20, info->value);
        break;
    }
}

void signal_info_decode(const uint8_t in[128], struct signal_info *info)
{
    memset(info, 0, sizeof(*info));
    memcpy(&info->signo, in, 4);
    memcpy(&info->error, in + 4, 4);
    memcpy(&info->code, in + 8, 4);
    memcpy(&info->pid, in + 16, 4);
    memcpy(&info->uid, in + 20, 4);
    memcpy(&info->value, in + 24, 8);
    info->addr = (uint64_t)info->uid << 32 | info->pid;
}
