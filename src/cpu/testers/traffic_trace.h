/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces for traffic generators: a text file, gzip-compressed or not, with one
 * request per line,
 *
 *     TICK  r|w  ADDRESS  SIZE        # comment
 *     0     r    0x1000   64
 *     5000  w    0x1040   64
 *
 * Ticks count from the start of the generator and never go back.  Numbers are
 * decimal, or hexadecimal with 0x.
 */
#ifndef CPU_TESTERS_TRAFFIC_TRACE_H
#define CPU_TESTERS_TRAFFIC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct traffic_request {
    tick_t tick;
    uint64_t addr;
    uint32_t size; /* [bytes] */
    bool is_write;
};

struct traffic_trace {
    struct traffic_request *requests;
    size_t len;
};

/**
 * traffic_trace_load() - read and check a whole trace
 * @why: on failure, "FILE:LINE: what is wrong" or why it cannot be read
 *
 * Returns: 0 or -errno; -EINVAL for a wrong line or a trace without requests.
 */
SIM_MUST_CHECK int traffic_trace_load(struct traffic_trace *trace,
                                      const char *path, char why[256]);
void traffic_trace_fini(struct traffic_trace *trace);

#ifdef __cplusplus
}
#endif

#endif
