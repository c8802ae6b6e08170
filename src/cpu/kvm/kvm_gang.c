/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu/kvm/kvm_gang.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "arch/x86/linux/process.h"
#include "arch/x86/linux/uaccess.h"
#include "base/log.h"
#include "cpu/kvm/kvm_cpu.h"
#include "cpu/kvm/kvm_vcpu.h"
#include "sim/report.h"

void kvm_gang_init(struct kvm_gang *gang)
{
    pthread_mutex_init(&gang->lock, NULL);
    pthread_cond_init(&gang->done, NULL);
}

void kvm_gang_fini(struct kvm_gang *gang)
{
    SIM_ASSERT(!gang->first);
    pthread_mutex_destroy(&gang->lock);
    pthread_cond_destroy(&gang->done);
}

/* -------------------------------------------------------------------- workers
 */

/* The leader looks without the lock: what a worker did before it set a phase is
 * seen by who reads that phase. */
static uint32_t worker_phase(const struct kvm_cpu *cpu)
{
    return __atomic_load_n(&cpu->worker.phase, __ATOMIC_ACQUIRE);
}

static void worker_enter(struct kvm_cpu *cpu, enum kvm_worker_phase phase)
{
    __atomic_store_n(&cpu->worker.phase, phase, __ATOMIC_RELEASE);
}

static void worker_set(struct kvm_cpu *cpu, enum kvm_worker_phase phase)
{
    worker_enter(cpu, phase);
    pthread_cond_signal(&cpu->worker.gang->done);
}

/* Called and left with the lock held; false: the end. */
static bool worker_turn(struct kvm_cpu *cpu)
{
    struct kvm_gang *gang = cpu->worker.gang;

    while (worker_phase(cpu) != KVM_WORKER_RUNNING &&
           worker_phase(cpu) != KVM_WORKER_QUIT)
        pthread_cond_wait(&cpu->worker.go, &gang->lock);
    if (worker_phase(cpu) == KVM_WORKER_QUIT)
        return false;
    pthread_mutex_unlock(&gang->lock);
    cpu->worker.err = kvm_cpu_enter(cpu, cpu->worker.until);
    pthread_mutex_lock(&gang->lock);
    gang->num_running--;
    worker_set(cpu, KVM_WORKER_DONE);
    return true;
}

static void *worker_main(void *arg)
{
    struct kvm_cpu *cpu = arg;
    struct kvm_gang *gang = cpu->worker.gang;
    bool is_on;

    pthread_mutex_lock(&gang->lock);
    cpu->worker.err = kvm_vcpu_bind(cpu);
    worker_set(cpu, KVM_WORKER_IDLE);
    do
        is_on = worker_turn(cpu);
    while (is_on);
    pthread_mutex_unlock(&gang->lock);
    (void)vcpu_unbind(&cpu->base.vcpu);
    return NULL;
}

/* Signals of the process are for the simulation's thread. */
static int worker_start(struct kvm_cpu *cpu)
{
    struct kvm_gang *gang = cpu->worker.gang;
    sigset_t all, saved;
    int err;

    worker_enter(cpu, KVM_WORKER_STARTING);
    pthread_cond_init(&cpu->worker.go, NULL);
    sigfillset(&all);
    sigdelset(&all, kvm_timer_signal());
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    err = pthread_create(&cpu->worker.thread, NULL, worker_main, cpu);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (err) {
        worker_enter(cpu, KVM_WORKER_NONE);
        return -err;
    }
    while (worker_phase(cpu) == KVM_WORKER_STARTING)
        pthread_cond_wait(&gang->done, &gang->lock);
    return cpu->worker.err;
}

void kvm_gang_join(struct kvm_gang *gang, struct kvm_cpu *cpu)
{
    struct kvm_cpu **link = &gang->first;

    while (*link)
        link = &(*link)->worker.next;
    *link = cpu;
    cpu->worker = (struct kvm_worker){.gang = gang};
    gang->size++;
}

void kvm_gang_quit(struct kvm_gang *gang, struct kvm_cpu *cpu)
{
    struct kvm_cpu **link = &gang->first;

    while (*link && *link != cpu)
        link = &(*link)->worker.next;
    if (!*link)
        return;
    *link = cpu->worker.next;
    gang->size--;
    if (worker_phase(cpu) == KVM_WORKER_NONE)
        return;
    pthread_mutex_lock(&gang->lock);
    SIM_ASSERT(worker_phase(cpu) != KVM_WORKER_RUNNING);
    worker_enter(cpu, KVM_WORKER_QUIT);
    pthread_cond_signal(&cpu->worker.go);
    pthread_mutex_unlock(&gang->lock);
    pthread_join(cpu->worker.thread, NULL);
    pthread_cond_destroy(&cpu->worker.go);
    worker_enter(cpu, KVM_WORKER_NONE);
}

void kvm_gang_forked(struct kvm_gang *gang)
{
    kvm_gang_init(gang);
    gang->num_running = 0;
    for (struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next)
        worker_enter(cpu, KVM_WORKER_NONE);
}

/* ------------------------------------------------------------ all at once */

