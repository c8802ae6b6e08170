/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The child that runs instructions on the host.
 *
 * The child's loop lives in a signal handler: the handler stores the state of
 * the case that just trapped, takes the next case and writes its state into
 * the frame, so that sigreturn loads it and the CPU executes one instruction
 * until the trap flag (or a fault) brings the handler back.
 *
 * The handler runs with the case's FS base, so it must not touch thread-local
 * storage: this file is built without stack protector and calls no libc
 * function in the child's loop; it sets FS and GS with WRFSBASE.
 */
#include "native.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/x86/fault.h"

enum {
    FRAME_MAGIC_OFFSET = 464, /* sw_reserved of the FXSAVE area */
};
#define FRAME_MAGIC1 0x46505853U

/*
 * A component of the XSAVE image beyond the legacy area.  The standard format's
 * offsets differ between vendors (CPUID leaf 0DH tells them); a case uses those
 * of struct x86_state.
 */
enum { NUM_PARTS = 4 };
struct part {
    uint32_t bit, offset, len;
    uint32_t host_offset; /* 0: the host does not have it */
};
static const struct part known_parts[NUM_PARTS] = {
    {2, X86_XSAVE_YMM,      256,  0},
    {5, X86_XSAVE_OPMASK,   64,   0},
    {6, X86_XSAVE_ZMM_HI,   512,  0},
    {7, X86_XSAVE_HI16_ZMM, 1024, 0},
};
enum { LEGACY_AND_HEADER = 576 };

/* Shared between parent and child. */
struct shared {
    volatile uint32_t request, reply; /* sequence numbers */
    volatile uint32_t count, next;
    volatile uint32_t is_running;
    uint64_t xsave_mask;
    uint64_t own_fs;
    struct part parts[NUM_PARTS];
    struct diff_case cases[NATIVE_BATCH];
    struct diff_result results[NATIVE_BATCH];
};

struct native {
    struct shared *shared;
    pid_t child;
    int to_child[2], from_child[2];
    uint64_t *xsave_mask;
};

/* ------------------------------------------------------------ in the child */

/* The one mutable static: a signal handler has no other way to its data.
 * `to` and `from` are copies because the handler may use no thread-local. */
static struct {
    struct shared *shared;
    int to, from;
    uint32_t steps;
} child;

static inline void set_fs(uint64_t base)
{
    __asm__ volatile("wrfsbase %0" ::"r"(base));
}
static inline void set_gs(uint64_t base)
{
    __asm__ volatile("wrgsbase %0" ::"r"(base));
}
static inline uint64_t get_fs(void)
{
    uint64_t base;

    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}
static inline uint64_t get_gs(void)
{
    uint64_t base;

    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}

/* The case may have set AC, NT or ID, which the kernel keeps for the handler;
 * sigreturn does not set the latter two back. */
static inline void clear_sticky_flags(void)
{
    __asm__ volatile("pushfq\n\tandl $0xffdbbfff, (%%rsp)\n\tpopfq" ::
                         : "cc", "memory");
}

/* Data selectors are not part of the frame. */
static inline void set_selectors(uint16_t selector)
{
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\t"
                     "mov %0, %%fs\n\tmov %0, %%gs" ::"r"((int)selector)
                     : "memory");
}

/* What the kernel gives 64-bit and 32-bit programs, and ours. */
static const struct {
    uint16_t code, data, stack;
} selectors[] = {
    [DIFF_LONG64] = {DIFF_CS64, 0,         DIFF_DS  },
    [DIFF_COMPAT32] = {DIFF_CS32, DIFF_DS,   DIFF_DS  },
    [DIFF_COMPAT16] = {DIFF_CS16, DIFF_DS16, DIFF_DS16},
};

static long raw_syscall3(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static void copy_bytes(void *to, const void *from, size_t len)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len)::"memory");
}

/* Order of struct x86_state's registers in the kernel's frame. */
static const uint8_t frame_reg[X86_NUM_GPRS] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static uint8_t *frame_xsave(const ucontext_t *uc)
{
    return (uint8_t *)uc->uc_mcontext.fpregs;
}

static void store_xsave(const uint8_t *host, uint8_t *out)
{
    copy_bytes(out, host, LEGACY_AND_HEADER);
    for (unsigned i = 0; i < NUM_PARTS; i++) {
        const struct part *part = &child.shared->parts[i];

        if (part->host_offset)
            copy_bytes(out + part->offset, host + part->host_offset, part->len);
    }
}

/* Bytes 464 to 511 belong to the kernel. */
static void load_xsave(const uint8_t *in, uint8_t *host)
{
    copy_bytes(host, in, FRAME_MAGIC_OFFSET);
    copy_bytes(host + 512, in + 512, 64);
    for (unsigned i = 0; i < NUM_PARTS; i++) {
        const struct part *part = &child.shared->parts[i];

        if (part->host_offset)
            copy_bytes(host + part->host_offset, in + part->offset, part->len);
    }
}

