/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/uaccess.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "arch/x86/linux/frames.h"
#include "arch/x86/linux/mm.h"
#include "base/alloc.h"

/* Host address of @addr; sets how many bytes follow in the same page. */
static uint8_t *uaccess_page(struct mm *mm, uint64_t addr, uint32_t access,
                             uint64_t *room, uint64_t *frame)
{
    struct pagetable_leaf leaf;
    gpa_t at;

    if (mm_fault(mm, addr, access) != MM_OK ||
        !pagetable_find(&mm->pt, addr, &leaf))
        return NULL;
    at.v = pagetable_frame(*leaf.entry).v + (addr - leaf.addr);
    *room = leaf.size - (addr - leaf.addr);
    *frame = at.v;
    if (access & MM_WRITE)
        (void)pagetable_change(leaf.entry, UINT64_MAX, PTE_DIRTY);
    return frames_host(mm->pt.frames, at);
}

static void uaccess_written(const struct mm *mm, uint64_t frame, uint64_t len)
{
    gpa_t at = {frame};

    frames_written(mm->pt.frames, at, len);
}

int uaccess_read(struct mm *mm, uint64_t addr, void *data, uint64_t len)
{
    uint8_t *to = data;

    while (len) {
        uint64_t part, frame;
        const uint8_t *from = uaccess_page(mm, addr, MM_READ, &part, &frame);

        if (!from)
            return -EFAULT;
        if (part > len)
            part = len;
        memcpy(to, from, part);
        to += part;
        addr += part;
        len -= part;
    }
    return 0;
}

int uaccess_write(struct mm *mm, uint64_t addr, const void *data, uint64_t len)
{
    const uint8_t *from = data;

    while (len) {
        uint64_t part, frame;
        uint8_t *to = uaccess_page(mm, addr, MM_WRITE, &part, &frame);

        if (!to)
            return -EFAULT;
        if (part > len)
            part = len;
        memcpy(to, from, part);
        uaccess_written(mm, frame, part);
        from += part;
        addr += part;
        len -= part;
    }
    return 0;
}

int uaccess_clear(struct mm *mm, uint64_t addr, uint64_t len)
{
    while (len) {
        uint64_t part, frame;
        uint8_t *to = uaccess_page(mm, addr, MM_WRITE, &part, &frame);

        if (!to)
            return -EFAULT;
        if (part > len)
            part = len;
        memset(to, 0, part);
        uaccess_written(mm, frame, part);
        addr += part;
        len -= part;
    }
    return 0;
}

int uaccess_str(struct mm *mm, uint64_t addr, uint64_t max, char **out)
{
    char *text = NULL;
    uint64_t len = 0;

    while (len < max) {
        uint64_t part, frame, used;
        const uint8_t *from =
            uaccess_page(mm, addr + len, MM_READ, &part, &frame);

        if (!from) {
            mem_free(text);
            return -EFAULT;
        }
        if (part > max - len)
            part = max - len;
        used = strnlen((const char *)from, part);
        text = alloc_resize(text, len + used + 1, 1);
        memcpy(text + len, from, used);
        len += used;
        text[len] = '\0';
        if (used < part) {
            *out = text;
            return 0;
        }
    }
    mem_free(text);
    return -ENAMETOOLONG;
}

/* A piece that continues the last one makes that longer. */
static void uaccess_add_piece(struct uaccess_vec *vec, uint8_t *host,
                              uint64_t len)
{
    struct iovec *last = &vec->iov[vec->count - 1];

    if (vec->count && (uint8_t *)last->iov_base + last->iov_len == host) {
        last->iov_len += len;
        return;
    }
    vec->iov[vec->count].iov_base = host;
    vec->iov[vec->count++].iov_len = len;
}

int64_t uaccess_pages(struct mm *mm, uint64_t addr, uint64_t len,
                      uint32_t access, struct uaccess_vec *vec)
{
    uint64_t done = 0;

    vec->count = 0;
    while (done < len && vec->count < vec->max) {
        uint64_t part, frame;
        uint8_t *host = uaccess_page(mm, addr + done, access, &part, &frame);

        if (!host)
            break;
        if (part > len - done)
            part = len - done;
        if (access & MM_WRITE)
            uaccess_written(mm, frame, part);
        uaccess_add_piece(vec, host, part);
        done += part;
    }
    return done || !len ? (int64_t)done : -EFAULT;
}

uint32_t *uaccess_word(struct mm *mm, uint64_t addr, uint32_t access,
                       uint64_t *frame)
{
    uint64_t room;

    return (uint32_t *)(void *)uaccess_page(mm, addr, access, &room, frame);
}
