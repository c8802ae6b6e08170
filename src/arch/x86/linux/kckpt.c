/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/kckpt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"
#include "sim/object.h"

/* -------------------------------------------------------------------- numbers
 */

uint32_t kckpt_id(struct kckpt_ids *ids, const void *ptr)
{
    if (!ptr)
        return 0;
    for (uint32_t i = 0; i < ids->len; i++) {
        if (ids->ptr[i] == ptr)
            return i + 1;
    }
    ids->ptr = alloc_resize(ids->ptr, (size_t)ids->len + 1, sizeof(*ids->ptr));
    memcpy(&ids->ptr[ids->len], &ptr, sizeof(ptr));
    return ++ids->len;
}

static void kckpt_free_ids(struct kckpt_ids *ids)
{
    mem_free(ids->ptr);
    ids->ptr = NULL;
    ids->len = 0;
}

struct kckpt_key kckpt_key(const char *list, uint32_t index, const char *part)
{
    struct kckpt_key key;

    (void)snprintf(key.text, sizeof(key.text), "%s%u%s", list, index, part);
    return key;
}

/* --------------------------------------------------------------------- errors
 */

void kckpt_section(struct kckpt *c, const char *fmt, ...)
{
    char name[64];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);
    if (c->w)
        ckpt_subsection(c->w, name);
    else
        ckpt_enter_subsection(c->r, name);
}

