/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversion of register groups.
 * Sources: Linux, Documentation/virt/kvm/api.rst; [SDM] Vol. 1, "Managing
 * State Using the XSAVE Feature Set".
 */
#include "cpu/kvm/kvm_regs.h"

#include "arch/x86/fault.h"
#include "base/compiler.h"

#include <string.h>

/* The kernel's order of the GPRs, in the encoding's. */
#define KVM_GPRS(X)                                                            \
    X(rax, X86_RAX)                                                            \
    X(rcx, X86_RCX)                                                            \
    X(rdx, X86_RDX)                                                            \
    X(rbx, X86_RBX)                                                            \
    X(rsp, X86_RSP)                                                            \
    X(rbp, X86_RBP)                                                            \
    X(rsi, X86_RSI)                                                            \
    X(rdi, X86_RDI)                                                            \
    X(r8, X86_R8)                                                              \
    X(r9, X86_R9)                                                              \
    X(r10, X86_R10)                                                            \
    X(r11, X86_R11)                                                            \
    X(r12, X86_R12)                                                            \
    X(r13, X86_R13)                                                            \
    X(r14, X86_R14)                                                            \
    X(r15, X86_R15)

void kvm_regs_to(const struct x86_state *state, struct kvm_regs *out)
{
#define KVM_GPR(member, index) out->member = state->gpr[index];
    KVM_GPRS(KVM_GPR)
#undef KVM_GPR
    out->rip = state->rip;
    out->rflags = state->rflags;
}

void kvm_regs_from(const struct kvm_regs *regs, struct x86_state *state)
{
#define KVM_GPR(member, index) state->gpr[index] = regs->member;
    KVM_GPRS(KVM_GPR)
#undef KVM_GPR
    state->rip = regs->rip;
    state->rflags = regs->rflags;
}

/* --------------------------------------------------------- system registers */

static struct kvm_segment kvm_seg_to(const struct x86_seg *seg)
{
    struct kvm_segment out;

    memset(&out, 0, sizeof(out));
    out.base = seg->base;
    out.limit = seg->limit;
    out.selector = seg->selector;
    out.type = seg->type;
    out.s = seg->s;
    out.dpl = seg->dpl;
    out.present = seg->present;
    out.avl = seg->avl;
    out.l = seg->l;
    out.db = seg->db;
    out.g = seg->g;
    out.unusable = seg->unusable;
    return out;
}

static struct x86_seg kvm_seg_from(const struct kvm_segment *seg)
{
    return (struct x86_seg){
        .base = seg->base,
        .limit = seg->limit,
        .selector = seg->selector,
        .type = seg->type,
        .s = seg->s,
        .dpl = seg->dpl,
        .present = seg->present,
        .avl = seg->avl,
        .l = seg->l,
        .db = seg->db,
        .g = seg->g,
        .unusable = seg->unusable,
    };
}

void kvm_sregs_to(const struct x86_state *state, struct kvm_sregs *out)
{
    uint8_t vector = state->events.interrupt_vector;

    memset(out, 0, sizeof(*out));
    out->es = kvm_seg_to(&state->seg[X86_ES]);
    out->cs = kvm_seg_to(&state->seg[X86_CS]);
    out->ss = kvm_seg_to(&state->seg[X86_SS_SEG]);
    out->ds = kvm_seg_to(&state->seg[X86_DS]);
    out->fs = kvm_seg_to(&state->seg[X86_FS]);
    out->gs = kvm_seg_to(&state->seg[X86_GS]);
    out->ldt = kvm_seg_to(&state->ldtr);
    out->tr = kvm_seg_to(&state->tr);
    out->gdt.base = state->gdtr.base;
    out->gdt.limit = state->gdtr.limit;
    out->idt.base = state->idtr.base;
    out->idt.limit = state->idtr.limit;
    out->cr0 = state->cr0;
    out->cr2 = state->cr2;
    out->cr3 = state->cr3;
    out->cr4 = state->cr4;
    out->cr8 = state->cr8;
    out->efer = state->efer;
    out->apic_base = state->apic_base;
    if (state->events.interrupt_injected)
        out->interrupt_bitmap[vector / 64] = UINT64_C(1) << vector % 64;
}

void kvm_sregs_from(const struct kvm_sregs *sregs, struct x86_state *state)
{
    state->seg[X86_ES] = kvm_seg_from(&sregs->es);
    state->seg[X86_CS] = kvm_seg_from(&sregs->cs);
    state->seg[X86_SS_SEG] = kvm_seg_from(&sregs->ss);
    state->seg[X86_DS] = kvm_seg_from(&sregs->ds);
    state->seg[X86_FS] = kvm_seg_from(&sregs->fs);
    state->seg[X86_GS] = kvm_seg_from(&sregs->gs);
    state->ldtr = kvm_seg_from(&sregs->ldt);
    state->tr = kvm_seg_from(&sregs->tr);
    state->gdtr.base = sregs->gdt.base;
    state->gdtr.limit = sregs->gdt.limit;
    state->idtr.base = sregs->idt.base;
    state->idtr.limit = sregs->idt.limit;
    state->cr0 = sregs->cr0;
    state->cr2 = sregs->cr2;
    state->cr3 = sregs->cr3;
    state->cr4 = sregs->cr4;
    state->cr8 = sregs->cr8;
    state->efer = sregs->efer;
    state->apic_base = sregs->apic_base;
}

