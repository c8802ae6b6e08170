/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of code that the host's processor must not execute by itself: those in
 * which VMCALL or VMMCALL begins or ends.  KVM answers these in the host's
 * kernel, and the simulator never hears of them.
 *
 * Where the watch of an address space asks for it (mm_watch.tracks_code), each
 * page that becomes executable is looked through.  The pages that were found
 * stay executable for the functional core; a CPU model that executes on the
 * host closes them before it enters the program and opens them behind.  Code
 * that is written to a page while it can be executed is not looked at again.
 *
 * The bytes may also be data, or lie inside of other instructions: then the
 * page runs slower, and right.
 */
#ifndef ARCH_X86_LINUX_MM_GUARD_H
#define ARCH_X86_LINUX_MM_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm;

struct mm_guards {
    uint64_t *pages; /* addresses */
    uint32_t num, max;
    bool is_closed;
};

void mm_guards_fini(struct mm_guards *guards);
/** mm_guards_copy() - for a fork, whose entries are copies, too. */
void mm_guards_copy(struct mm_guards *to, const struct mm_guards *from);

/** mm_guards_look() - @frame is about to become executable at @addr
 *  @size: of the page, FRAME_SIZE or FRAME_HUGE_SIZE
 *  Returns: bits for its entry, PTE_NX or 0. */
uint64_t mm_guards_look(struct mm *mm, uint64_t addr, gpa_t frame,
                        uint64_t size);
/** mm_guards_look_at_all() - at what can be executed already. */
void mm_guards_look_at_all(struct mm *mm);

/** mm_guards_close() - let no processor execute the pages. */
void mm_guards_close(struct mm *mm);
/** mm_guards_open() - as their mappings say, for the core. */
void mm_guards_open(struct mm *mm);
/** mm_guards_has() - whether the page that holds @addr is one. */
bool mm_guards_has(const struct mm *mm, uint64_t addr);

#ifdef __cplusplus
}
#endif

#endif
