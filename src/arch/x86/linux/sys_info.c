/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts about the machine, random numbers, and calls that are refused in a way
 * that programs expect. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"

/* What the machine is called follows the personality alone, as in Linux. */
static int64_t sys_uname(struct syscall *call)
{
    bool is_32 = (call->process->personality & PER_MASK) == PER_LINUX32;
    struct utsname name = {.sysname = "Linux",
                           .nodename = "gearshift",
                           .version = "#1 SMP",
                           .domainname = "(none)"};

    (void)snprintf(name.release, sizeof(name.release), "%s",
                   call->kernel->cfg.release);
    (void)snprintf(name.machine, sizeof(name.machine), "%s",
                   is_32 ? "i686" : "x86_64");
    return uaccess_put(call->mm, call->arg[0], name);
}

static int64_t sys_sysinfo(struct syscall *call)
{
    const struct frames *frames = call->kernel->frames;
    uint64_t total = frames_total(frames) * FRAME_SIZE;
    struct sysinfo info = {
        .uptime = (long)(kernel_boot_ns(call->kernel) / 1000000000),
        .totalram = total,
        .freeram = total - frames_used(frames) * FRAME_SIZE,
        .procs = (unsigned short)call->kernel->num_threads,
        .mem_unit = 1,
    };
    uint32_t narrow[16] = {0};

    if (!call->is_32)
        return uaccess_put(call->mm, call->arg[0], info);
    narrow[0] = (uint32_t)info.uptime;
    narrow[4] = (uint32_t)(info.totalram / FRAME_SIZE);
    narrow[5] = (uint32_t)(info.freeram / FRAME_SIZE);
    narrow[10] = info.procs;
    narrow[13] = FRAME_SIZE; /* unit */
    return uaccess_put(call->mm, call->arg[0], narrow);
}

static int64_t sys_getrandom(struct syscall *call)
{
    uint64_t len = call->arg[1] < 0x1ffffff ? call->arg[1] : 0x1ffffff;
    uint8_t buffer[256];

    if (call->arg[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    for (uint64_t done = 0; done < len;) {
        uint64_t part =
            len - done < sizeof(buffer) ? len - done : sizeof(buffer);

        kernel_random_bytes(call->kernel, buffer, part);
        if (uaccess_write(call->mm, call->arg[0] + done, buffer, part))
            return done ? (int64_t)done : -EFAULT;
        done += part;
    }
    return (int64_t)len;
}

static int64_t sys_not_permitted(struct syscall *call)
{
    (void)call;
    return -EPERM;
}

static int64_t sys_not_there(struct syscall *call)
{
    (void)call;
    return -ENOSYS;
}

const struct syscall_row sys_info_rows[] = {
    SYSCALL_ROW(uname, "p"),
    SYSCALL_ROW(sysinfo, "p"),
    SYSCALL_ROW(getrandom, "pux"),
    SYSCALL_ROW_ANY(syslog, "dpd", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(mount, "ss", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(umount2, "sx", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(chroot, "s", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(setns, "fx", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(sethostname, "su", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(reboot, "xxx", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(ptrace, "dddd", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(perf_event_open, "pdddx", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(fanotify_init, "xx", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(io_uring_setup, "up", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(userfaultfd, "x", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(landlock_create_ruleset, "pux", sys_not_there,
                    sys_not_there),
    SYSCALL_ROW_ANY(seccomp, "xxp", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(bpf, "xpu", sys_not_permitted, sys_not_permitted),
    SYSCALL_ROW_ANY(keyctl, "dxxxx", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(add_key, "sspud", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(shmget, "dux", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(mq_open, "sxop", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(ioprio_get, "dd", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(ioprio_set, "ddd", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(move_pages, "dupppx", sys_not_there, sys_not_there),
    SYSCALL_ROW_ANY(mbind, "pudpux", sys_not_there, sys_not_there),
    SYSCALL_END,
};
