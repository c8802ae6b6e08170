/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory: the mmap family. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/x86/linux/file.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/mm_map.h"
#include "arch/x86/linux/sys_mlock.h"
#include "arch/x86/linux/syscall.h"
#include "arch/x86/linux/uaccess.h"
#include "base/alloc.h"

#define PAGE_MASK ((uint64_t)FRAME_SIZE - 1)

/* Nothing but the device, and that cannot be copied when it is written. */
static int sys_mmap_device(struct mm_map_request *request)
{
    const struct vm_object *device = request->object;

    if (request->offset < device->first_device ||
        request->offset >= device->size ||
        request->len > device->size - request->offset) {
        vm_object_put(request->object);
        return -EPERM;
    }
    if ((request->map_flags & MAP_TYPE) == MAP_PRIVATE)
        request->map_flags ^= MAP_PRIVATE | MAP_SHARED;
    return 0;
}

static int sys_mmap_file(const struct syscall *call, uint64_t fd,
                         struct mm_map_request *request)
{
    struct file *file = syscall_file(call, fd);
    uint32_t access;
    int error;

    if (!file || (file->flags & O_PATH))
        return -EBADF;
    access = file->flags & O_ACCMODE;
    if (access == O_WRONLY)
        return -EACCES;
    if ((request->map_flags & MAP_TYPE) != MAP_PRIVATE) {
        if ((request->prot & PROT_WRITE) && access != O_RDWR)
            return -EACCES;
        if (access == O_RDWR)
            request->vma_flags |= VMA_MAY_WRITE;
    }
    if (!file->ops->map)
        return -ENODEV;
    error = file->ops->map(file, &request->object);
    if (!error && request->object->device_addr)
        error = sys_mmap_device(request);
    return error;
}

