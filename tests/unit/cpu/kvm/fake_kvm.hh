/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel played by the test: a handler per request, results by default 0. */
#ifndef TESTS_UNIT_CPU_KVM_FAKE_KVM_HH
#define TESTS_UNIT_CPU_KVM_FAKE_KVM_HH

#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
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
        of(self).counts[request]++;
        auto found = of(self).handlers.find(request);
        return found == of(self).handlers.end() ? 0 : found->second(fd, arg);
    }
    static void *do_mmap(void *self, int, size_t len)
    {
        of(self).pages.emplace_back(len);
        return of(self).pages.back().data();
    }
    static int do_munmap(void *, void *, size_t)
    {
        return 0;
    }
    static int do_perf_open(void *)
    {
        return -ENOENT;
    }

    static constexpr kvm_ops ops = {do_open, do_close,  do_ioctl,
                                    do_mmap, do_munmap, do_perf_open};
    int next_fd = 1000;
    std::map<unsigned long, Handler> handlers;
    std::map<unsigned long, int> counts;
};

#endif