/* ------------------------------------------------------------------- events */

void kvm_events_to(const struct x86_state *state, struct kvm_vcpu_events *out)
{
    const struct x86_events *events = &state->events;

    memset(out, 0, sizeof(*out));
    if (events->exception_injected) {
        out->exception.injected = 1;
        out->exception.nr = events->exception_vector;
        out->exception.has_error_code = events->exception_has_error;
        out->exception.error_code = events->exception_error;
    }
    out->interrupt.injected = events->interrupt_injected;
    out->interrupt.nr = events->interrupt_vector;
    out->interrupt.soft = events->interrupt_soft;
    out->interrupt.shadow = events->shadow;
    out->nmi.injected = events->nmi_injected;
    out->nmi.pending = events->nmi_pending;
    out->nmi.masked = events->nmi_masked;
    out->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
}

void kvm_events_from(const struct kvm_vcpu_events *events,
                     struct x86_state *state)
{
    struct x86_events *out = &state->events;

    out->exception_injected = events->exception.injected;
    out->exception_vector =
        events->exception.injected ? events->exception.nr : X86_NO_FAULT;
    out->exception_has_error = events->exception.has_error_code;
    out->exception_error = events->exception.error_code;
    out->interrupt_injected = events->interrupt.injected;
    out->interrupt_vector = events->interrupt.nr;
    out->interrupt_soft = events->interrupt.soft;
    out->shadow = events->interrupt.shadow;
    out->nmi_injected = events->nmi.injected;
    out->nmi_pending = events->nmi.pending;
    out->nmi_masked = events->nmi.masked;
}

void kvm_debug_to(const struct x86_state *state, struct kvm_debugregs *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->db, state->dr, sizeof(out->db));
    out->dr6 = state->dr[6];
    out->dr7 = state->dr[7];
}

void kvm_debug_from(const struct kvm_debugregs *debug, struct x86_state *state)
{
    memcpy(state->dr, debug->db, sizeof(debug->db));
    state->dr[6] = debug->dr6;
    state->dr[7] = debug->dr7;
}

/* ------------------------------------------------------------ vector state */

struct kvm_xsave_place {
    uint16_t ours; /* offset in struct x86_state's image */
    uint8_t comp;  /* enum of xsave_layout.h */
};

static const struct kvm_xsave_place kvm_xsave_places[] = {
    {X86_XSAVE_YMM,      X86_XCOMP_AVX     },
    {X86_XSAVE_OPMASK,   X86_XCOMP_OPMASK  },
    {X86_XSAVE_ZMM_HI,   X86_XCOMP_ZMM_HI  },
    {X86_XSAVE_HI16_ZMM, X86_XCOMP_HI16_ZMM},
    {X86_XSAVE_PKRU,     X86_XCOMP_PKRU    },
};

static uint64_t kvm_xstate_bv(const uint8_t *image)
{
    uint64_t bits = 0;

    memcpy(&bits, image + X86_XSAVE_HEADER, sizeof(bits));
    return bits;
}

void kvm_xsave_to(const struct x86_state *state,
                  const struct x86_xsave_layout *layout, uint8_t *image,
                  size_t size)
{
    memset(image, 0, size);
    memcpy(image, state->xsave, X86_XSAVE_EXTENDED);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_xsave_places); i++) {
        const struct kvm_xsave_place *place = &kvm_xsave_places[i];
        const struct x86_xcomp *comp = &layout->comp[place->comp];

        if (kvm_xstate_bv(state->xsave) >> place->comp & 1 &&
            comp->offset + comp->size <= size)
            memcpy(image + comp->offset, state->xsave + place->ours,
                   comp->size);
    }
}

void kvm_xsave_from(const uint8_t *image, size_t size,
                    const struct x86_xsave_layout *layout,
                    struct x86_state *state)
{
    memset(state->xsave, 0, sizeof(state->xsave));
    memcpy(state->xsave, image, X86_XSAVE_EXTENDED);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_xsave_places); i++) {
        const struct kvm_xsave_place *place = &kvm_xsave_places[i];
        const struct x86_xcomp *comp = &layout->comp[place->comp];

        if (kvm_xstate_bv(image) >> place->comp & 1 &&
            comp->offset + comp->size <= size)
            memcpy(state->xsave + place->ours, image + comp->offset,
                   comp->size);
    }
}
