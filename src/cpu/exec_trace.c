/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/exec_trace.h"

#include "cpu/base_cpu.h"
#include "sim/debug.h"

static void exec_trace_record(void *ctx, struct x86_core *core,
                              const struct x86_trace_record *record)
{
    struct base_cpu *cpu = ctx;
    char bytes[31] = "";

    (void)core;
    for (unsigned i = 0; i < record->len && i < 15; i++) {
        static const char digits[] = "0123456789abcdef";

        bytes[i * 2] = digits[record->bytes[i] >> 4];
        bytes[i * 2 + 1] = digits[record->bytes[i] & 15];
    }
    TRACE(Exec, &cpu->base.base, "T0 : 0x%llx : %s : %s",
          (unsigned long long)record->rip, bytes,
          x86_op_class_names[record->op_class]);
}

void exec_trace_update(struct base_cpu *cpu)
{
    if (debug_Exec.is_on == cpu->is_traced)
        return;
    cpu->is_traced = debug_Exec.is_on;
    x86_core_set_trace(cpu->core, cpu->is_traced ? exec_trace_record : NULL,
                       cpu);
}
