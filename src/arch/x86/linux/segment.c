/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources: [SDM] Vol. 3A, "Segment Descriptors", "Control Registers"; Vol. 1,
 * "XSAVE-Managed State". */
#include "arch/x86/linux/segment.h"

#include <errno.h>
#include <string.h>

#include "arch/x86/cpuid.h"
#include "arch/x86/linux/kernel.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/uaccess.h"

enum {
    CR0_PE = 1 << 0,
    CR0_MP = 1 << 1,
    CR0_ET = 1 << 4,
    CR0_NE = 1 << 5,
    CR0_WP = 1 << 16,
    CR0_AM = 1 << 18,
    CR4_PAE = 1 << 5,
    CR4_PGE = 1 << 7,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_FSGSBASE = 1 << 16,
    CR4_OSXSAVE = 1 << 18,
    EFER_SCE = 1 << 0,
    EFER_LME = 1 << 8,
    EFER_LMA = 1 << 10,
    EFER_NXE = 1 << 11,
    TYPE_DATA = 3,  /* read, write, accessed */
    TYPE_CODE = 11, /* execute, read, accessed */
};
#define CR0_PG UINT64_C(0x80000000)

static void segment_fill(struct x86_seg *seg, uint16_t selector, uint8_t type)
{
    memset(seg, 0, sizeof(*seg));
    seg->selector = selector;
    seg->limit = UINT32_MAX;
    seg->type = type;
    seg->s = 1;
    seg->dpl = 3;
    seg->present = 1;
    seg->g = 1;
    seg->db = selector != SELECTOR_USER_CS;
    seg->l = selector == SELECTOR_USER_CS;
}

