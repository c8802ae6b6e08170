/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functional x86 core: it owns the semantics for every CPU model.
 *
 *   decode (Zydis) -> blocks of ops, cached by physical page -> tail-called,
 *   specialised handlers; lazy flags; inline soft-TLB; native thunks for SIMD
 *   and x87.
 *
 * The core knows nothing of objects that script writers see.  The world around
 * it - an operating system that is emulated, devices, time - is struct x86_env.
 */
#ifndef ARCH_X86_CORE_H
#define ARCH_X86_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/fault.h"
#include "arch/x86/state.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;
struct sim_object;
struct x86_cache; /* decoded blocks, shared by the cores of one memory */
struct x86_core;
struct x86_cpuid; /* arch/x86/cpuid.h */

enum x86_syscall_kind {
    X86_CALL_SYSCALL,   /* SYSCALL in 64-bit mode */
    X86_CALL_SYSCALL32, /* SYSCALL in compatibility mode */
    X86_CALL_SYSENTER,
    X86_CALL_INT80,
};

/*
 * The world around a core.  A NULL member means the architecture's own
 * behaviour (deliver through the IDT, open bus, #GP).
 */
struct x86_env {
    /**
     * syscall() - a system call instruction was executed
     *
     * RIP is already behind the instruction; RCX and R11 are set as SYSCALL
     * does.  The handler may change any state and may stop the core.
     * Returns: false to let the architecture enter the guest's kernel.
     */
    bool (*syscall)(struct x86_env *env, struct x86_core *core,
                    enum x86_syscall_kind kind);
    /**
     * exception() - an exception is about to be delivered
     *
     * The state is that before the faulting instruction (faults) or after it
     * (traps); RIP accordingly.  Returns: true if handled: the core goes on
     * with whatever RIP says (retry, signal handler).
     */
    bool (*exception)(struct x86_env *env, struct x86_core *core,
                      const struct x86_fault *fault);
    /* Guest TSC in the core's reference clock; must not go backwards. */
    uint64_t (*read_tsc)(struct x86_env *env, struct x86_core *core);
    /* 64 random bits for RDRAND and RDSEED. */
    uint64_t (*random)(struct x86_env *env, struct x86_core *core);
    /* Accesses outside RAM; size 1, 2, 4 or 8. */
    uint64_t (*mmio_read)(struct x86_env *env, struct x86_core *core,
                          gpa_t addr, unsigned size);
    void (*mmio_write)(struct x86_env *env, struct x86_core *core, gpa_t addr,
                       unsigned size, uint64_t value);
    /* Port I/O; size 1, 2 or 4. */
    uint32_t (*io_read)(struct x86_env *env, struct x86_core *core,
                        uint16_t port, unsigned size);
    void (*io_write)(struct x86_env *env, struct x86_core *core, uint16_t port,
                     unsigned size, uint32_t value);
    /* gem5's pseudo instruction 0F 04 FUNC; RAX gets *@result.
     * Returns: false for #UD. */
    bool (*pseudo_op)(struct x86_env *env, struct x86_core *core, uint16_t func,
                      uint64_t *result);
    /* VMCALL or VMMCALL: the number is in RAX, which gets *@result.
     * Returns: false for #UD. */
    bool (*hypercall)(struct x86_env *env, struct x86_core *core,
                      uint64_t *result);
    /* MSRs beyond the table; return false for #GP. */
    bool (*msr_read)(struct x86_env *env, struct x86_core *core, uint32_t index,
                     uint64_t *value);
    bool (*msr_write)(struct x86_env *env, struct x86_core *core,
                      uint32_t index, uint64_t value);
    /* Vector to deliver now and acknowledge, or -1; see arch/x86/intr.h. */
    int (*take_interrupt)(struct x86_env *env, struct x86_core *core);
};

