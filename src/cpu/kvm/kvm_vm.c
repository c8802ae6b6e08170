/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VMs: life cycle, memory slots, interrupt chip, coalesced writes.
 * Leaves out: split interrupt chips, ioeventfd, the dirty ring.
 * Source: Linux, Documentation/virt/kvm/api.rst.
 */
#include "cpu/kvm/kvm_vm.h"

#include "base/alloc.h"
#include "cpu/kvm/kvm_drop.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { KVM_PAGE = 4096 };

struct kvm_slot {
    struct kvm_slot_map map;
    uint32_t gen;
    bool is_allocated;
    bool is_mapped;
};

struct kvm_vm {
    const struct kvm_host *host;
    const struct physmem *mem;
    struct kvm_drop drop;
    int fd;
    uint32_t next_vcpu;
    uint32_t open_vcpus;
    bool has_irqchip;

    struct kvm_slot *slots;
    uint32_t num_slots; /* ever allocated */

    pthread_mutex_t startup_lock;
    bool is_started;
    int startup_result;
};

int kvm_vm_create(const struct kvm_host *host, const struct physmem *mem,
                  struct kvm_vm **out)
{
    struct kvm_vm *vm = NULL;
    int fd = kvm_call_create_vm(host, host->fd, 0);

    *out = NULL;
    if (fd < 0)
        return fd;
    vm = alloc_zeroed(1, sizeof(*vm));
    vm->host = host;
    vm->mem = mem;
    vm->fd = fd;
    kvm_drop_init(&vm->drop, host);
    pthread_mutex_init(&vm->startup_lock, NULL);
    *out = vm;
    return 0;
}

int kvm_vm_fd(const struct kvm_vm *vm)
{
    return vm->fd;
}

int kvm_vm_destroy(struct kvm_vm *vm)
{
    if (!vm)
        return 0;
    if (vm->open_vcpus)
        return -EBUSY;
    kvm_drop_fini(&vm->drop);
    vm->host->ops->close(vm->host->ops_self, vm->fd);
    pthread_mutex_destroy(&vm->startup_lock);
    mem_free(vm->slots);
    mem_free(vm);
    return 0;
}

/* ------------------------------------------------------------------- slots */

static struct kvm_slot *kvm_vm_slot(const struct kvm_vm *vm,
                                    struct kvm_slot_ref ref)
{
    struct kvm_slot *slot = NULL;

    if (ref.num >= vm->num_slots)
        return NULL;
    slot = &vm->slots[ref.num];
    return slot->is_allocated && slot->gen == ref.gen ? slot : NULL;
}

static void kvm_vm_take_slot(struct kvm_vm *vm, uint32_t num,
                             struct kvm_slot_ref *ref)
{
    vm->slots[num].is_allocated = true;
    vm->slots[num].gen++;
    *ref = (struct kvm_slot_ref){.num = num, .gen = vm->slots[num].gen};
}

int kvm_vm_alloc_slot(struct kvm_vm *vm, struct kvm_slot_ref *ref)
{
    uint32_t num = 0;

    while (num < vm->num_slots && vm->slots[num].is_allocated)
        num++;
    if (num >= kvm_host_num_slots(vm->host))
        return -ENOSPC;
    if (num == vm->num_slots) {
        vm->slots = alloc_resize(vm->slots, num + 1, sizeof(*vm->slots));
        memset(&vm->slots[num], 0, sizeof(vm->slots[num]));
        vm->num_slots++;
    }
    kvm_vm_take_slot(vm, num, ref);
    return 0;
}

/* Tells the kernel; size 0 removes. */
static int kvm_vm_set_region(const struct kvm_vm *vm, uint32_t num,
                             const struct kvm_slot_map *map)
{
    struct kvm_userspace_memory_region region = {
        .slot = num,
        .flags = map->flags,
        .guest_phys_addr = map->gpa,
        .memory_size = map->size,
        .userspace_addr = (uintptr_t)map->host,
    };
    return kvm_call_set_user_memory_region(vm->host, vm->fd, &region);
}

