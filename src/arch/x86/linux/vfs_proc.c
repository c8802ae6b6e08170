/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names that the simulator makes: /proc, /sys/devices/system/cpu, /dev.  A row
 * per name; "#" in a pattern stands for a process number, "%" for any other
 * number.  The host's own /proc, /sys and /dev are never looked at.
 * Source: proc(5).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/linux/elf.h"
#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

/* What a row's function gets. */
struct made {
    struct kernel *kernel;
    struct process *process; /* the one that "#" names, or the caller */
    uint32_t number;         /* the one that "%" stands for */
    char *text;              /* grows */
    size_t len;
};

struct made_row {
    const char *pattern;
    enum vfs_made kind;
    void (*fill)(struct made *made);
    const char *fixed; /* the text, if there is no function */
};

static void made_printf(struct made *made, const char *fmt, ...)
    SIM_PRINTF(2, 3);

static void made_printf(struct made *made, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    made->text = alloc_resize(made->text, made->len + (size_t)len + 1, 1);
    va_start(args, fmt);
    (void)vsnprintf(made->text + made->len, (size_t)len + 1, fmt, args);
    va_end(args);
    made->len += (size_t)len;
}

/* ------------------------------------------------------------- /proc/<pid>/...
 */

static void made_map_line(struct made *made, const struct vma *vma)
{
    const struct vm_object *object = vma->object;
    const char *name = object                   ? object->path
                       : vma->flags & VMA_HEAP  ? "[heap]"
                       : vma->flags & VMA_STACK ? "[stack]"
                                                : "";
    uint64_t dev = object ? object->dev : 0;
    size_t start = made->len;

    made_printf(
        made, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu",
        (unsigned long long)vma->start, (unsigned long long)vma->end,
        vma->prot & MM_READ ? 'r' : '-', vma->prot & MM_WRITE ? 'w' : '-',
        vma->prot & MM_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
        (unsigned long long)vma->offset, (unsigned)((dev >> 8) & 0xfff),
        (unsigned)(dev & 0xff), (unsigned long long)(object ? object->ino : 0));
    if (*name)
        made_printf(made, "%*s%s", (int)(73 - (made->len - start)), "", name);
    made_printf(made, "%s", *name ? "\n" : " \n");
}

static void made_maps(struct made *made)
{
    for (uint32_t i = 0; made->process->mm && i < made->process->mm->num_vmas;
         i++)
        made_map_line(made, &made->process->mm->vmas[i]);
}

static void made_exe(struct made *made)
{
    made_printf(made, "%s", made->process->exe ? made->process->exe : "");
}

static void made_cwd(struct made *made)
{
    made_printf(made, "%s", made->process->fs ? made->process->fs->cwd : "/");
}

static void made_comm(struct made *made)
{
    made_printf(made, "%s\n",
                made->process->threads ? made->process->threads->comm : "");
}

static char made_state(const struct process *process)
{
    if (process->is_zombie)
        return 'Z';
    if (process->is_stopped)
        return 'T';
    return process->threads && process->threads->run_state == THREAD_WAITING
               ? 'S'
               : 'R';
}

static int made_nice(const struct process *process)
{
    return process->threads ? process->threads->nice : 0;
}

/* Source: proc(5), field 18. */
static int made_priority(const struct process *process)
{
    int rt = process->threads ? (int)process->threads->rt_priority : 0;

    return rt ? -1 - rt : 20 + made_nice(process);
}