static void store_state(const ucontext_t *uc, uint64_t fs, uint64_t gs,
                        struct diff_state *out)
{
    const greg_t *regs = uc->uc_mcontext.gregs;

    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        out->gpr[i] = (uint64_t)regs[frame_reg[i]];
    out->rip = (uint64_t)regs[REG_RIP];
    out->rflags = (uint64_t)regs[REG_EFL];
    out->fs_base = fs;
    out->gs_base = gs;
    store_xsave(frame_xsave(uc), out->xsave);
}

static void store_result(const ucontext_t *uc, uint64_t fs, uint64_t gs)
{
    const greg_t *regs = uc->uc_mcontext.gregs;
    struct diff_result *result = &child.shared->results[child.shared->next];
    uint8_t vector = (uint8_t)regs[REG_TRAPNO];

    result->vector = vector == X86_DB ? X86_NO_FAULT : vector;
    result->error = (uint32_t)regs[REG_ERR];
    result->fault_addr = (uint64_t)regs[REG_CR2];
    result->is_lost = false;
    store_state(uc, fs, gs, &result->out);
    copy_bytes(result->data, (const void *)DIFF_DATA, DIFF_DATA_SIZE);
}

static void load_case(ucontext_t *uc)
{
    const struct diff_case *next = &child.shared->cases[child.shared->next];
    greg_t *regs = uc->uc_mcontext.gregs;
    uint8_t *code = (uint8_t *)DIFF_CODE;

    for (unsigned i = 0; i < DIFF_CODE_SIZE; i++)
        code[i] = 0xcc;
    copy_bytes(code + next->offset, next->bytes, next->len);
    copy_bytes((void *)DIFF_DATA, next->data, DIFF_DATA_SIZE);
    for (unsigned i = 0; i < X86_NUM_GPRS; i++)
        regs[frame_reg[i]] = (greg_t)next->in.gpr[i];
    regs[REG_RIP] = (greg_t)next->in.rip;
    regs[REG_EFL] = (greg_t)(next->in.rflags | X86_TF);
    regs[REG_TRAPNO] = 0;
    regs[REG_ERR] = 0;
    regs[REG_CSGSFS] = (greg_t)((uint64_t)selectors[next->mode].stack << 48 |
                                selectors[next->mode].code);
    load_xsave(next->in.xsave, frame_xsave(uc));
    set_selectors(selectors[next->mode].data);
    set_fs(next->in.fs_base);
    set_gs(next->in.gs_base);
    child.steps = 0;
}

static void wait_for_batch(void)
{
    char byte = 0;

    (void)raw_syscall3(SYS_write, child.from, (long)&byte, 1);
    if (raw_syscall3(SYS_read, child.to, (long)&byte, 1) != 1)
        (void)raw_syscall3(SYS_exit_group, 0, 0, 0);
    child.shared->next = 0;
}

/* A REP instruction traps after each iteration: go on until it is done. */
static bool is_unfinished(const ucontext_t *uc)
{
    const struct diff_case *now = &child.shared->cases[child.shared->next];
    const greg_t *regs = uc->uc_mcontext.gregs;

    return regs[REG_TRAPNO] == X86_DB &&
           (uint64_t)regs[REG_RIP] == now->in.rip &&
           ++child.steps < DIFF_MAX_STEPS;
}

static void on_trap(int signo, siginfo_t *info, void *frame)
{
    ucontext_t *uc = frame;
    uint64_t fs = get_fs(), gs = get_gs();

    clear_sticky_flags();
    (void)signo;
    (void)info;
    set_fs(child.shared->own_fs);
    if (child.shared->is_running) {
        if (is_unfinished(uc)) {
            set_fs(fs);
            return;
        }
        store_result(uc, fs, gs);
        child.shared->next++;
    }
    if (!child.shared->is_running || child.shared->next >= child.shared->count)
        wait_for_batch();
    child.shared->is_running = 1;
    load_case(uc);
}

static void learn_parts(struct shared *shared)
{
    for (unsigned i = 0; i < NUM_PARTS; i++) {
        struct part *part = &shared->parts[i];
        uint32_t eax, ebx, ecx, edx;

        *part = known_parts[i];
        if (!(shared->xsave_mask & (UINT64_C(1) << part->bit)))
            continue;
        __cpuid_count(0xd, part->bit, eax, ebx, ecx, edx);
        part->host_offset = ebx;
    }
}

