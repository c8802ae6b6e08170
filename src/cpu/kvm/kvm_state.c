/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of state by ioctl or through the shared page.
 * Leaves out: SMM and nested state.
 * Source: Linux, Documentation/virt/kvm/api.rst; for the TSC's offset
 * Documentation/virt/kvm/devices/vcpu.rst, "KVM_VCPU_TSC_CTRL".
 */
#include "cpu/kvm/kvm_state.h"

#include "arch/x86/sysreg.h"
#include "base/alloc.h"
#include "cpu/kvm/kvm_regs.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Room for every component of the hosts of today. */
enum { KVM_XSAVE_MIN = sizeof(struct kvm_xsave) };

struct kvm_state_msr {
    uint32_t index;
    uint16_t slot; /* enum x86_msr_slot */
};

#define KVM_STATE_MTRR_VAR(n)                                                  \
    {0x200 + 2 * (n), X86_MSR_MTRR_VAR + 2 * (n)},                             \
    {                                                                          \
        0x201 + 2 * (n), X86_MSR_MTRR_VAR + 2 * (n) + 1                        \
    }

/* [SDM] Vol. 4; [APM] Vol. 2, "MSR Cross-Reference". */
static const struct kvm_state_msr kvm_state_msrs[] = {
    {0xc0000081, X86_MSR_STAR           },
    {0xc0000082, X86_MSR_LSTAR          },
    {0xc0000083, X86_MSR_CSTAR          },
    {0xc0000084, X86_MSR_SFMASK         },
    {0xc0000102, X86_MSR_KERNEL_GS_BASE },
    {0xc0000103, X86_MSR_TSC_AUX        },
    {0x174,      X86_MSR_SYSENTER_CS    },
    {0x175,      X86_MSR_SYSENTER_ESP   },
    {0x176,      X86_MSR_SYSENTER_EIP   },
    {0x277,      X86_MSR_PAT            },
    {0x1a0,      X86_MSR_MISC_ENABLE    },
    {0x2ff,      X86_MSR_MTRR_DEF_TYPE  },
    {0x250,      X86_MSR_MTRR_FIXED     },
    {0x258,      X86_MSR_MTRR_FIXED + 1 },
    {0x259,      X86_MSR_MTRR_FIXED + 2 },
    {0x268,      X86_MSR_MTRR_FIXED + 3 },
    {0x269,      X86_MSR_MTRR_FIXED + 4 },
    {0x26a,      X86_MSR_MTRR_FIXED + 5 },
    {0x26b,      X86_MSR_MTRR_FIXED + 6 },
    {0x26c,      X86_MSR_MTRR_FIXED + 7 },
    {0x26d,      X86_MSR_MTRR_FIXED + 8 },
    {0x26e,      X86_MSR_MTRR_FIXED + 9 },
    {0x26f,      X86_MSR_MTRR_FIXED + 10},
    KVM_STATE_MTRR_VAR(0),
    KVM_STATE_MTRR_VAR(1),
    KVM_STATE_MTRR_VAR(2),
    KVM_STATE_MTRR_VAR(3),
    KVM_STATE_MTRR_VAR(4),
    KVM_STATE_MTRR_VAR(5),
    KVM_STATE_MTRR_VAR(6),
    KVM_STATE_MTRR_VAR(7),
    {0x3b,       X86_MSR_TSC_ADJUST     },
    {0x1d9,      X86_MSR_DEBUGCTL       },
};
_Static_assert(SIM_ARRAY_LEN(kvm_state_msrs) <= KVM_STATE_MAX_MSRS,
               "each row has a place in msr_rows");

/* -------------------------------------------------------------------- TSC */

static struct kvm_device_attr kvm_state_tsc_attr(uint64_t *offset)
{
    return (struct kvm_device_attr){.group = KVM_VCPU_TSC_CTRL,
                                    .attr = KVM_VCPU_TSC_OFFSET,
                                    .addr = (uintptr_t)offset};
}

