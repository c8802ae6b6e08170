/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies between guest virtual memory and the simulator, page by page. */
#include "arch/x86/vmem.h"

#include <string.h>

#include "arch/x86/core.h"
#include "mem/physmem.h"

enum { PAGE_SIZE = 4096 };

/* Bytes of [addr, addr + len) that lie in one page. */
static uint64_t page_part(gva_t addr, uint64_t len)
{
    uint64_t room = PAGE_SIZE - (addr.v & (PAGE_SIZE - 1));

    return len < room ? len : room;
}

static void outside_ram(gva_t addr, unsigned access, struct x86_fault *fault)
{
    *fault = (struct x86_fault){
        .vector = X86_PF,
        .has_error = true,
        .error = X86_PF_PRESENT |
                 (access & X86_ACCESS_WRITE ? (unsigned)X86_PF_WRITE : 0) |
                 (access & X86_ACCESS_USER ? (unsigned)X86_PF_USER : 0),
        .addr = addr.v};
}

/* Host address of the @len bytes of one page, or NULL with @fault. */
static void *page_host(struct x86_core *core, gva_t addr, uint64_t len,
                       unsigned access, gpa_t *gpa, struct x86_fault *fault)
{
    struct x86_paging paging;
    struct x86_walk walk;
    void *host;

    x86_core_paging(core, &paging);
    if (!x86_mmu_walk(x86_core_mem(core), &paging, addr, access, &walk, fault))
        return NULL;
    *gpa = walk.addr;
    host = physmem_host(x86_core_mem(core), walk.addr, len);
    if (!host)
        outside_ram(addr, access, fault);
    return host;
}

uint64_t x86_vmem_read(struct x86_core *core, gva_t addr, void *data,
                       uint64_t len, unsigned access, struct x86_fault *fault)
{
    struct x86_fault unwanted;
    uint64_t done = 0;

    while (done < len) {
        gva_t from = {addr.v + done};
        uint64_t part = page_part(from, len - done);
        gpa_t gpa;
        const void *host = page_host(core, from, part, access, &gpa,
                                     fault ? fault : &unwanted);

        if (!host)
            break;
        memcpy((char *)data + done, host, part);
        done += part;
    }
    return done;
}

uint64_t x86_vmem_write(struct x86_core *core, gva_t addr, const void *data,
                        uint64_t len, unsigned access, struct x86_fault *fault)
{
    struct x86_fault unwanted;
    uint64_t done = 0;

    while (done < len) {
        gva_t to = {addr.v + done};
        uint64_t part = page_part(to, len - done);
        gpa_t gpa;
        void *host = page_host(core, to, part, access | X86_ACCESS_WRITE, &gpa,
                               fault ? fault : &unwanted);

        if (!host)
            break;
        memcpy(host, (const char *)data + done, part);
        if (physmem_dirty_is_on(x86_core_mem(core)))
            physmem_dirty_mark(x86_core_mem(core), gpa, part);
        x86_cache_invalidate(x86_core_cache(core), gpa, part);
        done += part;
    }
    return done;
}