static void made_stat(struct made *made)
{
    const struct process *p = made->process;
    uint64_t run = process_run_ticks(p) / (TICKS_PER_SECOND / 100);
    const struct mm *mm = p->mm;

    made_printf(made,
                "%u (%s) %c %u %u %u 0 -1 4194304 %llu 0 0 0 %llu 0 0 0 "
                "%d %d %u 0 %llu %llu %llu 18446744073709551615 ",
                p->pid, p->threads ? p->threads->comm : "", made_state(p),
                p->parent ? p->parent->pid : 1, p->pgid, p->sid,
                (unsigned long long)p->min_faults, (unsigned long long)run,
                made_priority(p), made_nice(p), p->num_threads,
                (unsigned long long)(p->start / (TICKS_PER_SECOND / 100)),
                (unsigned long long)(mm ? mm->total : 0),
                (unsigned long long)(mm ? mm->resident / FRAME_SIZE : 0));
    made_printf(made,
                "%llu %llu %llu 0 0 0 0 0 0 0 0 0 %u 0 %u %u 0 0 0 0 0 0 0 "
                "0 0 0 0 0\n",
                (unsigned long long)(mm ? mm->code_start : 0),
                (unsigned long long)(mm ? mm->code_end : 0),
                (unsigned long long)(mm ? mm->stack_start : 0), p->exit_signal,
                p->threads ? p->threads->rt_priority : 0,
                p->threads ? p->threads->policy : 0);
}

static void made_statm(struct made *made)
{
    const struct mm *mm = made->process->mm;

    made_printf(made, "%llu %llu 0 0 0 0 0\n",
                (unsigned long long)(mm ? mm->total / FRAME_SIZE : 0),
                (unsigned long long)(mm ? mm->resident / FRAME_SIZE : 0));
}

static void made_status(struct made *made)
{
    const struct process *p = made->process;
    const struct process_ids *ids = &p->ids;
    const struct mm *mm = p->mm;

    made_printf(made,
                "Name:\t%s\nUmask:\t%04o\nState:\t%c\nTgid:\t%u\n"
                "Pid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
                p->threads ? p->threads->comm : "", p->fs ? p->fs->umask : 0,
                made_state(p), p->pid, p->pid, p->parent ? p->parent->pid : 1);
    made_printf(made, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n",
                ids->user[0], ids->user[1], ids->user[2], ids->user[3],
                ids->group[0], ids->group[1], ids->group[2], ids->group[3]);
    made_printf(
        made,
        "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\n"
        "VmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\nThreads:\t%u\n",
        (unsigned long long)(mm ? mm->total / 1024 : 0),
        (unsigned long long)(mm ? mm->total / 1024 : 0),
        (unsigned long long)(mm ? mm_locked(mm, 0, mm->task_size) / 1024 : 0),
        (unsigned long long)(mm ? mm->max_resident / 1024 : 0),
        (unsigned long long)(mm ? mm->resident / 1024 : 0), p->num_threads);
    made_printf(made, "Cpus_allowed_list:\t0-%u\n",
                made->kernel->num_cpus ? made->kernel->num_cpus - 1 : 0);
}

/* Bytes of the program's memory, as they are. */
static void made_memory(struct made *made, uint64_t start, uint64_t end)
{
    uint64_t len = end > start ? end - start : 0;

    made->text = alloc_resize(made->text, len + 1, 1);
    if (!made->process->mm ||
        uaccess_read(made->process->mm, start, made->text, len))
        len = 0;
    made->text[len] = '\0';
    made->len = len;
}

static void made_cmdline(struct made *made)
{
    const struct mm *mm = made->process->mm;

    made_memory(made, mm ? mm->arg_start : 0, mm ? mm->arg_end : 0);
}

static void made_environ(struct made *made)
{
    const struct mm *mm = made->process->mm;

    made_memory(made, mm ? mm->env_start : 0, mm ? mm->env_end : 0);
}

static void made_auxv(struct made *made)
{
    const struct mm *mm = made->process->mm;

    made_memory(made, mm ? mm->auxv_start : 0,
                mm ? mm->auxv_start + mm->auxv_len : 0);
}

static void made_fd_list(struct made *made)
{
    const struct fd_table *files = made->process->files;

    for (uint32_t i = 0; files && i < files->len; i++) {
        if (files->entries[i].file)
            made_printf(made, "%u\n", i);
    }
}

