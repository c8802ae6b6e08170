/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/linux/symbolize.h"

#include <string.h>

#include "arch/x86/linux/elf.h"
#include "arch/x86/linux/mm.h"
#include "arch/x86/linux/vm_object.h"
#include "base/alloc.h"

uint64_t symbolize_base(const struct mm *mm, const struct vma *vma)
{
    for (uint32_t i = 0; i < mm->num_vmas; i++) {
        if (mm->vmas[i].object == vma->object && !mm->vmas[i].offset)
            return mm->vmas[i].start;
    }
    return vma->start - vma->offset;
}

const struct vm_object_symbols *symbolize_table(struct vm_object *object)
{
    struct elf_source source = {elf_read_fd, &object->read_fd};
    struct elf_image *image;
    char why[ELF_WHY_SIZE];

    if (object->symbols)
        return object->symbols;
    image = alloc_zeroed(1, sizeof(*image));
    object->symbols = alloc_zeroed(1, sizeof(*object->symbols));
    if (!elf_parse(&source, image, why)) {
        object->symbols->low = image->low;
        elf_symbols_read(&source, &object->symbols->table);
    }
    mem_free(image);
    return object->symbols;
}

void symbolize(const struct mm *mm, uint64_t addr, struct symbolized *out)
{
    const struct vma *vma = mm_at(mm, addr);
    const struct vm_object_symbols *symbols;
    const struct elf_symbol *symbol;

    memset(out, 0, sizeof(*out));
    out->offset = addr;
    if (!vma || !vma->object || vma->object->read_fd < 0)
        return;
    symbols = symbolize_table(vma->object);
    out->path = vma->object->path;
    out->offset = addr - symbolize_base(mm, vma) + symbols->low;
    symbol = elf_symbols_find(&symbols->table, out->offset);
    if (!symbol)
        return;
    out->function = symbol->name;
    out->offset -= symbol->addr;
}
