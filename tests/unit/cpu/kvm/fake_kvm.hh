/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel played by the test: a handler per request, results by default 0. */
#ifndef TESTS_UNIT_CPU_KVM_FAKE_KVM_HH
#define TESTS_UNIT_CPU_KVM_FAKE_KVM_HH

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <linux/perf_event.h>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "cpu/kvm/kvm_host.h"

class FakeKvm
{
  public:
    using Handler = std::function<int(int fd, void *arg)>;

    FakeKvm()
    {
        on(KVM_GET_API_VERSION, [](int, void *) { return 12; });
        on(KVM_GET_VCPU_MMAP_SIZE, [](int, void *) { return 12288; });
        on(KVM_CHECK_EXTENSION, [this](int, void *arg) {
            auto found =
                caps.find(static_cast<int>(reinterpret_cast<intptr_t>(arg)));
            return found == caps.end() ? 1 : found->second;
        });
        on(KVM_CREATE_VM, [this](int, void *) { return new_fd(); });
        on(KVM_CREATE_VCPU, [this](int, void *) { return new_fd(); });
    }

    void on(unsigned long request, Handler handler)
    {
        handlers[request] = std::move(handler);
    }
    int count(unsigned long request)
    {
        return counts[request];
    }
    kvm_host_cfg cfg()
    {
        kvm_host_cfg result = {};
        result.ops = &ops;
        result.ops_self = this;
        return result;
    }
    /* In a handler: others make requests while @wait runs. */
    template <typename Wait> void unlocked(Wait wait)
    {
        lock.unlock();
        wait();
        lock.lock();
    }
    int new_fd()
    {
        open_fds.insert(next_fd);
        return next_fd++;
    }

    int open_result = 0; /* negative: what open returns */
    std::map<int, int> caps;
    std::set<int> open_fds;
    std::vector<int> closed;
    std::vector<std::vector<uint8_t>> pages; /* what mmap gave */
    std::map<int, uint8_t *> page_of;        /* the same, by descriptor */
    int num_mapped = 0;
    bool refuses_mmap = false;
    int left = -1; /* requests before one fails with EIO; -1: none does */
    unsigned long failed = 0; /* that one */
    bool has_userfaultfd = false;
    int perf_result = -ENOENT; /* 0: the host has counters */
    int perf_left = 1000;      /* that it has yet */
    int counter_error = 0;     /* what reading them returns instead */
    bool counter_is_lost = false;
    std::map<int, uint64_t> counters; /* by descriptor */
    std::map<int, perf_event_attr> counter_attrs;

  private:
    static FakeKvm &of(void *self)
    {
        return *static_cast<FakeKvm *>(self);
    }
    static int do_open(void *self, const char *)
    {
        return of(self).open_result ? of(self).open_result : of(self).new_fd();
    }
    static int do_close(void *self, int fd)
    {
        of(self).closed.push_back(fd);
        return of(self).open_fds.erase(fd) ? 0 : -EBADF;
    }
    static int do_ioctl(void *self, int fd, unsigned long request, void *arg)
    {
        FakeKvm &fake = of(self);
        std::lock_guard<std::recursive_mutex> held(fake.lock);
        fake.counts[request]++;
        if (fake.left >= 0 && !fake.left--) {
            fake.failed = request;
            return -EIO;
        }
        auto found = fake.handlers.find(request);
        return found == fake.handlers.end() ? 0 : found->second(fd, arg);
    }
    static void *do_mmap(void *self, int fd, size_t len)
    {
        FakeKvm &fake = of(self);
        if (fake.refuses_mmap)
            return nullptr;
        fake.num_mapped++;
        fake.pages.emplace_back(len);
        fake.page_of[fd] = fake.pages.back().data();
        return fake.page_of[fd];
    }
    static int do_munmap(void *self, void *, size_t)
    {
        of(self).num_mapped--;
        return 0;
    }
    static int do_read(void *self, int fd, void *data, size_t len)
    {
        FakeKvm &fake = of(self);
        if (!fake.counters.count(fd) || len != sizeof(uint64_t))
            return -EBADF;
        if (fake.counter_error)
            return fake.counter_error;
        if (fake.counter_is_lost)
            return 0;
        std::memcpy(data, &fake.counters[fd], len);
        return static_cast<int>(len);
    }
    static int do_perf_open(void *self, perf_event_attr *attr, int)
    {
        FakeKvm &fake = of(self);
        if (fake.perf_result || !fake.perf_left--)
            return fake.perf_result ? fake.perf_result : -ENOENT;
        int fd = fake.new_fd();
        fake.counters[fd] = 0;
        fake.counter_attrs[fd] = *attr;
        return fd;
    }
    static int do_userfaultfd(void *self)
    {
        return of(self).has_userfaultfd ? of(self).new_fd() : -ENOSYS;
    }

    static constexpr kvm_ops ops = {do_open,      do_close,      do_ioctl,
                                    do_mmap,      do_munmap,     do_read,
                                    do_perf_open, do_userfaultfd};
    std::recursive_mutex lock; /* vCPUs run on threads of their own */
    int next_fd = 1000;
    std::map<unsigned long, Handler> handlers;
    std::map<unsigned long, int> counts;
};

#endif