static struct file *made_fd_file(const struct made *made)
{
    const struct fd_table *files = made->process->files;

    return files ? fd_table_find(files, made->number) : NULL;
}

static void made_fd_link(struct made *made)
{
    const struct file *file = made_fd_file(made);

    if (file)
        made_printf(made, "%s", file->path);
}

static void made_task_list(struct made *made)
{
    for (const struct thread *t = made->process->threads; t; t = t->next)
        made_printf(made, "%u\n", t->tid);
}

static void made_limits(struct made *made)
{
    made_printf(made, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit",
                "Hard Limit", "Units");
}

/* --------------------------------------------------------------- /proc, /sys
 */

static void made_self(struct made *made)
{
    made_printf(made, "%u", made->process->pid);
}

static void made_thread_self(struct made *made)
{
    const struct linux_cpu *cpu = made->kernel->current;

    made_printf(made, "%u/task/%u", made->process->pid,
                cpu && cpu->thread ? cpu->thread->tid : made->process->pid);
}

static void made_proc_list(struct made *made)
{
    made_printf(made, "cpuinfo\nfilesystems\nloadavg\nmeminfo\nmounts\nself\n"
                      "stat\nsys\nthread-self\nuptime\nversion\n");
    for (const struct process *p = made->kernel->processes; p; p = p->next)
        made_printf(made, "%u\n", p->pid);
}

static void made_cpu(struct made *made, uint32_t cpu)
{
    const struct x86_cpuid *cpuid = made->kernel->cfg.cpuid;
    uint64_t period = made->kernel->cpus[cpu]->period;
    double mhz = period ? 1e6 / (double)period : 0;
    char *flags = cpuid ? x86_cpuid_flags_text(cpuid) : alloc_strdup("");
    char vendor[13] = "", brand[49] = "";
    uint32_t signature = 0;

    if (cpuid) {
        struct x86_state *state = alloc_zeroed(2, sizeof(*state));
        struct x86_cpuid_regs regs = x86_cpuid_read(cpuid, state, 0, 0, 0);

        memcpy(vendor, &regs.ebx, 4);
        memcpy(vendor + 4, &regs.edx, 4);
        memcpy(vendor + 8, &regs.ecx, 4);
        signature = x86_cpuid_read(cpuid, state, 0, 1, 0).eax;
        for (uint32_t i = 0; i < 3; i++) {
            regs = x86_cpuid_read(cpuid, state, 0, 0x80000002 + i, 0);
            memcpy(brand + (size_t)i * 16, &regs, 16);
        }
        mem_free(state);
    }
    made_printf(made,
                "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\n"
                "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
                cpu, vendor,
                ((signature >> 8) & 15) + ((signature >> 20) & 0xff),
                ((signature >> 4) & 15) | ((signature >> 12) & 0xf0), brand,
                signature & 15);
    made_printf(made,
                "cpu MHz\t\t: %.3f\ncache size\t: 512 KB\n"
                "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\n"
                "cpu cores\t: %u\nfpu\t\t: yes\nflags\t\t: %s\n"
                "bogomips\t: %.2f\nclflush size\t: 64\n\n",
                mhz, made->kernel->num_cpus, cpu, made->kernel->num_cpus, flags,
                mhz * 2);
    mem_free(flags);
}

static void made_cpuinfo(struct made *made)
{
    for (uint32_t i = 0; i < made->kernel->num_cpus; i++)
        made_cpu(made, i);
}

/* Nothing goes in and out but through the programs' own files. */
static void made_vmstat(struct made *made)
{
    const struct frames *frames = made->kernel->frames;

    made_printf(
        made,
        "nr_free_pages %llu\npgpgin 0\npgpgout 0\npswpin 0\n"
        "pswpout 0\n",
        (unsigned long long)(frames_total(frames) - frames_used(frames)));
}

