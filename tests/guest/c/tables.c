/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions that come and go, with small pages and so a table of their own, or
 * with one large page that takes the table's place: the table's frame is soon
 * that of another region's, while what a processor or a hypervisor has made of
 * it must be gone.  Between two changes every page is read and compared with a
 * model.
 *
 * tables [ROUNDS]: prints counts that depend on it only, or the first
 * difference.
 *
 * guest-flags: -O1
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    PAGE = 4096,
    REGIONS = 12,
    PAGES = 16,     /* that are looked at; all of a region of small ones */
    SPAN = 2 << 20, /* what one table maps */
};

struct region {
    size_t size;            /* 0: not mapped */
    uint64_t stamps[PAGES]; /* 0: never written */
};

struct model {
    char *base;
    struct region regions[REGIONS];
    uint64_t random, number;
    unsigned reads, faults;
};

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, signal);
}

static unsigned below(struct model *model, unsigned limit)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (unsigned)((model->random >> 20) % limit);
}

static volatile uint64_t *page_at(struct model *model, unsigned region,
                                  unsigned page)
{
    return (volatile uint64_t *)(model->base + (size_t)region * SPAN +
                                 (size_t)page * PAGE);
}

static void check_mapped(struct model *model, unsigned index)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t seen = *page_at(model, index, i);

        model->reads++;
        if (seen == model->regions[index].stamps[i])
            continue;
        printf("region %u, page %u: %#lx instead of %#lx\n", index, i,
               (unsigned long)seen,
               (unsigned long)model->regions[index].stamps[i]);
        exit(1);
    }
}

static void check_absent(struct model *model, unsigned index)
{
    unsigned page = below(model, PAGES);

    if (!sigsetjmp(back, 1)) {
        uint64_t seen = *page_at(model, index, page);

        printf("region %u, page %u: %#lx, though it is not mapped\n", index,
               page, (unsigned long)seen);
        exit(1);
    }
    model->faults++;
}

/* Half of its pages are written, so that a reader meets the others first. */
static void map(struct model *model, unsigned index)
{
    struct region *region = &model->regions[index];
    unsigned odd = below(model, 2);

    *region =
        (struct region){.size = below(model, 2) ? (size_t)PAGES * PAGE : SPAN};
    if (mmap((void *)page_at(model, index, 0), region->size,
             PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED)
        exit(2);
    for (unsigned i = odd; i < PAGES; i += 2) {
        region->stamps[i] = ++model->number;
        *page_at(model, index, i) = region->stamps[i];
    }
}

static void unmap(struct model *model, unsigned index)
{
    if (munmap((void *)page_at(model, index, 0), model->regions[index].size))
        exit(2);
    model->regions[index].size = 0;
    check_absent(model, index);
}

static void change(struct model *model)
{
    unsigned index = below(model, REGIONS);

    if (model->regions[index].size)
        unmap(model, index);
    else
        map(model, index);
    for (unsigned i = 0; i < REGIONS; i++)
        if (model->regions[i].size)
            check_mapped(model, i);
}

int main(int argc, char **argv)
{
    struct model model = {.random = 88172645463325252u};
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    struct sigaction action = {.sa_handler = on_fault};
    size_t size = (size_t)(REGIONS + 1) * SPAN;
    char *room =
        mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED || munmap(room, size) ||
        sigaction(SIGSEGV, &action, NULL))
        return 2;
    model.base = (char *)(((uintptr_t)room + SPAN - 1) & -(uintptr_t)SPAN);
    for (int i = 0; i < rounds; i++)
        change(&model);
    printf("%d changes, %u reads, %u faults, %lu stamps\n", rounds, model.reads,
           model.faults, (unsigned long)model.number);
    return 0;
}
