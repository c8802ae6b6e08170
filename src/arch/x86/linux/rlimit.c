/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/rlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arch/x86/linux/cpu_timer.h"
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"

/* ------------------------------------------------------------------ CPU time
 */

void rlimit_arm_cpu(struct process *process)
{
    uint64_t seconds = process->rlimits[RLIMIT_CPU][0];

    if (seconds < TICK_MAX / TICKS_PER_SECOND)
        cpu_timer_arm(&process->cpu_limit, seconds * TICKS_PER_SECOND);
    else
        cpu_timer_cancel(&process->cpu_limit);
}

void rlimit_cpu_reached(struct cpu_timer *timer)
{
    struct process *process = timer->process;
    uint64_t *limit = process->rlimits[RLIMIT_CPU];
    uint64_t used = cpu_timer_clock(timer) / TICKS_PER_SECOND;
    struct signal_info info = {.signo = SIGXCPU, .code = SI_KERNEL};

    if (used >= limit[1]) {
        info.signo = SIGKILL;
    } else {
        /* As in Linux, the program sees the soft limit grow. */
        limit[0]++;
        rlimit_arm_cpu(process);
    }
    signal_send_process(process, &info);
}

/* ----------------------------------------------------------------- processes
 */

/* A process that nobody waited for yet counts, too. */
static uint64_t rlimit_count(const struct kernel *kernel, uint32_t user)
{
    uint64_t count = 0;

    for (const struct process *p = kernel->processes; p; p = p->next) {
        if (p->ids.user[ID_REAL] == user)
            count += p->num_threads ? p->num_threads : 1;
    }
    return count;
}

int rlimit_check_fork(const struct process *process)
{
    uint32_t user = process->ids.user[ID_REAL];

    if (!user || !process->ids.user[ID_EFFECTIVE])
        return 0;
    return rlimit_count(process->kernel, user) >=
                   process->rlimits[RLIMIT_NPROC][0]
               ? -EAGAIN
               : 0;
}

/* --------------------------------------------------------------------- files
 */

static int rlimit_file_too_big(struct thread *thread)
{
    const struct process *process = thread->process;
    const struct signal_info info = {.signo = SIGXFSZ,
                                     .code = SI_USER,
                                     .pid = process->pid,
                                     .uid = process->ids.user[ID_REAL]};

    signal_send_thread(thread, &info);
    return -EFBIG;
}

static int64_t rlimit_write_start(struct file *file, int64_t offset)
{
    struct stat st;

    if (file->flags & O_APPEND)
        return file_stat(file, &st) ? 0 : (int64_t)st.st_size;
    if (offset >= 0)
        return offset;
    return file->ops->seek ? file->ops->seek(file, 0, SEEK_CUR) : 0;
}

int rlimit_check_write(struct thread *thread, struct file *file, int64_t offset,
                       uint64_t *room)
{
    uint64_t limit = thread->process->rlimits[RLIMIT_FSIZE][0];
    int64_t start;

    *room = UINT64_MAX;
    if (limit == RLIM_INFINITY || !file_is_regular(file))
        return 0;
    start = rlimit_write_start(file, offset);
    if (start < 0)
        return 0; /* the transfer says why */
    if ((uint64_t)start >= limit)
        return rlimit_file_too_big(thread);
    *room = limit - (uint64_t)start;
    return 0;
}

int rlimit_check_size(struct thread *thread, struct file *file, uint64_t size)
{
    struct stat st;

    if (size <= thread->process->rlimits[RLIMIT_FSIZE][0] ||
        !file_is_regular(file) || file_stat(file, &st) ||
        size <= (uint64_t)st.st_size)
        return 0;
    return rlimit_file_too_big(thread);
}
