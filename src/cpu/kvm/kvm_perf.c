/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_perf.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "cpu/kvm/kvm_host.h"
#include "cpu/kvm/kvm_timer.h"

/* So long that no run reaches it, and short enough for the kernel. */
static const uint64_t PERF_NEVER = UINT64_C(1) << 60;

static const struct kvm_perf_counter perf_closed = {.fd = -1};

void kvm_perf_init(struct kvm_perf *perf, const struct kvm_host *host)
{
    perf->host = host;
    perf->insts = perf_closed;
    perf->cycles = perf_closed;
    perf->err = 0;
}

bool kvm_perf_is_open(const struct kvm_perf *perf)
{
    return perf->insts.fd >= 0;
}

static int perf_open_one(struct kvm_perf *perf, uint64_t what,
                         enum kvm_perf_rings rings,
                         struct kvm_perf_counter *counter)
{
    const struct kvm_host *host = perf->host;
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = what,
        .sample_period = PERF_NEVER, /* 0 could not be changed later */
        .pinned = 1, /* a count that was only estimated would be wrong */
        .exclude_host = 1,
        .exclude_hv = 1,
        .exclude_kernel = rings == KVM_PERF_USER,
    };

    *counter = perf_closed;
    counter->fd =
        host->ops->perf_open(host->ops_self, &attr, kvm_timer_signal());
    return counter->fd < 0 ? counter->fd : 0;
}

static void perf_close_one(struct kvm_perf *perf,
                           struct kvm_perf_counter *counter)
{
    if (counter->fd >= 0)
        perf->host->ops->close(perf->host->ops_self, counter->fd);
    *counter = perf_closed;
}

static void perf_explain(int err, char why[KVM_PERF_WHY_SIZE])
{
    const char *hint = "";

    if (err == -EACCES || err == -EPERM)
        hint = "; kernel.perf_event_paranoid must be 1 or less, or the user "
               "needs CAP_PERFMON";
    else if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV)
        hint = "; this host's processor, or the machine it is part of, has "
               "no counters";
    (void)snprintf(why, KVM_PERF_WHY_SIZE, "perf_event_open: %s%s",
                   strerrordesc_np(-err), hint);
}

int kvm_perf_open(struct kvm_perf *perf, enum kvm_perf_rings rings,
                  enum kvm_perf_what what, char why[KVM_PERF_WHY_SIZE])
{
    int err =
        perf_open_one(perf, PERF_COUNT_HW_INSTRUCTIONS, rings, &perf->insts);

    why[0] = '\0';
    if (!err && what == KVM_PERF_INSTS_AND_CYCLES)
        err =
            perf_open_one(perf, PERF_COUNT_HW_CPU_CYCLES, rings, &perf->cycles);
    if (!err)
        return 0;
    kvm_perf_close(perf);
    perf_explain(err, why);
    return err;
}

void kvm_perf_close(struct kvm_perf *perf)
{
    perf_close_one(perf, &perf->cycles);
    perf_close_one(perf, &perf->insts);
}

int kvm_perf_take(struct kvm_perf *perf, uint64_t *insts)
{
    const struct kvm_host *host = perf->host;
    uint64_t value = 0;
    int got =
        host->ops->read(host->ops_self, perf->insts.fd, &value, sizeof(value));

    *insts = 0;
    if (got < 0)
        return got;
    /* End of file: a pinned counter found no place on the processor. */
    if (got != (int)sizeof(value) || value < perf->insts.taken)
        return -EIO;
    *insts = value - perf->insts.taken;
    perf->insts.taken = value;
    return 0;
}

static int perf_arm(const struct kvm_perf *perf, int fd, uint64_t period)
{
    if (!period)
        period = 1;
    else if (period > PERF_NEVER)
        period = PERF_NEVER;
    return kvm_call_set_perf_period(perf->host, fd, &period);
}

int kvm_perf_arm_insts(struct kvm_perf *perf, uint64_t insts)
{
    return perf_arm(perf, perf->insts.fd, insts);
}

int kvm_perf_arm_cycles(struct kvm_perf *perf, uint64_t cycles)
{
    return perf_arm(perf, perf->cycles.fd, cycles);
}
