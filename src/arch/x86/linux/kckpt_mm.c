/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Address spaces and what is mapped.  Page tables are in RAM; what is saved
 * here says where they are and how frames come to their references: through the
 * tables, through the pages of objects, and from the CPUs' descriptor tables.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/x86/linux/kckpt.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/vm_object.h"
#include "base/alloc.h"
#include "sim/checkpoint.h"

/* Pages of an object beyond this are not believed: 2^48 bytes. */
#define MAX_PAGE_INDEX (UINT64_C(1) << 36)

static const struct sim_field mm_fields[] = {
    KCKPT_FIELD(struct mm, pt.root.v),
    KCKPT_FIELD(struct mm, task_size),
    KCKPT_FIELD(struct mm, mmap_base),
    KCKPT_FIELD(struct mm, brk_start),
    KCKPT_FIELD(struct mm, brk),
    KCKPT_FIELD(struct mm, limit_as),
    KCKPT_FIELD(struct mm, limit_stack),
    KCKPT_FIELD(struct mm, limit_data),
    KCKPT_FIELD(struct mm, code_start),
    KCKPT_FIELD(struct mm, code_end),
    KCKPT_FIELD(struct mm, data_start),
    KCKPT_FIELD(struct mm, data_end),
    KCKPT_FIELD(struct mm, stack_start),
    KCKPT_FIELD(struct mm, arg_start),
    KCKPT_FIELD(struct mm, arg_end),
    KCKPT_FIELD(struct mm, env_start),
    KCKPT_FIELD(struct mm, env_end),
    KCKPT_FIELD(struct mm, auxv_start),
    KCKPT_FIELD(struct mm, auxv_len),
    KCKPT_FIELD(struct mm, resident),
    KCKPT_FIELD(struct mm, max_resident),
    KCKPT_FIELD(struct mm, num_faults),
    KCKPT_FIELD(struct mm, fault_around),
    KCKPT_FIELD(struct mm, new_flags),
    SIM_END,
};

/* A mapping, with the number of its object. */
struct kckpt_vma {
    struct vma vma;
    uint32_t object;
};

static const struct sim_field vma_fields[] = {
    KCKPT_FIELD(struct kckpt_vma, vma.start),
    KCKPT_FIELD(struct kckpt_vma, vma.end),
    KCKPT_FIELD(struct kckpt_vma, vma.prot),
    KCKPT_FIELD(struct kckpt_vma, vma.flags),
    KCKPT_FIELD(struct kckpt_vma, object),
    KCKPT_FIELD(struct kckpt_vma, vma.offset),
    SIM_END,
};

static const struct sim_field object_fields[] = {
    KCKPT_FIELD_STR(struct vm_object, path),
    KCKPT_FIELD(struct vm_object, size),
    KCKPT_FIELD(struct vm_object, device_addr),
    KCKPT_FIELD(struct vm_object, first_device),
    SIM_END,
};

/* --------------------------------------------------------------------- saving
 */

/* Runs of pages: index, frame, count. */
static void object_put_pages(struct kckpt *c, const struct vm_object *object)
{
    uint64_t *runs = NULL;
    size_t count = 0;
    uint64_t index = 0;
    gpa_t frame;

    for (; vm_object_next_page(object, &index, &frame); index++) {
        uint64_t *last = count ? &runs[count - 3] : NULL;

        if (last && last[0] + last[2] == index &&
            last[1] + last[2] * FRAME_SIZE == frame.v) {
            last[2]++;
            continue;
        }
        runs = alloc_resize(runs, count + 3, sizeof(*runs));
        runs[count++] = index;
        runs[count++] = frame.v;
        runs[count++] = 1;
    }
    ckpt_put_u64s(c->w, "pages", runs, count);
    mem_free(runs);
}

/* Whether cached pages are those of the file as it is now. */
static bool object_is_current(const struct vm_object *object)
{
    struct stat st;

    return object->read_fd >= 0 && fstat(object->read_fd, &st) == 0 &&
           object->mtime_s == st.st_mtim.tv_sec &&
           object->mtime_ns == st.st_mtim.tv_nsec &&
           object->size == (uint64_t)st.st_size;
}

static void object_save(struct kckpt *c, const struct vm_object *object)
{
    bool can_write = object->write_fd >= 0;
    uint32_t host = 0;

    if (object->read_fd >= 0)
        host = kckpt_host_add(c, can_write ? object->write_fd : object->read_fd,
                              object->path, NULL);
    ckpt_put_fields(c->w, object, object_fields);
    ckpt_put_u64(c->w, "host", host);
    ckpt_put_u64(c->w, "can_write", can_write);
    ckpt_put_u64(c->w, "is_current", object_is_current(object));
    object_put_pages(c, object);
}

static void mm_save(struct kckpt *c, const struct mm *mm)
{
    ckpt_put_fields(c->w, mm, mm_fields);
    ckpt_put_u64(c->w, "num_vmas", mm->num_vmas);
    for (uint32_t i = 0; i < mm->num_vmas; i++) {
        struct kckpt_vma vma = {mm->vmas[i],
                                kckpt_id(&c->objects, mm->vmas[i].object)};
        char key[24];

        (void)snprintf(key, sizeof(key), "vma%u", i);
        ckpt_put_tuple(c->w, key, &vma, vma_fields);
    }
}