static void made_meminfo(struct made *made)
{
    uint64_t total = frames_total(made->kernel->frames) * 4;
    uint64_t left = total - frames_used(made->kernel->frames) * 4;

    made_printf(made,
                "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
                "MemAvailable:   %8llu kB\nBuffers:               0 kB\n"
                "Cached:                0 kB\nSwapTotal:             0 kB\n"
                "SwapFree:              0 kB\nHugePages_Total:       0\n"
                "Hugepagesize:       2048 kB\n",
                (unsigned long long)total, (unsigned long long)left,
                (unsigned long long)left);
}

static void made_proc_stat(struct made *made)
{
    uint64_t hz = kernel_now(made->kernel) / (TICKS_PER_SECOND / 100);

    made_printf(made, "cpu  %llu 0 0 0 0 0 0 0 0 0\n",
                (unsigned long long)hz * made->kernel->num_cpus);
    for (uint32_t i = 0; i < made->kernel->num_cpus; i++)
        made_printf(made, "cpu%u %llu 0 0 0 0 0 0 0 0 0\n", i,
                    (unsigned long long)hz);
    made_printf(made, "ctxt %llu\nbtime %llu\nprocesses %llu\n",
                (unsigned long long)made->kernel->num_context_switches,
                (unsigned long long)made->kernel->cfg.start_time_s,
                (unsigned long long)made->kernel->num_forks + 1);
}

static void made_uptime(struct made *made)
{
    made_printf(made, "%.2f 0.00\n",
                (double)kernel_boot_ns(made->kernel) / 1e9);
}

static void made_version(struct made *made)
{
    made_printf(made, "Linux version %s (gearshift) #1 SMP\n",
                made->kernel->cfg.release);
}

static void made_cpu_range(struct made *made)
{
    if (made->kernel->num_cpus > 1)
        made_printf(made, "0-%u\n", made->kernel->num_cpus - 1);
    else
        made_printf(made, "0\n");
}

/* Words of 32 CPUs, the last ones first. */
static void made_cpu_mask(struct made *made)
{
    uint32_t count = made->kernel->num_cpus;

    for (uint32_t word = (count + 31) / 32; word-- > 0;) {
        uint32_t bits = count - word * 32 < 32 ? count - word * 32 : 32;

        made_printf(made, "%08x%s", (uint32_t)((UINT64_C(1) << bits) - 1),
                    word ? "," : "\n");
    }
}

static void made_cpu_list(struct made *made)
{
    for (uint32_t i = 0; i < made->kernel->num_cpus; i++)
        made_printf(made, "cpu%u\n", i);
    made_printf(made, "online\npossible\npresent\n");
}

#define MADE(kind_, pattern_, fill_)                                           \
    {                                                                          \
        .pattern = pattern_, .kind = MADE_##kind_, .fill = fill_               \
    }
#define MADE_TEXT(kind_, pattern_, text_)                                      \
    {                                                                          \
        .pattern = pattern_, .kind = MADE_##kind_, .fixed = text_              \
    }
