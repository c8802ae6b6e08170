/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors that carry events: timerfd, signalfd and epoll. */
#ifndef ARCH_X86_LINUX_FILE_EVENT_H
#define ARCH_X86_LINUX_FILE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file;
struct kernel;
struct process;
struct thread;

/* Times of a timer [ns]: first[0] until it fires, [1] interval; clock tells
 * how absolute times are read (CLOCK_*). */
struct file *file_timerfd_create(struct kernel *kernel, int clock,
                                 uint32_t flags);
bool file_is_timerfd(const struct file *file);
void file_timerfd_set(struct file *file, tick_t when, tick_t interval);
void file_timerfd_get(struct file *file, tick_t *left, tick_t *interval);
int file_timerfd_clock(const struct file *file);

struct file *file_signalfd_create(struct kernel *kernel, uint64_t mask,
                                  uint32_t flags);
bool file_is_signalfd(const struct file *file);
void file_signalfd_set(struct file *file, uint64_t mask);

struct epoll_item_event {
    uint32_t events;
    uint64_t data;
};
struct file *file_epoll_create(struct kernel *kernel, uint32_t flags);
bool file_is_epoll(const struct file *file);
int file_epoll_control(struct file *file, int op, uint32_t fd,
                       struct file *target,
                       const struct epoll_item_event *event);
/** file_epoll_collect() - ready events, at most @max; their number. */
int file_epoll_collect(struct file *file, struct epoll_item_event *events,
                       int max);

/* @target is about to be freed. */
void file_epoll_forget(struct kernel *kernel, const struct file *target);

#ifdef __cplusplus
}
#endif

#endif
