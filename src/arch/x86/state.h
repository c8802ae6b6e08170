/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The architectural state of one x86-64 processor: what a hand-over between CPU
 * models, a checkpoint, KVM and a debugger agree on.  All CPU models keep one
 * of these; it is complete only after x86_core_sync() (lazy flags and vector
 * registers) or a KVM get.
 */
#ifndef ARCH_X86_STATE_H
#define ARCH_X86_STATE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum x86_gpr { /* order of the encoding */
               X86_RAX,
               X86_RCX,
               X86_RDX,
               X86_RBX,
               X86_RSP,
               X86_RBP,
               X86_RSI,
               X86_RDI,
               X86_R8,
               X86_R9,
               X86_R10,
               X86_R11,
               X86_R12,
               X86_R13,
               X86_R14,
               X86_R15,
               X86_NUM_GPRS
};

enum x86_seg_name { /* order of the encoding */
                    X86_ES,
                    X86_CS,
                    X86_SS_SEG,
                    X86_DS,
                    X86_FS,
                    X86_GS,
                    X86_NUM_SEGS
};

/* [SDM] Vol. 1, "EFLAGS Register". */
enum x86_rflags {
    X86_CF = 1 << 0,
    X86_RF_FIXED1 = 1 << 1, /* always one */
    X86_PF_FLAG = 1 << 2,
    X86_AF = 1 << 4,
    X86_ZF = 1 << 6,
    X86_SF = 1 << 7,
    X86_TF = 1 << 8,
    X86_IF = 1 << 9,
    X86_DF_FLAG = 1 << 10,
    X86_OF_FLAG = 1 << 11,
    X86_IOPL = 3 << 12,
    X86_NT = 1 << 14,
    X86_RF = 1 << 16,
    X86_VM = 1 << 17,
    X86_AC_FLAG = 1 << 18,
    X86_VIF = 1 << 19,
    X86_VIP = 1 << 20,
    X86_ID = 1 << 21,
    X86_ARITH_FLAGS =
        X86_CF | X86_PF_FLAG | X86_AF | X86_ZF | X86_SF | X86_OF_FLAG,
};

/* A segment register with its hidden part (descriptor cache). */
struct x86_seg {
    uint64_t base;
    uint32_t limit; /* in bytes, granularity applied */
    uint16_t selector;
    uint8_t type; /* descriptor type field, 4 bits; bit 0 accessed */
    uint8_t s;    /* 1: code or data */
    uint8_t dpl;
    uint8_t present;
    uint8_t avl;
    uint8_t l;  /* 64-bit code */
    uint8_t db; /* 32-bit default size */
    uint8_t g;
    uint8_t unusable; /* null selector was loaded */
};

struct x86_table_reg {
    uint64_t base;
    uint16_t limit;
};

enum {
    X86_XSAVE_SIZE = 2816, /* standard format through PKRU */
    X86_XSAVE_YMM = 576,   /* offsets of the components; [SDM] Vol. 1, 13.4 */
    X86_XSAVE_OPMASK = 1088,
    X86_XSAVE_ZMM_HI = 1152,
    X86_XSAVE_HI16_ZMM = 1664,
    X86_XSAVE_PKRU = 2688
};

enum x86_mp_state { X86_RUNNABLE, X86_WAIT_INIT, X86_WAIT_SIPI, X86_HALTED };

/* Events on their way into the processor; KVM_GET_VCPU_EVENTS maps onto it. */
struct x86_events {
    uint8_t exception_vector; /* X86_NO_FAULT: none */
    uint8_t exception_injected;
    uint8_t exception_has_error;
    uint8_t nmi_injected, nmi_pending, nmi_masked;
    uint8_t interrupt_injected, interrupt_vector, interrupt_soft;
    uint8_t shadow; /* 1: STI, 2: MOV SS: no interrupts before the next inst. */
    uint8_t smi_pending;
    uint32_t exception_error;
    uint64_t exception_payload;
};

/* Model-specific registers that are plain storage; the rest is elsewhere in
 * the state.  One row each in msr_table.c. */
enum x86_msr_slot {
    X86_MSR_STAR,
    X86_MSR_LSTAR,
    X86_MSR_CSTAR,
    X86_MSR_SFMASK,
    X86_MSR_KERNEL_GS_BASE,
    X86_MSR_SYSENTER_CS,
    X86_MSR_SYSENTER_ESP,
    X86_MSR_SYSENTER_EIP,
    X86_MSR_TSC_AUX,
    X86_MSR_TSC_ADJUST,
    X86_MSR_PAT,
    X86_MSR_MISC_ENABLE,
    X86_MSR_MTRR_DEF_TYPE,
    X86_MSR_MTRR_FIXED,                         /* 11 registers */
    X86_MSR_MTRR_VAR = X86_MSR_MTRR_FIXED + 11, /* 16: base, mask pairs */
    X86_MSR_DEBUGCTL = X86_MSR_MTRR_VAR + 16,
    X86_MSR_XSS,
    X86_MSR_SPEC_CTRL,
    X86_MSR_TSC_DEADLINE,
    X86_NUM_MSR_SLOTS
};

enum { X86_NUM_PDPTES = 4 };

struct x86_state {
    uint64_t gpr[X86_NUM_GPRS];
    uint64_t rip;    /* offset in CS */
    uint64_t rflags; /* complete after x86_core_sync() */

    struct x86_seg seg[X86_NUM_SEGS];
    struct x86_seg ldtr, tr;
    struct x86_table_reg gdtr, idtr;

    uint64_t cr0, cr2, cr3, cr4, cr8;
    /* The root of PAE paging as of the last load of CR3; memory may say
     * something else by now.  [SDM] Vol. 3A, "PDPTE Registers". */
    uint64_t pdpte[X86_NUM_PDPTES];
    uint64_t efer, apic_base, xcr0;
    uint64_t dr[8];      /* 4 and 5 unused */
    uint64_t tsc_offset; /* guest TSC = time base + offset */
    uint64_t msr[X86_NUM_MSR_SLOTS];

    struct x86_events events;
    uint8_t mp_state; /* enum x86_mp_state */

    /* XSAVE image in standard format, verbatim: x87 with 80-bit registers, MMX,
     * XMM, YMM, opmasks, ZMM, PKRU.  XSTATE_BV is the header's at 512. */
    SIM_ALIGNAS(64) uint8_t xsave[X86_XSAVE_SIZE];
};

#ifdef __cplusplus
extern "C" {
#endif

/** x86_state_reset() - power-on values.
 *  [SDM] Vol. 3A, "IA-32 and Intel 64 Processor States Following Power-up,
 *  Reset, or INIT". */
void x86_state_reset(struct x86_state *state);

/** x86_state_init() - what the INIT signal does: as at power on, but x87, SSE,
 *  MSRs, the time-stamp counter and the cache bits of CR0 stay.
 *  Same source. */
void x86_state_init(struct x86_state *state);

/** x86_state_start() - what the start-up message (SIPI) does: begin in real
 *  mode at @vector << 12.
 *  [SDM] Vol. 3A, "MP Initialization Protocol Algorithm". */
void x86_state_start(struct x86_state *state, uint8_t vector);

#ifdef __cplusplus
}
#endif

#endif