static const struct made_row made_rows[] = {
    MADE(DIR, "/proc", made_proc_list),
    MADE(LINK, "/proc/self", made_self),
    MADE(LINK, "/proc/thread-self", made_thread_self),
    MADE(FILE, "/proc/cpuinfo", made_cpuinfo),
    MADE(FILE, "/proc/meminfo", made_meminfo),
    MADE(FILE, "/proc/stat", made_proc_stat),
    MADE(FILE, "/proc/vmstat", made_vmstat),
    MADE(FILE, "/proc/uptime", made_uptime),
    MADE(FILE, "/proc/version", made_version),
    MADE(FILE, "/proc/#/maps", made_maps),
    MADE(LINK, "/proc/#/exe", made_exe),
    MADE(LINK, "/proc/#/cwd", made_cwd),
    MADE(FILE, "/proc/#/comm", made_comm),
    MADE(FILE, "/proc/#/stat", made_stat),
    MADE(FILE, "/proc/#/statm", made_statm),
    MADE(FILE, "/proc/#/status", made_status),
    MADE(FILE, "/proc/#/cmdline", made_cmdline),
    MADE(FILE, "/proc/#/environ", made_environ),
    MADE(FILE, "/proc/#/auxv", made_auxv),
    MADE(FILE, "/proc/#/limits", made_limits),
    MADE(DIR, "/proc/#/fd", made_fd_list),
    MADE(LINK, "/proc/#/fd/%", made_fd_link),
    MADE(DIR, "/proc/#/task", made_task_list),
    MADE(FILE, "/proc/#/task/%/comm", made_comm),
    MADE(FILE, "/proc/#/task/%/stat", made_stat),
    MADE(FILE, "/proc/#/task/%/status", made_status),
    MADE(FILE, "/sys/devices/system/node/node0/cpulist", made_cpu_range),
    MADE(FILE, "/sys/devices/system/node/node0/cpumap", made_cpu_mask),
    MADE(DIR, "/sys/devices/system/cpu", made_cpu_list),
    MADE(FILE, "/sys/devices/system/cpu/online", made_cpu_range),
    MADE(FILE, "/sys/devices/system/cpu/possible", made_cpu_range),
    MADE(FILE, "/sys/devices/system/cpu/present", made_cpu_range),
    MADE(DEVICE, "/dev/mem", NULL),
    MADE(DEVICE, "/dev/null", NULL),
    MADE(DEVICE, "/dev/zero", NULL),
    MADE(DEVICE, "/dev/full", NULL),
    MADE(DEVICE, "/dev/random", NULL),
    MADE(DEVICE, "/dev/urandom", NULL),
    MADE(DEVICE, "/dev/tty", NULL),
    /* Of fixed content. */
    MADE_TEXT(FILE, "/proc/loadavg", "0.00 0.00 0.00 1/1 1\n"),
    MADE_TEXT(FILE, "/proc/filesystems", "nodev\tproc\n\text4\n"),
    MADE_TEXT(FILE, "/proc/mounts", "/ / ext4 ro 0 0\n"),
    MADE_TEXT(DIR, "/proc/sys", "kernel\nvm\n"),
    MADE_TEXT(DIR, "/proc/sys/kernel",
              "osrelease\npid_max\nrandomize_va_space\n"),
    MADE_TEXT(FILE, "/proc/sys/kernel/pid_max", "4194304\n"),
    MADE_TEXT(FILE, "/proc/sys/kernel/ngroups_max", "65536\n"),
    MADE_TEXT(FILE, "/proc/sys/kernel/cap_last_cap", "40\n"),
    MADE_TEXT(FILE, "/proc/sys/kernel/randomize_va_space", "0\n"),
    MADE_TEXT(DIR, "/proc/sys/vm", "overcommit_memory\n"),
    MADE_TEXT(FILE, "/proc/sys/vm/overcommit_memory", "1\n"),
    MADE_TEXT(DIR, "/proc/#",
              "auxv\ncmdline\ncomm\ncwd\nenviron\nexe\nfd\nlimits\nmaps\nmounts"
              "\nroot\n"
              "stat\nstatm\nstatus\ntask\n"),
    MADE_TEXT(LINK, "/proc/#/root", "/"),
    MADE_TEXT(FILE, "/proc/#/mounts", "/ / ext4 ro 0 0\n"),
    MADE_TEXT(FILE, "/proc/#/mountinfo", "1 1 8:1 / / ro - ext4 / ro\n"),
    MADE_TEXT(FILE, "/proc/#/cgroup", "0::/\n"),
    MADE_TEXT(FILE, "/proc/#/oom_score_adj", "0\n"),
    MADE_TEXT(DIR, "/proc/#/task/%", "comm\nstat\nstatus\n"),
    MADE_TEXT(DIR, "/sys", "devices\n"),
    MADE_TEXT(DIR, "/sys/devices", "system\n"),
    MADE_TEXT(DIR, "/sys/devices/system", "cpu\nnode\n"),
    MADE_TEXT(DIR, "/sys/devices/system/node", "node0\nonline\n"),
    MADE_TEXT(DIR, "/sys/devices/system/node/node0", "cpulist\ncpumap\n"),
    MADE_TEXT(FILE, "/sys/devices/system/node/online", "0\n"),
    MADE_TEXT(DIR, "/sys/devices/system/cpu/cpu%", "online\n"),
    MADE_TEXT(FILE, "/sys/devices/system/cpu/cpu%/online", "1\n"),
    MADE_TEXT(DIR, "/dev",
              "fd\nfull\nmem\nnull\nrandom\nstderr\nstdin\nstdout\n"
              "urandom\nzero\n"),
    MADE_TEXT(LINK, "/dev/fd", "/proc/self/fd"),
    MADE_TEXT(LINK, "/dev/stdin", "/proc/self/fd/0"),
    MADE_TEXT(LINK, "/dev/stdout", "/proc/self/fd/1"),
    MADE_TEXT(LINK, "/dev/stderr", "/proc/self/fd/2"),
};
#undef MADE
#undef MADE_TEXT

