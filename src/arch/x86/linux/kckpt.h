/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of the emulated kernel: processes, threads, address spaces, open
 * files, timers, queues.
 *
 * Guest RAM, and with it all page tables, is saved by the system; the state of
 * a thread that a core holds is saved by its CPU.  Everything else is in
 * sections below the workload's:
 *
 *   host.N     a file of the host that is open or mapped: where, what it held
 *   object.N   what mappings refer to: which pages are in which frames
 *   mm.N fs.N handlers.N table.N    shared by processes
 *   file.N     an open description; keys of its kind come from file_ops.save
 *   process.PID thread.TID
 *   tmp.N      a name in the programs' private /tmp
 *
 * Pointers become numbers from 1 on, in the order in which a walk over the
 * processes meets them; 0 is none.  Contents of files are in one file of the
 * checkpoint.  How many references a frame has is not saved but counted again.
 *
 * What cannot be saved is refused when saving, by process and descriptor.
 * Loading builds everything aside, and connects it to CPUs, queues and timers
 * only when all of it was found good; a failure leaves an empty kernel.
 */
#ifndef ARCH_X86_LINUX_KCKPT_H
#define ARCH_X86_LINUX_KCKPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "sim/field.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ckpt_reader;
struct ckpt_writer;
struct file;
struct kckpt_host;
struct kernel;
struct ktimer;
struct rights_queue;
struct thread;

/** kernel_save() - into the current section and its subsections.
 *  @private_tmp: host directory behind /tmp to save as well, or NULL */
void kernel_save(struct kernel *kernel, struct ckpt_writer *w,
                 const char *private_tmp);
/** kernel_load() - into a kernel without processes, after RAM was loaded.
 *  @private_tmp: host directory that gets what the saved one held, or NULL
 *  Returns: 0 or -errno; the reader knows what is wrong. */
SIM_MUST_CHECK int kernel_load(struct kernel *kernel, struct ckpt_reader *r,
                               const char *private_tmp);

/* ------------------------------------------- for the parts and kinds of files
 */

/* What the numbers in the checkpoint stand for: number i is ptr[i - 1]. */
struct kckpt_ids {
    void **ptr;
    uint32_t len;
};

/* One checkpoint being written (w) or read (r). */
struct kckpt {
    struct kernel *kernel;
    struct ckpt_writer *w;
    struct ckpt_reader *r;
    int error; /* of reading: the first; then nothing else is read */
    struct kckpt_ids mms, fs, handlers, tables, files, objects;
    struct kckpt_ids pipes;    /* buffers */
    struct kckpt_ids channels; /* that several files share */
    struct kckpt_host *hosts;
    uint32_t num_hosts;
    struct ktimer **timers; /* armed ones in order */
    uint32_t num_timers;
    FILE *contents; /* of files */
    uint64_t contents_len;
};

/** kckpt_id() - the number of @ptr, a new one if it has none; 0 for NULL. */
uint32_t kckpt_id(struct kckpt_ids *ids, const void *ptr);
/** kckpt_section() - keys follow of the subsection with that name. */
void kckpt_section(struct kckpt *c, const char *fmt, ...) SIM_PRINTF(2, 3);
/** kckpt_fail() - the checkpoint cannot be written or read. */
void kckpt_fail(struct kckpt *c, const char *fmt, ...) SIM_PRINTF(2, 3);
/** kckpt_refuse() - the state of an open file cannot be saved: names who has
 *  it open. */
void kckpt_refuse(struct kckpt *c, const struct file *file, const char *why);

/* "watch3", "watch3_path": an element of a list, and what belongs to it. */
struct kckpt_key {
    char text[48];
};

struct kckpt_key kckpt_key(const char *list, uint32_t index, const char *part);

/* Reading; after an error they give nothing, and say so in c->error. */
uint64_t kckpt_get_u64(struct kckpt *c, const char *key);
/* @max: the largest value that makes sense. */
uint32_t kckpt_get_u32(struct kckpt *c, const char *key, uint32_t max);
/* Fresh memory, never NULL. */
char *kckpt_get_str(struct kckpt *c, const char *key);
uint64_t *kckpt_get_u64s(struct kckpt *c, const char *key, size_t *count);
uint8_t *kckpt_get_bytes(struct kckpt *c, const char *key, size_t *len);
void kckpt_get_fields(struct kckpt *c, void *obj,
                      const struct sim_field *fields);
