/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contract that all CPU models keep: identity, life cycle, exits, events.
 *
 * A model (a "back end") is a constant table of operations.  It is never called
 * directly: vcpu_VERB() checks the order, calls the operation, changes the
 * state and writes to the ring, so that no model can forget a step.  Nothing
 * here knows the architecture; struct x86_state passes through by name only.
 *
 *            create       init        bind          run
 *   (nothing) --> CREATED --> FREE --> READY <--------------> RUNNING
 *       ^            ^     setup,|      ^ ^ |                  |  |
 *       | destroy    | fini      |unbind| | | hlt              |  | an access
 *       +------------+-----------+------+ | v                  |  v to serve
 *                                  wake   | HALTED -- run -->  | SERVICE
 *                                         |             HLT of |  | complete
 *                                      BLOCKED <-- the guest --+  v
 *                                                              COMPLETE -- run
 *   SERVICE -- wait --> MMIO_WAIT -- last response --> COMPLETE
 *
 * A call in the wrong order returns -errno and changes nothing.  An operation
 * that fails leaves INVALID, from where only fini and destroy lead away; a
 * failed init has undone itself and leaves CREATED.  vcpu->err tells in words.
 *
 * Threads, as said at each function:
 *   any     at any time from any thread, kick also from a signal handler
 *   owner   only the thread that bound the vCPU
 *   world   from any thread, one call at a time (a lock in the vCPU sees to it)
 */
#ifndef CPU_VCPU_H
#define CPU_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/types.h"
#include "cpu/vcpu_event.h"
#include "cpu/vcpu_exit.h"
#include "cpu/vcpu_set.h"

