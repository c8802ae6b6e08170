/* SPDX-License-Identifier: BSD-3-Clause */
/* Identity, predicates and names: what any thread may ask. */
#include "cpu/vcpu.h"

static const char *const state_names[VCPU_NUM_STATES] = {
    [VCPU_INVALID] = "INVALID",     [VCPU_CREATED] = "CREATED",
    [VCPU_FREE] = "FREE",           [VCPU_READY] = "READY",
    [VCPU_RUNNING] = "RUNNING",     [VCPU_SERVICE] = "SERVICE",
    [VCPU_MMIO_WAIT] = "MMIO_WAIT", [VCPU_COMPLETE] = "COMPLETE",
    [VCPU_BLOCKED] = "BLOCKED",     [VCPU_HALTED] = "HALTED",
};

const char *vcpu_state_name(enum vcpu_state state)
{
    return (unsigned)state < VCPU_NUM_STATES ? state_names[state] : "?";
}

static const struct {
    const char *name, *doc;
} exit_rows[VCPU_NUM_EXITS] = {
#define VCPU_EXIT_ROW(name, next, doc) {#name, doc},
#include "cpu/vcpu_exits.def"
#undef VCPU_EXIT_ROW
};

const char *vcpu_exit_name(enum vcpu_exit_kind kind)
{
    return (unsigned)kind < VCPU_NUM_EXITS ? exit_rows[kind].name : "?";
}

const char *vcpu_exit_doc(enum vcpu_exit_kind kind)
{
    return (unsigned)kind < VCPU_NUM_EXITS ? exit_rows[kind].doc : "?";
}

enum vcpu_state vcpu_state_of(const struct vcpu *vcpu)
{
    return (enum vcpu_state)__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
}

uint32_t vcpu_vm_id(const struct vcpu *vcpu)
{
    return (uint32_t)(vcpu->id >> 32);
}

uint32_t vcpu_index(const struct vcpu *vcpu)
{
    return (uint32_t)vcpu->id;
}

bool vcpu_is_running(const struct vcpu *vcpu)
{
    return vcpu_state_of(vcpu) == VCPU_RUNNING;
}

bool vcpu_is_initialized(const struct vcpu *vcpu)
{
    return vcpu_state_of(vcpu) >= VCPU_FREE;
}

bool vcpu_is_ready_here(const struct vcpu *vcpu)
{
    static const uint32_t runnable =
        (1u << VCPU_READY) | (1u << VCPU_COMPLETE) | (1u << VCPU_HALTED);

    return ((runnable >> vcpu_state_of(vcpu)) & 1) &&
           pthread_equal(vcpu->thread, pthread_self());
}

bool vcpu_is_bootstrap(const struct vcpu *vcpu)
{
    return vcpu->id == 0;
}

bool vcpu_is_bsp(const struct vcpu *vcpu)
{
    return vcpu_index(vcpu) == 0;
}

bool vcpu_is_host_vm(const struct vcpu *vcpu)
{
    return vcpu_vm_id(vcpu) == 0;
}

bool vcpu_is_guest_vm(const struct vcpu *vcpu)
{
    return !vcpu_is_host_vm(vcpu);
}
