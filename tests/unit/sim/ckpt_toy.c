/* SPDX-License-Identifier: BSD-3-Clause */
#include "ckpt_toy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/checkpoint.h"
#include "sim/checkpoint_value.h"

/* clang-format off */
#define OBJ_FIELD(m, name_)                                                    \
    {                                                                          \
        .name = name_, .doc = "An object", .unit = "", .kind = SIM_OBJ,        \
        .offset = offsetof(struct ckpt_toy, m), .count = 1                     \
    }
/* clang-format on */

static const struct sim_field toy_state[] = {
    SIM_FIELD(struct ckpt_toy, flag, "", "A bool"),
    SIM_FIELD(struct ckpt_toy, u8, "", "A number"),
    SIM_FIELD(struct ckpt_toy, u16, "", "A number"),
    SIM_FIELD(struct ckpt_toy, u32, "", "A number"),
    SIM_FIELD(struct ckpt_toy, u64, "", "A number"),
    SIM_FIELD(struct ckpt_toy, i64, "", "A number"),
    SIM_FIELD(struct ckpt_toy, f64, "", "A number"),
    SIM_FIELD(struct ckpt_toy, text, "", "A string"),
    OBJ_FIELD(friend_obj, "friend"),
    SIM_FIELD(struct ckpt_toy, range, "", "A range"),
    SIM_FIELD_ARRAY(struct ckpt_toy, flags, "", "Bools"),
    SIM_FIELD_ARRAY(struct ckpt_toy, bytes, "", "Numbers"),
    SIM_FIELD_ARRAY(struct ckpt_toy, words, "", "Numbers"),
    SIM_FIELD_ARRAY(struct ckpt_toy, ratios, "", "Numbers"),
    SIM_FIELD_ARRAY(struct ckpt_toy, names, "", "Strings"),
    SIM_FIELD(struct ckpt_toy, numbers, "", "A list"),
    SIM_FIELD(struct ckpt_toy, levels, "", "A list"),
    SIM_FIELD(struct ckpt_toy, words_list, "", "A list"),
    SIM_FIELD(struct ckpt_toy, friends, "", "A list"),
    SIM_FIELD(struct ckpt_toy, ranges, "", "A list"),
    SIM_END,
};

void ckpt_toy_fini(struct sim_object *obj)
{
    for (const struct sim_field *field = toy_state; field->name; field++)
        ckpt_value_free(obj, field);
}

static const struct sim_ops toy_ops = {.fini = ckpt_toy_fini};

const struct sim_type ckpt_root_type = {
    .name = "CkptRoot",
    .base = &sim_object_type,
    .size = sizeof(struct sim_object),
};

const struct sim_type ckpt_toy_type = {
    .name = "CkptToy",
    .base = &sim_object_type,
    .size = sizeof(struct ckpt_toy),
    .version = 3,
    .ops = &toy_ops,
    .state = toy_state,
};

const struct sim_type ckpt_new_toy_type = {
    .name = "CkptToy",
    .base = &sim_object_type,
    .size = sizeof(struct ckpt_toy),
    .version = 4,
    .ops = &toy_ops,
    .state = toy_state,
};

const struct sim_type ckpt_thin_type = {
    .name = "CkptThin",
    .base = &ckpt_toy_type,
    .size = sizeof(struct ckpt_toy),
    .version = 9,
};

/* ------------------------------------------------------------- the big toy */

static void save_file(const struct ckpt_big_toy *big, struct ckpt_writer *w)
{
    char *name = alloc_printf("%s.data", big->toy.base.path);
    char *path = ckpt_file_path(w, name);
    FILE *file = fopen(path, "w");

    if (!file || fputs(big->file_text, file) < 0 || fclose(file))
        ckpt_write_failed(w, -EIO, "cannot write %s", name);
    mem_free(path);
    mem_free(name);
}

static void big_toy_save(const struct sim_object *obj, struct ckpt_writer *w)
{
    const struct ckpt_big_toy *big =
        SIM_CAST(struct ckpt_big_toy, ckpt_big_toy_type, obj);

    ckpt_subsection(w, "Entry0");
    ckpt_put_u64(w, "value", big->entries[0]);
    ckpt_subsection(w, "Entry1");
    ckpt_put_u64(w, "value", big->entries[1]);
    ckpt_subsection(w, NULL);
    ckpt_put_u64s(w, "queue", big->queue, big->queue_len);
    ckpt_put_bytes(w, "blob", big->blob, sizeof(big->blob));
    ckpt_put_str(w, "label", big->label);
    save_file(big, w);
    if (big->save_fails)
        ckpt_write_failed(w, -EBUSY, "%s is not ready", "the toy");
}

static int load_file(struct ckpt_big_toy *big, struct ckpt_reader *r)
{
    char *name = alloc_printf("%s.data", big->toy.base.path);
    char *path = ckpt_existing_file(r, name);
    FILE *file = path ? fopen(path, "r") : NULL;
    size_t got = 0;

    if (file) {
        got = fread(big->file_text, 1, sizeof(big->file_text) - 1, file);
        (void)fclose(file);
    }
    big->file_text[got] = '\0';
    mem_free(path);
    mem_free(name);
    return file ? 0 : -ENOENT;
}

static int load_entry(struct ckpt_reader *r, const char *name, uint64_t *value)
{
    ckpt_enter_subsection(r, name);
    return ckpt_get_u64(r, "value", value);
}

static int load_label(struct ckpt_big_toy *big, struct ckpt_reader *r)
{
    const char *label;
    int err = ckpt_get_str(r, "label", &label);

    if (err)
        return err;
    if (!label || strlen(label) >= sizeof(big->label))
        return ckpt_read_failed(r, -EINVAL, "the label is too long");
    (void)strcpy(big->label, label);
    return 0;
}

static int load_queue(struct ckpt_big_toy *big, struct ckpt_reader *r)
{
    size_t len = ckpt_count(r, "queue");

    if (len > CKPT_BIG_TOY_MAX)
        return ckpt_read_failed(r, -EINVAL, "%zu entries are too many", len);
    big->queue_len = (uint32_t)len;
    return ckpt_get_u64s(r, "queue", big->queue, len);
}

static int big_toy_load(struct sim_object *obj, struct ckpt_reader *r)
{
    struct ckpt_big_toy *big =
        SIM_CAST(struct ckpt_big_toy, ckpt_big_toy_type, obj);
    int err = load_queue(big, r);

    if (big->load_fails)
        return -EPERM;
    if (!err)
        err = ckpt_get_bytes(r, "blob", big->blob, sizeof(big->blob));
    if (!err)
        err = load_label(big, r);
    if (!err)
        err = load_entry(r, "Entry0", &big->entries[0]);
    if (!err)
        err = load_entry(r, "Entry1", &big->entries[1]);
    return err ? err : load_file(big, r);
}

static const struct sim_ops big_toy_ops = {
    .save = big_toy_save,
    .load = big_toy_load,
};

const struct sim_type ckpt_big_toy_type = {
    .name = "CkptBigToy",
    .base = &ckpt_toy_type,
    .size = sizeof(struct ckpt_big_toy),
    .version = 1,
    .ops = &big_toy_ops,
};
