/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIMD, x87 and whatever else the host executes itself (thunk.h).  Fast
 * handlers translate the operand and call the thunk; plain moves of vectors do
 * not even call it.  The full handler leaves everything to x86_thunk_run().
 */
#include "arch/x86/exec/native.h"

#include <string.h>

#include "arch/x86/exec/exec.h"
#include "arch/x86/thunk.h"

/* --------------------------------------------------------------------- flags
 */

static uint64_t get_arith(const struct x86_core *core)
{
    return (core->flags >> 8 & (X86_ARITH_FLAGS & 0xff)) |
           (core->flags & 1u ? X86_OF_FLAG : 0u);
}

static void set_arith(struct x86_core *core, uint64_t flags)
{
    core->flags = (uint16_t)((flags & X86_ARITH_FLAGS & 0xff) << 8 |
                             (flags & X86_OF_FLAG ? 1 : 0));
}

/* ---------------------------------------------------------------------- full
 */

static struct x86_op *native_full(struct x86_core *core, struct x86_op *op)
{
    static const uint8_t addr_bits[4] = {64, 32, 16, 0};
    const struct x86_thunk *thunk = op->aux;
    struct x86_thunk_call call = {
        .mem = {.offset = x86_op_offset(core, op),
                .seg = (uint8_t)x86_op_seg(op),
                .addr_bits = addr_bits[op->flags & X86_OP_ADDR_MASK]},
        .rip = op->next_rip - op->len,
        .flags = get_arith(core),
    };

    if (!x86_thunk_run(&core->fpu, thunk, &call)) {
        core->fault = call.fault;
        return x86_raise_set(core, op);
    }
    if (thunk->writes_flags)
        set_arith(core, call.flags);
    return op + 1;
}

/* ---------------------------------------------------------------------- fast
 */

#define CHECK_READY(thunk)                                                     \
    if (SIM_UNLIKELY((thunk)->needs & core->fpu.unready))                      \
    RUN_FULL()

static void set_pointers(struct x86_core *core, const struct x86_op *op,
                         const struct x86_thunk *thunk, uint64_t offset)
{
    core->fpu.fip = op->next_rip - op->len;
    core->fpu.fdp = offset;
    core->fpu.fop = thunk->fop;
}

EXEC(native_reg)
{
    const struct x86_thunk *thunk = op->aux;

    CHECK_READY(thunk);
    (void)thunk->code(&core->fpu, NULL, 0);
    NEXT();
}

EXEC(native_reg_flags)
{
    const struct x86_thunk *thunk = op->aux;
    uint64_t flags;

    CHECK_READY(thunk);
    flags = thunk->code(&core->fpu, NULL, get_arith(core));
    if (thunk->writes_flags)
        set_arith(core, flags);
    NEXT();
}

/* A memory operand of any size in one page. */
#define NATIVE_PTR(ptr, thunk, ea, tag)                                        \
    void *ptr;                                                                 \
    do {                                                                       \
        const uint64_t addr = (ea);                                            \
        const struct x86_tlb_entry *entry = x86_tlb_at(core, addr);            \
        if (SIM_UNLIKELY(addr - entry->tag >                                   \
                             (uint64_t)X86_PAGE_SIZE - thunk->mem_size ||      \
                         (addr & (thunk->align - 1u))))                        \
            RUN_FULL();                                                        \
        ptr = (void *)(addr + entry->addend);                                  \
    } while (0)

#define NATIVE_MEM(tag, S, EA)                                                 \
    EXEC(native_##tag##S)                                                      \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        NATIVE_PTR(ptr, thunk, EA(core, op), tag);                             \
        (void)thunk->code(&core->fpu, ptr, 0);                                 \
        NEXT();                                                                \
    }                                                                          \
    EXEC(native_##tag##_flags##S)                                              \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
        uint64_t flags;                                                        \
                                                                               \
        CHECK_READY(thunk);                                                    \
        NATIVE_PTR(ptr, thunk, EA(core, op), tag);                             \
        flags = thunk->code(&core->fpu, ptr, get_arith(core));                 \
        if (thunk->writes_flags)                                               \
            set_arith(core, flags);                                            \
        NEXT();                                                                \
    }                                                                          \
    EXEC(x87_##tag##S)                                                         \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        NATIVE_PTR(ptr, thunk, EA(core, op), tag);                             \
        set_pointers(core, op, thunk, x86_op_offset(core, op));                \
        (void)thunk->code(&core->fpu, ptr, 0);                                 \
        NEXT();                                                                \
    }