static int kvm_state_put_tsc(struct kvm_state_io *io, uint64_t offset)
{
    struct kvm_device_attr attr = kvm_state_tsc_attr(&offset);
    int err = 0;

    if (offset == io->tsc_offset)
        return 0;
    err = kvm_call_set_device_attr(io->host, io->fd, &attr);
    if (!err)
        io->tsc_offset = offset;
    return err;
}

static int kvm_state_get_tsc(struct kvm_state_io *io, uint64_t *offset)
{
    struct kvm_device_attr attr = kvm_state_tsc_attr(&io->tsc_offset);
    int err = kvm_call_get_device_attr(io->host, io->fd, &attr);

    if (!err)
        *offset = io->tsc_offset;
    return err;
}

/* A host that takes an offset may still not use it. */
static void kvm_state_find_tsc(struct kvm_state_io *io)
{
    uint64_t before = 0, after = 0;

    if (kvm_state_get_tsc(io, &before) || kvm_state_put_tsc(io, before + 4096))
        return;
    io->has_tsc_offset =
        !kvm_state_get_tsc(io, &after) && after == before + 4096;
    if (io->has_tsc_offset && kvm_state_put_tsc(io, before))
        io->has_tsc_offset = false;
}

/* ------------------------------------------------------------------- MSRs */

/* For registers that matter to whole machines only, and that some hosts take
 * without keeping the value: one that is to be read back.  0: any other. */
static uint64_t kvm_state_trial(const struct kvm_state_msr *row)
{
    return row->slot == X86_MSR_TSC_ADJUST ? 1
           : row->slot == X86_MSR_DEBUGCTL ? 3
                                           : 0;
}

static struct kvm_msrs *kvm_state_msr_list(uint32_t count)
{
    struct kvm_msrs *list =
        alloc_zeroed(1, sizeof(*list) + count * sizeof(struct kvm_msr_entry));

    list->nmsrs = count;
    return list;
}

static int kvm_state_put_msrs(struct kvm_state_io *io,
                              const struct x86_state *state)
{
    struct kvm_msrs *list = kvm_state_msr_list(io->num_msrs);
    int done = 0;

    for (uint32_t i = 0; i < io->num_msrs; i++) {
        const struct kvm_state_msr *row = &kvm_state_msrs[io->msr_rows[i]];

        list->entries[i].index = row->index;
        list->entries[i].data = state->msr[row->slot];
    }
    done = kvm_call_set_msrs(io->host, io->fd, list);
    mem_free(list);
    if (done != io->num_msrs)
        return done < 0 ? done : -EINVAL;
    return io->has_tsc_offset ? kvm_state_put_tsc(io, state->tsc_offset) : 0;
}

static int kvm_state_get_msrs(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_msrs *list = kvm_state_msr_list(io->num_msrs);
    int done = 0;

    for (uint32_t i = 0; i < io->num_msrs; i++)
        list->entries[i].index = kvm_state_msrs[io->msr_rows[i]].index;
    done = kvm_call_get_msrs(io->host, io->fd, list);
    for (int i = 0; i < done; i++)
        state->msr[kvm_state_msrs[io->msr_rows[i]].slot] =
            list->entries[i].data;
    mem_free(list);
    if (done != io->num_msrs)
        return done < 0 ? done : -EINVAL;
    return io->has_tsc_offset ? kvm_state_get_tsc(io, &state->tsc_offset) : 0;
}

static void kvm_state_miss(struct kvm_state_io *io, const char *what)
{
    size_t len = strlen(io->missing);

    (void)snprintf(io->missing + len, sizeof(io->missing) - len, "%s%s",
                   len ? ", " : "", what);
}

static void kvm_state_miss_msr(struct kvm_state_io *io, uint32_t index)
{
    char name[24];

    (void)snprintf(name, sizeof(name), "MSR %#x", index);
    kvm_state_miss(io, name);
}

