/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the calling thread runs.  The one variable that is not in an object: a
 * run must find out that it is inside another, whatever lies between.
 */
#include "cpu/vcpu_internal.h"

static _Thread_local struct vcpu *current_vcpu;

struct vcpu *vcpu_current(void)
{
    return current_vcpu;
}

void vcpu_set_current(struct vcpu *vcpu)
{
    current_vcpu = vcpu;
}
