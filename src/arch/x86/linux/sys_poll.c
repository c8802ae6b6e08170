/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for files: poll, select, epoll; eventfd. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/file_event.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/timer.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* ------------------------------------------------------------ times and masks
 */

/* Milliseconds; negative: for ever. */
static tick_t poll_deadline_ms(const struct syscall *call, int ms)
{
    if (ms < 0)
        return TICK_MAX;
    return timer_deadline(call->kernel, (uint64_t)ms * 1000000, TIMER_RELATIVE);
}

static int poll_deadline_at(const struct syscall *call, uint64_t addr,
                            enum time_format format, tick_t *deadline)
{
    uint64_t ns;
    int error;

    *deadline = TICK_MAX;
    if (!addr)
        return 0;
    error = timer_read_time(call->mm, addr, format, &ns);
    if (!error)
        *deadline = timer_deadline(call->kernel, ns, TIMER_RELATIVE);
    return error;
}

/* The mask in force during the call; kept over wake-ups. */
static int poll_set_mask(struct syscall *call, uint64_t addr)
{
    struct thread *thread = call->thread;
    uint64_t mask;

    if (!addr || thread->wait.has_saved_mask)
        return 0;
    if (uaccess_get(call->mm, addr, mask))
        return -EFAULT;
    thread->wait.saved_mask = thread->sigmask;
    thread->wait.has_saved_mask = true;
    thread->sigmask = mask & ~UNBLOCKABLE;
    return 0;
}

/* Nothing is ready: wait, or tell that time is up. */
static int64_t poll_wait(struct syscall *call, tick_t deadline)
{
    int64_t result = syscall_wait_any(call, deadline);

    if (result == -ETIMEDOUT)
        return 0;
    return result == SYSCALL_RESTART ? SYSCALL_RESTART_NO_HANDLER : result;
}

/* ----------------------------------------------------------------------- poll
 */

static int64_t poll_check(struct syscall *call, struct pollfd *fds,
                          uint64_t count)
{
    int64_t ready = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct file *file =
            fds[i].fd < 0 ? NULL : syscall_file(call, (uint64_t)fds[i].fd);
        uint32_t wanted = (uint16_t)fds[i].events | POLLERR | POLLHUP;

        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        fds[i].revents = (short)(file ? file_poll(file) & wanted : POLLNVAL);
        ready += fds[i].revents != 0;
    }
    return ready;
}

static int64_t poll_any(struct syscall *call, tick_t deadline)
{
    uint64_t count = (uint32_t)call->arg[1];
    struct pollfd *fds;
    int64_t ready;

    if (count > call->process->files->limit)
        return -EINVAL;
    fds = alloc_zeroed(count, sizeof(*fds));
    ready = uaccess_read(call->mm, call->arg[0], fds, count * sizeof(*fds));
    if (!ready) {
        ready = poll_check(call, fds, count);
        if (!ready)
            ready = poll_wait(call, deadline);
        if (ready >= 0 &&
            uaccess_write(call->mm, call->arg[0], fds, count * sizeof(*fds)))
            ready = -EFAULT;
    }
    mem_free(fds);
    return ready;
}

static int64_t sys_poll(struct syscall *call)
{
    return poll_any(call, poll_deadline_ms(call, (int)call->arg[2]));
}

static int64_t ppoll_any(struct syscall *call, enum time_format format)
{
    tick_t deadline;
    int error = poll_deadline_at(call, call->arg[2], format, &deadline);

    if (!error)
        error = poll_set_mask(call, call->arg[3]);
    return error ? error : poll_any(call, deadline);
}

static int64_t sys_ppoll(struct syscall *call)
{
    return ppoll_any(call, TIME_SPEC64);
}

static int64_t sys_ppoll_32(struct syscall *call)
{
    return ppoll_any(call, TIME_SPEC32);
}

/* --------------------------------------------------------------------- select
 */

enum { SELECT_SETS = 3, SELECT_MAX = 1024, SELECT_WORDS = SELECT_MAX / 64 };

