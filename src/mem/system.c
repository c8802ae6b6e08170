/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system: parameters that everything below it shares, requestor numbers,
 * and guest RAM by way of system_ram.  Left out: gem5's thermal model and RAM
 * that other processes map (shared_backstore).
 */
#include "mem/system.h"

#include "base/alloc.h"
#include "base/log.h"
#include "mem/physmem.h"
#include "mem/port.h"
#include "mem/system_ckpt.h"
#include "mem/system_ram.h"
#include "sim/param.h"
#include "sim/report.h"
#include "sim/workload.h"

#include <string.h>

SIM_CHECK_BASE(struct system);

static struct system *self(const struct sim_object *obj)
{
    return SIM_CAST(struct system, system_type, obj);
}

struct system *system_of(const struct sim_object *obj)
{
    const struct sim_object *above = obj;

    while (above != NULL && !sim_object_is_a(above, &system_type))
        above = above->parent;
    if (above == NULL)
        sim_fatal(obj, "is not below a System");
    return self(above);
}

/* --------------------------------------------------------------- requestors */

/* The path of @obj without that of the system. */
static const char *path_below(const struct system *system,
                              const struct sim_object *obj)
{
    size_t len = strlen(system->base.path);

    if (strncmp(obj->path, system->base.path, len) == 0 &&
        obj->path[len] == '.')
        return obj->path + len + 1;
    return obj->path;
}

uint16_t system_add_requestor(struct system *system,
                              const struct sim_object *obj, const char *sub)
{
    uint32_t id = system->num_requestors;
    const char *path = path_below(system, obj);

    SIM_ASSERT(id < UINT16_MAX);
    system->requestors =
        alloc_resize(system->requestors, id + 1, sizeof(*system->requestors));
    system->requestors[id] =
        sub != NULL ? alloc_printf("%s.%s", path, sub) : alloc_strdup(path);
    system->num_requestors++;
    return (uint16_t)id;
}

void system_add_msr(struct system *system, struct system_msr *msr)
{
    msr->next = system->msrs;
    system->msrs = msr;
}

struct system_msr *system_find_msr(const struct system *system, uint32_t index)
{
    struct system_msr *msr = system->msrs;

    while (msr && (index < msr->first || index > msr->last))
        msr = msr->next;
    return msr;
}

uint32_t system_num_requestors(const struct system *system)
{
    return system->num_requestors;
}

const char *const *system_requestor_names(const struct system *system)
{
    return system->requestors;
}

/* --------------------------------------------------------------- life cycle */

/* As gem5's scripts do by hand: RAM comes first. */
static void system_place_window(struct system *system)
{
    uint64_t start = system->m5ops_base & ~(uint64_t)(PSEUDO_WINDOW_SIZE - 1);

    system->pseudo_window = start;
    for (size_t i = 0; start && i < physmem_num_ranges(system->physmem); i++) {
        const struct physmem_range *range =
            physmem_get_range(system->physmem, i);
        uint64_t end = range->start + range->size;

        if (start < end && range->start < start + PSEUDO_WINDOW_SIZE)
            start = (end + PSEUDO_WINDOW_SIZE - 1) &
                    ~(uint64_t)(PSEUDO_WINDOW_SIZE - 1);
    }
    system->pseudo_window = start;
}

/* The half of a vCPU's id that its machine gives. */
static uint32_t system_count_before(const struct sim_object *obj)
{
    const struct sim_object *top = obj;
    uint32_t count = 0;

    while (top->parent)
        top = top->parent;
    for (const struct sim_object *it = top; it && it != obj;
         it = sim_object_next(top, it))
        count += sim_object_is_a(it, &system_type);
    return count;
}

static void system_init(struct sim_object *obj)
{
    struct system *system = self(obj);

    if (system->shared_backstore != NULL && system->shared_backstore[0] != '\0')
        sim_fatal_param(obj, "shared_backstore",
                        "guest RAM cannot be shared with other processes: it "
                        "is private, so that it gets huge pages and a forked "
                        "simulation has its own copy");
    if (system->mem_mode == MEM_MODE_INVALID)
        sim_fatal_param(obj, "mem_mode",
                        "choose 'atomic', 'timing' or "
                        "'atomic_noncaching'");
    system->vm_id = system_count_before(obj);
    (void)system_add_requestor(system, obj, "functional");
    system->physmem = physmem_create();
    system_ram_map(system);
    system_place_window(system);
    system->pseudo.owner = obj;
}

static void system_save(const struct sim_object *obj, struct ckpt_writer *w)
{
    system_ckpt_save(self(obj), w);
}

static int system_load(struct sim_object *obj, struct ckpt_reader *r)
{
    return system_ckpt_load(self(obj), r);
}

