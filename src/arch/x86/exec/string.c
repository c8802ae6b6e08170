/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * XLAT, and MOVS STOS LODS SCAS CMPS with and without REP.  A repetition works
 * on as many elements as lie in one page at once; what that cannot do -
 * elements across pages, devices, DF = 1, code under the destination - goes one
 * by one.  It can be interrupted between elements: RIP stays and the registers
 * say how far it came.  INS and OUTS are with the other port instructions.
 * Source: [SDM] Vol. 2, "REP/REPE/REPZ/REPNE/REPNZ"; Vol. 1, "String
 * Operations".
 */
#define X86_EXEC_FULL

#include <string.h>

#include "arch/x86/exec/exec.h"
#include "arch/x86/exec/flags.h"
#include "arch/x86/quirks.h"

FOR_SIZES(FLAGS_BINARY, sub, "sub")

/* One string instruction. */
struct string {
    unsigned size; /* of an element [bytes] */
    /* Work on one element and move the pointers; false: core->fault. */
    bool (*one)(struct x86_core *core, struct x86_op *op, unsigned size);
    /* The same for up to @count elements; 0: not possible here. */
    uint64_t (*many)(struct x86_core *core, struct x86_op *op, unsigned size,
                     uint64_t count);
    bool is_comparing; /* REPE and REPNE end by ZF */
    uint8_t writes;    /* see write_pointers() */
};

enum { WRITES_SOURCE = 1, WRITES_TARGET = 2 };

/* ------------------------------------------------------------------ registers
 */

static uint64_t get_reg(const struct x86_core *core, const struct x86_op *op,
                        enum x86_gpr reg)
{
    return core->state.gpr[reg] & x86_addr_mask(op);
}

static void set_reg(struct x86_core *core, const struct x86_op *op,
                    enum x86_gpr reg, uint64_t value)
{
    uint64_t mask = x86_addr_mask(op), *gpr = &core->state.gpr[reg];

    if (mask == UINT16_MAX)
        *gpr = (*gpr & ~mask) | (value & mask);
    else
        *gpr = value & mask;
}

static void advance(struct x86_core *core, const struct x86_op *op,
                    enum x86_gpr reg, uint64_t bytes)
{
    if (core->state.rflags & X86_DF_FLAG)
        bytes = -bytes;
    set_reg(core, op, reg, core->state.gpr[reg] + bytes);
}

/* ------------------------------------------------------------- one element */

static bool read_source(struct x86_core *core, struct x86_op *op, unsigned size,
                        uint64_t *value)
{
    *value = 0;
    return x86_read(core, x86_op_seg(op), get_reg(core, op, X86_RSI), value,
                    size);
}

static bool read_target(struct x86_core *core, struct x86_op *op, unsigned size,
                        uint64_t *value)
{
    *value = 0;
    return x86_read(core, X86_ES, get_reg(core, op, X86_RDI), value, size);
}

static bool movs_one(struct x86_core *core, struct x86_op *op, unsigned size)
{
    uint64_t value;

    if (!read_source(core, op, size, &value) ||
        !x86_write(core, X86_ES, get_reg(core, op, X86_RDI), &value, size))
        return false;
    advance(core, op, X86_RSI, size);
    advance(core, op, X86_RDI, size);
    return true;
}

static bool stos_one(struct x86_core *core, struct x86_op *op, unsigned size)
{
    if (!x86_write(core, X86_ES, get_reg(core, op, X86_RDI),
                   &core->state.gpr[X86_RAX], size))
        return false;
    advance(core, op, X86_RDI, size);
    return true;
}

static void put_accumulator(struct x86_core *core, uint64_t value,
                            unsigned size)
{
    if (size == 4)
        core->state.gpr[X86_RAX] = (uint32_t)value;
    else
        memcpy(&core->state.gpr[X86_RAX], &value, size);
}

static bool lods_one(struct x86_core *core, struct x86_op *op, unsigned size)
{
    uint64_t value;

    if (!read_source(core, op, size, &value))
        return false;
    put_accumulator(core, value, size);
    advance(core, op, X86_RSI, size);
    return true;
}

static void compare(struct x86_core *core, uint64_t a, uint64_t b,
                    unsigned size)
{
    if (size == 1)
        (void)flags_sub_8(core, (uint8_t)a, (uint8_t)b);
    else if (size == 2)
        (void)flags_sub_16(core, (uint16_t)a, (uint16_t)b);
    else if (size == 4)
        (void)flags_sub_32(core, (uint32_t)a, (uint32_t)b);
    else
        (void)flags_sub_64(core, a, b);
}

static bool scas_one(struct x86_core *core, struct x86_op *op, unsigned size)
{
    uint64_t value;

    if (!read_target(core, op, size, &value))
        return false;
    compare(core, core->state.gpr[X86_RAX], value, size);
    advance(core, op, X86_RDI, size);
    return true;
}

