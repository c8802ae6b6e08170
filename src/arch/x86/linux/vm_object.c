/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/vm_object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/x86/linux/frames.h"
#include "base/alloc.h"

enum { PAGES_PER_CHUNK = 512, MAX_IDLE = 64, VM_OBJECT_RUN = 16 };

/* Frames for pages that follow each other. */
struct vm_object_run {
    gpa_t frames[VM_OBJECT_RUN];
    uint32_t count;
};

void vm_objects_init(struct vm_objects *objects, struct frames *frames)
{
    objects->frames = frames;
    objects->first = NULL;
    objects->num_idle = 0;
}

static uint64_t *vm_object_entry(struct vm_object *object, uint64_t index)
{
    uint64_t chunk = index / PAGES_PER_CHUNK;

    if (chunk >= object->num_chunks || !object->chunks[chunk])
        return NULL;
    return &object->chunks[chunk][index % PAGES_PER_CHUNK];
}

static uint64_t *vm_object_make_entry(struct vm_object *object, uint64_t index)
{
    uint64_t chunk = index / PAGES_PER_CHUNK;

    if (chunk >= object->num_chunks) {
        size_t count = (size_t)chunk + 1;

        object->chunks =
            alloc_resize(object->chunks, count, sizeof(*object->chunks));
        memset(&object->chunks[object->num_chunks], 0,
               (count - object->num_chunks) * sizeof(*object->chunks));
        object->num_chunks = count;
    }
    if (!object->chunks[chunk])
        object->chunks[chunk] =
            alloc_zeroed(PAGES_PER_CHUNK, sizeof(**object->chunks));
    return vm_object_entry(object, index);
}

static void vm_object_drop_pages(struct vm_object *object, uint64_t first)
{
    for (size_t c = 0; c < object->num_chunks; c++) {
        for (uint32_t i = 0; object->chunks[c] && i < PAGES_PER_CHUNK; i++) {
            gpa_t frame = {object->chunks[c][i]};

            if (!frame.v || c * PAGES_PER_CHUNK + i < first)
                continue;
            frames_unref(object->owner->frames, frame);
            object->chunks[c][i] = 0;
        }
    }
}

static void vm_object_free(struct vm_object *object)
{
    struct vm_object **link = &object->owner->first;

    while (*link != object)
        link = &(*link)->next;
    *link = object->next;
    vm_object_drop_pages(object, 0);
    for (size_t c = 0; c < object->num_chunks; c++)
        mem_free(object->chunks[c]);
    mem_free(object->chunks);
    if (object->read_fd >= 0)
        (void)close(object->read_fd);
    if (object->write_fd >= 0)
        (void)close(object->write_fd);
    if (object->symbols)
        elf_symbols_free(&object->symbols->table);
    mem_free(object->symbols);
    mem_free(object->path);
    mem_free(object);
}

void vm_objects_fini(struct vm_objects *objects)
{
    while (objects->first)
        vm_object_free(objects->first);
}

static struct vm_object *vm_object_create(struct vm_objects *objects,
                                          const char *path)
{
    struct vm_object *object = alloc_zeroed(1, sizeof(*object));

    object->owner = objects;
    object->next = objects->first;
    objects->first = object;
    object->refs = 1;
    object->read_fd = -1;
    object->write_fd = -1;
    object->path = alloc_strdup(path);
    return object;
}

struct vm_object *vm_object_create_memory(struct vm_objects *objects,
                                          const char *path)
{
    return vm_object_create(objects, path);
}

struct vm_object *vm_object_create_device(struct vm_objects *objects,
                                          const char *path, uint64_t offset,
                                          gpa_t addr, uint64_t len)
{
    struct vm_object *object = vm_object_create(objects, path);

    object->size = offset + len;
    object->first_device = offset;
    object->device_addr = addr.v;
    return object;
}

struct vm_object *vm_object_find(struct vm_objects *objects, uint64_t dev,
                                 uint64_t ino)
{
    struct vm_object *object = objects->first;

    while (object &&
           (object->read_fd < 0 || object->dev != dev || object->ino != ino))
        object = object->next;
    return object;
}

