/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the vCPU contract; nobody else includes it. */
#ifndef CPU_VCPU_INTERNAL_H
#define CPU_VCPU_INTERNAL_H

#include "base/compiler.h"
#include "cpu/vcpu.h"

#ifdef __cplusplus
extern "C" {
#endif

void vcpu_set_current(struct vcpu *vcpu);

/* Takes the lock; runs that start meanwhile turn back. */
void vcpu_lock(struct vcpu *vcpu);
void vcpu_unlock(struct vcpu *vcpu);

bool vcpu_exchange_state(struct vcpu *vcpu, enum vcpu_state from,
                         enum vcpu_state to);
void vcpu_change_state(struct vcpu *vcpu, enum vcpu_state state);
/** vcpu_fail() - Returns: @error, after it was told in words and logged. */
int vcpu_fail(struct vcpu *vcpu, int error, const char *fmt, ...)
    SIM_PRINTF(3, 4);
/** vcpu_wrong_order() - Returns: @error; says what was called in what state. */
int vcpu_wrong_order(struct vcpu *vcpu, const char *verb, int error);
/** vcpu_poison() - the operation @verb failed: INVALID.  Returns: @error. */
int vcpu_poison(struct vcpu *vcpu, const char *verb, int error);
void vcpu_note(struct vcpu *vcpu, const char *fmt, ...) SIM_PRINTF(2, 3);

/** vcpu_take_in() - an entry without instructions, for what was served. */
SIM_MUST_CHECK int vcpu_take_in(struct vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
