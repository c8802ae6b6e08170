/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A child executes the probes and writes one byte per probe to a pipe.  After
 * the fork it calls nothing but system calls, since the parent may have
 * threads.  What has no probe needs nothing of the host: the core does it.
 */
#include "arch/x86/cpuid_host.h"

#include "arch/x86/thunk_arena.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct probe {
    enum x86_feature feature;
    uint8_t len;
    const char *bytes;
};

static const struct probe probes[] = {
#define X86_PROBE(name, text) {X86_FEAT_##name, sizeof(text) - 1, text},
#include "arch/x86/cpuid_probes.def"
#undef X86_PROBE
};
enum { NUM_PROBES = SIM_ARRAY_LEN(probes), MAX_CODE = 32, SCRATCH = 4096 };

typedef void (*probe_code)(void *scratch, uint64_t zero);

/* xor eax, eax; xor ecx, ecx; xor edx, edx; PROBE; ret */
static const void *make_code(struct x86_arena *arena, const struct probe *probe)
{
    static const uint8_t head[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2};
    uint8_t code[MAX_CODE];
    size_t len = sizeof(head);

    memcpy(code, head, len);
    memcpy(code + len, probe->bytes, probe->len);
    len += probe->len;
    code[len++] = 0xc3;
    return x86_arena_add(arena, code, len);
}

/*
 * The handler finds its way back through the registers of the probe: RBX holds
 * the jump buffer (probes leave it alone).
 */
static void on_fault(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signo;
    (void)info;
    siglongjmp(*(sigjmp_buf *)(uintptr_t)uc->uc_mcontext.gregs[REG_RBX], 1);
}

static void call_probe(const void *code, void *scratch, sigjmp_buf *back)
{
    __asm__ volatile("call *%[code]"
                     : "+D"(scratch)
                     : [code] "r"(code), "b"(back), "S"(UINT64_C(0))
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0",
                       "memory", "cc");
}

static bool survives(const void *code, void *scratch)
{
    sigjmp_buf back;

    if (sigsetjmp(back, 1))
        return false;
    call_probe(code, scratch, &back);
    return true;
}

static void child_main(int out, const void *const *codes, void *scratch)
{
    static const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    char can[NUM_PROBES];

    for (size_t i = 0; i < SIM_ARRAY_LEN(signals); i++)
        (void)sigaction(signals[i], &action, NULL);
    for (size_t i = 0; i < NUM_PROBES; i++)
        can[i] = codes[i] && survives(codes[i], scratch) ? 1 : 0;
    /* NOLINTNEXTLINE(words): the child, not the simulator */
    _exit(write(out, can, sizeof(can)) == sizeof(can) ? 0 : 1);
}

static int run_child(const void *const *codes, void *scratch, char *can)
{
    int fds[2], status;
    pid_t child;
    ssize_t got;

    if (pipe(fds))
        return -errno;
    child = fork();
    if (child == 0)
        child_main(fds[1], codes, scratch);
    close(fds[1]);
    got = child < 0 ? -1 : read(fds[0], can, NUM_PROBES);
    close(fds[0]);
    if (child < 0)
        return -EAGAIN;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return got == NUM_PROBES ? 0 : -EIO;
}

int x86_cpuid_host_probe(struct x86_cpuid_host *out)
{
    struct x86_arena *arena = x86_arena_create();
    const void *codes[NUM_PROBES];
    char can[NUM_PROBES] = {0};
    void *scratch = mmap(NULL, SCRATCH, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result = -ENOMEM;

    for (size_t i = 0; i < NUM_PROBES; i++)
        codes[i] = make_code(arena, &probes[i]);
    if (scratch != MAP_FAILED) {
        result = run_child(codes, scratch, can);
        munmap(scratch, SCRATCH);
    }
    memset(out->can, 1, sizeof(out->can));
    for (size_t i = 0; i < NUM_PROBES; i++)
        out->can[probes[i].feature] = can[i];
    x86_arena_destroy(arena);
    return result;
}