static int kvm_vm_check_flags(const struct kvm_vm *vm, uint32_t flags)
{
    if (flags & ~(uint32_t)(KVM_SLOT_READONLY | KVM_SLOT_LOG_DIRTY))
        return -EINVAL;
    if ((flags & KVM_SLOT_READONLY) &&
        !vm->host->cap_value[KVM_HAS_READONLY_MEM])
        return -ENOTSUP;
    return 0;
}

static int kvm_vm_check_map(const struct kvm_vm *vm,
                            const struct kvm_slot_map *map)
{
    uint64_t bits = map->gpa | map->size | (uintptr_t)map->host;

    if (bits % KVM_PAGE || !map->size || !map->host ||
        map->gpa + map->size < map->gpa)
        return -EINVAL;
    for (uint32_t i = 0; i < vm->num_slots; i++) {
        const struct kvm_slot_map *other = &vm->slots[i].map;

        if (vm->slots[i].is_mapped && map->gpa < other->gpa + other->size &&
            other->gpa < map->gpa + map->size)
            return -EEXIST;
    }
    return kvm_vm_check_flags(vm, map->flags);
}

int kvm_vm_map_slot(struct kvm_vm *vm, struct kvm_slot_ref ref,
                    const struct kvm_slot_map *map)
{
    struct kvm_slot *slot = kvm_vm_slot(vm, ref);
    int err = 0;

    if (!slot)
        return -ESTALE;
    if (slot->is_mapped)
        return -EBUSY;
    err = kvm_vm_check_map(vm, map);
    if (!err)
        err = kvm_vm_set_region(vm, ref.num, map);
    if (err)
        return err;
    slot->map = *map;
    slot->is_mapped = true;
    return 0;
}

int kvm_vm_disable_slot(struct kvm_vm *vm, struct kvm_slot_ref ref)
{
    struct kvm_slot *slot = kvm_vm_slot(vm, ref);
    struct kvm_slot_map none;
    int err = 0;

    if (!slot)
        return -ESTALE;
    if (!slot->is_mapped)
        return 0;
    none = slot->map;
    none.size = 0;
    err = kvm_vm_set_region(vm, ref.num, &none);
    slot->is_mapped = err != 0;
    return err;
}

int kvm_vm_free_slot(struct kvm_vm *vm, struct kvm_slot_ref ref)
{
    int err = kvm_vm_disable_slot(vm, ref);

    if (!err)
        vm->slots[ref.num].is_allocated = false;
    return err;
}

void kvm_vm_visit_slots(const struct kvm_vm *vm, kvm_slot_fn visit, void *self)
{
    for (uint32_t i = 0; i < vm->num_slots; i++) {
        const struct kvm_slot *slot = &vm->slots[i];

        if (slot->is_allocated && slot->is_mapped)
            visit(self, (struct kvm_slot_ref){.num = i, .gen = slot->gen},
                  &slot->map);
    }
}

struct kvm_slot_ref kvm_vm_find_slot(const struct kvm_vm *vm, uint64_t gpa)
{
    for (uint32_t i = 0; i < vm->num_slots; i++) {
        const struct kvm_slot *slot = &vm->slots[i];

        if (slot->is_mapped && gpa - slot->map.gpa < slot->map.size)
            return (struct kvm_slot_ref){.num = i, .gen = slot->gen};
    }
    return (struct kvm_slot_ref){.num = 0, .gen = 0};
}

int kvm_vm_set_slot_flags(struct kvm_vm *vm, struct kvm_slot_ref ref,
                          uint32_t flags)
{
    struct kvm_slot *slot = kvm_vm_slot(vm, ref);
    struct kvm_slot_map map;
    int err = slot ? kvm_vm_check_flags(vm, flags) : -ESTALE;

    if (err)
        return err;
    map = slot->map;
    map.flags = flags;
    /* The kernel refuses this of a read-only slot, as it cannot change. */
    if (slot->is_mapped)
        err = kvm_vm_set_region(vm, ref.num, &map);
    if (!err)
        slot->map = map;
    return err;
}

