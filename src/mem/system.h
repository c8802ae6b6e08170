/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system: owner of guest RAM, of the memory mode and of the list of
 * requestors.  RAM exists from System's init on (parents are initialised before
 * their children), so every object below may use it in its own init.
 */
#ifndef MEM_SYSTEM_H
#define MEM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/field.h"
#include "sim/object.h"
#include "sim/port.h"
#include "sim/pseudo_op.h"

#ifdef __cplusplus
extern "C" {
#endif

struct physmem;
struct workload;

/* gem5's MemoryMode, in its order. */
enum mem_mode {
    MEM_MODE_INVALID,
    MEM_MODE_ATOMIC,            /* tags are warmed, time is ignored */
    MEM_MODE_TIMING,            /* contention and latencies count */
    MEM_MODE_ATOMIC_NONCACHING, /* RAM only: KVM and fast functional */
};

/* Model-specific registers that a script answers; kept by whoever adds it. */
struct system_msr {
    struct system_msr *next;
    uint32_t first, last;
    /* false: #GP. */
    bool (*read)(struct system_msr *msr, uint32_t cpu_id, uint32_t index,
                 uint64_t *value);
    bool (*write)(struct system_msr *msr, uint32_t cpu_id, uint32_t index,
                  uint64_t value);
};

struct system {
    struct sim_object base;

    /* Parameters. */
    uint32_t mem_mode; /* enum mem_mode; changes when CPUs are switched */
    uint32_t cache_line_size;
    struct sim_vec_range mem_ranges;
    struct workload *workload;
    struct sim_object *kvm_vm; /* a KvmVM; NULL: no CPU uses KVM */
    uint64_t m5ops_base;
    const char *shared_backstore;
    bool auto_unlink_shared_backstore;
    bool mmap_using_noreserve;
    bool multi_thread;
    struct pseudo_machine pseudo; /* its parameters and state */
    struct sim_port system_port;

    /* Derived. */
    uint32_t vm_id; /* Systems before it in the tree: 0 for the first */
    struct physmem *physmem;
    uint64_t pseudo_window;  /* of pseudo operations; 0: none */
    const char **requestors; /* names, by index */
    uint32_t num_requestors;
    struct system_msr *msrs; /* the last one added first */
};

/** system_of() - the nearest System at or above @obj; fatal if there is none
 *  (the configuration is wrong). */
struct system *system_of(const struct sim_object *obj);

static inline bool system_is_timing(const struct system *system)
{
    return system->mem_mode == MEM_MODE_TIMING;
}

/** system_pseudo_op_at() - the pseudo operation that an access at @addr means,
 *  or -1 if it lies outside the window. */
static inline int system_pseudo_op_at(const struct system *system, gpa_t addr)
{
    uint64_t offset = addr.v - system->pseudo_window;

    if (!system->pseudo_window || offset >= PSEUDO_WINDOW_SIZE)
        return -1;
    return pseudo_op_of_offset(offset);
}

/**
 * system_add_requestor() - number a source of memory requests
 * @sub: what of @obj it is ("inst", "data"), or NULL
 *
 * Call in init.  Numbers are dense and start with 0 (the system itself);
 * struct mem_req carries them as `core`, statistics print the names
 * ("cpu.inst": the path without the system's).
 */
uint16_t system_add_requestor(struct system *system,
                              const struct sim_object *obj, const char *sub);
uint32_t system_num_requestors(const struct system *system);
/* All names; may move while requestors are added. */
const char *const *system_requestor_names(const struct system *system);

/** system_add_msr() - answer these registers from now on, where neither the
 *  processor nor its interrupt controller knows them. */
void system_add_msr(struct system *system, struct system_msr *msr);
/** system_find_msr() - who answers @index; NULL: nobody. */
struct system_msr *system_find_msr(const struct system *system, uint32_t index);

extern const struct sim_type system_type; /* "System" */

#ifdef __cplusplus
}
#endif

#endif