FOR_ADDR(NATIVE_MEM, read)
FOR_ADDR(NATIVE_MEM, write)

EXEC(x87_reg)
{
    const struct x86_thunk *thunk = op->aux;
    uint64_t flags;

    CHECK_READY(thunk);
    set_pointers(core, op, thunk, core->fpu.fdp);
    flags = thunk->code(&core->fpu, NULL, get_arith(core));
    if (thunk->writes_flags) /* FCOMI */
        set_arith(core, flags);
    NEXT();
}

/* ---------------------------------------------------------------------- moves
 */

#define VEC(i) ((uint8_t *)core + op->reg[i])

#define MOVE(SIZE, ZERO, S, EA)                                                \
    EXEC(load_##SIZE##_##ZERO##S)                                              \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        NATIVE_PTR(ptr, thunk, EA(core, op), read);                            \
        memcpy(VEC(0), ptr, SIZE);                                             \
        memset(VEC(0) + SIZE, 0, ZERO - SIZE);                                 \
        NEXT();                                                                \
    }
#define STORE_MOVE(SIZE, S, EA)                                                \
    EXEC(store_##SIZE##S)                                                      \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        NATIVE_PTR(ptr, thunk, EA(core, op), write);                           \
        memcpy(ptr, VEC(0), SIZE);                                             \
        NEXT();                                                                \
    }
#define COPY(SIZE, ZERO)                                                       \
    EXEC(copy_##SIZE##_##ZERO)                                                 \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        memmove(VEC(0), VEC(1), SIZE);                                         \
        memset(VEC(0) + SIZE, 0, ZERO - SIZE);                                 \
        NEXT();                                                                \
    }