/* Match @path; "#" and "%" take a number. */
static bool made_match(struct made *made, const char *pattern, const char *path)
{
    for (; *pattern; pattern++) {
        char *end;
        unsigned long value;

        if (*pattern != '#' && *pattern != '%') {
            if (*pattern != *path++)
                return false;
            continue;
        }
        if (*path < '0' || *path > '9')
            return false;
        value = strtoul(path, &end, 10);
        if (value > UINT32_MAX || (path[0] == '0' && end != path + 1))
            return false;
        path = end;
        if (*pattern == '%')
            made->number = (uint32_t)value;
        else
            made->process = kernel_find_process(made->kernel, (uint32_t)value);
        if (!made->process)
            return false;
    }
    return !*path;
}

static bool made_exists(const struct made *made, const struct made_row *row)
{
    if (row->fill == made_fd_link)
        return made_fd_file(made) != NULL;
    if (!strcmp(row->pattern, "/dev/mem"))
        return made->kernel->cfg.pseudo_window != 0;
    if (!strncmp(row->pattern, "/sys/devices/system/cpu/cpu%", 28))
        return made->number < made->kernel->num_cpus;
    if (!strncmp(row->pattern, "/proc/#/task/%", 14)) {
        const struct thread *t = kernel_find_thread(made->kernel, made->number);

        return t && t->process == made->process;
    }
    return true;
}

static const struct made_row *made_find(struct kernel *kernel,
                                        struct process *process,
                                        const char *path, struct made *made)
{
    for (size_t i = 0; i < SIM_ARRAY_LEN(made_rows); i++) {
        memset(made, 0, sizeof(*made));
        made->kernel = kernel;
        made->process = process;
        if (made_match(made, made_rows[i].pattern, path) && made->process &&
            made_exists(made, &made_rows[i]))
            return &made_rows[i];
    }
    return NULL;
}

enum vfs_made vfs_made_kind(struct kernel *kernel, struct process *process,
                            const char *path)
{
    struct made made;
    const struct made_row *row = made_find(kernel, process, path, &made);

    return row ? row->kind : MADE_NONE;
}

char *vfs_made_text(struct kernel *kernel, struct process *process,
                    const char *path, size_t *len)
{
    struct made made;
    const struct made_row *row = made_find(kernel, process, path, &made);

    if (!row)
        return NULL;
    if (row->fill)
        row->fill(&made);
    else if (row->fixed)
        made_printf(&made, "%s", row->fixed);
    *len = made.len;
    return made.text ? made.text : alloc_strdup("");
}

struct file *vfs_made_fd(struct kernel *kernel, struct process *process,
                         const char *path)
{
    struct made made;
    const struct made_row *row = made_find(kernel, process, path, &made);

    return row && row->fill == made_fd_link ? made_fd_file(&made) : NULL;
}
