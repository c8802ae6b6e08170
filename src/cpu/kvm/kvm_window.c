/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_window.h"

enum { MOST_REST = 64 };

bool kvm_window_is_wanted(const struct kvm_window *window)
{
    return window->is_usable && !window->rest;
}

void kvm_window_syscall(struct kvm_window *window)
{
    if (window->rest)
        window->rest--;
    else
        window->last_rest /= 2;
}

void kvm_window_wasted(struct kvm_window *window)
{
    window->last_rest = window->last_rest ? window->last_rest * 2 : 1;
    if (window->last_rest > MOST_REST)
        window->last_rest = MOST_REST;
    window->rest = window->last_rest;
}
