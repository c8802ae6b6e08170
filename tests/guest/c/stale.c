/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random changes of mappings, with a model of what must be seen afterwards:
 * whoever executes a program must not remember a translation that is gone.
 *
 * stale [THREADS [CHANGES]]: each thread has an arena of its own.  With several
 * threads, two more then watch a page that is taken away and put back.  Prints
 * counts and a digest of the model, which depend on the arguments only, or the
 * first difference.
 *
 * guest-flags: -O1 -pthread
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    PAGES = 1024, /* of an arena: two large pages of the processor */
    FILE_PAGES = 16,
    MAX_THREADS = 8,
    WATCHED = 200,
    ABSENT = -1,
    RWX = PROT_READ | PROT_WRITE | PROT_EXEC,
};

/* What a page must hold: 0, or a stamp, which is a function that returns its
 * number: mov $number, %eax; ret. */
struct page {
    int prot; /* or ABSENT */
    int file; /* page of the shared file, or ABSENT */
    uint64_t stamp;
};

struct arena {
    char *base;
    struct page pages[PAGES];
    uint64_t file_stamps[FILE_PAGES];
    uint64_t random;
    uint64_t digest;
    uint32_t number; /* of the last stamp */
    unsigned faults, reads, writes, calls;
    int fd;
    int changes;
};

/* ------------------------------------------------------------------- accesses
 */

struct fault {
    sigjmp_buf back;
    volatile bool is_awaited;
    void *volatile addr;
    volatile int code;
};

static __thread struct fault fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (!fault.is_awaited)
        _exit(100 + signal);
    fault.addr = info->si_addr;
    fault.code = info->si_code;
    siglongjmp(fault.back, 1);
}

static bool try_read(const char *at, uint64_t *value)
{
    bool is_done = false;

    fault.is_awaited = true;
    if (!sigsetjmp(fault.back, 1)) {
        *value = *(const volatile uint64_t *)at;
        is_done = true;
    }
    fault.is_awaited = false;
    return is_done;
}

static bool try_write(char *at, uint64_t value)
{
    bool is_done = false;

    fault.is_awaited = true;
    if (!sigsetjmp(fault.back, 1)) {
        *(volatile uint64_t *)at = value;
        is_done = true;
    }
    fault.is_awaited = false;
    return is_done;
}

static bool try_call(char *at, uint64_t *value)
{
    bool is_done = false;

    fault.is_awaited = true;
    if (!sigsetjmp(fault.back, 1)) {
        *value = ((uint32_t(*)(void))at)();
        is_done = true;
    }
    fault.is_awaited = false;
    return is_done;
}

/* ----------------------------------------------------------------- comparison
 */

static uint64_t next_random(struct arena *arena)
{
    arena->random ^= arena->random << 13;
    arena->random ^= arena->random >> 7;
    arena->random ^= arena->random << 17;
    return arena->random;
}

static unsigned below(struct arena *arena, unsigned limit)
{
    return (unsigned)((next_random(arena) >> 20) % limit);
}

static uint64_t new_stamp(struct arena *arena)
{
    return (uint64_t)++arena->number << 8 | 0xb8 | (uint64_t)0xc3 << 40;
}

static uint64_t *stamp_of(struct arena *arena, unsigned index)
{
    struct page *page = &arena->pages[index];

    return page->file == ABSENT ? &page->stamp
                                : &arena->file_stamps[page->file];
}

static void differs(struct arena *arena, unsigned index, const char *what,
                    uint64_t seen)
{
    struct page *page = &arena->pages[index];

    printf("change %d page %u: %s %#lx, prot %d file %d stamp %#lx\n",
           arena->changes, index, what, seen, page->prot, page->file,
           *stamp_of(arena, index));
    fflush(stdout);
    _exit(1);
}

/* The fault was at the page and for the right reason. */
static void check_fault(struct arena *arena, unsigned index, const char *what)
{
    int code = arena->pages[index].prot == ABSENT ? SEGV_MAPERR : SEGV_ACCERR;

    arena->faults++;
    if (fault.addr != arena->base + (size_t)index * PAGE || fault.code != code)
        differs(arena, index, what, (uint64_t)fault.addr + fault.code);
}