static const uint32_t select_events[SELECT_SETS] = {
    POLLIN | POLLRDNORM | POLLHUP | POLLERR,
    POLLOUT | POLLWRNORM | POLLERR,
    POLLPRI,
};

struct select_sets {
    uint64_t wanted[SELECT_SETS][SELECT_WORDS];
    uint64_t ready[SELECT_SETS][SELECT_WORDS];
};

static int64_t select_check(struct syscall *call, struct select_sets *sets,
                            uint32_t count)
{
    int64_t ready = 0;

    for (uint32_t i = 0; i < count * SELECT_SETS; i++) {
        uint32_t fd = i / SELECT_SETS, set = i % SELECT_SETS;
        uint64_t bit = UINT64_C(1) << (fd % 64);
        struct file *file;

        if (!(sets->wanted[set][fd / 64] & bit))
            continue;
        file = syscall_file(call, fd);
        if (!file)
            return -EBADF;
        if (file_poll(file) & select_events[set]) {
            sets->ready[set][fd / 64] |= bit;
            ready++;
        }
    }
    return ready;
}

static int64_t select_any(struct syscall *call, tick_t deadline)
{
    uint64_t count = call->arg[0] < SELECT_MAX ? call->arg[0] : SELECT_MAX;
    uint64_t bytes = (count + 63) / 64 * 8;
    struct select_sets sets = {0};
    int64_t ready;

    if ((int)call->arg[0] < 0)
        return -EINVAL;
    for (int set = 0; set < SELECT_SETS; set++) {
        if (call->arg[1 + set] &&
            uaccess_read(call->mm, call->arg[1 + set], sets.wanted[set], bytes))
            return -EFAULT;
    }
    ready = select_check(call, &sets, (uint32_t)count);
    if (!ready)
        ready = poll_wait(call, deadline);
    for (int set = 0; ready >= 0 && set < SELECT_SETS; set++) {
        if (call->arg[1 + set] &&
            uaccess_write(call->mm, call->arg[1 + set], sets.ready[set], bytes))
            return -EFAULT;
    }
    return ready;
}

static int64_t select_timed(struct syscall *call, enum time_format format)
{
    tick_t deadline;
    int error = poll_deadline_at(call, call->arg[4], format, &deadline);

    return error ? error : select_any(call, deadline);
}

static int64_t sys_select(struct syscall *call)
{
    return select_timed(call, TIME_VAL64);
}

static int64_t sys_select_32(struct syscall *call)
{
    return select_timed(call, TIME_VAL32);
}

static int64_t pselect_any(struct syscall *call, enum time_format format)
{
    uint64_t wide[2] = {0, 0};
    uint32_t narrow[2];
    int error = 0;

    if (call->arg[5] && call->is_32) {
        error = uaccess_get(call->mm, call->arg[5], narrow);
        wide[0] = error ? 0 : narrow[0];
    } else if (call->arg[5]) {
        error = uaccess_get(call->mm, call->arg[5], wide);
    }
    if (!error)
        error = poll_set_mask(call, wide[0]);
    return error ? error : select_timed(call, format);
}

static int64_t sys_pselect6(struct syscall *call)
{
    return pselect_any(call, TIME_SPEC64);
}

static int64_t sys_pselect6_32(struct syscall *call)
{
    return pselect_any(call, TIME_SPEC32);
}

/* ---------------------------------------------------------------------- epoll
 */

static int64_t epoll_create_with(struct syscall *call, uint32_t flags)
{
    return fd_table_add(call->process->files,
                        file_epoll_create(call->kernel, O_RDWR), 0, flags);
}

static int64_t sys_epoll_create(struct syscall *call)
{
    return (int)call->arg[0] > 0 ? epoll_create_with(call, 0) : -EINVAL;
}

static int64_t sys_epoll_create1(struct syscall *call)
{
    if (call->arg[0] & ~(uint64_t)EPOLL_CLOEXEC)
        return -EINVAL;
    return epoll_create_with(call, (uint32_t)call->arg[0]);
}

