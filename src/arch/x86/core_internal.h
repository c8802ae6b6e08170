/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct x86_core as the files of arch/x86 see it.  Everybody else uses core.h.
 *
 * Arithmetic flags live in `flags`, not in state.rflags: the low byte is OF (0
 * or 1), the high byte is what LAHF gives.  Handlers obtain them from the
 * host's own ALU (exec/flags.h), so that undefined flags are those of the host
 * too.
 *
 * Leaving compiled code: a handler sets state.rip and returns NULL; `pending`
 * says what the run loop has to do.  Nothing pending means: go on at RIP.
 */
#ifndef ARCH_X86_CORE_INTERNAL_H
#define ARCH_X86_CORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "arch/x86/core_sys.h"
#include "arch/x86/debug.h"
#include "arch/x86/fpu.h"
#include "arch/x86/op.h"
#include "arch/x86/vmem.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A page translated for data.  A tag is the page's linear address, or - not
 * permitted - the address of a page with another index, so that
 * `addr - tag <= 4096 - size` answers hit, permission and no crossing at once.
 */
struct x86_tlb_entry {
    uint64_t read, write; /* tags */
    uint64_t addend;      /* host address - linear address */
    uint64_t gpa;         /* of the page */
};

/* The linear address of code to the entry op of its block. */
struct x86_jump {
    uint64_t tag; /* linear address ^ core->salt */
    struct x86_op *op;
};

struct x86_fetch_entry { /* a page translated for fetches */
    uint64_t tag;        /* linear address of the page ^ core->salt */
    uint64_t gpa;
};

/* Accesses of one class share translations. */
enum x86_tlb_view {
    X86_VIEW_SUPERVISOR,    /* SMAP may forbid user pages */
    X86_VIEW_SUPERVISOR_AC, /* RFLAGS.AC allows them */
    X86_VIEW_USER,
    X86_NUM_VIEWS
};

enum {
    X86_PAGE_SHIFT = 12,
    X86_PAGE_SIZE = 1 << X86_PAGE_SHIFT,
    X86_TLB_SIZE = 1024,
    X86_JUMPS = 4096,
    X86_FETCHES = 64,
    X86_MAX_BREAKS = 64,
};
#define X86_PAGE_MASK (~(uint64_t)(X86_PAGE_SIZE - 1))

enum x86_attention { /* asked for at any time, also by signal handlers */
                     X86_ATTEND_STOP = 1,      /* x86_core_stop */
                     X86_ATTEND_INTERRUPT = 2, /* x86_core_poke */
                     X86_ATTEND_LOOK = 4,      /* leave compiled code once */
};

enum x86_pending {                        /* why a handler returned NULL */
                   X86_PENDING_FAULT = 1, /* deliver `fault` */
                   X86_PENDING_STOP = 2,  /* leave with `stop` */
                   X86_PENDING_PARTIAL =
                       4, /* less than a block may be executed */
                   X86_PENDING_ATTEND = 8, /* see `attention` */
};

struct x86_core {
    struct x86_state state; /* offset 0: handlers reach registers by offset */
    uint64_t zero;          /* absent base, index or segment base; always 0 */

    /* What every block touches. */
    int64_t left;       /* instructions until the budget ends; of the block
                           being executed all are already subtracted */
    uint32_t attention; /* enum x86_attention; atomic */
    uint32_t pending;   /* enum x86_pending */
    uint16_t flags;     /* OF, LAHF << 8 */
    bool smc_hit;       /* a store killed decoded code: leave the block */
    bool is_stepping;   /* full handlers only, one at a time */
    struct x86_tlb_entry *tlb; /* the view in force */
    uint64_t *execs;           /* by block id: times entered */
    uint64_t salt;             /* mode and view, above the address bits */
    uint64_t taken;            /* branches */

    struct x86_fpu fpu;

    uint64_t given;      /* budget of this run */
    uint64_t insts_base; /* retired before this run */
    enum x86_stop stop;
    struct x86_fault fault;
    struct x86_op *full_op; /* what a full handler is executing, or NULL */
    bool is_retired;        /* stepping: the instruction was executed */
    bool is_trapping;       /* RFLAGS.TF */
    bool is_watching;       /* DR7 enables a breakpoint; see debug.h */
    uint8_t debug_hits;     /* DR6 B0 to B3, not yet delivered */
    uint8_t mode;           /* enum x86_mode_bits */
    uint8_t view;           /* enum x86_tlb_view */
    uint8_t cpl;
    uint32_t rep_work; /* elements done by a REP that is not over */
    bool skip_break;   /* resumed at a breakpoint */
    bool is_running;