static bool may(const struct page *page, int prot)
{
    return page->prot != ABSENT && (page->prot & prot);
}

static void check_read(struct arena *arena, unsigned index)
{
    struct page *page = &arena->pages[index];
    uint64_t seen = 0;

    arena->reads++;
    if (!try_read(arena->base + (size_t)index * PAGE, &seen)) {
        if (may(page, RWX))
            differs(arena, index, "no read", 0);
        check_fault(arena, index, "fault of a read");
    } else if (!may(page, RWX) || seen != *stamp_of(arena, index)) {
        differs(arena, index, "read", seen);
    }
}

static void check_write(struct arena *arena, unsigned index)
{
    struct page *page = &arena->pages[index];
    uint64_t stamp = new_stamp(arena);

    arena->writes++;
    if (!try_write(arena->base + (size_t)index * PAGE, stamp)) {
        if (may(page, PROT_WRITE))
            differs(arena, index, "no write", 0);
        check_fault(arena, index, "fault of a write");
    } else if (!may(page, PROT_WRITE)) {
        differs(arena, index, "write", stamp);
    } else {
        *stamp_of(arena, index) = stamp;
    }
}

static void check_call(struct arena *arena, unsigned index)
{
    struct page *page = &arena->pages[index];
    uint64_t seen = 0;

    if (may(page, RWX) && !*stamp_of(arena, index))
        return;
    arena->calls++;
    if (!try_call(arena->base + (size_t)index * PAGE, &seen)) {
        if (may(page, PROT_EXEC))
            differs(arena, index, "no call", 0);
        check_fault(arena, index, "fault of a call");
    } else if (!may(page, PROT_EXEC) ||
               seen != (uint32_t)(*stamp_of(arena, index) >> 8)) {
        differs(arena, index, "call", seen);
    }
}

static void check_page(struct arena *arena, unsigned index)
{
    switch (below(arena, 4)) {
    case 0:
        check_read(arena, index);
        check_write(arena, index);
        check_call(arena, index);
        break;
    case 1:
        check_write(arena, index);
        break;
    case 2:
        check_call(arena, index);
        break;
    default:
        check_read(arena, index);
        break;
    }
}

static void check_some(struct arena *arena, unsigned start, unsigned len)
{
    check_page(arena, start);
    check_page(arena, start + len - 1);
    check_page(arena, start + below(arena, len));
    check_page(arena, below(arena, PAGES));
    if (start)
        check_page(arena, start - 1);
    if (start + len < PAGES)
        check_page(arena, start + len);
}

/* -------------------------------------------------------------------- changes
 */

static int any_prot(struct arena *arena)
{
    static const int prots[] = {
        PROT_NONE,
        PROT_READ,
        PROT_READ | PROT_WRITE,
        PROT_READ | PROT_WRITE,
        PROT_READ | PROT_EXEC,
        RWX,
    };

    return prots[below(arena, sizeof(prots) / sizeof(*prots))];
}

