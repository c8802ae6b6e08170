/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment registers as Linux gives them to programs, and the start state of a
 * processor that runs one. */
#ifndef ARCH_X86_LINUX_SEGMENT_H
#define ARCH_X86_LINUX_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/state.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kernel;
struct mm;
struct thread;

enum {
    SELECTOR_USER32_CS = 0x23,
    SELECTOR_USER_DS = 0x2b,
    SELECTOR_USER_CS = 0x33,
    SELECTOR_TLS_FIRST = 12, /* index of the first TLS descriptor */
};

/** segment_load() - load a selector as a MOV to a segment register would
 *  Returns: false if the program may not have it. */
bool segment_load(struct x86_state *state, const struct thread *thread,
                  enum x86_seg_name name, uint16_t selector);
/** segment_set_tls() - take a struct user_desc from the program
 *  An entry number of -1 means "a free one" and is written back.
 *  Returns: 0 or -errno. */
int segment_set_tls(struct thread *thread, struct mm *mm, uint64_t addr);
/** segment_start() - long mode, paging on, CPL 3, FPU as after exec. */
void segment_start(struct x86_state *state, const struct kernel *kernel,
                   const struct thread *thread);
/* FPU and vector registers as at the start of a program. */
void segment_reset_fpu(struct x86_state *state);
/* Bytes of the XSAVE image that @xcr0 uses. */
uint32_t segment_xsave_size(uint64_t xcr0);

#ifdef __cplusplus
}
#endif

#endif