/* The kernel half: triples of address, frame, access. */
static void pages_save(struct kckpt *c)
{
    const struct kernel *kernel = c->kernel;
    uint64_t *words =
        alloc_zeroed((size_t)kernel->num_pages * 3 + 1, sizeof(*words));

    for (uint32_t i = 0; i < kernel->num_pages; i++) {
        words[3 * i] = kernel->pages[i].addr;
        words[3 * i + 1] = kernel->pages[i].frame.v;
        words[3 * i + 2] = kernel->pages[i].access;
    }
    ckpt_put_u64s(c->w, "kernel_pages", words, (size_t)kernel->num_pages * 3);
    mem_free(words);
}

void kckpt_save_memory(struct kckpt *c)
{
    struct frames_order order;

    frames_get_order(c->kernel->frames, &order);
    ckpt_put_u64(c->w, "frames_fresh", order.next_fresh);
    ckpt_put_u64s(c->w, "frames_partial", order.partial, order.num_partial);
    ckpt_put_u64s(c->w, "frames_empty", order.empty, order.num_empty);
    mem_free(order.partial);
    mem_free(order.empty);
    pages_save(c);
    for (uint32_t i = 0; i < c->objects.len; i++) {
        kckpt_section(c, "object.%u", i + 1);
        object_save(c, c->objects.ptr[i]);
    }
    for (uint32_t i = 0; i < c->mms.len; i++) {
        kckpt_section(c, "mm.%u", i + 1);
        mm_save(c, c->mms.ptr[i]);
    }
}

/* -------------------------------------------------------------------- loading
 */

static void object_get_run(struct kckpt *c, struct vm_object *object,
                           const uint64_t run[3])
{
    for (uint64_t i = 0; i < run[2]; i++) {
        gpa_t frame = {run[1] + i * FRAME_SIZE};

        if (!frame.v || frame.v % FRAME_SIZE || run[0] + i >= MAX_PAGE_INDEX ||
            !frames_claim(c->kernel->frames, frame, 1)) {
            kckpt_fail(c, "key pages: page %llu cannot be in frame 0x%llx",
                       (unsigned long long)(run[0] + i),
                       (unsigned long long)frame.v);
            return;
        }
        vm_object_set_page(object, run[0] + i, frame);
    }
}

static void object_get_pages(struct kckpt *c, struct vm_object *object)
{
    size_t count;
    uint64_t *runs = kckpt_get_u64s(c, "pages", &count);

    if (count % 3)
        kckpt_fail(c, "key pages: has %zu values", count);
    for (size_t i = 0; i + 2 < count && !c->error; i += 3)
        object_get_run(c, object, &runs[i]);
    mem_free(runs);
}

static void object_open(struct kckpt *c, struct vm_object *object)
{
    uint32_t host = kckpt_get_u32(c, "host", c->num_hosts);
    bool can_write = kckpt_get_u32(c, "can_write", 1);
    bool is_current = kckpt_get_u32(c, "is_current", 1);
    struct stat st;

    if (c->error || !host)
        return;
    object->read_fd = kckpt_host_open(c, host, O_RDONLY);
    if (can_write)
        object->write_fd = kckpt_host_open(c, host, O_RDWR);
    if (c->error || fstat(object->read_fd, &st) < 0)
        return;
    object->dev = st.st_dev;
    object->ino = st.st_ino;
    if (is_current) {
        object->mtime_s = st.st_mtim.tv_sec;
        object->mtime_ns = st.st_mtim.tv_nsec;
    }
}

/* New objects come first in the kernel's list: read from its end. */
static void objects_load(struct kckpt *c)
{
    for (uint32_t i = c->objects.len; i-- > 0;) {
        struct vm_object *object =
            vm_object_create_memory(&c->kernel->objects, "");

        c->objects.ptr[i] = object;
        kckpt_section(c, "object.%u", i + 1);
        kckpt_get_fields(c, object, object_fields);
        object_open(c, object);
        object_get_pages(c, object);
    }
}

static bool vma_is_good(const struct mm *mm, const struct vma *vma)
{
    const struct vma *last = mm->num_vmas ? &mm->vmas[mm->num_vmas - 1] : NULL;

    return vma->start < vma->end && vma->end <= mm->task_size &&
           !((vma->start | vma->end | vma->offset) % FRAME_SIZE) &&
           (!last || last->end <= vma->start);
}