void kvm_gang_kick(struct kvm_gang *gang)
{
    for (struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next)
        if (worker_phase(cpu) == KVM_WORKER_RUNNING)
            kvm_timer_kick(&cpu->timer);
}

void kvm_gang_pause(struct kvm_gang *gang)
{
    if (!kvm_gang_is_shared(gang))
        return;
    pthread_mutex_lock(&gang->lock);
    if (gang->num_running)
        kvm_gang_kick(gang);
    while (gang->num_running)
        pthread_cond_wait(&gang->done, &gang->lock);
    pthread_mutex_unlock(&gang->lock);
}

bool kvm_gang_uses(const struct kvm_gang *gang, const struct mm *mm)
{
    for (const struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next)
        if (worker_phase(cpu) == KVM_WORKER_RUNNING &&
            cpu->base.linux_cpu.loaded_mm == mm)
            return true;
    return false;
}

/* ----------------------------------------------------------------------- stops
 */

/* Another CPU in the guest with the same program. */
static struct kvm_cpu *gang_peer(const struct kvm_cpu *cpu, const struct mm *mm)
{
    struct kvm_cpu *peer = cpu->kvm->gang.first;

    while (peer && (peer == cpu || peer->stops.mm != mm ||
                    worker_phase(peer) != KVM_WORKER_RUNNING))
        peer = peer->worker.next;
    return peer;
}

/* Whether another CPU has planted them; its exit may not be served yet. */
static bool gang_has_planted(const struct kvm_cpu *cpu, const struct mm *mm)
{
    const struct kvm_cpu *holder = cpu->kvm->gang.first;

    while (holder &&
           (holder == cpu || holder->stops.mm != mm || !holder->stops.count))
        holder = holder->worker.next;
    return holder;
}

static bool gang_remembers(const struct kvm_gang *gang, uint64_t addr)
{
    for (uint32_t i = 0; i < KVM_GANG_MEMORY; i++)
        if (gang->planted[i] == addr)
            return true;
    return false;
}

static void gang_remember(struct kvm_gang *gang, uint64_t addr)
{
    if (!gang_remembers(gang, addr))
        gang->planted[gang->num_planted++ % KVM_GANG_MEMORY] = addr;
}

/* Its program is as the host may execute it. */
static bool gang_is_closed(const struct kvm_cpu *cpu)
{
    const struct mm *mm = cpu->base.linux_cpu.loaded_mm;

    return mm && mm->guards.is_closed;
}

void kvm_gang_plant(struct kvm_cpu *cpu)
{
    struct mm *mm = cpu->base.linux_cpu.loaded_mm;

    cpu->stops.mm = mm;
    if (mm && !mm->guards.is_closed)
        mm_guards_close(mm);
    if (!mm || !mm->num_sites || gang_has_planted(cpu, mm))
        return;
    kvm_gang_pause(&cpu->kvm->gang); /* some entered when there was no stop */
    kvm_stops_plant(&cpu->stops, mm);
    for (size_t i = 0; i < cpu->stops.count; i++)
        gang_remember(&cpu->kvm->gang, cpu->stops.plants[i].addr);
}

void kvm_gang_lift(struct kvm_cpu *cpu)
{
    struct mm *mm = cpu->base.linux_cpu.loaded_mm;
    struct kvm_cpu *peer;

    if (gang_is_closed(cpu) && !gang_peer(cpu, mm))
        mm_guards_open(mm);
    if (!cpu->stops.count)
        return;
    peer = gang_peer(cpu, cpu->stops.mm);
    if (!peer) {
        kvm_stops_lift(&cpu->stops);
        return;
    }
    peer->stops = cpu->stops;
    cpu->stops.count = 0;
}

/* The program's byte at @addr; false if it cannot be read any more. */
static bool gang_read(const struct kvm_cpu *cpu, uint64_t addr, uint8_t *byte)
{
    struct mm *mm = cpu->base.linux_cpu.loaded_mm;

    if (uaccess_read(mm, addr, byte, 1))
        return false;
    for (const struct kvm_cpu *c = cpu->kvm->gang.first; c; c = c->worker.next)
        kvm_stops_hide(&c->stops, mm, addr, byte);
    return true;
}

/* Another CPU may have met the same stop before, so that it is over. */
bool kvm_gang_met(const struct kvm_cpu *cpu, uint64_t rip)
{
    uint8_t before[2] = {0};

    if (stops_is_site(cpu->base.linux_cpu.loaded_mm, rip - 1))
        return true;
    if (!gang_remembers(&cpu->kvm->gang, rip - 1))
        return false;
    (void)gang_read(cpu, rip - 2, &before[0]);
    return !gang_read(cpu, rip - 1, &before[1]) || !kvm_stops_is_own(before);
}

static bool gang_has_guards(const struct kvm_cpu *cpu)
{
    return gang_is_closed(cpu) &&
           cpu->base.linux_cpu.loaded_mm->guards.num != 0;
}