/* Requests end at the first register that they do not take. */
static void kvm_state_try_msrs(struct kvm_state_io *io,
                               struct kvm_msr_entry *values,
                               int (*request)(const struct kvm_host *host,
                                              int fd, struct kvm_msrs *list))
{
    uint32_t tried = 0, kept = 0;

    while (tried < io->num_msrs) {
        struct kvm_msrs *list = kvm_state_msr_list(io->num_msrs - tried);
        int done;

        memcpy(list->entries, values + tried, list->nmsrs * sizeof(*values));
        done = request(io->host, io->fd, list);
        for (int i = 0; i < done; i++, tried++) {
            io->msr_rows[kept] = io->msr_rows[tried];
            values[kept++] = list->entries[i];
        }
        mem_free(list);
        if (tried == io->num_msrs)
            break;
        kvm_state_miss_msr(io, values[tried++].index);
    }
    io->num_msrs = (uint8_t)kept;
}

/* A register goes if the vCPU reads it and takes the value back. */
static void kvm_state_find_msrs(struct kvm_state_io *io)
{
    struct kvm_msr_entry values[SIM_ARRAY_LEN(kvm_state_msrs)] = {0};

    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_state_msrs); i++) {
        if (kvm_state_trial(&kvm_state_msrs[i]))
            continue;
        values[io->num_msrs].index = kvm_state_msrs[i].index;
        io->msr_rows[io->num_msrs++] = (uint8_t)i;
    }
    kvm_state_try_msrs(io, values, kvm_call_get_msrs);
    kvm_state_try_msrs(io, values, kvm_call_set_msrs);
}

static bool kvm_state_move_msr(const struct kvm_state_io *io, uint32_t index,
                               uint64_t *value,
                               int (*request)(const struct kvm_host *host,
                                              int fd, struct kvm_msrs *list))
{
    struct kvm_msrs *list = kvm_state_msr_list(1);
    bool is_done;

    list->entries[0] = (struct kvm_msr_entry){.index = index, .data = *value};
    is_done = request(io->host, io->fd, list) == 1;
    *value = list->entries[0].data;
    mem_free(list);
    return is_done;
}

static bool kvm_state_keeps_msr(const struct kvm_state_io *io,
                                const struct kvm_state_msr *row)
{
    uint64_t before = 0, trial = kvm_state_trial(row), value = 0;
    bool is_kept = false;

    if (row->slot == X86_MSR_TSC_ADJUST && !io->has_tsc_offset)
        return false; /* it would move a counter that does not move */
    if (!kvm_state_move_msr(io, row->index, &before, kvm_call_get_msrs) ||
        !kvm_state_move_msr(io, row->index, &trial, kvm_call_set_msrs))
        return false;
    is_kept = kvm_state_move_msr(io, row->index, &value, kvm_call_get_msrs) &&
              value == kvm_state_trial(row);
    return kvm_state_move_msr(io, row->index, &before, kvm_call_set_msrs) &&
           is_kept;
}

uint32_t kvm_state_add_machine_msrs(struct kvm_state_io *io,
                                    uint64_t lost[KVM_STATE_MAX_MSRS])
{
    uint32_t num_lost = 0;

    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_state_msrs); i++) {
        const struct kvm_state_msr *row = &kvm_state_msrs[i];

        if (!kvm_state_trial(row))
            continue;
        if (kvm_state_keeps_msr(io, row))
            io->msr_rows[io->num_msrs++] = (uint8_t)i;
        else
            lost[num_lost++] = row->index;
    }
    return num_lost;
}

int kvm_state_has_msr(const struct kvm_state_io *io, enum x86_msr_slot slot)
{
    for (uint32_t i = 0; i < io->num_msrs; i++)
        if (kvm_state_msrs[io->msr_rows[i]].slot == slot)
            return 1;
    return 0;
}

/* ---------------------------------------------------------- other groups */

