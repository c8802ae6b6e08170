/* SPDX-License-Identifier: BSD-3-Clause */
/* A key per register or group of registers; a segment register is one key. */
#include "arch/x86/state_ckpt.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "arch/x86/state.h"
#include "sim/checkpoint.h"
#include "sim/field.h"

#define REG(m)       SIM_FIELD(struct x86_state, m, "", "")
#define REG_ARRAY(m) SIM_FIELD_ARRAY(struct x86_state, m, "", "")
#define SEG(m)       SIM_FIELD(struct x86_seg, m, "", "")
#define EVENT(m)     SIM_FIELD(struct x86_events, m, "", "")

/* [SDM] Vol. 1, "Legacy Region of an XSAVE Area". */
enum { MXCSR_OFFSET = 24 };

static const struct sim_field state_fields[] = {
    REG_ARRAY(gpr),  REG(rip),       REG(rflags),     REG(gdtr.base),
    REG(gdtr.limit), REG(idtr.base), REG(idtr.limit), REG(cr0),
    REG(cr2),        REG(cr3),       REG(cr4),        REG(cr8),
    REG(efer),       REG(apic_base), REG(xcr0),       REG_ARRAY(dr),
    REG(tsc_offset), REG_ARRAY(msr), REG(mp_state),   REG_ARRAY(pdpte),
    SIM_END,
};

static const struct sim_field seg_fields[] = {
    SEG(selector), SEG(base),     SEG(limit), SEG(type), SEG(s),
    SEG(dpl),      SEG(present),  SEG(avl),   SEG(l),    SEG(db),
    SEG(g),        SEG(unusable), SIM_END,
};

static const struct sim_field event_fields[] = {
    EVENT(exception_vector),    EVENT(exception_injected),
    EVENT(exception_has_error), EVENT(nmi_injected),
    EVENT(nmi_pending),         EVENT(nmi_masked),
    EVENT(interrupt_injected),  EVENT(interrupt_vector),
    EVENT(interrupt_soft),      EVENT(shadow),
    EVENT(smi_pending),         EVENT(exception_error),
    EVENT(exception_payload),   SIM_END,
};

/* Each segment register is a key. */
static const struct {
    const char *key;
    size_t offset;
} state_segs[] = {
    {"es",   offsetof(struct x86_state, seg[X86_ES])    },
    {"cs",   offsetof(struct x86_state, seg[X86_CS])    },
    {"ss",   offsetof(struct x86_state, seg[X86_SS_SEG])},
    {"ds",   offsetof(struct x86_state, seg[X86_DS])    },
    {"fs",   offsetof(struct x86_state, seg[X86_FS])    },
    {"gs",   offsetof(struct x86_state, seg[X86_GS])    },
    {"ldtr", offsetof(struct x86_state, ldtr)           },
    {"tr",   offsetof(struct x86_state, tr)             },
};

void x86_state_save(const struct x86_state *state, struct ckpt_writer *w)
{
    ckpt_put_fields(w, state, state_fields);
    for (size_t i = 0; i < SIM_ARRAY_LEN(state_segs); i++)
        ckpt_put_tuple(w, state_segs[i].key,
                       (const char *)state + state_segs[i].offset, seg_fields);
    ckpt_put_tuple(w, "events", &state->events, event_fields);
    ckpt_put_bytes(w, "xsave", state->xsave, sizeof(state->xsave));
}

/* What the host's own instructions would fault on. */
static int state_check(const struct x86_state *state, struct ckpt_reader *r)
{
    uint32_t mxcsr;

    memcpy(&mxcsr, state->xsave + MXCSR_OFFSET, sizeof(mxcsr));
    if (mxcsr > UINT16_MAX)
        return ckpt_read_failed(r, -EINVAL, "MXCSR has reserved bits");
    if (state->mp_state > X86_HALTED)
        return ckpt_read_failed(r, -EINVAL, "there is no mp_state %u",
                                (unsigned)state->mp_state);
    return 0;
}

int x86_state_load(struct x86_state *state, struct ckpt_reader *r)
{
    int err = ckpt_get_fields(r, state, state_fields);

    for (size_t i = 0; !err && i < SIM_ARRAY_LEN(state_segs); i++)
        err = ckpt_get_tuple(r, state_segs[i].key,
                             (char *)state + state_segs[i].offset, seg_fields);
    if (!err)
        err = ckpt_get_tuple(r, "events", &state->events, event_fields);
    if (!err)
        err = ckpt_get_bytes(r, "xsave", state->xsave, sizeof(state->xsave));
    if (!err)
        err = state_check(state, r);
    return err;
}