int kvm_vm_dirty_log(struct kvm_vm *vm, struct kvm_slot_ref ref,
                     uint64_t *bitmap)
{
    struct kvm_dirty_log log = {.slot = ref.num};
    const struct kvm_slot *slot = kvm_vm_slot(vm, ref);

    if (!slot)
        return -ESTALE;
    if (!slot->is_mapped || !(slot->map.flags & KVM_SLOT_LOG_DIRTY))
        return -EINVAL;
    log.dirty_bitmap = bitmap;
    return kvm_call_get_dirty_log(vm->host, vm->fd, &log);
}

int kvm_vm_invalidate_all(struct kvm_vm *vm)
{
    for (uint32_t i = 0; i < vm->num_slots; i++) {
        struct kvm_slot_map none = vm->slots[i].map;
        int err = 0;

        if (!vm->slots[i].is_mapped)
            continue;
        none.size = 0;
        err = kvm_vm_set_region(vm, i, &none);
        if (!err) {
            vm->slots[i].is_mapped = false;
            err = kvm_vm_set_region(vm, i, &vm->slots[i].map);
        }
        if (err)
            return err;
        vm->slots[i].is_mapped = true;
    }
    return 0;
}

int kvm_vm_invalidate_frames(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
    uint64_t start = gpa & ~(uint64_t)(KVM_PAGE - 1);
    uint64_t len = (gpa + size - start + KVM_PAGE - 1) / KVM_PAGE * KVM_PAGE;
    struct kvm_slot_ref ref = kvm_vm_find_slot(vm, start);
    const struct kvm_slot_map *map = NULL;
    uint8_t *host = NULL;

    if (!ref.gen || !size)
        return -EINVAL;
    map = &vm->slots[ref.num].map;
    if (len > map->size - (start - map->gpa))
        return -EINVAL;
    host = (uint8_t *)map->host + (start - map->gpa);
    return kvm_drop_pages(&vm->drop, host, len);
}

/* ----------------------------------------------------------------- startup */

static int kvm_vm_map_range(struct kvm_vm *vm,
                            const struct physmem_range *range)
{
    const struct kvm_slot_map map = {
        .gpa = range->start, .size = range->size, .host = range->host};
    struct kvm_slot_ref ref;
    int err = kvm_vm_alloc_slot(vm, &ref);

    kvm_drop_add(&vm->drop, range->host, range->size);
    return err ? err : kvm_vm_map_slot(vm, ref, &map);
}

int kvm_vm_startup(struct kvm_vm *vm)
{
    int err = 0;

    pthread_mutex_lock(&vm->startup_lock);
    if (!vm->is_started) {
        size_t count = physmem_num_ranges(vm->mem);

        for (size_t i = 0; i < count && !err; i++)
            err = kvm_vm_map_range(vm, physmem_get_range(vm->mem, i));
        vm->startup_result = err;
        vm->is_started = true;
    }
    err = vm->startup_result;
    pthread_mutex_unlock(&vm->startup_lock);
    return err;
}

bool kvm_vm_is_started(struct kvm_vm *vm)
{
    bool is_started = false;

    pthread_mutex_lock(&vm->startup_lock);
    is_started = vm->is_started && !vm->startup_result;
    pthread_mutex_unlock(&vm->startup_lock);
    return is_started;
}

int kvm_vm_open_vcpu(struct kvm_vm *vm, uint32_t *id)
{
    int limit = vm->host->cap_value[KVM_HAS_MAX_VCPU_ID];
    int fd = -1;

    if (!kvm_vm_is_started(vm))
        return -EAGAIN;
    if (limit > 0 && vm->next_vcpu >= (uint32_t)limit)
        return -ENOSPC;
    fd = kvm_call_create_vcpu(vm->host, vm->fd, vm->next_vcpu);
    if (fd < 0)
        return fd;
    *id = vm->next_vcpu++;
    vm->open_vcpus++;
    return fd;
}