static int kvm_state_put_regs(struct kvm_state_io *io,
                              const struct x86_state *state)
{
    struct kvm_regs regs;

    kvm_regs_to(state, &regs);
    return kvm_call_set_regs(io->host, io->fd, &regs);
}

static int kvm_state_get_regs(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_regs regs;
    int err = kvm_call_get_regs(io->host, io->fd, &regs);

    if (!err)
        kvm_regs_from(&regs, state);
    return err;
}

static bool kvm_state_is_pae(const struct kvm_sregs *sregs)
{
    return x86_is_pae(sregs->cr0, sregs->cr4, sregs->efer);
}

/* Both begin with the same registers. */
_Static_assert(offsetof(struct kvm_sregs, interrupt_bitmap) ==
                   offsetof(struct kvm_sregs2, flags),
               "layout of the kernel");

int kvm_state_put_pdptes(const struct kvm_state_io *io,
                         const struct kvm_sregs *sregs,
                         const uint64_t pdpte[X86_NUM_PDPTES])
{
    struct kvm_sregs2 all = {.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID};

    if (!kvm_state_is_pae(sregs) || !io->host->cap_value[KVM_HAS_SREGS2])
        return 0;
    memcpy(&all, sregs, offsetof(struct kvm_sregs2, flags));
    memcpy(all.pdptrs, pdpte, sizeof(all.pdptrs));
    return kvm_call_set_sregs2(io->host, io->fd, &all);
}

int kvm_state_get_pdptes(const struct kvm_state_io *io,
                         uint64_t pdpte[X86_NUM_PDPTES])
{
    struct kvm_sregs2 all;
    int err = io->host->cap_value[KVM_HAS_SREGS2]
                  ? kvm_call_get_sregs2(io->host, io->fd, &all)
                  : -ENODATA;

    if (err)
        return err;
    if (!(all.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID))
        return -ENODATA;
    memcpy(pdpte, all.pdptrs, sizeof(all.pdptrs));
    return 0;
}

static int kvm_state_put_sregs(struct kvm_state_io *io,
                               const struct x86_state *state)
{
    struct kvm_sregs sregs;
    int err;

    kvm_sregs_to(state, &sregs);
    err = kvm_call_set_sregs(io->host, io->fd, &sregs);
    return err ? err : kvm_state_put_pdptes(io, &sregs, state->pdpte);
}

static int kvm_state_get_sregs(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_sregs sregs;
    int err = kvm_call_get_sregs(io->host, io->fd, &sregs);

    if (err)
        return err;
    kvm_sregs_from(&sregs, state);
    if (kvm_state_is_pae(&sregs))
        err = kvm_state_get_pdptes(io, state->pdpte);
    return err == -ENODATA ? 0 : err;
}

static int kvm_state_put_xsave(struct kvm_state_io *io,
                               const struct x86_state *state)
{
    kvm_xsave_to(state, &io->layout, (uint8_t *)io->xsave, io->xsave_size);
    return kvm_call_set_xsave(io->host, io->fd, io->xsave);
}

static int kvm_state_get_xsave(struct kvm_state_io *io, struct x86_state *state)
{
    int err = io->host->cap_value[KVM_HAS_XSAVE2]
                  ? kvm_call_get_xsave2(io->host, io->fd, io->xsave)
                  : kvm_call_get_xsave(io->host, io->fd, io->xsave);

    if (!err)
        kvm_xsave_from((uint8_t *)io->xsave, io->xsave_size, &io->layout,
                       state);
    return err;
}

static int kvm_state_put_xcrs(struct kvm_state_io *io,
                              const struct x86_state *state)
{
    struct kvm_xcrs xcrs;

    memset(&xcrs, 0, sizeof(xcrs));
    xcrs.nr_xcrs = 1;
    xcrs.xcrs[0].value = state->xcr0;
    return kvm_call_set_xcrs(io->host, io->fd, &xcrs);
}

