/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest RAM in checkpoints. */
#include "mem/system_ckpt.h"

#include "base/alloc.h"
#include "base/crew.h"
#include "mem/mem_image.h"
#include "mem/physmem.h"
#include "mem/system.h"
#include "sim/checkpoint.h"

#include <errno.h>

/* Names: section of store @id below the system's, and its file. */
static char *store_section(size_t id)
{
    return alloc_printf("physmem.store%zu", id);
}

static char *store_file(const struct system *system, size_t id)
{
    return alloc_printf("%s.physmem.store%zu.pmem", system->base.path, id);
}

static void save_store(const struct system *system, size_t id,
                       struct ckpt_writer *w)
{
    const struct physmem_range *range = physmem_get_range(system->physmem, id);
    char *section = store_section(id);
    char *name = store_file(system, id);
    char *path = ckpt_file_path(w, name);
    char why[256];
    int err;

    ckpt_subsection(w, section);
    ckpt_put_u64(w, "store_id", id);
    ckpt_put_str(w, "filename", name);
    ckpt_put_u64(w, "range_start", range->start);
    ckpt_put_u64(w, "range_size", range->size);
    err = mem_image_write(path, range->host, range->size, crew_default_size(),
                          why);
    if (err != 0)
        ckpt_write_failed(w, err, "%s", why);
    mem_free(path);
    mem_free(name);
    mem_free(section);
}

void system_ckpt_save(const struct system *system, struct ckpt_writer *w)
{
    size_t num_stores = physmem_num_ranges(system->physmem);

    ckpt_subsection(w, "physmem");
    ckpt_put_u64(w, "nbr_of_stores", num_stores);
    for (size_t id = 0; id < num_stores; id++)
        save_store(system, id, w);
    ckpt_subsection(w, NULL);
}

static int check_store(const struct physmem_range *range, size_t id,
                       struct ckpt_reader *r)
{
    uint64_t store_id = 0, start = 0, size = 0;
    int err = ckpt_get_u64(r, "store_id", &store_id);

    if (err == 0 && store_id != id)
        err = ckpt_read_failed(r, -EINVAL, "is of store %llu",
                               (unsigned long long)store_id);
    if (err == 0)
        err = ckpt_get_u64(r, "range_start", &start);
    if (err == 0)
        err = ckpt_get_u64(r, "range_size", &size);
    if (err == 0 && (start != range->start || size != range->size))
        err = ckpt_read_failed(r, -EINVAL,
                               "memory range %zu has changed: it was "
                               "[%#llx, %#llx), the script has [%#llx, %#llx)",
                               id, (unsigned long long)start,
                               (unsigned long long)start + size,
                               (unsigned long long)range->start,
                               (unsigned long long)range->start + range->size);
    return err;
}

static int open_store(struct system *system, size_t id, struct ckpt_reader *r,
                      struct mem_image **image)
{
    const struct physmem_range *range = physmem_get_range(system->physmem, id);
    char *section = store_section(id);
    const char *name;
    char *path = NULL;
    char why[256];
    int err;

    ckpt_enter_subsection(r, section);
    err = check_store(range, id, r);
    if (err == 0)
        err = ckpt_get_str(r, "filename", &name);
    if (err == 0) {
        path = ckpt_existing_file(r, name);
        err = path == NULL ? -ENOENT : 0;
    }
    if (err == 0) {
        *image = mem_image_open(path, range->size, crew_default_size(), why);
        if (*image == NULL)
            err = ckpt_read_failed(r, -EIO, "%s", why);
    }
    mem_free(path);
    mem_free(section);
    return err;
}

static int apply_store(struct system *system, size_t id, struct ckpt_reader *r,
                       const struct mem_image *image)
{
    const struct physmem_range *range = physmem_get_range(system->physmem, id);
    char why[256];
    int err;

    physmem_zero(system->physmem, range);
    err = mem_image_apply(image, range->host, crew_default_size(), why);
    return err == 0 ? 0 : ckpt_read_failed(r, err, "%s", why);
}

static int load_stores(struct system *system, struct ckpt_reader *r,
                       struct mem_image **images)
{
    size_t num_stores = physmem_num_ranges(system->physmem);
    int err = 0;

    for (size_t id = 0; id < num_stores && err == 0; id++)
        err = open_store(system, id, r, &images[id]);
    for (size_t id = 0; id < num_stores && err == 0; id++)
        err = apply_store(system, id, r, images[id]);
    for (size_t id = 0; id < num_stores; id++)
        mem_image_close(images[id]);
    return err;
}

int system_ckpt_load(struct system *system, struct ckpt_reader *r)
{
    size_t num_stores = physmem_num_ranges(system->physmem);
    struct mem_image **images;
    uint64_t saved;
    int err;

    ckpt_enter_subsection(r, "physmem");
    err = ckpt_get_u64(r, "nbr_of_stores", &saved);
    if (err == 0 && saved != num_stores)
        err = ckpt_read_failed(r, -EINVAL,
                               "%llu memory ranges were saved, the script "
                               "has %zu",
                               (unsigned long long)saved, num_stores);
    if (err != 0)
        return err;
    images = alloc_zeroed(num_stores, sizeof(struct mem_image *));
    err = load_stores(system, r, images);
    mem_free(images);
    ckpt_enter_subsection(r, NULL);
    return err;
}
