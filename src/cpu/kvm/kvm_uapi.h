/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's linux/kvm.h with the same layouts in C and C++: its open arrays
 * hold an empty struct, which takes a byte in C++ and would change offsets and
 * request numbers.  Newer kernel headers replace it the same way.
 */
#ifndef CPU_KVM_KVM_UAPI_H
#define CPU_KVM_KVM_UAPI_H

#include "base/compiler.h"

#include <linux/stddef.h>

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the
 * kernel's own macro */
#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[0]
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
#endif

#include <linux/kvm.h>

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

SIM_STATIC_ASSERT(sizeof(struct kvm_msrs) == 8, "layout of the kernel");

#endif