enum x86_stop {
    X86_STOP_BUDGET,   /* max_insts were executed */
    X86_STOP_REQUEST,  /* x86_core_stop() was called */
    X86_STOP_HALT,     /* HLT, or waiting for INIT or SIPI: see mp_state; to
                          be run again after x86_core_poke() */
    X86_STOP_SHUTDOWN, /* triple fault; the state is that of the last fault */
    X86_STOP_REP,      /* in the middle of a long REP string instruction, which
                          goes on in the next run; time may pass meanwhile */
    X86_STOP_BREAK,    /* RIP is at a breakpoint set with x86_core_add_break */
};

enum { X86_REP_SLICE = 1 << 20 }; /* elements */

struct x86_core_cfg {
    struct physmem *mem;
    struct x86_cache *cache;        /* of another core; NULL: a new one */
    struct x86_env *env;            /* may be NULL */
    const struct x86_cpuid *cpuid;  /* what CPUID answers and what is #UD */
    const struct sim_object *owner; /* for messages; may be NULL */
    uint32_t id;                    /* APIC id */
};

struct x86_core *x86_core_create(const struct x86_core_cfg *cfg);
void x86_core_destroy(struct x86_core *core);

/**
 * x86_core_run() - execute until a reason to stop
 * @max_insts: exact; 0 returns X86_STOP_BUDGET at once
 *
 * An instruction counts when it retires; one that faults does not.  A REP
 * string instruction counts once, when it ends; interrupts and X86_STOP_REQUEST
 * come in the middle of it, and after X86_REP_SLICE elements the run ends with
 * X86_STOP_REP, having executed fewer instructions than @max_insts.
 * Context: not reentrant for the same core; env hooks are called from inside.
 */
enum x86_stop x86_core_run(struct x86_core *core, uint64_t max_insts);

/** x86_core_stop() - end x86_core_run() at the next instruction boundary.
 *  Async-signal-safe; callable from hooks and other threads. */
void x86_core_stop(struct x86_core *core);
/** x86_core_is_running() - whether this is called from inside its run. */
bool x86_core_is_running(const struct x86_core *core);
/** x86_core_poke() - an interrupt may be pending: call take_interrupt soon.
 *  For an NMI set events.nmi_pending of the state first. */
void x86_core_poke(struct x86_core *core);

/* Instructions retired since creation. */
uint64_t x86_core_insts(const struct x86_core *core);

/**
 * x86_core_state() - the live state
 *
 * GPRs, RIP, segments and control registers are always current between calls of
 * x86_core_run() and inside hooks.  rflags and xsave need x86_core_sync()
 * before reading.  After changing anything but GPRs and RIP, call
 * x86_core_state_changed().
 */
struct x86_state *x86_core_state(struct x86_core *core);
void x86_core_sync(struct x86_core *core);
void x86_core_state_changed(struct x86_core *core);

/** x86_core_take_over() - @core goes on where @old stopped, with everything
 *  that is pending; neither is inside x86_core_run(). */
void x86_core_take_over(struct x86_core *core, struct x86_core *old);

/* Write what is newer elsewhere to the state: all but GPRs, RIP, control
 * registers and mp_state, which may have changed here since. */
typedef void x86_fetch_fn(void *ctx, struct x86_core *core);
/**
 * x86_core_lend() - another executor holds the newer state from now on
 *
 * Until the state is fetched only GPRs, RIP, control registers and mp_state are
 * current; the executor has put them there.  x86_core_sync() and
 * x86_core_run() fetch it, once; so whoever syncs before looking at the rest
 * sees what is true, and whoever looks at general registers alone - most system
 * calls - pays nothing.  x86_core_state_changed() must not be called while the
 * state is lent: sync before changing it, also to replace all of it.
 */
void x86_core_lend(struct x86_core *core, x86_fetch_fn *fetch, void *ctx);
/**
 * x86_core_take_changed() - did more than GPRs and RIP change?
 *
 * Since the last call, by x86_core_state_changed() or x86_core_run(); true the
 * first time.  Fetching is not a change.
 */
