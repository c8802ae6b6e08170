/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/stops.h"

#include <stdio.h>
#include <string.h>

#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/symbolize.h"
#include "arch/x86/linux/vm_object.h"
#include "base/alloc.h"
#include "sim/report.h"

bool stops_are_set(const struct kernel *kernel)
{
    return kernel && kernel->stops.first;
}

struct stop *stops_find(const struct kernel *kernel, uint32_t id)
{
    struct stop *stop = kernel->stops.first;

    while (stop && stop->id != id)
        stop = stop->next;
    return stop;
}

/* --------------------------------------------------------------------- sites
 */

static void stops_tell(const struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->num_cpus; i++) {
        struct linux_cpu *cpu = kernel->cpus[i];

        if (cpu->stops_changed)
            cpu->stops_changed(cpu);
    }
}

/* A site of @stop that is not there yet. */
static void stops_add_site(struct mm *mm, struct stop *stop, uint64_t addr)
{
    for (uint32_t i = 0; i < mm->num_sites; i++) {
        if (mm->sites[i].addr == addr && mm->sites[i].stop_id == stop->id)
            return;
    }
    mm->sites = alloc_resize(mm->sites, mm->num_sites + 1, sizeof(*mm->sites));
    mm->sites[mm->num_sites++] = (struct stop_site){addr, stop->id};
    stop->was_found = true;
}

/* "libm" and "libm.so.6" are names of /lib/x86_64-linux-gnu/libm.so.6. */
static bool stops_is_file(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t len = strlen(name);

    if (!strcmp(path, name) || !strcmp(base, name))
        return true;
    return !strncmp(base, name, len) && !strncmp(base + len, ".so", 3);
}

static bool stops_may_be_in(const struct stop *stop, const struct vma *vma)
{
    return !stop->file || stops_is_file(vma->object->path, stop->file);
}

/* The functions called @stop->symbol in the file that @vma shows. */
static void stops_look_in(struct mm *mm, struct stop *stop,
                          const struct vma *vma)
{
    const struct vm_object_symbols *symbols = symbolize_table(vma->object);
    uint64_t base = symbolize_base(mm, vma);

    for (size_t i = 0; i < symbols->table.count; i++) {
        const struct elf_symbol *symbol = &symbols->table.symbols[i];
        uint64_t addr = base + symbol->addr - symbols->low;

        if (addr >= vma->start && addr < vma->end && !symbol->is_indirect &&
            !strcmp(symbol->name, stop->symbol))
            stops_add_site(mm, stop, addr + stop->addr);
    }
}

static bool stops_is_code(const struct vma *vma)
{
    return (vma->prot & MM_EXEC) && vma->object && vma->object->read_fd >= 0;
}

static void stops_resolve(struct mm *mm, struct stop *stop)
{
    if (!stop->symbol) {
        stops_add_site(mm, stop, stop->addr);
        return;
    }
    for (uint32_t i = 0; i < mm->num_vmas; i++) {
        if (stops_is_code(&mm->vmas[i]) && stops_may_be_in(stop, &mm->vmas[i]))
            stops_look_in(mm, stop, &mm->vmas[i]);
    }
}

static uint64_t stops_mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(0x100000001b3); /* FNV */
}

/* Two address spaces with equal code have equal sites. */
static uint64_t stops_signature(const struct kernel *kernel,
                                const struct mm *mm)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (const struct stop *stop = kernel->stops.first; stop; stop = stop->next)
        sum = stops_mix(sum, stop->is_over ? 0 : stop->id);
    for (uint32_t i = 0; i < mm->num_vmas; i++) {
        const struct vma *vma = &mm->vmas[i];

        if (!stops_is_code(vma))
            continue;
        sum = stops_mix(sum, vma->start);
        sum = stops_mix(sum, vma->end);
        sum = stops_mix(sum, (uint64_t)(uintptr_t)vma->object);
        sum = stops_mix(sum, vma->offset);
    }
    return sum;
}

void stops_update(struct kernel *kernel, struct mm *mm)
{
    uint64_t signature;

    if (!mm || (!kernel->stops.first && !mm->num_sites))
        return;
    signature = stops_signature(kernel, mm);
    if (signature == mm->sites_signature)
        return;
    mm->sites_signature = signature;
    mm->num_sites = 0;
    for (struct stop *stop = kernel->stops.first; stop; stop = stop->next) {
        if (!stop->is_over)
            stops_resolve(mm, stop);
    }
    stops_tell(kernel);
}

