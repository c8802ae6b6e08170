/* SPDX-License-Identifier: BSD-3-Clause */
/* Names for the compiler attributes that the code uses. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#ifdef __cplusplus
#define SIM_NORETURN      [[noreturn]]
#define SIM_STATIC_ASSERT static_assert
#define SIM_ALIGNAS       alignas
#else
#define SIM_NORETURN      _Noreturn
#define SIM_STATIC_ASSERT _Static_assert
#define SIM_ALIGNAS       _Alignas
#endif

/* The caller must look at the result. */
#define SIM_MUST_CHECK __attribute__((warn_unused_result))
/* Argument FMT is a printf format, its arguments start at ARGS (1-based). */
#define SIM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define SIM_LIKELY(cond)   __builtin_expect(!!(cond), 1)
#define SIM_UNLIKELY(cond) __builtin_expect(!!(cond), 0)

#define SIM_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds MEMBER, given a pointer to the member. */
#define SIM_CONTAINER_OF(ptr, type, member)                                    \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