bool x86_core_take_changed(struct x86_core *core);

struct x86_env *x86_core_env(struct x86_core *core);
struct physmem *x86_core_mem(struct x86_core *core);
const struct x86_cpuid *x86_core_cpuid(const struct x86_core *core);

/* Page tables were changed by somebody else: drop translations. */
void x86_core_flush_tlb(struct x86_core *core);
void x86_core_flush_page(struct x86_core *core, gva_t addr);
/* RAM was written by somebody else (DMA, loader, system call): drop decoded
 * code of [addr, addr + len).  Writes through arch/x86/vmem.h do it. */
void x86_cache_invalidate(struct x86_cache *cache, gpa_t addr, uint64_t len);
/**
 * x86_cache_leave() - another executor of the same RAM (KVM) is about to run
 *
 * Takes checksums of the code that was decoded or changed since the last time.
 * No core of the cache may be inside x86_core_run().
 */
void x86_cache_leave(struct x86_cache *cache);
/**
 * x86_cache_enter() - it has run, cores run again
 *
 * Whatever is executed from now on is compared with its checksum first, once
 * per page, and decoded anew if it differs.  Translations are kept: if page
 * tables may have changed, too, call x86_core_flush_tlb().  Without a call of
 * x86_cache_leave() before, nothing that was decoded since is trusted.
 */
void x86_cache_enter(struct x86_cache *cache);
struct x86_cache *x86_core_cache(struct x86_core *core);

/* Stop before executing at linear address @addr. */
void x86_core_add_break(struct x86_core *core, gva_t addr);
void x86_core_remove_break(struct x86_core *core, gva_t addr);

/* ---------------------------------------------------------------- counting */

enum x86_op_class { /* gem5's names where it has them; see op_class_names */
                    X86_OP_INT_ALU,
                    X86_OP_INT_MULT,
                    X86_OP_INT_DIV,
                    X86_OP_FLOAT_ADD,
                    X86_OP_FLOAT_CMP,
                    X86_OP_FLOAT_CVT,
                    X86_OP_FLOAT_MULT,
                    X86_OP_FLOAT_DIV,
                    X86_OP_FLOAT_SQRT,
                    X86_OP_FLOAT_MISC,
                    X86_OP_SIMD_ALU,
                    X86_OP_SIMD_FLOAT,
                    X86_OP_SIMD_MISC,
                    X86_OP_MEM_READ,
                    X86_OP_MEM_WRITE,
                    X86_OP_BRANCH,
                    X86_OP_STRING,
                    X86_OP_SYSTEM,
                    X86_NUM_OP_CLASSES
};
extern const char *const x86_op_class_names[X86_NUM_OP_CLASSES + 1];

struct x86_counts {
    uint64_t insts, branches, taken, calls, returns, loads, stores, syscalls;
    uint64_t by_class[X86_NUM_OP_CLASSES];
    uint64_t blocks_decoded, blocks_flushed, tlb_misses;
};
/** x86_core_counts() - totals since creation. */
void x86_core_counts(struct x86_core *core, struct x86_counts *out);

/* ------------------------------------------------------------------ tracing */

/* One retired instruction, as the traced build reports it. */
struct x86_trace_record {
    uint64_t rip;
    uint8_t len;
    uint8_t op_class;
    uint8_t num_mem; /* entries used in mem[] */
    bool is_branch, is_taken;
    uint64_t next_rip;
    struct {
        uint64_t addr; /* linear */
        uint32_t size;
        bool is_write;
    } mem[4];
    uint8_t bytes[15];
};
/* Called after each instruction; switches the core to the traced build until
 * set to NULL. */
typedef void (*x86_trace_fn)(void *ctx, struct x86_core *core,
                             const struct x86_trace_record *record);
void x86_core_set_trace(struct x86_core *core, x86_trace_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
