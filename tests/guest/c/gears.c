/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must survive a change of CPU: x87 values of 80 bits with a control word
 * of their own, MMX, YMM, ZMM and mask registers, MXCSR, flags; threads, signal
 * handlers that use all of it, sleeping and waiting threads.  Each loop keeps
 * its values in registers.  The output depends on nothing else.
 *
 * usage: gears [threads [rounds]]
 * guest-flags: -O2 -pthread
 */
#define _GNU_SOURCE
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 16, STEPS = 400 };

static uint64_t sums[MAX_THREADS];
static int rounds = 4;
static pthread_barrier_t barrier;
static _Thread_local volatile uint64_t handled;

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return sum << 31 | sum >> 33;
}

static uint64_t mix_bytes(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++)
        sum = mix(sum, bytes[i]);
    return sum;
}

/* Seven values on the register stack, rounded towards zero to 64 bits. */
static uint64_t use_x87(uint64_t sum)
{
    uint16_t old, control = 0x0f7f;
    long double out[4], start = (long double)(sum >> 12) / 3e15L;
    uint8_t image[40] = {0};

    __asm__ volatile("fnstcw %0" : "=m"(old));
    __asm__ volatile(
        "fldcw %[cw]\n\t"
        "fldpi\n\tfldl2e\n\tfldln2\n\tfldt %[start]\n\t"
        "movl %[steps], %%ecx\n"
        "1:\tfmul %%st(1), %%st\n\tfadd %%st(2), %%st\n\t"
        "fsqrt\n\tfsub %%st(3), %%st\n\tfabs\n\t"
        "fxch %%st(1)\n\tfadd %%st(1), %%st\n\tfsqrt\n\t"
        "fxch %%st(1)\n\t"
        "subl $1, %%ecx\n\tjnz 1b\n\t"
        "fstpt %[a]\n\tfstpt %[b]\n\tfstpt %[c]\n\tfstpt %[d]\n\t"
        "fldcw %[old]"
        : [a] "=m"(out[0]), [b] "=m"(out[1]), [c] "=m"(out[2]), [d] "=m"(out[3])
        : [cw] "m"(control), [old] "m"(old), [start] "m"(start),
          [steps] "i"(STEPS)
        : "ecx", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
          "st(6)", "st(7)");
    for (int i = 0; i < 4; i++)
        memcpy(image + 10 * i, &out[i], 10);
    return mix_bytes(sum, image, sizeof(image));
}

static uint64_t use_mmx(uint64_t sum)
{
    uint64_t a = sum, b = ~sum, out[3];

    __asm__ volatile("movq %[a], %%mm0\n\tmovq %[b], %%mm1\n\t"
                     "pcmpeqd %%mm2, %%mm2\n\t"
                     "movl %[steps], %%ecx\n"
                     "1:\tpaddw %%mm1, %%mm0\n\tpmullw %%mm0, %%mm1\n\t"
                     "pxor %%mm0, %%mm2\n\tpsubb %%mm2, %%mm1\n\t"
                     "subl $1, %%ecx\n\tjnz 1b\n\t"
                     "movq %%mm0, %[x]\n\tmovq %%mm1, %[y]\n\t"
                     "movq %%mm2, %[z]\n\temms"
                     : [x] "=m"(out[0]), [y] "=m"(out[1]), [z] "=m"(out[2])
                     : [a] "m"(a), [b] "m"(b), [steps] "i"(STEPS)
                     : "ecx", "cc", "mm0", "mm1", "mm2", "st", "st(1)", "st(2)",
                       "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    return mix_bytes(sum, out, sizeof(out));
}

/* With denormals flushed to zero and rounding up. */
static uint64_t use_sse(uint64_t sum)
{
    uint32_t old = _mm_getcsr();
    double a = (double)(sum >> 20), b = 1.0;
    double out[2];

    _mm_setcsr((old & ~0x6000U) | 0xc040U);
    for (int i = 0; i < STEPS; i++) {
        a = a / 3.0 + b;
        b = b * 0.75 + 1.0 / (a + 1.0);
        __asm__ volatile("" : "+x"(a), "+x"(b));
    }
    sum = mix(sum, _mm_getcsr());
    _mm_setcsr(old);
    out[0] = a;
    out[1] = b;
    return mix_bytes(sum, out, sizeof(out));
}

__attribute__((target("avx2"))) static uint64_t use_avx2(uint64_t sum)
{
    __m256i v[8];

    for (int i = 0; i < 8; i++)
        v[i] = _mm256_set1_epi64x((long long)mix(sum, (uint64_t)i));
    for (int i = 0; i < STEPS; i++)
        for (int k = 0; k < 8; k++) {
            v[k] = _mm256_add_epi32(v[k], v[(k + 1) & 7]);
            v[k] = _mm256_xor_si256(_mm256_srli_epi64(v[k], 7),
                                    _mm256_mullo_epi32(v[k], v[(k + 3) & 7]));
        }
    return mix_bytes(sum, v, sizeof(v));
}

__attribute__((target("avx512f,avx512bw"))) static uint64_t
use_avx512(uint64_t sum)
{
    __m512i v[8];
    __mmask16 mask = (__mmask16)sum;

    for (int i = 0; i < 8; i++)
        v[i] = _mm512_set1_epi64((long long)mix(sum, (uint64_t)i));
    for (int i = 0; i < STEPS; i++)
        for (int k = 0; k < 8; k++) {
            v[k] = _mm512_mask_add_epi32(v[(k + 5) & 7], mask, v[k],
                                         v[(k + 1) & 7]);
            mask = _mm512_cmplt_epi32_mask(v[k], v[(k + 2) & 7]);
            v[k] = _mm512_ternarylogic_epi64(v[k], v[(k + 3) & 7],
                                             v[(k + 6) & 7], 0x96);
        }
    return mix(mix_bytes(sum, v, sizeof(v)), mask);
}

static uint64_t use_all(uint64_t sum)
{
    sum = use_x87(sum);
    sum = use_mmx(sum);
    sum = use_sse(sum);
    if (__builtin_cpu_supports("avx2"))
        sum = use_avx2(sum);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        sum = use_avx512(sum);
    return sum;
}

/* Interrupts a loop and uses the same registers. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    handled = mix(handled, use_all(handled));
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = 20000};

    nanosleep(&time, NULL);
}

/* A place to stop at. */
__attribute__((noipa)) void round_done(void)
{
}

static void *work(void *arg)
{
    uint64_t id = (uint64_t)(uintptr_t)arg;
    uint64_t sum = mix(UINT64_C(0x1234567), id);

    for (int i = 0; i < rounds; i++) {
        sum = use_all(sum);
        pthread_kill(pthread_self(), SIGUSR1);
        sum = mix(sum, handled);
        round_done();
        if (i % 3 == 0)
            nap();
        if (i % 4 == 1)
            pthread_barrier_wait(&barrier);
    }
    sums[id] = sum;
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 4;
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO};
    pthread_t threads[MAX_THREADS];

    if (argc > 2)
        rounds = atoi(argv[2]);
    if (count < 1 || count > MAX_THREADS)
        return 2;
    sigaction(SIGUSR1, &action, NULL);
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < count; i++)
        printf("thread %d: %016llx\n", i, (unsigned long long)sums[i]);
    return 0;
}
