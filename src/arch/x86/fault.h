/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions as values: a guest fault is returned, never longjmp'ed. */
#ifndef ARCH_X86_FAULT_H
#define ARCH_X86_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* [SDM] Vol. 3A, "Exception and Interrupt Vectors". */
enum x86_vector {
    X86_DE = 0,
    X86_DB = 1,
    X86_NMI = 2,
    X86_BP = 3,
    X86_OF = 4,
    X86_BR = 5,
    X86_UD = 6,
    X86_NM = 7,
    X86_DF = 8,
    X86_TS = 10,
    X86_NP = 11,
    X86_SS = 12,
    X86_GP = 13,
    X86_PF = 14,
    X86_MF = 16,
    X86_AC = 17,
    X86_MC = 18,
    X86_XM = 19,
    X86_NUM_EXCEPTIONS = 32,
    X86_NO_FAULT = 0xff,
};

enum x86_fault_source {
    X86_FROM_FAULT,    /* RIP of the instruction */
    X86_FROM_TRAP,     /* RIP of the next one: #DB after a step, #BP, #OF */
    X86_FROM_INT_N,    /* software interrupt */
    X86_FROM_EXTERNAL, /* interrupt controller, NMI */
};

/* Page-fault error code.  [SDM] Vol. 3A, "Page-Fault Exceptions". */
enum x86_pf_code {
    X86_PF_PRESENT = 1,
    X86_PF_WRITE = 2,
    X86_PF_USER = 4,
    X86_PF_RESERVED = 8,
    X86_PF_FETCH = 16,
    X86_PF_PKEY = 32,
};

struct x86_fault {
    uint8_t vector; /* enum x86_vector; X86_NO_FAULT: none */
    uint8_t source; /* enum x86_fault_source */
    bool has_error; /* an error code is pushed */
    uint32_t error;
    uint64_t addr; /* CR2 for #PF; DR6 bits for #DB */
    /* INT n, INT3, INTO: RIP is behind an instruction of so many bytes, but a
     * fault during the delivery is that instruction's. */
    uint8_t insn_len;
};

static inline bool x86_fault_is_set(const struct x86_fault *fault)
{
    return fault->vector != X86_NO_FAULT;
}

#endif
