/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/x86/boot/boot.h"

#include <stddef.h>

#include "arch/x86/state.h"
#include "sim/object.h"

SIM_CHECK_BASE(struct boot_workload);

static void start_bootstrap(struct workload *workload, struct x86_state *state)
{
    struct boot_workload *boot;

    if (!workload || !sim_object_is_a(&workload->base, &boot_workload_type))
        return;
    boot = SIM_CAST(struct boot_workload, boot_workload_type, &workload->base);
    if (boot->is_loaded)
        return;
    boot->is_loaded = true;
    boot->ops->load(boot, state);
}

void boot_cpu(struct workload *workload, uint32_t index,
              struct x86_state *state)
{
    enum { APIC_BASE_BSP = 1 << 8 };

    x86_state_reset(state);
    if (index == 0) {
        start_bootstrap(workload, state);
        return;
    }
    state->apic_base &= ~(uint64_t)APIC_BASE_BSP;
    state->mp_state = X86_WAIT_SIPI;
}

const struct sim_type boot_workload_type = {
    .name = "BootWorkload",
    .doc = "Software that starts on bare processors",
    .base = &workload_type,
    .size = sizeof(struct boot_workload),
    .is_abstract = true,
};