void kckpt_fail(struct kckpt *c, const char *fmt, ...)
{
    char what[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (c->w)
        ckpt_write_failed(c->w, -EOPNOTSUPP, "%s", what);
    else if (!c->error)
        c->error = ckpt_read_failed(c->r, -EINVAL, "%s", what);
}

void kckpt_refuse(struct kckpt *c, const struct file *file, const char *why)
{
    for (const struct process *p = c->kernel->processes; p; p = p->next) {
        for (uint32_t fd = 0; p->files && fd < p->files->len; fd++) {
            if (p->files->entries[fd].file != file)
                continue;
            kckpt_fail(c, "process %u (%.15s), descriptor %u (%.80s): %s",
                       p->pid, p->threads ? p->threads->comm : "?", fd,
                       file->path, why);
            return;
        }
    }
    kckpt_fail(c, "%.100s: %s", file->path, why);
}

/* -------------------------------------------------------------------- reading
 */

uint64_t kckpt_get_u64(struct kckpt *c, const char *key)
{
    uint64_t value = 0;

    if (!c->error)
        c->error = ckpt_get_u64(c->r, key, &value);
    return c->error ? 0 : value;
}

uint32_t kckpt_get_u32(struct kckpt *c, const char *key, uint32_t max)
{
    uint64_t value = kckpt_get_u64(c, key);

    if (value <= max)
        return (uint32_t)value;
    kckpt_fail(c, "key %s: %llu is more than %u", key,
               (unsigned long long)value, max);
    return 0;
}

char *kckpt_get_str(struct kckpt *c, const char *key)
{
    const char *value = NULL;

    if (!c->error)
        c->error = ckpt_get_str(c->r, key, &value);
    return alloc_strdup(!c->error && value ? value : "");
}

uint64_t *kckpt_get_u64s(struct kckpt *c, const char *key, size_t *count)
{
    uint64_t *values;

    *count = c->error ? 0 : ckpt_count(c->r, key);
    values = alloc_zeroed(*count + 1, sizeof(*values));
    if (!c->error)
        c->error = ckpt_get_u64s(c->r, key, values, *count);
    if (c->error)
        *count = 0;
    return values;
}

uint8_t *kckpt_get_bytes(struct kckpt *c, const char *key, size_t *len)
{
    uint8_t *data;

    *len = c->error ? 0 : ckpt_count(c->r, key);
    data = alloc_zeroed(*len + 1, 1);
    if (!c->error)
        c->error = ckpt_get_bytes(c->r, key, data, *len);
    if (c->error)
        *len = 0;
    return data;
}

void kckpt_get_fields(struct kckpt *c, void *obj,
                      const struct sim_field *fields)
{
    if (!c->error)
        c->error = ckpt_get_fields(c->r, obj, fields);
}

void kckpt_get_tuple(struct kckpt *c, const char *key, void *obj,
                     const struct sim_field *fields)
{
    if (!c->error)
        c->error = ckpt_get_tuple(c->r, key, obj, fields);
}

void *kckpt_get_ref(struct kckpt *c, const char *key,
                    const struct kckpt_ids *ids)
{
    uint32_t id = kckpt_get_u32(c, key, ids->len);

    return id ? ids->ptr[id - 1] : NULL;
}

void *kckpt_get_needed(struct kckpt *c, const char *key,
                       const struct kckpt_ids *ids)
{
    void *ptr = kckpt_get_ref(c, key, ids);

    if (!ptr)
        kckpt_fail(c, "key %s: must not be 0", key);
    return ptr;
}

/* --------------------------------------------------------------------- timers
 */

void kckpt_put_timer(struct kckpt *c, const char *key,
                     const struct ktimer *timer)
{
    uint64_t values[2] = {0, timer->is_armed ? timer->when : 0};

    for (const struct ktimer *t = c->kernel->timers.first; timer->is_armed && t;
         t = t->next) {
        values[0]++;
        if (t == timer)
            break;
    }
    ckpt_put_u64s(c->w, key, values, 2);
}

void kckpt_get_timer(struct kckpt *c, const char *key, struct ktimer *timer)
{
    uint64_t values[2] = {0, 0};

    if (!c->error)
        c->error = ckpt_get_u64s(c->r, key, values, 2);
    if (c->error || !values[0])
        return;
    if (values[0] > c->num_timers || c->timers[values[0] - 1]) {
        kckpt_fail(c, "key %s: no timer or another one has place %llu", key,
                   (unsigned long long)values[0]);
        return;
    }
    timer->when = values[1];
    c->timers[values[0] - 1] = timer;
}

/* ------------------------------------------------------------------- contents
 */

static char *kckpt_contents_name(const struct kckpt *c)
{
    const struct sim_object *owner = c->kernel->cfg.owner;

    return alloc_printf("%s.files", owner ? owner->path : "kernel");
}

static bool kckpt_open_contents(struct kckpt *c)
{
    char *name, *path;

    if (c->contents)
        return true;
    name = kckpt_contents_name(c);
    path = c->w ? ckpt_file_path(c->w, name) : ckpt_existing_file(c->r, name);
    if (path)
        c->contents = fopen(path, c->w ? "we" : "re");
    if (!c->contents)
        kckpt_fail(c, "%.100s: %s", path ? path : name,
                   strerrordesc_np(path ? errno : ENOENT));
    mem_free(path);
    mem_free(name);
    return c->contents != NULL;
}

uint64_t kckpt_put_contents(struct kckpt *c, int fd, uint64_t len)
{
    uint64_t start = c->contents_len;
    char buffer[1 << 16];

    if (!kckpt_open_contents(c))
        return 0;
    for (uint64_t at = 0; at < len;) {
        uint64_t part = len - at < sizeof(buffer) ? len - at : sizeof(buffer);
        ssize_t got = pread(fd, buffer, (size_t)part, (off_t)at);

        if (got <= 0 ||
            fwrite(buffer, 1, (size_t)got, c->contents) != (size_t)got) {
            kckpt_fail(c, "the contents of a file: %s",
                       got ? strerrordesc_np(errno) : "it has become shorter");
            return 0;
        }
        at += (uint64_t)got;
    }
    c->contents_len += len;
    return start;
}

void kckpt_get_contents(struct kckpt *c, int fd, uint64_t at, uint64_t len)
{
    char buffer[1 << 16];

    if (c->error || !kckpt_open_contents(c))
        return;
    if (ftruncate(fd, 0) < 0 || fseeko(c->contents, (off_t)at, SEEK_SET) < 0)
        kckpt_fail(c, "contents of a file: %s", strerrordesc_np(errno));
    for (uint64_t done = 0; !c->error && done < len;) {
        uint64_t part =
            len - done < sizeof(buffer) ? len - done : sizeof(buffer);

        if (fread(buffer, 1, (size_t)part, c->contents) != part)
            kckpt_fail(c, "the contents of a file are not there");
        else if (pwrite(fd, buffer, (size_t)part, (off_t)done) != (ssize_t)part)
            kckpt_fail(c, "contents of a file: %s", strerrordesc_np(errno));
        done += part;
    }
}

static void kckpt_close_contents(struct kckpt *c)
{
    if (c->contents && fclose(c->contents) && c->w)
        kckpt_fail(c, "the contents of files: %s", strerrordesc_np(errno));
    c->contents = NULL;
}

/* ------------------------------------------------------------------ the whole
 */

static const struct sim_field kernel_fields[] = {
    KCKPT_FIELD(struct kernel, last_pid),
    KCKPT_FIELD(struct kernel, tsc_ahead),
    KCKPT_FIELD(struct kernel, last_file_id),
    KCKPT_FIELD_U64S(struct kernel, random_state),
    KCKPT_FIELD(struct kernel, num_context_switches),
    KCKPT_FIELD(struct kernel, num_forks),
    KCKPT_FIELD(struct kernel, last_inotify_cookie),
    KCKPT_FIELD_32(struct kernel, exit_code),
    KCKPT_FIELD(struct kernel, is_over),
    KCKPT_FIELD_U64S(struct kernel, unknown_64),
    KCKPT_FIELD_U64S(struct kernel, unknown_32),
    SIM_END,
};

/* How many there are of each. */
static const struct {
    const char *key;
    size_t offset; /* of the ids in struct kckpt */
} kckpt_counts[] = {
    {"num_objects",  offsetof(struct kckpt, objects) },
    {"num_mms",      offsetof(struct kckpt, mms)     },
    {"num_fs",       offsetof(struct kckpt, fs)      },
    {"num_handlers", offsetof(struct kckpt, handlers)},
    {"num_tables",   offsetof(struct kckpt, tables)  },
    {"num_files",    offsetof(struct kckpt, files)   },
};

static struct kckpt_ids *kckpt_ids_at(struct kckpt *c, size_t index)
{
    return (struct kckpt_ids *)(void *)((char *)c + kckpt_counts[index].offset);
}

/* Give numbers to all that will have a section. */
static void kckpt_collect(struct kckpt *c)
{
    struct kernel *kernel = c->kernel;

    for (struct vm_object *o = kernel->objects.first; o; o = o->next)
        (void)kckpt_id(&c->objects, o);
    for (const struct process *p = kernel->processes; p; p = p->next) {
        (void)kckpt_id(&c->mms, p->mm);
        (void)kckpt_id(&c->fs, p->fs);
        (void)kckpt_id(&c->handlers, p->handlers);
        (void)kckpt_id(&c->tables, p->files);
        for (uint32_t i = 0; p->files && i < p->files->len; i++)
            (void)kckpt_id(&c->files, p->files->entries[i].file);
        for (const struct thread *t = p->threads; t; t = t->next)
            (void)kckpt_id(&c->files, t->wait.opening);
    }
    /* What travels may carry what travels. */
    for (uint32_t i = 0; i < c->files.len; i++) {
        const struct file *file = c->files.ptr[i];

        if (file->ops->collect)
            file->ops->collect(file, c);
    }
    for (uint32_t i = 0; i < kernel->num_cpus; i++)
        (void)kckpt_id(&c->mms, kernel->cpus[i]->loaded_mm);
    for (const struct ktimer *t = kernel->timers.first; t; t = t->next)
        c->num_timers++;
}

static void kckpt_release(struct kckpt *c)
{
    kckpt_close_contents(c);
    kckpt_release_hosts(c);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kckpt_counts); i++)
        kckpt_free_ids(kckpt_ids_at(c, i));
    kckpt_free_ids(&c->pipes);
    kckpt_free_ids(&c->channels);
    mem_free(c->timers);
}