static void must(const struct arena *arena, bool is_done, const char *what)
{
    if (is_done)
        return;
    printf("change %d: %s: %s\n", arena->changes, what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static char *page_at(const struct arena *arena, unsigned index)
{
    return arena->base + (size_t)index * PAGE;
}

static void change_map(struct arena *arena, unsigned start, unsigned len)
{
    int prot = any_prot(arena);
    void *map = mmap(page_at(arena, start), (size_t)len * PAGE, prot,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    must(arena, map != MAP_FAILED, "mmap");
    for (unsigned i = start; i < start + len; i++)
        arena->pages[i] = (struct page){prot, ABSENT, 0};
}

static void change_map_file(struct arena *arena, unsigned start, unsigned len)
{
    int prot = any_prot(arena);
    int first = (int)below(arena, FILE_PAGES);
    void *map;

    if (len > FILE_PAGES - (unsigned)first)
        len = FILE_PAGES - (unsigned)first;
    map = mmap(page_at(arena, start), (size_t)len * PAGE, prot,
               MAP_SHARED | MAP_FIXED, arena->fd, (off_t)first * PAGE);
    must(arena, map != MAP_FAILED, "mmap of a file");
    for (unsigned i = 0; i < len; i++)
        arena->pages[start + i] = (struct page){prot, first + (int)i, 0};
}

static void change_unmap(struct arena *arena, unsigned start, unsigned len)
{
    must(arena, !munmap(page_at(arena, start), (size_t)len * PAGE), "munmap");
    for (unsigned i = start; i < start + len; i++)
        arena->pages[i] = (struct page){ABSENT, ABSENT, 0};
}

/* Linux changes what lies before the first hole, and then tells of the hole. */
static void change_protect(struct arena *arena, unsigned start, unsigned len)
{
    int prot = any_prot(arena);
    bool is_whole = !mprotect(page_at(arena, start), (size_t)len * PAGE, prot);
    unsigned i = start;

    while (i < start + len && arena->pages[i].prot != ABSENT)
        arena->pages[i++].prot = prot;
    must(arena, is_whole == (i == start + len), "mprotect");
}

static void change_forget(struct arena *arena, unsigned start, unsigned len)
{
    (void)madvise(page_at(arena, start), (size_t)len * PAGE, MADV_DONTNEED);
    for (unsigned i = start; i < start + len; i++)
        arena->pages[i].stamp = 0;
}

/* mremap takes what one call has mapped: so a fresh one is made, filled in
 * part, and moved. */
static void change_move(struct arena *arena, unsigned start, unsigned len)
{
    unsigned to = below(arena, PAGES - len + 1);
    size_t size = (size_t)len * PAGE;
    void *map;

    change_map(arena, start, len);
    if (may(&arena->pages[start], PROT_WRITE)) {
        check_write(arena, start);
        check_write(arena, start + len - 1);
    }
    if (to < start + len && start < to + len)
        return; /* they overlap, which mremap refuses */
    map = mremap(page_at(arena, start), size, size,
                 MREMAP_MAYMOVE | MREMAP_FIXED, page_at(arena, to));
    must(arena, map == page_at(arena, to), "mremap");
    for (unsigned i = 0; i < len; i++) {
        arena->pages[to + i] = arena->pages[start + i];
        arena->pages[start + i] = (struct page){ABSENT, ABSENT, 0};
    }
    check_some(arena, to, len);
}

/* Parent and child write to the same pages, which are two then.  The child of a
 * program with threads takes no locks, unless something differs. */
static void change_fork(struct arena *arena, unsigned start, unsigned len)
{
    int status = 0;
    pid_t child = fork();

    if (child)
        must(arena, child == waitpid(child, &status, 0) && !status, "a child");
    for (unsigned i = start; i < start + len; i += 1 + len / 8)
        if (arena->pages[i].file == ABSENT)
            check_page(arena, i);
    if (child)
        return;
    change_unmap(arena, start, len);
    check_read(arena, start);
    _exit(0);
}

static void change(struct arena *arena)
{
    static void (*const changes[])(struct arena *, unsigned, unsigned) = {
        change_map,     change_map,     change_map_file, change_unmap,
        change_protect, change_protect, change_protect,  change_forget,
        change_move,    change_fork,
    };
    unsigned most = below(arena, 8) ? 24 : PAGES / 2;
    unsigned len = 1 + below(arena, most);
    unsigned start = below(arena, PAGES - len + 1);
    unsigned which = below(arena, sizeof(changes) / sizeof(*changes));

    arena->changes++;
    check_some(arena, start, len); /* so that translations are remembered */
    changes[which](arena, start, len);
    check_some(arena, start, len);
}

static void *run_arena(void *arg)
{
    struct arena *arena = arg;
    int changes = arena->changes;

    arena->changes = 0;
    while (arena->changes < changes)
        change(arena);
    for (unsigned i = 0; i < PAGES; i++) {
        check_read(arena, i);
        arena->digest = (arena->digest ^ *stamp_of(arena, i)) * 0x100000001b3;
        arena->digest += (uint64_t)arena->pages[i].prot;
    }
    return NULL;
}

/* ------------------------------------------------------------- a watched page:
 * after the call that takes it away has returned, no thread sees it. */

struct watch {
    char *page;
    int round;  /* announced before its change: either is right */
    int is_now; /* the last round whose change has returned */
    int is_ended;
};

/* Even rounds can be read and hold their number; odd ones cannot. */
static void *watch_page(void *arg)
{
    struct watch *watch = arg;
    uint64_t wrong = 0;

    while (!__atomic_load_n(&watch->is_ended, __ATOMIC_ACQUIRE)) {
        int before = __atomic_load_n(&watch->is_now, __ATOMIC_ACQUIRE);
        uint64_t seen = 0;
        bool is_read = try_read(watch->page, &seen);
        int after = __atomic_load_n(&watch->round, __ATOMIC_ACQUIRE);

        if (before != after)
            continue;
        wrong +=
            is_read ? before & 1 || seen != (uint64_t)before : !(before & 1);
    }
    return (void *)wrong;
}

static void watch_change(struct watch *watch, int round)
{
    __atomic_store_n(&watch->round, round, __ATOMIC_SEQ_CST);
    if (round & 1) {
        if (round & 2)
            (void)munmap(watch->page, PAGE);
        else
            (void)mprotect(watch->page, PAGE, PROT_NONE);
    } else {
        char *fresh = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        *(uint64_t *)fresh = (uint64_t)round;
        (void)mremap(fresh, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                     watch->page);
    }
    __atomic_store_n(&watch->is_now, round, __ATOMIC_SEQ_CST);
}

static uint64_t watched(char *page)
{
    struct watch watch = {.page = page};
    pthread_t threads[2];
    uint64_t wrong = 0;

    watch_change(&watch, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, watch_page, &watch);
    for (int round = 1; round <= WATCHED; round++) {
        watch_change(&watch, round);
        for (volatile int i = 0; i < 20000; i++)
            ;
    }
    __atomic_store_n(&watch.is_ended, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) {
        void *result;

        pthread_join(threads[i], &result);
        wrong += (uint64_t)result;
    }
    return wrong;
}

/* ------------------------------------------------------------------------ main
 */

static struct arena arenas[MAX_THREADS];

static void arena_init(struct arena *arena, int number, int changes)
{
    arena->base = (char *)(0x100000000000 + ((uint64_t)number << 32));
    arena->random = 0x9e3779b97f4a7c15 * (uint64_t)(number + 1);
    arena->number = (uint32_t)number << 24;
    arena->changes = changes;
    arena->fd = memfd_create("stale", 0);
    must(arena, !ftruncate(arena->fd, FILE_PAGES * PAGE), "ftruncate");
    for (int i = 0; i < PAGES; i++)
        arena->pages[i] = (struct page){ABSENT, ABSENT, 0};
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 1;
    int changes = argc > 2 ? atoi(argv[2]) : 300;
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    pthread_t threads[MAX_THREADS];

    if (count < 1 || count > MAX_THREADS)
        return 2;
    sigaction(SIGSEGV, &action, NULL);
    for (int i = 0; i < count; i++)
        arena_init(&arenas[i], i, changes);
    for (int i = 1; i < count; i++)
        pthread_create(&threads[i], NULL, run_arena, &arenas[i]);
    run_arena(&arenas[0]);
    for (int i = 1; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < count; i++)
        printf("arena %d: %u reads %u writes %u calls, %u faults, %016lx\n", i,
               arenas[i].reads, arenas[i].writes, arenas[i].calls,
               arenas[i].faults, arenas[i].digest);
    if (count > 1)
        printf("watched: %lu wrong\n", watched((char *)0x200000000000));
    return 0;
}