static int64_t sys_mmap_at(struct syscall *call, uint64_t fd, uint64_t offset)
{
    struct mm_map_request request = {
        .addr = call->arg[0],
        .len = call->arg[1],
        .prot = (uint32_t)call->arg[2] & (PROT_READ | PROT_WRITE | PROT_EXEC),
        .map_flags = (uint32_t)call->arg[3],
        .offset = offset,
    };
    uint32_t type = request.map_flags & MAP_TYPE;
    int64_t result;

    if (type != MAP_PRIVATE && type != MAP_SHARED &&
        type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (request.map_flags & MAP_LOCKED) {
        if (!syscall_may_lock(call))
            return -EPERM;
        request.vma_flags |= VMA_LOCKED;
    }
    if (((request.vma_flags | call->mm->new_flags) & VMA_LOCKED) &&
        !syscall_may_lock_more(call, request.len))
        return -EAGAIN;
    if (!(request.map_flags & MAP_ANONYMOUS)) {
        int error = sys_mmap_file(call, fd, &request);

        if (error)
            return error;
    } else if (type != MAP_PRIVATE) {
        request.object = vm_object_create_memory(&call->kernel->objects,
                                                 "/dev/zero (deleted)");
        request.object->size = (request.len + PAGE_MASK) & ~PAGE_MASK;
        request.vma_flags |= VMA_MAY_WRITE;
        request.offset = 0;
    } else {
        request.offset = 0;
    }
    result = mm_map(call->mm, &request);
    vm_object_put(request.object);
    return result;
}

static int64_t sys_mmap(struct syscall *call)
{
    if (call->arg[5] & PAGE_MASK)
        return -EINVAL;
    return sys_mmap_at(call, call->arg[4], call->arg[5]);
}

static int64_t sys_mmap2(struct syscall *call)
{
    return sys_mmap_at(call, call->arg[4], call->arg[5] * FRAME_SIZE);
}

/* The first i386 mmap: its arguments are in memory. */
static int64_t sys_mmap_32(struct syscall *call)
{
    uint32_t args[6];
    struct syscall inner = *call;

    if (uaccess_get(call->mm, call->arg[0], args))
        return -EFAULT;
    for (int i = 0; i < 6; i++)
        inner.arg[i] = args[i];
    return sys_mmap(&inner);
}

static int64_t sys_munmap(struct syscall *call)
{
    return mm_unmap(call->mm, call->arg[0], call->arg[1]);
}

static int64_t sys_mprotect(struct syscall *call)
{
    return mm_protect(call->mm, call->arg[0], call->arg[1],
                      (uint32_t)call->arg[2]);
}

static int64_t sys_pkey_mprotect(struct syscall *call)
{
    return (int)call->arg[3] == -1 ? sys_mprotect(call) : -EINVAL;
}

static int64_t sys_mremap(struct syscall *call)
{
    const uint64_t len[2] = {call->arg[1], call->arg[2]};

    if (len[1] > len[0] &&
        mm_locked(call->mm, call->arg[0], call->arg[0] + 1) &&
        !syscall_may_lock_more(call, len[1] - len[0]))
        return -EAGAIN;
    return mm_remap(call->mm, call->arg[0], len, (uint32_t)call->arg[3],
                    call->arg[4]);
}

static int64_t sys_brk(struct syscall *call)
{
    struct mm *mm = call->mm;

    if ((mm->new_flags & VMA_LOCKED) && call->arg[0] > mm->brk &&
        !syscall_may_lock_more(call, call->arg[0] - mm->brk))
        return (int64_t)mm->brk;
    return (int64_t)mm_brk(mm, call->arg[0]);
}

static int64_t sys_madvise(struct syscall *call)
{
    return mm_advise(call->mm, call->arg[0], call->arg[1], (int)call->arg[2]);
}

/* Whether [addr, addr + len) is mapped throughout. */
static bool sys_is_mapped(const struct mm *mm, uint64_t addr, uint64_t end)
{
    while (addr < end) {
        const struct vma *vma = mm_at(mm, addr);

        if (!vma)
            return false;
        addr = vma->end;
    }
    return true;
}

static int64_t sys_msync(struct syscall *call)
{
    uint64_t addr = call->arg[0];
    uint64_t end = (addr + call->arg[1] + PAGE_MASK) & ~PAGE_MASK;
    uint32_t flags = (uint32_t)call->arg[2];

    if ((addr & PAGE_MASK) ||
        (flags & ~(uint32_t)(MS_ASYNC | MS_SYNC | MS_INVALIDATE)))
        return -EINVAL;
    if (end < addr || !sys_is_mapped(call->mm, addr, end))
        return -ENOMEM;
    if ((flags & MS_INVALIDATE) && mm_locked(call->mm, addr, end))
        return -EBUSY;
    return mm_sync(call->mm, addr, end);
}

static int64_t sys_mincore(struct syscall *call)
{
    uint64_t addr = call->arg[0];
    uint64_t end = (addr + call->arg[1] + PAGE_MASK) & ~PAGE_MASK;
    uint64_t out = call->arg[2];

    if (addr & PAGE_MASK)
        return -EINVAL;
    if (end < addr || !sys_is_mapped(call->mm, addr, end))
        return -ENOMEM;
    for (; addr < end; addr += FRAME_SIZE, out++) {
        struct pagetable_leaf leaf;
        uint8_t is_in = pagetable_find(&call->mm->pt, addr, &leaf);

        if (uaccess_put(call->mm, out, is_in))
            return -EFAULT;
    }
    return 0;
}

static int64_t sys_memfd_create(struct syscall *call)
{
    uint32_t flags = (uint32_t)call->arg[1];
    struct file *file;
    char *name;
    int error;

    if (flags & ~(uint32_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x18))
        return -EINVAL;
    error = uaccess_str(call->mm, call->arg[0], 250, &name);
    if (error)
        return error == -ENAMETOOLONG ? -EINVAL : error;
    file = file_memory_create(call->kernel, O_RDWR, name);
    mem_free(name);
    return fd_table_add(call->process->files, file, 0,
                        flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

static int64_t sys_pkey_refused(struct syscall *call)
{
    (void)call;
    return -ENOSPC;
}

/* One node of memory. */
static int64_t sys_get_mempolicy(struct syscall *call)
{
    uint32_t zero = 0;

    if (call->arg[0] && uaccess_put(call->mm, call->arg[0], zero))
        return -EFAULT;
    return 0;
}

static int64_t sys_set_mempolicy(struct syscall *call)
{
    return (int)call->arg[0] <= 1 ? 0 : -EINVAL;
}

const struct syscall_row sys_mm_rows[] = {
    SYSCALL_ROW_BOTH(mmap, "pudxdx"),
    SYSCALL_ROW_32(mmap2, "pudxdx", sys_mmap2),
    SYSCALL_ROW(munmap, "pu"),
    SYSCALL_ROW(mprotect, "pux"),
    SYSCALL_ROW(pkey_mprotect, "puxd"),
    SYSCALL_ROW_ANY(pkey_alloc, "xx", sys_pkey_refused, sys_pkey_refused),
    SYSCALL_ROW(mremap, "puuxp"),
    SYSCALL_ROW(brk, "p"),
    SYSCALL_ROW(madvise, "pud"),
    SYSCALL_ROW(msync, "pux"),
    SYSCALL_ROW(mincore, "pup"),
    SYSCALL_ROW(memfd_create, "sx"),
    SYSCALL_ROW(get_mempolicy, "ppupx"),
    SYSCALL_ROW(set_mempolicy, "dpu"),
    SYSCALL_END,
};