static bool cmps_one(struct x86_core *core, struct x86_op *op, unsigned size)
{
    uint64_t source, target;

    /* Intel's processors read the other operand first (measured). */
    if (!x86_quirks_is_amd() && !read_target(core, op, size, &target))
        return false;
    if (!read_source(core, op, size, &source) ||
        !read_target(core, op, size, &target))
        return false;
    compare(core, source, target, size);
    advance(core, op, X86_RSI, size);
    advance(core, op, X86_RDI, size);
    return true;
}

/* ------------------------------------------------------------ many elements */

/*
 * Host address of @reg's memory for *count elements, which is cut to what lies
 * in the page, in the segment and below the end of the address space.
 */
static uint8_t *find_span(struct x86_core *core, const struct x86_op *op,
                          enum x86_gpr reg, unsigned size, unsigned access,
                          uint64_t *count)
{
    enum x86_seg_name seg = reg == X86_RDI ? X86_ES : x86_op_seg(op);
    uint64_t offset = get_reg(core, op, reg);
    uint64_t len = X86_PAGE_SIZE, linear;
    uint8_t *host;

    if (*count < X86_PAGE_SIZE / size)
        len = *count * size;
    if (!x86_linear_addr(core, seg, offset, 1, access, &linear))
        return NULL;
    if (len > X86_PAGE_SIZE - (linear & ~X86_PAGE_MASK))
        len = X86_PAGE_SIZE - (linear & ~X86_PAGE_MASK);
    len -= len % size;
    if (len == 0 || offset + len - 1 > x86_addr_mask(op) ||
        !x86_linear_addr(core, seg, offset, (unsigned)len, access, &linear))
        return NULL;
    host = x86_span(core, linear, &len, access);
    *count = len / size;
    return host;
}

/* Neighbours may overlap: then the copy repeats a pattern, as the processor's
 * would. */
static void copy_forward(uint8_t *to, const uint8_t *from, unsigned size,
                         uint64_t count)
{
    if (to <= from || to >= from + count * size) {
        memmove(to, from, count * size);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value;

        memcpy(&value, from + i * size, size);
        memcpy(to + i * size, &value, size);
    }
}

static uint64_t movs_many(struct x86_core *core, struct x86_op *op,
                          unsigned size, uint64_t count)
{
    uint64_t room = count;
    const uint8_t *from =
        find_span(core, op, X86_RSI, size, X86_ACCESS_READ, &count);
    uint8_t *to;

    if (!from)
        return 0;
    room = count;
    to = find_span(core, op, X86_RDI, size, X86_ACCESS_WRITE, &room);
    if (!to)
        return 0;
    copy_forward(to, from, size, room);
    advance(core, op, X86_RSI, room * size);
    advance(core, op, X86_RDI, room * size);
    return room;
}

static uint64_t stos_many(struct x86_core *core, struct x86_op *op,
                          unsigned size, uint64_t count)
{
    const uint64_t value = core->state.gpr[X86_RAX];
    uint8_t *to = find_span(core, op, X86_RDI, size, X86_ACCESS_WRITE, &count);

    if (!to)
        return 0;
    if (size == 1)
        memset(to, (uint8_t)value, count);
    else
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + i * size, &value, size);
    advance(core, op, X86_RDI, count * size);
    return count;
}

static uint64_t load_element(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, from, size);
    return value;
}

/* How many elements until the repetition ends, at most @count. */
static uint64_t find_end(const uint8_t *a, const uint8_t *b, unsigned step,
                         const struct x86_op *op, unsigned size, uint64_t count)
{
    const bool wanted = op->flags & X86_OP_REP; /* go on while equal */

    for (uint64_t i = 0; i < count; i++)
        if ((load_element(a + i * step, size) ==
             load_element(b + i * size, size)) != wanted)
            return i + 1;
    return count;
}

static uint64_t scas_many(struct x86_core *core, struct x86_op *op,
                          unsigned size, uint64_t count)
{
    const uint8_t *accumulator = (uint8_t *)&core->state.gpr[X86_RAX];
    const uint8_t *in =
        find_span(core, op, X86_RDI, size, X86_ACCESS_READ, &count);
    uint64_t done;

    if (!in)
        return 0;
    done = find_end(accumulator, in, 0, op, size, count);
    compare(core, load_element(accumulator, size),
            load_element(in + (done - 1) * size, size), size);
    advance(core, op, X86_RDI, done * size);
    return done;
}

static uint64_t cmps_many(struct x86_core *core, struct x86_op *op,
                          unsigned size, uint64_t count)
{
    const uint8_t *a =
        find_span(core, op, X86_RSI, size, X86_ACCESS_READ, &count);
    const uint8_t *b;
    uint64_t done;

    if (!a)
        return 0;
    b = find_span(core, op, X86_RDI, size, X86_ACCESS_READ, &count);
    if (!b)
        return 0;
    done = find_end(a, b, size, op, size, count);
    compare(core, load_element(a + (done - 1) * size, size),
            load_element(b + (done - 1) * size, size), size);
    advance(core, op, X86_RSI, done * size);
    advance(core, op, X86_RDI, done * size);
    return done;
}

