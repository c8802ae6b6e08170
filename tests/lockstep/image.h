/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated side of a lockstep run: a core whose memory is a copy of the
 * native process's.  The operating system is the native one; what a system
 * call wrote is copied over.
 */
#ifndef TESTS_LOCKSTEP_IMAGE_H
#define TESTS_LOCKSTEP_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/core.h"
#include "tracee.h"

struct image;

struct image *image_create(void);
void image_destroy(struct image *image);
struct x86_core *image_core(struct image *image);

/** image_copy_memory() - make mappings and contents those of the native side
 */
void image_copy_memory(struct image *image, struct tracee *tracee);
/* Only the contents of writable pages, after a system call. */
void image_copy_writable(struct image *image, struct tracee *tracee);
/* All registers. */
void image_copy_registers(struct image *image, struct tracee *tracee);

enum image_stop {
    IMAGE_SYSCALL, /* at a SYSCALL instruction, which has been executed */
    IMAGE_BUDGET,
    IMAGE_FAULT, /* an exception: see image_fault() */
};
enum image_stop image_run(struct image *image, uint64_t max_insts);
const struct x86_fault *image_fault(const struct image *image);

/** image_differs() - registers (and memory with @with_memory) against the
 *  native side, both at the same point; @text receives the difference */
enum image_scope { IMAGE_REGISTERS, IMAGE_REGISTERS_AND_MEMORY };
bool image_differs(struct image *image, struct tracee *tracee,
                   enum image_scope scope, char text[256]);

#endif