static int kvm_state_get_xcrs(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_xcrs xcrs;
    int err = kvm_call_get_xcrs(io->host, io->fd, &xcrs);

    for (uint32_t i = 0; !err && i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++)
        if (!xcrs.xcrs[i].xcr)
            state->xcr0 = xcrs.xcrs[i].value;
    return err;
}

static int kvm_state_put_debug(struct kvm_state_io *io,
                               const struct x86_state *state)
{
    struct kvm_debugregs debug;

    kvm_debug_to(state, &debug);
    return kvm_call_set_debugregs(io->host, io->fd, &debug);
}

static int kvm_state_get_debug(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_debugregs debug;
    int err = kvm_call_get_debugregs(io->host, io->fd, &debug);

    if (!err)
        kvm_debug_from(&debug, state);
    return err;
}

static int kvm_state_put_events(struct kvm_state_io *io,
                                const struct x86_state *state)
{
    struct kvm_vcpu_events events;

    kvm_events_to(state, &events);
    return kvm_call_set_vcpu_events(io->host, io->fd, &events);
}

static int kvm_state_get_events(struct kvm_state_io *io,
                                struct x86_state *state)
{
    struct kvm_vcpu_events events;
    int err = kvm_call_get_vcpu_events(io->host, io->fd, &events);

    if (!err)
        kvm_events_from(&events, state);
    return err;
}

/* By enum x86_mp_state. */
static const uint32_t kvm_state_mp[] = {
    [X86_RUNNABLE] = KVM_MP_STATE_RUNNABLE,
    [X86_WAIT_INIT] = KVM_MP_STATE_UNINITIALIZED,
    [X86_WAIT_SIPI] = KVM_MP_STATE_INIT_RECEIVED,
    [X86_HALTED] = KVM_MP_STATE_HALTED,
};

/* Without the kernel's APICs a vCPU is always runnable; the run loop keeps the
 * others out of KVM_RUN. */
static int kvm_state_put_mp(struct kvm_state_io *io,
                            const struct x86_state *state)
{
    struct kvm_mp_state mp = {.mp_state = kvm_state_mp[state->mp_state]};

    return kvm_call_set_mp_state(io->host, io->fd, &mp);
}

static int kvm_state_get_mp(struct kvm_state_io *io, struct x86_state *state)
{
    struct kvm_mp_state mp;
    int err = kvm_call_get_mp_state(io->host, io->fd, &mp);

    for (uint8_t i = 0; !err && i < SIM_ARRAY_LEN(kvm_state_mp); i++)
        if (kvm_state_mp[i] == mp.mp_state)
            state->mp_state = i;
    return err;
}

/* ------------------------------------------------------------------ table */

struct kvm_state_row {
    enum kvm_state_group group;
    int cap; /* -1: always there */
    const char *name;
    int (*put)(struct kvm_state_io *io, const struct x86_state *state);
    int (*get)(struct kvm_state_io *io, struct x86_state *state);
};

#define KVM_STATE_ROW(group, cap, name)                                        \
    {                                                                          \
        KVM_STATE_##group, cap, #name, kvm_state_put_##name,                   \
            kvm_state_get_##name                                               \
    }

/* In the order of putting: CR4 and EFER first, XCR0 before what it admits, and
 * events last, since setting registers drops pending exceptions. */
static const struct kvm_state_row kvm_state_rows[] = {
    KVM_STATE_ROW(SREGS, -1, sregs),
    KVM_STATE_ROW(REGS, -1, regs),
    KVM_STATE_ROW(XCRS, KVM_HAS_XCRS, xcrs),
    KVM_STATE_ROW(XSAVE, KVM_HAS_XSAVE, xsave),
    KVM_STATE_ROW(MSRS, -1, msrs),
    KVM_STATE_ROW(DEBUG, KVM_HAS_DEBUGREGS, debug),
    KVM_STATE_ROW(MP, KVM_HAS_MP_STATE, mp),
    KVM_STATE_ROW(EVENTS, KVM_HAS_VCPU_EVENTS, events),
};