static void learn_frame(const ucontext_t *uc)
{
    const uint8_t *xsave = frame_xsave(uc);
    uint32_t magic;
    uint64_t mask;

    memcpy(&magic, xsave + FRAME_MAGIC_OFFSET, 4);
    memcpy(&mask, xsave + FRAME_MAGIC_OFFSET + 8, 8);
    child.shared->xsave_mask = magic == FRAME_MAGIC1 ? mask : 3;
    learn_parts(child.shared);
}

static void on_first_trap(int signo, siginfo_t *info, void *frame)
{
    learn_frame(frame);
    on_trap(signo, info, frame);
}

static void map_fixed(uint64_t addr, size_t size, int prot)
{
    if (mmap((void *)addr, size, prot,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
             0) == MAP_FAILED)
        _exit(2);
}

static void add_descriptor(unsigned index, uint64_t base, unsigned contents)
{
    struct user_desc desc = {.entry_number = index,
                             .base_addr = (unsigned)base,
                             .limit = DIFF_LIMIT16,
                             .contents = contents & 3U};

    if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof desc))
        _exit(2);
}

static void install_handlers(void)
{
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
    struct sigaction action = {.sa_sigaction = on_trap,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_size = 1 << 16};

    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sigaltstack(&stack, NULL))
        _exit(2);
    sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < SIM_ARRAY_LEN(signals); i++)
        (void)sigaction(signals[i], &action, NULL);
    action.sa_sigaction = on_first_trap;
    (void)sigaction(SIGUSR1, &action, NULL);
}

static void child_main(struct native *native)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    child.shared = native->shared;
    child.to = native->to_child[0];
    child.from = native->from_child[1];
    child.shared->is_running = 0;
    child.shared->own_fs = get_fs();
    map_fixed(DIFF_CODE, DIFF_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_fixed(DIFF_DATA, DIFF_DATA_SIZE, PROT_READ | PROT_WRITE);
    add_descriptor(DIFF_CS16 >> 3, DIFF_CODE, MODIFY_LDT_CONTENTS_CODE);
    add_descriptor(DIFF_DS16 >> 3, DIFF_DATA, MODIFY_LDT_CONTENTS_DATA);
    install_handlers();
    (void)raise(SIGUSR1);
    _exit(3);
}

/* ----------------------------------------------------------- in the parent */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static bool wait_reply(struct native *native)
{
    struct pollfd fd = {.fd = native->from_child[0], .events = POLLIN};
    char byte;

    return poll(&fd, 1, 5000) == 1 && (fd.revents & POLLIN) &&
           read(fd.fd, &byte, 1) == 1;
}

static void start_child(struct native *native)
{
    if (pipe(native->to_child) || pipe(native->from_child))
        fail("pipe");
    native->child = fork();
    if (native->child < 0)
        fail("fork");
    if (native->child == 0) {
        close(native->to_child[1]);
        close(native->from_child[0]);
        child_main(native);
    }
    close(native->to_child[0]);
    close(native->from_child[1]);
    if (!wait_reply(native)) {
        (void)fprintf(stderr, "the native side does not start\n");
        exit(1);
    }
}

static void stop_child(struct native *native)
{
    (void)kill(native->child, SIGKILL);
    (void)waitpid(native->child, NULL, 0);
    close(native->to_child[1]);
    close(native->from_child[0]);
}

struct native *native_create(uint64_t *xsave_mask)
{
    struct native *native = calloc(1, sizeof *native);

    if (!native)
        fail("calloc");
    native->shared = mmap(NULL, sizeof *native->shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (native->shared == MAP_FAILED)
        fail("mmap");
    start_child(native);
    *xsave_mask = native->shared->xsave_mask;
    return native;
}

void native_destroy(struct native *native)
{
    stop_child(native);
    (void)munmap(native->shared, sizeof *native->shared);
    free(native);
}

/* One batch that the child survives, or false and `next` names the culprit. */
static bool run_batch(struct native *native, const struct diff_case *cases,
                      unsigned count)
{
    struct shared *shared = native->shared;
    char byte = 0;

    memcpy(shared->cases, cases, count * sizeof *cases);
    shared->count = count;
    shared->next = 0;
    return write(native->to_child[1], &byte, 1) == 1 && wait_reply(native);
}

void native_run(struct native *native, const struct diff_case *cases,
                unsigned count, struct diff_result *results)
{
    struct shared *shared = native->shared;
    unsigned done = 0;

    while (done < count) {
        bool is_complete = run_batch(native, cases + done, count - done);
        unsigned ran = is_complete ? count - done : shared->next;

        memcpy(results + done, shared->results, ran * sizeof *results);
        done += ran;
        if (is_complete)
            return;
        results[done] = (struct diff_result){.is_lost = true};
        done++;
        stop_child(native);
        start_child(native);
    }
}
