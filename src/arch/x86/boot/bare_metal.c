/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gem5's X86BareMetalWorkload, with something to run: a flat image in real,
 * protected or long mode, a firmware image at the reset vector, or a Multiboot
 * kernel.  Without an image processors begin at the reset vector, in whatever
 * memory the script has put there.
 *
 *   mode       flat image at       begins with
 *   reset      the end of 4 GiB    the state after reset
 *   real       load_addr           CS:IP = 0000:entry below 64 KiB, else
 *                                  entry / 16 : entry % 16; stack below
 *   protected  load_addr           flat 32-bit segments, paging off
 *   long       load_addr           64-bit segments, the first 4 GiB mapped one
 *                                  to one with pages of 2 MiB
 *
 * Protected and long mode find a GDT (0x08 code, 0x10 data, 0x18 and 0x20 code
 * and data of 16 bits) and, in long mode, page tables from tables_addr on.
 * Interrupts are off.  Left out: ELF files without a Multiboot header.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86/boot/boot.h"
#include "arch/x86/boot/multiboot.h"
#include "arch/x86/state.h"
#include "arch/x86/sysreg.h"
#include "base/alloc.h"
#include "mem/physmem.h"
#include "mem/system.h"
#include "sim/param.h"
#include "sim/report.h"

enum format { FORMAT_AUTO, FORMAT_FLAT, FORMAT_MULTIBOOT };
enum entry_mode { ENTRY_RESET, ENTRY_REAL, ENTRY_PROTECTED, ENTRY_LONG };

enum {
    CODE = 0x08, /* selectors */
    DATA = 0x10,
    PAGE_SIZE = 4096,
    NUM_DIRECTORIES = 4, /* of 1 GiB */
    TABLES_SIZE = (NUM_DIRECTORIES + 3) * PAGE_SIZE,
    PTE_PRESENT_WRITE = 3,
    PTE_LARGE = 0x80,
};

struct bare_metal {
    struct boot_workload base;

    /* Parameters. */
    const char *object_file;
    const char *command_line;
    uint32_t format;     /* enum format */
    uint32_t entry_mode; /* enum entry_mode */
    uint64_t load_addr, entry, tables_addr;

    /* Derived: while loading. */
    uint8_t *data;
    size_t len;
};
SIM_CHECK_BASE(struct bare_metal);

extern const struct sim_type x86_bare_metal_workload_type;

static struct bare_metal *self(const struct sim_object *obj)
{
    return SIM_CAST(struct bare_metal, x86_bare_metal_workload_type, obj);
}

static struct sim_object *object_of(struct bare_metal *bare)
{
    return &bare->base.base.base;
}

static struct physmem *ram_of(struct bare_metal *bare)
{
    return system_of(object_of(bare))->physmem;
}

/* ------------------------------------------------------------------ the file
 */

static int read_all(struct bare_metal *bare, int fd)
{
    struct stat info;

    if (fstat(fd, &info) < 0)
        return -errno;
    if (!S_ISREG(info.st_mode))
        return -EISDIR;
    bare->data = alloc_zeroed((size_t)info.st_size + 1, 1);
    while (bare->len < (size_t)info.st_size) {
        ssize_t got =
            read(fd, bare->data + bare->len, (size_t)info.st_size - bare->len);

        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        bare->len += (size_t)got;
    }
    return 0;
}