struct vm_object *vm_object_get(struct vm_object *object)
{
    if (object->refs++ == 0)
        object->owner->num_idle--;
    return object;
}

/* Too many cached files: free the one that was added first. */
static void vm_objects_trim(struct vm_objects *objects)
{
    struct vm_object *oldest = NULL;

    if (objects->num_idle <= MAX_IDLE)
        return;
    for (struct vm_object *o = objects->first; o; o = o->next) {
        if (!o->refs)
            oldest = o;
    }
    objects->num_idle--;
    vm_object_free(oldest);
}

void vm_objects_drop_idle(struct vm_objects *objects)
{
    struct vm_object *next;

    for (struct vm_object *o = objects->first; o; o = next) {
        next = o->next;
        if (!o->refs)
            vm_object_free(o);
    }
    objects->num_idle = 0;
}

void vm_object_put(struct vm_object *object)
{
    if (!object || --object->refs)
        return;
    if (object->read_fd < 0) {
        vm_object_free(object);
        return;
    }
    object->owner->num_idle++;
    vm_objects_trim(object->owner);
}

/* Forget pages that were read from an older version of the file. */
static void vm_object_validate(struct vm_object *object, const struct stat *st)
{
    bool is_same = object->mtime_s == st->st_mtim.tv_sec &&
                   object->mtime_ns == st->st_mtim.tv_nsec &&
                   object->size == (uint64_t)st->st_size;

    if (!is_same && !object->num_shared)
        vm_object_drop_pages(object, 0);
    object->mtime_s = st->st_mtim.tv_sec;
    object->mtime_ns = st->st_mtim.tv_nsec;
    object->size = (uint64_t)st->st_size;
}

