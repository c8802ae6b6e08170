/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How one handler passes control to the next: a tail call where the compiler
 * makes jumps of them, else a return to the loop in core.c, so that the stack
 * does not grow.
 */
#ifndef ARCH_X86_DISPATCH_H
#define ARCH_X86_DISPATCH_H

#if defined(__OPTIMIZE__) && !defined(SIM_DEBUG) &&                            \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define X86_TAIL_CALLS 1
#else
#define X86_TAIL_CALLS 0
#endif

/* clang promises a tail call only between functions of one type; from helpers
 * of handlers (X86_DISPATCH_ANY) it makes one all the same. */
#if X86_TAIL_CALLS
#define X86_DISPATCH_ANY(core, next) return (next)->fn((core), (next))
#else
#define X86_DISPATCH_ANY(core, next) return (next)
#endif

#if X86_TAIL_CALLS && defined(__clang__)
#define X86_DISPATCH(core, next)                                               \
    __attribute__((musttail)) return (next)->fn((core), (next))
#else
#define X86_DISPATCH(core, next) X86_DISPATCH_ANY(core, next)
#endif

#endif
