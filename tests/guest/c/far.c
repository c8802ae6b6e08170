/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Far transfers by a 64-bit offset to code segments of both kinds: where they
 * arrive, what faults, what is on the stack then.
 *
 *   far [all]
 *
 * Without "all", only to addresses that the segment can have: for others some
 * hosts' KVM differs from the processor.
 *
 * guest-flags: -O1 -D_GNU_SOURCE
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum {
    SELECTOR_32 = 0x23,
    SELECTOR_64 = 0x33,
    SELECTOR_DATA = 0x2b,
    STACK = 0x30001000,
    POINTER = 0x30008000,
    SLOT_UNTOUCHED = 0xaa,
};

struct far_pointer {
    uint64_t offset;
    uint16_t selector;
} __attribute__((packed));

static sigjmp_buf back;
static struct {
    uint64_t rip, rsp, error, trap;
    uint16_t cs;
} met;

static void meet(int number, siginfo_t *info, void *context)
{
    const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)info;
    met.rip = (uint64_t)regs[REG_RIP];
    met.rsp = (uint64_t)regs[REG_RSP];
    met.error = (uint64_t)regs[REG_ERR];
    met.trap = (uint64_t)regs[REG_TRAPNO];
    met.cs = (uint16_t)regs[REG_CSGSFS];
    siglongjmp(back, number);
}

/* The instruction alone, at a label of its own. */
#define TRANSFER(name, insn)                                                   \
    __asm__(#name ":\n\tmov %rdi, %rsp\n" #name "_at:\n\t" insn "\n\tud2\n");  \
    void name(uint64_t stack, struct far_pointer *pointer);                    \
    extern const char name##_at[];

TRANSFER(far_jump, "rex.W ljmp *(%rsi)")
TRANSFER(far_call, "rex.W lcall *(%rsi)")
TRANSFER(far_return, "lretq")
TRANSFER(far_iret, "iretq")

static const struct transfer {
    const char *name;
    void (*run)(uint64_t stack, struct far_pointer *pointer);
    const char *at;
} transfers[] = {
    {"jump",   far_jump,   far_jump_at  },
    {"call",   far_call,   far_call_at  },
    {"return", far_return, far_return_at},
    {"iret",   far_iret,   far_iret_at  },
};

static void prepare(struct far_pointer pointer)
{
    uint64_t *stack = (uint64_t *)STACK;

    memset((void *)(STACK - 64), SLOT_UNTOUCHED, 64);
    *(struct far_pointer *)POINTER = pointer;
    stack[0] = pointer.offset;
    stack[1] = pointer.selector;
    stack[2] = 0x202; /* RFLAGS */
    stack[3] = STACK + 0x800;
    stack[4] = SELECTOR_DATA;
}

static void report(const struct transfer *transfer, struct far_pointer pointer)
{
    const uint64_t *stack = (const uint64_t *)STACK;
    printf("%s to %02x:%016" PRIx64 ": trap %" PRIu64, transfer->name,
           (unsigned)pointer.selector, pointer.offset, met.trap);
    if (met.rip == (uint64_t)transfer->at)
        printf(" stays, error %#" PRIx64, met.error);
    else
        printf(" at %02x:%" PRIx64, (unsigned)met.cs, met.rip);
    if (transfer->run != far_jump)
        printf(" rsp %+" PRId64, (int64_t)(met.rsp - STACK));
    printf(" pushed %d %#" PRIx64 "\n", stack[-2] == (uint64_t)transfer->at + 3,
           stack[-1]);
}

static int is_ordinary(struct far_pointer pointer)
{
    int64_t offset = (int64_t)pointer.offset;

    return pointer.selector == SELECTOR_32 ? pointer.offset <= UINT32_MAX
                                           : offset << 16 >> 16 == offset;
}

static void try_one(const struct transfer *transfer, struct far_pointer pointer)
{
    prepare(pointer);
    memset(&met, 0, sizeof(met));
    if (!sigsetjmp(back, 1))
        transfer->run(STACK, (struct far_pointer *)POINTER);
    report(transfer, pointer);
}

int main(int argc, char **argv)
{
    static const uint64_t offsets[] = {
        0x7d1350f1,         0x17d1350f1,        0xffffffff,
        0x100000000,        0x8000000000000000, 0x0000800000000000,
        0x00007fffffffffff, 0xffff800000000000, 0xfffffffffffffff0,
    };
    int is_all = argc > 1 && !strcmp(argv[1], "all");
    static char alternate[1 << 16];
    const stack_t signals = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    const struct sigaction action = {.sa_sigaction = meet,
                                     .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&signals, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    if (mmap((void *)0x30000000, 0x10000, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return 1;
    for (size_t t = 0; t < sizeof(transfers) / sizeof(transfers[0]); t++)
        for (size_t o = 0; o < sizeof(offsets) / sizeof(offsets[0]); o++) {
            const struct far_pointer pointers[] = {
                {offsets[o], SELECTOR_32},
                {offsets[o], SELECTOR_64},
            };

            for (int i = 0; i < 2; i++)
                if (is_all || is_ordinary(pointers[i]))
                    try_one(&transfers[t], pointers[i]);
        }
    return 0;
}