#ifdef __cplusplus
extern "C" {
#endif

struct trace_ring;
struct vcpu;
struct x86_state;

/* ---------------------------------------------------------------- identity */

/* Bits 63 to 32: VM, 0 is the host's; bits 31 to 0: index in the VM. */
typedef uint64_t vcpuid_t;

#define VCPU_NO_ID UINT64_MAX

static inline vcpuid_t vcpu_make_id(uint32_t vm, uint32_t index)
{
    return ((vcpuid_t)vm << 32) | index;
}

/* ------------------------------------------------------------------- state */

enum vcpu_state {
    VCPU_INVALID, /* an operation failed half-way */
    VCPU_CREATED,
    VCPU_FREE, /* initialised; belongs to no thread */
    VCPU_READY,
    VCPU_RUNNING,
    VCPU_SERVICE,   /* stopped at an access that the caller serves */
    VCPU_MMIO_WAIT, /* the access takes simulated time */
    VCPU_COMPLETE,  /* served; the next run takes the result in */
    VCPU_BLOCKED,   /* the guest waits: HLT, INIT, SIPI */
    VCPU_HALTED,    /* stopped from outside, by vcpu_hlt() */
    VCPU_NUM_STATES
};

/** vcpu_state_name() - "READY"; "?" beyond the enum. */
const char *vcpu_state_name(enum vcpu_state state);

/* Parts of the architectural state that are carried one by one. */
enum vcpu_state_group {
    VCPU_STATE_REGS = 1 << 0,   /* GPRs, RIP, RFLAGS */
    VCPU_STATE_SREGS = 1 << 1,  /* segments, tables, CRs, EFER, APIC base */
    VCPU_STATE_XSAVE = 1 << 2,  /* x87 to PKRU */
    VCPU_STATE_XCRS = 1 << 3,   /* XCR0 */
    VCPU_STATE_MSRS = 1 << 4,   /* plain MSRs, TSC offset */
    VCPU_STATE_DEBUG = 1 << 5,  /* debug registers */
    VCPU_STATE_EVENTS = 1 << 6, /* events on their way */
    VCPU_STATE_MP = 1 << 7,     /* running, halted, waiting for INIT or SIPI */
    VCPU_STATE_ALL = (1 << 8) - 1
};

/* -------------------------------------------------------------- operations */

enum { VCPU_ERR_SIZE = 192, VCPU_WHY_SIZE = 160 };

enum vcpu_caps {
    VCPU_CAP_CHECKPOINT = 1 << 0,  /* get_state is complete */
    VCPU_CAP_TIMING_IO = 1 << 1,   /* an access may take simulated time */
    VCPU_CAP_EXACT_INSTS = 1 << 2, /* max_insts is exact */
    VCPU_CAP_TICKS = 1 << 3,       /* until is kept */
    VCPU_CAP_NO_CACHES = 1 << 4,   /* memory must bypass caches */
};

/* Where the ring's pages and its time come from.  NULL members: the host's
 * pages, and time 0. */
struct vcpu_hal {
    void *ctx;
    void *(*alloc_page)(void *ctx, size_t size); /* NULL on failure */
    void (*free_page)(void *ctx, void *page, size_t size);
    tick_t (*now)(void *ctx); /* for the ring */
};

struct vcpu_create_cfg {
    vcpuid_t id;
    const struct vcpu_ops *ops;
    struct trace_ring *ring; /* NULL: a new one; passes to the vCPU */
    const struct vcpu_hal *hal;
    struct vcpu_host_set host_cpus; /* where it may run; empty: anywhere */
};

struct vcpu_setup_cfg {
    const void *aspace; /* guest memory; must be given here or before */
    uint64_t entry;     /* where to start, if has_entry: else by reset */
    bool has_entry;
    const void *arch; /* for the back end */
};

struct vcpu_run_req {
    uint64_t max_insts; /* 0: only take in a served access */
    tick_t until;       /* simulated time to stop at; TICK_MAX: none */
    void *user;         /* for the back end; not looked at here */
};

/*
 * One model.  run, kick, get_state, set_state and dump must be there; any other
 * may be NULL, which means "nothing to do", or -ENOTSUP for start_at.  All
 * return 0 or -errno, run with *exit filled in.  They are called in the right
 * state only, and but for kick never two at a time.
 */
struct vcpu_ops {
    const char *name;
    uint32_t caps;        /* enum vcpu_caps */
    uint32_t event_kinds; /* that inject takes: a bit per enum */
    int (*create)(struct vcpu *vcpu, const struct vcpu_create_cfg *cfg);
    void (*destroy)(struct vcpu *vcpu);
    /* Must undo what it did when it fails. */
    int (*init)(struct vcpu *vcpu, void *user);
    int (*fini)(struct vcpu *vcpu, void *user);
    int (*setup)(struct vcpu *vcpu, const struct vcpu_setup_cfg *cfg);
    /* On the thread that will run: timers, signal masks. */
    int (*bind)(struct vcpu *vcpu);
    int (*unbind)(struct vcpu *vcpu);
    int (*run)(struct vcpu *vcpu, const struct vcpu_run_req *req,
               struct vcpu_exit *exit);
    int (*halt)(struct vcpu *vcpu, void *user);
    /* Async-signal-safe.  Ends the run in progress or, if none is, the next at
     * once; may be called more often than needed. */
    void (*kick)(struct vcpu *vcpu);
    int (*get_state)(struct vcpu *vcpu, uint32_t groups, struct x86_state *out);
    int (*set_state)(struct vcpu *vcpu, uint32_t groups,
                     const struct x86_state *state);
    /* Start at @entry; @arg in the accumulator. */
    int (*start_at)(struct vcpu *vcpu, uint64_t entry, uint64_t arg);
    /* Make @event pending before a run.  -EAGAIN: the guest cannot take it. */
    int (*inject)(struct vcpu *vcpu, const struct vcpu_event *event);
    /* @open 1: end the run as soon as the guest can take an interrupt. */
    int (*set_irq_window)(struct vcpu *vcpu, int open);
    /* 1: nothing is on its way that get_state does not carry; 0: run on. */
    int (*drained)(struct vcpu *vcpu);
    /* 0, or -ENOTSUP with the reason in words. */
    int (*can_takeover)(const struct vcpu *vcpu, const struct x86_state *state,
                        char why[VCPU_WHY_SIZE]);
    void (*dump)(struct vcpu *vcpu, FILE *out);
};

/* ------------------------------------------------------------------ object */

/* What a run must look at; one word, so that a plain run tests it once. */
enum vcpu_attention {
    VCPU_ATTEND_KICK = 1 << 0,
    VCPU_ATTEND_STOP = 1 << 1,  /* somebody holds the lock */
    VCPU_ATTEND_EVENT = 1 << 2, /* the queue is not empty */
    VCPU_ATTEND_NEW = 1 << 3,   /* an event came since the last look */
    VCPU_ATTEND_TRACE = 1 << 4, /* runs go to the ring */
};

/* 1: handled, run on; 0: hand the exit to the caller; -errno. */
typedef int (*vcpu_exit_fn)(void *ctx, struct vcpu *vcpu,
                            struct vcpu_exit *exit);
typedef void (*vcpu_trace_fn)(void *ctx, struct vcpu *vcpu,
                              const struct vcpu_exit *exit);
typedef void (*vcpu_wake_fn)(void *ctx, struct vcpu *vcpu);

/* To be embedded; members are read by others through functions only. */
struct vcpu {
    vcpuid_t id;
    const struct vcpu_ops *ops;
    uint32_t state;     /* enum vcpu_state; atomic */
    uint32_t attention; /* enum vcpu_attention; atomic */
    pthread_t thread;   /* bound to it, if is_bound */
    bool is_bound;
    bool is_set_up, has_entry;
    uint64_t entry;
    const void *aspace;
    uint64_t num_runs, num_builtin_exits;
    vcpu_exit_fn handle_exit;
    void *handle_exit_ctx;
    vcpu_trace_fn on_trace; /* instead of a record of the exit */
    void *on_trace_ctx;
    vcpu_wake_fn on_wake; /* a blocked vCPU became ready; any thread */
    void *on_wake_ctx;
    struct trace_ring *ring;
    const struct vcpu_hal *hal;
    bool is_hal_ring; /* its pages are the hal's */
    struct vcpu_evq events;
    bool is_window_open;      /* as told to set_irq_window */
    bool is_served;           /* the next run takes `served` in */
    struct vcpu_exit served;  /* with what a read got */
    uint32_t num_outstanding; /* responses to wait for */
    struct vcpu_host_set host_cpus, saved_cpus;
    bool is_confined;
    pid_t bound_tid, last_tid; /* 0: none */
    pthread_mutex_t lock;      /* one life-cycle call at a time */
    pthread_cond_t stopped;    /* with the lock: RUNNING was left */
    pthread_mutex_t err_lock;
    char err[VCPU_ERR_SIZE]; /* why the last call failed; under err_lock */
};

/* -------------------------------------------------------------- life cycle */

/**
 * vcpu_create() - @vcpu is zeroed memory of the caller -> CREATED
 *
 * On failure nothing is left behind; a ring that was given stays the caller's.
 * Returns: 0; -EINVAL for VCPU_NO_ID or a table that is not complete; -ENOMEM;
 * or what the operation returned.
 */
SIM_MUST_CHECK int vcpu_create(struct vcpu *vcpu,
                               const struct vcpu_create_cfg *cfg);
/** vcpu_destroy() - from CREATED and INVALID; -EBUSY otherwise.  world */
SIM_MUST_CHECK int vcpu_destroy(struct vcpu *vcpu);
/** vcpu_init() - CREATED -> FREE; -EBUSY if it was initialised.  world */
SIM_MUST_CHECK int vcpu_init(struct vcpu *vcpu, void *user);
/**
 * vcpu_fini() - any state but CREATED -> CREATED; else -EBADFD.  world
 *
 * Stops a vCPU that runs and unbinds a bound one.  -EDEADLK from inside a run.
 */
int vcpu_fini(struct vcpu *vcpu, void *user);
/**
 * vcpu_setup() - once, in FREE
 *
 * Returns: 0; -EBADFD in another state; -EALREADY the second time; -EINVAL
 * without memory.  world
 */
SIM_MUST_CHECK int vcpu_setup(struct vcpu *vcpu,
                              const struct vcpu_setup_cfg *cfg);
/** vcpu_set_aspace() - memory for vcpu_setup(); -EALREADY after it.  world */
SIM_MUST_CHECK int vcpu_set_aspace(struct vcpu *vcpu, const void *aspace);
/**
 * vcpu_set_entry() - where to start
 *
 * Before setup: kept for it, once (-EALREADY).  After setup and not while
 * running (-EBADFD): the next run starts there.  world
 */
SIM_MUST_CHECK int vcpu_set_entry(struct vcpu *vcpu, uint64_t entry);
/** vcpu_start_at() - the live form, with an argument for the program. */
SIM_MUST_CHECK int vcpu_start_at(struct vcpu *vcpu, uint64_t entry,
                                 uint64_t arg);
/**
 * vcpu_bind() - FREE and set up -> READY, for the calling thread
 *
 * Returns: 0; -EBADFD in another state; -EXDEV if the thread may not run on any
 * of host_cpus; -EDEADLK inside the run of another vCPU.  world
 */
SIM_MUST_CHECK int vcpu_bind(struct vcpu *vcpu);
/** vcpu_unbind() - READY, BLOCKED, HALTED -> FREE; else -EBADFD.  The
 *  architectural state can be read afterwards.  world */
int vcpu_unbind(struct vcpu *vcpu);
/** vcpu_rebind() - unbind and bind to the calling thread; BLOCKED and HALTED
 *  stay.  Nothing to do if it is bound there.  world */
SIM_MUST_CHECK int vcpu_rebind(struct vcpu *vcpu);

/* --------------------------------------------------------------------- run */

/**
 * vcpu_run() - READY, COMPLETE, HALTED -> RUNNING -> by *exit
 *
 * A kick, an event or a stop that comes before the guest runs makes it return
 * VCPU_EXIT_INTR at once or be delivered.  From COMPLETE with max_insts 0 the
 * access is taken in and no instruction is executed.
 *
 * Returns: 0 with *exit valid; -EBADFD in another state; -EXDEV on a thread it
 * is not bound to; -EDEADLK inside another run; or what the operation returned,
 * and the state is INVALID.  owner
 */
SIM_MUST_CHECK int vcpu_run(struct vcpu *vcpu, const struct vcpu_run_req *req,
                            struct vcpu_exit *exit);
/** vcpu_set_exit_handler() - who sees exits before the caller of run. */
void vcpu_set_exit_handler(struct vcpu *vcpu, vcpu_exit_fn handle, void *ctx);
/** vcpu_set_wake_handler() - who is told that a blocked vCPU became ready. */
void vcpu_set_wake_handler(struct vcpu *vcpu, vcpu_wake_fn wake, void *ctx);

/** vcpu_complete() - the access of @exit was served, a read's data filled in:
 *  SERVICE -> COMPLETE.  The next run takes it in.  owner */
SIM_MUST_CHECK int vcpu_complete(struct vcpu *vcpu,
                                 const struct vcpu_exit *exit);
/** vcpu_wait() - it takes @responses that come later: -> MMIO_WAIT.  owner */
SIM_MUST_CHECK int vcpu_wait(struct vcpu *vcpu, uint32_t responses);
/** vcpu_respond() - one came; with the last: MMIO_WAIT -> COMPLETE.  owner */
SIM_MUST_CHECK int vcpu_respond(struct vcpu *vcpu,
                                const struct vcpu_exit *exit);

/** vcpu_kick() - leave the guest soon; never lost.  any, also in signals */
void vcpu_kick(struct vcpu *vcpu);
/** vcpu_wake() - BLOCKED -> READY; nothing otherwise.  any */
void vcpu_wake(struct vcpu *vcpu);
/**
 * vcpu_hlt() - READY, BLOCKED, COMPLETE, RUNNING -> HALTED
 *
 * Kicks and waits.  Twice is no error.  -EBADFD in another state, -EBUSY while
 * an access is being served, -EDEADLK from inside its run.  world
 */
int vcpu_hlt(struct vcpu *vcpu, void *user);

/* ------------------------------------------------------------------- state */

/* Allowed from FREE on, inside its own run too; -EBADFD otherwise. */
SIM_MUST_CHECK int vcpu_get_state(struct vcpu *vcpu, uint32_t groups,
                                  struct x86_state *out);
SIM_MUST_CHECK int vcpu_set_state(struct vcpu *vcpu, uint32_t groups,
                                  const struct x86_state *state);
/** vcpu_drained() - 1 or 0; a vCPU that runs or serves is not.  world */
int vcpu_drained(struct vcpu *vcpu);
/** vcpu_can_takeover() - 0, or -ENOTSUP and @why. */
SIM_MUST_CHECK int vcpu_can_takeover(const struct vcpu *vcpu,
                                     const struct x86_state *state,
                                     char why[VCPU_WHY_SIZE]);
/** vcpu_dump() - everything there is to know, as text. */
void vcpu_dump(struct vcpu *vcpu, FILE *out);

/* ------------------------------------------------------------------- events */

/**
 * vcpu_queue_event() - deliver as soon as the guest can take it
 *
 * Wakes a blocked vCPU and kicks a running one.  Returns: 0; -ENOSPC, -EINVAL
 * as vcpu_evq_push(); -ENOTSUP for a kind that the back end does not take;
 * -EBADFD in CREATED and INVALID.  any
 */
SIM_MUST_CHECK int vcpu_queue_event(struct vcpu *vcpu,
                                    const struct vcpu_event *event);
/** vcpu_requeue_event() - its delivery was cut off: to the front.  owner */
SIM_MUST_CHECK int vcpu_requeue_event(struct vcpu *vcpu,
                                      const struct vcpu_event *event);

/* -------------------------------------------------------------- predicates */

/* All: any. */
enum vcpu_state vcpu_state_of(const struct vcpu *vcpu);
uint32_t vcpu_vm_id(const struct vcpu *vcpu);
uint32_t vcpu_index(const struct vcpu *vcpu);
bool vcpu_is_running(const struct vcpu *vcpu);
bool vcpu_is_initialized(const struct vcpu *vcpu);
/* vcpu_run() on the calling thread would not be refused. */
bool vcpu_is_ready_here(const struct vcpu *vcpu);
bool vcpu_is_bootstrap(const struct vcpu *vcpu); /* id 0 */
bool vcpu_is_bsp(const struct vcpu *vcpu);       /* first of its VM */
bool vcpu_is_host_vm(const struct vcpu *vcpu);
bool vcpu_is_guest_vm(const struct vcpu *vcpu);
/** vcpu_current() - what the calling thread runs; NULL: nothing. */
struct vcpu *vcpu_current(void);

/** vcpu_error() - why the last call failed; empty: none did.  any */
void vcpu_error(struct vcpu *vcpu, char out[VCPU_ERR_SIZE]);
/** vcpu_trace_runs() - @on 1: every run goes to the ring.  any */
void vcpu_trace_runs(struct vcpu *vcpu, int on);
/** vcpu_set_trace_handler() - what to record of a traced run; NULL: its exit.
 *  owner */
void vcpu_set_trace_handler(struct vcpu *vcpu, vcpu_trace_fn trace, void *ctx);
/** vcpu_log() - a line for the ring, no formatting, signal-safe.  any */
void vcpu_log(struct vcpu *vcpu, const char *text);

#ifdef __cplusplus
}
#endif

#endif
