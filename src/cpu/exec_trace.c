/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/exec_trace.h"

#include <stdio.h>

#include "arch/x86/disasm.h"
#include "arch/x86/linux/process.h"
#include "arch/x86/linux/symbolize.h"
#include "cpu/base_cpu.h"
#include "sim/debug.h"

/* "@function+12" of the running program, gem5's way; "" if unknown. */
static void exec_trace_symbol(const struct base_cpu *cpu, uint64_t rip,
                              char out[128])
{
    const struct thread *thread = cpu->linux_cpu.thread;
    struct symbolized at;

    out[0] = '\0';
    if (!thread || !thread->process->mm)
        return;
    symbolize(thread->process->mm, rip, &at);
    if (at.function)
        (void)snprintf(out, 128, " @%.100s+%llu", at.function,
                       (unsigned long long)at.offset);
}

static void exec_trace_record(void *ctx, struct x86_core *core,
                              const struct x86_trace_record *record)
{
    struct base_cpu *cpu = ctx;
    struct x86_disasm_input input = {record->bytes, record->len, record->rip};
    char symbol[128], text[96];

    (void)base_cpu_catch_up(cpu);
    exec_trace_symbol(cpu, record->rip, symbol);
    x86_disasm(x86_core_state(core), &input, text, sizeof(text));
    TRACE(Exec, &cpu->base.base, "T0 : 0x%llx%s : %-32s : %s",
          (unsigned long long)record->rip, symbol, text,
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
