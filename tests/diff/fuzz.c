/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Differential fuzzing: random instructions of every form the decoder knows in
 * user mode, on the host's CPU and on the simulated core.
 *
 *   diff_fuzz [--mode 64|32|16] [--cases N] [--seed S] [--only MNEMONIC]
 *             [--report FILE] [--max-differences N]
 *
 * Ends with "N passed, N failed"; exit status 1 if anything differed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/fault.h"
#include "cases.h"
#include "compare.h"
#include "model.h"
#include "native.h"
#include "shapes.h"

enum { MAX_ENCODE_TRIES = 200, MAX_PRINTED_PER_MNEMONIC = 1 };

/* What became of a mnemonic. */
struct tally {
    uint32_t compared, differed, faulted, undefined, lost, not_offered;
};

struct options {
    enum diff_mode mode;
    uint64_t cases, seed;
    const char *only;
    const char *report;
    uint64_t max_differences;
};

struct fuzz {
    struct options options;
    struct rng_state rng;
    struct shapes *shapes;
    struct native *native;
    struct model *model;
    uint64_t xsave_mask;
    uint64_t passed, failed, skipped;
    struct diff_case cases[NATIVE_BATCH];
    struct decoded decoded[NATIVE_BATCH];
    struct diff_result native_results[NATIVE_BATCH];
    ZydisMnemonic chosen[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    uint32_t num_chosen, next_chosen;
    struct tally tally[ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

static void choose_mnemonics(struct fuzz *fuzz)
{
    const struct shapes *shapes = fuzz->shapes;

    for (unsigned m = 1; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
        const char *name = ZydisMnemonicGetString((ZydisMnemonic)m);

        if (shapes->first[m + 1] == shapes->first[m] ||
            case_exclusion((ZydisMnemonic)m))
            continue;
        if (fuzz->options.only && strcmp(fuzz->options.only, name) != 0)
            continue;
        fuzz->chosen[fuzz->num_chosen++] = (ZydisMnemonic)m;
    }
}

/* Forms whose effects on the native side go beyond one instruction. */
static bool is_unsuitable(const struct decoded *decoded)
{
    const ZydisDecodedOperand *first = &decoded->operands[0];

    if (case_exclusion(decoded->inst.mnemonic))
        return true;
    /* Loading SS holds back the trap until after the next instruction.
     * [SDM] Vol. 3A, "Masking Exceptions and Interrupts When Switching
     * Stacks". */
    return (decoded->inst.mnemonic == ZYDIS_MNEMONIC_MOV ||
            decoded->inst.mnemonic == ZYDIS_MNEMONIC_POP) &&
           first->type == ZYDIS_OPERAND_TYPE_REGISTER &&
           first->reg.value == ZYDIS_REGISTER_SS;
}

static bool make_case(struct fuzz *fuzz, ZydisMnemonic mnemonic,
                      struct diff_case *test, struct decoded *decoded)
{
    const struct shapes *shapes = fuzz->shapes;
    uint32_t first = shapes->first[mnemonic];
    uint32_t count = shapes->first[mnemonic + 1] - first;

    for (unsigned attempt = 0; attempt < MAX_ENCODE_TRIES; attempt++) {
        const struct shape *shape =
            &shapes->all[first + rnd_below(&fuzz->rng, count)];
        unsigned len =
            shape_encode(shape, shapes->mode, &fuzz->rng, test->bytes);

        test->mode = (uint8_t)shapes->mode;
        if (!case_decode(shapes->mode, test->bytes, len, decoded) ||
            decoded->inst.mnemonic != mnemonic || is_unsuitable(decoded))
            continue;
        case_fill(test, decoded, fuzz->xsave_mask, &fuzz->rng);
        return true;
    }
    return false;
}

static unsigned make_batch(struct fuzz *fuzz, uint64_t wanted)
{
    unsigned count = 0, misses = 0;

    while (count < NATIVE_BATCH && count < wanted && misses < 1000) {
        ZydisMnemonic mnemonic = fuzz->chosen[fuzz->next_chosen];

        fuzz->next_chosen = (fuzz->next_chosen + 1) % fuzz->num_chosen;
        if (make_case(fuzz, mnemonic, &fuzz->cases[count],
                      &fuzz->decoded[count]))
            count++;
        else
            misses++;
    }
    return count;
}

static void report_difference(struct fuzz *fuzz, unsigned i,
                              const struct diff_result *model, const char *text)
{
    const struct decoded *decoded = &fuzz->decoded[i];
    struct tally *tally = &fuzz->tally[decoded->inst.mnemonic];

    fuzz->failed++;
    if (tally->differed++ >= MAX_PRINTED_PER_MNEMONIC)
        return;
    (void)printf("difference in %s: %s\n",
                 ZydisMnemonicGetString(decoded->inst.mnemonic), text);
    compare_print(stdout, &fuzz->cases[i], decoded, &fuzz->native_results[i],
                  model);
}

static void check_case(struct fuzz *fuzz, unsigned i)
{
    const struct diff_result *native = &fuzz->native_results[i];
    struct tally *tally = &fuzz->tally[fuzz->decoded[i].inst.mnemonic];
    static struct diff_result model; /* 11 KiB: too much for the stack */
    char text[256];

    if (native->is_lost) {
        tally->lost++;
        (void)printf("lost: the native side died\n");
        compare_print(stdout, &fuzz->cases[i], &fuzz->decoded[i], native,
                      native);
        return;
    }
    model_run(fuzz->model, &fuzz->cases[i], &model);
    if (model.vector == X86_UD && native->vector != X86_UD &&
        !model_offers(fuzz->model, &fuzz->decoded[i].inst)) {
        tally->not_offered++;
        fuzz->skipped++;
        return;
    }
    tally->compared++;
    tally->faulted += native->vector != X86_NO_FAULT;
    tally->undefined += native->vector == X86_UD;
    if (compare_results(&fuzz->cases[i], &fuzz->decoded[i], native, &model,
                        text))
        report_difference(fuzz, i, &model, text);
    else
        fuzz->passed++;
}

static void run(struct fuzz *fuzz)
{
    uint64_t done = 0;

    while (done < fuzz->options.cases &&
           fuzz->failed < fuzz->options.max_differences) {
        unsigned count = make_batch(fuzz, fuzz->options.cases - done);

        if (!count)
            break;
        native_run(fuzz->native, fuzz->cases, count, fuzz->native_results);
        for (unsigned i = 0; i < count; i++)
            check_case(fuzz, i);
        done += count;
    }
}

static const char *verdict(const struct fuzz *fuzz, unsigned mnemonic)
{
    const struct tally *tally = &fuzz->tally[mnemonic];
    const char *excluded = case_exclusion((ZydisMnemonic)mnemonic);

    if (excluded)
        return excluded;
    if (fuzz->shapes->first[mnemonic + 1] == fuzz->shapes->first[mnemonic])
        return "no encoding in this mode, or none that this decoder accepts";
    if (!tally->compared && tally->not_offered)
        return "the host has it, the simulated processor does not offer it";
    if (!tally->compared)
        return "not reached in this run";
    if (tally->undefined == tally->compared)
        return "the host does not have it: #UD on both sides";
    if (tally->faulted == tally->compared)
        return "always faults in user mode";
    return "";
}

static void write_report(const struct fuzz *fuzz)
{
    FILE *out = fopen(fuzz->options.report, "w");
    uint32_t really = 0;

    if (!out) {
        perror(fuzz->options.report);
        exit(1);
    }
    (void)fprintf(out, "mnemonic,compared,without fault,differences,remark\n");
    for (unsigned m = 1; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
        const struct tally *tally = &fuzz->tally[m];

        really += tally->compared > tally->faulted;
        (void)fprintf(out, "%s,%u,%u,%u,%s\n",
                      ZydisMnemonicGetString((ZydisMnemonic)m), tally->compared,
                      tally->compared - tally->faulted, tally->differed,
                      verdict(fuzz, m));
    }
    (void)fclose(out);
    (void)printf("%u mnemonics executed without fault and compared\n", really);
}

static enum diff_mode parse_mode(const char *text)
{
    if (!strcmp(text, "64"))
        return DIFF_LONG64;
    if (!strcmp(text, "32"))
        return DIFF_COMPAT32;
    if (!strcmp(text, "16"))
        return DIFF_COMPAT16;
    (void)fprintf(stderr, "no such mode: %s\n", text);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"mode",             required_argument, NULL, 'b'},
        {"cases",              required_argument, NULL, 'c'},
        {"seed",                  required_argument, NULL, 's'},
        {"only",required_argument, NULL, 'o'},
        {"report",               required_argument, NULL, 'r'},
        {"max-differences",             required_argument, NULL, 'm'},
        {0             },
    };
    struct options options = {
        .cases = 20000, .seed = 1, .max_differences = UINT64_MAX};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'b')
            options.mode = parse_mode(optarg);
        else if (option == 'c')
            options.cases = strtoull(optarg, NULL, 0);
        else if (option == 's')
            options.seed = strtoull(optarg, NULL, 0);
        else if (option == 'o')
            options.only = optarg;
        else if (option == 'r')
            options.report = optarg;
        else if (option == 'm')
            options.max_differences = strtoull(optarg, NULL, 0);
        else
            exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    bool is_good;

    if (!fuzz)
        abort();
    fuzz->options = parse(argc, argv);
    fuzz->rng.s = fuzz->options.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    fuzz->shapes = shapes_create(fuzz->options.mode);
    choose_mnemonics(fuzz);
    if (!fuzz->num_chosen) {
        (void)fprintf(stderr, "no such mnemonic: %s\n", fuzz->options.only);
        return 2;
    }
    fuzz->native = native_create(&fuzz->xsave_mask);
    fuzz->xsave_mask &= 0xe7;
    fuzz->model = model_create(fuzz->xsave_mask);
    run(fuzz);
    if (fuzz->options.report)
        write_report(fuzz);
    (void)printf("%llu not compared: the simulated processor lacks them\n",
                 (unsigned long long)fuzz->skipped);
    (void)printf("%llu passed, %llu failed\n", (unsigned long long)fuzz->passed,
                 (unsigned long long)fuzz->failed);
    is_good = !fuzz->failed && fuzz->passed;
    native_destroy(fuzz->native);
    model_destroy(fuzz->model);
    shapes_destroy(fuzz->shapes);
    free(fuzz);
    return is_good ? 0 : 1;
}