static void stops_update_all(struct kernel *kernel)
{
    for (struct process *p = kernel->processes; p; p = p->next)
        stops_update(kernel, p->mm);
}

/* ---------------------------------------------------------------------- list
 */

struct stop *stops_add(struct kernel *kernel, const struct stop_spec *spec)
{
    struct stop *stop = alloc_zeroed(1, sizeof(*stop));
    struct stop **link = &kernel->stops.first;

    stop->symbol = spec->symbol ? alloc_strdup(spec->symbol) : NULL;
    stop->file = spec->file ? alloc_strdup(spec->file) : NULL;
    stop->addr = spec->addr;
    stop->count = spec->count ? spec->count : 1;
    stop->repeats = spec->repeats;
    stop->pid = spec->pid;
    stop->id = ++kernel->stops.last_id;
    (void)snprintf(stop->cause, sizeof(stop->cause), "%s", spec->cause);
    while (*link)
        link = &(*link)->next;
    *link = stop;
    stops_update_all(kernel);
    return stop;
}

static void stops_free(struct stop *stop)
{
    mem_free(stop->symbol);
    mem_free(stop->file);
    mem_free(stop);
}

void stops_remove(struct kernel *kernel, struct stop *stop)
{
    struct stop **link = &kernel->stops.first;

    while (*link != stop)
        link = &(*link)->next;
    *link = stop->next;
    stops_free(stop);
    stops_update_all(kernel);
}

void stops_fini(struct stops *stops)
{
    while (stops->first) {
        struct stop *stop = stops->first;

        stops->first = stop->next;
        stops_free(stop);
    }
}

/* ----------------------------------------------------------------- at a site
 */

bool stops_is_site(const struct mm *mm, uint64_t addr)
{
    for (uint32_t i = 0; mm && i < mm->num_sites; i++) {
        if (mm->sites[i].addr == addr)
            return true;
    }
    return false;
}

static bool stops_has(const uint64_t *addrs, size_t count, uint64_t addr)
{
    while (count) {
        if (addrs[--count] == addr)
            return true;
    }
    return false;
}

size_t stops_collect(const struct kernel *kernel,
                     uint64_t addrs[STOPS_MAX_ADDRS])
{
    size_t count = 0;

    for (const struct process *p = kernel->processes; p; p = p->next) {
        for (uint32_t i = 0; p->mm && i < p->mm->num_sites; i++) {
            uint64_t addr = p->mm->sites[i].addr;

            if (stops_has(addrs, count, addr))
                continue;
            if (count == STOPS_MAX_ADDRS) {
                sim_warn(kernel->cfg.owner,
                         "more than %d addresses to stop at: the others are "
                         "not met",
                         STOPS_MAX_ADDRS);
                return count;
            }
            addrs[count++] = addr;
        }
    }
    return count;
}

/* @stop is met once more.  Returns: whether the run ends. */
static bool stops_hit(struct kernel *kernel, struct stop *stop)
{
    if (stop->is_over || ++stop->hits % stop->count)
        return false;
    stop->is_over = !stop->repeats;
    if (kernel->cfg.host.exit)
        kernel->cfg.host.exit(kernel->cfg.host.ctx, stop->cause, 0);
    return true;
}

bool stops_arrive(struct linux_cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    struct thread *thread = cpu->thread;
    uint64_t rip = x86_core_state(cpu->core)->rip;
    const struct mm *mm;
    bool ends = false;

    if (!thread || !thread->process->mm || thread->passed_stop == rip)
        return false;
    mm = thread->process->mm;
    for (uint32_t i = 0; i < mm->num_sites; i++) {
        struct stop *stop = stops_find(kernel, mm->sites[i].stop_id);

        if (mm->sites[i].addr != rip || !stop ||
            (stop->pid && stop->pid != thread->process->pid))
            continue;
        thread->passed_stop = rip;
        ends |= stops_hit(kernel, stop);
    }
    if (ends)
        stops_update_all(kernel);
    return ends;
}

void stops_depart(struct linux_cpu *cpu, uint64_t rip)
{
    if (cpu->loaded && cpu->loaded->passed_stop == rip)
        cpu->loaded->passed_stop = 0;
}