#define CLEAR(ZERO)                                                            \
    EXEC(clear_##ZERO)                                                         \
    {                                                                          \
        const struct x86_thunk *thunk = op->aux;                               \
                                                                               \
        CHECK_READY(thunk);                                                    \
        memset(VEC(0), 0, ZERO);                                               \
        NEXT();                                                                \
    }
FOR_ADDR(MOVE, 4, 16)
FOR_ADDR(MOVE, 8, 16)
FOR_ADDR(MOVE, 16, 16)
FOR_ADDR(MOVE, 4, 64)
FOR_ADDR(MOVE, 8, 64)
FOR_ADDR(MOVE, 16, 64)
FOR_ADDR(MOVE, 32, 64)
FOR_ADDR(MOVE, 64, 64)
FOR_ADDR(STORE_MOVE, 4)
FOR_ADDR(STORE_MOVE, 8)
FOR_ADDR(STORE_MOVE, 16)
FOR_ADDR(STORE_MOVE, 32)
FOR_ADDR(STORE_MOVE, 64)
COPY(16, 16)
COPY(16, 64)
COPY(32, 64)
COPY(64, 64)
CLEAR(16)
CLEAR(64)

/* -------------------------------------------------------------------- choice
 */

static const struct x86_row native_row = {.op_class = X86_OP_SIMD_MISC};

#define FORM(FN)                                                               \
    {                                                                          \
        .fn = FN, .full = native_full, .row = &native_row                      \
    }

/* One form per address kind, of a memory operand of any kind. */
struct form_set {
    uint8_t size, zero; /* of moves */
    struct x86_form forms[3];
};
#define SET(SIZE, ZERO, FN)                                                    \
    {                                                                          \
        SIZE, ZERO,                                                            \
        {                                                                      \
            FORM(FN##_b), FORM(FN##_x), FORM(FN##_g)                           \
        }                                                                      \
    }

static const struct x86_form reg_form = FORM(native_reg);
static const struct x86_form reg_flags_form = FORM(native_reg_flags);
static const struct x86_form x87_reg_form = FORM(x87_reg);
static const struct x86_form slow_form = FORM(x86_run_full);
static const struct form_set read_set = SET(0, 0, native_read);
static const struct form_set write_set = SET(0, 0, native_write);
static const struct form_set read_flags_set = SET(0, 0, native_read_flags);
static const struct form_set write_flags_set = SET(0, 0, native_write_flags);
static const struct form_set x87_read_set = SET(0, 0, x87_read);
static const struct form_set x87_write_set = SET(0, 0, x87_write);
static const struct form_set load_sets[] = {
    SET(4, 16, load_4_16),   SET(8, 16, load_8_16),   SET(16, 16, load_16_16),
    SET(4, 64, load_4_64),   SET(8, 64, load_8_64),   SET(16, 64, load_16_64),
    SET(32, 64, load_32_64), SET(64, 64, load_64_64),
};
static const struct form_set store_sets[] = {
    SET(4, 0, store_4),   SET(8, 0, store_8),   SET(16, 0, store_16),
    SET(32, 0, store_32), SET(64, 0, store_64),
};
static const struct {
    uint8_t size, zero;
    struct x86_form form;
} copy_forms[] = {
    {16, 16, FORM(copy_16_16)},
    {16, 64, FORM(copy_16_64)},
    {32, 64, FORM(copy_32_64)},
    {64, 64, FORM(copy_64_64)},
    {0,  16, FORM(clear_16)  },
    {0,  64, FORM(clear_64)  },
};

static unsigned index_of(unsigned addr)
{
    return addr == X86_ADDR_BASE ? 0 : addr == X86_ADDR_INDEX ? 1 : 2;
}

static const struct x86_form *find_set(const struct form_set *sets, size_t num,
                                       const struct x86_thunk *thunk,
                                       unsigned addr)
{
    unsigned zero = thunk->move == X86_MOVE_LOAD ? thunk->zero : 0;

    for (size_t i = 0; i < num; i++)
        if (sets[i].size == thunk->mem_size && sets[i].zero == zero)
            return &sets[i].forms[index_of(addr)];
    return NULL;
}

static const struct x86_form *find_copy(const struct x86_thunk *thunk)
{
    unsigned size = thunk->move == X86_MOVE_COPY ? thunk->vec_size : 0;

    for (size_t i = 0; i < SIM_ARRAY_LEN(copy_forms); i++)
        if (copy_forms[i].size == size && copy_forms[i].zero == thunk->zero)
            return &copy_forms[i].form;
    return NULL;
}

static uint16_t vec_offset(unsigned reg)
{
    return (uint16_t)(offsetof(struct x86_core, fpu.vec) + 64u * (reg & 31));
}

static const struct x86_form *move_form(const struct x86_thunk *thunk,
                                        unsigned addr, struct x86_op *op)
{
    op->reg[0] = vec_offset(thunk->reg);
    op->reg[1] = vec_offset(thunk->rm);
    switch (thunk->move) {
    case X86_MOVE_LOAD:
        return find_set(load_sets, SIM_ARRAY_LEN(load_sets), thunk, addr);
    case X86_MOVE_STORE:
        return find_set(store_sets, SIM_ARRAY_LEN(store_sets), thunk, addr);
    case X86_MOVE_COPY:
    case X86_MOVE_ZERO:
        return find_copy(thunk);
    default:
        return NULL;
    }
}

static const struct x86_form *reg_or_flags(const struct x86_thunk *thunk)
{
    if (thunk->attrs & X86_THUNK_POINTERS)
        return &x87_reg_form;
    return thunk->reads_flags | thunk->writes_flags ? &reg_flags_form
                                                    : &reg_form;
}

static const struct x86_form *code_form(const struct x86_thunk *thunk,
                                        unsigned addr)
{
    bool is_read = thunk->mem == X86_THUNK_READ;
    const struct form_set *set = is_read ? &read_set : &write_set;

    if (thunk->mem == X86_THUNK_NO_MEM)
        return reg_or_flags(thunk);
    if (thunk->attrs & X86_THUNK_POINTERS)
        set = is_read ? &x87_read_set : &x87_write_set;
    else if (thunk->reads_flags | thunk->writes_flags)
        set = is_read ? &read_flags_set : &write_flags_set;
    return &set->forms[index_of(addr)];
}

const struct x86_form *x86_native_form(const struct x86_thunk *thunk,
                                       unsigned addr, struct x86_op *op)
{
    const struct x86_form *form = NULL;

    op->aux = (void *)thunk;
    if (thunk->move != X86_MOVE_NONE)
        form = move_form(thunk, addr, op);
    if (form)
        return form;
    if (!thunk->code || thunk->helper)
        return &slow_form;
    return code_form(thunk, addr);
}
