/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary texts as m5.cpt: each must be loaded or refused with a reason.
 *
 * The first byte selects what the target adds, so that the fuzzer gets past
 * the frame: bit 0 a valid date and the sections that are not objects', bit 1
 * the keys of the object, bit 2 the checksum.
 *
 * Run: scons fuzz; build/fuzz/checkpoint_fuzz -max_total_time=60
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_private.h"
#include "sim/checkpoint_seal.h"
#include "sim/checkpoint_value.h"
#include "sim/field.h"
#include "sim/object.h"
#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzzed {
    struct sim_object base;
    bool flags[2];
    uint8_t u8;
    int64_t i64;
    double f64;
    const char *text;
    struct addr_range range;
    struct sim_vec_u64 numbers;
    struct sim_vec_str words;
    struct sim_vec_obj friends;
    struct sim_vec_range ranges;
};

static const struct sim_field fuzzed_state[] = {
    SIM_FIELD_ARRAY(struct fuzzed, flags, "", "Bools"),
    SIM_FIELD(struct fuzzed, u8, "", "A number"),
    SIM_FIELD(struct fuzzed, i64, "", "A number"),
    SIM_FIELD(struct fuzzed, f64, "", "A number"),
    SIM_FIELD(struct fuzzed, text, "", "A string"),
    SIM_FIELD(struct fuzzed, range, "", "A range"),
    SIM_FIELD(struct fuzzed, numbers, "", "A list"),
    SIM_FIELD(struct fuzzed, words, "", "A list"),
    SIM_FIELD(struct fuzzed, friends, "", "A list"),
    SIM_FIELD(struct fuzzed, ranges, "", "A list"),
    SIM_END,
};

/* Reads one key of each form; the caller's own section, then another. */
static int fuzzed_load(struct sim_object *obj, struct ckpt_reader *r)
{
    uint64_t words[8];
    uint8_t bytes[8];
    const char *text;
    size_t len = ckpt_count(r, "list");
    int err = len > 8 ? ckpt_read_failed(r, -1, "too long: %s", obj->path)
                      : ckpt_get_u64s(r, "list", words, len);

    if (!err)
        err = ckpt_get_bytes(r, "blob", bytes, sizeof(bytes));
    if (!err)
        err = ckpt_get_str(r, "label", &text);
    ckpt_enter_subsection(r, "more");
    if (!err)
        err = ckpt_get_u64(r, "number", words);
    return err;
}

static void fuzzed_fini(struct sim_object *obj)
{
    for (const struct sim_field *field = fuzzed_state; field->name; field++)
        ckpt_value_free(obj, field);
}

static const struct sim_ops fuzzed_ops = {
    .load = fuzzed_load,
    .fini = fuzzed_fini,
};

static const struct sim_type fuzzed_type = {
    .name = "Fuzzed",
    .base = &sim_object_type,
    .size = sizeof(struct fuzzed),
    .version = 1,
    .ops = &fuzzed_ops,
    .state = fuzzed_state,
};

static const struct sim_type top_type = {
    .name = "Top",
    .base = &sim_object_type,
    .size = sizeof(struct sim_object),
};

static const char frame[] =
    CKPT_FIRST_LINE "today\n"
                    "[root.globals]\n"
                    "curTick=5\n"
                    "version_tags=" CKPT_VERSION_TAGS "\nrng=1 2 3 4\n"
                    "[root.files]\n";

static const char object[] = "[a.more]\nnumber=1\n[a]\ntypes=Fuzzed:1\n"
                             "list=1 2\nblob=0x0011223344556677\nlabel=x\n";

static char *compose(const uint8_t *data, size_t size, size_t *len)
{
    char *last, *text = NULL;
    FILE *out = open_memstream(&text, len);

    SIM_ASSERT(out);
    if (data[0] & 1)
        (void)fputs(frame, out);
    if (data[0] & 2)
        (void)fputs(object, out);
    (void)fwrite(data + 1, 1, size - 1, out);
    if (data[0] & 4) {
        (void)fputs("\n", out);
        (void)fflush(out);
        last = ckpt_last_line(text, *len);
        (void)fputs(last, out);
        mem_free(last);
    }
    (void)fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim *sim = sim_create(NULL);
    struct sim_object *root;
    char why[256] = "";
    size_t len = 0;
    char *text;

    root = sim_object_create(sim, &top_type, NULL, "root", NULL);
    (void)sim_object_create(sim, &fuzzed_type, root, "a", NULL);
    if (size) {
        text = compose(data, size, &len);
        if (ckpt_load_text(sim, "/nonexistent", text, len, why))
            SIM_ASSERT(why[0]);
        mem_free(text);
    }
    sim_destroy(sim);
    return 0;
}