static void system_fini(struct sim_object *obj)
{
    struct system *system = self(obj);

    physmem_destroy(system->physmem);
    for (uint32_t i = 0; i < system->num_requestors; i++)
        mem_free((char *)(uintptr_t)system->requestors[i]);
    mem_free(system->requestors);
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops system_ops = {
    .init = system_init,
    .save = system_save,
    .load = system_load,
    .fini = system_fini,
};

static const char *const mem_modes[] = {
    [MEM_MODE_INVALID] = "invalid",
    [MEM_MODE_ATOMIC] = "atomic",
    [MEM_MODE_TIMING] = "timing",
    [MEM_MODE_ATOMIC_NONCACHING] = "atomic_noncaching",
    NULL,
};

static const struct sim_param system_params[] = {
    SIM_PARAM(struct system, mem_mode, "atomic", "",
              "How accesses take place; CPUs that need another mode change it "
              "when they take over",
              .names = mem_modes),
    SIM_PARAM(struct system, cache_line_size, "64", "bytes",
              "Of all caches of the system", .min = 16, .max = 4096,
              .pow2 = true),
    SIM_PARAM(struct system, mem_ranges, "[]", "addr",
              "Ranges of RAM, for scripts; the memories' own ranges count"),
    SIM_PARAM_OBJ(struct system, workload, "NULL", workload_type,
                  "What the system runs"),
    SIM_PARAM_OBJ(struct system, kvm_vm, "NULL", sim_object_type,
                  "The KvmVM of its KVM CPUs"),
    SIM_PARAM(struct system, m5ops_base, "0xffff0000", "addr",
              "First address of the 64 KiB window for pseudo operations, which "
              "lies behind RAM if that is RAM; 0: no window"),
    SIM_PARAM_NAMED(struct system, pseudo.init_param, "init_param", "0", "",
                    "What the pseudo operation init_param returns"),
    SIM_PARAM_NAMED(struct system, pseudo.readfile, "readfile", "", "",
                    "Host file that the pseudo operation read_file returns"),
    SIM_PARAM_NAMED(struct system, pseudo.symbolfile, "symbolfile", "", "",
                    "File with additional symbols",
                    .ignored = "symbols are read from the programs"),
    SIM_PARAM(struct system, shared_backstore, "", "",
              "Not supported: RAM is private to the simulation"),
    SIM_PARAM(struct system, auto_unlink_shared_backstore, "False", "",
              "Whether the file of shared RAM is removed in the end",
              .ignored = "there is no shared backstore"),
    SIM_PARAM(struct system, mmap_using_noreserve, "False", "",
              "Of no effect: RAM never reserves swap space"),
    SIM_PARAM(struct system, multi_thread, "False", "",
              "Several hardware threads per CPU",
              .ignored = "a CPU has one hardware thread"),
    SIM_PARAM_NAMED(struct system, pseudo.exit_on_work_items,
                    "exit_on_work_items", "False", "",
                    "Leave simulate() when a work item begins or ends"),
    SIM_PARAM_NAMED(struct system, pseudo.work_item_id, "work_item_id", "-1",
                    "", "The work item that counts; -1: all"),
    SIM_PARAM_NAMED(struct system, pseudo.num_work_ids, "num_work_ids", "16",
                    "", "Number of distinct work items"),
    SIM_PARAM_NAMED(struct system, pseudo.work_begin_cpu_id_exit,
                    "work_begin_cpu_id_exit", "-1", "",
                    "Leave when this CPU begins a work item; -1: none"),
    SIM_PARAM_NAMED(struct system, pseudo.work_begin_ckpt_count,
                    "work_begin_ckpt_count", "0", "",
                    "Checkpoint after so many begins; 0: never"),
    SIM_PARAM_NAMED(struct system, pseudo.work_begin_exit_count,
                    "work_begin_exit_count", "0", "",
                    "Leave after so many begins; 0: never"),
    SIM_PARAM_NAMED(struct system, pseudo.work_end_ckpt_count,
                    "work_end_ckpt_count", "0", "",
                    "Checkpoint after so many ends; 0: never"),
    SIM_PARAM_NAMED(struct system, pseudo.work_end_exit_count,
                    "work_end_exit_count", "0", "",
                    "Leave after so many ends; 0: never"),
    SIM_PARAM_NAMED(struct system, pseudo.work_cpus_ckpt_count,
                    "work_cpus_ckpt_count", "0", "",
                    "Checkpoint when so many CPUs have begun work; 0: never"),
    SIM_END_PARAM,
};

static const struct sim_field system_state[] = {
    SIM_FIELD(struct system, pseudo.work_begins, "", "Work items begun"),
    SIM_FIELD(struct system, pseudo.work_ends, "", "Work items ended"),
    SIM_FIELD_ARRAY(struct system, pseudo.work_cpus, "",
                    "Bit per CPU: has begun or ended a work item"),
    SIM_END,
};

static const struct sim_port_desc system_ports[] = {
    MEM_REQUESTOR(struct system, system_port,
                  "Functional accesses of the system itself",
                  .is_optional = true),
    SIM_END_PORT,
};

const struct sim_type system_type = {
    .name = "System",
    .doc = "A machine: its memory, its mode and what it runs",
    .base = &sim_object_type,
    .size = sizeof(struct system),
    .version = 1,
    .ops = &system_ops,
    .params = system_params,
    .state = system_state,
    .ports = system_ports,
};
