// SPDX-License-Identifier: BSD-3-Clause
/*
 * A 32-bit program: 64-bit arithmetic in two halves, floating point in the
 * x87, files, memory, and an argument.
 *
 * guest-flags: -m32 -static -O2 -g
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    return x ^ (x / 12345 + x % 678);
}

static int write_file(const char *path, uint64_t value)
{
    struct stat info;
    FILE *file = fopen(path, "w");

    if (!file)
        return 1;
    fprintf(file, "%llx\n", (unsigned long long)value);
    if (fclose(file) || stat(path, &info))
        return 1;
    printf("%d bytes\n", (int)info.st_size);
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 3;
    uint64_t value = 1;
    long double sum = 0;
    char *memory = malloc(300000);

    if (!memory)
        return 1;
    memset(memory, 1, 300000);
    for (int i = 0; i < rounds * 1000; i++) {
        value = mix(value + (uint64_t)memory[i]);
        sum += 1.0L / (1 + i);
    }
    free(memory);
    printf("%zu %llu %.17Lg\n", sizeof(void *), (unsigned long long)value, sum);
    if (write_file("sum32.txt", value))
        return 2;
    return access("missing", R_OK) ? 17 : 0;
}
