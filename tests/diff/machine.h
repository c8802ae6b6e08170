/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The common ground of the differential tests: one instruction, the state
 * before it and the state after it.  Two sides run a case, the host's own CPU
 * (native.h) and the simulated core (model.h).
 *
 * Memory of a case, the same addresses on both sides:
 *
 *   DIFF_CODE  one page, executable; the instruction, then INT3
 *   DIFF_DATA  two pages, readable and writable; the page after is not mapped
 */
#ifndef TESTS_DIFF_MACHINE_H
#define TESTS_DIFF_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/state.h"

#define DIFF_CODE      UINT64_C(0x20000000)
#define DIFF_DATA      UINT64_C(0x30000000)
#define DIFF_CODE_SIZE 4096
#define DIFF_DATA_SIZE 8192
#define DIFF_MAX_STEPS 300 /* iterations of a REP instruction */

/* The code segment that a case runs in. */
enum diff_mode { DIFF_LONG64, DIFF_COMPAT32, DIFF_COMPAT16 };

/* Selectors of Linux programs. */
enum { DIFF_CS32 = 0x23, DIFF_DS = 0x2b, DIFF_CS64 = 0x33 };

/* The local descriptor table, in each mode: 64 KiB of 16-bit code from
 * DIFF_CODE on, and of 16-bit data from DIFF_DATA on. */
enum { DIFF_CS16 = 0x07, DIFF_DS16 = 0x0f, DIFF_LIMIT16 = 0xffff };

/* Everything a user-mode instruction can see or change. */
struct diff_state {
    uint64_t gpr[X86_NUM_GPRS];
    uint64_t rip, rflags, fs_base, gs_base;
    SIM_ALIGNAS(64) uint8_t xsave[X86_XSAVE_SIZE];
};

struct diff_case {
    uint8_t bytes[16];
    uint8_t len;
    uint8_t mode;    /* enum diff_mode */
    uint16_t offset; /* of the instruction in the code page */
    struct diff_state in;
    uint8_t data[DIFF_DATA_SIZE];
};

struct diff_result {
    bool is_lost;   /* the side could not run the case at all */
    uint8_t vector; /* exception raised; X86_NO_FAULT if none */
    uint32_t error;
    uint64_t fault_addr; /* of a page fault */
    struct diff_state out;
    uint8_t data[DIFF_DATA_SIZE];
};

#endif