/* --------------------------------------------------------------- repetition */

static bool is_over(const struct x86_core *core, const struct x86_op *op,
                    const struct string *string)
{
    bool is_equal = core->flags & FLAG_ZF;

    if (!string->is_comparing)
        return false;
    return is_equal != !!(op->flags & X86_OP_REP);
}

/* A repetition is interrupted.  Intel's processors set flags only when it ends,
 * AMD's by each element.  [SDM] Vol. 2, "REP/REPE/REPZ/REPNE/REPNZ". */
static void restore_flags(struct x86_core *core, uint16_t flags)
{
    if (!x86_quirks_is_amd())
        core->flags = flags;
}

/* REP MOVS and STOS of Intel's processors write the pointers even when not one
 * element is done, which 32-bit addresses show (measured). */
static void write_pointers(struct x86_core *core, const struct x86_op *op,
                           const struct string *string)
{
    if (x86_quirks_is_amd())
        return;
    if (string->writes & WRITES_SOURCE)
        advance(core, op, X86_RSI, 0);
    if (string->writes & WRITES_TARGET)
        advance(core, op, X86_RDI, 0);
}

static struct x86_op *repeat(struct x86_core *core, struct x86_op *op,
                             const struct string *string)
{
    /* Debuggers see each element. */
    const bool one_by_one = core->is_trapping || core->is_watching;
    const uint16_t flags = core->flags;
    uint64_t left;

    write_pointers(core, op, string);
    while ((left = get_reg(core, op, X86_RCX)) != 0) {
        uint64_t done = 0;

        if (string->many && !(core->state.rflags & X86_DF_FLAG) && !one_by_one)
            done = string->many(core, op, string->size, left);
        if (done == 0 && !string->one(core, op, string->size)) {
            restore_flags(core, flags);
            return x86_raise_set(core, op);
        }
        done = done ? done : 1;
        left -= done;
        set_reg(core, op, X86_RCX, left);
        if (is_over(core, op, string))
            break;
        if (left && (x86_rep_pause(core, done) || one_by_one)) {
            restore_flags(core, flags);
            return x86_rep_leave(core, op);
        }
    }
    core->rep_work = 0;
    /* A 32-bit count of zero clears the upper half, too. */
    set_reg(core, op, X86_RCX, left);
    return op + 1;
}

static struct x86_op *string_run(struct x86_core *core, struct x86_op *op,
                                 const struct string *string)
{
    if (op->flags & (X86_OP_REP | X86_OP_REPNE))
        return repeat(core, op, string);
    return string->one(core, op, string->size) ? op + 1
                                               : x86_raise_set(core, op);
}

#define STRING(N, NAME, MANY, IS_COMPARING, WRITES)                            \
    EXEC(NAME##_##N)                                                           \
    {                                                                          \
        static const struct string string = {N / 8, NAME##_one, MANY,          \
                                             IS_COMPARING, WRITES};            \
        return string_run(core, op, &string);                                  \
    }
FOR_SIZES(STRING, movs, movs_many, false, WRITES_SOURCE | WRITES_TARGET)
FOR_SIZES(STRING, stos, stos_many, false, WRITES_TARGET)
FOR_SIZES(STRING, lods, NULL, false, 0)
FOR_SIZES(STRING, scas, scas_many, true, 0)
FOR_SIZES(STRING, cmps, cmps_many, true, 0)

EXEC(xlat)
{
    const uint64_t offset =
        (GPR(64, X86_RBX) + GPR(8, X86_RAX)) & x86_addr_mask(op);
    LOAD(8, value, offset);

    PUT_GPR(8, X86_RAX, value);
    return op + 1;
}

#define STRING_ROW(MNEMONIC, NAME)                                             \
    ROW_REG(MNEMONIC, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, STRING, 0, NAME)
#define STRING_ROWS(UPPER, NAME)                                               \
    STRING_ROW(UPPER##B, NAME##_8), STRING_ROW(UPPER##W, NAME##_16),           \
        STRING_ROW(UPPER##D, NAME##_32), STRING_ROW(UPPER##Q, NAME##_64)

static const struct x86_row string_rows[] = {
    STRING_ROWS(MOVS, movs),
    STRING_ROWS(STOS, stos),
    STRING_ROWS(LODS, lods),
    STRING_ROWS(SCAS, scas),
    STRING_ROWS(CMPS, cmps),
    ROW_REG(XLAT, (NONE, NONE, NONE, NONE), 0, 0, PLAIN, MEM_READ, 0, xlat),
};

X86_TABLE(string);