int vm_object_of_file(struct vm_objects *objects, int host_fd, int write_fd,
                      const char *path, struct vm_object **out)
{
    struct vm_object *object;
    struct stat st;

    if (fstat(host_fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENODEV;
    object = vm_object_find(objects, st.st_dev, st.st_ino);
    if (object) {
        (void)vm_object_get(object);
    } else {
        object = vm_object_create(objects, path);
        object->dev = st.st_dev;
        object->ino = st.st_ino;
        object->read_fd = fcntl(host_fd, F_DUPFD_CLOEXEC, 3);
    }
    if (object->read_fd >= 0 && write_fd >= 0 && object->write_fd < 0)
        object->write_fd = fcntl(write_fd, F_DUPFD_CLOEXEC, 3);
    if (object->read_fd < 0 || (write_fd >= 0 && object->write_fd < 0)) {
        vm_object_put(object);
        return -EMFILE;
    }
    vm_object_validate(object, &st);
    *out = object;
    return 0;
}

static void vm_object_fill(struct vm_object *object, uint64_t index,
                           gpa_t frame)
{
    uint8_t *host = frames_host(object->owner->frames, frame);
    ssize_t got;

    if (object->read_fd < 0)
        return;
    got = pread(object->read_fd, host, FRAME_SIZE, (off_t)(index * FRAME_SIZE));
    if (got < 0)
        got = 0;
    memset(host + got, 0, FRAME_SIZE - (size_t)got);
    frames_written(object->owner->frames, frame, FRAME_SIZE);
}

static void vm_object_update_size(struct vm_object *object)
{
    struct stat st;

    if (object->read_fd >= 0 && fstat(object->read_fd, &st) == 0)
        object->size = (uint64_t)st.st_size;
}

static enum vm_page vm_object_device_page(const struct vm_object *object,
                                          uint64_t index, gpa_t *out)
{
    uint64_t offset = index * FRAME_SIZE;

    if (offset < object->first_device || offset >= object->size)
        return VM_PAGE_BEYOND_END;
    out->v = object->device_addr + (offset - object->first_device);
    return VM_PAGE_OK;
}

enum vm_page vm_object_page(struct vm_object *object, uint64_t index,
                            gpa_t *out)
{
    uint64_t *entry;

    if (object->device_addr)
        return vm_object_device_page(object, index, out);
    if (index >= (object->size + FRAME_SIZE - 1) / FRAME_SIZE) {
        vm_object_update_size(object);
        if (index >= (object->size + FRAME_SIZE - 1) / FRAME_SIZE)
            return VM_PAGE_BEYOND_END;
    }
    entry = vm_object_make_entry(object, index);
    if (!*entry) {
        if (!frames_alloc(object->owner->frames, out))
            return VM_PAGE_NO_MEMORY;
        vm_object_fill(object, index, *out);
        *entry = out->v;
    }
    out->v = *entry;
    return VM_PAGE_OK;
}

bool vm_object_next_page(const struct vm_object *object, uint64_t *index,
                         gpa_t *frame)
{
    for (uint64_t i = *index; i < object->num_chunks * PAGES_PER_CHUNK; i++) {
        const uint64_t *chunk = object->chunks[i / PAGES_PER_CHUNK];

        if (!chunk) {
            i |= PAGES_PER_CHUNK - 1;
        } else if (chunk[i % PAGES_PER_CHUNK]) {
            *index = i;
            frame->v = chunk[i % PAGES_PER_CHUNK];
            return true;
        }
    }
    return false;
}

void vm_object_set_page(struct vm_object *object, uint64_t index, gpa_t frame)
{
    *vm_object_make_entry(object, index) = frame.v;
}

void vm_object_lose_pages(struct vm_object *object)
{
    for (size_t c = 0; c < object->num_chunks; c++)
        mem_free(object->chunks[c]);
    mem_free(object->chunks);
    object->chunks = NULL;
    object->num_chunks = 0;
}

bool vm_object_cached(struct vm_object *object, uint64_t index, gpa_t *out)
{
    const uint64_t *entry = vm_object_entry(object, index);

    if (!entry || !*entry)
        return false;
    out->v = *entry;
    return true;
}

/* Read a run of pages, all without content, with one call to the host. */
static void vm_object_fill_run(struct vm_object *object, uint64_t index,
                               const struct vm_object_run *run)
{
    struct iovec iov[VM_OBJECT_RUN];
    uint64_t done;
    ssize_t got;

    for (uint32_t i = 0; i < run->count; i++) {
        iov[i].iov_base = frames_host(object->owner->frames, run->frames[i]);
        iov[i].iov_len = FRAME_SIZE;
    }
    got = preadv(object->read_fd, iov, (int)run->count,
                 (off_t)(index * FRAME_SIZE));
    done = got < 0 ? 0 : (uint64_t)got;
    for (uint32_t i = 0; i < run->count; i++) {
        /* A short read in the middle: page by page tells where it ends. */
        if (done < (uint64_t)(i + 1) * FRAME_SIZE)
            vm_object_fill(object, index + i, run->frames[i]);
        else
            frames_written(object->owner->frames, run->frames[i], FRAME_SIZE);
        *vm_object_make_entry(object, index + i) = run->frames[i].v;
    }
}

void vm_object_read_ahead(struct vm_object *object, uint64_t index,
                          uint32_t count)
{
    uint64_t end = (object->size + FRAME_SIZE - 1) / FRAME_SIZE;
    struct vm_object_run run = {.count = 0};
    gpa_t frame;

    if (object->read_fd < 0)
        return;
    if (index + count < end)
        end = index + count;
    for (; index < end; index++) {
        if (vm_object_cached(object, index, &frame) ||
            run.count == VM_OBJECT_RUN) {
            vm_object_fill_run(object, index - run.count, &run);
            run.count = 0;
        }
        if (vm_object_cached(object, index, &frame))
            continue;
        if (!frames_alloc(object->owner->frames, &run.frames[run.count]))
            break;
        run.count++;
    }
    vm_object_fill_run(object, index - run.count, &run);
}

int vm_object_write_back(struct vm_object *object, uint64_t index)
{
    const uint64_t *entry = vm_object_entry(object, index);
    uint64_t start = index * FRAME_SIZE;
    uint64_t len = FRAME_SIZE;
    gpa_t frame;

    if (object->write_fd < 0 || !entry || !*entry)
        return 0;
    vm_object_update_size(object);
    if (start >= object->size)
        return 0;
    if (object->size - start < len)
        len = object->size - start;
    frame.v = *entry;
    if (pwrite(object->write_fd, frames_host(object->owner->frames, frame),
               (size_t)len, (off_t)start) < 0)
        return -errno;
    return 0;
}

void vm_object_refresh(struct vm_object *object, uint64_t offset, uint64_t len)
{
    uint64_t first = offset / FRAME_SIZE;
    uint64_t end = (uint64_t)object->num_chunks * PAGES_PER_CHUNK;
    struct stat st;

    if (len < UINT64_MAX - offset - FRAME_SIZE &&
        (offset + len + FRAME_SIZE - 1) / FRAME_SIZE < end)
        end = (offset + len + FRAME_SIZE - 1) / FRAME_SIZE;
    for (uint64_t i = first; i < end; i++) {
        const uint64_t *entry = vm_object_entry(object, i);
        gpa_t frame;

        if (!entry || !*entry)
            continue;
        frame.v = *entry;
        vm_object_fill(object, i, frame);
    }
    if (object->read_fd >= 0 && fstat(object->read_fd, &st) == 0) {
        object->mtime_s = st.st_mtim.tv_sec;
        object->mtime_ns = st.st_mtim.tv_nsec;
        object->size = (uint64_t)st.st_size;
    }
}

/* Part of [offset, offset + len) that lies in one page. */
static uint64_t vm_object_part(uint64_t offset, uint64_t len)
{
    uint64_t room = FRAME_SIZE - offset % FRAME_SIZE;

    return len < room ? len : room;
}

int64_t vm_object_read(struct vm_object *object, uint64_t offset, void *data,
                       uint64_t len)
{
    uint8_t *to = data;
    uint64_t done = 0;

    if (offset >= object->size)
        return 0;
    if (len > object->size - offset)
        len = object->size - offset;
    while (done < len) {
        uint64_t part = vm_object_part(offset + done, len - done);
        const uint64_t *entry =
            vm_object_entry(object, (offset + done) / FRAME_SIZE);

        if (entry && *entry) {
            gpa_t at = {*entry + (offset + done) % FRAME_SIZE};

            memcpy(to + done, frames_host(object->owner->frames, at), part);
        } else {
            memset(to + done, 0, part);
        }
        done += part;
    }
    return (int64_t)done;
}

int64_t vm_object_write(struct vm_object *object, uint64_t offset,
                        const void *data, uint64_t len)
{
    const uint8_t *from = data;
    uint64_t done = 0;

    if (len > UINT64_MAX / 2 - offset)
        return -EFBIG;
    if (offset + len > object->size)
        object->size = offset + len;
    while (done < len) {
        uint64_t part = vm_object_part(offset + done, len - done);
        gpa_t frame;

        if (vm_object_page(object, (offset + done) / FRAME_SIZE, &frame) !=
            VM_PAGE_OK)
            return done ? (int64_t)done : -ENOSPC;
        frame.v += (offset + done) % FRAME_SIZE;
        memcpy(frames_host(object->owner->frames, frame), from + done, part);
        frames_written(object->owner->frames, frame, part);
        done += part;
    }
    return (int64_t)done;
}

void vm_object_truncate(struct vm_object *object, uint64_t size)
{
    uint64_t tail = size % FRAME_SIZE;
    const uint64_t *entry = vm_object_entry(object, size / FRAME_SIZE);

    if (tail && entry && *entry) {
        gpa_t frame = {*entry + tail};

        memset(frames_host(object->owner->frames, frame), 0, FRAME_SIZE - tail);
    }
    vm_object_drop_pages(object, (size + FRAME_SIZE - 1) / FRAME_SIZE);
    object->size = size;
}