void kvm_vm_close_vcpu(struct kvm_vm *vm, int fd)
{
    vm->host->ops->close(vm->host->ops_self, fd);
    vm->open_vcpus--;
}

/* -------------------------------------------------------------- interrupts */

int kvm_vm_set_tss_addr(struct kvm_vm *vm, uint32_t addr)
{
    if (addr % KVM_PAGE || addr > UINT32_MAX - 3 * KVM_PAGE)
        return -EINVAL;
    if (vm->next_vcpu)
        return -EBUSY;
    if (!vm->host->cap_value[KVM_HAS_SET_TSS_ADDR])
        return 0;
    return kvm_call_set_tss_addr(vm->host, vm->fd, addr);
}

int kvm_vm_set_identity_map(struct kvm_vm *vm, uint64_t addr)
{
    if (addr % KVM_PAGE)
        return -EINVAL;
    if (vm->next_vcpu)
        return -EBUSY;
    if (!vm->host->cap_value[KVM_HAS_SET_IDENTITY_MAP_ADDR])
        return 0;
    return kvm_call_set_identity_map_addr(vm->host, vm->fd, &addr);
}

int kvm_vm_create_irqchip(struct kvm_vm *vm)
{
    int err = 0;

    if (vm->has_irqchip)
        return -EEXIST;
    if (vm->next_vcpu)
        return -EBUSY;
    if (!vm->host->cap_value[KVM_HAS_IRQCHIP])
        return -ENOTSUP;
    err = kvm_call_create_irqchip(vm->host, vm->fd, 0);
    vm->has_irqchip = !err;
    return err;
}

bool kvm_vm_has_irqchip(const struct kvm_vm *vm)
{
    return vm->has_irqchip;
}

int kvm_vm_set_irq_line(struct kvm_vm *vm, uint32_t irq, uint32_t level)
{
    struct kvm_irq_level line = {.level = level};

    if (!vm->has_irqchip)
        return -ENXIO;
    line.irq = irq;
    return kvm_call_irq_line(vm->host, vm->fd, &line);
}

/* --------------------------------------------------------------- coalescing */

int kvm_vm_coalesce(struct kvm_vm *vm, enum kvm_coalesced_kind kind,
                    uint64_t addr, uint32_t size)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = addr, .size = size};
    enum kvm_cap_id cap = kind == KVM_COALESCED_PIO ? KVM_HAS_COALESCED_PIO
                                                    : KVM_HAS_COALESCED_MMIO;

    if (!vm->host->cap_value[cap])
        return -ENOTSUP;
    if (!size)
        return -EINVAL;
    zone.pio = kind;
    return kvm_call_register_coalesced(vm->host, vm->fd, &zone);
}

int kvm_vm_drain(const struct kvm_vm *vm, struct kvm_run *run,
                 kvm_coalesced_fn deliver, void *self)
{
    size_t page = (size_t)vm->host->cap_value[KVM_HAS_COALESCED_MMIO];
    struct kvm_coalesced_mmio_ring *ring = NULL;
    int count = 0;

    if (!page)
        return 0;
    if ((page + 1) * KVM_PAGE > vm->host->run_size)
        return -EPROTO;
    ring = (void *)((uint8_t *)run + page * KVM_PAGE);
    if (ring->first >= KVM_RING_ENTRIES || ring->last >= KVM_RING_ENTRIES)
        return -EPROTO;
    while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        uint32_t next = (ring->first + 1) % KVM_RING_ENTRIES;

        deliver(self, &ring->coalesced_mmio[ring->first]);
        /* The entry may be overwritten from here on. */
        __atomic_store_n(&ring->first, next, __ATOMIC_RELEASE);
        count++;
    }
    return count;
}
