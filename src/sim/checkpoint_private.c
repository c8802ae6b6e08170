/* SPDX-License-Identifier: BSD-3-Clause */
/* What saving and loading of checkpoints share. */
#include "sim/checkpoint_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sim/field.h"
#include "sim/object.h"

bool ckpt_type_has_state(const struct sim_type *type)
{
    return (type->state && type->state->name) ||
           (type->ops && (type->ops->save || type->ops->load));
}

char *ckpt_types_text(const struct sim_object *obj)
{
    const struct sim_type *chain[SIM_MAX_TYPE_DEPTH];
    uint32_t count = sim_type_chain(obj->type, chain);
    char *text = alloc_strdup("");

    for (uint32_t i = 0; i < count; i++) {
        char *longer;

        if (!ckpt_type_has_state(chain[i]))
            continue;
        longer = alloc_printf("%s%s%s:%" PRIu32, text, text[0] ? " " : "",
                              chain[i]->name, chain[i]->version);
        mem_free(text);
        text = longer;
    }
    return text;
}

static int sum_stream(FILE *file, uint64_t *len, XXH64_state_t *state)
{
    char buffer[1 << 16];
    size_t got;

    while ((got = fread(buffer, 1, sizeof(buffer), file))) {
        (void)XXH64_update(state, buffer, got);
        *len += got;
    }
    return ferror(file) ? -EIO : 0;
}

int ckpt_file_sum(const char *path, char **text)
{
    FILE *file = fopen(path, "re");
    XXH64_state_t *state;
    uint64_t len = 0;
    int err;

    if (!file)
        return -errno;
    state = XXH64_createState();
    if (!state)
        log_exit("out of memory: checksum");
    (void)XXH64_reset(state, 0);
    err = sum_stream(file, &len, state);
    (void)fclose(file);
    if (!err)
        *text = alloc_printf("%" PRIu64 " %016" PRIx64, len,
                             (uint64_t)XXH64_digest(state));
    (void)XXH64_freeState(state);
    return err;
}

int ckpt_read_file(const char *path, char **data, size_t *len)
{
    FILE *file = fopen(path, "re");
    size_t size = 1 << 16;
    int err;

    if (!file)
        return -errno;
    *len = 0;
    *data = alloc_zeroed(size, 1);
    for (;;) {
        *len += fread(*data + *len, 1, size - *len, file);
        if (*len < size)
            break;
        size *= 2;
        *data = alloc_resize(*data, size, 1);
    }
    err = ferror(file) ? -EIO : 0;
    (void)fclose(file);
    if (err)
        mem_free(*data);
    return err;
}