void kvm_gang_uncover(struct kvm_gang *gang)
{
    struct kvm_cpu *cpu = gang->first;

    while (cpu && !cpu->stops.count && !gang_has_guards(cpu))
        cpu = cpu->worker.next;
    if (!cpu)
        return;
    kvm_gang_pause(gang);
    for (cpu = gang->first; cpu; cpu = cpu->worker.next) {
        kvm_stops_lift(&cpu->stops);
        if (gang_is_closed(cpu))
            mm_guards_open(cpu->base.linux_cpu.loaded_mm);
    }
}

/* --------------------------------------------------------------- the leader's
 * loop */

static tick_t gang_limit(const struct kvm_gang *gang, tick_t until)
{
    for (const struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next) {
        tick_t horizon = sim_runner_horizon(&cpu->base.runner);

        if (horizon < until)
            until = horizon;
    }
    return until;
}

static void gang_run(struct kvm_cpu *cpu, tick_t until)
{
    struct kvm_gang *gang = cpu->worker.gang;
    int err = kvm_cpu_prepare(cpu);

    if (err) {
        kvm_cpu_finish(cpu, err);
        return;
    }
    pthread_mutex_lock(&gang->lock);
    if (worker_phase(cpu) == KVM_WORKER_NONE)
        err = worker_start(cpu);
    if (err) {
        pthread_mutex_unlock(&gang->lock);
        sim_fatal(&cpu->base.base.base, "no thread for KVM: %s",
                  strerrordesc_np(-err));
    }
    cpu->worker.until = until;
    worker_enter(cpu, KVM_WORKER_RUNNING);
    gang->num_running++;
    pthread_cond_signal(&cpu->worker.go);
    pthread_mutex_unlock(&gang->lock);
}

/* Neither in the guest nor with an exit to be served first. */
static bool gang_is_free(const struct kvm_cpu *cpu)
{
    uint32_t phase = worker_phase(cpu);

    return phase == KVM_WORKER_NONE || phase == KVM_WORKER_IDLE;
}

/* Another member's exit may have changed what this one has to do. */
static void gang_advance(struct kvm_cpu *cpu, tick_t until)
{
    struct sim *sim = cpu->base.base.base.sim;

    sim_runner_act_for(sim, &cpu->base.runner);
    while (cpu->base.runner.is_active && gang_is_free(cpu)) {
        tick_t limit = gang_limit(cpu->worker.gang, until);

        switch (kvm_cpu_next(cpu, limit)) {
        case KVM_NEXT_NOTHING:
            return;
        case KVM_NEXT_CORE:
            kvm_gang_uncover(cpu->worker.gang);
            kvm_cpu_run_core(cpu, limit);
            break;
        case KVM_NEXT_STEP:
            kvm_gang_uncover(cpu->worker.gang);
            kvm_cpu_step(cpu);
            break;
        case KVM_NEXT_GUEST:
            gang_run(cpu, limit);
            break;
        }
    }
}

/* Waits for a worker; false if none runs or is done. */
static bool gang_wait(struct kvm_gang *gang)
{
    bool is_done = false;

    pthread_mutex_lock(&gang->lock);
    for (;;) {
        for (struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next)
            is_done = is_done || worker_phase(cpu) == KVM_WORKER_DONE;
        if (is_done || !gang->num_running)
            break;
        pthread_cond_wait(&gang->done, &gang->lock);
    }
    pthread_mutex_unlock(&gang->lock);
    return is_done;
}

static void gang_serve(struct kvm_gang *gang)
{
    for (struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next) {
        if (worker_phase(cpu) != KVM_WORKER_DONE)
            continue;
        worker_enter(cpu, KVM_WORKER_IDLE);
        sim_runner_act_for(cpu->base.base.base.sim, &cpu->base.runner);
        kvm_cpu_finish(cpu, cpu->worker.err);
    }
}

/* A thread that was ended or has a signal to handle leaves the guest. */
static void gang_recall(struct kvm_gang *gang)
{
    for (struct kvm_cpu *cpu = gang->first; cpu; cpu = cpu->worker.next) {
        const struct thread *thread = cpu->base.linux_cpu.thread;

        if (cpu->base.is_in_se && !gang_is_free(cpu) &&
            (!thread || signal_is_pending(thread)))
            kvm_timer_kick(&cpu->timer);
    }
}

void kvm_gang_execute(struct kvm_gang *gang, struct kvm_cpu *leader,
                      tick_t until)
{
    struct sim *sim = leader->base.base.base.sim;
    tick_t limit = sim_runner_horizon(&leader->base.runner);
    struct kvm_cpu *cpu;

    for (cpu = gang->first; cpu; cpu = cpu->worker.next)
        cpu->base.runner.horizon = limit;
    limit = until;
    do {
        for (cpu = gang->first; cpu; cpu = cpu->worker.next)
            gang_advance(cpu, until);
        sim_runner_act_for(sim, &leader->base.runner);
        /* Somebody wants an earlier end than those that run know of. */
        if (gang_limit(gang, until) < limit) {
            limit = gang_limit(gang, until);
            kvm_gang_kick(gang);
        }
        gang_recall(gang);
        if (!gang_wait(gang))
            break;
        gang_serve(gang);
    } while (true);
    sim_runner_act_for(sim, &leader->base.runner);
}