static int64_t sys_epoll_ctl(struct syscall *call)
{
    struct file *epoll = syscall_file(call, call->arg[0]);
    struct file *target = syscall_file(call, call->arg[2]);
    struct epoll_event event = {0};
    struct epoll_item_event item;

    if (!epoll || !target)
        return -EBADF;
    if (!file_is_epoll(epoll))
        return -EINVAL;
    if ((int)call->arg[1] != EPOLL_CTL_DEL &&
        uaccess_get(call->mm, call->arg[3], event))
        return -EFAULT;
    item.events = event.events;
    item.data = event.data.u64;
    return file_epoll_control(epoll, (int)call->arg[1], (uint32_t)call->arg[2],
                              target, &item);
}

static int64_t epoll_wait_any(struct syscall *call, tick_t deadline)
{
    enum { MAX_EVENTS = 256 };
    struct file *epoll = syscall_file(call, call->arg[0]);
    struct epoll_item_event items[MAX_EVENTS];
    int max = (int)call->arg[2], count;

    if (!epoll)
        return -EBADF;
    if (!file_is_epoll(epoll) || max <= 0)
        return -EINVAL;
    count =
        file_epoll_collect(epoll, items, max < MAX_EVENTS ? max : MAX_EVENTS);
    if (!count)
        return poll_wait(call, deadline);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = items[i].events,
                                    .data.u64 = items[i].data};

        if (uaccess_put(call->mm, call->arg[1] + (uint64_t)i * sizeof(event),
                        event))
            return -EFAULT;
    }
    return count;
}

static int64_t sys_epoll_wait(struct syscall *call)
{
    return epoll_wait_any(call, poll_deadline_ms(call, (int)call->arg[3]));
}

static int64_t sys_epoll_pwait(struct syscall *call)
{
    int error = poll_set_mask(call, call->arg[4]);

    return error ? error : sys_epoll_wait(call);
}

static int64_t sys_epoll_pwait2(struct syscall *call)
{
    tick_t deadline;
    int error = poll_deadline_at(call, call->arg[3], TIME_SPEC64, &deadline);

    if (!error)
        error = poll_set_mask(call, call->arg[4]);
    return error ? error : epoll_wait_any(call, deadline);
}

/* -------------------------------------------------------------------- eventfd
 */

static int64_t sys_eventfd2(struct syscall *call)
{
    uint32_t flags = (uint32_t)call->arg[1];

    if (flags & ~(uint32_t)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        return -EINVAL;
    return fd_table_add(
        call->process->files,
        file_eventfd_create(call->kernel, (uint32_t)call->arg[0], flags), 0,
        flags & EFD_CLOEXEC);
}

static int64_t sys_eventfd(struct syscall *call)
{
    call->arg[1] = 0;
    return sys_eventfd2(call);
}

const struct syscall_row sys_poll_rows[] = {
    SYSCALL_ROW(poll, "pud"),
    SYSCALL_ROW_BOTH(ppoll, "puppu"),
    SYSCALL_ROW_32(ppoll_time64, "puppu", sys_ppoll),
    SYSCALL_ROW_64(select, "dpppp"),
    SYSCALL_ROW_32(_newselect, "dpppp", sys_select_32),
    SYSCALL_ROW_BOTH(pselect6, "dppppp"),
    SYSCALL_ROW_32(pselect6_time64, "dppppp", sys_pselect6),
    SYSCALL_ROW(epoll_create, "d"),
    SYSCALL_ROW(epoll_create1, "x"),
    SYSCALL_ROW(epoll_ctl, "fdfp"),
    SYSCALL_ROW(epoll_wait, "fpdd"),
    SYSCALL_ROW(epoll_pwait, "fpddpu"),
    SYSCALL_ROW(epoll_pwait2, "fpdppu"),
    SYSCALL_ROW(eventfd, "u"),
    SYSCALL_ROW(eventfd2, "ux"),
    SYSCALL_END,
};