    /* A read-modify-write under way in a full handler. */
    struct x86_rmw {
        uint64_t addr; /* linear */
        unsigned size;
        bool is_bounced;
        uint64_t gpa; /* of the bytes, if not bounced */
        SIM_ALIGNAS(16) uint8_t bounce[16];
    } rmw;

    uint64_t salt_base;  /* CS base that jumps were made for */
    uint32_t views_used; /* bit per view that may hold translations */
    struct x86_tlb_entry tlbs[X86_NUM_VIEWS][X86_TLB_SIZE];
    struct x86_jump jumps[X86_JUMPS];
    struct x86_fetch_entry fetches[X86_FETCHES];

    /* Statistics beyond the execution counters of blocks. */
    struct x86_counts counts;
    size_t num_execs; /* allocated */

    x86_fetch_fn *fetch; /* the state is lent to somebody, or NULL */
    void *fetch_ctx;
    bool is_changed; /* see x86_core_take_changed() */

    x86_trace_fn trace;
    void *trace_ctx;
    struct x86_trace_record *record; /* being filled, or NULL */

    uint64_t breaks[X86_MAX_BREAKS];
    size_t num_breaks;

    struct physmem *mem;
    struct x86_cache *cache;
    struct x86_env *env; /* never NULL: an empty one stands in */
    struct x86_env no_env;
    const struct x86_cpuid *cpuid;
    const struct sim_object *owner;
    uint32_t id;
    struct x86_core *next_in_cache;
    void *allocation; /* what to free: the struct itself is aligned */
};

/* Note a data access of the instruction being executed. */
static inline void x86_debug_note_data(struct x86_core *core, uint64_t linear,
                                       unsigned size, unsigned access)
{
    if (SIM_UNLIKELY(core->is_watching))
        core->debug_hits |=
            (uint8_t)x86_debug_data_hits(&core->state, linear, size, access);
}

/* A field of the core at a byte offset. */
#define X86_OFFSET(member) ((uint16_t)offsetof(struct x86_core, member))

/* Access at any alignment and through any type. */
typedef uint8_t x86_u8 __attribute__((may_alias));
typedef uint16_t x86_u16 __attribute__((may_alias, aligned(1)));
typedef uint32_t x86_u32 __attribute__((may_alias, aligned(1)));
typedef uint64_t x86_u64 __attribute__((may_alias, aligned(1)));
typedef int8_t x86_s8 __attribute__((may_alias));
typedef int16_t x86_s16 __attribute__((may_alias, aligned(1)));
typedef int32_t x86_s32 __attribute__((may_alias, aligned(1)));
typedef int64_t x86_s64 __attribute__((may_alias, aligned(1)));

/* ------------------------------------------------------------------ run loop
 */

/** x86_raise() - the fault of @op: nothing of it has happened
 *  Returns: NULL, for the handler to return. */
struct x86_op *x86_raise(struct x86_core *core, struct x86_op *op,
                         enum x86_vector vector);
struct x86_op *x86_raise_error(struct x86_core *core, struct x86_op *op,
                               enum x86_vector vector, uint32_t error);
/** x86_raise_set() - the same; core->fault has been filled in. */
struct x86_op *x86_raise_set(struct x86_core *core, struct x86_op *op);
/** x86_trap() - @op has been executed; deliver with RIP behind it. */
struct x86_op *x86_trap(struct x86_core *core, struct x86_op *op,
                        enum x86_vector vector, enum x86_fault_source source);
/** x86_leave() - @op has been executed; go on at state.rip, after what is
 *  pending.  For ops that end a block. */
struct x86_op *x86_leave(struct x86_core *core);
/** x86_stop_with() - leave x86_core_run(); RIP is set.  Returns NULL. */
struct x86_op *x86_stop_with(struct x86_core *core, enum x86_stop stop);
/** x86_restart() - leave before @op, which is not finished and will be executed
 *  again (REP). */
struct x86_op *x86_restart(struct x86_core *core, struct x86_op *op);
/** x86_rep_pause() - a REP instruction did @elements and is not over: is it
 *  time to leave?  Then return x86_rep_leave(). */
bool x86_rep_pause(struct x86_core *core, uint64_t elements);
struct x86_op *x86_rep_leave(struct x86_core *core, struct x86_op *op);

/** x86_core_uncount() - @first and what follows it in its block, counted when
 *  the block was entered, will not be executed now. */
void x86_core_uncount(struct x86_core *core, struct x86_op *first);

#ifdef __cplusplus
}
#endif

#endif