static void mm_load(struct kckpt *c, struct mm *mm)
{
    uint32_t count;

    mm->pt.frames = c->kernel->frames;
    mm->objects = &c->kernel->objects;
    mm->watch = &c->kernel->mm_watch;
    mm->refs = 1;
    kckpt_get_fields(c, mm, mm_fields);
    if (!c->error && mm->task_size > MM_TASK_SIZE_64)
        kckpt_fail(c, "key task_size: too large");
    if (!c->error && (!mm->fault_around || mm->fault_around > FRAMES_PER_HUGE ||
                      (mm->fault_around & (mm->fault_around - 1))))
        kckpt_fail(c, "key fault_around: not a power of two up to %d",
                   FRAMES_PER_HUGE);
    count = kckpt_get_u32(c, "num_vmas", 1 << 20);
    for (uint32_t i = 0; i < count && !c->error; i++) {
        struct kckpt_vma read;
        char key[24];

        (void)snprintf(key, sizeof(key), "vma%u", i);
        kckpt_get_tuple(c, key, &read, vma_fields);
        read.vma.object = NULL;
        if (!c->error && read.object > c->objects.len)
            kckpt_fail(c, "key %s: there is no object %u", key, read.object);
        if (!c->error && !vma_is_good(mm, &read.vma))
            kckpt_fail(c, "key %s: not a mapping", key);
        if (c->error)
            return;
        if (read.object)
            read.vma.object = c->objects.ptr[read.object - 1];
        mm_insert(mm, &read.vma);
    }
    if (!c->error && !pagetable_claim(&mm->pt))
        kckpt_fail(c, "there are no page tables at 0x%llx",
                   (unsigned long long)mm->pt.root.v);
}

/* A page that this kernel has must be among the saved ones, which take its
 * place; a back end that adds others later finds them there. */
static bool page_move(struct kernel *kernel, const struct kernel_page *old,
                      const struct kernel_page *saved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (saved[i].addr != old->addr || saved[i].access != old->access)
            continue;
        for (size_t g = 0; g < SIM_ARRAY_LEN(kernel->gdt_frame); g++) {
            if (kernel->gdt_frame[g] == old->frame.v)
                kernel->gdt_frame[g] = saved[i].frame.v;
        }
        return true;
    }
    return false;
}

static struct kernel_page *pages_read(struct kckpt *c, size_t *count)
{
    uint64_t *words = kckpt_get_u64s(c, "kernel_pages", count);
    struct kernel_page *pages = alloc_zeroed(*count / 3 + 1, sizeof(*pages));

    if (*count % 3)
        kckpt_fail(c, "key kernel_pages: has %zu values", *count);
    *count /= 3;
    for (size_t i = 0; i < *count && !c->error; i++) {
        pages[i].addr = words[3 * i];
        pages[i].frame.v = words[3 * i + 1];
        pages[i].access = (enum mm_kernel_access)words[3 * i + 2];
        if (!pages[i].frame.v || pages[i].frame.v % FRAME_SIZE ||
            words[3 * i + 2] > MM_KERNEL_CODE ||
            !frames_claim(c->kernel->frames, pages[i].frame, 1))
            kckpt_fail(c, "key kernel_pages: there is no frame 0x%llx",
                       (unsigned long long)pages[i].frame.v);
    }
    mem_free(words);
    return pages;
}

static void pages_load(struct kckpt *c)
{
    struct kernel *kernel = c->kernel;
    struct kernel_page *pages;
    size_t count;

    ckpt_enter_subsection(c->r, NULL);
    pages = pages_read(c, &count);
    for (uint32_t i = 0; i < kernel->num_pages && !c->error; i++) {
        if (!page_move(kernel, &kernel->pages[i], pages, count))
            kckpt_fail(c, "key kernel_pages: not of this number of CPUs");
    }
    mem_free(kernel->pages);
    kernel->pages = pages;
    kernel->num_pages = (uint32_t)count;
}

static void frames_load(struct kckpt *c)
{
    struct frames_order order = {0};

    ckpt_enter_subsection(c->r, NULL);
    order.next_fresh = kckpt_get_u32(c, "frames_fresh", UINT32_MAX);
    order.partial = kckpt_get_u64s(c, "frames_partial", &order.num_partial);
    order.empty = kckpt_get_u64s(c, "frames_empty", &order.num_empty);
    if (!c->error && !frames_set_order(c->kernel->frames, &order))
        kckpt_fail(c, "frames are in use that were not when this was written");
    mem_free(order.partial);
    mem_free(order.empty);
}

void kckpt_load_memory(struct kckpt *c)
{
    frames_recount(c->kernel->frames);
    pages_load(c);
    objects_load(c);
    for (uint32_t i = 0; i < c->mms.len; i++) {
        c->mms.ptr[i] = alloc_zeroed(1, sizeof(struct mm));
        kckpt_section(c, "mm.%u", i + 1);
        mm_load(c, c->mms.ptr[i]);
    }
    frames_load(c);
}

void kckpt_drop_memory(struct kckpt *c)
{
    for (uint32_t i = 0; i < c->mms.len; i++) {
        struct mm *mm = c->mms.ptr[i];

        while (mm && mm->num_vmas)
            mm_remove(mm, mm->num_vmas - 1);
        if (mm)
            mem_free(mm->vmas);
        mem_free(mm);
    }
    for (uint32_t i = 0; i < c->objects.len; i++) {
        if (!c->objects.ptr[i])
            continue;
        vm_object_lose_pages(c->objects.ptr[i]);
        vm_object_put(c->objects.ptr[i]);
    }
    c->kernel->num_pages = 0;
    frames_recount(c->kernel->frames);
}