void kernel_save(struct kernel *kernel, struct ckpt_writer *w,
                 const char *private_tmp)
{
    struct kckpt c = {.kernel = kernel, .w = w};

    /* Files that nobody uses are read again when somebody does. */
    vm_objects_drop_idle(&kernel->objects);
    kckpt_collect(&c);
    ckpt_put_fields(w, kernel, kernel_fields);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kckpt_counts); i++)
        ckpt_put_u64(w, kckpt_counts[i].key, kckpt_ids_at(&c, i)->len);
    ckpt_put_u64(w, "num_timers", c.num_timers);
    kckpt_save_memory(&c);
    kckpt_save_files(&c);
    kckpt_save_locks(&c);
    kckpt_save_processes(&c);
    kckpt_save_sched(&c);
    kckpt_save_hosts(&c);
    kckpt_save_tmp(&c, private_tmp);
    kckpt_release(&c);
}

static void kckpt_load_counts(struct kckpt *c)
{
    enum { MANY = 1 << 22 };

    for (size_t i = 0; i < SIM_ARRAY_LEN(kckpt_counts); i++) {
        struct kckpt_ids *ids = kckpt_ids_at(c, i);

        ids->len = kckpt_get_u32(c, kckpt_counts[i].key, MANY);
        ids->ptr = alloc_zeroed((size_t)ids->len + 1, sizeof(*ids->ptr));
    }
    c->num_timers = kckpt_get_u32(c, "num_timers", MANY);
    c->timers = alloc_zeroed((size_t)c->num_timers + 1, sizeof(*c->timers));
}

/* Processes that were built of a checkpoint that then was refused. */
static void kckpt_drop_processes(struct kernel *kernel)
{
    for (struct process *p = kernel->processes; p; p = p->next) {
        for (struct thread *t = p->threads; t; t = t->next)
            t->run_state = THREAD_WAITING; /* no CPU and no queue has it */
    }
    while (kernel->processes)
        process_free(kernel->processes);
    kernel->first_process = NULL;
}

int kernel_load(struct kernel *kernel, struct ckpt_reader *r,
                const char *private_tmp)
{
    struct kckpt c = {.kernel = kernel, .r = r};

    kckpt_load_counts(&c);
    kckpt_load_tmp(&c, private_tmp);
    kckpt_load_hosts(&c);
    kckpt_load_memory(&c);
    if (c.error) {
        kckpt_drop_memory(&c);
    } else {
        kckpt_load_files(&c);
        kckpt_load_locks(&c);
        kckpt_load_processes(&c);
        /* Last: to make a process or a file counts. */
        ckpt_enter_subsection(r, NULL);
        kckpt_get_fields(&c, kernel, kernel_fields);
        kckpt_load_sched(&c);
        if (c.error)
            kckpt_drop_processes(kernel);
        kckpt_release_files(&c);
        for (uint32_t i = 0; i < c.mms.len; i++)
            mm_put(c.mms.ptr[i]);
        for (uint32_t i = 0; i < c.objects.len; i++)
            vm_object_put(c.objects.ptr[i]);
    }
    kckpt_release(&c);
    return c.error;
}
