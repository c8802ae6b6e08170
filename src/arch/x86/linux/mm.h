/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The address space of a process: a sorted list of mappings (struct vma) and
 * the page tables that are filled from it when pages are touched.
 *
 * Page policy: private anonymous memory gets 2 MiB pages wherever an aligned
 * 2 MiB lies inside one mapping; everything else 4 KiB.  Copy-on-write by the
 * frames' reference counts: a private page is writable in the tables only
 * while its frame has one reference.  A fault maps its neighbours, too
 * (fault_around), as each costs an exit under KVM: pages of files when they
 * are read, as Linux does, and fresh zeroes.
 *
 * This file: life, faults, lookups.  mm_map.c: the calls that change mappings.
 */
#ifndef ARCH_X86_LINUX_MM_H
#define ARCH_X86_LINUX_MM_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/linux/mm_guard.h"
#include "arch/x86/linux/pagetable.h"
#include "base/compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mm;
struct stop_site;
struct vm_object;
struct vm_objects;

enum mm_prot { MM_READ = 1, MM_WRITE = 2, MM_EXEC = 4 }; /* as PROT_* */

enum vma_flag {
    VMA_SHARED = 1,
    VMA_GROWS_DOWN = 2,
    VMA_STACK = 4,      /* [stack] */
    VMA_HEAP = 8,       /* [heap] */
    VMA_MAY_WRITE = 16, /* a shared mapping of a file open for writing */
    VMA_NO_HUGE = 32,
    VMA_NO_FORK = 64,
    VMA_WIPE_ON_FORK = 128,
    VMA_LOCKED = 256, /* mlock; not inherited by fork */
};

struct vma {
    uint64_t start, end;
    uint32_t prot, flags;
    struct vm_object *object; /* NULL: private zeroes; a reference is held */
    uint64_t offset;          /* of start in the object [bytes] */
};

/*
 * Who keeps translations: TLBs of cores, KVM.  Told whatever is taken away;
 * additions and wider rights are not told, as a processor that does not know
 * of them faults and looks again.  The order, for all changes:
 *
 *   1. the entries in the tables are changed;
 *   2. frame() and table() for what was mapped there, one by one;
 *   3. changed(): when it returns, no processor uses an old translation, on
 *      whatever host thread it runs;
 *   4. only then are frames given back, pages of files written, and others
 *      let at pages that became copy-on-write.
 *
 * So a frame that was freed has always been announced before it is used again.
 */
struct mm_watch {
    /* Entries of [start, start + len) were removed, tightened or replaced. */
    void (*changed)(struct mm_watch *watch, struct mm *mm, uint64_t start,
                    uint64_t len);
    /* A mapping of [frame, frame + len) was; may be NULL. */
    void (*frame)(struct mm_watch *watch, gpa_t frame, uint64_t len);
    /* This frame is no page table any more; may be NULL. */
    void (*table)(struct mm_watch *watch, gpa_t table);
    /* Pages of code are looked through as they become executable; mm_guard.h */
    bool tracks_code;
};

struct mm {
    struct pagetable pt;
    struct vm_objects *objects;
    struct mm_watch *watch;
    uint32_t refs;
    struct vma *vmas; /* sorted, disjoint */
    uint32_t num_vmas, max_vmas;
    uint64_t task_size; /* end of user addresses */
    uint64_t mmap_base; /* mappings go below */
    uint64_t brk_start, brk;
    uint64_t limit_as, limit_stack, limit_data; /* resource limits [bytes] */
    uint64_t code_start, code_end, data_start, data_end;
    uint64_t stack_start, arg_start, arg_end, env_start, env_end;
    uint64_t auxv_start, auxv_len;
    uint64_t total;          /* sum of mappings [bytes] */
    uint64_t resident;       /* [bytes] */
    uint64_t max_resident;   /* the most it has been [bytes] */
    uint64_t num_faults;     /* times that mm_fault() had something to do */
    uint32_t new_flags;      /* of mappings to come: VMA_LOCKED, mlockall */
    uint32_t fault_around;   /* pages mapped for one touched, a power of two */
    struct stop_site *sites; /* where runs may end; stops.h */
    uint32_t num_sites;
    struct mm_guards guards;  /* code that is the core's */
    uint64_t sites_signature; /* of the mappings that they were found in */
};

enum mm_result {
    MM_OK,
    MM_NOT_MAPPED, /* SIGSEGV, SEGV_MAPERR */
    MM_DENIED,     /* SIGSEGV, SEGV_ACCERR */
    MM_BUS,        /* SIGBUS: beyond the end of the file */
    MM_NO_MEMORY,  /* guest RAM is full */
};

/* Addresses of the 64-bit and the 32-bit layout, without randomisation. */
#define MM_TASK_SIZE_64 UINT64_C(0x7ffffffff000)
#define MM_TASK_SIZE_32 UINT64_C(0xffffe000)
#define MM_STACK_GAP    UINT64_C(0x8000000) /* room that mmap leaves [bytes] */

/** mm_create() - an empty address space with one reference, which maps single
 *  pages; NULL if guest RAM is full. */
struct mm *mm_create(struct vm_objects *objects, struct mm_watch *watch,
                     uint64_t task_size);
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/** mm_fork() - a copy whose private pages are shared until written.
 *  Returns: NULL if guest RAM is full. */
struct mm *mm_fork(struct mm *mm);

enum mm_kernel_access {
    MM_KERNEL_DATA, /* of the supervisor, such as descriptor tables */
    MM_KERNEL_CODE, /* read and executed in every ring */
};

/** mm_map_kernel() - map a frame of the kernel half at @addr. */
bool mm_map_kernel(struct mm *mm, uint64_t addr, gpa_t frame,
                   enum mm_kernel_access access);

/**
 * mm_fault() - make @addr accessible, as a page fault handler does
 * @access: enum mm_prot bits that are needed
 */
enum mm_result mm_fault(struct mm *mm, uint64_t addr, uint32_t access);

/** mm_own_byte() - the byte at @addr on a page that only @mm has, whatever its
 *  rights, so that a debugger may write to it.
 *  Returns: its host address; NULL if nothing can be executed there, the
 *  mapping is shared, or guest RAM is full. */
uint8_t *mm_own_byte(struct mm *mm, uint64_t addr);

/** mm_find() - the mapping that holds @addr, or the first one above it; NULL
 *  if there is none. */
struct vma *mm_find(const struct mm *mm, uint64_t addr);
/** mm_at() - the mapping that holds @addr, or NULL. */
struct vma *mm_at(const struct mm *mm, uint64_t addr);
uint32_t mm_index(const struct mm *mm, uint64_t addr);

/* Used by mm_map.c. */
void mm_insert(struct mm *mm, const struct vma *vma);
void mm_remove(struct mm *mm, uint32_t index);
/* Whether writes through the mapping belong into its file. */
bool vma_is_shared_writer(const struct vma *vma);
/* Free the pages of [start, end), bringing shared ones to their files. */
SIM_MUST_CHECK bool mm_zap(struct mm *mm, uint64_t start, uint64_t end);
/* Set the rights of present pages to those of their mappings; both ends are
 * page boundaries. */
void mm_reprotect(struct mm *mm, uint64_t start, uint64_t end);
/* Make @addr a page boundary in the tables. */
SIM_MUST_CHECK bool mm_split_page(struct mm *mm, uint64_t addr);
/** mm_sync() - write pages changed through shared mappings to their files.
 *  Returns: 0 or -errno. */
int mm_sync(struct mm *mm, uint64_t start, uint64_t end);

#ifdef __cplusplus
}
#endif

#endif
