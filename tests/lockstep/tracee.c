/* SPDX-License-Identifier: BSD-3-Clause */
/* A native process under ptrace. */
#include "tracee.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_stop(struct tracee *tracee)
{
    if (waitpid(tracee->pid, &tracee->status, 0) != tracee->pid ||
        !WIFSTOPPED(tracee->status))
        tracee->is_over = true;
}

static void resume(struct tracee *tracee, int request)
{
    int signal = 0;

    /* Deliver the signals that are the program's own. */
    if (WIFSTOPPED(tracee->status)) {
        signal = WSTOPSIG(tracee->status);
        if (signal == SIGTRAP || signal == (SIGTRAP | 0x80) ||
            signal == SIGSTOP)
            signal = 0;
    }
    if (ptrace(request, tracee->pid, NULL, signal))
        tracee->is_over = true;
    else
        wait_stop(tracee);
}

void tracee_to_syscall(struct tracee *tracee)
{
    resume(tracee, PTRACE_SYSCALL);
}

void tracee_step(struct tracee *tracee)
{
    resume(tracee, PTRACE_SINGLESTEP);
}

bool tracee_read(struct tracee *tracee, uint64_t addr, void *data, size_t len)
{
    return pread(tracee->mem, data, len, (off_t)addr) == (ssize_t)len;
}

void tracee_refuse_syscall(struct tracee *tracee)
{
    struct user_regs_struct regs;

    tracee_get_regs(tracee, &regs);
    regs.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGS, tracee->pid, NULL, &regs))
        tracee->is_over = true;
}

void tracee_get_regs(struct tracee *tracee, struct user_regs_struct *regs)
{
    if (ptrace(PTRACE_GETREGS, tracee->pid, NULL, regs))
        memset(regs, 0, sizeof *regs);
}

size_t tracee_get_xsave(struct tracee *tracee, void *data, size_t size)
{
    struct iovec vec = {data, size};

    if (ptrace(PTRACE_GETREGSET, tracee->pid, NT_X86_XSTATE, &vec))
        return 0;
    return vec.iov_len;
}

/* ------------------------------------------------------------------- start */

/* The kernel writes the CPU's number into the thread's rseq area whenever the
 * thread moves, and CPUID tells the APIC id: keep both sides where they are. */
static void stay_on_one_cpu(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void child_exec(char *const argv[])
{
    (void)personality(ADDR_NO_RANDOMIZE);
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void)execvp(argv[0], argv);
    (void)fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static bool poke(struct tracee *tracee, uint64_t addr, uint64_t value)
{
    return !ptrace(PTRACE_POKEDATA, tracee->pid, (void *)addr, (void *)value);
}

/* Walk the initial stack to the auxiliary vector: learn AT_ENTRY, and turn
 * AT_SYSINFO_EHDR into AT_IGNORE. */
static bool edit_auxv(struct tracee *tracee)
{
    struct user_regs_struct regs;
    uint64_t addr, pair[2], argc;

    tracee_get_regs(tracee, &regs);
    if (!tracee_read(tracee, regs.rsp, &argc, 8))
        return false;
    addr = regs.rsp + 8 * (argc + 2);
    do {
        if (!tracee_read(tracee, addr, pair, 8))
            return false;
        addr += 8;
    } while (pair[0]);
    for (;; addr += 16) {
        if (!tracee_read(tracee, addr, pair, 16))
            return false;
        if (pair[0] == AT_NULL)
            return tracee->entry != 0;
        if (pair[0] == AT_ENTRY)
            tracee->entry = pair[1];
        if (pair[0] == AT_SYSINFO_EHDR && !poke(tracee, addr, AT_IGNORE))
            return false;
    }
}

static bool run_to(struct tracee *tracee, uint64_t addr)
{
    struct user_regs_struct regs;
    uint64_t word;

    if (!tracee_read(tracee, addr, &word, 8) ||
        !poke(tracee, addr, (word & ~UINT64_C(0xff)) | 0xcc))
        return false;
    resume(tracee, PTRACE_CONT);
    if (tracee->is_over || !poke(tracee, addr, word))
        return false;
    tracee_get_regs(tracee, &regs);
    if (regs.rip != addr + 1)
        return false;
    regs.rip = addr;
    return !ptrace(PTRACE_SETREGS, tracee->pid, NULL, &regs);
}

bool tracee_start(struct tracee *tracee, char *const argv[])
{
    char path[64];

    *tracee = (struct tracee){.mem = -1};
    stay_on_one_cpu();
    tracee->pid = fork();
    if (tracee->pid == 0)
        child_exec(argv);
    wait_stop(tracee);
    if (tracee->is_over)
        return false;
    (void)ptrace(PTRACE_SETOPTIONS, tracee->pid, NULL,
                 PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)tracee->pid);
    tracee->mem = open(path, O_RDWR | O_CLOEXEC);
    if (tracee->mem < 0 || !edit_auxv(tracee) ||
        !run_to(tracee, tracee->entry)) {
        (void)fprintf(stderr, "%s: cannot be traced to its entry point\n",
                      argv[0]);
        return false;
    }
    return true;
}

void tracee_kill(struct tracee *tracee)
{
    if (!tracee->is_over) {
        (void)kill(tracee->pid, SIGKILL);
        (void)waitpid(tracee->pid, NULL, 0);
    }
    if (tracee->mem >= 0)
        (void)close(tracee->mem);
    tracee->mem = -1;
}

/* ---------------------------------------------------------------- mappings */

static bool parse_region(const char *line, struct region *out)
{
    unsigned long long start, end;
    char perms[8], name[256] = "";

    if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %255s", &start, &end, perms,
               name) < 3)
        return false;
    *out = (struct region){.start = start,
                           .end = end,
                           .is_readable = perms[0] == 'r',
                           .is_writable = perms[1] == 'w',
                           .is_executable = perms[2] == 'x'};
    return strcmp(name, "[vsyscall]") != 0 && strncmp(name, "[vvar", 5) != 0 &&
           strcmp(name, "[vdso]") != 0;
}

size_t tracee_regions(struct tracee *tracee, struct region *out, size_t max)
{
    char path[64], line[512];
    size_t count = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)tracee->pid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    while (count < max && fgets(line, sizeof line, file)) {
        if (parse_region(line, &out[count]))
            count++;
    }
    (void)fclose(file);
    return count;
}
