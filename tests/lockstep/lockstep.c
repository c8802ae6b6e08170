/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program beside itself: natively under ptrace, and on the simulated core.
 *
 *   lockstep [--insts N] [--plant N] PROGRAM [ARG...]
 *
 * Both run to each system call; there, registers, vectors and all writable
 * memory are compared.  What the system call did is then copied from the native
 * side.  On a difference the program is started again and the last stretch is
 * single-stepped to name the instruction.
 *
 * Symbols are bound at the start: the lazy binder leaves XSAVEC's header on the
 * stack, and whether a component in its initial state is marked there as in use
 * depends on the processor's past ([SDM] Vol. 1, "Processor Tracking of
 * XSAVE-Managed State").
 *
 * Single-threaded programs that take no signals; output is that of the native
 * side.  --insts ends at the first system call behind so many instructions:
 * what comes after the last one is not compared.  --plant is for tests of this
 * program: it spoils XMM15 of the core after so many system calls.  Ends with
 * "N instructions in lockstep"; exit status 1 on a difference.
 */
#include <Zydis/Zydis.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image.h"
#include "tracee.h"

struct run {
    char **argv;
    uint64_t max_insts;
    uint64_t plant; /* system calls until XMM15 is spoiled */
    struct tracee tracee;
    struct image *image;
    uint64_t syscalls; /* reached and passed */
};

static bool changes_mappings(uint64_t number)
{
    static const uint16_t numbers[] = {9, 10, 11, 12, 25, 28, 29, 31, 158};

    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

static bool start(struct run *run)
{
    if (!tracee_start(&run->tracee, run->argv))
        return false;
    run->image = image_create();
    image_copy_memory(run->image, &run->tracee);
    image_copy_registers(run->image, &run->tracee);
    run->syscalls = 0;
    return true;
}

static void stop(struct run *run)
{
    tracee_kill(&run->tracee);
    image_destroy(run->image);
}

/* In XMM15, which few programs use. */
static void plant_difference(struct x86_core *core)
{
    enum { XMM15 = 160 + 15 * 16 }; /* in the FXSAVE image */

    x86_core_sync(core);
    x86_core_state(core)->xsave[XMM15] ^= 1;
    x86_core_state_changed(core);
}

/* Let the native side execute its system call, then follow.  It goes without
 * rseq, because then the kernel writes to its memory after the stop. */
static void pass_syscall(struct run *run)
{
    struct user_regs_struct regs;

    tracee_get_regs(&run->tracee, &regs);
    if (regs.orig_rax == SYS_rseq)
        tracee_refuse_syscall(&run->tracee);
    tracee_to_syscall(&run->tracee);
    if (run->tracee.is_over)
        return;
    if (changes_mappings(regs.orig_rax))
        image_copy_memory(run->image, &run->tracee);
    else
        image_copy_writable(run->image, &run->tracee);
    image_copy_registers(run->image, &run->tracee);
    run->syscalls++;
    if (run->syscalls == run->plant)
        plant_difference(image_core(run->image));
}

static void print_inst(struct run *run, uint64_t rip)
{
    ZydisDisassembledInstruction inst;
    uint8_t bytes[16] = {0};

    (void)tracee_read(&run->tracee, rip, bytes, sizeof bytes);
    if (ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, rip,
                                           bytes, sizeof bytes, &inst)))
        (void)printf("  at %#llx: %s\n", (unsigned long long)rip, inst.text);
}

/* From the same point on, one instruction at a time. */
static void step_to_difference(struct run *run, uint64_t syscalls)
{
    char text[256];

    if (!start(run))
        return;
    while (run->syscalls < syscalls && !run->tracee.is_over) {
        tracee_to_syscall(&run->tracee);
        if (!run->tracee.is_over)
            pass_syscall(run);
    }
    for (uint64_t count = 0; !run->tracee.is_over; count++) {
        uint64_t rip = x86_core_state(image_core(run->image))->rip;
        struct user_regs_struct regs;

        if (image_run(run->image, 1) == IMAGE_SYSCALL)
            break;
        do { /* a REP instruction steps once per iteration */
            tracee_step(&run->tracee);
            tracee_get_regs(&run->tracee, &regs);
        } while (regs.rip == rip && !run->tracee.is_over &&
                 x86_core_state(image_core(run->image))->rip != rip);
        if (image_differs(run->image, &run->tracee, IMAGE_REGISTERS, text)) {
            (void)printf("first difference, %llu instructions after system "
                         "call %llu: %s\n",
                         (unsigned long long)count,
                         (unsigned long long)syscalls, text);
            print_inst(run, rip);
            break;
        }
    }
    stop(run);
}

static bool compare_stretch(struct run *run, char text[256])
{
    enum image_stop reason = image_run(run->image, UINT64_MAX);

    if (reason == IMAGE_FAULT) {
        const struct x86_fault *fault = image_fault(run->image);

        (void)snprintf(text, 256, "the core raised vector %u, address %#llx",
                       fault->vector, (unsigned long long)fault->addr);
        return false;
    }
    if (reason == IMAGE_BUDGET) {
        (void)snprintf(text, 256, "the core stopped for no reason");
        return false;
    }
    tracee_to_syscall(&run->tracee);
    if (run->tracee.is_over) {
        (void)snprintf(text, 256, "the native side ended early");
        return false;
    }
    return !image_differs(run->image, &run->tracee, IMAGE_REGISTERS_AND_MEMORY,
                          text);
}

static int run_all(struct run *run, char text[256], uint64_t *insts)
{
    if (!start(run))
        return 2;
    while (!run->tracee.is_over && *insts < run->max_insts) {
        bool is_equal = compare_stretch(run, text);
        uint64_t syscalls = run->syscalls;

        *insts = x86_core_insts(image_core(run->image));
        if (!is_equal) {
            (void)fflush(stdout);
            (void)printf("difference at system call %llu: %s\n",
                         (unsigned long long)syscalls, text);
            stop(run);
            step_to_difference(run, syscalls);
            return 1;
        }
        if (*insts < run->max_insts)
            pass_syscall(run);
    }
    stop(run);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"insts", required_argument, NULL, 'i'},
        {"plant",   required_argument, NULL, 'p'},
        {0      },
    };
    struct run run = {.max_insts = UINT64_MAX};
    uint64_t insts = 0;
    char text[256];
    int option, status;

    while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        if (option == 'i')
            run.max_insts = strtoull(optarg, NULL, 0);
        else if (option == 'p')
            run.plant = strtoull(optarg, NULL, 0);
        else
            return 2;
    }
    if (optind == argc) {
        (void)fprintf(
            stderr,
            "usage: lockstep [--insts N] [--plant N] PROGRAM [ARG...]\n");
        return 2;
    }
    run.argv = argv + optind;
    (void)setenv("LD_BIND_NOW", "1", 1); /* see above */
    status = run_all(&run, text, &insts);
    (void)fprintf(stderr, "%llu instructions in lockstep, %llu system calls\n",
                  (unsigned long long)insts, (unsigned long long)run.syscalls);
    return status;
}