int kvm_state_put(struct kvm_state_io *io, const struct x86_state *state,
                  uint32_t groups)
{
    int err = 0;

    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_state_rows) && !err; i++)
        if (kvm_state_rows[i].group & groups & io->groups)
            err = kvm_state_rows[i].put(io, state);
    return err;
}

int kvm_state_get(struct kvm_state_io *io, struct x86_state *state,
                  uint32_t groups)
{
    int err = 0;

    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_state_rows) && !err; i++)
        if (kvm_state_rows[i].group & groups & io->groups)
            err = kvm_state_rows[i].get(io, state);
    return err;
}

int kvm_state_init(struct kvm_state_io *io, struct kvm_host *host, int fd)
{
    int size = host->cap_value[KVM_HAS_XSAVE2];

    memset(io, 0, sizeof(*io));
    io->host = host;
    io->fd = fd;
    x86_xsave_layout_get(&io->layout);
    io->xsave_size = size > KVM_XSAVE_MIN ? (size_t)size : KVM_XSAVE_MIN;
    io->xsave = alloc_zeroed(1, io->xsave_size);
    for (size_t i = 0; i < SIM_ARRAY_LEN(kvm_state_rows); i++) {
        const struct kvm_state_row *row = &kvm_state_rows[i];

        if (row->cap < 0 || host->cap_value[row->cap])
            io->groups |= (uint32_t)row->group;
        else
            kvm_state_miss(io, row->name);
    }
    kvm_state_find_msrs(io);
    kvm_state_find_tsc(io);
    return 0;
}

void kvm_state_fini(struct kvm_state_io *io)
{
    mem_free(io->xsave);
    io->xsave = NULL;
}

const char *kvm_state_missing(const struct kvm_state_io *io)
{
    return io->missing;
}

/* ------------------------------------------------------------- shared page */

static uint32_t kvm_state_run_groups(const struct kvm_state_io *io,
                                     uint32_t groups)
{
    unsigned long bits = (unsigned)io->host->cap_value[KVM_HAS_SYNC_REGS];
    uint32_t carried = 0;

    if (bits & KVM_SYNC_X86_REGS)
        carried |= KVM_STATE_REGS;
    if (bits & KVM_SYNC_X86_SREGS)
        carried |= KVM_STATE_SREGS;
    if (bits & KVM_SYNC_X86_EVENTS)
        carried |= KVM_STATE_EVENTS;
    return carried & groups & io->groups;
}

uint32_t kvm_state_put_run(const struct kvm_state_io *io, struct kvm_run *run,
                           const struct x86_state *state, uint32_t groups)
{
    uint32_t carried = kvm_state_run_groups(io, groups);

    if (carried & KVM_STATE_REGS) {
        kvm_regs_to(state, &run->s.regs.regs);
        run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
    }
    if (carried & KVM_STATE_SREGS) {
        kvm_sregs_to(state, &run->s.regs.sregs);
        run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    }
    if (carried & KVM_STATE_EVENTS) {
        kvm_events_to(state, &run->s.regs.events);
        run->kvm_dirty_regs |= KVM_SYNC_X86_EVENTS;
    }
    return carried;
}

uint32_t kvm_state_get_run(const struct kvm_state_io *io,
                           const struct kvm_run *run, struct x86_state *state,
                           uint32_t groups)
{
    uint32_t carried = kvm_state_run_groups(io, groups);

    if (carried & KVM_STATE_REGS)
        kvm_regs_from(&run->s.regs.regs, state);
    if (carried & KVM_STATE_SREGS)
        kvm_sregs_from(&run->s.regs.sregs, state);
    if (carried & KVM_STATE_EVENTS)
        kvm_events_from(&run->s.regs.events, state);
    return carried;
}