void kckpt_get_tuple(struct kckpt *c, const char *key, void *obj,
                     const struct sim_field *fields);
/** kckpt_get_ref() - what the number in @key stands for; NULL for 0. */
void *kckpt_get_ref(struct kckpt *c, const char *key,
                    const struct kckpt_ids *ids);
/* The same where 0 is an error. */
void *kckpt_get_needed(struct kckpt *c, const char *key,
                       const struct kckpt_ids *ids);

/** kckpt_put_timer() - whether and when it fires, and its place in the order.
 */
void kckpt_put_timer(struct kckpt *c, const char *key,
                     const struct ktimer *timer);
/* Armed when everything was read. */
void kckpt_get_timer(struct kckpt *c, const char *key, struct ktimer *timer);

/* Contents of files: @len bytes of @fd from its start on.
 * Returns: where they are in the file of contents. */
uint64_t kckpt_put_contents(struct kckpt *c, int fd, uint64_t len);
/* Write them to @fd, which becomes @len bytes long. */
void kckpt_get_contents(struct kckpt *c, int fd, uint64_t at, uint64_t len);

/* Rows for members of all kinds; arrays of any rank. */
#define KCKPT_FIELD(S, m) SIM_FIELD(S, m, "", "")
#define KCKPT_ROW(S, m, kind_, size_)                                          \
    {                                                                          \
        .name = #m, .doc = "", .unit = "", .kind = kind_,                      \
        .offset = offsetof(S, m), .count = sizeof SIM_MEMBER(S, m) / (size_)   \
    }
/* Enumerations and signed numbers, as their bits. */
#define KCKPT_FIELD_32(S, m)   KCKPT_ROW(S, m, SIM_U32, sizeof(uint32_t))
#define KCKPT_FIELD_U32S(S, m) KCKPT_ROW(S, m, SIM_U32, sizeof(uint32_t))
#define KCKPT_FIELD_U64S(S, m) KCKPT_ROW(S, m, SIM_U64, sizeof(uint64_t))
#define KCKPT_FIELD_STR(S, m)  KCKPT_ROW(S, m, SIM_STR, sizeof(char *))

/* ---------------------------------------------------------------- the parts */

/* kckpt_mm.c */
void kckpt_save_memory(struct kckpt *c);
void kckpt_load_memory(struct kckpt *c);
/* Frames are not consistent yet: free without them. */
void kckpt_drop_memory(struct kckpt *c);
/* kckpt_file.c */
void kckpt_save_files(struct kckpt *c);
void kckpt_load_files(struct kckpt *c);
void kckpt_release_files(struct kckpt *c);
/* kckpt_rights.c: what travels over a socket */
void kckpt_collect_rights(struct kckpt *c, const struct rights_queue *queue);
void kckpt_put_rights(struct kckpt *c, const char *key,
                      const struct rights_queue *queue);
/* Into an empty queue, which is good for rights_queue_fini() in any case. */
void kckpt_get_rights(struct kckpt *c, const char *key,
                      struct rights_queue *queue);
/* kckpt_lock.c: advisory locks */
void kckpt_save_locks(struct kckpt *c);
void kckpt_load_locks(struct kckpt *c);
/* kckpt_process.c */
void kckpt_save_processes(struct kckpt *c);
void kckpt_load_processes(struct kckpt *c);
/* kckpt_sched.c: queues, CPUs, timers */
void kckpt_put_channel(struct kckpt *c, const struct thread *thread);
void kckpt_save_sched(struct kckpt *c);
/* Reads and checks, then connects if there was no error at all. */
void kckpt_load_sched(struct kckpt *c);
/* kckpt_tmp.c */
void kckpt_save_tmp(struct kckpt *c, const char *dir);
void kckpt_load_tmp(struct kckpt *c, const char *dir);

/* kckpt_host.c: files of the host. */
/** kckpt_host_add() - the number of the file behind @fd
 *  @path: the guest's name for it
 *  @file: an open description of it, or NULL */
uint32_t kckpt_host_add(struct kckpt *c, int fd, const char *path,
                        const struct file *file);
void kckpt_save_hosts(struct kckpt *c);
void kckpt_load_hosts(struct kckpt *c);
/** kckpt_host_open() - open file number @id again.
 *  Returns: a host descriptor, -1 after an error. */
int kckpt_host_open(struct kckpt *c, uint32_t id, int flags);
void kckpt_release_hosts(struct kckpt *c);

#ifdef __cplusplus
}
#endif

#endif