static void read_image(struct bare_metal *bare)
{
    int fd = open(bare->object_file, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : read_all(bare, fd);

    if (fd >= 0)
        close(fd);
    if (error)
        sim_fatal_param(object_of(bare), "object_file", "%s: %s",
                        bare->object_file, strerrordesc_np(-error));
}

static void place(struct bare_metal *bare, const char *what, uint64_t addr,
                  const void *data, size_t len)
{
    if (!physmem_write(ram_of(bare), (gpa_t){addr}, data, len))
        sim_fatal(object_of(bare),
                  "there is no RAM for %s of %zu bytes at %#llx", what, len,
                  (unsigned long long)addr);
}

/* -------------------------------------------------------------------- tables
 */

static uint64_t descriptor(uint32_t access, uint32_t flags)
{
    return UINT64_C(0xffff) | (uint64_t)access << 40 | UINT64_C(0xf) << 48 |
           (uint64_t)flags << 52;
}

static uint64_t gdt_addr(const struct bare_metal *bare)
{
    return bare->tables_addr + TABLES_SIZE - PAGE_SIZE;
}

static void place_gdt(struct bare_metal *bare, struct x86_state *state)
{
    const uint64_t gdt[] = {
        0,
        descriptor(0x9b, bare->entry_mode == ENTRY_LONG ? 0xa : 0xc),
        descriptor(0x93, 0xc),
        descriptor(0x9b, 0) & ~(UINT64_C(0xf) << 48),
        descriptor(0x93, 0) & ~(UINT64_C(0xf) << 48),
    };

    place(bare, "the GDT", gdt_addr(bare), gdt, sizeof gdt);
    state->gdtr.base = gdt_addr(bare);
    state->gdtr.limit = sizeof gdt - 1;
    state->idtr.limit = 0;
}

/* One table of the first level, one of the second, four of 512 large pages. */
static void place_page_tables(struct bare_metal *bare)
{
    uint64_t addr = bare->tables_addr;
    uint64_t table[PAGE_SIZE / 8] = {(addr + PAGE_SIZE) | PTE_PRESENT_WRITE};

    place(bare, "page tables", addr, table, sizeof table);
    for (unsigned i = 0; i < NUM_DIRECTORIES; i++)
        table[i] = (addr + (2 + i) * (uint64_t)PAGE_SIZE) | PTE_PRESENT_WRITE;
    place(bare, "page tables", addr + PAGE_SIZE, table, sizeof table);
    for (unsigned i = 0; i < NUM_DIRECTORIES; i++) {
        for (unsigned k = 0; k < PAGE_SIZE / 8; k++)
            table[k] = ((uint64_t)i << 30 | (uint64_t)k << 21) | PTE_LARGE |
                       PTE_PRESENT_WRITE;
        place(bare, "page tables", addr + (2 + i) * (uint64_t)PAGE_SIZE, table,
              sizeof table);
    }
}

/* -------------------------------------------------------------------- states
 */

static void set_flat_segments(struct x86_state *state)
{
    const struct x86_seg data = {.limit = UINT32_MAX,
                                 .selector = DATA,
                                 .type = 3,
                                 .s = 1,
                                 .present = 1,
                                 .db = 1,
                                 .g = 1};

    for (unsigned i = 0; i < X86_NUM_SEGS; i++)
        state->seg[i] = data;
    state->seg[X86_CS].selector = CODE;
    state->seg[X86_CS].type = 11;
}

static void set_real(const struct bare_metal *bare, struct x86_state *state)
{
    struct x86_seg *cs = &state->seg[X86_CS];

    if (bare->entry > 0xfffff)
        sim_fatal_param(&bare->base.base.base, "entry",
                        "real mode begins below 1 MiB");
    cs->selector = bare->entry > 0xffff ? (uint16_t)(bare->entry >> 4) : 0;
    cs->base = (uint64_t)cs->selector << 4;
    state->rip = bare->entry - cs->base;
    state->gpr[X86_RSP] = bare->load_addr <= 0xffff ? bare->load_addr : 0xfffe;
}

static void set_protected(struct bare_metal *bare, struct x86_state *state)
{
    place_gdt(bare, state);
    set_flat_segments(state);
    state->cr0 = X86_CR0_PE | X86_CR0_ET;
    state->rip = (uint32_t)bare->entry;
    state->gpr[X86_RSP] = bare->tables_addr;
}

static void set_long(struct bare_metal *bare, struct x86_state *state)
{
    set_protected(bare, state);
    place_page_tables(bare);
    state->seg[X86_CS].l = 1;
    state->seg[X86_CS].db = 0;
    state->cr0 |= X86_CR0_PG;
    state->cr3 = bare->tables_addr;
    state->cr4 = X86_CR4_PAE;
    state->efer = X86_EFER_LME | X86_EFER_LMA;
    state->rip = bare->entry;
}

/* ------------------------------------------------------------------- loading
 */

static void load_flat(struct bare_metal *bare, struct x86_state *state)
{
    const uint64_t end = UINT64_C(1) << 32;
    bool is_reset = bare->entry_mode == ENTRY_RESET;

    if (is_reset && bare->len > end)
        sim_fatal_param(object_of(bare), "object_file", "is too large");
    place(bare, "the image", is_reset ? end - bare->len : bare->load_addr,
          bare->data, bare->len);
    switch ((enum entry_mode)bare->entry_mode) {
    case ENTRY_RESET:
        return;
    case ENTRY_REAL:
        set_real(bare, state);
        return;
    case ENTRY_PROTECTED:
        set_protected(bare, state);
        return;
    case ENTRY_LONG:
        set_long(bare, state);
        return;
    }
}

static void load_multiboot(struct bare_metal *bare, struct x86_state *state)
{
    const struct multiboot_image image = {.data = bare->data,
                                          .len = bare->len,
                                          .name = bare->object_file,
                                          .command_line = bare->command_line};
    char why[160];

    if (multiboot_load(ram_of(bare), &image, state, why))
        sim_fatal_param(object_of(bare), "object_file", "%s", why);
}

static void bare_metal_load(struct boot_workload *workload,
                            struct x86_state *state)
{
    struct bare_metal *bare = self(&workload->base.base);

    if (!bare->object_file || !*bare->object_file)
        return;
    read_image(bare);
    if (bare->format == FORMAT_MULTIBOOT ||
        (bare->format == FORMAT_AUTO &&
         multiboot_has_header(bare->data, bare->len)))
        load_multiboot(bare, state);
    else
        load_flat(bare, state);
    mem_free(bare->data);
    bare->data = NULL;
}

static const struct boot_ops bare_metal_boot_ops = {
    .load = bare_metal_load,
};

static void bare_metal_init(struct sim_object *obj)
{
    struct bare_metal *bare = self(obj);

    bare->base.ops = &bare_metal_boot_ops;
    if (!bare->entry)
        bare->entry = bare->load_addr;
    if (bare->tables_addr % PAGE_SIZE)
        sim_fatal_param(obj, "tables_addr", "must be a multiple of 4 KiB");
}

static void bare_metal_fini(struct sim_object *obj)
{
    mem_free(self(obj)->data);
}

/* ------------------------------------------------------------------- tables */

static const struct sim_ops bare_metal_ops = {
    .init = bare_metal_init,
    .fini = bare_metal_fini,
};

static const char *const formats[] = {
    [FORMAT_AUTO] = "auto",
    [FORMAT_FLAT] = "flat",
    [FORMAT_MULTIBOOT] = "multiboot",
    NULL,
};

static const char *const entry_modes[] = {
    [ENTRY_RESET] = "reset",
    [ENTRY_REAL] = "real",
    [ENTRY_PROTECTED] = "protected",
    [ENTRY_LONG] = "long",
    NULL,
};

static const struct sim_param bare_metal_params[] = {
    SIM_PARAM(struct bare_metal, object_file, "", "",
              "The image; none: RAM has it already"),
    SIM_PARAM(struct bare_metal, command_line, "", "",
              "For a Multiboot kernel"),
    SIM_PARAM(struct bare_metal, format, "auto", "",
              "auto: Multiboot if it has such a header, else flat",
              .names = formats),
    SIM_PARAM(struct bare_metal, entry_mode, "real", "",
              "How a flat image begins", .names = entry_modes),
    SIM_PARAM(struct bare_metal, load_addr, "0x7c00", "addr",
              "Of a flat image"),
    SIM_PARAM(struct bare_metal, entry, "0", "addr",
              "Where a flat image begins; 0: at load_addr"),
    SIM_PARAM(struct bare_metal, tables_addr, "0x80000", "addr",
              "28 KiB for the tables of protected and long mode; the first "
              "stack is below"),
    SIM_END_PARAM,
};

const struct sim_type x86_bare_metal_workload_type = {
    .name = "X86BareMetalWorkload",
    .doc = "An image that starts on bare processors",
    .base = &boot_workload_type,
    .size = sizeof(struct bare_metal),
    .ops = &bare_metal_ops,
    .params = bare_metal_params,
};