static void segment_fill_tls(struct x86_seg *seg, uint16_t selector,
                             const uint32_t raw[2])
{
    uint32_t low = raw[0], high = raw[1];

    memset(seg, 0, sizeof(*seg));
    seg->selector = selector;
    seg->base = (low >> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
    seg->limit = (low & 0xffff) | (high & 0xf0000);
    seg->g = (high >> 23) & 1;
    if (seg->g)
        seg->limit = seg->limit << 12 | 0xfff;
    seg->type = (uint8_t)(((high >> 8) & 15) | 1);
    seg->s = (high >> 12) & 1;
    seg->dpl = (high >> 13) & 3;
    seg->present = (high >> 15) & 1;
    seg->avl = (high >> 20) & 1;
    seg->db = (high >> 22) & 1;
}

bool segment_load(struct x86_state *state, const struct thread *thread,
                  enum x86_seg_name name, uint16_t selector)
{
    struct x86_seg *seg = &state->seg[name];
    unsigned index = (selector >> 3) - (unsigned)SELECTOR_TLS_FIRST;

    if ((selector & ~3) == 0) {
        memset(seg, 0, sizeof(*seg));
        seg->selector = selector;
        seg->unusable = 1;
        return name != X86_CS && name != X86_SS_SEG;
    }
    if (selector == SELECTOR_USER_CS || selector == SELECTOR_USER32_CS) {
        segment_fill(seg, selector, TYPE_CODE);
        return name != X86_SS_SEG;
    }
    if ((selector | 3) == SELECTOR_USER_DS) {
        segment_fill(seg, selector | 3, TYPE_DATA);
        return name != X86_CS;
    }
    if (index >= THREAD_TLS_SLOTS || !(thread->tls[index][1] & (1 << 15)))
        return false;
    segment_fill_tls(seg, selector, thread->tls[index]);
    return true;
}

struct segment_user_desc { /* struct user_desc */
    uint32_t number, base, limit, bits;
};

/* A descriptor from its parts.  The bits of user_desc: seg_32bit, contents (2),
 * read_exec_only, limit_in_pages, seg_not_present, useable. */
static void segment_encode(const struct segment_user_desc *desc,
                           uint32_t out[2])
{
    uint32_t bits = desc->bits;

    out[0] = out[1] = 0;
    if (!desc->base && !desc->limit && (bits & 0x3f) == 0x28)
        return; /* an empty descriptor */
    out[0] = (desc->base & 0xffff) << 16 | (desc->limit & 0xffff);
    out[1] = (desc->base & 0xff000000) | ((desc->base >> 16) & 0xff) |
             (desc->limit & 0xf0000) | (~bits >> 3 & 1) << 9 |
             ((bits >> 1) & 3) << 10 | 1 << 8 | 0x7000 |
             (~bits >> 5 & 1) << 15 | (bits & 1) << 22 |
             ((bits >> 4) & 1) << 23 | ((bits >> 6) & 1) << 20;
}

int segment_set_tls(struct thread *thread, struct mm *mm, uint64_t addr)
{
    struct segment_user_desc desc;
    uint32_t slot;

    if (uaccess_get(mm, addr, desc))
        return -EFAULT;
    if (desc.number == UINT32_MAX) {
        slot = 0;
        while (slot < THREAD_TLS_SLOTS && thread->tls[slot][1])
            slot++;
        if (slot == THREAD_TLS_SLOTS)
            return -ESRCH;
        desc.number = slot + (uint32_t)SELECTOR_TLS_FIRST;
        if (uaccess_put(mm, addr, desc))
            return -EFAULT;
    }
    slot = desc.number - (uint32_t)SELECTOR_TLS_FIRST;
    if (slot >= THREAD_TLS_SLOTS)
        return -EINVAL;
    segment_encode(&desc, thread->tls[slot]);
    return 0;
}

void segment_reset_fpu(struct x86_state *state)
{
    uint16_t control = 0x37f;
    uint32_t mxcsr = 0x1f80;
    uint64_t in_use = 3; /* x87 and SSE */

    memset(state->xsave, 0, sizeof(state->xsave));
    memcpy(state->xsave, &control, sizeof(control));
    memcpy(state->xsave + 24, &mxcsr, sizeof(mxcsr));
    memcpy(state->xsave + 512, &in_use, sizeof(in_use));
}

void segment_start(struct x86_state *state, const struct kernel *kernel,
                   const struct thread *thread)
{
    const struct x86_cpuid *cpuid = kernel->cfg.cpuid;

    x86_state_reset(state);
    memset(state->gpr, 0, sizeof(state->gpr));
    state->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    state->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (!cpuid || x86_cpuid_has(cpuid, X86_FEAT_XSAVE))
        state->cr4 |= CR4_OSXSAVE;
    state->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    state->xcr0 = cpuid ? x86_cpuid_xcr0_mask(cpuid) : 7;
    if (cpuid && x86_cpuid_has(cpuid, X86_FEAT_FSGSBASE))
        state->cr4 |= CR4_FSGSBASE;
    state->rflags = X86_RF_FIXED1 | X86_IF;
    segment_reset_fpu(state);
    (void)segment_load(state, thread, X86_CS,
                       thread->process->is_32 ? SELECTOR_USER32_CS
                                              : SELECTOR_USER_CS);
    (void)segment_load(state, thread, X86_SS_SEG, SELECTOR_USER_DS);
    for (int name = X86_ES; name < X86_NUM_SEGS; name++) {
        if (name != X86_CS && name != X86_SS_SEG)
            (void)segment_load(state, thread, (enum x86_seg_name)name,
                               thread->process->is_32 && name <= X86_DS
                                   ? SELECTOR_USER_DS
                                   : 0);
    }
    memset(&state->idtr, 0, sizeof(state->idtr));
}

uint32_t segment_xsave_size(uint64_t xcr0)
{
    if (xcr0 & (1 << 9))
        return X86_XSAVE_PKRU + 8;
    if (xcr0 & (1 << 7))
        return X86_XSAVE_PKRU;
    if (xcr0 & (1 << 2))
        return X86_XSAVE_YMM + 256;
    return X86_XSAVE_YMM;
}
