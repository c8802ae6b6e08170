/* SPDX-License-Identifier: BSD-3-Clause */
/* Per-CPU counters that threads add to in restartable sequences: no addition
 * may be lost, whoever is interrupted where.
 * guest-flags: -O1 -g -lpthread */
#define _GNU_SOURCE

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/rseq.h>

enum { THREADS = 8, ADDITIONS = 20000, MAX_CPUS = 1024 };

static long counters[MAX_CPUS][8];

static struct rseq *area(void)
{
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* Add 1 to the counter of the CPU that executes it; 0 if it was aborted. */
static int add_once(void)
{
    struct rseq *rseq = area();
    unsigned cpu = rseq->cpu_id_start;
    long *counter = counters[cpu];

    __asm__ goto volatile(".pushsection __rseq_cs, \"aw\"\n"
                          ".balign 32\n"
                          "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n"
                          ".popsection\n"
                          "leaq 3b(%%rip), %%rax\n"
                          "movq %%rax, 8(%[rseq])\n"
                          "1: cmpl %[cpu], 4(%[rseq])\n"
                          "jnz 4f\n"
                          "movq (%[counter]), %%rax\n"
                          "incq %%rax\n"
                          "movq %%rax, (%[counter])\n"
                          "2:\n"
                          ".pushsection .text.unlikely\n"
                          ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
                          "4: jmp %l[aborted]\n"
                          ".popsection\n" ::[rseq] "r"(rseq),
                          [cpu] "r"(cpu), [counter] "r"(counter)
                          : "rax", "memory", "cc"
                          : aborted);
    return 1;
aborted:
    return 0;
}

static void *work(void *unused)
{
    for (int i = 0; i < ADDITIONS; i++) {
        while (!add_once())
            ;
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    long sum = 0;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < MAX_CPUS; i++)
        sum += counters[i][0];
    printf("registered %d, sum %ld, cpu known %d\n", __rseq_size > 0, sum,
           sched_getcpu() == (int)area()->cpu_id);
    return 0;
}
