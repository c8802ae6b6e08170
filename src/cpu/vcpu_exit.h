/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a vCPU came back.  The kinds are those of all back ends together; a back
 * end maps every raw code, and what it does not know is VCPU_EXIT_UNKNOWN with
 * the raw number.
 */
#ifndef CPU_VCPU_EXIT_H
#define CPU_VCPU_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vcpu_exit_kind {
#define VCPU_EXIT_ROW(name, next, doc) VCPU_EXIT_##name,
#include "cpu/vcpu_exits.def"
#undef VCPU_EXIT_ROW
    VCPU_NUM_EXITS
};

/* Accesses wait for somebody to serve them: reads are filled in, writes are
 * taken, then vcpu_complete(). */
struct vcpu_exit {
    uint32_t kind;  /* enum vcpu_exit_kind */
    uint32_t raw;   /* the back end's own number */
    uint64_t insts; /* executed, where the back end counts; else 0 */
    union {
        struct {
            uint16_t port;
            uint8_t size;   /* of one item [bytes] */
            uint32_t count; /* items: string instructions */
            void *data;     /* count * size bytes */
        } io;
        struct {
            gpa_t addr;
            uint8_t size; /* [bytes] */
            uint8_t data[8];
        } mmio;
        struct {
            uint32_t index;
            uint32_t is_refused; /* set: #GP */
            uint64_t value;
        } msr;
        struct {
            uint64_t number, args[6], result;
        } hypercall;
        struct {
            uint64_t addr; /* of the instruction, linear */
            uint64_t dr6;  /* debug stops only */
            uint32_t vector, error;
        } exception;
        struct {
            gpa_t addr;
            uint64_t flags; /* 1 read, 2 write, 4 fetch */
        } fault;
        struct {
            uint64_t reason; /* the hardware's or the kernel's number */
            uint32_t num_data;
            uint64_t data[8];
        } failure;
        struct {
            uint32_t target, vector;
            uint64_t entry, arg;
        } cpu; /* CPU_UP, CPU_DOWN, SEND_IPI, EXT_INTR */
        struct {
            int64_t code;
        } system;
    } u;
};

/** vcpu_exit_name() - "IO_IN"; "?" beyond the enum. */
const char *vcpu_exit_name(enum vcpu_exit_kind kind);
const char *vcpu_exit_doc(enum vcpu_exit_kind kind);

#ifdef __cplusplus
}
#endif

#endif
