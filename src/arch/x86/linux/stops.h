/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of programs at which simulate() ends.
 *
 * A script asks for a stop by symbol or by address.  The list of stops is the
 * kernel's; each address space has its own sites, the addresses where a stop
 * can be met.  A symbol's site appears when the file that has it is mapped with
 * the right to execute, and goes when it is unmapped.
 *
 * CPU models are told by linux_cpu.stops_changed that sites came or went.  They
 * make the processor leave the program before the instruction at a site of the
 * address space in force (a breakpoint of the core, INT3 under KVM) and then
 * ask stops_arrive(), which counts the hit once however often it is asked, and
 * tells whether the run ends here.  If not, the model executes the instruction
 * without meeting the site again, and calls stops_depart().
 */
#ifndef ARCH_X86_LINUX_STOPS_H
#define ARCH_X86_LINUX_STOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct linux_cpu;
struct mm;

enum { STOPS_MAX_ADDRS = 64, STOPS_CAUSE_SIZE = 128 };

/* What a script asks for. */
struct stop_spec {
    const char *symbol; /* function; NULL: an address */
    const char *file;   /* that has the symbol: its path or last part, or the
                           last part up to ".so"; NULL: any */
    uint64_t addr;      /* linear; with a symbol, an offset to it */
    uint64_t count;     /* end the run at this hit; at least 1 */
    bool repeats;       /* and at each multiple of it */
    uint32_t pid;       /* process; 0: any */
    const char *cause;  /* of the exit event */
};

struct stop {
    struct stop *next;
    char *symbol, *file;
    uint64_t addr, count, hits;
    uint32_t pid, id;
    bool repeats;
    bool is_over;   /* it has ended a run, and will not do so again */
    bool was_found; /* there has been a site */
    char cause[STOPS_CAUSE_SIZE];
};

/* In an address space. */
struct stop_site {
    uint64_t addr;
    uint32_t stop_id;
};

/* Of the kernel. */
struct stops {
    struct stop *first;
    uint32_t last_id;
};

void stops_fini(struct stops *stops);

/** stops_add() - @spec is copied
 *  Returns: the stop; its hits may be read until it is removed. */
struct stop *stops_add(struct kernel *kernel, const struct stop_spec *spec);
/** stops_find() - by id; NULL: there is none. */
struct stop *stops_find(const struct kernel *kernel, uint32_t id);
void stops_remove(struct kernel *kernel, struct stop *stop);

/** stops_update() - mappings of @mm may have changed: find its sites anew. */
void stops_update(struct kernel *kernel, struct mm *mm);

/* ------------------------------------------------------- for CPU models */

/* Whether a stop can be met at @addr. */
bool stops_is_site(const struct mm *mm, uint64_t addr);
/** stops_collect() - the addresses of all sites of all processes, each once.
 *  Returns: their number, at most STOPS_MAX_ADDRS. */
size_t stops_collect(const struct kernel *kernel,
                     uint64_t addrs[STOPS_MAX_ADDRS]);
/** stops_arrive() - the thread on @cpu is about to execute at its RIP
 *  Returns: true if the run ends here; the exit event is scheduled. */
bool stops_arrive(struct linux_cpu *cpu);
/** stops_depart() - the thread whose state is in @cpu has executed the
 *  instruction at @rip: the next time there is another hit. */
void stops_depart(struct linux_cpu *cpu, uint64_t rip);

/** stops_are_set() - false: none of the above needs to be called. */
bool stops_are_set(const struct kernel *kernel);

#ifdef __cplusplus
}
#endif

#endif
